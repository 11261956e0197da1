//! The public API of an appliance, as its client: what the command line uploads with.
//!
//! It connects to the server that the person at the keyboard names, from their own machine and as themselves,
//! so no address is judged here. It reads no files and tries nothing twice.

use super::fetch::tls;
use crate::base::{Error, Result, secret::Secret};
use bytes::Bytes;
use futures_util::Stream;
use reqwest::{
    Body, Client, Method, RequestBuilder, Response, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER},
};
use serde_json::Value;
use std::{io, time::Duration};
use url::Url;

/// How long a connection may take, and how long the server may say nothing. Large films are
/// worked on before the last answer comes.
const CONNECT: Duration = Duration::from_secs(15);
const SILENCE: Duration = Duration::from_secs(600);

/// An appliance, and who asks it.
#[derive(Clone)]
pub struct Appliance {
    client: Client,
    base: Url,
    token: Secret,
}

/// Why the appliance did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It may well work the next time: after so long, where the server says so.
    Passing { reason: String, after: Option<Duration> },
    /// It will not work the next time either. `code` is the problem's, where it has one.
    Refused { status: u16, code: String, reason: String },
}

/// How far an upload has come, and the item that came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    pub offset: u64,
    pub media: Option<String>,
}

impl Appliance {
    /// `server` is the address that people open in their browsers.
    ///
    /// # Errors
    /// `Invalid` where that is no address; `Internal` where TLS cannot be set up.
    pub fn new(server: &str, token: Secret, user_agent: &str) -> Result<Self> {
        let wrong = |reason| Error::Invalid { field: "server", reason };
        let mut base = Url::parse(server.trim()).map_err(|cause| wrong(cause.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") || base.host().is_none() {
            return Err(wrong("must begin with http:// or https://".to_owned()));
        }
        base.set_query(None);
        base.set_fragment(None);
        let client = Client::builder()
            .user_agent(user_agent)
            .tls_backend_preconfigured(tls()?)
            // The token goes to the server that was named and to no other.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .build()
            .map_err(Error::internal)?;
        Ok(Self { client, base, token })
    }

    /// The server's address, always spelled the same.
    pub fn address(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// Reads `path` with these parameters.
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Failure> {
        let mut url = self.url(path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let answer = answer(self.client.get(url).bearer_auth(self.token.expose())).await?;
        let text = answer.bytes().await.map_err(|cause| lost(&cause))?;
        serde_json::from_slice(&text).map_err(|_| stranger())
    }

    /// Begins an upload of so many bytes and returns its id. `metadata` is what the protocol
    /// calls `Upload-Metadata`.
    pub async fn begin(&self, length: u64, metadata: &str) -> Result<String, Failure> {
        let request = self.tus(Method::POST, "uploads")?.header("Upload-Length", length);
        let answer = answer(request.header("Upload-Metadata", metadata)).await?;
        // Only the id is taken from it: the token is not sent to wherever else it may lead.
        let place = header(answer.headers(), LOCATION.as_str()).unwrap_or_default();
        let id = place.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        if id.is_empty() { Err(stranger()) } else { Ok(id.to_owned()) }
    }

    /// How far an upload has come. One that is complete and was not taken in yet is taken in now.
    pub async fn progress(&self, upload: &str) -> Result<Progress, Failure> {
        let upload = self.get(&format!("uploads/{upload}"), &[]).await?;
        let offset = upload.get("offset").and_then(Value::as_u64).ok_or_else(stranger)?;
        let media = upload.get("media_id").and_then(Value::as_str).map(str::to_owned);
        Ok(Progress { offset, media })
    }

    /// Sends the next `length` bytes of an upload.
    pub async fn append(
        &self,
        upload: &str,
        offset: u64,
        length: u64,
        bytes: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    ) -> Result<Progress, Failure> {
        let request = self
            .tus(Method::PATCH, &format!("uploads/{upload}"))?
            .header("Upload-Offset", offset)
            .header(CONTENT_TYPE, "application/offset+octet-stream")
            .header(CONTENT_LENGTH, length)
            .body(Body::wrap_stream(bytes));
        let answer = answer(request).await?;
        let offset = header(answer.headers(), "Upload-Offset").and_then(|text| text.parse().ok());
        let media = header(answer.headers(), "Upload-Media-Id").map(str::to_owned);
        offset.map(|offset| Progress { offset, media }).ok_or_else(stranger)
    }

    fn tus(&self, method: Method, path: &str) -> Result<RequestBuilder, Failure> {
        let request = self.client.request(method, self.url(path)?);
        Ok(request.bearer_auth(self.token.expose()).header("Tus-Resumable", "1.0.0"))
    }

    fn url(&self, path: &str) -> Result<Url, Failure> {
        let text = format!("{}/api/v2/{path}", self.address());
        Url::parse(&text).map_err(|_| stranger())
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The answer, if it is a good one.
async fn answer(request: RequestBuilder) -> Result<Response, Failure> {
    let answer = request.send().await.map_err(|cause| lost(&cause))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let after = header(answer.headers(), RETRY_AFTER.as_str()).and_then(|text| text.parse().ok());
    let place = header(answer.headers(), LOCATION.as_str()).map(str::to_owned);
    let text = answer.bytes().await.unwrap_or_default();
    let problem: Value = serde_json::from_slice(&text).unwrap_or_default();
    let word = |key: &str| problem.get(key).and_then(Value::as_str).map(str::to_owned);
    let reason = match (word("detail"), place) {
        (Some(detail), _) => detail,
        (None, Some(place)) => format!("the server is not here, but at {place}"),
        (None, None) => format!("the server answered with {status}"),
    };
    if is_passing(status) {
        return Err(Failure::Passing { reason, after: after.map(Duration::from_secs) });
    }
    let code = word("code").unwrap_or_default();
    Err(Failure::Refused { status: status.as_u16(), code, reason })
}

/// Whether a refusal is about the moment: too much at once, held by somebody else, or a server or
/// a proxy in trouble.
fn is_passing(status: StatusCode) -> bool {
    let never = [StatusCode::NOT_IMPLEMENTED, StatusCode::INSUFFICIENT_STORAGE];
    let passing = [StatusCode::REQUEST_TIMEOUT, StatusCode::LOCKED, StatusCode::TOO_MANY_REQUESTS];
    passing.contains(&status) || (status.is_server_error() && !never.contains(&status))
}

/// The connection failed. The whole chain of causes says more than its first link.
fn lost(error: &reqwest::Error) -> Failure {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    let last = causes.last().map(ToString::to_string);
    let what = if error.is_timeout() {
        "the server takes too long to answer".to_owned()
    } else if error.is_connect() {
        format!("no connection to the server: {}", last.unwrap_or_default())
    } else {
        format!("the connection broke off: {}", last.unwrap_or_default())
    };
    Failure::Passing { reason: what, after: None }
}

fn stranger() -> Failure {
    let reason = "the server does not answer as Vitrina does: is its address right?".to_owned();
    Failure::Refused { status: 0, code: String::new(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn appliance(server: &str) -> Result<Appliance> {
        Appliance::new(server, Secret::new("vk_x"), "Vitrina test")
    }

    #[test]
    fn a_server_is_an_address_of_the_web() {
        for (text, address) in [
            ("https://media.example", "https://media.example"),
            (" http://localhost:8080/ ", "http://localhost:8080"),
            ("https://example.org/media/?a=b#c", "https://example.org/media"),
        ] {
            assert_eq!(appliance(text).unwrap().address(), address);
        }
        for text in ["", "media.example", "ftp://media.example", "http://", "file:///etc"] {
            assert!(
                matches!(appliance(text), Err(Error::Invalid { field: "server", .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn trouble_passes_and_refusals_do_not() {
        for passing in [408, 423, 429, 500, 502, 503, 504] {
            assert!(is_passing(StatusCode::from_u16(passing).unwrap()), "{passing}");
        }
        for lasting in [301, 400, 401, 403, 404, 409, 413, 415, 422, 501, 507] {
            assert!(!is_passing(StatusCode::from_u16(lasting).unwrap()), "{lasting}");
        }
    }
}
