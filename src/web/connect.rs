//! The page that tells how other programs upload here, and the small window that forums open.

use super::{
    albums,
    public::uploader_settings,
    visit::{Form, Outcome, Visit},
};
use poem::http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use url::Url;

/// `GET /account/connect`: settings for programs, with a place for the token.
pub(super) async fn connect(visit: Visit) -> Outcome {
    if visit.is_guest() {
        return Ok(visit.to_sign_in());
    }
    Ok(show(&visit, StatusCode::OK, Value::Null))
}

/// `POST /account/connect`: the same with a new token in it, which is shown this once.
pub(super) async fn connect_with_token(visit: Visit, _: Form) -> Outcome {
    let wanted = json!({ "name": "Connect", "scopes": ["media:read", "media:write"] });
    let made = visit.send(Method::POST, "/tokens", wanted).await?;
    Ok(show(&visit, StatusCode::CREATED, made.json["token"].clone()))
}

fn show(visit: &Visit, status: StatusCode, token: Value) -> poem::Response {
    let origin = visit.site()["url"].as_str().unwrap_or_default().trim_end_matches('/');
    let host = origin.split("://").last().unwrap_or_default();
    let context = json!({
        "origin": origin, "host": host, "is_new": !token.is_null(),
        "token": token.as_str().unwrap_or("YOUR-TOKEN"),
    });
    visit.show_as(status, "connect.html", context)
}

/// `GET /upload/popup?origin=…`: the uploader in a window that a page of another site has opened.
/// It hands its links to no other page than one of a site that is on the list.
pub(super) async fn popup(visit: Visit) -> Outcome {
    let origin = visit.query("origin").and_then(|text| origin_of(&text)).unwrap_or_default();
    let listed = visit.site()["popup_origins"].as_array().into_iter().flatten();
    let is_allowed = listed.clone().any(|one| one == "*" || *one == *origin) && !origin.is_empty();
    let context = json!({ "origin": origin, "is_allowed": is_allowed,
        "settings": uploader_settings(&visit), "albums": albums::own(&visit).await });
    let status = if is_allowed { StatusCode::OK } else { StatusCode::FORBIDDEN };
    let mut response = visit.show_as(status, "popup.html", context);
    // It must know the page that opened it, which pages otherwise do not.
    let knows = HeaderValue::from_static("unsafe-none");
    response.headers_mut().insert("cross-origin-opener-policy", knows);
    Ok(response)
}

/// The origin that a text names, as browsers write it.
fn origin_of(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_read_as_browsers_write_it() {
        assert_eq!(origin_of("https://Forum.example:443/x"), Some("https://forum.example".into()));
        assert_eq!(origin_of("javascript:alert(1)"), None);
        assert_eq!(origin_of("null"), None);
    }
}
