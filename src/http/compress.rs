//! Text made smaller on its way out, for clients that take gzip. Pictures are left alone, and so is
//! everything else whose very bytes matter to somebody.

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use futures_util::{FutureExt, StreamExt, stream};
use mini_moka::sync::Cache;
use poem::{
    Body, Request, Response,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
};
use std::{io::Write, sync::LazyLock};

/// Shorter texts fit into one packet either way, in bytes.
const SHORT: usize = 1024;
/// Longer ones take long enough to be nothing for a runtime thread, in bytes.
const LONG: usize = 64 * 1024;

/// What says of itself that it never changes is compressed once, and more thoroughly. By path and
/// entity tag; 8 MB at most.
static UNCHANGING: LazyLock<Cache<(String, String), Bytes>> = LazyLock::new(|| {
    let weight =
        |_: &(String, String), bytes: &Bytes| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    Cache::builder().max_capacity(8 * 1024 * 1024).weigher(weight).build()
});

/// What a request says about how it may be answered.
pub(super) struct Asked {
    /// Only what is read is compressed: an answer to a `POST` may hold a new secret beside a text
    /// of whoever asked, and its length would tell about both (the attack called BREACH).
    reads: bool,
    takes_gzip: bool,
    uri: Uri,
    known: Option<HeaderValue>,
}

impl Asked {
    pub(super) fn of(req: &Request) -> Self {
        Self {
            reads: *req.method() == Method::GET,
            takes_gzip: takes_gzip(req.headers()),
            uri: req.uri().clone(),
            known: req.headers().get(header::IF_NONE_MATCH).cloned(),
        }
    }

    /// The answer, compressed where that is wanted and of use.
    pub(super) async fn answer(&self, mut response: Response) -> Response {
        if response.status() == StatusCode::NOT_MODIFIED {
            self.weaken_as_known(response.headers_mut());
        }
        if !self.reads || !is_meant(&response) {
            return response;
        }
        let (text, body) = in_one_piece(response.take_body());
        response.set_body(body);
        let Some(text) = text.filter(|text| text.len() >= SHORT) else { return response };
        add_vary(response.headers_mut());
        if self.takes_gzip
            && let Some(small) = self.compressed(text, response.headers()).await
        {
            let headers = response.headers_mut();
            headers.remove(header::CONTENT_LENGTH);
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            weaken(headers);
            response.set_body(small);
        }
        response
    }

    async fn compressed(&self, text: Bytes, headers: &HeaderMap) -> Option<Bytes> {
        let tag = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok());
        let Some(tag) = tag.filter(|_| says(headers, header::CACHE_CONTROL, "immutable")) else {
            return squeezed(text, Compression::fast()).await;
        };
        let key = (self.uri.path().to_owned(), tag.to_owned());
        if let Some(small) = UNCHANGING.get(&key) {
            return Some(small);
        }
        let small = squeezed(text, Compression::best()).await?;
        UNCHANGING.insert(key, small.clone());
        Some(small)
    }

    /// Whoever has a compressed answer knows it by the weak tag, and is told so about that one.
    fn weaken_as_known(&self, headers: &mut HeaderMap) {
        let (Some(tag), Some(known)) = (headers.get(header::ETAG), &self.known) else { return };
        let (Ok(tag), Ok(known)) = (tag.to_str(), known.to_str()) else { return };
        if known.split(',').any(|one| one.trim().strip_prefix("W/") == Some(tag)) {
            weaken(headers);
        }
    }
}

/// Whether the client takes gzip, and does not like it less than plain bytes (RFC 9110, 12.5.3).
fn takes_gzip(headers: &HeaderMap) -> bool {
    let (mut gzip, mut any, mut plain) = (None, None, 0.0);
    let lists =
        headers.get_all(header::ACCEPT_ENCODING).into_iter().filter_map(|v| v.to_str().ok());
    for item in lists.flat_map(|list| list.split(',')) {
        let (coding, weight) = item.split_once(';').unwrap_or((item, "q=1"));
        let weight = weight.trim().to_ascii_lowercase();
        let weight = weight.strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()).unwrap_or(0.0);
        match coding.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => gzip = Some(weight),
            "*" => any = Some(weight),
            "identity" => plain = weight,
            _ => {}
        }
    }
    let gzip = gzip.or(any).unwrap_or(0.0);
    gzip > 0.0 && gzip >= plain
}

