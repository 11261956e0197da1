//! Styles, scripts and icons out of the binary, under addresses that change with their content.

use bytes::Bytes;
use minijinja::{Error, ErrorKind};
use poem::{
    Request, Response, handler,
    http::{HeaderValue, StatusCode, header},
    web::Path,
};
use rust_embed::{EmbeddedFile, RustEmbed};
use sha2::{Digest, Sha256};
use std::{borrow::Cow, sync::OnceLock};

#[derive(RustEmbed)]
#[folder = "assets/style"]
#[prefix = "style/"]
struct Style;

#[derive(RustEmbed)]
#[folder = "assets/ui"]
#[prefix = "ui/"]
struct Ui;

#[derive(RustEmbed)]
#[folder = "assets/brand"]
#[prefix = "brand/"]
struct Brand;

#[derive(RustEmbed)]
#[folder = "assets/sdk"]
#[prefix = "sdk/"]
struct Sdk;

/// The style of every page, in the order in which one sheet goes over another.
pub(super) const SHEETS: [&str; 9] =
    ["tokens", "base", "layout", "parts", "forms", "floats", "pictures", "viewer", "uploader"];
/// The script of every page.
const SCRIPT: &str = "ui/main.js";

const FOREVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "public, no-cache";

fn find(path: &str) -> Option<EmbeddedFile> {
    Style::get(path)
        .or_else(|| Ui::get(path))
        .or_else(|| Brand::get(path))
        .or_else(|| Sdk::get(path))
}

/// The address of the asset at `path`. A template that names one that is not there fails.
pub(super) fn url(path: &str) -> Result<String, Error> {
    if find(path).is_none() {
        return Err(Error::new(ErrorKind::InvalidOperation, format!("no asset is at {path}")));
    }
    Ok(format!("/_/{}/{path}", version()))
}

/// What every page loads, as a `Link` header (RFC 8288): a proxy can send it to the browser ahead
/// of the page, and the browser can ask for all of it before it has read any.
pub(super) fn preload() -> String {
    let version = version();
    let sheets =
        SHEETS.map(|name| format!("</_/{version}/style/{name}.css>; rel=preload; as=style"));
    format!("{}, </_/{version}/{SCRIPT}>; rel=modulepreload", sheets.join(", "))
}

/// The hash of all assets together: modules import each other by relative paths, so that one new
/// file gives every file a new address.
fn version() -> String {
    static VERSION: OnceLock<String> = OnceLock::new();
    // While developing, files change below the running program.
    if cfg!(debug_assertions) { hash_all() } else { VERSION.get_or_init(hash_all).clone() }
}

fn hash_all() -> String {
    let mut names: Vec<_> = Style::iter().chain(Ui::iter()).chain(Brand::iter()).collect();
    names.sort();
    let mut whole = Sha256::new();
    for name in names {
        if let Some(file) = find(&name) {
            whole.update(name.as_bytes());
            whole.update(file.metadata.sha256_hash());
        }
    }
    hex(&whole.finalize())
}

/// The first 16 hexadecimal digits: enough to tell two builds apart.
fn hex(hash: &[u8]) -> String {
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[handler]
pub(super) fn asset(req: &Request, Path((hash, path)): Path<(String, String)>) -> Response {
    // A page from before an update still finds its modules; it only may not keep them.
    let keep = if hash == version() { FOREVER } else { ASK_AGAIN };
    serve(req, &path, keep)
}

#[handler]
pub(super) fn favicon(req: &Request) -> Response {
    serve(req, &format!("brand{}", req.original_uri().path()), "public, max-age=86400")
}

/// The script that other sites' pages load.
#[handler]
pub(super) fn popup_script(req: &Request) -> Response {
    let mut response = serve(req, "sdk/pup.js", "public, max-age=3600");
    let anywhere = HeaderValue::from_static("cross-origin");
    response.headers_mut().insert("cross-origin-resource-policy", anywhere);
    response
}

/// What crawlers may read: everything that is meant to be seen.
#[handler]
pub(super) fn robots() -> Response {
    let text = "User-agent: *\nDisallow: /account\nDisallow: /api/\nDisallow: /delete/\n\
                Disallow: /library\nDisallow: /setup\nDisallow: /sign-in\nDisallow: /upload\n";
    Response::builder()
        .content_type("text/plain; charset=utf-8")
        .header(header::CACHE_CONTROL, "public, max-age=3600")
        .body(text)
}

fn serve(req: &Request, path: &str, keep: &'static str) -> Response {
    let Some(file) = find(path) else {
        return Response::builder()
            .status(StatusCode::NOT_FOUND)
            .content_type("text/plain; charset=utf-8")
            .header(header::CACHE_CONTROL, "no-store")
            .body("There is no such file.");
    };
    let etag = format!("\"{}\"", hex(&file.metadata.sha256_hash()));
    let mut response = if knows(req, &etag) {
        Response::builder().status(StatusCode::NOT_MODIFIED).finish()
    } else {
        let bytes = match file.data {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => Bytes::from(bytes),
        };
        Response::builder().content_type(media_type(path)).body(bytes)
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(header::ETAG, etag);
    }
    response
}

/// The browser says that it has this very content (RFC 9110, 13.1.2).
fn knows(req: &Request, etag: &str) -> bool {
    let known = req.header(header::IF_NONE_MATCH).unwrap_or("");
    known
        .split(',')
        .map(|one| one.trim().trim_start_matches("W/"))
        .any(|one| one == etag || one == "*")
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_carries_the_hash_and_a_missing_file_has_none() {
        let address = url("style/tokens.css").unwrap();
        assert_eq!(address, format!("/_/{}/style/tokens.css", version()));
        assert!(url("style/absent.css").is_err());
        assert!(url("../Cargo.toml").is_err());
    }

    #[test]
    fn what_is_loaded_ahead_is_there() {
        for link in preload().split(", ") {
            let address = link.strip_prefix('<').and_then(|l| l.split_once('>')).unwrap().0;
            let path = address.strip_prefix(&format!("/_/{}/", version())).unwrap();
            assert_eq!(url(path).unwrap(), address);
        }
    }

    #[test]
    fn every_asset_has_a_type() {
        for name in Style::iter().chain(Ui::iter()).chain(Brand::iter()) {
            assert_ne!(media_type(&name), "application/octet-stream", "{name}");
        }
    }
}
