//! The statements behind an owner's folders: what lies in one, and under which name.

use crate::{
    base::{
        Clock, Result,
        ids::{AlbumId, MediaId, PublicId, UserId},
        text::Filename,
    },
    db::{Read, Write},
    media::shelf::Shelved,
    sql,
    tenancy::Site,
};
use rusqlite::Row;

/// The columns that [`read_row`] reads, in its order.
macro_rules! columns {
    () => {
        "SELECT m.public_id, coalesce(m.dav_name, m.filename), coalesce(m.source_file, m.file),
            CASE WHEN m.source_file IS NULL THEN m.bytes ELSE m.source_bytes END, m.created_at,
            m.folder
        FROM media m "
    };
}

const IN_ALBUM: &str = concat!(
    columns!(),
    "WHERE m.album_id = ?1 AND m.owner_id = ?2 AND m.trashed_at IS NULL
        AND (m.expires_at IS NULL OR m.expires_at > ?3) ORDER BY m.id DESC LIMIT ?4"
);
const LOOSE: &str = concat!(
    columns!(),
    "WHERE m.album_id IS ?1 AND m.owner_id = ?2 AND m.trashed_at IS NULL
        AND (m.expires_at IS NULL OR m.expires_at > ?3) ORDER BY m.id DESC LIMIT ?4"
);

sql! {
    PUT = "UPDATE media SET dav_name = ?2, filename = ?3, album_id = ?4,
        updated_at = max(updated_at + 1, ?5) WHERE id = ?1";
    SAME = "SELECT count(*) FROM media a JOIN media b ON a.received_sha256 = b.received_sha256
        WHERE a.public_id = ?1 AND b.public_id = ?2";
}

/// What is this person's in an album, or in none: the newest so many, the oldest of them first.
pub(in crate::media) fn list(
    db: &Read<Site>,
    owner: UserId,
    album: Option<AlbumId>,
    most: u32,
) -> Result<Vec<Shelved>> {
    let mut statement = db.prepare_cached(if album.is_some() { IN_ALBUM } else { LOOSE })?;
    let rows = statement.query_map((album, owner, Clock::now(), most), read_row)?;
    let mut rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    rows.reverse();
    Ok(rows)
}

pub(in crate::media) fn put(
    db: &Write<Site>,
    id: MediaId,
    name: &str,
    filename: &Filename,
    album: Option<AlbumId>,
) -> Result<()> {
    db.prepare_cached(PUT)?.execute((id, name, filename, album, Clock::now()))?;
    Ok(())
}

/// Whether two items were made of the same file.
pub(in crate::media) fn is_same(db: &Read<Site>, one: &PublicId, other: &PublicId) -> Result<bool> {
    Ok(db.prepare_cached(SAME)?.query_row((one, other), |r| r.get::<_, i64>(0))? > 0)
}

fn read_row(r: &Row) -> rusqlite::Result<Shelved> {
    Ok(Shelved {
        id: r.get(0)?,
        name: r.get(1)?,
        file: r.get(2)?,
        bytes: r.get::<_, i64>(3)?.unsigned_abs(),
        created_at: r.get(4)?,
        folder: r.get(5)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Schema, sql::assert_prepares};

    #[test]
    fn every_statement_prepares() {
        assert_prepares::<Site>(STATEMENTS);
        assert_prepares::<Site>(&[("IN_ALBUM", IN_ALBUM), ("LOOSE", LOOSE)]);
    }

    #[test]
    fn every_folder_is_read_along_an_index() {
        let db = rusqlite::Connection::open_in_memory().unwrap();
        for step in Site::STEPS {
            db.execute_batch(step.sql).unwrap();
        }
        for (statement, album) in [(IN_ALBUM, Some(1)), (LOOSE, None)] {
            let mut plan = db.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
            let steps = plan.query_map((album, 1, 0, 9), |r| r.get::<_, String>(3)).unwrap();
            let plan = steps.map(Result::unwrap).collect::<Vec<_>>().join("; ");
            assert!(plan.contains("SEARCH m"), "{plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        }
    }
}
