//! More files for an item that is stored already. They go where its others are.

use super::{Media, sql::removals};
use crate::{
    base::{Error, Result, ids::PublicId},
    site::storages,
    storage::{Incoming, Landable, Landed, Remote, Store, Unconfirmed},
    tenancy::Tenant,
};
use std::sync::Arc;

/// A file that lies among the incoming ones.
pub(super) fn landable(incoming: &Incoming, file: &str, mime: &str) -> Landable {
    let (path, file, mime) = (incoming.path(file), file.to_owned(), mime.to_owned());
    Landable { file, path, mime, is_attached: false }
}

/// Files that were added, and that no row names yet. Dropped without being [settled](Self::settle),
/// the next start finds out which of them are an item's.
#[must_use]
pub(super) struct Added(Option<Landed>);

impl Added {
    /// It is written down which of the files stay, and which go.
    pub(super) async fn settle(self) -> Result<()> {
        let Some(landed) = self.0 else { return Ok(()) };
        super::upload::blocking(move || {
            landed.confirm();
            Ok(())
        })
        .await
    }
}

/// Puts files beside an item's others. One that no row comes to name does no harm in the site's
/// own folder, where it goes with the item; elsewhere it must be noted as a removal.
///
/// # Errors
/// `Unavailable` where the item's storage does not take them.
pub(super) async fn add(
    tenant: &Arc<Tenant>,
    media: &Media,
    files: Vec<Landable>,
) -> Result<Added> {
    match storages::open(tenant, media.storage).await? {
        Store::Remote(remote) => send(tenant, media, &remote, &files).await,
        Store::Disk(disk) => {
            let folder = media.folder.clone();
            let adding = move || {
                files.iter().try_for_each(|file| disk.take(&folder, &file.file, &file.path))
            };
            super::upload::blocking(adding).await?;
            Ok(Added(None))
        }
    }
}

async fn send(
    tenant: &Arc<Tenant>,
    media: &Media,
    remote: &Remote,
    files: &[Landable],
) -> Result<Added> {
    let disk = tenant.disk().clone();
    let mut aside = super::upload::blocking(move || disk.receive(&PublicId::random()?)).await?;
    let (storage, folder) = (media.storage, media.folder.clone());
    let names = files.iter().map(|file| file.file.clone()).collect();
    let at = Unconfirmed { storage, folder, files: names, parts: Vec::new() };
    match aside.send(remote, &at, files).await {
        Ok(()) => Ok(Added(Some(aside.sent(at)))),
        Err((error, left)) => {
            if let Some(left) = left {
                tenant.tidy(move |db| removals::note_unnamed(db, left)).await?;
            }
            aside.retract();
            Err(error)
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
