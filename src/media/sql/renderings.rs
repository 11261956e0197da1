//! Every statement about pictures made on demand.

use super::unsigned;
use crate::{
    base::{
        Clock, Result,
        clock::Millis,
        ids::{MediaId, PublicId},
    },
    db::{Read, Write},
    sql,
    storage::Folder,
    tenancy::Site,
};
use rusqlite::{OptionalExtension, Row, params};

sql! {
    FIND = "SELECT m.id, r.file, r.mime, r.bytes, r.used_at
        FROM media m LEFT JOIN renderings r ON r.media_id = m.id AND r.spec = ?3
        WHERE m.public_id = ?1 AND m.file = ?2";
    PUT = "INSERT INTO renderings (media_id, spec, file, mime, bytes, used_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (media_id, spec) DO UPDATE SET file = excluded.file, mime = excluded.mime,
            bytes = excluded.bytes, used_at = excluded.used_at";
    USED = "UPDATE renderings SET used_at = ?3 WHERE media_id = ?1 AND spec = ?2";
    TOTAL = "SELECT amount FROM usage WHERE name = 'bytes_rendered'";
    OLDEST = "SELECT r.id, m.folder, r.file FROM renderings r JOIN media m ON m.id = r.media_id
        ORDER BY r.used_at, r.id LIMIT 1";
    DELETE = "DELETE FROM renderings WHERE id = ?1";
}

/// An original, and its rendering where there is one.
pub(in crate::media) struct Found {
    pub media: MediaId,
    pub rendering: Option<Rendering>,
}

pub(in crate::media) struct Rendering {
    pub file: String,
    pub mime: String,
    pub bytes: u64,
    pub used_at: Millis,
}

/// The rendering of an original, which is named by its file.
pub(in crate::media) fn find(
    db: &Read<Site>,
    id: &PublicId,
    original: &str,
    spec: &str,
) -> Result<Option<Found>> {
    let read = |r: &Row| {
        let file: Option<String> = r.get(1)?;
        let rendering = match file {
            None => None,
            Some(file) => Some(Rendering {
                file,
                mime: r.get(2)?,
                bytes: unsigned(r, 3)?,
                used_at: r.get(4)?,
            }),
        };
        Ok(Found { media: r.get(0)?, rendering })
    };
    Ok(db.prepare_cached(FIND)?.query_row((id, original, spec), read).optional()?)
}

pub(in crate::media) fn put(
    db: &Write<Site>,
    media: MediaId,
    spec: &str,
    new: &Rendering,
) -> Result<()> {
    let row = params![media, spec, new.file, new.mime, new.bytes as i64, new.used_at];
    db.prepare_cached(PUT)?.execute(row)?;
    Ok(())
}

/// Notes that somebody asked for it just now.
pub(in crate::media) fn used(db: &Write<Site>, media: MediaId, spec: &str) -> Result<()> {
    db.prepare_cached(USED)?.execute((media, spec, Clock::now()))?;
    Ok(())
}

/// Forgets what was not asked for the longest, until the rest has at most so many bytes. Returns
/// the files that are to go.
pub(in crate::media) fn shrink(db: &Write<Site>, budget: u64) -> Result<Vec<(Folder, String)>> {
    let budget = i64::try_from(budget).unwrap_or(i64::MAX);
    let (mut total, mut oldest) = (db.prepare_cached(TOTAL)?, db.prepare_cached(OLDEST)?);
    let mut delete = db.prepare_cached(DELETE)?;
    let mut gone = Vec::new();
    while total.query_row([], |r| r.get::<_, i64>(0))? > budget {
        let read = |r: &Row| Ok((r.get::<_, i64>(0)?, r.get(1)?, r.get(2)?));
        let Some((id, folder, file)) = oldest.query_row([], read).optional()? else { break };
        delete.execute([id])?;
        gone.push((folder, file));
    }
    Ok(gone)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_statement_prepares() {
        crate::db::sql::assert_prepares::<crate::tenancy::Site>(super::STATEMENTS);
    }
}
