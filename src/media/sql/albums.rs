//! What media ask of the albums they lie in. Albums themselves are written elsewhere.

use crate::{
    base::{
        Result,
        ids::{AlbumId, MediaId, PublicId, UserId},
        visibility::Visibility,
    },
    db::{Read, Write},
    sql,
    tenancy::Site,
};
use rusqlite::OptionalExtension;

sql! {
    FIND = "SELECT id, owner_id, visibility FROM albums WHERE public_id = ?1";
    PUT = "UPDATE media SET album_id = ?2 WHERE id = ?1";
}

/// An album, as far as it matters here.
#[derive(Debug, Clone, Copy)]
pub(in crate::media) struct Album {
    pub id: AlbumId,
    pub owner: UserId,
    pub visibility: Visibility,
}

pub(in crate::media) fn find(db: &Read<Site>, id: &PublicId) -> Result<Option<Album>> {
    let mut statement = db.prepare_cached(FIND)?;
    let album = statement
        .query_row([id], |r| Ok(Album { id: r.get(0)?, owner: r.get(1)?, visibility: r.get(2)? }));
    Ok(album.optional()?)
}

/// Puts an item into an album, or takes it out of the one it lies in.
pub(in crate::media) fn put(db: &Write<Site>, id: MediaId, album: Option<AlbumId>) -> Result<()> {
    db.prepare_cached(PUT)?.execute((id, album))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_statement_prepares() {
        crate::db::sql::assert_prepares::<crate::tenancy::Site>(super::STATEMENTS);
    }
}
