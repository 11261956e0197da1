//! Every statement about the table of sites.

use crate::{
    base::{Clock, Result, clock::Millis, ids::TenantId},
    db::{Read, Write},
    sql,
    tenancy::{
        Control,
        limits::Overrides,
        record::{Named, Record, Status},
    },
};
use rusqlite::{OptionalExtension, Row, params};

/// The columns that [`read_row`] reads, in its order.
macro_rules! columns {
    () => {
        "SELECT t.id, t.name, t.status, t.reason, t.plan, p.limits, p.features, p.upgrade_url,
            t.limits, t.features, t.trial, t.created_at, t.updated_at, t.delete_after
         FROM tenants t LEFT JOIN plans p ON p.id = t.plan"
    };
}
const GET: &str = concat!(columns!(), " WHERE t.id = ?1");
/// Sites in the order of their ids; a filter that is null lets everything pass.
const LIST: &str = concat!(
    columns!(),
    " WHERE t.id > ?1 AND (?2 IS NULL OR t.status = ?2) AND (?3 IS NULL OR t.plan = ?3)
        AND (?4 IS NULL OR instr(t.id, ?4) OR instr(lower(t.name), ?4) OR EXISTS
            (SELECT 1 FROM hostnames h WHERE h.tenant = t.id AND instr(h.host, ?4)))
      ORDER BY t.id LIMIT ?5"
);

sql! {
    EXISTS = "SELECT 1 FROM tenants WHERE id = ?1";
    ANY = "SELECT 1 FROM tenants LIMIT 1";
    INSERT = "INSERT INTO tenants (id, name, status, reason, plan, limits, features, trial, extra,
            sealed_key, created_at, updated_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11)";
    UPDATE = "UPDATE tenants SET name = ?2, status = ?3, reason = ?4, plan = ?5, limits = ?6,
            features = ?7, trial = ?8, delete_after = ?9, updated_at = max(updated_at + 1, ?10)
        WHERE id = ?1";
    DELETE = "DELETE FROM tenants WHERE id = ?1";
    ALL = "SELECT id FROM tenants ORDER BY id";
    BY_STATUS = "SELECT status, count(*) FROM tenants GROUP BY status";
    KEY = "SELECT sealed_key FROM tenants WHERE id = ?1";
    SET_KEY = "UPDATE tenants SET sealed_key = ?2 WHERE id = ?1";
    EXTRA = "SELECT extra FROM tenants WHERE id = ?1";
    SET_EXTRA = "UPDATE tenants SET extra = ?2 WHERE id = ?1";
    KEY_CHECK = "SELECT sealed FROM key_check WHERE id = 1";
    SET_KEY_CHECK = "INSERT INTO key_check (id, sealed) VALUES (1, ?1)
        ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed";
    REVISION = "SELECT coalesce(max(revision), 0) FROM changes";
    CHANGES = "SELECT revision, tenant, host FROM changes WHERE revision > ?1 ORDER BY revision";
    FIRST_CHANGE = "SELECT coalesce(min(revision), 0) FROM changes";
}

/// A site to be added, complete but for its names.
pub(in crate::tenancy) struct NewRow<'a> {
    pub record: &'a Record,
    pub extra: Option<Vec<u8>>,
    pub sealed_key: Vec<u8>,
}

pub(in crate::tenancy) fn exists(db: &Read<Control>, id: &TenantId) -> Result<bool> {
    Ok(db.prepare_cached(EXISTS)?.exists([id.as_str()])?)
}

/// Whether there is any site at all.
pub(in crate::tenancy) fn any(db: &Read<Control>) -> Result<bool> {
    Ok(db.prepare_cached(ANY)?.exists([])?)
}

pub(in crate::tenancy) fn insert(db: &Write<Control>, new: &NewRow) -> Result<()> {
    let r = new.record;
    db.prepare_cached(INSERT)?.execute(params![
        r.id,
        r.name,
        r.status.as_str(),
        r.reason,
        r.plan,
        json(r.own.limits_json()),
        json(r.own.features_json()),
        r.trial.as_ref().map(serde_json::to_string).transpose()?,
        new.extra,
        new.sealed_key,
        r.created_at,
    ])?;
    Ok(())
}

/// Writes everything that may change about a site, its names apart.
pub(in crate::tenancy) fn update(db: &Write<Control>, r: &Record) -> Result<()> {
    db.prepare_cached(UPDATE)?.execute(params![
        r.id,
        r.name,
        r.status.as_str(),
        r.reason,
        r.plan,
        json(r.own.limits_json()),
        json(r.own.features_json()),
        r.trial.as_ref().map(serde_json::to_string).transpose()?,
        r.delete_after,
        Clock::now(),
    ])?;
    Ok(())
}

pub(in crate::tenancy) fn delete(db: &Write<Control>, id: &TenantId) -> Result<()> {
    db.prepare_cached(DELETE)?.execute([id.as_str()])?;
    Ok(())
}

pub(in crate::tenancy) fn get(db: &Read<Control>, id: &str) -> Result<Option<Record>> {
    let row = db.prepare_cached(GET)?.query_row([id], |r| Ok(read_row(r))).optional()?;
    row.map(|record| with_hosts(db, record?)).transpose()
}

/// What to list: only these, from after this id on.
#[derive(Debug, Default, Clone)]
pub struct Filter {
    pub status: Option<Status>,
    pub plan: Option<String>,
    /// Part of an id, a name or a hostname, in lower case.
    pub part: Option<String>,
    pub after: Option<String>,
}

