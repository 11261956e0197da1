//! The operator's side: the API, the console and the figures of the whole appliance, for whoever
//! holds an operator key. It is served on the operator listener only, and knows no visitor.

pub mod api;
pub mod caller;
mod console;
pub mod keys;
mod metrics;
pub mod signature;
mod sql;
mod traefik;

pub use api::{document, documents, state_word};
pub use metrics::Metrics;
pub use traefik::Traefik;

use crate::{
    av,
    base::Error,
    http::{Client, Problem, document::Version},
    tenancy::Tenants,
};
use ipnet::IpNet;
use poem::{
    Endpoint, EndpointExt, IntoEndpoint, IntoResponse, Request, Response, Route,
    endpoint::make_sync,
    get,
    http::header,
    web::{Data, Json},
};
use std::sync::Arc;

/// Where the operator API lives.
pub const BASE: &str = "/api/operator";

/// What the operator's side works with.
pub struct Appliance {
    pub tenants: Arc<Tenants>,
    pub metrics: Arc<Metrics>,
    /// What films are worked on with.
    pub tool: av::Tool,
    /// Whether requests without a signature are refused.
    pub require_signature: bool,
    /// Who may read the configuration for proxies without a key, besides this machine itself.
    pub networks: Vec<IpNet>,
    pub traefik: Traefik,
}

/// Everything of the operator's but the health checks.
pub fn routes(appliance: Arc<Appliance>) -> Route {
    let api = api::endpoint(appliance.clone());
    let api = Route::new().nest(BASE, api).catch_all_error(problem);
    Route::new()
        .at("/api/operator/openapi.json", make_sync(|_| documents().served(Version::V3_1)))
        .at("/api/operator/openapi-3.0.json", make_sync(|_| documents().served(Version::V3_0)))
        .at("/api/operator/config/traefik", for_proxies(appliance.clone()))
        .at("/metrics", get(figures.data(appliance)))
        .nest_no_strip("/api", api)
        .at("/", get(console::page))
        .at("/console/*path", get(console::asset))
}

/// The configuration for proxies, which they read without a key.
pub fn for_proxies(appliance: Arc<Appliance>) -> impl IntoEndpoint<Endpoint: 'static> {
    get(proxies.data(appliance))
}

/// Counts every answer of a listener.
pub fn counted<E>(
    endpoint: E,
    listener: &'static str,
    metrics: Arc<Metrics>,
) -> impl Endpoint<Output = Response>
where
    E: Endpoint<Output = Response> + 'static,
{
    let endpoint = Arc::new(endpoint);
    poem::endpoint::make(move |req: Request| {
        let (endpoint, metrics) = (endpoint.clone(), metrics.clone());
        async move {
            let response = endpoint.get_response(req).await;
            metrics.count(listener, response.status());
            Ok::<_, poem::Error>(response)
        }
    })
}

async fn problem(error: poem::Error) -> Response {
    Problem::from_framework(error)
}

/// `GET /api/operator/config/traefik`: for a proxy, which comes without a key.
#[poem::handler]
async fn proxies(req: &Request, appliance: Data<&Arc<Appliance>>) -> Result<Response, Problem> {
    let address = req.data::<Client>().and_then(|client| client.address);
    let may = address.is_some_and(|address| {
        address.is_loopback() || appliance.networks.iter().any(|net| net.contains(&address))
    });
    if !may {
        return Err(Error::Forbidden("this is for the operator's own networks").into());
    }
    let hosts = appliance.tenants.host_pairs().await?;
    let configuration = Json(appliance.traefik.configuration(&hosts));
    Ok(configuration.with_header(header::CACHE_CONTROL, "no-store").into_response())
}

/// `GET /metrics`.
#[poem::handler]
async fn figures(appliance: Data<&Arc<Appliance>>) -> Result<Response, Problem> {
    let text = appliance.metrics.text(&appliance.tenants).await?;
    let response = Response::builder().content_type(metrics::CONTENT_TYPE);
    Ok(response.header(header::CACHE_CONTROL, "no-store").body(text))
}
