//! Housekeeping: what is over goes, and what a crash left open is settled.

use super::sql::{self, removals};
use crate::{
    base::{Clock, Result, clock::Millis},
    site::settings,
    storage::LOCAL,
    tenancy::{Tenant, usage},
};
use std::sync::Arc;

/// Settles what a crash left open. For the start, before the first upload.
pub async fn recover(tenant: &Arc<Tenant>) -> Result<()> {
    let disk = tenant.disk().clone();
    let open = tokio::task::spawn_blocking(move || disk.unconfirmed()).await??;
    let (mut orphans, mut has_removals) = (Vec::new(), false);
    for landing in open {
        let (folder, at) = (landing.folder.clone(), landing.storage);
        let exists = tenant.read(move |db| removals::exists(db, &folder, at)).await?;
        has_removals |= at != LOCAL;
        // Before the marker goes: it is the only one that knows.
        match (exists, at) {
            (true, LOCAL) => {}
            (false, LOCAL) => orphans.push(landing.folder),
            // Files may have been on their way to an item that had others.
            (true, _) => tenant.write(move |db| removals::note_unnamed(db, landing)).await?,
            (false, _) => {
                tenant.write(move |db| removals::note_unconfirmed(db, &landing)).await?;
            }
        }
    }
    let disk = tenant.disk().clone();
    let swept = tokio::task::spawn_blocking(move || disk.sweep(&orphans)).await??;
    if swept > 0 {
        tracing::info!(tenant = %tenant.id, swept, "unfinished uploads were swept");
    }
    if has_removals {
        tenant.visit_soon().await?;
    }
    Ok(())
}

/// Removes what has expired, what has lain in the trash for its time, and the bytes of what was
/// removed before.
pub async fn sweep(tenant: &Arc<Tenant>) -> Result<()> {
    loop {
        let removed = tenant
            .tidy(|db| {
                let days = i64::try_from(settings::load(db)?.trash_days).unwrap_or(i64::MAX);
                let before = Clock::now().plus_days(days.saturating_neg());
                let due = sql::due(db, before)?;
                for id in &due {
                    removals::purge(db, *id)?;
                }
                Ok(due.len())
            })
            .await?;
        super::removals::run(tenant).await?;
        if removed == 0 {
            return Ok(());
        }
    }
}

/// When there is something to sweep next.
pub async fn next(tenant: &Tenant) -> Result<Option<Millis>> {
    let read = tenant.read(|db| {
        let days = i64::try_from(settings::load(db)?.trash_days).unwrap_or(i64::MAX);
        let removal = match (usage::held(db)?, removals::next(db)?) {
            (Some(until), Some(at)) => Some(until.max(at)),
            (_, next) => next,
        };
        let trashed = sql::first_trashed(db)?.map(|at| at.plus_days(days));
        Ok([removal, trashed, sql::first_expiry(db)?].into_iter().flatten().min())
    });
    read.await
}
