//! Every statement about what one site uses, in its own file.

use crate::{
    base::{Clock, Result, clock::Millis},
    db::{Read, Write},
    sql,
    tenancy::Site,
};
use rusqlite::OptionalExtension;

sql! {
    AMOUNT = "SELECT amount FROM usage WHERE name = ?1";
    AMOUNTS = "SELECT name, amount FROM usage
        UNION ALL SELECT name || '_month', amount FROM usage_by_month WHERE month = ?1
        UNION ALL SELECT 'jobs_' || state, count(*) FROM jobs
            WHERE state IN ('waiting', 'running', 'failed') GROUP BY state";
    OF_MONTH = "SELECT amount FROM usage_by_month WHERE month = ?1 AND name = ?2";
    ADD_TO_MONTH = "INSERT INTO usage_by_month (month, name, amount) VALUES (?1, ?2, ?3)
        ON CONFLICT (month, name) DO UPDATE SET amount = amount + excluded.amount";
    HOLD = "INSERT INTO holds (name, until) VALUES (?1, ?2)
        ON CONFLICT (name) DO UPDATE SET until = excluded.until";
    RELEASE = "DELETE FROM holds WHERE name = ?1";
    HELD = "SELECT max(until) FROM holds WHERE until > ?1";
    /// What each counter that triggers keep should stand at.
    COUNTED = "SELECT 'users', count(*) FROM users
        UNION ALL SELECT 'managers', count(*) FROM users WHERE role = 'manager'
        UNION ALL SELECT 'admins', count(*) FROM users WHERE role = 'admin'
        UNION ALL SELECT 'files', count(*) FROM media
        UNION ALL SELECT 'albums', count(*) FROM albums
        UNION ALL SELECT 'tags', count(DISTINCT tag) FROM media_tags
        UNION ALL SELECT 'bytes_stored', (SELECT coalesce(sum(bytes + source_bytes), 0) FROM media)
            + (SELECT coalesce(sum(bytes), 0) FROM variants)
        UNION ALL SELECT 'bytes_rendered', coalesce(sum(bytes), 0) FROM renderings";
    RECOUNT_STORAGES = "UPDATE storages SET
        items = (SELECT count(*) FROM media WHERE coalesce(storage_id, 1) = storages.id),
        bytes = (SELECT coalesce(sum(bytes + source_bytes), 0) FROM media
                WHERE coalesce(storage_id, 1) = storages.id)
            + (SELECT coalesce(sum(v.bytes), 0) FROM variants v JOIN media m ON m.id = v.media_id
                WHERE coalesce(m.storage_id, 1) = storages.id)";
    RECOUNT_ALBUMS = "UPDATE albums SET
        items = (SELECT count(*) FROM media WHERE album_id = albums.id AND trashed_at IS NULL),
        public_items = (SELECT count(*) FROM media
            WHERE album_id = albums.id AND trashed_at IS NULL AND own_visibility = 'public')";
    MEND = "INSERT INTO usage (name, amount) VALUES (?1, ?2)
        ON CONFLICT (name) DO UPDATE SET amount = excluded.amount";
}

pub(in crate::tenancy) fn amount(db: &Read<Site>, name: &str) -> Result<u64> {
    let amount = db.prepare_cached(AMOUNT)?.query_row([name], |r| r.get::<_, i64>(0)).optional()?;
    Ok(amount.map_or(0, |n| n.max(0).unsigned_abs()))
}

pub(in crate::tenancy) fn of_month(db: &Read<Site>, month: &str, name: &str) -> Result<u64> {
    let mut statement = db.prepare_cached(OF_MONTH)?;
    let amount = statement.query_row([month, name], |r| r.get::<_, i64>(0)).optional()?;
    Ok(amount.map_or(0, |n| n.max(0).unsigned_abs()))
}

/// All counters, those of the month with `_month` behind their name.
pub(in crate::tenancy) fn amounts(db: &Read<Site>, month: &str) -> Result<Vec<(String, u64)>> {
    let mut statement = db.prepare_cached(AMOUNTS)?;
    let rows = statement
        .query_map([month], |r| Ok((r.get(0)?, r.get::<_, i64>(1)?.max(0).unsigned_abs())))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(in crate::tenancy) fn add_to_month(
    db: &Write<Site>,
    month: &str,
    name: &str,
    more: u64,
) -> Result<()> {
    let more = i64::try_from(more).unwrap_or(i64::MAX);
    db.prepare_cached(ADD_TO_MONTH)?.execute((month, name, more))?;
    Ok(())
}

pub(in crate::tenancy) fn hold(db: &Write<Site>, name: &str, until: Millis) -> Result<()> {
    db.prepare_cached(HOLD)?.execute((name, until))?;
    Ok(())
}

pub(in crate::tenancy) fn release(db: &Write<Site>, name: &str) -> Result<()> {
    db.prepare_cached(RELEASE)?.execute([name])?;
    Ok(())
}

/// Counts anew what lies in each storage.
pub(in crate::tenancy) fn recount_storages(db: &Write<Site>) -> Result<()> {
    db.prepare_cached(RECOUNT_STORAGES)?.execute([])?;
    Ok(())
}

/// Counts anew what lies in each album.
pub(in crate::tenancy) fn recount_albums(db: &Write<Site>) -> Result<()> {
    db.prepare_cached(RECOUNT_ALBUMS)?.execute([])?;
    Ok(())
}

/// Until when bytes must stay, if they must.
pub(in crate::tenancy) fn held(db: &Read<Site>) -> Result<Option<Millis>> {
    Ok(db.prepare_cached(HELD)?.query_row([Clock::now()], |r| r.get(0))?)
}

/// The counters that triggers keep, counted anew.
pub(in crate::tenancy) fn counted(db: &Read<Site>) -> Result<Vec<(String, i64)>> {
    let mut statement = db.prepare_cached(COUNTED)?;
    let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// What a counter stands at, also where that is less than nothing.
pub(in crate::tenancy) fn stands_at(db: &Read<Site>, name: &str) -> Result<Option<i64>> {
    Ok(db.prepare_cached(AMOUNT)?.query_row([name], |r| r.get(0)).optional()?)
}

pub(in crate::tenancy) fn mend(db: &Write<Site>, name: &str, amount: i64) -> Result<()> {
    db.prepare_cached(MEND)?.execute((name, amount))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_statement_prepares() {
        crate::db::sql::assert_prepares::<crate::tenancy::Site>(super::STATEMENTS);
    }
}
