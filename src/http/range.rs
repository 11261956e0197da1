//! Handing out bytes: whole, in part or not at all, with the headers that let caches, players and
//! interrupted downloads do their work. Knows no feature and no place where bytes lie.

pub use super::conditional::Entity;
use super::conditional::{Answer, decide, whole_seconds};
use crate::base::{Result, secret};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream, stream::BoxStream};
use poem::http::{HeaderMap, Method, StatusCode, header};
use poem::{Body, Response, ResponseBuilder};
use std::io;
use std::ops::Range;

/// Whatever is handed out may not run scripts, load anything, or act for the site it came from.
const SANDBOX: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox";

/// The same for films and sound, which browsers open in a page of their own that loads them again:
/// in a sandbox it could not. Such a page runs no scripts of anybody's.
const PLAYED: &str = "default-src 'none'; style-src 'unsafe-inline'; media-src 'self'";

fn policy(mime: &str) -> &'static str {
    let is_played = mime.starts_with("video/") || mime.starts_with("audio/");
    if is_played { PLAYED } else { SANDBOX }
}

/// The bytes of one range.
pub enum Source {
    /// All of them are here.
    Memory(Bytes),
    /// They come one piece after the other.
    Pieces(BoxStream<'static, io::Result<Bytes>>),
}

/// Answers a `GET` or `HEAD`. `open` is asked for the bytes of each range that is sent, before the
/// first one goes out, so that what cannot be opened is still an error and not a torn answer.
///
/// # Errors
/// Those of `open`.
pub async fn respond<O, F>(
    method: &Method,
    headers: &HeaderMap,
    entity: &Entity,
    mut open: O,
) -> Result<Response>
where
    O: FnMut(Range<u64>) -> F,
    F: Future<Output = Result<Source>>,
{
    let parts = match decide(method, headers, entity) {
        Answer::NotModified => return Ok(described(StatusCode::NOT_MODIFIED, entity).finish()),
        Answer::PreconditionFailed => {
            return Ok(refused(StatusCode::PRECONDITION_FAILED, entity).finish());
        }
        Answer::NotSatisfiable => {
            let range = format!("bytes */{}", entity.length);
            let answer = refused(StatusCode::RANGE_NOT_SATISFIABLE, entity);
            return Ok(answer.header(header::CONTENT_RANGE, range).finish());
        }
        Answer::Whole => {
            let answer = carrying(StatusCode::OK, entity, &entity.mime, entity.length);
            if *method == Method::HEAD {
                return Ok(answer.finish());
            }
            let source = open(0..entity.length).await?;
            return Ok(answer.body(body(source, entity.length)));
        }
        Answer::Parts(parts) => parts,
    };
    if let [part] = parts.as_slice() {
        let length = part.end - part.start;
        let source = open(part.clone()).await?;
        return Ok(carrying(StatusCode::PARTIAL_CONTENT, entity, &entity.mime, length)
            .header(header::CONTENT_RANGE, content_range(part, entity.length))
            .body(body(source, length)));
    }
    several(entity, parts, open).await
}

/// `multipart/byteranges` (RFC 9110, section 14.6).
async fn several<O, F>(entity: &Entity, parts: Vec<Range<u64>>, mut open: O) -> Result<Response>
where
    O: FnMut(Range<u64>) -> F,
    F: Future<Output = Result<Source>>,
{
    // Nobody can put a boundary into their bytes that they cannot foresee.
    let boundary = bs58::encode(secret::random_bytes::<16>()?).into_string();
    let mut length = 0u64;
    let mut pieces = Vec::with_capacity(parts.len() + 1);
    for part in parts {
        let size = part.end - part.start;
        let range = content_range(&part, entity.length);
        let head = format!(
            "\r\n--{boundary}\r\nContent-Type: {}\r\nContent-Range: {range}\r\n\r\n",
            entity.mime
        );
        length = length.saturating_add(head.len() as u64).saturating_add(size);
        pieces.push(once(head).chain(exactly(open(part).await?, size)).boxed());
    }
    let end = format!("\r\n--{boundary}--\r\n");
    length = length.saturating_add(end.len() as u64);
    pieces.push(once(end).boxed());

    let mime = format!("multipart/byteranges; boundary={boundary}");
    Ok(carrying(StatusCode::PARTIAL_CONTENT, entity, &mime, length)
        .body(Body::from_bytes_stream(stream::iter(pieces).flatten())))
}

fn once(text: String) -> impl Stream<Item = io::Result<Bytes>> {
    stream::once(std::future::ready(Ok(Bytes::from(text))))
}

/// The headers of every answer, whatever becomes of the bytes.
fn described(status: StatusCode, entity: &Entity) -> ResponseBuilder {
    Response::builder()
        .status(status)
        .header(header::ETAG, &entity.etag)
        .header(header::LAST_MODIFIED, httpdate::fmt_http_date(whole_seconds(entity.modified)))
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::CACHE_CONTROL, &entity.cache_control)
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(header::CONTENT_SECURITY_POLICY, policy(&entity.mime))
        // Pictures are there to be embedded in other people's pages.
        .header("cross-origin-resource-policy", "cross-origin")
}

