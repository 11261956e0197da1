//! `/media` over HTTP: parse, call, shape. No rule lives here.

use super::{
    delete, edit, listing,
    patch::MediaPatch,
    quota, remote,
    request::UploadRequest,
    upload::{Outcome, Receiving, Uploads},
    view::{MediaPageView, MediaView},
    view_quota::QuotaView,
};
use crate::{
    accounts::{
        Caller, Visitor,
        caller::{ReadMedia, WriteMedia},
    },
    base::{Error, Result, page::Ask, secret::Secret},
    http::{
        Problem,
        json::{JsonBody, LargeJsonBody},
        paging::link_header,
    },
    site::Links,
    tenancy::limits::Limit,
};
use poem::web::Data;
use poem_openapi::{
    ApiResponse, Object, OpenApi, Tags,
    param::{Header, Path, Query},
    payload::Json,
    types::Example,
};
use std::sync::Arc;

pub struct MediaApi;

#[derive(Tags)]
pub(super) enum Tag {
    /// Uploading pictures, finding them, changing and deleting them.
    Media,
}

#[OpenApi(tag = "Tag::Media")]
impl MediaApi {
    /// Upload a file
    ///
    /// As a form with the file in it, or as JSON with a `url` to fetch or the file in `base64`.
    /// What the bytes are is found out from the bytes; a wrong file name is corrected. A file
    /// that you have here already is not stored again: the answer is the item there is.
    #[oai(path = "/media", method = "post", operation_id = "upload_media")]
    async fn upload(
        &self,
        caller: Caller<WriteMedia>,
        uploads: Data<&Arc<Uploads>>,
        request: UploadRequest,
    ) -> Result<Uploaded, Problem> {
        let outcome = take_in(&uploads, &caller, request).await?;
        Ok(Uploaded::new(outcome, &caller))
    }

    /// Get your quota
    ///
    /// What you keep here, and what the site lets you keep. Beyond it, uploads are refused with the
    /// code `quota_reached`.
    #[oai(path = "/quota", method = "get", operation_id = "get_quota")]
    async fn quota(&self, caller: Caller<ReadMedia>) -> Result<Json<QuotaView>, Problem> {
        Ok(Json(quota::own(&caller.tenant, &caller.actor).await?.into()))
    }

    /// List media
    ///
    /// Newest first. Without `owner`: what is public, and what is yours.
    #[oai(path = "/media", method = "get", operation_id = "list_media")]
    #[allow(clippy::too_many_arguments)]
    async fn list(
        &self,
        visitor: Visitor<ReadMedia>,
        /// `me`, or a username.
        owner: Query<Option<String>>,
        /// What lies in the trash, instead of what does not.
        trashed: Query<Option<bool>>,
        /// The id of an album: what lies in it.
        album: Query<Option<String>>,
        /// What has this tag.
        tag: Query<Option<String>>,
        /// What you made of one file: `sha256:` and the hash of its bytes as they were sent. With
        /// `owner=me`; so a client finds out whether a file is here already.
        checksum: Query<Option<String>>,
        /// How many items, 1 to 100; 24 without it.
        limit: Query<Option<u32>>,
        /// The cursor `next` of the page before.
        after: Query<Option<String>>,
        /// The cursor `prev` of the page after.
        before: Query<Option<String>>,
    ) -> Result<Listed, Problem> {
        let most = visitor.tenant.allowance().limit(Limit::MaxItemsPerPage);
        let ask = Ask::parse(limit.0, after.as_deref(), before.as_deref())?.at_most(most);
        let trashed = trashed.unwrap_or(false);
        let (owner, album, tag) = (owner.as_deref(), album.as_deref(), tag.as_deref());
        let wanted = listing::Wanted::parse(owner, trashed, album, tag)?;
        let wanted = wanted.made_of(checksum.as_deref())?;
        let page = listing::list(&visitor.tenant, &visitor.actor, wanted, ask).await?;
        let links = Links::of(&visitor.tenant, &visitor.client);
        let words =
            [("owner", owner), ("album", album), ("tag", tag), ("checksum", checksum.as_deref())];
        let query = list_query(words, trashed, limit.0);
        let link = link_header(&page, &links.to("/api/v2/media"), &query);
        Ok(Listed::Page(Json(MediaPageView::new(page, &visitor.actor, &links)), link))
    }

    /// Get an item
    #[oai(path = "/media/:id", method = "get", operation_id = "get_media")]
    async fn get(
        &self,
        visitor: Visitor<ReadMedia>,
        /// The item's id.
        id: Path<String>,
    ) -> Result<Found, Problem> {
        let media = listing::find(&visitor.tenant, &visitor.actor, &id).await?;
        let etag = edit::etag(&media);
        let links = Links::of(&visitor.tenant, &visitor.client);
        Ok(Found::Media(Json(MediaView::new(media, &visitor.actor, &links)), etag))
    }

    /// Change an item
    ///
    /// A JSON Merge Patch (RFC 7396): what is not named stays as it is, and `null` takes a thing
    /// away. With `If-Match`, only if nobody else changed it since.
    #[oai(path = "/media/:id", method = "patch", operation_id = "update_media")]
    async fn update(
        &self,
        caller: Caller<WriteMedia>,
        /// The item's id.
        id: Path<String>,
        /// The `ETag` of the state that is to be changed.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        body: JsonBody<MediaPatch>,
    ) -> Result<Found, Problem> {
        let change = body.0.parse()?;
        let (tenant, actor) = (&caller.tenant, &caller.actor);
        let media = edit::edit(tenant, actor, &id, change, if_match.0).await?;
        let etag = edit::etag(&media);
        let links = Links::of(tenant, &caller.client);
        Ok(Found::Media(Json(MediaView::new(media, actor, &links)), etag))
    }

