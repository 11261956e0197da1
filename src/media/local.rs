//! Files as paths on this machine, for work that needs more than their bytes in order.

use super::Place;
use crate::{
    base::{Result, ids::PublicId},
    site::storages,
    storage::{Incoming, Store},
    tenancy::Tenant,
};
use std::{path::PathBuf, sync::Arc};

/// A file on this machine: itself, or a copy that goes when this is dropped.
pub(super) struct Local {
    pub path: PathBuf,
    _copy: Option<Incoming>,
}

const NAME: &str = "copy";

/// The file, fetched where it lies elsewhere.
///
/// # Errors
/// `NotFound`; `Unavailable` where its storage does not answer.
pub(super) async fn fetch(tenant: &Arc<Tenant>, place: &Place, bytes: u64) -> Result<Local> {
    match storages::open(tenant, place.storage).await? {
        Store::Disk(disk) => {
            Ok(Local { path: disk.place(&place.folder, &place.file)?, _copy: None })
        }
        Store::Remote(remote) => {
            let disk = tenant.disk().clone();
            let aside = super::upload::blocking(move || disk.receive(&PublicId::random()?)).await?;
            // The ending stays: some tools go by it.
            let ending = place.file.rsplit_once('.').map_or("bin", |(_, ending)| ending);
            let path = aside.path(&format!("{NAME}.{ending}"));
            remote.fetch(&place.folder, &place.file, bytes, &path).await?;
            Ok(Local { path, _copy: Some(aside) })
        }
    }
}
