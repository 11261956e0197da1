//! Every statement about files that are to be removed, and about bytes that items share.

use crate::{
    base::{
        Clock, Result,
        clock::Millis,
        ids::{MediaId, StorageId},
    },
    db::{Read, Write},
    media::Place,
    sql,
    storage::{Folder, Unconfirmed},
    tenancy::Site,
};
use rusqlite::{OptionalExtension, Row, params};

sql! {
    FILES = "SELECT file FROM media WHERE id = ?1 AND shared_folder IS NULL
        UNION ALL SELECT source_file FROM media WHERE id = ?1 AND source_file IS NOT NULL
        UNION ALL SELECT file FROM variants WHERE media_id = ?1";
    PLACE = "SELECT coalesce(storage_id, 1), folder, shared_folder, shared_file FROM media
        WHERE id = ?1";
    // What others still share of the item's folder.
    KEEP = "SELECT shared_file FROM media WHERE shared_folder = ?1
        AND coalesce(storage_id, 1) = ?2 AND id <> ?3 LIMIT 1";
    IS_ALIVE = "SELECT 1 FROM media WHERE coalesce(storage_id, 1) = ?1 AND id <> ?3
        AND (folder = ?2 OR shared_folder = ?2) LIMIT 1";
    INSERT = "INSERT INTO removals (storage_id, folder, files, is_whole, keep, next_at, parts)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    DELETE_ITEM = "DELETE FROM media WHERE id = ?1";
    DUE = "SELECT id, storage_id, folder, files, is_whole, keep, attempts, parts FROM removals
        WHERE next_at <= ?1 ORDER BY next_at, id LIMIT 200";
    NEXT = "SELECT min(next_at) FROM removals";
    DONE = "DELETE FROM removals WHERE id = ?1";
    SOME_ELSEWHERE = "SELECT id FROM media WHERE storage_id IS NOT NULL LIMIT 200";
    PUT_OFF = "UPDATE removals SET next_at = ?2 WHERE storage_id = ?1 AND next_at < ?2";
    REMAINING = "SELECT storage_id, sum(json_array_length(files)), max(problem), min(next_at)
        FROM removals WHERE storage_id <> 1 GROUP BY storage_id";
    AGAIN = "UPDATE removals SET attempts = attempts + 1, next_at = ?2, problem = ?3
        WHERE id = ?1";
    TWIN = "SELECT coalesce(shared_folder, folder), coalesce(shared_file, file) FROM media
        WHERE sha256 = ?1 AND coalesce(storage_id, 1) = ?2 AND bytes = ?3
            AND (visibility <> 'private' AND trashed_at IS NULL
                OR NOT EXISTS (SELECT 1 FROM storages WHERE id = ?2 AND public_url IS NOT NULL))
        LIMIT 1";
    // The files of whichever item has this folder.
    NAMED = "SELECT file FROM media WHERE folder = ?1 AND coalesce(storage_id, 1) = ?2
        UNION ALL SELECT source_file FROM media WHERE folder = ?1
            AND coalesce(storage_id, 1) = ?2 AND source_file IS NOT NULL
        UNION ALL SELECT v.file FROM variants v JOIN media m ON m.id = v.media_id
            WHERE m.folder = ?1 AND coalesce(m.storage_id, 1) = ?2";
    EXISTS = "SELECT 1 FROM media WHERE folder = ?1 AND coalesce(storage_id, 1) = ?2";
}

/// Files that no row names any more.
#[derive(Debug, Clone)]
pub(in crate::media) struct Removal {
    pub id: i64,
    pub what: Unconfirmed,
    pub is_whole: bool,
    pub keep: Option<String>,
    pub attempts: u32,
}

/// Removes the row of an item now, and notes that its bytes are to follow: those that no other
/// item shares.
pub(in crate::media) fn purge(db: &Write<Site>, id: MediaId) -> Result<()> {
    note_item(db, id)?;
    db.prepare_cached(DELETE_ITEM)?.execute([id])?;
    Ok(())
}

/// Notes that all files of an item are to go from where they are, for it is no more, or is
/// somewhere else.
pub(in crate::media) fn note_item(db: &Write<Site>, id: MediaId) -> Result<()> {
    let read = |r: &Row| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?));
    let found = db.prepare_cached(PLACE)?.query_row([id], read).optional()?;
    let Some((storage, folder, shared, shared_file)) = found else { return Ok(()) };
    let (folder, shared): (Folder, Option<Folder>) = (folder, shared);
    let mut statement = db.prepare_cached(FILES)?;
    let files = statement.query_map([id], |r| r.get(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut keep = db.prepare_cached(KEEP)?;
    let keep = keep.query_row((&folder, storage, id), |r| r.get::<_, String>(0)).optional()?;
    let files = files.into_iter().filter(|file| Some(file) != keep.as_ref()).collect();
    insert(db, &gone(storage, folder, files), true, keep.as_deref())?;
    if let (Some(shared), Some(file)) = (shared, shared_file)
        && !db.prepare_cached(IS_ALIVE)?.exists((storage, &shared, id))?
    {
        insert(db, &gone(storage, shared, vec![file]), true, None)?;
    }
    Ok(())
}

/// Notes that what landed has no row.
pub(in crate::media) fn note_unconfirmed(db: &Write<Site>, open: &Unconfirmed) -> Result<()> {
    insert(db, open, true, None)
}

/// Notes that those of the files are to go that their item, which lives on, does not name.
pub(in crate::media) fn note_unnamed(db: &Write<Site>, mut open: Unconfirmed) -> Result<()> {
    let mut statement = db.prepare_cached(NAMED)?;
    let named = statement.query_map((&open.folder, open.storage), |r| r.get(0))?;
    let named = named.collect::<rusqlite::Result<Vec<String>>>()?;
    open.files.retain(|file| !named.contains(file));
    open.parts.retain(|parts| !named.contains(&parts.file));
    if open.files.is_empty() {
        return Ok(());
    }
    insert(db, &open, false, None)
}

/// Notes that these files of an item are to go, which lives on.
pub(in crate::media) fn note_files(
    db: &Write<Site>,
    storage: StorageId,
    folder: &Folder,
    files: Vec<String>,
) -> Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    insert(db, &gone(storage, folder.clone(), files), false, None)
}

