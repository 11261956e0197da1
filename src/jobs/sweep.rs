//! Housekeeping: jobs that are over long since go, and those that wait are called to mind.

use super::{LONGEST_WAIT_MS, Weight, sql};
use crate::{
    base::{Clock, Result, clock::Millis},
    tenancy::Tenant,
};

/// How long it is remembered what came of a job, in days.
const KEPT_DAYS: i64 = 3;
/// The same for those that failed, which somebody may want tried again.
const FAILED_KEPT_DAYS: i64 = 30;

/// Removes what is over, and has workers look for what waits: a process may have ended between
/// making a job and saying so.
pub async fn sweep(tenant: &Tenant) -> Result<()> {
    let now = Clock::now();
    let (before, failed_before) = (now.plus_days(-KEPT_DAYS), now.plus_days(-FAILED_KEPT_DAYS));
    while tenant.tidy(move |db| sql::sweep(db, before, failed_before)).await? > 0 {}
    for weight in Weight::ALL {
        let known = tenant
            .read(move |db| Ok((sql::first_due(db, weight)?, sql::runs(db, weight)?)))
            .await?;
        match known {
            (Some(at), _) => tenant.work_at(weight, at).await?,
            // Looked at some day, in case that the process which runs it is gone.
            (None, true) => tenant.work_at(weight, now.plus_ms(LONGEST_WAIT_MS)).await?,
            (None, false) => {}
        }
    }
    Ok(())
}

/// When the next one is over long since, at the earliest.
pub async fn next(tenant: &Tenant) -> Result<Option<Millis>> {
    let first = tenant.read(sql::first_ended).await?;
    Ok(first.map(|at| at.plus_days(KEPT_DAYS).max(Clock::now().plus_days(1))))
}
