//! The album that an item is put into, or looked for in. What an album is, is not said here.

use super::sql::albums::{Album, find};
use crate::{
    accounts::{Actor, Role},
    base::{
        Error, Result,
        ids::{AlbumId, PublicId, UserId},
        visibility::Visibility,
    },
    db::Read,
    tenancy::Site,
};

/// Reads what a client calls an album.
///
/// # Errors
/// `Invalid` for what cannot be the id of one.
pub(super) fn parse(text: &str) -> Result<PublicId> {
    PublicId::parse(text.trim()).ok_or_else(no_album)
}

/// The album as a place for an item of this owner: what lies in an album is its owner's.
///
/// # Errors
/// `Invalid` for an album that there is not, or that is somebody else's.
pub(super) fn place(db: &Read<Site>, id: &PublicId, owner: UserId) -> Result<AlbumId> {
    let album = find(db, id)?.filter(|album| album.owner == owner);
    album.map(|album| album.id).ok_or_else(no_album)
}

/// The album, and whether the actor sees all that is in it.
///
/// # Errors
/// `NotFound` where the actor may not know of it.
pub(super) fn to_look_into(
    db: &Read<Site>,
    actor: &Actor,
    id: &PublicId,
) -> Result<(AlbumId, bool)> {
    let album: Album = find(db, id)?.ok_or(Error::NotFound("album"))?;
    let is_keeper = actor.is(album.owner) || actor.has_role(Role::Manager);
    if !is_keeper && album.visibility == Visibility::Private {
        return Err(Error::NotFound("album"));
    }
    Ok((album.id, is_keeper))
}

fn no_album() -> Error {
    Error::invalid("album", "names no album of the owner of the item")
}
