//! Housekeeping: what is over goes, and what a crash left open is settled.

use super::sql;
use crate::{
    base::{Clock, Result, clock::Millis},
    site::settings,
    storage::Folder,
    tenancy::{Tenant, usage},
};
use std::sync::Arc;

/// Settles what a crash left open. For the start, before the first upload.
pub async fn recover(tenant: &Arc<Tenant>) -> Result<()> {
    let place = tenant.clone();
    let open = tokio::task::spawn_blocking(move || place.store().unconfirmed()).await??;
    let orphans = tenant
        .read(move |db| {
            let known = open.into_iter().map(|f| Ok((sql::folder_exists(db, &f)?, f)));
            let known = known.collect::<Result<Vec<_>>>()?;
            Ok(known.into_iter().filter(|(known, _)| !known).map(|(_, f)| f).collect::<Vec<_>>())
        })
        .await?;
    let place = tenant.clone();
    let swept = tokio::task::spawn_blocking(move || place.store().sweep(&orphans)).await??;
    if swept > 0 {
        tracing::info!(tenant = %tenant.id, swept, "unfinished uploads were swept");
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
                    sql::purge(db, *id)?;
                }
                Ok(due.len())
            })
            .await?;
        let folders = match tenant.read(usage::held).await? {
            // Somebody copies the bytes: they go when that is over.
            Some(_) => Vec::new(),
            None => tenant.read(sql::purges).await?,
        };
        if removed == 0 && folders.is_empty() {
            return Ok(());
        }
        remove_bytes(tenant, folders).await?;
    }
}

/// When there is something to sweep next.
pub async fn next(tenant: &Tenant) -> Result<Option<Millis>> {
    let read = tenant.read(|db| {
        let days = i64::try_from(settings::load(db)?.trash_days).unwrap_or(i64::MAX);
        let purge = match (usage::held(db)?, sql::purges(db)?.is_empty()) {
            (Some(until), false) => Some(until),
            (None, false) => Some(Clock::now()),
            _ => None,
        };
        let trashed = sql::first_trashed(db)?.map(|at| at.plus_days(days));
        Ok([purge, trashed, sql::first_expiry(db)?].into_iter().flatten().min())
    });
    read.await
}

/// Removes the bytes of folders whose rows are gone, and then the note that they are to go. Does
/// nothing while somebody copies the site: the next visit does it.
pub(super) async fn remove_bytes(tenant: &Tenant, folders: Vec<Folder>) -> Result<()> {
    if tenant.read(usage::held).await?.is_some() {
        return Ok(());
    }
    let store = tenant.store().clone();
    let removed = tokio::task::spawn_blocking(move || {
        for folder in &folders {
            store.remove(folder)?;
        }
        Ok::<_, crate::base::Error>(folders)
    });
    let removed = removed.await??;
    tenant.tidy(move |db| removed.iter().try_for_each(|f| sql::purged(db, f))).await
}
