//! The whole public contract: one tuple of rooms, one document.

use crate::{
    accounts::api::AccountsApi,
    albums::api::AlbumsApi,
    http::{Problem, document},
    jobs::api::JobsApi,
    media::{
        api::MediaApi, api_links::MediaLinksApi, api_looks::LooksApi, api_moving::MovingApi,
        api_poster::PosterApi, api_regeneration::RegenerationApi, api_transcode::TranscodeApi,
        api_watermark::WatermarkApi, upload::Uploads,
    },
    site::{api::SiteApi, storages::api::StoragesApi},
    tus::{self, api::UploadsApi},
};
use poem::{
    Endpoint, EndpointExt, IntoEndpoint, Response,
    http::{HeaderValue, header},
};
use poem_openapi::{LicenseObject, OpenApi, OpenApiService};
use std::sync::{Arc, OnceLock};

/// Where the API lives.
pub const BASE: &str = "/api/v2";

fn service() -> OpenApiService<impl OpenApi, ()> {
    let rooms = (
        SiteApi,
        AccountsApi,
        MediaApi,
        AlbumsApi,
        UploadsApi,
        MediaLinksApi,
        LooksApi,
        RegenerationApi,
        WatermarkApi,
        StoragesApi,
        MovingApi,
        PosterApi,
        TranscodeApi,
        JobsApi,
    );
    OpenApiService::new(rooms, "Vitrina", env!("CARGO_PKG_VERSION"))
        .description(
            "Upload pictures, films and sound, hand them out, arrange and share them. Times are RFC 3339 in UTC, \
             sizes are in bytes, durations in milliseconds; a field that is absent is not set. \
             Errors are problem documents (RFC 9457): switch on their `code`.",
        )
        .license(LicenseObject::new("Apache-2.0").identifier("Apache-2.0"))
        .server(BASE)
}

/// The operations, with every refusal dressed as a problem.
pub fn endpoint(uploads: Arc<Uploads>) -> impl Endpoint<Output = Response> {
    let allowed = document::Allowed::read(document());
    service()
        .into_endpoint()
        .data(uploads)
        .catch_all_error(|error| async move { Problem::from_framework(error) })
        .map_to_response()
        .around(move |endpoint, req| {
            let path = req.uri().path().to_owned();
            let allow = allowed.methods(&path);
            async move {
                let mut response = endpoint.get_response(req).await;
                // What is answered depends on who asks, and may change at any time.
                let cache = HeaderValue::from_static("private, no-cache");
                response.headers_mut().entry(header::CACHE_CONTROL).or_insert(cache);
                if response.status() == poem::http::StatusCode::METHOD_NOT_ALLOWED
                    && let Ok(methods) = allow.join(", ").parse()
                {
                    response.headers_mut().insert(header::ALLOW, methods);
                }
                tus::api::dress(&path, &mut response);
                Ok(response)
            }
        })
}

/// The API document: OpenAPI 3.0, as JSON.
pub fn document() -> &'static serde_json::Value {
    static DOCUMENT: OnceLock<serde_json::Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| document::complete(&service().spec()))
}

/// The document as it is served, printed and kept in `schema/openapi.json`.
pub fn document_text() -> String {
    format!("{:#}\n", document())
}

/// A page that shows the document, complete in itself.
pub fn docs_html() -> &'static str {
    static HTML: OnceLock<String> = OnceLock::new();
    HTML.get_or_init(|| service().swagger_ui_html())
}
