//! Every statement about the trail of what operators did.

use crate::{
    base::{Clock, Result, clock::Millis},
    db::{Read, Write},
    sql,
    tenancy::{
        Control,
        audit::{By, Entry},
    },
};
use serde_json::Value;

sql! {
    INSERT = "INSERT INTO audit (at, actor, action, tenant, detail, address)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    LIST = "SELECT id, at, actor, action, tenant, detail, address FROM audit
        WHERE (?1 IS NULL OR id < ?1) ORDER BY id DESC LIMIT ?2";
    LIST_OF = "SELECT id, at, actor, action, tenant, detail, address FROM audit
        WHERE tenant = ?3 AND (?1 IS NULL OR id < ?1) ORDER BY id DESC LIMIT ?2";
}

pub(in crate::tenancy) fn insert(
    db: &Write<Control>,
    by: &By,
    action: &str,
    tenant: Option<&str>,
    detail: &Value,
) -> Result<()> {
    let row = (Clock::now(), &by.actor, action, tenant, detail.to_string(), &by.address);
    db.prepare_cached(INSERT)?.execute(row)?;
    Ok(())
}

/// The entries before one, the newest first.
pub(in crate::tenancy) fn list(
    db: &Read<Control>,
    tenant: Option<&str>,
    before: Option<i64>,
    rows: i64,
) -> Result<Vec<Entry>> {
    let read = |r: &rusqlite::Row| {
        Ok(Entry {
            id: r.get(0)?,
            at: r.get::<_, Millis>(1)?,
            actor: r.get(2)?,
            action: r.get(3)?,
            tenant: r.get(4)?,
            detail: serde_json::from_str(&r.get::<_, String>(5)?).unwrap_or_default(),
            address: r.get(6)?,
        })
    };
    let entries: rusqlite::Result<_> = match tenant {
        None => db.prepare_cached(LIST)?.query_map((before, rows), read)?.collect(),
        Some(id) => db.prepare_cached(LIST_OF)?.query_map((before, rows, id), read)?.collect(),
    };
    Ok(entries?)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_statement_prepares() {
        crate::db::sql::assert_prepares::<crate::tenancy::Control>(super::STATEMENTS);
    }
}
