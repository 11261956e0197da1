//! The whole public contract: one tuple of rooms, one document.

use crate::{
    accounts::api::AccountsApi,
    albums::api::AlbumsApi,
    connect::api::ConnectApi,
    http::{
        Problem,
        document::{Allowed, Document, Version},
    },
    jobs::api::JobsApi,
    media::{
        api::MediaApi, api_bytes::BytesApi, api_links::MediaLinksApi, api_looks::LooksApi,
        api_moving::MovingApi, api_oembed::OembedApi, api_poster::PosterApi,
        api_regeneration::RegenerationApi, api_transcode::TranscodeApi,
        api_watermark::WatermarkApi, upload::Uploads,
    },
    site::{api::SiteApi, storages::api::StoragesApi},
    tus::{self, api::UploadsApi},
};
use poem::{
    Endpoint, EndpointExt, IntoEndpoint, Response,
    http::{HeaderValue, header},
};
use poem_openapi::{OpenApi, OpenApiService};
use std::sync::{Arc, OnceLock};

/// Where the API lives.
pub const BASE: &str = "/api/v2";

fn service() -> OpenApiService<impl OpenApi, ()> {
    let rooms = (
        SiteApi,
        AccountsApi,
        MediaApi,
        BytesApi,
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
        (OembedApi, ConnectApi),
    );
    OpenApiService::new(rooms, "Vitrina", env!("CARGO_PKG_VERSION"))
        .description(
            "Upload pictures, films and sound, hand them out, arrange and share them. Times are RFC 3339 in UTC, \
             sizes are in bytes, durations in milliseconds; a field that is absent is not set. \
             Errors are problem documents (RFC 9457): switch on their `code`.",
        )
        .server(BASE)
}

/// The operations, with every refusal dressed as a problem.
pub fn endpoint(uploads: Arc<Uploads>) -> impl Endpoint<Output = Response> {
    let allowed = Allowed::read(document());
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

/// The API document as JSON: OpenAPI 3.1.
pub fn document() -> &'static serde_json::Value {
    documents().get(Version::V3_1)
}

/// The API document in every version there is.
pub fn documents() -> &'static Document {
    static DOCUMENT: OnceLock<Document> = OnceLock::new();
    DOCUMENT.get_or_init(|| Document::complete(&service().spec()))
}

/// A page that shows the document, complete in itself.
pub fn docs_html() -> &'static str {
    static HTML: OnceLock<String> = OnceLock::new();
    HTML.get_or_init(|| service().swagger_ui_html())
}
