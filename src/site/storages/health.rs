//! How storages are doing: one that fails is left alone for a while, longer each time.

use super::{Storage, sql};
use crate::{
    base::{Clock, Result},
    tenancy::Tenant,
};

const FIRST_PAUSE_MS: i64 = 5_000;
const LONGEST_PAUSE_MS: i64 = 10 * 60_000;

/// Notes that a storage did not do what it should.
pub async fn failed(tenant: &Tenant, storage: &Storage, problem: &str) -> Result<()> {
    let (id, failures) = (storage.id, storage.failures.saturating_add(1));
    let pause = FIRST_PAUSE_MS.saturating_mul(1 << (failures - 1).min(10)).min(LONGEST_PAUSE_MS);
    let until = Clock::now().plus_ms(pause);
    tracing::warn!(tenant = %tenant.id, storage = storage.name, problem, "a storage failed");
    let problem = problem.chars().take(300).collect::<String>();
    tenant.tidy(move |db| sql::set_failed(db, id, failures, until, &problem)).await
}

/// Notes that a storage works, if it did not before.
pub async fn worked(tenant: &Tenant, storage: &Storage) -> Result<()> {
    if storage.failures == 0 && storage.problem.is_none() {
        return Ok(());
    }
    let id = storage.id;
    tenant.tidy(move |db| sql::set_worked(db, id)).await
}
