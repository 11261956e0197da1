//! Bytes of a file that come before it is known who sends them: they are kept aside, and become
//! an upload, or go without a trace. What an upload is stands elsewhere (`upload.rs`).

use super::{
    original::UPLOAD,
    upload::{Details, Outcome, Receiving, Uploads, blocking},
};
use crate::{
    accounts::Actor,
    base::{Error, Result, ids::PublicId, text::Filename},
    site::settings,
    storage::Incoming,
    tenancy::{Tenant, limits::Limit},
};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::{fs, sync::Arc};
use tokio::{
    fs::File,
    io::{AsyncWriteExt, BufWriter},
};

/// The largest file that the site takes, in bytes.
pub async fn most_bytes(tenant: &Tenant) -> Result<u64> {
    let settings = tenant.read(settings::load).await?;
    let most = tenant.allowance().limit(Limit::MaxUploadBytes).unwrap_or(u64::MAX);
    Ok(settings.max_upload_bytes.min(most))
}

/// A file on its way in. Dropped, it is gone.
pub struct Spool {
    tenant: Arc<Tenant>,
    incoming: Incoming,
    file: BufWriter<File>,
    received: u64,
    limit: u64,
    md5: Md5,
    sha1: Sha1,
    sha256: Sha256,
}

/// Sums of a file as it came. Clients are told the older ones; nothing here relies on them.
#[derive(Debug, Clone, Copy)]
pub struct Sums {
    pub md5: [u8; 16],
    pub sha1: [u8; 20],
    pub sha256: [u8; 32],
}

impl Spool {
    pub async fn begin(tenant: &Arc<Tenant>) -> Result<Self> {
        let limit = most_bytes(tenant).await?;
        let (place, id) = (tenant.clone(), PublicId::random()?);
        let (incoming, file) = blocking(move || {
            let incoming = place.disk().receive(&id)?;
            let file = incoming.create_file(UPLOAD)?;
            Ok((incoming, file))
        })
        .await?;
        let file = BufWriter::with_capacity(256 * 1024, File::from_std(file));
        Ok(Self {
            tenant: tenant.clone(),
            incoming,
            file,
            received: 0,
            limit,
            md5: Md5::new(),
            sha1: Sha1::new(),
            sha256: Sha256::new(),
        })
    }

    /// # Errors
    /// `TooLarge` once the file is larger than the site takes.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.received += bytes.len() as u64;
        if self.received > self.limit {
            return Err(Error::TooLarge { field: "file", allowed: self.limit });
        }
        self.md5.update(bytes);
        self.sha1.update(bytes);
        self.sha256.update(bytes);
        Ok(self.file.write_all(bytes).await?)
    }

    /// It is known by now whose it is: makes an item of it, like of every upload.
    pub async fn take_in(
        mut self,
        actor: &Actor,
        uploads: &Arc<Uploads>,
        filename: Filename,
        details: Details,
    ) -> Result<(Outcome, Sums)> {
        self.file.flush().await?;
        let Self { tenant, incoming, file, received, md5, sha1, sha256, .. } = self;
        drop(file);
        let sums = Sums {
            md5: md5.finalize().into(),
            sha1: sha1.finalize().into(),
            sha256: sha256.finalize().into(),
        };
        let put = move |place: &std::path::Path| Ok(fs::rename(incoming.path(UPLOAD), place)?);
        let receiving = Receiving::adopt(&tenant, actor, received, put).await?;
        Ok((receiving.finish(uploads, filename, details).await?, sums))
    }
}
