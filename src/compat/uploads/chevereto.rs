//! Chevereto's API v1, `/api/1/upload`, as of version 4: what ShareX, PicGo, Obsidian, forums and
//! countless scripts speak.

use super::{
    Call, Taken, cut, details,
    receive::{Wanted, Words, receive},
    shown,
};
use crate::{
    accounts::caller::presented_token,
    base::{Clock, Error, Result, text::Title},
    http::Problem,
    media::{duplicates, expiry, upload::Details},
};
use jiff::{Span, tz::TimeZone};
use poem::{
    IntoResponse, Response,
    http::{StatusCode, header},
};
use serde_json::{Value, json};

const WANTED: Wanted = Wanted {
    file: &["source", "image"],
    words: &[
        "title",
        "name",
        "description",
        "tags",
        "width",
        "nsfw",
        "album_id",
        "expiration",
        "format",
    ],
    key: true,
};

/// `POST` and `GET /api/1/upload`
pub(super) async fn upload(mut call: Call) -> Response {
    let token = presented_token(call.req.headers());
    let (words, received) = receive(&mut call, token, &WANTED).await;
    let format = words.get("format").unwrap_or("json");
    let taken = match (received, said(&words)) {
        (Ok(received), Ok(details)) => call.take_in(received, details).await,
        (Err(error), _) | (_, Err(error)) => Err(error),
    };
    match (taken, format) {
        (Ok(taken), "txt") => {
            let url = call.links.to(&taken.media.file_path(&taken.media.file));
            plain(StatusCode::OK, url)
        }
        (Ok(taken), "redirect") => Response::builder()
            .status(StatusCode::FOUND)
            .header(header::LOCATION, taken.media.page_path())
            .finish(),
        (Ok(taken), _) => answer(&call, &taken, words.has("image")),
        (Err(error), "txt" | "redirect") => {
            let Refusal { status, message, .. } = Refusal::of(error);
            plain(status, message)
        }
        (Err(error), _) => Refusal::of(error).into_response(),
    }
}

/// The words as ours.
fn said(words: &Words) -> Result<Details> {
    let mut all = details(
        words,
        &[
            ("description", "description"),
            ("tags", "tags"),
            ("width", "width"),
            ("nsfw", "nsfw"),
            ("album_id", "album"),
        ],
    )?;
    let title = words.get("title").or_else(|| words.get("name")).unwrap_or_default();
    all.title = Title::parse(&cut(title))?;
    all.expires_in_ms = words.get("expiration").map(lifetime).transpose()?.flatten();
    Ok(all)
}

/// Milliseconds, out of seconds or a duration of ISO 8601 such as `P1M`, which is as long as the
/// calendar has it. No seconds at all mean for ever.
pub(super) fn lifetime(text: &str) -> Result<Option<i64>> {
    let wrong = || Error::invalid("expiration", "must be seconds or a duration like PT5M");
    if text.bytes().all(|b| b.is_ascii_digit()) {
        let seconds: i64 = text.parse().map_err(|_| wrong())?;
        let ms = seconds.checked_mul(1000).ok_or_else(wrong)?;
        return (ms > 0).then(|| expiry::check(ms)).transpose();
    }
    span(text).map(Some)
}

/// Milliseconds, out of a duration that is as long as the calendar has it.
pub(super) fn span(text: &str) -> Result<i64> {
    let wrong = || Error::invalid("expiration", "must be a duration like PT5M or 1d");
    let span: Span = text.parse().map_err(|_| wrong())?;
    let now = Clock::now();
    let until = now.timestamp().to_zoned(TimeZone::UTC).checked_add(span).map_err(|_| wrong())?;
    let ms = until.timestamp().as_millisecond().saturating_sub(now.0);
    expiry::check(ms)
}

/// Clients of imgBB name the file `image`, and read it under another name too.
fn answer(call: &Call, taken: &Taken, is_imgbb: bool) -> Response {
    let mut image = shown::image(taken, &call.links);
    let mut body = json!({
        "status_code": 200,
        "success": { "message": "file uploaded", "code": 200 },
        "status_txt": "OK",
    });
    let Value::Object(all) = &mut body else { return plain(StatusCode::OK, String::new()) };
    if is_imgbb {
        if let Value::Object(fields) = &mut image {
            fields.insert("id".to_owned(), json!(taken.media.public_id.as_str()));
        }
        all.insert("status".to_owned(), json!(200));
        all.insert("data".to_owned(), image);
    } else {
        all.insert("image".to_owned(), image);
    }
    written(StatusCode::OK, &body)
}

