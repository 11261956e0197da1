//! `/uploads` over HTTP, as the tus protocol has it: parse, call, shape. No rule lives here.

use super::{
    EXTENSIONS, State, VERSION,
    append::{self, Bytes},
    begin::{self, Kind},
    cancel,
    checksum::{ALGORITHMS, Checksum},
    finish,
    piece::Piece,
};
use crate::{
    accounts::{
        Caller, Visitor,
        caller::{ReadMedia, WriteMedia},
    },
    base::{Error, Result},
    http::Problem,
    media::{spool::most_bytes, upload::Uploads},
    site::Links,
};
use poem::{
    Response,
    http::{HeaderValue, StatusCode},
    web::Data,
};
use poem_openapi::{
    ApiResponse, Object, OpenApi, Tags,
    param::{Header, Path},
    payload::Json,
    types::Example,
};
use std::sync::Arc;

pub struct UploadsApi;

/// Where the uploads are, below the start of the API.
const PATH: &str = "/uploads";

#[derive(Tags)]
enum Tag {
    /// Large files in pieces, which go on after a break: the tus protocol, version 1.0.0.
    Uploads,
}

#[OpenApi(tag = "Tag::Uploads")]
impl UploadsApi {
    /// See what the protocol can do here
    #[oai(path = "/uploads", method = "options", operation_id = "get_upload_protocol")]
    async fn protocol(&self, visitor: Visitor<ReadMedia>) -> Result<Protocol, Problem> {
        let most = most_bytes(&visitor.tenant).await?;
        let text = str::to_owned;
        Ok(Protocol::Known(text(VERSION), text(EXTENSIONS), most, text(ALGORITHMS)))
    }

    /// Begin an upload
    ///
    /// The answer says where to send the bytes. The first of them may come with the request. What
    /// is said about the file stands in `Upload-Metadata`, under the names of the form fields of
    /// `upload_media`.
    #[oai(path = "/uploads", method = "post", operation_id = "create_upload")]
    #[allow(clippy::too_many_arguments)]
    async fn create(
        &self,
        caller: Caller<WriteMedia>,
        uploads: Data<&Arc<Uploads>>,
        /// `1.0.0`.
        #[oai(name = "Tus-Resumable")]
        version: Header<Option<String>>,
        /// The bytes of the whole file.
        #[oai(name = "Upload-Length")]
        length: Header<Option<u64>>,
        /// Pairs of a key and a base64 value, parted by commas.
        #[oai(name = "Upload-Metadata")]
        metadata: Header<Option<String>>,
        /// `partial`, or `final;` and the addresses of the parts, parted by spaces.
        #[oai(name = "Upload-Concat")]
        concat: Header<Option<String>>,
        /// `sha256` or `sha1`, and the base64 of the sum of what comes along.
        #[oai(name = "Upload-Checksum")]
        checksum: Header<Option<String>>,
        piece: Piece,
    ) -> Result<Begun, Problem> {
        check_version(version.0.as_deref())?;
        let (tenant, actor) = (&caller.tenant, &caller.actor);
        let kind = Kind::parse(concat.0.as_deref())?;
        let is_joined = matches!(kind, Kind::Joined(_));
        let checksum = checksum.0.as_deref().map(Checksum::parse).transpose()?;
        let metadata = metadata.0.unwrap_or_default();
        let upload = begin::begin(tenant, actor, kind, length.0, metadata).await?;
        let location = Links::of(tenant, &caller.client).to(&address(upload.id.as_str()));
        let id = upload.id.clone();
        let state = match piece.0 {
            Some(body) if !is_joined => {
                let bytes = Bytes { offset: 0, checksum, body };
                append::append(tenant, actor, &uploads, id.as_str(), bytes).await?
            }
            _ if is_joined || upload.length == 0 => {
                finish::state(tenant, actor, &uploads, id.as_str()).await?
            }
            _ => State { upload, offset: 0 },
        };
        Ok(Begun::Created(location, state.offset, expires(&state), media(&state)))
    }

