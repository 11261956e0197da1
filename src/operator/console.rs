//! The console's page, scripts and styles, out of the binary. What it shows it asks of the
//! operator API; nothing here knows a tenant.

use poem::{
    Request, Response, handler,
    http::{HeaderValue, StatusCode, header},
    web::Path,
};
use rust_embed::{EmbeddedFile, RustEmbed};
use sha2::{Digest, Sha256};
use std::borrow::Cow;

#[derive(RustEmbed)]
#[folder = "assets/console"]
struct Console;

#[derive(RustEmbed)]
#[folder = "assets/style"]
struct Style;

const ICONS: &[u8] = include_bytes!("../../assets/icons.svg");

/// The styles of the pages that the console is dressed in as well.
const SHARED: [&str; 6] =
    ["tokens.css", "base.css", "layout.css", "parts.css", "forms.css", "floats.css"];

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

#[handler]
pub(super) fn page(req: &Request) -> Response {
    serve(req, "index.html")
}

#[handler]
pub(super) fn asset(req: &Request, Path(path): Path<String>) -> Response {
    serve(req, &path)
}

fn find(path: &str) -> Option<Cow<'static, [u8]>> {
    let embedded = |file: EmbeddedFile| file.data;
    match path.strip_prefix("style/") {
        Some(name) if SHARED.contains(&name) => Style::get(name).map(embedded),
        Some(_) => None,
        None if path == "icons.svg" => Some(Cow::Borrowed(ICONS)),
        None => Console::get(path).map(embedded),
    }
}

fn serve(req: &Request, path: &str) -> Response {
    let Some(bytes) = find(path) else {
        return Response::builder()
            .status(StatusCode::NOT_FOUND)
            .content_type("text/plain; charset=utf-8")
            .header(header::CACHE_CONTROL, "no-store")
            .body("There is no such file.");
    };
    let digest = Sha256::digest(&bytes);
    let digits: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let etag = format!("\"{digits}\"");
    let known = req.header(header::IF_NONE_MATCH).unwrap_or_default();
    let is_known = known.split(',').any(|one| one.trim().trim_start_matches("W/") == etag);
    let mut response = match is_known {
        true => Response::builder().status(StatusCode::NOT_MODIFIED).finish(),
        false => Response::builder().content_type(media_type(path)).body(bytes.into_owned()),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(header::ETAG, etag);
    }
    response
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_console_is_there_and_has_a_type() {
        for name in Console::iter() {
            assert_ne!(media_type(&name), "application/octet-stream", "{name}");
        }
        for name in SHARED {
            assert!(find(&format!("style/{name}")).is_some(), "{name}");
        }
        for name in ["../icons.svg", "style/../base.css", "style/nothing.css", "nothing.js"] {
            assert!(find(name).is_none(), "{name}");
        }
    }
}
