//! Every statement about which sites have jobs to do.

use crate::{
    base::{Clock, Result, clock::Millis, ids::TenantId},
    db::{Read, Write},
    sql,
    tenancy::{Control, work::Weight},
};
use rusqlite::OptionalExtension;

sql! {
    MARK = "INSERT INTO work (tenant, weight, at) SELECT id, ?2, ?3 FROM tenants WHERE id = ?1
        ON CONFLICT (tenant, weight) DO UPDATE SET at = min(at, excluded.at), stamp = stamp + 1";
    MARK_ALL = "UPDATE work SET at = min(at, ?1), stamp = stamp + 1";
    NOW = "SELECT tenant, weight FROM work WHERE at <= ?1
        UNION ALL SELECT tenant, weight FROM work WHERE at > ?2";
    STAMP = "SELECT stamp FROM work WHERE tenant = ?1 AND weight = ?2";
    SETTLE = "UPDATE work SET at = ?4 WHERE tenant = ?1 AND weight = ?2 AND stamp = ?3";
    FORGET = "DELETE FROM work WHERE tenant = ?1 AND weight = ?2 AND stamp = ?3";
    PUT_OFF = "UPDATE work SET at = ?3 WHERE tenant = ?1 AND weight = ?2";
}

/// Has the site looked at, at this moment or before.
pub(in crate::tenancy) fn mark(
    db: &Write<Control>,
    id: &TenantId,
    weight: Weight,
    at: Millis,
) -> Result<()> {
    db.prepare_cached(MARK)?.execute((id.as_str(), weight.as_str(), at))?;
    Ok(())
}

/// Has every site looked at that has jobs.
pub(in crate::tenancy) fn mark_all(db: &Write<Control>) -> Result<()> {
    db.prepare_cached(MARK_ALL)?.execute([Clock::now()])?;
    Ok(())
}

/// The sites that may have a job to start, and those whose moment is further ahead than anybody
/// sets it: the clock was set back since.
pub(in crate::tenancy) fn now(
    db: &Read<Control>,
    furthest: Millis,
) -> Result<Vec<(TenantId, Weight)>> {
    let mut statement = db.prepare_cached(NOW)?;
    let rows = statement.query_map((Clock::now(), furthest), |r| {
        Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?))
    })?;
    let parsed = rows.map(|row| {
        let (id, weight) = row?;
        Ok((TenantId::parse(&id)?, Weight::parse(&weight)?))
    });
    parsed.collect()
}

/// What to settle the site by, if it is to be looked at.
pub(in crate::tenancy) fn stamp(
    db: &Read<Control>,
    id: &TenantId,
    weight: Weight,
) -> Result<Option<i64>> {
    let key = (id.as_str(), weight.as_str());
    Ok(db.prepare_cached(STAMP)?.query_row(key, |r| r.get(0)).optional()?)
}

/// There is nothing to start now: the site is looked at next at that moment, or when there is a
/// new reason. Nothing changes where one came up meanwhile.
pub(in crate::tenancy) fn settle(
    db: &Write<Control>,
    id: &TenantId,
    weight: Weight,
    stamp: i64,
    next: Option<Millis>,
) -> Result<()> {
    let key = (id.as_str(), weight.as_str(), stamp);
    match next {
        Some(at) => db.prepare_cached(SETTLE)?.execute((key.0, key.1, key.2, at))?,
        None => db.prepare_cached(FORGET)?.execute(key)?,
    };
    Ok(())
}

/// The site is not to be looked at before that moment, unless there is a new reason.
pub(in crate::tenancy) fn put_off(
    db: &Write<Control>,
    id: &TenantId,
    weight: Weight,
    until: Millis,
) -> Result<()> {
    db.prepare_cached(PUT_OFF)?.execute((id.as_str(), weight.as_str(), until))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_statement_prepares() {
        crate::db::sql::assert_prepares::<crate::tenancy::Control>(super::STATEMENTS);
    }
}
