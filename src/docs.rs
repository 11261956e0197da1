//! The API document and the page that shows it. Everything the page needs is inside it.

use crate::{api, base::secret::random_bytes, http::document::Version};
use poem::{IntoResponse, Response, http::header};
use std::sync::OnceLock;

/// `/api/v2/openapi.json`, and the same in the version before as `openapi-3.0.json`.
pub fn document(version: Version) -> Response {
    let document = api::documents().served(version);
    document.with_header(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*").into_response()
}

/// `/api/docs`. Its scripts are written into the page, so each answer names them by a nonce.
pub fn page() -> Response {
    let nonce = bs58::encode(random_bytes::<16>().unwrap_or_default()).into_string();
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'unsafe-inline'; \
         img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    Response::builder()
        .content_type("text/html; charset=utf-8")
        .header(header::CONTENT_SECURITY_POLICY, policy)
        .header(header::CACHE_CONTROL, "no-cache")
        .body(template().replace(NONCE, &nonce))
}

/// Stands where each answer has its own nonce.
const NONCE: &str = "{nonce}";

/// The framework's page, made to show the complete document instead of the framework's own.
fn template() -> &'static str {
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let html = api::docs_html();
        let (before, rest) = html.split_once("let spec = ").unwrap_or((html, ""));
        let after = rest.split_once("let oauth2RedirectUrl").map_or("", |(_, after)| after);
        let html = format!("{before}let oauth2RedirectUrl{after}");
        let tag = |kind: &str| format!("<script nonce=\"{NONCE}\"{kind}>");
        html.replacen("<html charset", "<!doctype html>\n<html lang=\"en\" charset", 1)
            .replacen("<title>Swagger UI</title>", HEAD, 1)
            .replacen("<script charset=\"UTF-8\">", &tag(" charset=\"UTF-8\""), 1)
            .replacen("<script>\n    let oauth2", &format!("{}\n    let oauth2", tag("")), 1)
            .replacen("spec: spec,", "url: '/api/v2/openapi.json',", 1)
    })
}

const HEAD: &str = "<title>API · Vitrina</title>\
    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">";
