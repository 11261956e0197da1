//! More files for an item that is stored already. They go where its others are.

use super::{Media, sql::removals};
use crate::{
    base::{Error, Result},
    site::storages,
    storage::{Incoming, Landable, Store},
    tenancy::Tenant,
};
use std::sync::Arc;

/// A file that lies among the incoming ones.
pub(super) fn landable(incoming: &Incoming, file: &str, mime: &str) -> Landable {
    let (path, file, mime) = (incoming.path(file), file.to_owned(), mime.to_owned());
    Landable { file, path, mime, is_attached: false }
}

/// Puts files beside an item's others. One that no row comes to name does no harm in the site's
/// own folder, where it goes with the item; elsewhere it must be noted as a removal.
///
/// # Errors
/// `Unavailable` where the item's storage does not take them.
pub(super) async fn add(tenant: &Arc<Tenant>, media: &Media, files: Vec<Landable>) -> Result<()> {
    match storages::open(tenant, media.storage).await? {
        Store::Remote(remote) => {
            for file in &files {
                remote.put(&media.folder, file).await?;
            }
            Ok(())
        }
        Store::Disk(disk) => {
            let folder = media.folder.clone();
            let adding = move || {
                files.iter().try_for_each(|file| disk.take(&folder, &file.file, &file.path))
            };
            super::upload::blocking(adding).await
        }
    }
}

/// Whether an item is still where its new files went. `was` is how it stood before.
///
/// # Errors
/// `Locked` where it was moved meanwhile.
pub(super) fn check_place(now: &Media, was: &Media) -> Result<()> {
    if (now.storage, &now.folder) == (was.storage, &was.folder) {
        return Ok(());
    }
    Err(Error::Locked("the item was moved to another storage just now"))
}

/// Files that were added are not needed after all: those go that the item did not have before.
pub(super) async fn take_back(
    tenant: &Arc<Tenant>,
    media: &Media,
    files: Vec<String>,
) -> Result<()> {
    let had = media.variants.iter().map(|v| v.file.clone()).collect::<Vec<_>>();
    let gone = files.into_iter().filter(|file| !had.contains(file)).collect();
    let (storage, folder) = (media.storage, media.folder.clone());
    tenant.tidy(move |db| removals::note_files(db, storage, &folder, gone)).await?;
    super::removals::run(tenant).await
}
