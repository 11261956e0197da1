//! Files of a site that do not lie in its own folder, brought together for a copy of it.

use super::{fill, sql};
use crate::{
    base::{Error, Result, ids::StorageId},
    db::Read,
    site::storages,
    storage::{Remote, Store},
    tenancy::{Site, Tenant},
};
use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Where the files of a site lie for whoever copies it: in the site's own folder, or, all of an
/// item, gathered beside it.
#[derive(Debug, Clone)]
pub(super) struct Files {
    own: PathBuf,
    gathered: PathBuf,
}

impl Files {
    pub(super) fn new(own: PathBuf, gathered: PathBuf) -> Self {
        Self { own, gathered }
    }

    /// The folder with all files of an item.
    pub(super) fn folder(&self, folder: &str) -> PathBuf {
        let gathered = self.gathered.join(folder);
        if gathered.is_dir() { gathered } else { self.own.join(folder) }
    }

    /// Brings together all files of the items that this copy of a database says lie elsewhere, or
    /// share their bytes.
    pub(super) async fn gather(&self, tenant: &Arc<Tenant>, named: Vec<sql::Named>) -> Result<()> {
        for one in named {
            let to = self.gathered.join(one.folder.as_str());
            let to = to.join(fill::checked_name(&one.file)?);
            if let Some(folder) = to.parent() {
                tokio::fs::create_dir_all(folder).await?;
            }
            let (folder, file) = &one.place;
            match storages::open(tenant, one.storage).await? {
                Store::Remote(remote) => remote.fetch(folder, file, one.bytes, &to).await?,
                Store::Disk(disk) => {
                    let from = disk.place(folder, file)?;
                    tokio::task::spawn_blocking(move || link(&from, &to)).await??;
                }
            }
        }
        Ok(())
    }
}

/// A second name for a file, or a second file where the two lie on different disks.
fn link(from: &Path, to: &Path) -> Result<()> {
    if fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    fs::copy(from, to).map_err(|e| Error::internal(format!("{}: {e}", from.display())))?;
    Ok(())
}

/// The files of items that do not lie all in their own folder.
pub(super) fn scattered(db: &Read<Site>) -> Result<Vec<sql::Named>> {
    let folders = sql::scattered(db)?;
    let mut named = Vec::new();
    if !folders.is_empty() {
        sql::each_file(db, |one| {
            if folders.contains(one.folder.as_str()) {
                named.push(one);
            }
            Ok(())
        })?;
    }
    Ok(named)
}

/// The storages of a site that are somewhere else, connected to.
pub(super) async fn remotes(tenant: &Arc<Tenant>) -> Result<HashMap<StorageId, Arc<Remote>>> {
    let mut remotes = HashMap::new();
    for storage in storages::all(tenant).await? {
        if let Store::Remote(remote) = storages::open_known(tenant, &storage).await? {
            remotes.insert(storage.id, remote);
        }
    }
    Ok(remotes)
}