/// Whether the answer is a text that may be compressed.
fn is_meant(response: &Response) -> bool {
    let headers = response.headers();
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
    let kind = kind.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    let is_json = kind == "application/json" || kind.ends_with("+json");
    let is_text = is_json
        || kind.starts_with("text/")
        || kind.ends_with("+xml")
        || matches!(&*kind, "application/javascript" | "application/xml" | "application/wasm")
        || kind.starts_with("application/openmetrics-text");
    // Events are sent as they happen.
    is_text
        && kind != "text/event-stream"
        && response.status() != StatusCode::PARTIAL_CONTENT
        && !headers.contains_key(header::CONTENT_ENCODING)
        && !headers.contains_key(header::CONTENT_RANGE)
        && !headers.contains_key(header::SET_COOKIE)
        && !says(headers, header::CACHE_CONTROL, "no-transform")
        // What is edited with `If-Match` needs a tag that promises the very bytes.
        && !(is_json && headers.contains_key(header::ETAG))
}

fn says(headers: &HeaderMap, name: header::HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|one| one.trim().eq_ignore_ascii_case(word))
}

fn add_vary(headers: &mut HeaderMap) {
    if !says(headers, header::VARY, "accept-encoding") && !says(headers, header::VARY, "*") {
        headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
}

/// A strong tag promises the very bytes, and these are others.
fn weaken(headers: &mut HeaderMap) {
    let tag = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok());
    let weak = tag.filter(|tag| tag.starts_with('"')).map(|tag| format!("W/{tag}"));
    if let Some(Ok(weak)) = weak.map(HeaderValue::try_from) {
        headers.insert(header::ETAG, weak);
    }
}

/// The whole body, where it is here already and in one piece; and the body, as good as before.
fn in_one_piece(body: Body) -> (Option<Bytes>, Body) {
    if body.is_empty() {
        return (None, body);
    }
    let mut pieces = body.into_bytes_stream();
    match (pieces.next().now_or_never(), pieces.next().now_or_never()) {
        (Some(Some(Ok(piece))), Some(None)) => (Some(piece.clone()), Body::from_bytes(piece)),
        (first, second) => {
            let taken = [first, second].into_iter().flatten().flatten();
            (None, Body::from_bytes_stream(stream::iter(taken.collect::<Vec<_>>()).chain(pieces)))
        }
    }
}

