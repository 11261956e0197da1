//! Removing what a site has in storages elsewhere: for one that is no more. Its rows say what
//! there is, and go as they are read; what a storage does not let go stays among the removals.

use super::{
    removals as removing,
    sql::removals::{self, Remaining},
    sweep,
};
use crate::{
    base::{Clock, Result},
    site::storages,
    storage::{Kind, LOCAL, Store},
    tenancy::{Tenant, leftovers::Left},
};
use serde_json::json;
use std::sync::Arc;

/// Before it is tried again at the earliest.
const LEAST_PAUSE_MS: i64 = 30_000;

/// Removes what it can. `None` where nothing is left.
pub async fn run(tenant: &Arc<Tenant>) -> Result<Option<Left>> {
    sweep::recover(tenant).await?;
    while tenant.tidy(removals::purge_some_elsewhere).await? {}
    removing::run(tenant).await?;
    let remaining = tenant.read(removals::remaining).await?;
    if remaining.is_empty() {
        remove_folders(tenant).await;
        return Ok(None);
    }
    tell(tenant, remaining).await.map(Some)
}

/// What is left, in words for the operator: no secrets.
async fn tell(tenant: &Tenant, remaining: Vec<Remaining>) -> Result<Left> {
    let all = storages::all(tenant).await?;
    let soonest = Clock::now().plus_ms(LEAST_PAUSE_MS);
    let mut left = Left { files: 0, places: json!([]), problem: None, next_at: soonest };
    let mut places = Vec::with_capacity(remaining.len());
    for one in remaining {
        let storage = all.iter().find(|storage| storage.id == one.storage);
        places.push(json!({
            "name": storage.map(|s| &s.name),
            "kind": storage.map(|s| s.kind.as_str()),
            "place": storage.map(|s| &s.place),
            "files": one.files,
        }));
        left.files += one.files;
        left.problem = left.problem.or(one.problem);
        left.next_at = left.next_at.max(one.next_at);
    }
    left.places = places.into();
    Ok(left)
}

/// A folder of the operator's keeps no empty folders of a site that is gone.
async fn remove_folders(tenant: &Arc<Tenant>) {
    let all = storages::all(tenant).await.unwrap_or_default();
    for storage in all.iter().filter(|s| s.kind == Kind::Disk && s.id != LOCAL) {
        if let Ok(Store::Remote(remote)) = storages::open_known(tenant, storage).await {
            remote.remove_empty_folders().await;
        }
    }
}
