//! The appliance, wired: opens what is kept, and routes what comes in. `main` and every test
//! start here.

use crate::{
    api, av,
    base::{Error, Result, ids::TenantId, secret::Secret},
    compat,
    config::Config,
    dav::Dav,
    docs,
    http::{Client, Problem, Proxies, document::Version, layers},
    imaging::{self, Engine},
    media::{self, files::Files, hot::Hot, renderings::Making, upload::Uploads},
    operator::{self, Appliance, Metrics, Traefik},
    outward::{Fetcher, Policy, StorageConnector},
    site::cors,
    storage::{Connector, World},
    tenancy::{DataDir, Lock, Options, Tenants, limits::Overrides},
    web,
};
use poem::{
    Endpoint, EndpointExt, IntoResponse, Request, Response, Route,
    endpoint::make_sync,
    http::{StatusCode, header},
};
use serde_json::json;
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// How the appliance calls itself where it is a client.
const USER_AGENT: &str = concat!("Vitrina/", env!("CARGO_PKG_VERSION"));

/// Everything that is shared by all requests.
pub struct App {
    pub tenants: Arc<Tenants>,
    /// Set when the process is about to stop: whoever sends it requests should send no more.
    pub stopping: Arc<AtomicBool>,
    operator: Arc<Appliance>,
    pub uploads: Arc<Uploads>,
    hot: Arc<Hot>,
    proxies: Proxies,
    request_secret: Option<Secret>,
    _lock: Lock,
}

/// Opens the data directory without serving it: what the command line works on, also beside a
/// running server.
pub async fn open_tenants(config: &Config) -> Result<Tenants> {
    open(config, |_| Ok(())).await.map(|(tenants, ())| tenants)
}

async fn open<T: Send + 'static>(
    config: &Config,
    first: impl FnOnce(&DataDir) -> Result<T> + Send + 'static,
) -> Result<(Tenants, T)> {
    let options = options(config)?;
    let (root, key) = (config.data.clone(), config.secret_key.clone());
    let opened = tokio::task::spawn_blocking(move || {
        let data = DataDir::open(&root, key.as_ref())?;
        let first = first(&data)?;
        Ok::<_, Error>((Tenants::open(data, options)?, first))
    });
    let (tenants, first) = opened.await??;
    tenants.create_first().await?;
    Ok((tenants, first))
}

/// What the settings of the process say about all sites.
fn options(config: &Config) -> Result<Options> {
    let default_tenant = match config.default_tenant.trim() {
        "" => None,
        id => Some(TenantId::parse(id).map_err(|e| named(e, "default_tenant"))?),
    };
    let [limits, features] = Overrides::words(config.enforce.split(','));
    let mut enforced = Overrides::default();
    enforced.patch(&limits, &features).map_err(|e| named(e, "enforce"))?;
    Ok(Options {
        default_tenant,
        public_url: config.public_url.as_ref().map(|o| o.0.clone()),
        port: config.listen.port(),
        enforced,
        open_at_most: usize::try_from(config.open_tenants).unwrap_or(usize::MAX),
        delete_grace_days: i64::try_from(config.delete_grace_days.min(36_500)).unwrap_or(0),
        world: World {
            connector: Connector(Arc::new(StorageConnector::new(
                Policy { allow: config.storage_allow.0.clone(), refuse_hosts: Vec::new() },
                USER_AGENT,
            )?)),
            folders: config.storage_folders.0.clone(),
        },
        redis: config.redis_url.clone().map(|url| (url, config.redis_prefix.clone())),
    })
}

/// What the settings of the process say about the operator's side.
fn appliance(
    config: &Config,
    tenants: Arc<Tenants>,
    engine: &Engine,
    tool: &av::Tool,
) -> Appliance {
    let resolver = config.traefik_resolver.trim();
    let allow = config.traefik_allow.0.iter().map(ToString::to_string);
    Appliance {
        tenants,
        tool: tool.clone(),
        metrics: Arc::new(Metrics::new(engine.lost())),
        require_signature: config.require_signature,
        networks: config.operator_networks.0.clone(),
        traefik: Traefik {
            entry_point: config.traefik_entry_point.trim().to_owned(),
            resolver: (!resolver.is_empty()).then(|| resolver.to_owned()),
            service: config.traefik_service.trim().to_owned(),
            allow: allow.collect(),
        },
    }
}

const MIB: u64 = 1024 * 1024;