/// The text compressed, if that made it smaller.
async fn squeezed(text: Bytes, level: Compression) -> Option<Bytes> {
    let length = text.len();
    let work = move || {
        let mut gzip = GzEncoder::new(Vec::with_capacity(length / 4), level);
        gzip.write_all(&text)?;
        gzip.finish()
    };
    let small = if length > LONG { tokio::task::spawn_blocking(work).await.ok()? } else { work() };
    small.ok().filter(|small| small.len() < length).map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use poem::ResponseBuilder;
    use std::io::Read;

    const GZIP: &str = "gzip, deflate, br";

    fn asked(accept: &str) -> Asked {
        Asked::of(&Request::builder().header(header::ACCEPT_ENCODING, accept).finish())
    }

    fn text() -> String {
        "what is said twice is said once. ".repeat(100)
    }

    fn answer(kind: &str) -> ResponseBuilder {
        Response::builder().content_type(kind)
    }

    async fn sent(asked: Asked, builder: ResponseBuilder) -> Response {
        asked.answer(builder.body(text())).await
    }

    #[tokio::test]
    async fn text_is_compressed_for_those_who_take_it() {
        for kind in ["text/html; charset=utf-8", "application/json", "image/svg+xml", "TEXT/CSS"] {
            let response = sent(asked(GZIP), answer(kind).header("vary", "Cookie")).await;
            assert_eq!(response.header("content-encoding"), Some("gzip"), "{kind}");
            let vary: Vec<_> = response.headers().get_all("vary").iter().collect();
            assert_eq!(vary, ["Cookie", "Accept-Encoding"]);
            let bytes = response.into_body().into_vec().await.unwrap();
            let mut plain = String::new();
            flate2::read::GzDecoder::new(&*bytes).read_to_string(&mut plain).unwrap();
            assert_eq!(plain, text());
        }
    }

    #[tokio::test]
    async fn everything_else_goes_out_as_it_is() {
        let html = || answer("text/html");
        let post = Request::builder().method(Method::POST).header("accept-encoding", GZIP);
        for (asked, builder) in [
            (asked(GZIP), answer("image/jpeg")),
            (asked(GZIP), answer("text/event-stream")),
            (asked(GZIP), html().status(StatusCode::PARTIAL_CONTENT)),
            (asked(GZIP), html().header("set-cookie", "a=b")),
            (asked(GZIP), html().header("cache-control", "private, no-transform")),
            (asked(GZIP), answer("application/json").header("etag", "\"a\"")),
            (Asked::of(&post.finish()), html()),
        ] {
            let response = sent(asked, builder).await;
            assert_eq!(response.header("content-encoding"), None);
            assert_eq!(response.header("vary"), None);
            assert_eq!(response.into_body().into_vec().await.unwrap(), text().into_bytes());
        }
        let encoded = sent(asked(GZIP), html().header("content-encoding", "br")).await;
        assert_eq!(encoded.header("content-encoding"), Some("br"));
        let short = asked(GZIP).answer(answer("text/html").body("short")).await;
        assert_eq!(short.header("content-encoding"), None);
        let plain = sent(asked("br"), html()).await;
        assert_eq!(plain.header("content-encoding"), None);
        assert_eq!(plain.header("vary"), Some("Accept-Encoding"));
    }

    #[tokio::test]
    async fn a_body_that_comes_in_pieces_keeps_all_of_them() {
        let pieces = ["a", "b", "c"].map(|piece| Ok::<_, std::io::Error>(piece.repeat(1_000)));
        let body = Body::from_bytes_stream(stream::iter(pieces));
        let response = asked(GZIP).answer(answer("text/html").body(body)).await;
        assert_eq!(response.header("content-encoding"), None);
        assert_eq!(response.into_body().into_vec().await.unwrap().len(), 3_000);
    }

    #[tokio::test]
    async fn other_bytes_have_another_tag() {
        let css = || {
            answer("text/css").header("etag", "\"a\"").header("cache-control", "public, immutable")
        };
        for _ in 0..2 {
            let response = sent(asked(GZIP), css()).await;
            assert_eq!(response.header("etag"), Some("W/\"a\""));
            assert_eq!(response.header("content-encoding"), Some("gzip"));
        }
        assert_eq!(sent(asked("identity"), css()).await.header("etag"), Some("\"a\""));
        for (known, tag) in [("\"b\", W/\"a\"", "W/\"a\""), ("\"a\"", "\"a\"")] {
            let req = Request::builder().header("if-none-match", known).finish();
            let builder = css().status(StatusCode::NOT_MODIFIED);
            let response = Asked::of(&req).answer(builder.finish()).await;
            assert_eq!(response.header("etag"), Some(tag));
        }
    }

    #[test]
    fn the_client_is_taken_at_its_word() {
        for (accept, takes) in [
            ("gzip", true),
            ("br;q=1.0, GZIP;q=0.8, *;q=0.1", true),
            ("*", true),
            ("gzip ; q=0.001", true),
            ("gzip;q=0", false),
            ("*;q=0", false),
            ("gzip;q=0, *", false),
            ("identity, gzip;q=0.5", false),
            ("gzip;q=x", false),
            ("gzip;", false),
            ("br, deflate", false),
            ("", false),
        ] {
            assert_eq!(asked(accept).takes_gzip, takes, "{accept}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
