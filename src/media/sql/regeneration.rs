//! Every statement about making variants anew.

use super::unsigned;
use crate::{
    base::{
        Clock, Result,
        clock::Millis,
        ids::{MediaId, PublicId},
    },
    db::{Read, Write},
    media::{Rendered, regenerate::Regeneration},
    sql,
    tenancy::Site,
};
use rusqlite::{OptionalExtension, Row, params};

sql! {
    START = "INSERT INTO regeneration (id, started_at, position, last, total, done, failed)
        SELECT 1, ?1, 0, coalesce(max(id), 0), count(*), 0, 0 FROM media WHERE true
        ON CONFLICT (id) DO UPDATE SET
            started_at = max(started_at + 1, excluded.started_at), finished_at = NULL,
            position = 0, last = excluded.last, total = excluded.total, done = 0, failed = 0,
            problem = NULL";
    STATE = "SELECT started_at, finished_at, total, done, failed, problem FROM regeneration";
    NEXT = "SELECT m.id, m.public_id FROM media m, regeneration r
        WHERE m.id > r.position AND m.id <= r.last AND r.finished_at IS NULL
        ORDER BY m.id LIMIT 1";
    STEP = "UPDATE regeneration SET position = ?1, done = done + 1, failed = failed + ?2
        WHERE started_at = ?3 AND finished_at IS NULL AND position < ?1";
    FINISH = "UPDATE regeneration SET finished_at = ?1, problem = ?2 WHERE finished_at IS NULL";
    DELETE_VARIANTS = "DELETE FROM variants WHERE media_id = ?1 AND role = 'picture'";
    SET_LOOKS = "UPDATE media SET placeholder = ?2, color = ?3, looks = ?4,
        updated_at = max(updated_at + 1, ?5) WHERE id = ?1";
    VARIANT_FILE = "SELECT v.file FROM media m JOIN variants v ON v.media_id = m.id
        WHERE m.public_id = ?1 AND v.name = ?2";
}

/// Begins from the first item, also where it had begun before.
pub(in crate::media) fn start(db: &Write<Site>) -> Result<()> {
    db.prepare_cached(START)?.execute([Clock::now()])?;
    Ok(())
}

pub(in crate::media) fn state(db: &Read<Site>) -> Result<Option<Regeneration>> {
    let read = |r: &Row| {
        Ok(Regeneration {
            started_at: r.get(0)?,
            finished_at: r.get(1)?,
            total: unsigned(r, 2)?,
            done: unsigned(r, 3)?,
            failed: unsigned(r, 4)?,
            problem: r.get(5)?,
        })
    };
    Ok(db.prepare_cached(STATE)?.query_row([], read).optional()?)
}

/// The item whose turn it is.
pub(in crate::media) fn next(db: &Read<Site>) -> Result<Option<(MediaId, PublicId)>> {
    let read = |r: &Row| Ok((r.get(0)?, r.get(1)?));
    Ok(db.prepare_cached(NEXT)?.query_row([], read).optional()?)
}

/// An item is done, unless it was before, or all was begun anew or called off meanwhile.
pub(in crate::media) fn step(
    db: &Write<Site>,
    id: MediaId,
    failed: bool,
    of: Millis,
) -> Result<()> {
    db.prepare_cached(STEP)?.execute((id, failed, of))?;
    Ok(())
}

pub(in crate::media) fn finish(db: &Write<Site>, problem: Option<&str>) -> Result<()> {
    db.prepare_cached(FINISH)?.execute((Clock::now(), problem))?;
    Ok(())
}

/// Puts new variants in place of the old ones.
pub(in crate::media) fn replace(db: &Write<Site>, id: MediaId, new: &Rendered) -> Result<()> {
    db.prepare_cached(DELETE_VARIANTS)?.execute([id])?;
    super::insert_variants(db, id, &new.variants)?;
    if let Some(poster) = &new.poster {
        super::set_poster(db, id, poster)?;
    }
    let looks = params![id, new.placeholder, new.color, new.looks.cast_signed(), Clock::now()];
    db.prepare_cached(SET_LOOKS)?.execute(looks)?;
    Ok(())
}

/// The file of a variant by its name.
pub(in crate::media) fn variant_file(
    db: &Read<Site>,
    id: &PublicId,
    name: &str,
) -> Result<Option<String>> {
    Ok(db.prepare_cached(VARIANT_FILE)?.query_row((id, name), |r| r.get(0)).optional()?)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_statement_prepares() {
        crate::db::sql::assert_prepares::<crate::tenancy::Site>(super::STATEMENTS);
    }
}
