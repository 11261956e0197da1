//! What happens around every request: its id, its line in the log, safe headers, bounded bodies,
//! and an answer even to a panic.

use super::{Problem, Proxies, compress::Asked, problem::REQUEST_ID};
use crate::base::{Error, Result};
use bytes::Bytes;
use futures_util::StreamExt;
use poem::{
    Body, Endpoint, EndpointExt, Request, Response,
    error::ReadBodyError,
    http::{HeaderName, HeaderValue, header},
};
use std::{
    borrow::Cow,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};
use tracing::Instrument;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Dresses the endpoint: every request gets a client, an id and a log line, every answer the
/// headers that all answers have.
pub fn around<E>(endpoint: E, proxies: Proxies) -> impl Endpoint<Output = Response>
where
    E: Endpoint<Output = Response> + 'static,
{
    let endpoint = Arc::new(
        endpoint
            .with(poem::middleware::CatchPanic::new().with_handler(|_| Problem::from_panic()))
            .map_to_response(),
    );
    poem::endpoint::make(move |mut req: Request| {
        let client = proxies.client(&req);
        let id = request_id(&req);
        let span = tracing::info_span!("request", id = %id, method = %req.method(),
            path = %loggable(req.uri().path()), client = client.address.map(tracing::field::display));
        req.set_data(client);
        let asked = Asked::of(&req);
        let endpoint = endpoint.clone();
        let answer = async move {
            let started = Instant::now();
            let mut response = endpoint.get_response(req).await;
            // The query stays out of the log: it may carry a signature.
            tracing::info!(
                status = response.status().as_u16(),
                ms = started.elapsed().as_secs_f64() * 1e3,
                "answered"
            );
            finish(&mut response);
            let response = asked.answer(response).await;
            Ok::<_, poem::Error>(response)
        };
        REQUEST_ID.scope(id, answer).instrument(span)
    })
}

/// The id that a proxy gave the request, where it is harmless, or a new one.
fn request_id(req: &Request) -> String {
    let given = req.header(X_REQUEST_ID).filter(|id| {
        (8..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    });
    given.map(str::to_owned).unwrap_or_else(new_id)
}

/// An id that no other request has. It is no secret, and the system is not asked for randomness
/// each time: the number of the request is hashed with the keys of this process.
fn new_id() -> String {
    static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{:016x}", KEYS.hash_one(number))
}

fn finish(response: &mut Response) {
    if let Ok(id) = REQUEST_ID.with(|id| HeaderValue::from_str(id)) {
        response.headers_mut().insert(X_REQUEST_ID, id);
    }
    let challenge = response.status() == poem::http::StatusCode::UNAUTHORIZED;
    let headers = response.headers_mut();
    let mut default = |name: HeaderName, value| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    default(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(header::REFERRER_POLICY, "strict-origin-when-cross-origin");
    default(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    if challenge {
        default(header::WWW_AUTHENTICATE, "Bearer");
    }
}

/// The whole body, if it is not larger than `allowed` bytes.
pub async fn read_body(body: Body, declared: Option<&str>, allowed: u64) -> Result<Bytes> {
    let too_large = Error::TooLarge { field: "body", allowed };
    if declared.and_then(|n| n.parse::<u64>().ok()).is_some_and(|n| n > allowed) {
        hear_out(body).await;
        return Err(too_large);
    }
    body.into_bytes_limit(allowed as usize).await.map_err(|e| match e {
        ReadBodyError::PayloadTooLarge => too_large,
        e => Error::Malformed(format!("the body cannot be read: {e}")),
    })
}

/// How much of a body is read though nobody wants it, in bytes.
pub const HEARD_OUT: usize = 4 * 1024 * 1024;

/// Reads a body to its end, unless that is far away: many clients listen only when they have said
/// everything, and would see a broken connection instead of the answer.
async fn hear_out(body: Body) {
    let (mut stream, mut heard) = (std::pin::pin!(body.into_bytes_stream()), 0);
    while let Some(Ok(chunk)) = stream.next().await
        && heard < HEARD_OUT
    {
        heard += chunk.len();
    }
}

/// The path as it may be logged: a part that is long enough to be a secret is cut short.
fn loggable(path: &str) -> Cow<'_, str> {
    // As nearly all are: counted in bytes there are no fewer than in letters.
    if path.split('/').all(|part| part.len() <= 40) {
        return path.into();
    }
    let short = |part: &str| match part.char_indices().nth(40) {
        Some(_) => part.chars().take(4).chain(['…']).collect(),
        None => part.to_owned(),
    };
    path.split('/').map(short).collect::<Vec<_>>().join("/").into()
}

#[cfg(test)]
mod tests {
    #[test]
    fn secrets_in_a_path_are_not_logged() {
        let secret = "Fd6geqtQ8Bzs8YsMfBiS6FCXr14XoQMFmSGs69nj7Myn";
        let path = format!("/delete/wSnJkg6ytc/{secret}");
        assert_eq!(super::loggable(&path), "/delete/wSnJkg6ytc/Fd6g…");
        assert_eq!(super::loggable("/api/v2/media"), "/api/v2/media");
    }
}
