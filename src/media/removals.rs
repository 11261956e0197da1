//! Removing bytes that no row names any more. It is tried again until it is done: a storage that
//! does not answer today may tomorrow.

use super::sql::removals::{self, Removal};
use crate::{
    base::{Clock, Error, Result, ids::StorageId},
    site::storages,
    storage::{Store, Unconfirmed},
    tenancy::{Tenant, usage},
};
use std::{collections::HashMap, sync::Arc};

const FIRST_PAUSE_MS: i64 = 30_000;
const LONGEST_PAUSE_MS: i64 = 6 * 60 * 60 * 1000;
/// After so many failures, a storage is left alone for a while, with all that is to go from it.
const MOST_FAILURES: u32 = 3;

/// Removes what is due. Does nothing while somebody copies the site: the next visit does it.
pub(super) async fn run(tenant: &Arc<Tenant>) -> Result<()> {
    let mut failures = HashMap::<StorageId, u32>::new();
    loop {
        if tenant.read(usage::held).await?.is_some() {
            return Ok(());
        }
        let due = tenant.read(removals::due).await?;
        if due.is_empty() {
            return Ok(());
        }
        for removal in due {
            let (id, storage) = (removal.id, removal.what.storage);
            let failed = failures.entry(storage).or_default();
            if *failed >= MOST_FAILURES {
                let until = Clock::now().plus_ms(FIRST_PAUSE_MS);
                tenant.tidy(move |db| removals::put_off(db, storage, until)).await?;
                continue;
            }
            match remove(tenant, &removal).await {
                Ok(()) => tenant.tidy(move |db| removals::done(db, id)).await?,
                Err(error) => {
                    let problem = error.in_full();
                    tracing::warn!(tenant = %tenant.id, problem, "bytes could not be removed");
                    *failed += 1;
                    let pause = FIRST_PAUSE_MS << removal.attempts.min(20);
                    let at = Clock::now().plus_ms(pause.min(LONGEST_PAUSE_MS));
                    tenant.tidy(move |db| removals::again(db, id, at, &problem)).await?;
                }
            }
        }
    }
}

async fn remove(tenant: &Arc<Tenant>, removal: &Removal) -> Result<()> {
    let Removal { what, is_whole, keep, .. } = removal.clone();
    let Unconfirmed { storage, folder, files, .. } = what;
    if let Store::Remote(remote) = storages::open(tenant, storage).await? {
        remote.remove(&removal.what).await?;
    }
    // Pictures made on demand lie here, wherever their original does.
    let (disk, is_here) = (tenant.disk().clone(), storage == crate::storage::LOCAL);
    let removing = tokio::task::spawn_blocking(move || match (is_whole, is_here) {
        (true, true) => disk.remove(&folder, keep.as_deref()),
        (true, false) => disk.remove(&folder, None),
        (false, true) => files.iter().try_for_each(|file| disk.remove_file(&folder, file)),
        (false, false) => Ok::<_, Error>(()),
    });
    removing.await?
}
