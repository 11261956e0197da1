//! `/albums` over HTTP: parse, call, shape. No rule lives here.

use super::{
    Album, Contents, edit, listing, remove,
    view::{AlbumPageView, AlbumPatch, AlbumView, NewAlbumView},
};
use crate::{
    accounts::{
        Actor, Caller, Visitor,
        caller::{ReadMedia, WriteMedia},
    },
    base::{
        Result,
        page::{Ask, Page},
    },
    http::{Problem, json::JsonBody, paging::link_header},
    site::Links,
    tenancy::{Tenant, limits::Limit},
};
use poem_openapi::{
    ApiResponse, OpenApi, Tags,
    param::{Path, Query},
    payload::Json,
};

pub struct AlbumsApi;

#[derive(Tags)]
enum Tag {
    /// Arranging items.
    Albums,
}

#[OpenApi(tag = "Tag::Albums")]
impl AlbumsApi {
    /// List albums
    ///
    /// Newest first. Without `owner`: what is public, and what is yours. What lies in an album is
    /// listed by `GET /media?album=`.
    #[oai(path = "/albums", method = "get", operation_id = "list_albums")]
    async fn list(
        &self,
        visitor: Visitor<ReadMedia>,
        /// `me`, or a username.
        owner: Query<Option<String>>,
        /// The id of an album, for those that lie in it; or `none`, for those that lie in none.
        parent: Query<Option<String>>,
        /// How many albums, 1 to 100; 24 without it.
        limit: Query<Option<u32>>,
        /// The cursor `next` of the page before.
        after: Query<Option<String>>,
        /// The cursor `prev` of the page after.
        before: Query<Option<String>>,
    ) -> Result<Listed, Problem> {
        let (tenant, actor) = (&visitor.tenant, &visitor.actor);
        let most = tenant.allowance().limit(Limit::MaxItemsPerPage);
        let ask = Ask::parse(limit.0, after.as_deref(), before.as_deref())?.at_most(most);
        let (owner, parent) = (owner.as_deref(), parent.as_deref());
        let wanted = listing::Wanted::parse(owner, parent)?;
        let page = listing::list(tenant, actor, wanted, ask).await?;
        let links = Links::of(tenant, &visitor.client);
        let query = list_query(owner, parent, limit.0);
        let link = link_header(&page, &links.to("/api/v2/albums"), &query);
        let page = with_covers(tenant, actor, page).await?;
        Ok(Listed::Page(Json(AlbumPageView::new(page, actor, &links)), link))
    }

    /// Create an album
    #[oai(path = "/albums", method = "post", operation_id = "create_album")]
    async fn create(
        &self,
        caller: Caller<WriteMedia>,
        body: JsonBody<NewAlbumView>,
    ) -> Result<Made, Problem> {
        let (title, edit) = body.0.parse()?;
        let album = edit::create(&caller.tenant, &caller.actor, title, edit).await?;
        let links = Links::of(&caller.tenant, &caller.client);
        let at = links.to(&format!("/api/v2/albums/{}", album.public_id));
        Ok(Made::Album(Json(AlbumView::new(album, None, &caller.actor, &links)), at))
    }

    /// Get an album
    #[oai(path = "/albums/:id", method = "get", operation_id = "get_album")]
    async fn get(
        &self,
        visitor: Visitor<ReadMedia>,
        /// The album's id.
        id: Path<String>,
    ) -> Result<Json<AlbumView>, Problem> {
        let album = listing::find(&visitor.tenant, &visitor.actor, &id).await?;
        let links = Links::of(&visitor.tenant, &visitor.client);
        Ok(Json(view(&visitor.tenant, &visitor.actor, &links, album).await?))
    }

    /// Change an album
    ///
    /// A JSON Merge Patch (RFC 7396): what is not named stays as it is, and `null` takes a thing
    /// away. What lies in an album is never easier to see than the album.
    #[oai(path = "/albums/:id", method = "patch", operation_id = "update_album")]
    async fn update(
        &self,
        caller: Caller<WriteMedia>,
        /// The album's id.
        id: Path<String>,
        body: JsonBody<AlbumPatch>,
    ) -> Result<Json<AlbumView>, Problem> {
        let edit = body.0.parse()?;
        let album = edit::update(&caller.tenant, &caller.actor, &id, edit).await?;
        let links = Links::of(&caller.tenant, &caller.client);
        Ok(Json(view(&caller.tenant, &caller.actor, &links, album).await?))
    }

    /// Delete an album
    ///
    /// What lies in it moves to where it lay, and stays as hidden as it is; or goes too, items
    /// into the trash.
    #[oai(path = "/albums/:id", method = "delete", operation_id = "delete_album")]
    async fn delete(
        &self,
        caller: Caller<WriteMedia>,
        /// The album's id.
        id: Path<String>,
        /// What becomes of that which lies in it: `keep` or `trash`; `keep` without it.
        contents: Query<Option<String>>,
    ) -> Result<Removed, Problem> {
        let contents = Contents::parse(contents.as_deref())?;
        remove(&caller.tenant, &caller.actor, &id, contents).await?;
        Ok(Removed::Done)
    }
}

fn list_query(owner: Option<&str>, parent: Option<&str>, limit: Option<u32>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(owner.map(|owner| ("owner", owner)));
    query.extend_pairs(parent.map(|parent| ("parent", parent)));
    query.extend_pairs(limit.map(|limit| ("limit", limit.to_string())));
    query.finish()
}

async fn view(tenant: &Tenant, actor: &Actor, links: &Links, album: Album) -> Result<AlbumView> {
    let cover = listing::cover(tenant, actor, &album).await?;
    Ok(AlbumView::new(album, cover, actor, links))
}

async fn with_covers(
    tenant: &Tenant,
    actor: &Actor,
    page: Page<Album>,
) -> Result<Page<(Album, Option<crate::media::Media>)>> {
    let mut items = Vec::with_capacity(page.items.len());
    for album in page.items {
        let cover = listing::cover(tenant, actor, &album).await?;
        items.push((album, cover));
    }
    Ok(Page { items, next: page.next, prev: page.prev })
}

#[derive(ApiResponse)]
enum Listed {
    /// A page.
    #[oai(status = 200)]
    Page(
        Json<AlbumPageView>,
        /// The neighbouring pages, as RFC 8288 has it.
        #[oai(header = "Link")]
        Option<String>,
    ),
}

#[derive(ApiResponse)]
enum Made {
    /// The album is there.
    #[oai(status = 201)]
    Album(
        Json<AlbumView>,
        /// Where the album can be read.
        #[oai(header = "Location")]
        String,
    ),
}

#[derive(ApiResponse)]
enum Removed {
    /// Done.
    #[oai(status = 204)]
    Done,
}
