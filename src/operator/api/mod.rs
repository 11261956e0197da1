//! The operator API: one tuple of resources, one document. Parsing and shaping live here; every
//! rule is in `tenancy`, `accounts` and `site`.

mod hostnames;
mod insight;
mod keys;
mod leftovers;
mod people;
mod plans;
mod tenants;
mod views;

pub use insight::state_word;

use super::{Appliance, BASE, caller};
use crate::{
    base::{Error, Result, clock::Millis, ids::TenantId},
    http::{
        Problem,
        document::{Allowed, Document, Version},
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use poem::{
    Endpoint, EndpointExt, IntoEndpoint, Response,
    http::{HeaderValue, StatusCode, header},
};
use poem_openapi::{OpenApiService, Tags, types::Any};
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

type Rooms = (
    tenants::TenantsApi,
    leftovers::LeftoversApi,
    hostnames::HostnamesApi,
    people::PeopleApi,
    plans::PlansApi,
    keys::KeysApi,
    insight::InsightApi,
);

#[derive(Tags)]
enum Tag {
    /// Sites: made, changed, closed, removed.
    Tenants,
    /// The names that lead to a tenant.
    Hostnames,
    /// Helping the people of a tenant in.
    People,
    /// Named sets of limits and features.
    Plans,
    /// The keys of this API.
    Keys,
    /// What holds, what is used, what happened.
    Insight,
}

fn service() -> OpenApiService<Rooms, ()> {
    let rooms = (
        tenants::TenantsApi,
        leftovers::LeftoversApi,
        hostnames::HostnamesApi,
        people::PeopleApi,
        plans::PlansApi,
        keys::KeysApi,
        insight::InsightApi,
    );
    OpenApiService::new(rooms, "Vitrina for operators", env!("CARGO_PKG_VERSION"))
        .description(
            "Hosts sites: makes, limits, suspends, inspects and removes tenants. It is served on \
             the operator listener only. Times are RFC 3339 in UTC, sizes are in bytes; a field \
             that is absent is not set. Errors are problem documents (RFC 9457): switch on their \
             `code`.\n\nEvery request names an operator key, and may be signed: \
             `X-Vitrina-Timestamp` (Unix seconds, within five minutes of the server's clock), \
             `X-Vitrina-Nonce` (16 to 64 characters, never used before) and \
             `X-Vitrina-Signature`, the HMAC-SHA256, in lower-case hexadecimal digits, over \
             method, path with query, lower-case hexadecimal SHA-256 of the body, timestamp and \
             nonce, parted by line feeds, keyed with the SHA-256 of the operator key (its 32 \
             bytes). Where `require_signature` is set, nothing is taken without one.\n\n\
             `GET /api/operator/config/traefik` answers with the configuration for Traefik's HTTP \
             provider, without a key, to this machine and to `operator_networks`.",
        )
        .server(BASE)
}

/// The operations, with every refusal dressed as a problem.
pub(super) fn endpoint(appliance: Arc<Appliance>) -> impl Endpoint<Output = Response> {
    let allowed = Allowed::read(document());
    let service = service()
        .into_endpoint()
        .catch_all_error(|error| async move { Problem::from_framework(error) })
        .map_to_response();
    let service = Arc::new(service);
    poem::endpoint::make(move |req| {
        let (service, appliance) = (service.clone(), appliance.clone());
        let allow = allowed.methods(req.uri().path());
        async move {
            let answered = caller::authenticate(service, req, appliance).await;
            let mut response = answered.unwrap_or_else(Problem::from_framework);
            // Keys and links are told once, and to nobody else.
            let headers = response.headers_mut();
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            if response.status() == StatusCode::METHOD_NOT_ALLOWED
                && let Ok(methods) = allow.join(", ").parse()
            {
                response.headers_mut().insert(header::ALLOW, methods);
            }
            Ok::<_, poem::Error>(response)
        }
    })
    .map_to_response()
}

/// The API document as JSON: OpenAPI 3.1.
pub fn document() -> &'static Value {
    documents().get(Version::V3_1)
}

/// The API document in every version there is.
pub fn documents() -> &'static Document {
    static DOCUMENT: OnceLock<Document> = OnceLock::new();
    DOCUMENT.get_or_init(|| Document::complete(&service().spec()))
}

/// Limits or features by their names; the values are checked where they are set.
type Settings = BTreeMap<String, Any<Value>>;

fn settings(given: Option<Settings>) -> Map<String, Value> {
    given.into_iter().flatten().map(|(name, value)| (name, value.0)).collect()
}

/// The tenant that a path names.
fn tenant_id(text: &str) -> Result<TenantId> {
    TenantId::parse(text).map_err(|_| Error::NotFound("tenant"))
}

fn moment(field: &'static str, text: &str) -> Result<Millis> {
    let at: Result<jiff::Timestamp, _> = text.parse();
    let at = at.map_err(|_| Error::invalid(field, "must be an RFC 3339 time"))?;
    Ok(Millis(at.as_millisecond()))
}

const DEFAULT_LIMIT: u32 = 50;
const MOST: u32 = 200;

/// How many items a page of a list has.
fn page_limit(asked: Option<u32>) -> Result<usize> {
    match asked.unwrap_or(DEFAULT_LIMIT) {
        n @ 1..=MOST => Ok(n as usize),
        _ => Err(Error::invalid("limit", format!("must be 1 to {MOST}"))),
    }
}

/// Makes a page of up to one row more than it holds: the items, and where the next page starts.
fn page<T>(
    mut rows: Vec<T>,
    limit: usize,
    cursor: impl Fn(&T) -> String,
) -> (Vec<T>, Option<String>) {
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = if more { rows.last().map(cursor) } else { None };
    (rows, next)
}

/// Tenants are listed by their ids, so the id is where a page starts.
fn id_cursor(id: &str) -> String {
    URL_SAFE_NO_PAD.encode(id)
}

fn parse_id_cursor(text: &str) -> Result<String> {
    let id = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let id = id.filter(|id| TenantId::parse(id).is_ok());
    id.ok_or_else(|| Error::invalid("after", "is no cursor of this list"))
}
