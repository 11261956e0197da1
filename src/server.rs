//! Sockets, signals and a graceful stop.

mod connections;
mod threads;

use crate::{
    accounts::setup,
    app::App,
    base::{Error, Result, secret::Secret},
    config::Config,
    jobs::executor::Options,
    tenancy::Tenants,
    worker,
};
use connections::serve as attend;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use threads::Threads;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::JoinHandle,
};

/// A database, its log and its index: once for the writer, and twice for each of four readers.
const FILES_OF_A_SITE: u64 = 11;
/// Connections and everything else.
const FILES_BESIDE: u64 = 1_000;

/// Serves until the process is told to stop, then lets requests in flight finish. `say` is told
/// what a person at the terminal should read.
pub async fn serve(config: &Config, say: impl Fn(&str)) -> Result<()> {
    // Heard from the first moment on: whoever reads that we listen may tell us to stop.
    let mut signals = [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?];
    raise_file_limit(config.open_tenants);
    let running = Running::start(config).await?;
    say(&format!("listening on {} (public)", running.public_url));
    say(&format!("listening on {} (operator)", running.operator_url));
    if let Some(link) = &running.setup_link {
        // The secret is for whoever started the server, and not for the log.
        tracing::info!("this site has no admin yet: open the setup link on standard output");
        say(&format!("set up this site at {}", link.expose()));
    }
    let [terminate, interrupt] = &mut signals;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    running.stop().await
}

/// Takes as many file descriptors as the system lets this process have: each open site costs up
/// to a dozen, and the usual 1,024 are meant for programs that use `select`.
fn raise_file_limit(open_tenants: u64) {
    let limit = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    let have = if raised.is_ok() { limit.maximum } else { limit.current };
    let need = open_tenants.saturating_mul(FILES_OF_A_SITE).saturating_add(FILES_BESIDE);
    if have.is_some_and(|have| have < need) {
        tracing::warn!(have, need, "too few file descriptors for `open_tenants` busy sites");
    }
}

/// An appliance that answers.
pub struct Running {
    pub public_url: String,
    pub operator_url: String,
    /// How to become the first admin, while there is none.
    pub setup_link: Option<Secret>,
    pub tenants: Arc<Tenants>,
    stop: watch::Sender<bool>,
    threads: Arc<Threads>,
    working: JoinHandle<()>,
    following: JoinHandle<()>,
    serving: [JoinHandle<()>; 2],
    pub app: App,
}

impl Running {
    /// Opens everything and answers from then on.
    pub async fn start(config: &Config) -> Result<Self> {
        let app = App::open(config).await?;
        let public = Bound::new(config.listen).await?;
        let operator = Bound::new(config.operator_listen).await?;
        let (public_url, operator_url) = (public.url(), operator.url());
        app.tenants.set_port(public.address.port());
        for (listener, bound) in [("public", &public), ("operator", &operator)] {
            tracing::info!(url = bound.url(), address = %bound.address, listener, "listening");
        }
        let setup_link = setup_link(&app.tenants, &public_url).await.unwrap_or_else(|error| {
            tracing::error!(%error, "the default site cannot be opened; the others are served");
            None
        });
        let grace = Duration::from_secs(config.shutdown_grace_s);
        let (stop, stopped) = watch::channel(false);
        let threads = Arc::new(Threads::start()?);
        let on = || threads.clone();
        let serving = [
            tokio::spawn(attend(public.listener, app.public(), on(), stopped.clone(), grace)),
            tokio::spawn(attend(operator.listener, app.operator(), on(), stopped.clone(), grace)),
        ];
        let tenants = app.tenants.clone();
        let (light, heavy) = config.jobs_at_once();
        let jobs = Options { light, heavy, ..Options::default() };
        let working = worker::run(tenants.clone(), app.uploads.clone(), jobs, stopped);
        let (working, following) = (tokio::spawn(working), tokio::spawn(tenants.clone().follow()));
        Ok(Self {
            public_url,
            operator_url,
            setup_link,
            tenants,
            stop,
            threads,
            working,
            following,
            serving,
            app,
        })
    }

    /// Takes no new requests and waits for those in flight, as long as the settings allow.
    pub async fn stop(self) -> Result<()> {
        tracing::info!("stopping");
        self.app.stopping.store(true, Ordering::Release);
        self.stop.send_replace(true);
        for serving in self.serving {
            serving.await?;
        }
        // Jobs were told to end at the same moment, and are put back where they did not.
        self.working.await?;
        self.following.abort();
        if let Some(threads) = Arc::into_inner(self.threads) {
            threads.end().await;
        }
        self.tenants.flush().await;
        self.tenants.release_leases().await?;
        tracing::info!("stopped");
        Ok(())
    }
}

/// How to become the first admin of the default site, while it has none.
async fn setup_link(tenants: &Tenants, public_url: &str) -> Result<Option<Secret>> {
    let Some(id) = tenants.default_tenant() else { return Ok(None) };
    let tenant = match tenants.get(id).await {
        Err(Error::NotFound(_)) => return Ok(None),
        found => found?,
    };
    let origin = tenant.origin().unwrap_or_else(|| public_url.to_owned());
    let secret = setup::issue_link(&tenant).await?;
    Ok(secret.map(|s| Secret::new(format!("{origin}/setup?token={}", s.expose()))))
}

/// A socket that is open and does not answer yet.
struct Bound {
    address: SocketAddr,
    listener: TcpListener,
}

impl Bound {
    async fn new(address: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(address)
            .await
            .map_err(|e| Error::internal(format!("cannot listen on {address}: {e}")))?;
        Ok(Self { address: listener.local_addr()?, listener })
    }

    /// Where a browser on this machine finds it.
    fn url(&self) -> String {
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        format!("http://{}", SocketAddr::new(ip, self.address.port()))
    }
}
