//! Whether two sites hold the same: every row that people made, and every byte.

use super::{Listener, fill, sql};
use crate::{
    base::{Result, ids::TenantId},
    tenancy::Tenants,
};
use sha2::{Digest, Sha256};
use std::io;

/// What a site holds, as one number.
pub(super) async fn everything(
    tenants: &Tenants,
    id: &TenantId,
    step: &'static str,
    listener: &Listener,
) -> Result<[u8; 32]> {
    let media = tenants.folder(id).join("media");
    let tenant = tenants.get(id).await?;
    let of_bytes = tenant.read(sql::bytes).await?;
    let meter = listener.meter(step, Some(of_bytes));
    let read = tenant.read(move |db| {
        let mut hash = Sha256::new();
        sql::hash_rows(db, &mut hash)?;
        sql::each_file(db, |named| {
            let name = fill::checked_name(&named.file)?;
            let path = media.join(named.folder.as_str()).join(name);
            let (bytes, sha256) = fill::pour(&path, &mut io::sink(), &meter)?;
            if bytes != named.bytes {
                return Err(fill::damaged(named.folder.as_str(), name));
            }
            hash.update(sha256);
            meter.add(1, 0)
        })?;
        Ok(hash.finalize().into())
    });
    read.await
}

/// The same of its rows alone, which is quick.
pub(super) async fn rows(tenants: &Tenants, id: &TenantId) -> Result<[u8; 32]> {
    let read = tenants.get(id).await?;
    let read = read.read(|db| {
        let mut hash = Sha256::new();
        sql::hash_rows(db, &mut hash)?;
        Ok(hash.finalize().into())
    });
    read.await
}