    /// Delete an item
    ///
    /// Into the trash, or for good with `permanent`.
    #[oai(path = "/media/:id", method = "delete", operation_id = "delete_media")]
    async fn delete(
        &self,
        caller: Caller<WriteMedia>,
        /// The item's id.
        id: Path<String>,
        /// For good, past the trash.
        permanent: Query<Option<bool>>,
    ) -> Result<Deleted, Problem> {
        if permanent.unwrap_or(false) {
            delete::purge(&caller.tenant, &caller.actor, &id).await?;
        } else {
            delete::trash(&caller.tenant, &caller.actor, &id).await?;
        }
        Ok(Deleted::Done)
    }

    /// Restore an item from the trash
    #[oai(path = "/media/:id/restore", method = "post", operation_id = "restore_media")]
    async fn restore(
        &self,
        caller: Caller<WriteMedia>,
        /// The item's id.
        id: Path<String>,
    ) -> Result<Json<MediaView>, Problem> {
        let media = delete::restore(&caller.tenant, &caller.actor, &id).await?;
        let links = Links::of(&caller.tenant, &caller.client);
        Ok(Json(MediaView::new(media, &caller.actor, &links)))
    }

    /// Delete an item by its delete link
    ///
    /// `key` is the last part of the `delete_url` in the answer that created the item. The item
    /// goes into the trash.
    #[oai(
        path = "/media/:id/delete-with-key",
        method = "post",
        operation_id = "delete_media_with_key"
    )]
    async fn delete_with_key(
        &self,
        visitor: Visitor<WriteMedia>,
        /// The item's id.
        id: Path<String>,
        body: JsonBody<DeleteKey>,
    ) -> Result<Deleted, Problem> {
        delete::trash_with_key(&visitor.tenant, &id, &Secret::new(&body.0.key)).await?;
        Ok(Deleted::Done)
    }
}

async fn take_in(
    uploads: &Arc<Uploads>,
    caller: &Caller<WriteMedia>,
    request: UploadRequest,
) -> Result<Outcome> {
    let (tenant, actor) = (&caller.tenant, &caller.actor);
    let from = match request {
        UploadRequest::Form(form) => {
            let mut receiving = Receiving::begin(tenant, actor).await?;
            let (filename, details) = form.receive(&mut receiving).await?;
            return receiving.finish(uploads, filename, details).await;
        }
        UploadRequest::Json(LargeJsonBody(from)) => from,
    };
    let details = from.details()?;
    match (from.url, from.base64) {
        (Some(url), None) => remote::from_url(uploads, tenant, actor, &url, details).await,
        (None, Some(text)) => {
            let name = from.filename.unwrap_or_default();
            remote::from_base64(uploads, tenant, actor, text, &name, details).await
        }
        (None, None) => Err(Error::invalid("url", "is missing; `base64` would do as well")),
        (Some(_), Some(_)) => Err(Error::invalid("base64", "cannot be combined with `url`")),
    }
}

fn list_query(words: [(&str, Option<&str>); 4], trashed: bool, limit: Option<u32>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in words {
        query.extend_pairs(value.map(|value| (name, value)));
    }
    if trashed {
        query.append_pair("trashed", "true");
    }
    if let Some(limit) = limit {
        query.append_pair("limit", &limit.to_string());
    }
    query.finish()
}

#[derive(ApiResponse)]
pub(super) enum Uploaded {
    /// You have this file here already, as this item.
    #[oai(status = 200)]
    Known(Json<MediaView>),
    /// The file is stored.
    #[oai(status = 201)]
    Created(
        Json<MediaView>,
        /// Where the item can be read.
        #[oai(header = "Location")]
        String,
    ),
}

impl Uploaded {
    pub(super) fn new(outcome: Outcome, caller: &Caller<WriteMedia>) -> Self {
        let links = Links::of(&caller.tenant, &caller.client);
        match outcome {
            Outcome::Created(media, secret) => {
                let at = links.to(&format!("/api/v2/media/{}", media.public_id));
                Self::Created(Json(MediaView::created(media, &secret, &caller.actor, &links)), at)
            }
            Outcome::Duplicate(media) => {
                Self::Known(Json(MediaView::duplicate(media, &caller.actor, &links)))
            }
        }
    }
}

#[derive(ApiResponse)]
enum Listed {
    /// A page.
    #[oai(status = 200)]
    Page(
        Json<MediaPageView>,
        /// The neighbouring pages, as RFC 8288 has it.
        #[oai(header = "Link")]
        Option<String>,
    ),
}

#[derive(ApiResponse)]
enum Found {
    /// The item.
    #[oai(status = 200)]
    Media(
        Json<MediaView>,
        /// Names this state of the item.
        #[oai(header = "ETag")]
        String,
    ),
}

#[derive(ApiResponse)]
enum Deleted {
    /// Done.
    #[oai(status = 204)]
    Done,
}

#[derive(Object)]
#[oai(example = true)]
struct DeleteKey {
    /// The last part of the item's `delete_url`.
    key: String,
}

impl Example for DeleteKey {
    fn example() -> Self {
        Self { key: "5Hue…".to_owned() }
    }
}
