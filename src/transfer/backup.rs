//! A site saved to one file, while it serves on.

use super::{Listener, Manifest, snapshot, sql};
use crate::{
    archive,
    base::{Result, ids::TenantId},
    tenancy::{Tenants, audit::By},
};
use serde::Serialize;
use serde_json::json;
use std::path::{Path, PathBuf};

/// What was saved.
#[derive(Debug, Serialize)]
pub struct Report {
    pub id: String,
    pub path: PathBuf,
    pub files: u64,
    /// Of these files together.
    pub bytes: u64,
    /// SHA-256 of the backup file.
    pub sha256: String,
}

/// What a backup turned out to be.
#[derive(Debug, Serialize)]
pub struct Verified {
    pub manifest: Manifest,
    pub files: u64,
    pub bytes: u64,
    pub sha256: String,
}

/// Saves a site to the file `to`, which appears only when it is whole and on the disk. Everything
/// in it is from one moment, and nothing that was there then is missing.
///
/// # Errors
/// `Conflict` with code `archive_exists` where there is such a file and it is not to be
/// overwritten; `Rejected` with code `bad_source` where a file of the site is missing or broken.
pub async fn backup(
    tenants: &Tenants,
    by: &By,
    id: &TenantId,
    to: &Path,
    overwrite: bool,
    listener: &Listener,
) -> Result<Report> {
    let manifest = Manifest::of(tenants, id).await?;
    let said = serde_json::to_value(&manifest)?;
    let path = to.to_owned();
    let packed = snapshot::with(tenants, id, |snapshot| async move {
        let mut tell = listener.archive("packing", Some(snapshot.bytes));
        let packing = tokio::task::spawn_blocking(move || {
            let folders = snapshot::write(&snapshot.database, |db| sql::folders(db))?;
            let source = archive::Source {
                manifest: &said,
                database: &snapshot.database,
                media: &|folder| snapshot.files.folder(folder),
                folders: &folders,
            };
            archive::pack(&source, &path, overwrite, &mut tell)
        });
        packing.await?
    });
    let packed = packed.await?;
    let detail = json!({ "files": packed.files, "bytes": packed.bytes });
    tenants.note(by, "tenant.backup", Some(id.as_str()), detail).await?;
    Ok(Report {
        id: id.to_string(),
        path: to.to_owned(),
        files: packed.files,
        bytes: packed.bytes,
        sha256: sql::hex(&packed.sha256),
    })
}

/// Reads a backup from its start to its end and checks every byte of it.
///
/// # Errors
/// `Rejected` with code `bad_archive` where anything is wrong with it.
pub async fn verify(from: &Path, listener: &Listener) -> Result<Verified> {
    let (from, mut tell) = (from.to_owned(), listener.archive("verifying", None));
    let read = tokio::task::spawn_blocking(move || {
        let manifest = Manifest::read(archive::manifest(&from)?)?;
        Ok::<_, crate::base::Error>((manifest, archive::verify(&from, &mut tell)?))
    });
    let (manifest, found) = read.await??;
    let sha256 = sql::hex(&found.sha256);
    Ok(Verified { manifest, files: found.files, bytes: found.bytes, sha256 })
}