fn plain(status: StatusCode, text: String) -> Response {
    let kind = "text/plain; charset=UTF-8";
    Response::builder().status(status).content_type(kind).body(text)
}

pub(super) fn written(status: StatusCode, body: &Value) -> Response {
    let kind = "application/json; charset=UTF-8";
    Response::builder().status(status).content_type(kind).body(body.to_string())
}

/// Why an upload is refused, with the number that clients know.
pub(super) struct Refusal {
    status: StatusCode,
    code: u16,
    message: String,
    wait: Option<u64>,
}

impl Refusal {
    pub(super) fn of(error: Error) -> Self {
        use Error as E;
        let (status, code) = match &error {
            E::Unauthenticated => (StatusCode::BAD_REQUEST, 100),
            E::Conflict { code: duplicates::CODE, .. } => (StatusCode::BAD_REQUEST, 101),
            E::Invalid { field: "base64", .. } => (StatusCode::BAD_REQUEST, 120),
            E::Invalid { field: "source", .. } => (StatusCode::BAD_REQUEST, 130),
            E::Unsupported(_) => (StatusCode::BAD_REQUEST, 612),
            E::Rejected { .. } => (StatusCode::BAD_REQUEST, 610),
            E::TooMany { .. } | E::LimitReached { retry_after_s: Some(_), .. } => {
                (StatusCode::TOO_MANY_REQUESTS, 130)
            }
            E::Forbidden(_)
            | E::MissingScope(_)
            | E::FeatureOff { .. }
            | E::LimitReached { .. } => (StatusCode::FORBIDDEN, 401),
            E::DiskFull => (StatusCode::INSUFFICIENT_STORAGE, 104),
            E::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, 600),
            E::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, 600),
            _ => (StatusCode::BAD_REQUEST, 400),
        };
        let message = match &error {
            E::Unauthenticated => "No API key, or an invalid one.".to_owned(),
            other => other.to_string(),
        };
        // Made a problem, a fault of ours is logged, and it is known how long to wait.
        let wait = match Problem::from(error) {
            Problem::Client(_, _, wait) => wait,
            Problem::Server(..) => None,
        };
        Self { status, code, message, wait }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status;
        let mut response = written(
            status,
            &json!({
                "status_code": status.as_u16(),
                "error": { "message": self.message, "code": self.code },
                "status_txt": status.canonical_reason().unwrap_or_default(),
            }),
        );
        if let Some(wait) = self.wait {
            response.headers_mut().insert(header::RETRY_AFTER, wait.into());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_seconds_or_durations() {
        assert_eq!(lifetime("600").unwrap(), Some(600_000));
        assert_eq!(lifetime("0").unwrap(), None);
        assert_eq!(lifetime("PT10M").unwrap(), Some(600_000));
        assert_eq!(lifetime("P3D").unwrap(), Some(3 * 86_400_000));
        let month = lifetime("P1M").unwrap().unwrap() / 86_400_000;
        assert!((28..=31).contains(&month), "{month}");
        for wrong in ["-5", "soon", "-PT5M", "99999999999999999999", "P9999Y"] {
            assert!(lifetime(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn refusals_have_the_numbers_that_clients_know() {
        let of = |error| {
            let refusal = Refusal::of(error);
            (refusal.status.as_u16(), refusal.code)
        };
        assert_eq!(of(Error::Unauthenticated), (400, 100));
        assert_eq!(of(Error::invalid("base64", "is not base64")), (400, 120));
        assert_eq!(of(Error::TooLarge { field: "file", allowed: 1 }), (400, 400));
        assert_eq!(of(Error::TooMany { retry_after_s: 9 }), (429, 130));
        assert_eq!(of(Error::DiskFull), (507, 104));
        assert_eq!(of(Error::internal("oops")), (500, 600));
    }
}