/// The program that bounds itself for work on other people's files.
fn program(config: &Config) -> Option<PathBuf> {
    let named = config.decode_program.trim();
    if named.is_empty() { imaging::own_program() } else { Some(named.into()) }
}

/// What the settings of the process say about work on films.
fn tool(config: &Config) -> av::Tool {
    av::Tool::find(av::Options {
        ffmpeg: config.ffmpeg.clone(),
        program: program(config),
        parallel: usize::try_from(config.ffmpeg_parallel).unwrap_or(1),
        threads: config.ffmpeg_threads,
        memory_bytes: config.ffmpeg_memory_mb.max(64).saturating_mul(MIB),
        heavy: av::Bounds {
            time: Duration::from_secs(config.ffmpeg_minutes.clamp(1, 100_000) * 60),
            file_bytes: config.ffmpeg_output_mb.max(1).saturating_mul(MIB),
        },
        light: av::Bounds {
            time: Duration::from_secs(config.decode_seconds.max(1)),
            file_bytes: 64 * MIB,
        },
    })
}

/// What the settings of the process say about work on pictures.
fn engine(config: &Config) -> Result<Engine> {
    Ok(Engine::new(imaging::Options {
        memory_bytes: config.image_memory_mb.max(16).saturating_mul(MIB),
        parallel: config.image_threads(),
        program: program(config),
        time: Duration::from_secs(config.decode_seconds.max(1)),
        decode_bytes: config.decode_memory_mb.max(16).saturating_mul(MIB),
    })?)
}

/// The same fault, under the name of the setting that has it.
fn named(error: Error, field: &'static str) -> Error {
    match error {
        Error::Invalid { reason, .. } => Error::Invalid { field, reason },
        other => other,
    }
}

impl App {
    /// Opens the data directory, makes this process the one that serves it, and settles what a
    /// crash left open.
    pub async fn open(config: &Config) -> Result<Self> {
        let lock = if config.shared { DataDir::lock_shared } else { DataDir::lock };
        let (tenants, lock) = open(config, lock).await?;
        let tenants = Arc::new(tenants);
        if lock.is_first {
            for id in tenants.recover().await? {
                if let Err(error) = settle(&tenants, &id).await {
                    // One broken site does not keep the others from starting.
                    tracing::error!(tenant = %id, error = %error.in_full(), "not recovered");
                }
            }
        }
        if config.shared && lock.is_first {
            lock.share()?;
        }
        let policy =
            Policy { allow: config.fetch_allow.0.clone(), refuse_hosts: own_hosts(config) };
        let fetcher = Fetcher::new(policy, USER_AGENT)?;
        let engine = engine(config)?;
        let tool = tool(config);
        Ok(Self {
            operator: Arc::new(appliance(config, tenants.clone(), &engine, &tool)),
            tenants,
            stopping: Arc::default(),
            uploads: Arc::new(Uploads { engine, tool, fetcher, making: Making::default() }),
            hot: Arc::default(),
            proxies: Proxies(config.trusted_proxies.0.clone()),
            request_secret: config.request_secret.clone(),
            _lock: lock,
        })
    }

    /// What the public listener serves.
    pub fn public(&self) -> impl Endpoint<Output = Response> + use<> {
        let api = self.addressed(cors::around(api::endpoint(self.uploads.clone())));
        let api = Arc::new(api);
        let pages = web::routes(Route::new().nest(api::BASE, api.clone()).map_to_response());
        let shims = compat::uploads::routes(&self.uploads).catch_all_error(problem);
        let shims = Arc::new(self.addressed(cors::around(shims)));
        let routes = compat::uploads::PATHS
            .iter()
            .fold(Route::new(), |routes, path| routes.at(*path, shims.clone()))
            .at("/api/v2/openapi.json", make_sync(|_| docs::document(Version::V3_1)))
            .at("/api/v2/openapi-3.0.json", make_sync(|_| docs::document(Version::V3_0)))
            .at("/api/docs", make_sync(|_| docs::page()))
            .nest_no_strip("/api", Route::new().nest(api::BASE, api).catch_all_error(problem))
            .nest_no_strip("/", pages);
        let answers = layers::around(self.files_first(routes), self.proxies.clone());
        operator::counted(answers, "public", self.operator.metrics.clone())
    }

