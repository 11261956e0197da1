//! A storage somewhere else: files go there, come back, and are removed. Everything that is
//! different about one kind or another is the library's business.

use super::{Folder, Pieces};
use crate::base::{Error, Result, ids::PublicId};
use bytes::Bytes;
use futures_util::{
    StreamExt,
    stream::{self, FuturesUnordered},
};
use hyper::http::Method;
use object_store::{
    Attribute, Attributes, GetOptions, GetRange, MultipartUpload, ObjectStore, ObjectStoreExt,
    PutMultipartOptions, PutOptions, PutPayload, path::Path as Key, signer::Signer,
};
use std::{
    io,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncWriteExt, BufWriter},
};

/// Up to this size a file goes in one request.
const ONE_REQUEST: u64 = 8 * 1024 * 1024;
/// S3 takes at most 10,000 parts, of at least 5 MiB each but for the last.
const MOST_PARTS: u64 = 9_000;
/// Parts that are on their way at once. Memory is that many parts.
const AT_ONCE: usize = 3;
/// How long a storage may take to say anything at all about one request.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a signed address is good.
const SIGNED_FOR: Duration = Duration::from_secs(15 * 60);
/// Files of one name that were being written when a process was killed, each by another one.
const MOST_UNFINISHED: u32 = 4;
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

/// A storage that is connected to.
pub struct Remote {
    store: Arc<dyn ObjectStore>,
    signer: Option<Arc<dyn Signer>>,
    prefix: String,
    has_attributes: bool,
    most_bytes: Option<u64>,
    /// Where the keys are paths on this machine.
    folder: Option<PathBuf>,
}

impl Remote {
    pub(super) fn new(store: Arc<dyn ObjectStore>, prefix: &str) -> Self {
        let prefix = prefix.to_owned();
        Self { store, signer: None, prefix, has_attributes: false, most_bytes: None, folder: None }
    }

    pub(super) fn with_attributes(self) -> Self {
        Self { has_attributes: true, ..self }
    }

    pub(super) fn with_signer(self, signer: Arc<dyn Signer>) -> Self {
        Self { signer: Some(signer), ..self }
    }

    pub(super) fn with_most(self, bytes: u64) -> Self {
        Self { most_bytes: Some(bytes), ..self }
    }

    pub(super) fn with_folder(self, folder: PathBuf) -> Self {
        Self { folder: Some(folder), ..self }
    }

    /// The largest file that it takes, where that is bounded.
    pub fn most_bytes(&self) -> Option<u64> {
        self.most_bytes
    }

    /// Whether it can sign addresses.
    pub fn signs(&self) -> bool {
        self.signer.is_some()
    }

    /// The whole key of a file, as it stands in addresses.
    pub fn key(&self, folder: &Folder, file: &str) -> String {
        let key = folder.key(file);
        if self.prefix.is_empty() { key } else { format!("{}/{key}", self.prefix) }
    }

    fn at(&self, folder: &Folder, file: &str) -> Key {
        Key::from(self.key(folder, file))
    }

    /// Sends a file, and asks afterwards whether all of it is there.
    ///
    /// # Errors
    /// `Unavailable` where the storage does not take it.
    pub async fn put(&self, folder: &Folder, file: &Landable) -> Result<()> {
        let key = self.at(folder, &file.file);
        let length = tokio::fs::metadata(&file.path).await?.len();
        let attributes = self.attributes(file);
        if length <= ONE_REQUEST.max(self.most_bytes.unwrap_or(0)) {
            let bytes = tokio::fs::read(&file.path).await?;
            let options = PutOptions { attributes, ..PutOptions::default() };
            let sent = self.store.put_opts(&key, PutPayload::from(bytes), options);
            within(PATIENCE, sent).await?;
        } else {
            self.put_parts(&key, &file.path, length, attributes).await?;
        }
        self.check_length(&key, length).await
    }

