//! Sockets, signals and a graceful stop.

use crate::{
    accounts::setup,
    app::App,
    base::{Error, Result, ids::TenantId},
    config::Config,
    worker,
};
use poem::{
    Endpoint, Response, Server,
    http::uri::Scheme,
    listener::{Acceptor, TcpAcceptor},
    web::{LocalAddr, RemoteAddr},
};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// A connection on which nothing moves for this long is closed.
const IDLE: Duration = Duration::from_secs(120);

/// Serves until the process is told to stop, then lets requests in flight finish. `say` is told
/// what a person at the terminal should read.
pub async fn serve(config: &Config, say: impl Fn(&str)) -> Result<()> {
    let app = App::open(config).await?;
    let public = Bound::new(config.listen, "public").await?;
    let operator = Bound::new(config.operator_listen, "operator").await?;
    for bound in [&public, &operator] {
        tracing::info!(url = bound.url(), address = %bound.address, listener = bound.name, "listening");
        say(&format!("listening on {} ({})", bound.url(), bound.name));
    }
    announce_setup(&app, config, &public, &say).await?;

    let grace = Duration::from_secs(config.shutdown_grace_s);
    let (stop, stopped) = watch::channel(false);
    let sweeping = tokio::spawn(worker::run(app.tenants.clone()));
    let serving = tokio::spawn(public.serve(app.public(), stopped.clone(), grace));
    let operating = tokio::spawn(operator.serve(app.operator(), stopped, grace));

    wait_for_signal().await?;
    tracing::info!("stopping");
    sweeping.abort();
    // Nobody listens any more only when both servers have ended of themselves.
    let _ = stop.send(true);
    serving.await??;
    operating.await??;
    tracing::info!("stopped");
    Ok(())
}

/// With no admin yet, says how to become one.
async fn announce_setup(
    app: &App,
    config: &Config,
    public: &Bound,
    say: &impl Fn(&str),
) -> Result<()> {
    let tenant = app.tenants.get(&TenantId::main()).await?;
    if let Some(secret) = setup::issue_link(&tenant).await? {
        let origin = config.public_url.as_ref().map_or_else(|| public.url(), |o| o.0.clone());
        // The secret is for whoever started the server, and not for the log.
        tracing::info!("this site has no admin yet: open the setup link on standard output");
        say(&format!("set up this site at {origin}/setup?token={}", secret.expose()));
    }
    Ok(())
}

async fn wait_for_signal() -> io::Result<()> {
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// A socket that is open and does not answer yet.
struct Bound {
    name: &'static str,
    address: SocketAddr,
    listener: TcpListener,
}

impl Bound {
    async fn new(address: SocketAddr, name: &'static str) -> Result<Self> {
        let listener = TcpListener::bind(address)
            .await
            .map_err(|e| Error::internal(format!("cannot listen on {address}: {e}")))?;
        Ok(Self { name, address: listener.local_addr()?, listener })
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

    async fn serve(
        self,
        endpoint: impl Endpoint<Output = Response> + 'static,
        mut stopped: watch::Receiver<bool>,
        grace: Duration,
    ) -> io::Result<()> {
        let stop = async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        Server::new_with_acceptor(NoDelay(TcpAcceptor::from_tokio(self.listener)?))
            .idle_timeout(IDLE)
            .run_with_graceful_shutdown(endpoint, stop, Some(grace))
            .await
    }
}

/// Accepts connections that do not wait to fill a packet: answers are small and latency counts.
struct NoDelay(TcpAcceptor);

impl Acceptor for NoDelay {
    type Io = TcpStream;

    fn local_addr(&self) -> Vec<LocalAddr> {
        self.0.local_addr()
    }

    async fn accept(&mut self) -> io::Result<(TcpStream, LocalAddr, RemoteAddr, Scheme)> {
        let accepted = self.0.accept().await;
        match &accepted {
            // A socket that is gone already will say so when it is read.
            Ok((socket, ..)) => drop(socket.set_nodelay(true)),
            // Out of file descriptors, most likely: give the system time to get some back.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
        accepted
    }
}
