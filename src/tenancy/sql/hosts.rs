//! Every statement about the names of sites.

use crate::{
    base::{Clock, Result, ids::TenantId},
    db::{Read, Write},
    sql,
    tenancy::{Control, hostname::Hostname, record::Named},
};
use rusqlite::OptionalExtension;

sql! {
    OF_TENANT = "SELECT host, is_canonical FROM hostnames WHERE tenant = ?1
        ORDER BY is_canonical DESC, host";
    OWNER = "SELECT tenant FROM hostnames WHERE host = ?1";
    INSERT = "INSERT INTO hostnames (host, tenant, is_canonical, created_at) VALUES (?1, ?2, ?3, ?4)";
    DELETE = "DELETE FROM hostnames WHERE tenant = ?1 AND host = ?2";
    NONE_CANONICAL = "UPDATE hostnames SET is_canonical = 0 WHERE tenant = ?1 AND is_canonical = 1";
    CANONICAL = "UPDATE hostnames SET is_canonical = 1 WHERE tenant = ?1 AND host = ?2";
    PAIRS = "SELECT h.host, h.tenant FROM hostnames h JOIN tenants t ON t.id = h.tenant
        WHERE t.status <> 'deleting' ORDER BY h.tenant, h.is_canonical DESC, h.host";
}

pub(in crate::tenancy) fn of_tenant(db: &Read<Control>, id: &str) -> Result<Vec<Named>> {
    let mut statement = db.prepare_cached(OF_TENANT)?;
    let read = |r: &rusqlite::Row| Ok(Named { host: r.get(0)?, is_canonical: r.get(1)? });
    Ok(statement.query_map([id], read)?.collect::<rusqlite::Result<_>>()?)
}

/// Whose name this is.
pub(in crate::tenancy) fn owner(db: &Read<Control>, host: &str) -> Result<Option<String>> {
    Ok(db.prepare_cached(OWNER)?.query_row([host], |r| r.get(0)).optional()?)
}

pub(in crate::tenancy) fn insert(
    db: &Write<Control>,
    id: &TenantId,
    host: &Hostname,
    is_canonical: bool,
) -> Result<()> {
    db.prepare_cached(INSERT)?.execute((host.as_str(), id.as_str(), is_canonical, Clock::now()))?;
    Ok(())
}

pub(in crate::tenancy) fn delete(db: &Write<Control>, id: &TenantId, host: &str) -> Result<bool> {
    Ok(db.prepare_cached(DELETE)?.execute((id.as_str(), host))? > 0)
}

pub(in crate::tenancy) fn set_canonical(
    db: &Write<Control>,
    id: &TenantId,
    host: &str,
) -> Result<()> {
    db.prepare_cached(NONE_CANONICAL)?.execute([id.as_str()])?;
    db.prepare_cached(CANONICAL)?.execute((id.as_str(), host))?;
    Ok(())
}

/// Every name and whose it is, for proxies that route by name.
pub(in crate::tenancy) fn pairs(db: &Read<Control>) -> Result<Vec<(String, String)>> {
    let mut statement = db.prepare_cached(PAIRS)?;
    let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_statement_prepares() {
        crate::db::sql::assert_prepares::<crate::tenancy::Control>(super::STATEMENTS);
    }
}