    /// Get how far an upload has come
    #[oai(path = "/uploads/:id", method = "head", operation_id = "get_upload_offset")]
    async fn offset(
        &self,
        caller: Caller<WriteMedia>,
        uploads: Data<&Arc<Uploads>>,
        /// The upload's id.
        id: Path<String>,
        /// `1.0.0`.
        #[oai(name = "Tus-Resumable")]
        version: Header<Option<String>>,
    ) -> Result<Offset, Problem> {
        check_version(version.0.as_deref())?;
        let state = finish::state(&caller.tenant, &caller.actor, &uploads, &id).await?;
        let upload = &state.upload;
        let metadata = Some(upload.metadata.clone()).filter(|text| !text.is_empty());
        Ok(Offset::Known(
            state.offset,
            upload.length,
            metadata,
            concat(&state, &Links::of(&caller.tenant, &caller.client)),
            expires(&state),
            media(&state),
            "no-store".to_owned(),
        ))
    }

    /// Get an upload
    ///
    /// For a day after it was complete, too: then it names the item that came of it.
    #[oai(path = "/uploads/:id", method = "get", operation_id = "get_upload")]
    async fn get(
        &self,
        caller: Caller<WriteMedia>,
        uploads: Data<&Arc<Uploads>>,
        /// The upload's id.
        id: Path<String>,
    ) -> Result<Json<UploadView>, Problem> {
        let state = finish::state(&caller.tenant, &caller.actor, &uploads, &id).await?;
        Ok(Json(UploadView::new(&state)))
    }

    /// Send bytes of an upload
    ///
    /// With the last of them the file is taken in: an answer other than 204 says why it is not.
    #[oai(path = "/uploads/:id", method = "patch", operation_id = "update_upload")]
    #[allow(clippy::too_many_arguments)]
    async fn append(
        &self,
        caller: Caller<WriteMedia>,
        uploads: Data<&Arc<Uploads>>,
        /// The upload's id.
        id: Path<String>,
        /// `1.0.0`.
        #[oai(name = "Tus-Resumable")]
        version: Header<Option<String>>,
        /// Where the bytes belong: how far the upload has come.
        #[oai(name = "Upload-Offset")]
        offset: Header<u64>,
        /// `sha256` or `sha1`, and the base64 of the sum of these bytes.
        #[oai(name = "Upload-Checksum")]
        checksum: Header<Option<String>>,
        piece: Piece,
    ) -> Result<Arrived, Problem> {
        check_version(version.0.as_deref())?;
        let checksum = checksum.0.as_deref().map(Checksum::parse).transpose()?;
        let body = piece.0.ok_or_else(|| {
            Error::Unsupported("bytes must be sent as application/offset+octet-stream".to_owned())
        })?;
        let bytes = Bytes { offset: offset.0, checksum, body };
        let (tenant, actor) = (&caller.tenant, &caller.actor);
        let state = append::append(tenant, actor, &uploads, &id, bytes).await?;
        Ok(Arrived::Taken(state.offset, expires(&state), media(&state)))
    }

    /// End an upload
    ///
    /// Its bytes go. The item that came of a complete one stays.
    #[oai(path = "/uploads/:id", method = "delete", operation_id = "delete_upload")]
    async fn cancel(
        &self,
        caller: Caller<WriteMedia>,
        /// The upload's id.
        id: Path<String>,
        /// `1.0.0`.
        #[oai(name = "Tus-Resumable")]
        version: Header<Option<String>>,
    ) -> Result<Ended, Problem> {
        check_version(version.0.as_deref())?;
        cancel(&caller.tenant, &caller.actor, &id).await?;
        Ok(Ended::Done)
    }
}

/// Says on every answer which protocol is spoken, as the protocol demands. `path` is below the
/// start of the API.
pub fn dress(path: &str, response: &mut Response) {
    if path != PATH && !path.starts_with("/uploads/") {
        return;
    }
    let headers = response.headers_mut();
    headers.insert("tus-resumable", HeaderValue::from_static(VERSION));
    if response.status() == StatusCode::PRECONDITION_FAILED {
        response.headers_mut().insert("tus-version", HeaderValue::from_static(VERSION));
    }
}

fn address(id: &str) -> String {
    format!("/api/v2{PATH}/{id}")
}

