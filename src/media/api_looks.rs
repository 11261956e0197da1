//! Pictures that look alike, and those that are blocked, over HTTP: parse, call, shape. No rule
//! lives here.

use super::{
    Media,
    api::Tag,
    blocklist::{self, Blocked},
    view::{MediaView, hex},
};
use crate::{
    accounts::{
        Actor, Caller,
        caller::{ManageMedia, ReadMedia},
    },
    base::Error,
    http::{Problem, json::JsonBody},
    site::Links,
};
use poem_openapi::{
    ApiResponse, Object, OpenApi,
    param::{Path, Query},
    payload::Json,
    types::Example,
};

pub struct LooksApi;

/// What counts as alike where nobody says.
const ALIKE: u32 = 10;
const MOST_ALIKE: u32 = 20;
const COUNT: u32 = 24;
const MOST: u32 = 100;

#[OpenApi(tag = "Tag::Media")]
impl LooksApi {
    /// List items that look like this one
    ///
    /// The most alike first: the same picture scaled, encoded anew or a little lighter. Nothing
    /// for pictures of too little structure.
    #[oai(path = "/media/:id/similar", method = "get", operation_id = "list_similar_media")]
    async fn similar(
        &self,
        caller: Caller<ReadMedia>,
        /// The item's id.
        id: Path<String>,
        /// In how many of 64 features they may differ, 0 to 20; 10 without it.
        distance: Query<Option<u32>>,
        /// How many items, 1 to 100; 24 without it.
        limit: Query<Option<u32>>,
    ) -> Result<Json<SimilarListView>, Problem> {
        let distance = within("distance", distance.0, ALIKE, 0..=MOST_ALIKE)?;
        let count = within("limit", limit.0, COUNT, 1..=MOST)? as usize;
        let (tenant, actor) = (&caller.tenant, &caller.actor);
        let found = blocklist::similar(tenant, actor, &id, distance, count).await?;
        let links = Links::of(tenant, &caller.client);
        Ok(Json(SimilarListView::new(found, actor, &links)))
    }

    /// List blocked pictures
    ///
    /// The newest first, at most 1000.
    #[oai(path = "/blocked-pictures", method = "get", operation_id = "list_blocked_pictures")]
    async fn list(&self, caller: Caller<ManageMedia>) -> Result<Json<BlockedListView>, Problem> {
        let all = blocklist::list(&caller.tenant, &caller.actor).await?;
        Ok(Json(BlockedListView { items: all.into_iter().map(BlockedView::new).collect() }))
    }

    /// Block a picture
    ///
    /// Nobody can upload it again, nor one that looks like it, as far as the setting
    /// `blocklist_distance` says. The item itself stays: delete it where it should go.
    #[oai(path = "/blocked-pictures", method = "post", operation_id = "create_blocked_picture")]
    async fn block(
        &self,
        caller: Caller<ManageMedia>,
        body: JsonBody<BlockRequest>,
    ) -> Result<Added, Problem> {
        let BlockRequest { media_id, reason } = body.0;
        let (tenant, actor) = (&caller.tenant, &caller.actor);
        let blocked = blocklist::block(tenant, actor, &media_id, reason.as_deref()).await?;
        Ok(Added::Blocked(Json(BlockedView::new(blocked))))
    }

    /// Let a blocked picture be uploaded again
    #[oai(
        path = "/blocked-pictures/:id",
        method = "delete",
        operation_id = "delete_blocked_picture"
    )]
    async fn unblock(
        &self,
        caller: Caller<ManageMedia>,
        /// The id of the blocked picture.
        id: Path<String>,
    ) -> Result<Unblocked, Problem> {
        blocklist::unblock(&caller.tenant, &caller.actor, &id).await?;
        Ok(Unblocked::Done)
    }
}

fn within(
    field: &'static str,
    value: Option<u32>,
    usual: u32,
    range: std::ops::RangeInclusive<u32>,
) -> Result<u32, Error> {
    let value = value.unwrap_or(usual);
    if range.contains(&value) {
        return Ok(value);
    }
    Err(Error::invalid(field, format!("must be from {} to {}", range.start(), range.end())))
}

#[derive(ApiResponse)]
enum Added {
    /// It is blocked.
    #[oai(status = 201)]
    Blocked(Json<BlockedView>),
}

#[derive(ApiResponse)]
enum Unblocked {
    /// Done.
    #[oai(status = 204)]
    Done,
}

/// An item that looks like another.
#[derive(Object)]
#[oai(rename = "SimilarMedia")]
struct SimilarView {
    /// In how many of 64 features the two differ.
    distance: u32,
    media: MediaView,
}

/// Items that look like one, the most alike first.
#[derive(Object)]
#[oai(rename = "SimilarMediaList", example = true)]
struct SimilarListView {
    items: Vec<SimilarView>,
}

impl SimilarListView {
    fn new(found: Vec<(u32, Media)>, actor: &Actor, links: &Links) -> Self {
        let view = |(distance, media)| SimilarView {
            distance,
            media: MediaView::new(media, actor, links),
        };
        Self { items: found.into_iter().map(view).collect() }
    }
}

impl Example for SimilarListView {
    fn example() -> Self {
        Self { items: vec![SimilarView { distance: 2, media: MediaView::example() }] }
    }
}

/// A picture to be blocked.
#[derive(Object)]
#[oai(example = true)]
struct BlockRequest {
    /// The id of the item that shows it.
    media_id: String,
    /// Why, for those who look after the site.
    reason: Option<String>,
}

impl Example for BlockRequest {
    fn example() -> Self {
        Self { media_id: "8fKq2ZtP9x".to_owned(), reason: Some("Spam".to_owned()) }
    }
}

/// A picture that nobody may upload.
#[derive(Object)]
#[oai(rename = "BlockedPicture", skip_serializing_if_is_none, example = true)]
struct BlockedView {
    id: String,
    /// The hash of the file that was blocked, as `sha256:` and hexadecimal digits.
    checksum: String,
    /// Whether others that look like it are known again; otherwise only the very same file is.
    by_looks: bool,
    reason: Option<String>,
    /// Who blocked it.
    blocked_by: String,
    created_at: String,
}

impl BlockedView {
    fn new(blocked: Blocked) -> Self {
        Self {
            id: blocked.public_id.to_string(),
            checksum: format!("sha256:{}", hex(&blocked.sha256)),
            by_looks: blocked.looks != 0,
            reason: blocked.reason,
            blocked_by: blocked.blocked_by,
            created_at: blocked.created_at.to_rfc3339(),
        }
    }
}

impl Example for BlockedView {
    fn example() -> Self {
        Self {
            id: "4hTr7WqM2k".to_owned(),
            checksum: format!("sha256:{}", "0".repeat(64)),
            by_looks: true,
            reason: Some("Spam".to_owned()),
            blocked_by: "ana".to_owned(),
            created_at: "2026-01-31T09:30:00.000Z".to_owned(),
        }
    }
}

/// Blocked pictures, the newest first.
#[derive(Object)]
#[oai(rename = "BlockedPictureList", example = true)]
struct BlockedListView {
    items: Vec<BlockedView>,
}

impl Example for BlockedListView {
    fn example() -> Self {
        Self { items: vec![BlockedView::example()] }
    }
}
