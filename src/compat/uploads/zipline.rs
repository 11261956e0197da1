//! Zipline's `POST /api/upload`: the token stands bare in `Authorization`, and what is said about a
//! file in headers of its own.

use super::{
    Call, Taken,
    chevereto::span,
    receive::{Received, Source, pour},
};
use crate::{
    accounts::{Actor, Scope},
    base::{Clock, Error, Result, secret::Secret, text::Filename},
    http::{Problem, fields},
    media::{Fields, expiry, spool::Spool, upload::Details},
};
use poem::{
    IntoResponse, Response,
    http::{HeaderMap, header},
    web::Json,
};
use serde_json::{Value, json};

/// How many files one request may bring.
const MOST_FILES: usize = 50;

/// `POST /api/upload`
pub(super) async fn upload(mut call: Call) -> Response {
    let body = call.req.take_body();
    let taking = async {
        let actor = call.actor(token(call.req.headers()).as_ref()).await?;
        actor.need_scope(Scope::MediaWrite)?;
        said(call.req.headers())?;
        let mut fields = fields::Fields::of(call.req.headers(), body).await?;
        let taken = take_all(&call, &actor, &mut fields).await;
        if taken.is_err() {
            fields.hear_out().await;
        }
        taken
    };
    match taking.await {
        Ok(taken) => answer(&call, &taken),
        Err(error) => refuse(error),
    }
}

fn token(headers: &HeaderMap) -> Option<Secret> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?.trim();
    let bare = text.split_once(' ').map_or(text, |(_, token)| token.trim());
    Some(Secret::new(bare))
}

async fn take_all(call: &Call, actor: &Actor, fields: &mut fields::Fields) -> Result<Vec<Taken>> {
    let mut all = Vec::new();
    while let Some(head) = fields.next().await? {
        let Some(filename) = head.filename else { continue };
        let Some(start) = fields.chunk().await? else { continue };
        if all.len() == MOST_FILES {
            let reason = format!("may be {MOST_FILES} in one request at most");
            return Err(Error::invalid("files", reason));
        }
        let mut spool = Spool::begin(&call.tenant).await?;
        pour(start, fields, &mut spool).await?;
        let headers = call.req.headers();
        let name = Filename::from_client(text(headers, "x-zipline-filename").unwrap_or(&filename));
        let source = Source::File(Box::new(spool), name);
        let received = Received { actor: actor.clone(), source };
        all.push(call.take_in(received, said(headers)?).await?);
    }
    if all.is_empty() { Err(Error::invalid("file", "is missing")) } else { Ok(all) }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let text = headers.get(name)?.to_str().ok()?.trim();
    (!text.is_empty()).then_some(text)
}

/// What the headers ask for. How files are named is for the site to say; what would leave a file more open than was asked for is refused.
fn said(headers: &HeaderMap) -> Result<Details> {
    let refused = [
        ("x-zipline-password", "a file cannot have a password here"),
        ("x-zipline-max-views", "views are not counted down here"),
        ("content-range", "a file must come in one request here, or in pieces to /api/v2/uploads"),
        ("x-zipline-p-identifier", "a file must come in one request here"),
    ];
    for (name, reason) in refused {
        if headers.contains_key(name) {
            return Err(Error::Malformed(format!("{name}: {reason}")));
        }
    }
    let deletes_at = text(headers, "x-zipline-deletes-at").filter(|text| *text != "never");
    let mut fields = Fields::default();
    fields.set("album", text(headers, "x-zipline-folder").unwrap_or_default())?;
    Ok(Details { expires_in_ms: deletes_at.map(lifetime).transpose()?, ..fields.details()? })
}

/// `date=` and a moment, a duration, or milliseconds.
fn lifetime(text: &str) -> Result<i64> {
    if let Some(date) = text.strip_prefix("date=") {
        let wrong = |_| Error::invalid("x-zipline-deletes-at", "must be a moment of RFC 3339");
        let at: jiff::Timestamp = date.trim().parse().map_err(wrong)?;
        return expiry::check(at.as_millisecond().saturating_sub(Clock::now().0));
    }
    match text.parse() {
        Ok(ms) => expiry::check(ms),
        Err(_) => span(text),
    }
}

fn answer(call: &Call, taken: &[Taken]) -> Response {
    let url = |taken: &Taken| call.links.to(&taken.media.file_path(&taken.media.file));
    if text(call.req.headers(), "x-zipline-no-json") == Some("true") {
        let urls: Vec<String> = taken.iter().map(url).collect();
        return Response::builder().content_type("text/plain; charset=utf-8").body(urls.join(","));
    }
    let file = |taken: &Taken| {
        let media = &taken.media;
        json!({ "id": media.public_id.as_str(), "name": media.file, "type": media.mime,
            "url": url(taken) })
    };
    let mut body = json!({ "files": taken.iter().map(file).collect::<Vec<Value>>() });
    let deletes_at = taken.first().and_then(|taken| taken.media.expires_at);
    if let (Value::Object(body), Some(at)) = (&mut body, deletes_at) {
        body.insert("deletesAt".to_owned(), json!(at.to_rfc3339()));
    }
    Json(body).into_response()
}

fn refuse(error: Error) -> Response {
    let message = error.to_string();
    let (status, wait) = match Problem::from(error) {
        Problem::Client(status, _, wait) => (status, wait),
        Problem::Server(status, _) => (status, None),
    };
    let body = json!({ "error": message, "statusCode": status.as_u16() });
    let mut response = Json(body).with_status(status).into_response();
    if let Some(wait) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, wait.into());
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        [(name.parse().unwrap(), value.parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn lifetimes_are_durations_or_moments() {
        let of = |text: &str| said(&headers("x-zipline-deletes-at", text)).map(|d| d.expires_in_ms);
        assert_eq!(of("1d").unwrap(), Some(86_400_000));
        assert_eq!(of("never").unwrap(), None);
        let later = Clock::now().plus_days(2).to_rfc3339();
        let ms = of(&format!("date={later}")).unwrap().unwrap();
        assert!((172_700_000..=172_800_000).contains(&ms), "{ms}");
        for wrong in ["date=2001-01-01T00:00:00Z", "date=soon", "soon", "0"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_would_stay_more_open_than_asked_is_refused() {
        for name in ["x-zipline-password", "x-zipline-max-views", "content-range"] {
            assert!(said(&headers(name, "1")).is_err(), "{name}");
        }
        assert!(said(&headers("x-zipline-format", "uuid")).is_ok());
    }
}
