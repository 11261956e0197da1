//! Work on films over HTTP: parse, call, shape. No rule lives here.

use super::{api::Tag, transcode, upload::Uploads};
use crate::{
    accounts::{Caller, caller::WriteMedia},
    http::Problem,
    jobs::JobView,
};
use poem::web::Data;
use poem_openapi::{ApiResponse, OpenApi, param::Path, payload::Json};
use std::sync::Arc;

pub struct TranscodeApi;

#[OpenApi(tag = "Tag::Media")]
impl TranscodeApi {
    /// Make a film's previews and other encodings anew
    ///
    /// As the settings `video_preview` and `video_rendition` are now. Goes on in the background; the
    /// answer is the job. Needs `ffmpeg` on the server: without it the answer is 503.
    #[oai(path = "/media/:id/transcoding", method = "post", operation_id = "create_transcoding")]
    async fn start(
        &self,
        caller: Caller<WriteMedia>,
        uploads: Data<&Arc<Uploads>>,
        /// The item's id.
        id: Path<String>,
    ) -> Result<Started, Problem> {
        let job = transcode::start(&caller.tenant, &caller.actor, &uploads, &id).await?;
        Ok(Started::Accepted(Json(job.into())))
    }
}

#[derive(ApiResponse)]
enum Started {
    /// It will be done.
    #[oai(status = 202)]
    Accepted(Json<JobView>),
}