fn check_version(version: Option<&str>) -> Result<()> {
    match version {
        None | Some(VERSION) => Ok(()),
        Some(_) => Err(Error::WrongVersion("only version 1.0.0 of the protocol is spoken here")),
    }
}

/// As RFC 9110 writes moments.
fn expires(state: &State) -> String {
    httpdate::fmt_http_date(state.upload.expires_at.system_time())
}

fn media(state: &State) -> Option<String> {
    state.upload.media.as_ref().map(ToString::to_string)
}

fn concat(state: &State, links: &Links) -> Option<String> {
    match &state.upload.parts {
        Some(parts) => {
            let parts: Vec<_> = parts.split(' ').map(|id| links.to(&address(id))).collect();
            Some(format!("final;{}", parts.join(" ")))
        }
        None => state.upload.is_part.then(|| "partial".to_owned()),
    }
}

#[derive(ApiResponse)]
enum Protocol {
    /// What can be done.
    #[oai(status = 204)]
    Known(
        /// The versions that are spoken.
        #[oai(header = "Tus-Version")]
        String,
        /// What is understood beyond the core.
        #[oai(header = "Tus-Extension")]
        String,
        /// The largest file that the site takes, in bytes.
        #[oai(header = "Tus-Max-Size")]
        u64,
        /// The checksums that are understood.
        #[oai(header = "Tus-Checksum-Algorithm")]
        String,
    ),
}

#[derive(ApiResponse)]
enum Begun {
    /// It has begun.
    #[oai(status = 201)]
    Created(
        /// Where to send the bytes.
        #[oai(header = "Location")]
        String,
        /// How many bytes are here.
        #[oai(header = "Upload-Offset")]
        u64,
        /// Until when it waits for more.
        #[oai(header = "Upload-Expires")]
        String,
        /// The item that came of it.
        #[oai(header = "Upload-Media-Id")]
        Option<String>,
    ),
}

#[derive(ApiResponse)]
enum Offset {
    /// So far.
    #[oai(status = 200)]
    Known(
        /// How many bytes are here.
        #[oai(header = "Upload-Offset")]
        u64,
        /// How many there will be.
        #[oai(header = "Upload-Length")]
        u64,
        /// What was said about the file.
        #[oai(header = "Upload-Metadata")]
        Option<String>,
        /// What it is a part of, or joined from.
        #[oai(header = "Upload-Concat")]
        Option<String>,
        /// Until when it waits for more.
        #[oai(header = "Upload-Expires")]
        String,
        /// The item that came of it.
        #[oai(header = "Upload-Media-Id")]
        Option<String>,
        #[oai(header = "Cache-Control")] String,
    ),
}

#[derive(ApiResponse)]
enum Arrived {
    /// The bytes are here.
    #[oai(status = 204)]
    Taken(
        /// How many there are now.
        #[oai(header = "Upload-Offset")]
        u64,
        /// Until when it waits for more.
        #[oai(header = "Upload-Expires")]
        String,
        /// The item that came of it, when these were the last.
        #[oai(header = "Upload-Media-Id")]
        Option<String>,
    ),
}

#[derive(ApiResponse)]
enum Ended {
    /// Done.
    #[oai(status = 204)]
    Done,
}

/// An upload that comes in pieces.
#[derive(Object)]
#[oai(rename = "Upload", skip_serializing_if_is_none, example = true)]
struct UploadView {
    id: String,
    /// Bytes that are here.
    offset: u64,
    /// Bytes of the whole file.
    length: u64,
    /// Whether it is to be joined with others.
    is_part: bool,
    expires_at: String,
    /// The item that came of it.
    media_id: Option<String>,
}

impl UploadView {
    fn new(state: &State) -> Self {
        Self {
            id: state.upload.id.to_string(),
            offset: state.offset,
            length: state.upload.length,
            is_part: state.upload.is_part,
            expires_at: state.upload.expires_at.to_rfc3339(),
            media_id: media(state),
        }
    }
}

impl Example for UploadView {
    fn example() -> Self {
        Self {
            id: "4hTr7WqM2k".to_owned(),
            offset: 8_388_608,
            length: 52_428_800,
            is_part: false,
            expires_at: "2026-02-01T09:30:00.000Z".to_owned(),
            media_id: None,
        }
    }
}
