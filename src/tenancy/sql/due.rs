//! Every statement about housekeeping: who is due for a visit, who holds which lease, and what
//! each site held at its last visit.

use crate::{
    base::{Clock, Result, clock::Millis, ids::TenantId},
    db::{Read, Write},
    sql,
    tenancy::{Control, Stats},
};
use rusqlite::OptionalExtension;

sql! {
    MARK = "INSERT INTO due (tenant, at, until) SELECT id, ?2, ?2 FROM tenants WHERE id = ?1
        ON CONFLICT (tenant) DO UPDATE SET at = min(at, excluded.at),
            until = max(until, excluded.until), stamp = stamp + 1";
    NOW = "SELECT tenant, stamp FROM due WHERE at <= ?1 ORDER BY at LIMIT ?2";
    SETTLE = "UPDATE due SET at = CASE WHEN until > ?4 THEN min(until, coalesce(?3, until))
            ELSE ?3 END
        WHERE tenant = ?1 AND stamp = ?2 AND (?3 IS NOT NULL OR until > ?4)";
    FORGET = "DELETE FROM due WHERE tenant = ?1 AND stamp = ?2 AND until <= ?3";
    LEASE = "INSERT INTO leases (name, holder, until) VALUES (?1, ?2, ?3)
        ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
        WHERE holder = excluded.holder OR until <= ?4";
    RELEASE = "DELETE FROM leases WHERE holder = ?1";
    SET_STATS = "INSERT INTO tenant_stats (tenant, amounts, month, refreshed_at)
        SELECT id, ?2, ?3, ?4 FROM tenants WHERE id = ?1
        ON CONFLICT (tenant) DO UPDATE SET amounts = excluded.amounts, month = excluded.month,
            refreshed_at = excluded.refreshed_at";
    JOBS = "SELECT tenant, name, amount FROM (SELECT s.tenant, substr(a.key, 6) AS name,
            a.value AS amount FROM tenant_stats s, json_each(s.amounts) a
            WHERE a.key IN ('jobs_waiting', 'jobs_running', 'jobs_failed')) WHERE amount > 0
        ORDER BY tenant, name";
    STATS = "SELECT amounts, month, refreshed_at FROM tenant_stats WHERE tenant = ?1";
}

/// Has the site visited at this moment or before.
pub(in crate::tenancy) fn mark(db: &Write<Control>, id: &TenantId, at: Millis) -> Result<()> {
    db.prepare_cached(MARK)?.execute((id.as_str(), at))?;
    Ok(())
}

/// Up to `most` sites that are due, each with the stamp to settle it by.
pub(in crate::tenancy) fn now(db: &Read<Control>, most: i64) -> Result<Vec<(TenantId, i64)>> {
    let mut statement = db.prepare_cached(NOW)?;
    let rows = statement
        .query_map((Clock::now(), most), |r| Ok((r.get::<_, String>(0)?, r.get::<_, i64>(1)?)))?;
    rows.map(|row| {
        row.map_err(Into::into).and_then(|(id, stamp)| Ok((TenantId::parse(&id)?, stamp)))
    })
    .collect()
}

/// After a visit: the next one, or none. One that came early does not stand for the one that is
/// still expected, and nothing changes where a new reason came up meanwhile.
pub(in crate::tenancy) fn settle(
    db: &Write<Control>,
    id: &TenantId,
    stamp: i64,
    next: Option<Millis>,
) -> Result<()> {
    let now = Clock::now();
    db.prepare_cached(SETTLE)?.execute((id.as_str(), stamp, next, now))?;
    if next.is_none() {
        db.prepare_cached(FORGET)?.execute((id.as_str(), stamp, now))?;
    }
    Ok(())
}

/// Whether the holder has the lease from now until then.
pub(in crate::tenancy) fn lease(
    db: &Write<Control>,
    name: &str,
    holder: &str,
    until: Millis,
) -> Result<bool> {
    let taken = db.prepare_cached(LEASE)?.execute((name, holder, until, Clock::now()))?;
    Ok(taken > 0)
}

pub(in crate::tenancy) fn release(db: &Write<Control>, holder: &str) -> Result<()> {
    db.prepare_cached(RELEASE)?.execute([holder])?;
    Ok(())
}

pub(in crate::tenancy) fn set_stats(
    db: &Write<Control>,
    id: &TenantId,
    stats: &Stats,
) -> Result<()> {
    let amounts = serde_json::to_string(&stats.amounts)?;
    let row = (id.as_str(), amounts, &stats.month, stats.refreshed_at);
    db.prepare_cached(SET_STATS)?.execute(row)?;
    Ok(())
}

/// The sites that had jobs at their last visit: in which state, and how many.
pub(in crate::tenancy) fn jobs(db: &Read<Control>) -> Result<Vec<(String, String, i64)>> {
    let mut statement = db.prepare_cached(JOBS)?;
    let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(in crate::tenancy) fn stats(db: &Read<Control>, id: &str) -> Result<Option<Stats>> {
    let read = |r: &rusqlite::Row| Ok((r.get::<_, String>(0)?, r.get(1)?, r.get(2)?));
    let row = db.prepare_cached(STATS)?.query_row([id], read).optional()?;
    row.map(|(amounts, month, refreshed_at)| {
        Ok(Stats { amounts: serde_json::from_str(&amounts)?, month, refreshed_at })
    })
    .transpose()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_statement_prepares() {
        crate::db::sql::assert_prepares::<crate::tenancy::Control>(super::STATEMENTS);
    }
}
