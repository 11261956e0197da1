//! Every statement about items that move between storages.

use crate::{
    base::{
        Result,
        ids::{MediaId, PublicId, StorageId},
    },
    db::{Read, Write},
    sql,
    storage::{Folder, LOCAL},
    tenancy::Site,
};
use rusqlite::{OptionalExtension, Row};

sql! {
    NEXT_LOCAL = "SELECT id, public_id FROM media WHERE storage_id IS NULL AND id > ?1
        ORDER BY id LIMIT 1";
    NEXT = "SELECT id, public_id FROM media WHERE storage_id = ?2 AND id > ?1 ORDER BY id LIMIT 1";
    SOURCE = "SELECT source_file, source_mime FROM media WHERE id = ?1
        AND source_file IS NOT NULL";
    // Pictures made on demand lay beside the old files.
    DROP_RENDERINGS = "DELETE FROM renderings WHERE media_id = ?1";
    SWITCH = "UPDATE media SET storage_id = ?2, folder = ?3, shared_folder = ?4, shared_file = ?5
        WHERE id = ?1";
}

/// The first item of a storage after this one.
pub(in crate::media) fn next(
    db: &Read<Site>,
    from: StorageId,
    after: i64,
) -> Result<Option<(MediaId, PublicId)>> {
    let read = |r: &Row| Ok((r.get(0)?, r.get(1)?));
    let found = match from {
        LOCAL => db.prepare_cached(NEXT_LOCAL)?.query_row([after], read).optional()?,
        from => db.prepare_cached(NEXT)?.query_row((after, from), read).optional()?,
    };
    Ok(found)
}

/// The file as it was uploaded, where it is kept, and its media type.
pub(in crate::media) fn source(db: &Read<Site>, id: MediaId) -> Result<Option<(String, String)>> {
    let read = |r: &Row| Ok((r.get(0)?, r.get(1)?));
    Ok(db.prepare_cached(SOURCE)?.query_row([id], read).optional()?)
}

/// Says where the item's files are now.
pub(in crate::media) fn switch(
    db: &Write<Site>,
    id: MediaId,
    to: StorageId,
    folder: &Folder,
    shared: Option<&(Folder, String)>,
) -> Result<()> {
    db.prepare_cached(DROP_RENDERINGS)?.execute([id])?;
    let to = Some(to).filter(|to| *to != LOCAL);
    let (shared_folder, shared_file) = shared.map(|(folder, file)| (folder, file)).unzip();
    db.prepare_cached(SWITCH)?.execute((id, to, folder, shared_folder, shared_file))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_statement_prepares() {
        crate::db::sql::assert_prepares::<crate::tenancy::Site>(super::STATEMENTS);
    }
}
