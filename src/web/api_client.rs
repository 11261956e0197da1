//! The public API, called in-process with the visitor's own credentials. It decides nothing.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use poem::{
    Body, Endpoint, EndpointExt, Request, RequestParts, Response,
    endpoint::BoxEndpoint,
    http::{self, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Where the API lives below the site's root.
const BASE: &str = "/api/v2";

/// Headers that say who is calling, from where and through what. Everything else of the
/// visitor's request (ranges, conditions, encodings) is about the page, not about the call.
const CARRIED: [HeaderName; 8] = [
    header::HOST,
    header::COOKIE,
    header::AUTHORIZATION,
    header::USER_AGENT,
    header::ORIGIN,
    header::FORWARDED,
    header::ACCEPT_LANGUAGE,
    HeaderName::from_static("x-api-key"),
];
const CARRIED_PREFIXES: [&str; 4] = ["x-forwarded-", "x-real-ip", "x-request-id", "sec-fetch-"];

/// Bytes that may stand in one path segment as they are.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// One value as one path segment, so that no id can reach another operation.
pub(super) fn segment(raw: &str) -> String {
    utf8_percent_encode(raw, SEGMENT).to_string()
}

/// What the API did.
pub(super) struct Answer {
    /// Its JSON body, or `null` where it had none.
    pub(super) json: Value,
    /// Cookies that it wants the visitor's browser to keep.
    pub(super) cookies: Vec<HeaderValue>,
}

/// What the API said when it did not do what was asked (RFC 9457).
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) problem: Value,
}

impl Refusal {
    /// A refusal that begins here, in the pages, in the same shape as the API's own.
    pub(super) fn new(status: StatusCode, detail: &str) -> Self {
        let title = status.canonical_reason().unwrap_or("Problem");
        Self { status, problem: json!({ "title": title, "detail": detail }) }
    }

    /// The sentence that explains it to a person.
    pub(super) fn detail(&self) -> &str {
        let text = |key: &str| self.problem.get(key).and_then(Value::as_str);
        text("detail").or_else(|| text("title")).unwrap_or("The request was refused.")
    }

    /// The messages by field name, for a form that is shown again.
    pub(super) fn fields(&self) -> Value {
        let errors = self.problem.get("errors").and_then(Value::as_array);
        let named = errors.into_iter().flatten().filter_map(|error| {
            let field = error.get("field")?.as_str()?;
            Some((field.to_owned(), error.get("message")?.clone()))
        });
        Value::Object(named.collect::<Map<_, _>>())
    }
}

/// The API as one visitor's request sees it.
pub(super) struct ApiClient(Arc<BoxEndpoint<'static>>);

impl ApiClient {
    pub(super) fn new(api: impl Endpoint<Output = Response> + 'static) -> Self {
        Self(Arc::new(api.boxed()))
    }

    /// Reads `path` (below the API's base, query included).
    pub(super) async fn get(&self, visitor: &Request, path: &str) -> Result<Value, Refusal> {
        Ok(self.call(visitor, Method::GET, path, None, Body::empty()).await?.json)
    }

    /// Sends JSON, or nothing where `json` is `null`.
    pub(super) async fn send(
        &self,
        visitor: &Request,
        method: Method,
        path: &str,
        json: Value,
    ) -> Result<Answer, Refusal> {
        let (kind, body) = match json {
            Value::Null => (None, Body::empty()),
            json => {
                let kind = HeaderValue::from_static("application/json");
                (Some(kind), Body::from_string(json.to_string()))
            }
        };
        self.call(visitor, method, path, kind, body).await
    }

    /// Passes the visitor's own body on as it streams in.
    pub(super) async fn pass(
        &self,
        visitor: &Request,
        path: &str,
        body: Body,
    ) -> Result<Answer, Refusal> {
        let kind = visitor.headers().get(header::CONTENT_TYPE).cloned();
        self.call(visitor, Method::POST, path, kind, body).await
    }

    async fn call(
        &self,
        visitor: &Request,
        method: Method,
        path: &str,
        kind: Option<HeaderValue>,
        body: Body,
    ) -> Result<Answer, Refusal> {
        let mut parts = inner_parts(visitor, method, path)?;
        if let Some(kind) = kind {
            parts.headers.insert(header::CONTENT_TYPE, kind);
        }
        let response = match self.0.call(Request::from_parts(parts, body)).await {
            Ok(response) => response,
            Err(error) => error.into_response(),
        };
        read(response).await
    }
}

/// The head of the inner request: the visitor's identity and address, our method and path.
fn inner_parts(visitor: &Request, method: Method, path: &str) -> Result<RequestParts, Refusal> {
    let request = http::Request::builder().method(method).uri(format!("{BASE}{path}")).body(());
    let Ok(request) = request else {
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "This address cannot be read."));
    };
    let (mut head, ()) = request.into_parts();
    head.headers = carried_headers(visitor);
    head.extensions = visitor.extensions().clone();
    let (local, remote) = (visitor.local_addr().clone(), visitor.remote_addr().clone());
    Ok(RequestParts::from((head, local, remote, visitor.scheme().clone())))
}

