//! The watermark over HTTP: parse, call, shape. No rule lives here.

use super::{
    api::Tag,
    upload::Uploads,
    watermark::{self, Mark},
};
use crate::{
    accounts::{Caller, caller::ManageSite},
    http::{Problem, binary::SmallFile},
};
use poem::web::Data;
use poem_openapi::{
    ApiResponse, Object, OpenApi,
    payload::{Binary, Json},
    types::Example,
};
use std::sync::Arc;

pub struct WatermarkApi;

#[OpenApi(tag = "Tag::Media")]
impl WatermarkApi {
    /// Set the watermark
    ///
    /// The body is the picture: a file of up to a megabyte, best a PNG with transparency. Where it
    /// goes, and whose uploads get it, stands in the settings `watermark_…`; it is used once
    /// `watermark_enabled` is on, for what is uploaded from then on.
    #[oai(path = "/site/watermark", method = "put", operation_id = "update_watermark")]
    async fn put(
        &self,
        caller: Caller<ManageSite>,
        uploads: Data<&Arc<Uploads>>,
        body: SmallFile,
    ) -> Result<Json<WatermarkView>, Problem> {
        let mark = watermark::put(&caller.tenant, &caller.actor, &uploads, body.0).await?;
        Ok(Json(WatermarkView::new(&mark)))
    }

    /// Get the watermark
    #[oai(path = "/site/watermark", method = "get", operation_id = "get_watermark")]
    async fn get(&self, caller: Caller<ManageSite>) -> Result<Picture, Problem> {
        let mark = watermark::get(&caller.tenant, &caller.actor).await?;
        Ok(Picture::Png(Binary(mark.png)))
    }

    /// Remove the watermark
    ///
    /// Pictures that have it keep it.
    #[oai(path = "/site/watermark", method = "delete", operation_id = "delete_watermark")]
    async fn remove(&self, caller: Caller<ManageSite>) -> Result<Removed, Problem> {
        watermark::remove(&caller.tenant, &caller.actor).await?;
        Ok(Removed::Done)
    }
}

#[derive(ApiResponse)]
enum Picture {
    /// The picture.
    #[oai(status = 200, content_type = "image/png")]
    Png(Binary<Vec<u8>>),
}

#[derive(ApiResponse)]
enum Removed {
    /// Done.
    #[oai(status = 204)]
    Done,
}

/// The watermark of the site, as it is kept.
#[derive(Object)]
#[oai(rename = "Watermark", example = true)]
struct WatermarkView {
    /// In pixels.
    width: u32,
    height: u32,
    bytes: u64,
    updated_at: String,
}

impl WatermarkView {
    fn new(mark: &Mark) -> Self {
        Self {
            width: mark.width,
            height: mark.height,
            bytes: mark.png.len() as u64,
            updated_at: mark.updated_at.to_rfc3339(),
        }
    }
}

impl Example for WatermarkView {
    fn example() -> Self {
        let updated_at = "2026-01-31T09:30:00.000Z".to_owned();
        Self { width: 400, height: 120, bytes: 8_320, updated_at }
    }
}
