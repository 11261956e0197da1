//! Housekeeping: uploads that nobody goes on with end, and so do bytes that belong to none.

use super::{blocking, remove, sql};
use crate::{
    base::{Result, clock::Millis},
    tenancy::Tenant,
};
use std::time::Duration;

/// A file without a row may belong to an upload that is just being begun.
const JUST_NOW: Duration = Duration::from_secs(10 * 60);

/// Removes what is over.
pub async fn sweep(tenant: &Tenant) -> Result<()> {
    loop {
        let expired = tenant.read(sql::expired).await?;
        if expired.is_empty() {
            break;
        }
        for id in expired {
            remove(tenant, id).await?;
        }
    }
    let store = tenant.disk().clone();
    let old = blocking(move || store.partials_older_than(JUST_NOW)).await?;
    for id in old {
        let of = id.clone();
        let is_known = tenant
            .read(move |db| Ok(sql::get(db, &of)?.is_some_and(|u| u.media.is_none())))
            .await?;
        if !is_known {
            let store = tenant.disk().clone();
            blocking(move || store.remove_partial(&id)).await?;
        }
    }
    Ok(())
}

/// When the next one is over.
pub async fn next(tenant: &Tenant) -> Result<Option<Millis>> {
    tenant.read(sql::first_expiry).await
}
