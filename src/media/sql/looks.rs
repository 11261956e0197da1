//! Every statement about how pictures look, and about those that are blocked.

use crate::{
    base::{
        Clock, Result,
        ids::{MediaId, PublicId},
    },
    db::{Read, Write},
    imaging::phash::distance,
    media::blocklist::Blocked,
    sql,
    tenancy::Site,
};
use rusqlite::{OptionalExtension, Row, params};

sql! {
    LOOKS = "SELECT looks FROM media WHERE public_id = ?1";
    ALL_LOOKS = "SELECT id, looks FROM media WHERE looks <> 0 AND trashed_at IS NULL";
    PUBLIC_ID = "SELECT public_id FROM media WHERE id = ?1";
    BLOCK = "INSERT INTO blocked_pictures (public_id, sha256, looks, reason, blocked_by, created_at)
        SELECT ?1, sha256, looks, ?3, ?4, ?5 FROM media WHERE public_id = ?2
        ON CONFLICT (sha256) DO UPDATE SET reason = excluded.reason";
    BLOCKED_AS = "SELECT b.public_id, b.sha256, b.looks, b.reason, b.blocked_by, b.created_at
        FROM blocked_pictures b JOIN media m ON m.sha256 = b.sha256 WHERE m.public_id = ?1";
    LIST = "SELECT public_id, sha256, looks, reason, blocked_by, created_at
        FROM blocked_pictures ORDER BY id DESC LIMIT ?1";
    BLOCKED_BYTES = "SELECT 1 FROM blocked_pictures WHERE sha256 = ?1";
    BLOCKED_LOOKS = "SELECT looks FROM blocked_pictures WHERE looks <> 0";
    UNBLOCK = "DELETE FROM blocked_pictures WHERE public_id = ?1";
}

/// How the item looks, if it is known.
pub(in crate::media) fn of(db: &Read<Site>, id: &PublicId) -> Result<Option<u64>> {
    let looks: Option<i64> = db.prepare_cached(LOOKS)?.query_row([id], |r| r.get(0)).optional()?;
    Ok(looks.map(i64::cast_unsigned).filter(|looks| *looks != 0))
}

/// Items outside the trash that look like this, by how far they are from it.
pub(in crate::media) fn like(
    db: &Read<Site>,
    looks: u64,
    most: u32,
) -> Result<Vec<(u32, MediaId)>> {
    let mut statement = db.prepare_cached(ALL_LOOKS)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(r) = rows.next()? {
        let far = distance(looks, r.get::<_, i64>(1)?.cast_unsigned());
        if far <= most {
            found.push((far, r.get(0)?));
        }
    }
    found.sort_unstable_by_key(|(far, id): &(u32, MediaId)| (*far, std::cmp::Reverse(id.0)));
    Ok(found)
}

pub(in crate::media) fn public_id(db: &Read<Site>, id: MediaId) -> Result<Option<PublicId>> {
    Ok(db.prepare_cached(PUBLIC_ID)?.query_row([id], |r| r.get(0)).optional()?)
}

/// Blocks the picture of an item. One that is blocked already gets the new reason.
pub(in crate::media) fn block(
    db: &Write<Site>,
    new: &PublicId,
    item: &PublicId,
    reason: Option<&str>,
    by: &str,
) -> Result<Option<Blocked>> {
    db.prepare_cached(BLOCK)?.execute(params![new, item, reason, by, Clock::now()])?;
    Ok(db.prepare_cached(BLOCKED_AS)?.query_row([item], read_blocked).optional()?)
}

pub(in crate::media) fn blocked(db: &Read<Site>, most: u32) -> Result<Vec<Blocked>> {
    let mut statement = db.prepare_cached(LIST)?;
    Ok(statement.query_map([most], read_blocked)?.collect::<rusqlite::Result<_>>()?)
}

/// Whether a picture is blocked: by its bytes, or because it looks like one that is.
pub(in crate::media) fn is_blocked(
    db: &Read<Site>,
    sha256: &[u8; 32],
    looks: u64,
    most: u32,
) -> Result<bool> {
    if db.prepare_cached(BLOCKED_BYTES)?.exists([sha256])? {
        return Ok(true);
    }
    if looks == 0 {
        return Ok(false);
    }
    let mut statement = db.prepare_cached(BLOCKED_LOOKS)?;
    let mut rows = statement.query([])?;
    while let Some(r) = rows.next()? {
        if distance(looks, r.get::<_, i64>(0)?.cast_unsigned()) <= most {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Tells whether there was such a picture.
pub(in crate::media) fn unblock(db: &Write<Site>, id: &PublicId) -> Result<bool> {
    Ok(db.prepare_cached(UNBLOCK)?.execute([id])? > 0)
}

fn read_blocked(r: &Row) -> rusqlite::Result<Blocked> {
    Ok(Blocked {
        public_id: r.get(0)?,
        sha256: r.get(1)?,
        looks: r.get::<_, i64>(2)?.cast_unsigned(),
        reason: r.get(3)?,
        blocked_by: r.get(4)?,
        created_at: r.get(5)?,
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_statement_prepares() {
        crate::db::sql::assert_prepares::<crate::tenancy::Site>(super::STATEMENTS);
    }
}
