//! Work that nobody waits for: sites are visited when something in them is due, and only then.
//! Of several processes that serve the same data, one does it at a time.

use crate::{
    accounts::session,
    base::{Clock, Result, clock::Millis, ids::TenantId},
    media,
    tenancy::{Stats, Tenant, Tenants, audit::By, record::Status, usage},
};
use std::{sync::Arc, time::Duration};

/// How often to look whether something is due.
const EVERY: Duration = Duration::from_secs(5);
/// How long this process does the work before it must say so again.
const LEASE_MS: i64 = 30_000;
/// How many sites are visited before the lease is prolonged.
const AT_ONCE: i64 = 50;
/// After a failure: not at once, and not never.
const RETRY_MS: i64 = 5 * 60_000;
/// Every how many looks the counters in memory are written down: each minute.
const FLUSH_EVERY: u32 = 12;
/// A site that nobody came to for so long is closed.
const UNUSED: Duration = Duration::from_secs(15 * 60);

/// Works until it is dropped. One site's trouble does not keep the others waiting.
pub async fn run(tenants: Arc<Tenants>) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for look in 0u32.. {
        ticks.tick().await;
        if look % FLUSH_EVERY == FLUSH_EVERY - 1 {
            tenants.close_unused(UNUSED).await;
            tenants.flush().await;
        }
        if let Err(error) = visit_due(&tenants).await {
            tracing::error!(error = %error.in_full(), "housekeeping failed");
        }
    }
}

/// Visits every site that is due, if it is this process's turn. Returns how many it visited.
pub async fn visit_due(tenants: &Arc<Tenants>) -> Result<usize> {
    let mut visited = 0;
    loop {
        if !tenants.lease("housekeeping", LEASE_MS).await? {
            return Ok(visited);
        }
        let due = tenants.due(AT_ONCE).await?;
        if due.is_empty() {
            return Ok(visited);
        }
        for (id, stamp) in due {
            if let Err(error) = visit(tenants, &id, stamp).await {
                tracing::error!(tenant = %id, error = %error.in_full(), "a visit failed");
                let retry = Some(Clock::now().plus_ms(RETRY_MS));
                tenants.end_visit(&id, stamp, None, retry).await?;
            }
            visited += 1;
        }
    }
}

/// Looks after one site: what is over goes, what it holds is noted, and so is when to come back.
async fn visit(tenants: &Arc<Tenants>, id: &TenantId, stamp: i64) -> Result<()> {
    let record = tenants.record(id).await?;
    if record.status == Status::Deleting {
        return match record.delete_after().filter(|at| *at > Clock::now()) {
            Some(at) => tenants.end_visit(id, stamp, None, Some(at)).await,
            None => tenants.purge(&By::housekeeping(), id).await,
        };
    }
    let (stats, next) = tenants.visit(id, sweep).await?;
    tenants.end_visit(id, stamp, Some(stats), next).await
}

/// Removes what is over. Returns what the site holds then, and when something will be over next.
async fn sweep(tenant: Arc<Tenant>) -> Result<(Stats, Option<Millis>)> {
    media::sweep::sweep(&tenant).await?;
    session::sweep(&tenant).await?;
    let dues = [media::sweep::next(&tenant).await?, session::next(&tenant).await?];
    let stats = tenant.read(usage::stats).await?;
    Ok((stats, dues.into_iter().flatten().min()))
}
