//! One GET of a URL that a user gave, streamed into a sink. What may be asked for is judged in
//! `guard.rs`; here every connection and every redirect is held to it.
//!
//! A name is resolved once: the addresses that were judged are the addresses that are connected
//! to, so a name that changes its mind in between gains nothing.

use super::filename;
use super::guard::{self, Policy};
use super::resolver::{GuardedResolver, Unreachable};
use crate::base::{Error, Result};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, LOCATION};
use reqwest::{Client, Response, redirect};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use url::Url;

/// How long the parts of a fetch may take.
#[derive(Debug, Clone, Copy)]
struct Patience {
    connect: Duration,
    /// Between two pieces of the answer.
    idle: Duration,
    /// From the call to the last byte, redirects included.
    whole: Duration,
}

const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(10),
    idle: Duration::from_secs(15),
    whole: Duration::from_secs(60),
};

const MOST_REDIRECTS: usize = 5;

/// Fetches under one [`Policy`]. Cheap to clone and to share.
#[derive(Clone)]
pub struct Fetcher {
    client: Client,
    policy: Arc<Policy>,
    patience: Patience,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Where the bytes came from in the end, after redirects.
    pub final_url: Url,
    /// The name that the server or the URL suggests. Unchecked words of a stranger, though free
    /// of folders and control characters.
    pub filename: Option<String>,
    /// How many bytes went into the sink.
    pub bytes: u64,
}

impl Fetcher {
    /// The certificates of the web are built in, so no file of the system is needed.
    ///
    /// # Errors
    /// `Internal` where TLS cannot be set up, or the user agent is no header value.
    pub fn new(policy: Policy, user_agent: &str) -> Result<Self> {
        Self::with_patience(policy, user_agent, PATIENCE)
    }

    fn with_patience(policy: Policy, user_agent: &str, patience: Patience) -> Result<Self> {
        let policy = Arc::new(policy);
        let client = Client::builder()
            .user_agent(user_agent)
            .tls_backend_preconfigured(tls()?)
            .dns_resolver(GuardedResolver::new(Arc::clone(&policy)))
            .redirect(redirect::Policy::none())
            // A proxy would resolve names by itself, past the guard.
            .no_proxy()
            .referer(false)
            // A kept connection would be one whose address was judged for another request.
            .pool_max_idle_per_host(0)
            .connect_timeout(patience.connect)
            .read_timeout(patience.idle)
            .build()
            .map_err(Error::internal)?;
        Ok(Self { client, policy, patience })
    }

    /// Writes what lies at the URL into the sink, at most `max_bytes` of it. When this fails, the
    /// sink may have received a part.
    ///
    /// # Errors
    /// `Fetch` with `url_refused` where the URL, a redirect or an address is not allowed, and with
    /// `fetch_failed` where the other side fails; `TooLarge` beyond `max_bytes`; `Internal` where
    /// the sink fails.
    pub async fn get<S>(&self, url: &str, max_bytes: u64, sink: &mut S) -> Result<Fetched>
    where
        S: AsyncWrite + Unpin + Send,
    {
        let work = async {
            let (final_url, response) = self.follow(url).await?;
            let filename = filename::suggested(response.headers(), &final_url);
            let bytes = pour(response, max_bytes, sink).await?;
            Ok(Fetched { final_url, filename, bytes })
        };
        let whole = tokio::time::timeout(self.patience.whole, work).await;
        whole.unwrap_or_else(|_| Err(failed("took too long to fetch")))
    }

    /// Sends JSON to the URL; what comes back is not read.
    ///
    /// # Errors
    /// `Fetch` with `url_refused` where the URL or an address is not allowed, and with
    /// `fetch_failed` where the other side does not take it.
    pub async fn post(&self, url: &str, body: &serde_json::Value) -> Result<()> {
        let url = guard::check_url(url, &self.policy)?;
        let request = self.client.post(url).header(CONTENT_TYPE, "application/json");
        let request = request.body(body.to_string()).timeout(self.patience.whole);
        let response = request.send().await.map_err(|cause| explain(&cause))?;
        match response.status() {
            status if status.is_success() => Ok(()),
            status => Err(failed(format!("was answered with {status}"))),
        }
    }