pub(in crate::tenancy) fn list(db: &Read<Control>, f: &Filter, rows: i64) -> Result<Vec<Record>> {
    let mut statement = db.prepare_cached(LIST)?;
    let after = f.after.as_deref().unwrap_or_default();
    let asked = params![after, f.status.map(Status::as_str), f.plan, f.part, rows];
    let records = statement.query_map(asked, |r| Ok(read_row(r)))?;
    records.map(|record| with_hosts(db, record??)).collect()
}

pub(in crate::tenancy) fn all(db: &Read<Control>) -> Result<Vec<TenantId>> {
    let mut statement = db.prepare_cached(ALL)?;
    let ids = statement.query_map([], |r| r.get::<_, String>(0))?;
    ids.map(|id| TenantId::parse(&id?)).collect()
}

/// How many sites there are in each status.
pub(in crate::tenancy) fn by_status(db: &Read<Control>) -> Result<Vec<(String, u64)>> {
    let mut statement = db.prepare_cached(BY_STATUS)?;
    let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get::<_, i64>(1)?.unsigned_abs())))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(in crate::tenancy) fn sealed_key(db: &Read<Control>, id: &TenantId) -> Result<Option<Vec<u8>>> {
    let found = db.prepare_cached(KEY)?.query_row([id.as_str()], |r| r.get(0)).optional()?;
    Ok(found.flatten())
}

pub(in crate::tenancy) fn set_sealed_key(
    db: &Write<Control>,
    id: &TenantId,
    sealed: &[u8],
) -> Result<()> {
    db.prepare_cached(SET_KEY)?.execute((id.as_str(), sealed))?;
    Ok(())
}

pub(in crate::tenancy) fn extra(db: &Read<Control>, id: &TenantId) -> Result<Option<Vec<u8>>> {
    let found = db.prepare_cached(EXTRA)?.query_row([id.as_str()], |r| r.get(0)).optional()?;
    Ok(found.flatten())
}

pub(in crate::tenancy) fn set_extra(
    db: &Write<Control>,
    id: &TenantId,
    sealed: Option<&[u8]>,
) -> Result<()> {
    db.prepare_cached(SET_EXTRA)?.execute((id.as_str(), sealed))?;
    Ok(())
}

pub(in crate::tenancy) fn key_check(db: &Read<Control>) -> Result<Option<Vec<u8>>> {
    Ok(db.prepare_cached(KEY_CHECK)?.query_row([], |r| r.get(0)).optional()?)
}

pub(in crate::tenancy) fn set_key_check(db: &Write<Control>, sealed: &[u8]) -> Result<()> {
    db.prepare_cached(SET_KEY_CHECK)?.execute([sealed])?;
    Ok(())
}

/// The number of the latest change.
pub(in crate::tenancy) fn revision(db: &Read<Control>) -> Result<i64> {
    Ok(db.prepare_cached(REVISION)?.query_row([], |r| r.get(0))?)
}

/// What changed after a revision: a site (or all, where it is not said which), and maybe one of
/// its names.
pub(in crate::tenancy) struct Change {
    pub revision: i64,
    pub tenant: Option<String>,
    pub host: Option<String>,
}

/// The changes since, or `None` where the record of them does not reach back so far.
pub(in crate::tenancy) fn changes_since(
    db: &Read<Control>,
    seen: i64,
) -> Result<Option<Vec<Change>>> {
    let first: i64 = db.prepare_cached(FIRST_CHANGE)?.query_row([], |r| r.get(0))?;
    if first > seen + 1 {
        return Ok(None);
    }
    let mut statement = db.prepare_cached(CHANGES)?;
    let read = |r: &Row| Ok(Change { revision: r.get(0)?, tenant: r.get(1)?, host: r.get(2)? });
    Ok(Some(statement.query_map([seen], read)?.collect::<rusqlite::Result<_>>()?))
}

fn with_hosts(db: &Read<Control>, mut record: Record) -> Result<Record> {
    record.hostnames = super::hosts::of_tenant(db, &record.id)?;
    Ok(record)
}

fn read_row(r: &Row) -> Result<Record> {
    let of_plan = match (r.get::<_, Option<String>>(5)?, r.get::<_, Option<String>>(6)?) {
        (Some(limits), Some(features)) => Overrides::stored(&limits, &features)?,
        _ => Overrides::default(),
    };
    let trial: Option<String> = r.get(10)?;
    Ok(Record {
        id: r.get(0)?,
        name: r.get(1)?,
        status: Status::parse(&r.get::<_, String>(2)?)?,
        reason: r.get(3)?,
        hostnames: Vec::<Named>::new(),
        plan: r.get(4)?,
        of_plan,
        upgrade_url: r.get(7)?,
        own: Overrides::stored(&r.get::<_, String>(8)?, &r.get::<_, String>(9)?)?,
        trial: trial.map(|text| serde_json::from_str(&text)).transpose()?,
        created_at: r.get::<_, Millis>(11)?.0,
        updated_at: r.get::<_, Millis>(12)?.0,
        delete_after: r.get(13)?,
    })
}

fn json(map: serde_json::Map<String, serde_json::Value>) -> String {
    serde_json::Value::from(map).to_string()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_statement_prepares() {
        use crate::{db::sql::assert_prepares, tenancy::Control};
        assert_prepares::<Control>(super::STATEMENTS);
        assert_prepares::<Control>(&[("GET", super::GET), ("LIST", super::LIST)]);
    }
}
