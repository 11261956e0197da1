//! The files that are asked for again and again, in memory, for all sites of the process.
//!
//! It remembers what is known about them, and the bytes of the smaller ones. It decides nothing:
//! who may have a file is judged anew for every request.

use super::{
    shape::Shape,
    sql::{self, FileRow},
};
use crate::{
    base::{Error, Result, ids::PublicId},
    site::storages,
    storage::Store,
    tenancy::Tenant,
};
use bytes::Bytes;
use mini_moka::sync::Cache;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Rows that are remembered: some five megabytes.
const ROWS: u64 = 10_000;
/// How long a row is believed. Changes by this process are seen at once; this is for those that
/// other processes make.
const BELIEVED: Duration = Duration::from_secs(1);
/// The largest file that is kept whole, in bytes.
const SMALL: u64 = 512 * 1024;
/// Bytes that are kept of all files together.
const KEPT: u64 = 32 * 1024 * 1024;
/// After so long without a request for it a file is let go.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(300);

/// A file by the opening of its site, its item or folder, and its name. An opening ends when a
/// site is closed or removed, so nothing of one site is ever found under another.
type Key = (u64, String, String);

/// What is remembered of files.
pub struct Hot {
    rows: Cache<Key, Known>,
    bytes: Cache<Key, Bytes>,
}

#[derive(Clone)]
struct Known {
    row: Arc<FileRow>,
    /// The site's count of writes before the row was read.
    writes: u64,
    read_at: Instant,
}

impl Default for Hot {
    fn default() -> Self {
        let weight = |_: &Key, bytes: &Bytes| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let bytes = Cache::builder().max_capacity(KEPT).weigher(weight);
        let rows = Cache::builder().max_capacity(ROWS).time_to_live(BELIEVED);
        Self { rows: rows.build(), bytes: bytes.time_to_idle(FORGOTTEN_AFTER).build() }
    }
}

impl Hot {
    /// What is known about a file, if there is one.
    pub(super) async fn row(
        &self,
        tenant: &Tenant,
        id: &PublicId,
        file: &str,
    ) -> Result<Option<Arc<FileRow>>> {
        let (of, name) = (id.clone(), file.to_owned());
        let read = tenant.read(move |db| sql::file(db, &of, &name));
        self.remembered(tenant, (tenant.opening, id.as_str().to_owned(), file.to_owned()), read)
            .await
    }

    /// What is known about an original in this shape, or what `find` finds out.
    pub(super) async fn shaped(
        &self,
        tenant: &Tenant,
        (id, file, shape): (&str, &str, Shape),
        find: impl Future<Output = Result<FileRow>>,
    ) -> Result<Arc<FileRow>> {
        // No file has a name like that.
        let key = (tenant.opening, id.to_owned(), format!("{file}/{shape:?}"));
        let found = self.remembered(tenant, key, async { find.await.map(Some) }).await?;
        found.ok_or(Error::NotFound("file"))
    }

    async fn remembered(
        &self,
        tenant: &Tenant,
        key: Key,
        read: impl Future<Output = Result<Option<FileRow>>>,
    ) -> Result<Option<Arc<FileRow>>> {
        // Before the reading: a write that comes during it makes what was read old.
        let (writes, read_at) = (tenant.writes(), Instant::now());
        if let Some(known) = self.rows.get(&key)
            && known.writes == writes
            && known.read_at.elapsed() < BELIEVED
        {
            return Ok(Some(known.row));
        }
        let row = read.await?.map(Arc::new);
        if let Some(row) = &row {
            self.rows.insert(key, Known { row: row.clone(), writes, read_at });
        }
        Ok(row)
    }

    /// All bytes of a file that is small enough to be kept. The bytes of a folder never change,
    /// and a folder is never used twice.
    pub(super) async fn bytes(&self, tenant: &Arc<Tenant>, row: &FileRow) -> Result<Option<Bytes>> {
        if row.bytes > SMALL {
            return Ok(None);
        }
        let key = (tenant.opening, row.place.folder.as_str().to_owned(), row.place.file.clone());
        if let Some(bytes) = self.bytes.get(&key) {
            return Ok(Some(bytes));
        }
        let length = usize::try_from(row.bytes).unwrap_or(usize::MAX);
        let (folder, file) = (&row.place.folder, &row.place.file);
        let bytes = match storages::open(tenant, row.place.storage).await? {
            Store::Disk(disk) => disk.whole(folder, file, length).await?,
            Store::Remote(remote) => remote.whole(folder, file, length).await?,
        };
        self.bytes.insert(key, bytes.clone());
        Ok(Some(bytes))
    }
}