    /// Goes from redirect to redirect, each judged like the first URL, to an answer that has bytes.
    async fn follow(&self, url: &str) -> Result<(Url, Response)> {
        let mut url = guard::check_url(url, &self.policy)?;
        for _ in 0..=MOST_REDIRECTS {
            // Compressed bytes would make the size cap a cap of something else.
            let request = self.client.get(url.clone()).header(ACCEPT_ENCODING, "identity");
            let response = request.send().await.map_err(|cause| explain(&cause))?;
            let status = response.status();
            if !status.is_redirection() {
                return acceptable(response).map(|response| (url, response));
            }
            let next = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let next = next.and_then(|next| url.join(next).ok());
            let next = next.ok_or_else(|| failed(format!("was answered with {status}")))?;
            url = guard::check_url(next.as_str(), &self.policy)?;
        }
        Err(failed("redirects too many times"))
    }
}

fn acceptable(response: Response) -> Result<Response> {
    if !response.status().is_success() {
        return Err(failed(format!("was answered with {}", response.status())));
    }
    let encoding = response.headers().get(CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(failed("was answered with compressed bytes"));
    }
    Ok(response)
}

/// Copies the body, counting: an announced length may be missing or a lie.
async fn pour<S>(mut response: Response, max_bytes: u64, sink: &mut S) -> Result<u64>
where
    S: AsyncWrite + Unpin,
{
    let too_large = || Error::TooLarge { field: "url", allowed: max_bytes };
    if response.content_length().is_some_and(|length| length > max_bytes) {
        return Err(too_large());
    }
    let mut bytes = 0u64;
    while let Some(piece) = response.chunk().await.map_err(|cause| explain(&cause))? {
        bytes = bytes.saturating_add(piece.len() as u64);
        if bytes > max_bytes {
            return Err(too_large());
        }
        sink.write_all(&piece).await?;
    }
    sink.flush().await?;
    Ok(bytes)
}

/// TLS with the roots of the web, compiled in.
pub(super) fn tls() -> Result<rustls::ClientConfig> {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::internal)?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// The client's error in words for the user. Its own text stays inside, as it may tell of
/// addresses.
fn explain(error: &reqwest::Error) -> Error {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    let unreachable = causes.filter_map(|cause| cause.downcast_ref::<Unreachable>()).next();
    match unreachable {
        Some(Unreachable::Refused) => guard::address_refused(),
        Some(Unreachable::Unknown) => failed("names a host that is not known"),
        None if error.is_timeout() => failed("took too long to answer"),
        None if error.is_connect() => failed("names a host that cannot be connected to"),
        None => failed("was answered with something that cannot be read"),
    }
}

