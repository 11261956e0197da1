//! Every statement about uploads that come in pieces.

use super::Upload;
use crate::{
    base::{
        Clock, Result,
        clock::Millis,
        ids::{PublicId, UserId},
    },
    db::{Read, Write},
    sql,
    tenancy::Site,
};
use rusqlite::{OptionalExtension, params};

sql! {
    INSERT = "INSERT INTO resumable_uploads
        (public_id, owner_id, length, metadata, is_part, parts, expires_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    GET = "SELECT public_id, owner_id, length, metadata, is_part, parts, media_id, expires_at
        FROM resumable_uploads WHERE public_id = ?1";
    PROLONG = "UPDATE resumable_uploads SET expires_at = ?2 WHERE public_id = ?1";
    FINISH = "UPDATE resumable_uploads SET media_id = ?2, expires_at = ?3 WHERE public_id = ?1";
    DELETE = "DELETE FROM resumable_uploads WHERE public_id = ?1";
    OPEN = "SELECT count(*) FROM resumable_uploads
        WHERE owner_id = ?1 AND media_id IS NULL AND expires_at > ?2";
    OPEN_BYTES = "SELECT coalesce(sum(length), 0) FROM resumable_uploads
        WHERE media_id IS NULL AND expires_at > ?1";
    EXPIRED = "SELECT public_id FROM resumable_uploads WHERE expires_at <= ?1 LIMIT 500";
    FIRST_EXPIRY = "SELECT min(expires_at) FROM resumable_uploads";
}

pub(super) fn insert(db: &Write<Site>, new: &Upload) -> Result<()> {
    db.prepare_cached(INSERT)?.execute(params![
        new.id,
        new.owner,
        i64::try_from(new.length).unwrap_or(i64::MAX),
        new.metadata,
        new.is_part,
        new.parts,
        new.expires_at,
    ])?;
    Ok(())
}

pub(super) fn get(db: &Read<Site>, id: &PublicId) -> Result<Option<Upload>> {
    let row = db.prepare_cached(GET)?.query_row([id], |r| {
        Ok(Upload {
            id: r.get(0)?,
            owner: r.get(1)?,
            length: r.get::<_, i64>(2)?.unsigned_abs(),
            metadata: r.get(3)?,
            is_part: r.get(4)?,
            parts: r.get(5)?,
            media: r.get(6)?,
            expires_at: r.get(7)?,
        })
    });
    Ok(row.optional()?)
}

pub(super) fn prolong(db: &Write<Site>, id: &PublicId, until: Millis) -> Result<()> {
    db.prepare_cached(PROLONG)?.execute((id, until))?;
    Ok(())
}

/// Notes the item that came of it.
pub(super) fn finish(
    db: &Write<Site>,
    id: &PublicId,
    media: &PublicId,
    until: Millis,
) -> Result<()> {
    db.prepare_cached(FINISH)?.execute((id, media, until))?;
    Ok(())
}

pub(super) fn delete(db: &Write<Site>, id: &PublicId) -> Result<()> {
    db.prepare_cached(DELETE)?.execute([id])?;
    Ok(())
}

/// How many uploads a person has begun.
pub(super) fn open(db: &Read<Site>, owner: UserId) -> Result<u64> {
    let count: i64 = db.prepare_cached(OPEN)?.query_row((owner, Clock::now()), |r| r.get(0))?;
    Ok(count.unsigned_abs())
}

/// The bytes that all open uploads will have.
pub(super) fn open_bytes(db: &Read<Site>) -> Result<u64> {
    let bytes: i64 = db.prepare_cached(OPEN_BYTES)?.query_row([Clock::now()], |r| r.get(0))?;
    Ok(bytes.unsigned_abs())
}

/// Up to 500 uploads that nobody went on with.
pub(super) fn expired(db: &Read<Site>) -> Result<Vec<PublicId>> {
    let mut statement = db.prepare_cached(EXPIRED)?;
    let ids = statement.query_map([Clock::now()], |r| r.get(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn first_expiry(db: &Read<Site>) -> Result<Option<Millis>> {
    Ok(db.prepare_cached(FIRST_EXPIRY)?.query_row([], |r| r.get(0))?)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_statement_prepares() {
        crate::db::sql::assert_prepares::<crate::tenancy::Site>(super::STATEMENTS);
    }
}
