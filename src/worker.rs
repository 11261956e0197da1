//! Work that nobody waits for: what is over is swept, tenant by tenant.

use crate::{accounts::session, base::Result, media, tenancy::Tenants};
use std::{sync::Arc, time::Duration};

/// Often enough that what has expired does not lie about, seldom enough to cost nothing.
const EVERY: Duration = Duration::from_secs(60);

/// Sweeps until it is dropped. One tenant's trouble does not keep the others waiting.
pub async fn run(tenants: Arc<Tenants>) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = sweep_all(&tenants).await {
            tracing::error!(error = %error.in_full(), "the sweep failed");
        }
    }
}

async fn sweep_all(tenants: &Tenants) -> Result<()> {
    for id in tenants.ids().await? {
        let swept = async {
            let tenant = tenants.get(&id).await?;
            media::sweep::sweep(&tenant).await?;
            session::sweep(&tenant).await
        };
        if let Err(error) = swept.await {
            tracing::error!(tenant = %id, error = %error.in_full(), "the sweep failed");
        }
    }
    Ok(())
}