fn failed(reason: impl Into<String>) -> Error {
    Error::Fetch { code: "fetch_failed", reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    /// A server that gives every connection the same answer, then waits for the other side.
    async fn serve(host: &str, answer: &str) -> SocketAddr {
        let listener = TcpListener::bind((host, 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let answer = answer.to_owned();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let answer = answer.clone();
                tokio::spawn(async move {
                    let mut request = [0; 4_096];
                    let _ = stream.read(&mut request).await;
                    let _ = stream.write_all(answer.as_bytes()).await;
                    let _ = stream.read(&mut request).await;
                });
            }
        });
        addr
    }

    fn fetcher(allow: &[&str]) -> Fetcher {
        with_patience(allow, PATIENCE)
    }

    fn hasty() -> Fetcher {
        let idle = Duration::from_millis(300);
        let whole = Duration::from_millis(900);
        with_patience(&["127.0.0.0/8"], Patience { idle, whole, ..PATIENCE })
    }

    fn with_patience(allow: &[&str], patience: Patience) -> Fetcher {
        let allow = allow.iter().map(|net| net.parse().unwrap()).collect();
        let policy = Policy { allow, refuse_hosts: vec![] };
        Fetcher::with_patience(policy, "Vitrina test", patience).unwrap()
    }

    async fn get(fetcher: &Fetcher, url: &str) -> (Result<Fetched>, Vec<u8>) {
        let mut sink = Vec::new();
        (fetcher.get(url, 10, &mut sink).await, sink)
    }

    async fn refusal(fetcher: &Fetcher, url: &str) -> String {
        get(fetcher, url).await.0.unwrap_err().to_string()
    }

    const NOT_PUBLIC: &str = "url leads to an address that is not public";

    #[tokio::test]
    async fn bytes_are_streamed_and_named() {
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
        let addr = serve("127.0.0.1", answer).await;
        let (fetched, sink) =
            get(&fetcher(&["127.0.0.1/32"]), &format!("http://{addr}/a/b.jpg#x")).await;
        let final_url = Url::parse(&format!("http://{addr}/a/b.jpg")).unwrap();
        let filename = Some("b.jpg".to_owned());
        assert_eq!(fetched.unwrap(), Fetched { final_url, filename, bytes: 5 });
        assert_eq!(sink, b"hello");
    }

    #[tokio::test]
    async fn loopback_is_refused_as_an_address_and_behind_a_name() {
        let addr = serve("127.0.0.1", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        let nobody = fetcher(&[]);
        assert_eq!(refusal(&nobody, &format!("http://{addr}/")).await, NOT_PUBLIC);
        let named = format!("http://localhost:{}/", addr.port());
        assert_eq!(refusal(&nobody, &named).await, NOT_PUBLIC);
        assert!(get(&fetcher(&["127.0.0.0/8", "::1/128"]), &named).await.0.is_ok());
    }

    #[tokio::test]
    async fn every_redirect_is_judged_again() {
        let inside = serve("127.0.0.2", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx").await;
        let only_first = fetcher(&["127.0.0.1/32"]);
        for (target, expected) in [
            (format!("http://{inside}/"), NOT_PUBLIC),
            (format!("//{inside}/"), NOT_PUBLIC),
            ("file:///etc/passwd".to_owned(), "url must begin with http:// or https://"),
            ("http://a@127.0.0.1/".to_owned(), "url must not carry a user name or a password"),
        ] {
            let answer = format!("HTTP/1.1 302 Found\r\nlocation: {target}\r\n\r\n");
            let first = serve("127.0.0.1", &answer).await;
            assert_eq!(refusal(&only_first, &format!("http://{first}/")).await, expected);
        }
        let answer = format!("HTTP/1.1 307 X\r\nlocation: http://{inside}/next\r\n\r\n");
        let first = serve("127.0.0.1", &answer).await;
        let (fetched, _) = get(&fetcher(&["127.0.0.0/8"]), &format!("http://{first}/")).await;
        assert_eq!(fetched.unwrap().final_url.path(), "/next");
    }

    #[tokio::test]
    async fn redirects_come_to_an_end() {
        let round = serve("127.0.0.1", "HTTP/1.1 301 X\r\nlocation: /again\r\n\r\n").await;
        let nowhere = serve("127.0.0.1", "HTTP/1.1 302 Found\r\n\r\n").await;
        let fetcher = fetcher(&["127.0.0.0/8"]);
        let text = refusal(&fetcher, &format!("http://{round}/")).await;
        assert_eq!(text, "url redirects too many times");
        let text = refusal(&fetcher, &format!("http://{nowhere}/")).await;
        assert_eq!(text, "url was answered with 302 Found");
    }

    #[tokio::test]
    async fn sizes_are_capped_whether_announced_or_not() {
        let fetcher = fetcher(&["127.0.0.0/8"]);
        let announced = "HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n";
        let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
                       8\r\n12345678\r\n8\r\n12345678\r\n0\r\n\r\n";
        for answer in [announced, chunked] {
            let addr = serve("127.0.0.1", answer).await;
            let (result, sink) = get(&fetcher, &format!("http://{addr}/")).await;
            assert!(matches!(result, Err(Error::TooLarge { field: "url", allowed: 10 })));
            assert!(sink.len() <= 10);
        }
    }

    #[tokio::test]
    async fn slow_servers_are_left() {
        let fetcher = hasty();
        let silent = serve("127.0.0.1", "").await;
        let stalled = serve("127.0.0.1", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx").await;
        for addr in [silent, stalled] {
            let text = refusal(&fetcher, &format!("http://{addr}/")).await;
            assert_eq!(text, "url took too long to answer");
        }
    }

    #[tokio::test]
    async fn a_server_that_drips_runs_into_the_cap_of_the_whole() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4_096]).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            while stream.write_all(b" ").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(150)).await;
            }
        });
        let text = refusal(&hasty(), &format!("http://{addr}/")).await;
        assert_eq!(text, "url took too long to fetch");
    }

    #[tokio::test]
    async fn failures_are_told_apart() {
        let fetcher = fetcher(&["127.0.0.0/8"]);
        for (answer, expected) in [
            ("HTTP/1.1 404 Not Found\r\n\r\n", "url was answered with 404 Not Found"),
            (
                "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 1\r\n\r\nx",
                "url was answered with compressed bytes",
            ),
            ("SSH-2.0-x\r\n", "url was answered with something that cannot be read"),
        ] {
            let addr = serve("127.0.0.1", answer).await;
            assert_eq!(refusal(&fetcher, &format!("http://{addr}/")).await, expected);
        }
        let text = refusal(&fetcher, "http://no-such-host.invalid/").await;
        assert_eq!(text, "url names a host that is not known");
        let closed = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
        let text = refusal(&fetcher, &format!("http://{closed}/")).await;
        assert_eq!(text, "url names a host that cannot be connected to");
    }
}
