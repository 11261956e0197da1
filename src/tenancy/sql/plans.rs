//! Every statement about plans.

use crate::{
    base::{Clock, Result, clock::Millis},
    db::{Read, Write},
    sql,
    tenancy::{Control, limits::Overrides, plan::Plan},
};
use rusqlite::{OptionalExtension, Row, params};
use serde_json::Value;

sql! {
    GET = "SELECT id, name, upgrade_url, limits, features, extra, created_at, updated_at,
            (SELECT count(*) FROM tenants t WHERE t.plan = plans.id)
        FROM plans WHERE id = ?1";
    LIST = "SELECT id, name, upgrade_url, limits, features, extra, created_at, updated_at,
            (SELECT count(*) FROM tenants t WHERE t.plan = plans.id)
        FROM plans ORDER BY id";
    INSERT = "INSERT INTO plans (id, name, upgrade_url, limits, features, extra, created_at,
            updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)";
    UPDATE = "UPDATE plans SET name = ?2, upgrade_url = ?3, limits = ?4, features = ?5, extra = ?6,
            updated_at = max(updated_at + 1, ?7) WHERE id = ?1";
    DELETE = "DELETE FROM plans WHERE id = ?1";
}

pub(in crate::tenancy) fn get(db: &Read<Control>, id: &str) -> Result<Option<Plan>> {
    db.prepare_cached(GET)?.query_row([id], |r| Ok(read_row(r))).optional()?.transpose()
}

pub(in crate::tenancy) fn list(db: &Read<Control>) -> Result<Vec<Plan>> {
    let mut statement = db.prepare_cached(LIST)?;
    let plans = statement.query_map([], |r| Ok(read_row(r)))?;
    plans.map(|plan| plan?).collect()
}

pub(in crate::tenancy) fn insert(db: &Write<Control>, plan: &Plan) -> Result<()> {
    db.prepare_cached(INSERT)?.execute(params![
        plan.id,
        plan.name,
        plan.upgrade_url,
        Value::from(plan.overrides.limits_json()).to_string(),
        Value::from(plan.overrides.features_json()).to_string(),
        plan.sealed_extra,
        plan.created_at,
    ])?;
    Ok(())
}

pub(in crate::tenancy) fn update(db: &Write<Control>, plan: &Plan) -> Result<()> {
    db.prepare_cached(UPDATE)?.execute(params![
        plan.id,
        plan.name,
        plan.upgrade_url,
        Value::from(plan.overrides.limits_json()).to_string(),
        Value::from(plan.overrides.features_json()).to_string(),
        plan.sealed_extra,
        Clock::now(),
    ])?;
    Ok(())
}

pub(in crate::tenancy) fn delete(db: &Write<Control>, id: &str) -> Result<()> {
    db.prepare_cached(DELETE)?.execute([id])?;
    Ok(())
}

fn read_row(r: &Row) -> Result<Plan> {
    Ok(Plan {
        id: r.get(0)?,
        name: r.get(1)?,
        upgrade_url: r.get(2)?,
        overrides: Overrides::stored(&r.get::<_, String>(3)?, &r.get::<_, String>(4)?)?,
        sealed_extra: r.get(5)?,
        created_at: r.get::<_, Millis>(6)?,
        updated_at: r.get::<_, Millis>(7)?,
        tenants: r.get::<_, i64>(8)?.unsigned_abs(),
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_statement_prepares() {
        crate::db::sql::assert_prepares::<crate::tenancy::Control>(super::STATEMENTS);
    }
}
