//! Whether two sites hold the same: every row that people made, and every byte.

use super::{Listener, fill, gather, sql};
use crate::{
    base::{Result, ids::TenantId},
    storage::Remote,
    tenancy::Tenants,
};
use futures_util::TryStreamExt;
use sha2::{Digest, Sha256};
use std::io;
use tokio::runtime::Handle;

/// What a site holds, as one number.
pub(super) async fn everything(
    tenants: &Tenants,
    id: &TenantId,
    step: &'static str,
    listener: &Listener,
) -> Result<[u8; 32]> {
    let media = tenants.folder(id).join("media");
    let tenant = tenants.get(id).await?;
    let (remotes, runtime) = (gather::remotes(&tenant).await?, Handle::current());
    let of_bytes = tenant.read(sql::bytes).await?;
    let meter = listener.meter(step, Some(of_bytes));
    let read = tenant.read(move |db| {
        let mut hash = Sha256::new();
        sql::hash_rows(db, &mut hash)?;
        sql::each_file(db, |named| {
            let (folder, file) = &named.place;
            let (bytes, sha256) = match remotes.get(&named.storage) {
                None => {
                    let path = media.join(folder.as_str()).join(fill::checked_name(file)?);
                    fill::pour(&path, &mut io::sink(), &meter)?
                }
                Some(remote) => runtime.block_on(read_elsewhere(remote, &named))?,
            };
            if bytes != named.bytes {
                return Err(fill::damaged(folder.as_str(), file));
            }
            hash.update(sha256);
            meter.add(1, 0)
        })?;
        Ok(hash.finalize().into())
    });
    read.await
}

/// How long a file in another storage is, and its hash.
async fn read_elsewhere(remote: &Remote, named: &sql::Named) -> Result<(u64, [u8; 32])> {
    let (folder, file) = &named.place;
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut pieces = remote.pieces(folder, file, 0..named.bytes).await?;
    while let Some(piece) = pieces.try_next().await? {
        hash.update(&piece);
        bytes += piece.len() as u64;
    }
    Ok((bytes, hash.finalize().into()))
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
