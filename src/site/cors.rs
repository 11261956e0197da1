//! Which pages of other sites a browser lets use the API (Fetch Standard, "CORS protocol"). They
//! come with a token: nothing here ever lets a browser send its cookies along.

use super::settings;
use crate::{base::Result, http::Problem, tenancy::Tenant};
use poem::{
    Endpoint, EndpointExt, Request, Response,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
};
use std::sync::Arc;

/// What a page may read of an answer, beside what it always may.
const EXPOSED: &str = "ETag, Link, Location, Retry-After, Allow, Content-Disposition, \
    X-Request-Id, Tus-Resumable, Tus-Version, Tus-Extension, Tus-Max-Size, \
    Tus-Checksum-Algorithm, Upload-Offset, Upload-Length, Upload-Metadata, Upload-Concat, \
    Upload-Expires, Upload-Media-Id";
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
/// How long a browser may remember what it was told, in seconds: no longer than Chromium does.
const REMEMBERED: &str = "7200";

/// Answers browsers that ask beforehand, and tells them afterwards who may read what the endpoint
/// answered. The request must be addressed to a site.
pub fn around<E>(endpoint: E) -> impl Endpoint<Output = Response>
where
    E: Endpoint<Output = Response> + 'static,
{
    endpoint.around(|endpoint, req| async move {
        let Some(origin) = req.headers().get(header::ORIGIN).cloned() else {
            let mut response = endpoint.get_response(req).await;
            varies(response.headers_mut());
            return Ok(response);
        };
        let allowed = match req.data::<Arc<Tenant>>() {
            Some(tenant) => allowed(tenant, &origin).await.map_err(Problem::from)?,
            None => None,
        };
        let mut response = match asked_beforehand(&req) {
            Some(wanted) => beforehand(wanted),
            None => endpoint.get_response(req).await,
        };
        let headers = response.headers_mut();
        varies(headers);
        if let Some(allowed) = allowed {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
            let exposed = HeaderValue::from_static(EXPOSED);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
        Ok(response)
    })
}

/// What is answered to a page of this origin, if it may use the API.
async fn allowed(tenant: &Tenant, origin: &HeaderValue) -> Result<Option<HeaderValue>> {
    let origins = tenant.read(settings::load).await?.cors_origins;
    if origins.iter().any(|one| one == "*") {
        return Ok(Some(HeaderValue::from_static("*")));
    }
    let is_listed =
        origins.iter().any(|one| one.as_bytes().eq_ignore_ascii_case(origin.as_bytes()));
    Ok(is_listed.then(|| origin.clone()))
}

/// The headers that a browser wants to send, where it asks whether it may.
fn asked_beforehand(req: &Request) -> Option<Option<HeaderValue>> {
    let headers = req.headers();
    let is_asked = req.method() == Method::OPTIONS
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    is_asked.then(|| headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned())
}

/// Any header may be sent: none of them is trusted.
fn beforehand(wanted: Option<HeaderValue>) -> Response {
    let mut response = Response::builder().status(StatusCode::NO_CONTENT).finish();
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(REMEMBERED));
    if let Some(wanted) = wanted {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted);
    }
    response
}

/// The same address answers differently to pages of different origins.
fn varies(headers: &mut HeaderMap) {
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
}
