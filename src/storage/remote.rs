//! A storage somewhere else: files go there, come back, and are removed. Everything that is
//! different about one kind or another is the library's business.

use super::{Folder, Parts, Pieces, Unconfirmed};
use crate::base::{Error, Result, ids::PublicId};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use hyper::http::Method;
use object_store::{
    GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutPayload, multipart::MultipartStore,
    path::Path as Key, signer::Signer,
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
    io::{AsyncWriteExt, BufWriter},
};

/// How long a storage may take to say anything at all about one request.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// How long a signed address is good.
const SIGNED_FOR: Duration = Duration::from_secs(15 * 60);
/// Files of one name that were being written when a process was killed, each by another one.
const MOST_UNFINISHED: u32 = 4;

/// A storage that is connected to.
pub struct Remote {
    pub(super) store: Arc<dyn ObjectStore>,
    signer: Option<Arc<dyn Signer>>,
    /// Where parts have a name by which they can be dropped later.
    pub(super) in_parts: Option<Arc<dyn MultipartStore>>,
    prefix: String,
    pub(super) has_attributes: bool,
    pub(super) most_bytes: Option<u64>,
    /// Where the keys are paths on this machine.
    folder: Option<PathBuf>,
}

impl Remote {
    pub(super) fn new(store: Arc<dyn ObjectStore>, prefix: &str) -> Self {
        let prefix = prefix.to_owned();
        Self {
            store,
            signer: None,
            in_parts: None,
            prefix,
            has_attributes: false,
            most_bytes: None,
            folder: None,
        }
    }

    /// One that keeps what is said about a file, and signs addresses.
    pub(super) fn signing<S: ObjectStore + Signer>(store: Arc<S>, prefix: &str) -> Self {
        let signer = Some(store.clone() as Arc<dyn Signer>);
        Self { signer, has_attributes: true, ..Self::new(store, prefix) }
    }

    pub(super) fn with_parts(self, store: Arc<dyn MultipartStore>) -> Self {
        Self { in_parts: Some(store), ..self }
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

    /// The whole key of a file, as it stands in addresses.
    pub fn key(&self, folder: &Folder, file: &str) -> String {
        let key = folder.key(file);
        if self.prefix.is_empty() { key } else { format!("{}/{key}", self.prefix) }
    }

    pub(super) fn at(&self, folder: &Folder, file: &str) -> Key {
        Key::from(self.key(folder, file))
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

    /// Removes files, which may be gone already, and parts that nobody put together.
    ///
    /// # Errors
    /// `Unavailable` where one of them may still be there.
    pub async fn remove(&self, what: &Unconfirmed) -> Result<()> {
        for Parts { file, id } in &what.parts {
            let Some(store) = &self.in_parts else { break };
            let key = self.at(&what.folder, file);
            match within(PATIENCE, store.abort_multipart(&key, id)).await {
                Err(Error::NotFound(_)) | Ok(()) => {}
                // They cost their owner money. Some storages know them no more and say so in
                // other words, so it is not tried again for them alone.
                Err(_) => tracing::warn!(%key, "parts of a file may stay in a storage"),
            }
        }
        for file in &what.files {
            let key = self.at(&what.folder, file);
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

    /// In a folder, removes the folders in it that hold nothing, and at last itself.
    pub async fn remove_empty_folders(&self) {
        let Some(folder) = self.folder.clone() else { return };
        let removing = tokio::task::spawn_blocking(move || super::disk::remove_empty(&folder));
        if let Ok(Err(error)) = removing.await {
            tracing::warn!(%error, "empty folders stay in a storage");
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

async fn next(pieces: &mut Pieces) -> Result<Option<Bytes>> {
    let piece = tokio::time::timeout(PATIENCE, pieces.next()).await;
    let piece = piece.map_err(|_| Error::Unavailable("the storage stopped sending"))?;
    piece.transpose().map_err(|error| {
        tracing::warn!(%error, "a storage broke off");
        Error::Unavailable("the storage broke off")
    })
}

/// Waits so long and no longer, and puts what went wrong into the product's words.
pub(super) async fn within<T>(
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
