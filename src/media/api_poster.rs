//! Posters of films and recordings over HTTP: parse, call, shape. No rule lives here.

use super::{
    api::Tag,
    poster::{self, Wish},
    upload::Uploads,
    view::MediaView,
};
use crate::{
    accounts::{Caller, caller::WriteMedia},
    http::{Problem, binary::SmallFile, json::JsonBody},
    site::Links,
};
use poem::web::Data;
use poem_openapi::{ApiRequest, Object, OpenApi, param::Path, payload::Json, types::Example};
use std::sync::Arc;

pub struct PosterApi;

#[OpenApi(tag = "Tag::Media")]
impl PosterApi {
    /// Set the poster of a film or a recording
    ///
    /// As JSON with a time in the film, or as a picture of up to a megabyte. All variants are made
    /// anew of it. A time needs `ffmpeg` on the server: without it the answer is 503.
    #[oai(path = "/media/:id/poster", method = "put", operation_id = "update_poster")]
    async fn put(
        &self,
        caller: Caller<WriteMedia>,
        uploads: Data<&Arc<Uploads>>,
        /// The item's id.
        id: Path<String>,
        request: PosterRequest,
    ) -> Result<Json<MediaView>, Problem> {
        let wish = match request {
            PosterRequest::At(body) => Wish::At(body.0.at_ms),
            PosterRequest::Picture(file) => Wish::Picture(file.0),
        };
        let (tenant, actor) = (&caller.tenant, &caller.actor);
        let media = poster::set(tenant, actor, &uploads, &id, wish).await?;
        Ok(Json(MediaView::new(media, actor, &Links::of(tenant, &caller.client))))
    }
}

#[derive(ApiRequest)]
enum PosterRequest {
    At(JsonBody<PosterAt>),
    Picture(SmallFile),
}

/// A moment of a film.
#[derive(Object)]
#[oai(example = true)]
struct PosterAt {
    /// In milliseconds from the start.
    at_ms: u64,
}

impl Example for PosterAt {
    fn example() -> Self {
        Self { at_ms: 12_500 }
    }
}
