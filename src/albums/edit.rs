//! Making albums, and changing what is said about them.

use super::{Album, DEEPEST, sql};
use crate::{
    accounts::Actor,
    base::{
        Error, Result,
        ids::{AlbumId, PublicId, UserId},
        text::{Description, Label},
        visibility::Visibility,
    },
    db::{Read, Write},
    media,
    tenancy::{Site, Tenant, limits::Limit},
};

/// What is to change. The outer `None` leaves a thing as it is; an inner one takes it away.
#[derive(Debug, Default)]
pub struct Edit {
    pub title: Option<Label>,
    pub description: Option<Option<Description>>,
    pub visibility: Option<Visibility>,
    pub parent: Option<Option<PublicId>>,
    pub cover: Option<Option<PublicId>>,
}

/// Makes an album of the actor's. Without a word about it, everybody may find it.
///
/// # Errors
/// `Unauthenticated` for guests; `LimitReached`; `Invalid` for a parent that is not theirs.
pub async fn create(tenant: &Tenant, actor: &Actor, title: Label, edit: Edit) -> Result<Album> {
    let owner = actor.user().ok_or(Error::Unauthenticated)?.id;
    let (id, allowance) = (PublicId::random()?, tenant.allowance());
    tenant
        .write(move |db| {
            allowance.check_in(db, Limit::MaxAlbums, 1)?;
            let visibility = edit.visibility.unwrap_or(Visibility::Public);
            sql::insert(db, &id, owner, title.as_str(), visibility)?;
            let album = sql::get(db, &id)?.ok_or(Error::NotFound("album"))?;
            write(db, album, Edit { title: Some(title), ..edit })
        })
        .await
}

/// Changes an album. What lies in it is as hidden as it is from then on.
///
/// # Errors
/// `Invalid` for a parent or a cover that cannot be one.
pub async fn update(tenant: &Tenant, actor: &Actor, id: &str, edit: Edit) -> Result<Album> {
    let id = PublicId::parse(id).ok_or(Error::NotFound("album"))?;
    let actor = actor.clone();
    let (album, is_noted) = tenant
        .write(move |db| {
            let album = sql::get(db, &id)?.ok_or(Error::NotFound("album"))?;
            album.check_edit(&actor)?;
            let open = sql::open_items(db, album.id)?;
            let album = write(db, album, edit)?;
            Ok((album, media::forget::note_hidden(db, &open)?))
        })
        .await?;
    media::forget::begin(tenant, is_noted).await?;
    Ok(album)
}

fn write(db: &Write<Site>, album: Album, edit: Edit) -> Result<Album> {
    let parent = match &edit.parent {
        Some(Some(id)) => Some(parent(db, &album, id)?),
        Some(None) => None,
        None => match &album.parent {
            Some(parent) => sql::get(db, &parent.public_id)?.map(|parent| parent.id),
            None => None,
        },
    };
    let cover = match edit.cover.as_ref().unwrap_or(&album.cover) {
        Some(item) => sql::item_in(db, album.id, item)?,
        None => None,
    };
    if matches!(edit.cover, Some(Some(_))) && cover.is_none() {
        return Err(Error::invalid("cover", "must be an item of the album"));
    }
    let description = match &edit.description {
        Some(description) => description.as_ref().map(Description::as_str),
        None => album.description.as_deref(),
    };
    let change = sql::Change {
        title: edit.title.as_ref().map_or(&album.title, Label::as_str),
        description,
        own_visibility: edit.visibility.unwrap_or(album.own_visibility),
        parent,
        cover,
    };
    sql::update(db, album.id, &change)?;
    sql::get(db, &album.public_id)?.ok_or(Error::NotFound("album"))
}

/// The album to put this one into.
fn parent(db: &Read<Site>, album: &Album, id: &PublicId) -> Result<AlbumId> {
    let invalid = |reason| Error::invalid("parent", reason);
    let parent = sql::get(db, id)?.filter(|parent| is_of(parent, album.owner));
    let parent = parent.ok_or_else(|| invalid("names no album of the same owner"))?;
    let line = sql::line(db, parent.id)?;
    if line.contains(&album.id) {
        return Err(invalid("lies in the album itself"));
    }
    let depth = u32::try_from(line.len()).unwrap_or(u32::MAX);
    if depth.saturating_add(sql::height(db, album.id)?) > DEEPEST {
        return Err(Error::invalid("parent", format!("is too deep: {DEEPEST} albums at most")));
    }
    Ok(parent.id)
}

fn is_of(album: &Album, owner: UserId) -> bool {
    album.owner == owner
}