    async fn put_parts(
        &self,
        key: &Key,
        path: &Path,
        length: u64,
        attributes: Attributes,
    ) -> Result<()> {
        let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
        let mut upload = within(PATIENCE, self.store.put_multipart_opts(key, options)).await?;
        let sent = send_parts(upload.as_mut(), path, length).await;
        if let Err(error) = sent {
            // Parts that nobody completes cost their owner money.
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

    /// How long a file is.
    ///
    /// # Errors
    /// `NotFound`; `Unavailable`.
    pub async fn length(&self, folder: &Folder, file: &str) -> Result<u64> {
        let key = self.at(folder, file);
        Ok(within(PATIENCE, self.store.head(&key)).await?.size)
    }

    /// A range of a file's bytes, piece by piece. An error where the storage has fewer.
    ///
    /// # Errors
    /// `NotFound`; `Unavailable`.
    pub async fn pieces(&self, folder: &Folder, file: &str, range: Range<u64>) -> Result<Pieces> {
        let length = range.end.saturating_sub(range.start);
        if length == 0 {
            return Ok(stream::empty().boxed());
        }
        let key = self.at(folder, file);
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        let found = within(PATIENCE, self.store.get_opts(&key, options)).await?;
        let pieces =
            stream::try_unfold((found.into_stream(), length), |(mut pieces, left)| async move {
                match pieces.next().await {
                    Some(Ok(piece)) => {
                        let left = left.saturating_sub(piece.len() as u64);
                        Ok(Some((piece, (pieces, left))))
                    }
                    Some(Err(error)) => Err(io::Error::other(error)),
                    None if left > 0 => Err(io::ErrorKind::UnexpectedEof.into()),
                    None => Ok(None),
                }
            });
        Ok(pieces.boxed())
    }

    /// The first `length` bytes of a file, in memory.
    ///
    /// # Errors
    /// `NotFound`; `Unavailable`, also where it is shorter.
    pub async fn whole(&self, folder: &Folder, file: &str, length: usize) -> Result<Bytes> {
        let mut pieces = self.pieces(folder, file, 0..length as u64).await?;
        let mut bytes = Vec::with_capacity(length);
        while let Some(piece) = next(&mut pieces).await? {
            bytes.extend_from_slice(&piece);
        }
        if bytes.len() != length {
            return Err(Error::Unavailable("the storage has only a part of a file"));
        }
        Ok(bytes.into())
    }

    /// Fetches a file into a new one, and says how long it was.
    ///
    /// # Errors
    /// `NotFound`; `Unavailable`.
    pub async fn fetch(&self, folder: &Folder, file: &str, length: u64, to: &Path) -> Result<()> {
        let mut pieces = self.pieces(folder, file, 0..length).await?;
        let mut out = BufWriter::new(File::create_new(to).await?);
        let mut received = 0;
        while let Some(piece) = next(&mut pieces).await? {
            received += piece.len() as u64;
            out.write_all(&piece).await?;
        }
        out.flush().await?;
        if received != length {
            return Err(Error::Unavailable("the storage has only a part of a file"));
        }
        Ok(())
    }

    /// Removes files, which may be gone already.
    ///
    /// # Errors
    /// `Unavailable` where one of them may still be there.
    pub async fn remove(&self, folder: &Folder, files: &[String]) -> Result<()> {
        for file in files {
            let key = self.at(folder, file);
            match within(PATIENCE, self.store.delete(&key)).await {
                Err(Error::NotFound(_)) | Ok(()) => {}
                Err(error) => return Err(error),
            }
            self.remove_unfinished(&key).await;
        }
        Ok(())
    }

    /// In a folder, a file that was being written when the process was killed has its name with a
    /// number.
    async fn remove_unfinished(&self, key: &Key) {
        let Some(folder) = &self.folder else { return };
        for number in 1..=MOST_UNFINISHED {
            let path = folder.join(format!("{key}#{number}"));
            let _ = tokio::fs::remove_file(path).await;
        }
    }

    /// An address from which anybody can fetch the file for a while, where the storage has such.
    pub async fn signed(&self, folder: &Folder, file: &str) -> Result<Option<String>> {
        let Some(signer) = &self.signer else { return Ok(None) };
        let key = self.at(folder, file);
        let url = within(PATIENCE, signer.signed_url(Method::GET, &key, SIGNED_FOR)).await?;
        Ok(Some(url.to_string()))
    }

    /// Writes, reads and removes a small object.
    ///
    /// # Errors
    /// What the storage said, in words for whoever set it up.
    pub async fn probe(&self) -> Result<(), String> {
        let id = PublicId::random().map_err(|e| e.to_string())?;
        let name = format!("vitrina-probe-{id}.txt");
        let key = match self.prefix.as_str() {
            "" => Key::from(name),
            prefix => Key::from(format!("{prefix}/{name}")),
        };
        let text = Bytes::from(format!("vitrina {id}"));
        let say = |what: &str| {
            let what = what.to_owned();
            move |error: object_store::Error| format!("{what}: {}", short(&error))
        };
        let work = async {
            let payload = PutPayload::from(text.clone());
            self.store.put(&key, payload).await.map_err(say("cannot be written to"))?;
            let read = async { self.store.get(&key).await?.bytes().await };
            let read = read.await.map_err(say("cannot be read from"));
            let removed = self.store.delete(&key).await.map_err(say("cannot be removed from"));
            if read? != text {
                return Err("does not give back what was written".to_owned());
            }
            removed
        };
        let done = tokio::time::timeout(PATIENCE, work).await;
        done.unwrap_or_else(|_| Err("does not answer in time".to_owned()))
    }
}

async fn send_parts(upload: &mut dyn MultipartUpload, path: &Path, length: u64) -> Result<()> {
    let size = usize::try_from((length / MOST_PARTS).max(ONE_REQUEST)).map_err(Error::internal)?;
    let mut file = File::open(path).await?;
    let mut on_their_way = FuturesUnordered::new();
    let mut left = length;
    while left > 0 {
        let mut part = vec![0; usize::try_from(left).unwrap_or(size).min(size)];
        file.read_exact(&mut part).await?;
        left -= part.len() as u64;
        if on_their_way.len() >= AT_ONCE {
            on_their_way.next().await.unwrap_or(Ok(()))?;
        }
        on_their_way.push(within(PATIENCE * 2, upload.put_part(PutPayload::from(part))));
    }
    while let Some(sent) = on_their_way.next().await {
        sent?;
    }
    Ok(())
}

async fn next(pieces: &mut Pieces) -> Result<Option<Bytes>> {
    let piece = tokio::time::timeout(PATIENCE, pieces.next()).await;
    let piece = piece.map_err(|_| Error::Unavailable("the storage stopped sending"))?;
    piece.transpose().map_err(|error| {
        tracing::warn!(%error, "a storage broke off");
        Error::Unavailable("the storage broke off")
    })
}

/// Waits so long and no longer, and puts what went wrong into the product's words.
async fn within<T>(
    patience: Duration,
    work: impl Future<Output = object_store::Result<T>>,
) -> Result<T> {
    let silent = Error::Unavailable("the storage does not answer");
    let done = tokio::time::timeout(patience, work).await.map_err(|_| silent)?;
    done.map_err(|error| match error {
        object_store::Error::NotFound { .. } => Error::NotFound("file"),
        error => {
            tracing::warn!(error = short(&error), "a storage failed");
            Error::Unavailable("the storage has a fault")
        }
    })
}

/// The library's words, as many as are worth showing.
pub(super) fn short(error: &object_store::Error) -> String {
    let text = error.to_string().replace(['\n', '\r'], " ");
    text.chars().take(300).collect()
}
