//! A site held still while it serves on: a copy of its rows, and a promise that the bytes they name
//! stay where they are.

use super::{
    gather::{self, Files},
    sql,
};
use crate::{
    base::{
        Clock, Error, Result,
        ids::{PublicId, TenantId},
    },
    db::Db,
    tenancy::{Scratch, Site, Tenant, Tenants, usage},
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// A promise lasts this long unless it is renewed: a process that is killed keeps nothing for ever.
const HOLD_MS: i64 = 3 * 60_000;
const RENEW_EVERY: Duration = Duration::from_secs(60);

/// A site at one moment.
pub(super) struct Snapshot {
    pub database: PathBuf,
    /// Where its files lie.
    pub files: Files,
    /// Of all files that it names.
    pub bytes: u64,
    /// The copy is removed with it; there is room for other work beside it.
    pub scratch: Scratch,
}

/// Runs `work` on a snapshot of a site. Until it is over, nothing that the snapshot names is
/// removed.
pub(super) async fn with<T, F: Future<Output = Result<T>>>(
    tenants: &Tenants,
    id: &TenantId,
    work: impl FnOnce(Arc<Snapshot>) -> F,
) -> Result<T> {
    let tenant = tenants.get(id).await?;
    let name = format!("copy-{}", PublicId::random()?);
    hold(&tenant, &name).await?;
    let working = async {
        let snapshot = Arc::new(take(tenants, &tenant).await?);
        work(snapshot).await
    };
    let renewing = async {
        loop {
            tokio::time::sleep(RENEW_EVERY).await;
            if let Err(error) = hold(&tenant, &name).await {
                tracing::warn!(error = %error.in_full(), "a hold could not be renewed");
            }
        }
    };
    let done = tokio::select! {
        done = Box::pin(working) => done,
        () = renewing => Err(Error::internal("a hold is renewed for ever")),
    };
    if let Err(error) = tenant.tidy(move |db| usage::release_hold(db, &name)).await {
        tracing::warn!(error = %error.in_full(), "a hold stays until it lapses");
    }
    // What waited for the end of it can go now.
    tenants.visit_soon(id).await?;
    done
}

async fn hold(tenant: &Tenant, name: &str) -> Result<()> {
    let (name, until) = (name.to_owned(), Clock::now().plus_ms(HOLD_MS));
    tenant.tidy(move |db| usage::hold(db, &name, until)).await
}

async fn take(tenants: &Tenants, tenant: &Arc<Tenant>) -> Result<Snapshot> {
    let scratch = tenants.scratch(&tenant.id).await?;
    let database = scratch.path().join("site.sqlite");
    tenant.copy_database(&database).await?;
    let copy = database.clone();
    let read = tokio::task::spawn_blocking(move || {
        write(&copy, |db| {
            let scattered = gather::scattered(db)?;
            sql::detach(db)?;
            Ok((sql::bytes(db)?, scattered))
        })
    });
    let (bytes, scattered) = read.await??;
    let own = tenants.folder(&tenant.id).join("media");
    let files = Files::new(own, scratch.path().join("media"));
    files.gather(tenant, scattered).await?;
    Ok(Snapshot { database, files, bytes, scratch })
}

/// Opens a database file that nobody else has open, changes it, and closes it again: it is
/// complete in its one file then. Blocks.
pub(super) fn write<T>(
    database: &Path,
    f: impl FnOnce(&crate::db::Write<Site>) -> Result<T>,
) -> Result<T> {
    let db = Db::<Site>::open(database)?;
    let done = db.write_now(f)?;
    drop(db);
    let [_, log, _] = Db::<Site>::files(database);
    if log.exists() {
        return Err(Error::internal("a copy of a database is open elsewhere"));
    }
    Ok(done)
}