    /// What the operator's listener serves. Nothing here is about one site.
    pub fn operator(&self) -> impl Endpoint<Output = Response> + use<> {
        let (tenants, stopping) = (self.tenants.clone(), self.stopping.clone());
        let ready = poem::endpoint::make(move |_| {
            let (tenants, stopping) = (tenants.clone(), stopping.clone());
            async move {
                let is_stopping = stopping.load(Ordering::Acquire);
                Ok::<_, poem::Error>(readiness(&tenants, is_stopping).await)
            }
        });
        let inherited = compat::tenants::routes(self.tenants.clone(), self.request_secret.clone());
        let routes = operator::routes(self.operator.clone())
            .at("/_/api/4/config/traefik", operator::for_proxies(self.operator.clone()))
            .nest("/_/api/4", inherited)
            .at("/healthz", make_sync(|_| health(StatusCode::OK, json!({ "status": "ok" }))))
            .at("/readyz", ready)
            .catch_all_error(problem);
        let answers = layers::around(routes, self.proxies.clone());
        operator::counted(answers, "operator", self.operator.metrics.clone())
    }

    /// Answers what asks for a file, from wherever, and lets the endpoint answer everything else.
    fn files_first<E>(&self, endpoint: E) -> impl Endpoint<Output = Response> + use<E>
    where
        E: Endpoint<Output = Response> + 'static,
    {
        let (tenants, endpoint) = (self.tenants.clone(), Arc::new(endpoint));
        let files = Files { hot: self.hot.clone(), uploads: self.uploads.clone() };
        let dav = Dav::new(files.clone());
        poem::endpoint::make(move |req: Request| {
            let (tenants, endpoint) = (tenants.clone(), endpoint.clone());
            let (files, dav) = (files.clone(), dav.clone());
            async move {
                let is_dav = Dav::is_asked_for(req.uri().path());
                if !is_dav && !Files::are_asked_for(req.uri().path()) {
                    return endpoint.call(req).await;
                }
                let client = req.data::<Client>().ok_or_else(|| Error::internal("no client"));
                let client = client.map_err(Problem::from)?.clone();
                let tenant = tenants.by_host(&client.host).await.map_err(Problem::from)?;
                Ok(match is_dav {
                    true => dav.answer(req, &tenant, &client).await?,
                    false => files.answer(&req, &tenant, &client).await?,
                })
            }
        })
    }

    /// Finds the site that a request is for and hands it on with the request.
    fn addressed<E>(&self, endpoint: E) -> impl Endpoint<Output = Response> + use<E>
    where
        E: Endpoint<Output = Response> + 'static,
    {
        let tenants = self.tenants.clone();
        let find = move |mut req: Request| {
            let tenants = tenants.clone();
            async move {
                let host = req.data::<Client>().map(|c| c.host.clone()).unwrap_or_default();
                req.set_data(tenants.by_host(&host).await.map_err(Problem::from)?);
                Ok::<_, poem::Error>(req)
            }
        };
        endpoint.before(find).catch_all_error(problem).map_to_response()
    }
}

async fn problem(error: poem::Error) -> Response {
    Problem::from_framework(error)
}

/// Settles what a crash left open in one site.
async fn settle(tenants: &Tenants, id: &TenantId) -> Result<()> {
    media::sweep::recover(&tenants.get(id).await?).await
}

/// Hosts that are ourselves, and are not fetched from.
fn own_hosts(config: &Config) -> Vec<String> {
    let origin = config.public_url.as_ref().and_then(|o| url::Url::parse(&o.0).ok());
    origin.and_then(|url| url.host_str().map(str::to_owned)).into_iter().collect()
}

/// Whether sites are served. They are without Redis as well, which only makes it known here.
async fn readiness(tenants: &Tenants, is_stopping: bool) -> Response {
    let redis = operator::state_word(tenants.redis());
    let answer = |status, word: &str| health(status, json!({ "status": word, "redis": redis }));
    if is_stopping {
        return answer(StatusCode::SERVICE_UNAVAILABLE, "stopping");
    }
    match tenants.check().await {
        Ok(()) => answer(StatusCode::OK, "ready"),
        Err(error) => {
            tracing::error!(error = %error.in_full(), "not ready");
            answer(StatusCode::SERVICE_UNAVAILABLE, "unavailable")
        }
    }
}

fn health(status: StatusCode, body: serde_json::Value) -> Response {
    let body = poem::web::Json(body);
    body.with_status(status).with_header(header::CACHE_CONTROL, "no-store").into_response()
}
