//! Sending files to a storage: small ones in one request, others in parts.

use super::{
    Folder, Remote,
    incoming::Announced,
    remote::{PATIENCE, short, within},
};
use crate::base::{Error, Result};
use futures_util::{StreamExt, stream::FuturesUnordered};
use object_store::{
    Attribute, Attributes, MultipartId, ObjectStoreExt, PutMultipartOptions, PutOptions,
    PutPayload, multipart::MultipartStore, path::Path as Key,
};
use std::path::{Path, PathBuf};
use tokio::{fs::File, io::AsyncReadExt};

/// Up to this size a file goes in one request.
const ONE_REQUEST: u64 = 8 * 1024 * 1024;
/// S3 takes at most 10,000 parts, of at least 5 MiB each but for the last.
const MOST_PARTS: u64 = 9_000;
/// Parts that are on their way at once. Memory is that many parts.
const AT_ONCE: usize = 3;
/// Nothing at one key ever changes.
const CACHE: &str = "public, max-age=31536000, immutable";

/// A file that is to go to a storage.
#[derive(Debug, Clone)]
pub struct Landable {
    pub file: String,
    pub path: PathBuf,
    pub mime: String,
    /// Whether browsers are to save it instead of showing it.
    pub is_attached: bool,
}

impl Remote {
    /// Sends a file, and asks afterwards whether all of it is there.
    ///
    /// # Errors
    /// `Unavailable` where the storage does not take it.
    pub(super) async fn put(
        &self,
        folder: &Folder,
        file: &Landable,
        announced: &Announced,
    ) -> Result<()> {
        let key = self.at(folder, &file.file);
        let length = tokio::fs::metadata(&file.path).await?.len();
        let attributes = self.attributes(file);
        if length <= ONE_REQUEST.max(self.most_bytes.unwrap_or(0)) {
            let bytes = tokio::fs::read(&file.path).await?;
            let options = PutOptions { attributes, ..PutOptions::default() };
            let sent = self.store.put_opts(&key, PutPayload::from(bytes), options);
            within(PATIENCE, sent).await?;
        } else {
            let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
            match &self.in_parts {
                Some(store) => {
                    let id = within(PATIENCE, store.create_multipart_opts(&key, options)).await?;
                    announced.add(&file.file, &id).await?;
                    put_known(&**store, &key, &id, &file.path, length).await?;
                }
                None => self.put_parts(&key, &file.path, length, options).await?,
            }
        }
        self.check_length(&key, length).await
    }

    async fn put_parts(
        &self,
        key: &Key,
        path: &Path,
        length: u64,
        options: PutMultipartOptions,
    ) -> Result<()> {
        let mut upload = within(PATIENCE, self.store.put_multipart_opts(key, options)).await?;
        let put = |_, part| upload.put_part(part);
        if let Err(error) = send_parts(put, path, length).await {
            if let Err(error) = upload.abort().await {
                tracing::warn!(error = short(&error), "parts of an upload stay in a storage");
            }
            return Err(error);
        }
        within(PATIENCE * 5, upload.complete()).await.map(|_| ())
    }

    fn attributes(&self, file: &Landable) -> Attributes {
        let mut attributes = Attributes::new();
        if self.has_attributes {
            attributes.insert(Attribute::ContentType, file.mime.clone().into());
            attributes.insert(Attribute::CacheControl, CACHE.into());
            if file.is_attached {
                attributes.insert(Attribute::ContentDisposition, "attachment".into());
            }
        }
        attributes
    }

    async fn check_length(&self, key: &Key, length: u64) -> Result<()> {
        let found = within(PATIENCE, self.store.head(key)).await?.size;
        if found == length {
            return Ok(());
        }
        tracing::warn!(%key, found, length, "a storage has lost bytes on their way");
        Err(Error::Unavailable("the storage did not keep all bytes of a file"))
    }
}

/// Sends a file in parts under an id that is known. What fails is dropped by whoever wrote it down.
async fn put_known(
    store: &dyn MultipartStore,
    key: &Key,
    id: &MultipartId,
    path: &Path,
    length: u64,
) -> Result<()> {
    let put = |number, part| store.put_part(key, id, number, part);
    let mut parts = send_parts(put, path, length).await?;
    parts.sort_by_key(|(number, _)| *number);
    let parts = parts.into_iter().map(|(_, part)| part).collect();
    within(PATIENCE * 5, store.complete_multipart(key, id, parts)).await.map(drop)
}

/// Sends a file part by part, each with its number, and returns what the storage says about each.
async fn send_parts<T, W>(
    mut put: impl FnMut(usize, PutPayload) -> W,
    path: &Path,
    length: u64,
) -> Result<Vec<(usize, T)>>
where
    W: Future<Output = object_store::Result<T>>,
{
    let size = usize::try_from((length / MOST_PARTS).max(ONE_REQUEST)).map_err(Error::internal)?;
    let mut file = File::open(path).await?;
    let (mut on_their_way, mut sent) = (FuturesUnordered::new(), Vec::new());
    let (mut left, mut number) = (length, 0);
    while left > 0 {
        let mut part = vec![0; usize::try_from(left).unwrap_or(size).min(size)];
        file.read_exact(&mut part).await?;
        left -= part.len() as u64;
        if on_their_way.len() >= AT_ONCE
            && let Some(one) = on_their_way.next().await
        {
            sent.push(one?);
        }
        let putting = within(PATIENCE * 2, put(number, PutPayload::from(part)));
        on_their_way.push(async move { Ok::<_, Error>((number, putting.await?)) });
        number += 1;
    }
    while let Some(one) = on_their_way.next().await {
        sent.push(one?);
    }
    Ok(sent)
}