fn carried_headers(visitor: &Request) -> HeaderMap {
    let mut carried = HeaderMap::new();
    for (name, value) in visitor.headers() {
        let prefixed = CARRIED_PREFIXES.iter().any(|prefix| name.as_str().starts_with(prefix));
        if prefixed || CARRIED.contains(name) {
            carried.append(name, value.clone());
        }
    }
    // HTTP/2 names the host in the request line alone.
    if !carried.contains_key(header::HOST)
        && let Some(host) = visitor.original_uri().authority()
        && let Ok(host) = HeaderValue::from_str(host.as_str())
    {
        carried.insert(header::HOST, host);
    }
    carried
}

async fn read(response: Response) -> Result<Answer, Refusal> {
    let status = response.status();
    let cookies = response.headers().get_all(header::SET_COOKIE).iter().cloned().collect();
    let bytes = response.into_body().into_bytes().await.unwrap_or_default();
    let json = serde_json::from_slice(&bytes);
    if status.is_success() {
        match json {
            Ok(json) => Ok(Answer { json, cookies }),
            Err(_) if bytes.is_empty() => Ok(Answer { json: Value::Null, cookies }),
            Err(error) => {
                tracing::error!(%error, "the API answered something that is not JSON");
                Err(Refusal::new(StatusCode::BAD_GATEWAY, "The answer could not be read."))
            }
        }
    } else {
        let problem = json.ok().filter(Value::is_object);
        Err(match problem {
            Some(problem) => Refusal { status, problem },
            None => Refusal::new(status, status.canonical_reason().unwrap_or("Problem")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_stays_one_segment() {
        assert_eq!(segment("8fKq-2_Z"), "8fKq-2_Z");
        assert_eq!(segment("../tokens?x=1#y"), "%2E%2E%2Ftokens%3Fx%3D1%23y");
    }

    #[test]
    fn a_refusal_names_its_fields() {
        let problem = json!({ "title": "Bad", "errors": [
            { "field": "email", "message": "is missing" }, { "message": "no field" },
        ] });
        let refusal = Refusal { status: StatusCode::UNPROCESSABLE_ENTITY, problem };
        assert_eq!(refusal.fields(), json!({ "email": "is missing" }));
        assert_eq!(refusal.detail(), "Bad");
    }

    #[tokio::test]
    async fn the_call_carries_who_is_asking_and_not_what_was_asked_of_the_page() {
        let echo = poem::endpoint::make(|req: Request| async move {
            let names: Vec<_> = req.headers().keys().map(|name| name.as_str()).collect();
            let seen = json!({ "headers": names, "remote": req.remote_addr().to_string(),
                "path": req.uri().to_string(), "data": req.data::<u8>() });
            Response::builder().body(seen.to_string())
        });
        let mut visitor = Request::builder()
            .header("host", "pictures.example")
            .header("cookie", "s=1")
            .header("range", "bytes=0-1")
            .header("x-forwarded-for", "192.0.2.7")
            .header("sec-fetch-site", "same-origin")
            .finish();
        visitor.set_data(7_u8);
        let seen = ApiClient::new(echo).get(&visitor, "/media/a?x=1").await.unwrap();
        let headers = json!(["host", "cookie", "x-forwarded-for", "sec-fetch-site"]);
        assert_eq!(seen["headers"], headers);
        assert_eq!(seen["path"], "/api/v2/media/a?x=1");
        assert_eq!(seen["data"], 7);
    }
}