/// A refusal must not be kept for as long as the bytes may be.
fn refused(status: StatusCode, entity: &Entity) -> ResponseBuilder {
    let passing = Entity { cache_control: "no-store".to_owned(), ..entity.clone() };
    described(status, &passing)
}

fn carrying(status: StatusCode, entity: &Entity, mime: &str, length: u64) -> ResponseBuilder {
    let answer = described(status, entity)
        .header(header::CONTENT_TYPE, mime)
        .header(header::CONTENT_LENGTH, length);
    match &entity.disposition {
        Some(disposition) => answer.header(header::CONTENT_DISPOSITION, disposition),
        None => answer,
    }
}

fn content_range(part: &Range<u64>, length: u64) -> String {
    format!("bytes {}-{}/{length}", part.start, part.end.saturating_sub(1))
}

/// Exactly `length` bytes. What is in memory goes out together with the headers.
fn body(source: Source, length: u64) -> Body {
    match source {
        Source::Memory(bytes) if bytes.len() as u64 == length => Body::from_bytes(bytes),
        other => Body::from_bytes_stream(exactly(other, length)),
    }
}

/// The first `length` bytes of the source. Where there are fewer the stream fails, and with it the
/// connection: the client must not take a torn file for a whole one.
fn exactly(source: Source, length: u64) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let pieces = match source {
        Source::Memory(bytes) => stream::iter([Ok(bytes)]).boxed(),
        Source::Pieces(pieces) => pieces,
    };
    stream::try_unfold((pieces, length), |(mut pieces, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let Some(mut piece) = pieces.next().await.transpose()? else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        piece.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        let left = left.saturating_sub(piece.len() as u64);
        Ok(Some((piece, (pieces, left))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Error;
    use std::time::{Duration, UNIX_EPOCH};

    const BYTES: &[u8] = b"0123456789abcdef";

    fn entity() -> Entity {
        Entity {
            etag: "\"v1\"".to_owned(),
            modified: UNIX_EPOCH + Duration::from_millis(1_234_567),
            length: BYTES.len() as u64,
            mime: "image/png".to_owned(),
            cache_control: "public, max-age=31536000, immutable".to_owned(),
            disposition: Some("inline; filename=\"a.png\"".to_owned()),
        }
    }

    /// Three bytes at a time.
    async fn open(range: Range<u64>) -> Result<Source> {
        let pieces = BYTES[range.start as usize..range.end as usize].chunks(3);
        Ok(Source::Pieces(stream::iter(pieces.map(|piece| Ok(Bytes::from(piece)))).boxed()))
    }

    async fn answer(method: Method, range: &str) -> Response {
        let mut headers = HeaderMap::new();
        if !range.is_empty() {
            headers.insert(header::RANGE, range.parse().unwrap());
        }
        respond(&method, &headers, &entity(), open).await.unwrap()
    }

    fn assert_described(answer: &Response) {
        for (name, value) in [
            ("etag", "\"v1\""),
            ("last-modified", "Thu, 01 Jan 1970 00:20:34 GMT"),
            ("accept-ranges", "bytes"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", SANDBOX),
            ("cross-origin-resource-policy", "cross-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name}");
        }
    }

    #[tokio::test]
    async fn everything_is_sent_with_all_that_is_known() {
        let answer = answer(Method::GET, "").await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_described(&answer);
        assert_eq!(answer.header("content-length"), Some("16"));
        assert_eq!(answer.header("content-type"), Some("image/png"));
        assert_eq!(answer.header("content-disposition"), Some("inline; filename=\"a.png\""));
        assert_eq!(answer.header("cache-control"), Some("public, max-age=31536000, immutable"));
        assert_eq!(answer.into_body().into_vec().await.unwrap(), BYTES);
    }

    #[tokio::test]
    async fn head_has_the_headers_and_opens_nothing() {
        let unopened = |_| async { Err(Error::internal("opened")) };
        let headers = HeaderMap::new();
        let head = respond(&Method::HEAD, &headers, &entity(), unopened).await.unwrap();
        assert_eq!(head.headers(), answer(Method::GET, "").await.headers());
        assert!(head.into_body().is_empty());
        assert!(respond(&Method::GET, &headers, &entity(), unopened).await.is_err());
    }

    #[tokio::test]
    async fn one_range_is_sent_as_it_is() {
        let answer = answer(Method::GET, "bytes=4-7").await;
        assert_eq!(answer.status(), StatusCode::PARTIAL_CONTENT);
        assert_described(&answer);
        assert_eq!(answer.header("content-range"), Some("bytes 4-7/16"));
        assert_eq!(answer.header("content-length"), Some("4"));
        assert_eq!(answer.header("content-type"), Some("image/png"));
        assert_eq!(answer.into_body().into_vec().await.unwrap(), b"4567");
    }

    #[tokio::test]
    async fn several_ranges_are_sent_as_parts_of_the_announced_length() {
        let answer = answer(Method::GET, "bytes=12-, 0-1").await;
        assert_eq!(answer.status(), StatusCode::PARTIAL_CONTENT);
        assert_described(&answer);
        assert_eq!(answer.header("content-range"), None);
        let mime = answer.header("content-type").unwrap();
        let boundary = mime.strip_prefix("multipart/byteranges; boundary=").unwrap().to_owned();
        let length: usize = answer.header("content-length").unwrap().parse().unwrap();
        let body = answer.into_body().into_vec().await.unwrap();
        assert_eq!(body.len(), length);
        let part = |range: &str, bytes: &str| {
            format!(
                "\r\n--{boundary}\r\nContent-Type: image/png\r\n\
                 Content-Range: bytes {range}/16\r\n\r\n{bytes}"
            )
        };
        let expected =
            part("12-15", "cdef") + &part("0-1", "01") + &format!("\r\n--{boundary}--\r\n");
        assert_eq!(String::from_utf8(body).unwrap(), expected);
    }

    #[tokio::test]
    async fn answers_without_bytes_are_not_cached_as_if_they_had_them() {
        let beyond = answer(Method::GET, "bytes=99-").await;
        assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
        assert_described(&beyond);
        assert_eq!(beyond.header("content-range"), Some("bytes */16"));
        assert_eq!(beyond.header("cache-control"), Some("no-store"));
        assert!(beyond.into_body().is_empty());

        let with = async |name: header::HeaderName, value: &str| {
            let headers = HeaderMap::from_iter([(name, value.parse().unwrap())]);
            respond(&Method::GET, &headers, &entity(), open).await.unwrap()
        };
        let other = with(header::IF_MATCH, "\"v2\"").await;
        assert_eq!(other.status(), StatusCode::PRECONDITION_FAILED);
        assert_eq!(other.header("cache-control"), Some("no-store"));
        let same = with(header::IF_NONE_MATCH, "\"v1\"").await;
        assert_eq!(same.status(), StatusCode::NOT_MODIFIED);
        assert_described(&same);
        assert_eq!(same.header("cache-control"), Some("public, max-age=31536000, immutable"));
        assert_eq!(same.header("content-type"), None);
    }

    #[tokio::test]
    async fn what_is_in_memory_is_sent_in_the_same_way() {
        let memory = |range: Range<u64>| async move {
            Ok(Source::Memory(
                Bytes::from_static(BYTES).slice(range.start as usize..range.end as usize),
            ))
        };
        for range in ["", "bytes=4-7", "bytes=4-4"] {
            let mut headers = HeaderMap::new();
            if !range.is_empty() {
                headers.insert(header::RANGE, range.parse().unwrap());
            }
            let held = respond(&Method::GET, &headers, &entity(), memory).await.unwrap();
            let read = answer(Method::GET, range).await;
            assert_eq!(held.headers(), read.headers());
            let held = held.into_body().into_vec().await.unwrap();
            assert_eq!(held, read.into_body().into_vec().await.unwrap());
        }
    }

    #[tokio::test]
    async fn a_source_that_ends_early_breaks_the_answer() {
        let short = |_| async { Ok(Source::Memory(Bytes::from_static(b"0123"))) };
        for range in ["bytes=0-7", "bytes=0-7, 10-11", ""] {
            let mut headers = HeaderMap::new();
            if !range.is_empty() {
                headers.insert(header::RANGE, range.parse().unwrap());
            }
            let answer = respond(&Method::GET, &headers, &entity(), short).await.unwrap();
            assert!(answer.into_body().into_vec().await.is_err(), "{range}");
        }
    }

    #[tokio::test]
    async fn a_source_that_knows_no_end_is_cut() {
        let endless = |_| async {
            let pieces = stream::repeat_with(|| Ok(Bytes::from_static(b"xx")));
            Ok(Source::Pieces(pieces.boxed()))
        };
        let headers = HeaderMap::from_iter([(header::RANGE, "bytes=0-2".parse().unwrap())]);
        let answer = respond(&Method::GET, &headers, &entity(), endless).await.unwrap();
        assert_eq!(answer.into_body().into_vec().await.unwrap(), b"xxx");
    }
}
