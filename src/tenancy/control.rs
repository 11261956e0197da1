//! Every statement about `control.sqlite`: which tenants there are.

use crate::{
    base::{Clock, Result, ids::TenantId},
    db::{Read, Schema, Step, Write},
    sql,
};
use rusqlite::OptionalExtension;

/// The schema of the appliance's own file.
pub enum Control {}

impl Schema for Control {
    const STEPS: &[Step] = &[Step {
        name: "0001_tenants",
        sql: include_str!("../../schema/control/0001_tenants.sql"),
    }];
}

sql! {
    EXISTS = "SELECT 1 FROM tenants WHERE id = ?1";
    INSERT = "INSERT INTO tenants (id, name, created_at, updated_at) VALUES (?1, ?2, ?3, ?3)
              ON CONFLICT (id) DO NOTHING";
    ALL = "SELECT id FROM tenants ORDER BY id";
}

pub(super) fn exists(db: &Read<Control>, id: &TenantId) -> Result<bool> {
    let row = db.prepare_cached(EXISTS)?.query_row([id.as_str()], |_| Ok(())).optional()?;
    Ok(row.is_some())
}

pub(super) fn insert(db: &Write<Control>, id: &TenantId, name: &str) -> Result<()> {
    db.prepare_cached(INSERT)?.execute((id.as_str(), name, Clock::now()))?;
    Ok(())
}

pub(super) fn all(db: &Read<Control>) -> Result<Vec<TenantId>> {
    let mut statement = db.prepare_cached(ALL)?;
    let ids = statement.query_map([], |r| r.get::<_, String>(0))?;
    ids.map(|id| TenantId::parse(&id?)).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_statement_prepares() {
        crate::db::sql::assert_prepares::<super::Control>(super::STATEMENTS);
    }
}
