//! From a storage's id to the bytes in it.

use super::{Storage, sql};
use crate::{
    base::{Error, Result, ids::StorageId},
    storage::{Backend, LOCAL, Remote, Secrets, Store},
    tenancy::Tenant,
};
use std::sync::Arc;

/// The bytes of a storage of this site.
///
/// # Errors
/// `Internal` where there is no such storage; those of connecting.
pub async fn open(tenant: &Arc<Tenant>, id: StorageId) -> Result<Store> {
    if id == LOCAL {
        return Ok(Store::Disk(tenant.disk().clone()));
    }
    let storage = tenant.read(move |db| sql::by_id(db, id)).await?;
    open_known(tenant, &storage.ok_or_else(|| Error::internal("no such storage"))?).await
}

/// [`open`] of one that was read already.
pub async fn open_known(tenant: &Arc<Tenant>, storage: &Storage) -> Result<Store> {
    if storage.is_local() {
        return Ok(Store::Disk(tenant.disk().clone()));
    }
    let id = storage.id;
    let sealed = tenant.read(move |db| sql::secrets(db, id)).await?;
    let (tenant, storage) = (tenant.clone(), storage.clone());
    // A folder is made where it is missing.
    let opened = tokio::task::spawn_blocking(move || {
        let connect = || {
            let secrets = unseal(&tenant, &storage, sealed.as_deref())?;
            connect(&tenant, &storage, secrets)
        };
        tenant.remotes().get(storage.id, storage.updated_at, connect)
    });
    Ok(Store::Remote(opened.await??))
}

pub(super) fn connect(tenant: &Tenant, storage: &Storage, secrets: Secrets) -> Result<Remote> {
    let backend = Backend { kind: storage.kind, place: storage.place.clone(), secrets };
    backend.connect(tenant.world(), &tenant.id)
}

const PURPOSE: &str = "storage-secrets";

pub(super) fn seal(tenant: &Tenant, storage: &Storage, secrets: &Secrets) -> Result<Vec<u8>> {
    tenant.key(PURPOSE).seal(storage.public_id.as_str(), &serde_json::to_vec(secrets)?)
}

pub(super) fn unseal(tenant: &Tenant, storage: &Storage, sealed: Option<&[u8]>) -> Result<Secrets> {
    let Some(sealed) = sealed else { return Ok(Secrets::default()) };
    let opened = tenant.key(PURPOSE).unseal(storage.public_id.as_str(), sealed)?;
    Ok(serde_json::from_slice(&opened)?)
}