fn gone(storage: StorageId, folder: Folder, files: Vec<String>) -> Unconfirmed {
    Unconfirmed { storage, folder, files, parts: Vec::new() }
}

fn insert(db: &Write<Site>, what: &Unconfirmed, is_whole: bool, keep: Option<&str>) -> Result<()> {
    let files = serde_json::to_string(&what.files)?;
    let parts = serde_json::to_string(&what.parts)?;
    let (storage, folder, now) = (what.storage, &what.folder, Clock::now());
    let row = params![storage, folder, files, is_whole, keep, now, parts];
    db.prepare_cached(INSERT)?.execute(row)?;
    Ok(())
}

/// Up to 200 of them whose time has come.
pub(in crate::media) fn due(db: &Read<Site>) -> Result<Vec<Removal>> {
    let mut statement = db.prepare_cached(DUE)?;
    let rows = statement.query_map([Clock::now()], |r| {
        Ok(Removal {
            id: r.get(0)?,
            what: Unconfirmed {
                storage: r.get(1)?,
                folder: r.get(2)?,
                files: serde_json::from_str(&r.get::<_, String>(3)?).unwrap_or_default(),
                parts: serde_json::from_str(&r.get::<_, String>(7)?).unwrap_or_default(),
            },
            is_whole: r.get(4)?,
            keep: r.get(5)?,
            attempts: r.get(6)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// When the next one is to be tried.
pub(in crate::media) fn next(db: &Read<Site>) -> Result<Option<Millis>> {
    Ok(db.prepare_cached(NEXT)?.query_row([], |r| r.get(0))?)
}

pub(in crate::media) fn done(db: &Write<Site>, id: i64) -> Result<()> {
    db.prepare_cached(DONE)?.execute([id])?;
    Ok(())
}

pub(in crate::media) fn again(db: &Write<Site>, id: i64, at: Millis, problem: &str) -> Result<()> {
    db.prepare_cached(AGAIN)?.execute((id, at, problem))?;
    Ok(())
}

/// Leaves all removals from a storage alone until then: it does not work at the moment.
pub(in crate::media) fn put_off(db: &Write<Site>, storage: StorageId, until: Millis) -> Result<()> {
    db.prepare_cached(PUT_OFF)?.execute((storage, until))?;
    Ok(())
}

/// [`purge`] of some items that lie elsewhere. Whether there were any.
pub(in crate::media) fn purge_some_elsewhere(db: &Write<Site>) -> Result<bool> {
    let mut statement = db.prepare_cached(SOME_ELSEWHERE)?;
    let ids = statement.query_map([], |r| r.get(0))?.collect::<rusqlite::Result<Vec<MediaId>>>()?;
    ids.iter().try_for_each(|id| purge(db, *id))?;
    Ok(!ids.is_empty())
}

/// What is still to be removed from one storage elsewhere.
#[derive(Debug)]
pub(in crate::media) struct Remaining {
    pub storage: StorageId,
    pub files: u64,
    /// Of one of them.
    pub problem: Option<String>,
    /// Of the first of them.
    pub next_at: Millis,
}

pub(in crate::media) fn remaining(db: &Read<Site>) -> Result<Vec<Remaining>> {
    let mut statement = db.prepare_cached(REMAINING)?;
    let rows = statement.query_map([], |r| {
        Ok(Remaining {
            storage: r.get(0)?,
            files: r.get::<_, i64>(1)?.unsigned_abs(),
            problem: r.get(2)?,
            next_at: r.get(3)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Where a storage has these bytes already, for another item to share. Those that nobody may find
/// in a public place are not shared.
pub(in crate::media) fn twin(
    db: &Read<Site>,
    sha256: &[u8; 32],
    bytes: u64,
    storage: StorageId,
) -> Result<Option<Place>> {
    let read = |r: &Row| Ok(Place { storage, folder: r.get(0)?, file: r.get(1)? });
    let mut statement = db.prepare_cached(TWIN)?;
    Ok(statement.query_row((sha256, storage, bytes.cast_signed()), read).optional()?)
}

/// Whether some item still has these bytes, its own or shared.
pub(in crate::media) fn is_alive(db: &Read<Site>, folder: &Folder, at: StorageId) -> Result<bool> {
    Ok(db.prepare_cached(IS_ALIVE)?.exists((at, folder, MediaId(0)))?)
}

/// Whether a row vouches for this folder.
pub(in crate::media) fn exists(db: &Read<Site>, folder: &Folder, at: StorageId) -> Result<bool> {
    Ok(db.prepare_cached(EXISTS)?.exists((folder, at))?)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_statement_prepares() {
        crate::db::sql::assert_prepares::<crate::tenancy::Site>(super::STATEMENTS);
    }
}
