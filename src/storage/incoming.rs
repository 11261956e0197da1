//! Files on their way in.

use super::{Disk, Folder, LOCAL, Landable, Remote, disk::sync_folder};
use crate::base::{
    Error, Result,
    ids::{PublicId, StorageId},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};
use tokio::task::spawn_blocking;

/// Files of one upload that are sent to a storage at once.
const AT_ONCE: usize = 3;

/// Files that are in a storage, or may be, and that no row vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unconfirmed {
    pub storage: StorageId,
    pub folder: Folder,
    pub files: Vec<String>,
    pub parts: Vec<Parts>,
}

/// A file that was begun to be sent in parts, which the storage keeps until they are put together
/// or dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    pub file: String,
    /// What the storage calls them.
    pub id: String,
}

/// [`Unconfirmed`] as it is written down.
#[derive(Serialize, Deserialize)]
struct Marker {
    storage: i64,
    folder: String,
    files: Vec<String>,
    #[serde(default)]
    parts: Vec<Parts>,
}

impl Unconfirmed {
    fn to_text(&self) -> Result<String> {
        let (storage, folder) = (self.storage.0, self.folder.as_str().to_owned());
        let (files, parts) = (self.files.clone(), self.parts.clone());
        Ok(serde_json::to_string(&Marker { storage, folder, files, parts })?)
    }

    /// `None` for a text that was cut short: what it was to announce never began.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        let Marker { storage, folder, files, parts } = serde_json::from_str(text).ok()?;
        Some(Self { storage: StorageId(storage), folder: Folder::parse(&folder)?, files, parts })
    }
}

/// The files of one upload before they land. Dropped before that, they are gone: a client that
/// hangs up, a full disk and a broken limit all leave nothing behind.
pub struct Incoming {
    path: PathBuf,
    marker: PathBuf,
    media: PathBuf,
    /// Whether the marker must outlive this: files may be somewhere else already.
    is_announced: bool,
    landed: bool,
}

impl Incoming {
    pub(super) fn create(disk: &Disk, id: &PublicId) -> Result<Self> {
        let path = disk.incoming.join(id.as_str());
        let marker = disk.incoming.join(format!("{id}.landing"));
        fs::create_dir(&path)?;
        let media = disk.media.clone();
        Ok(Self { path, marker, media, is_announced: false, landed: false })
    }

    /// Where a file of this upload lies for now. `name` is ours, never a client's.
    pub fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub fn create_file(&self, name: &str) -> Result<File> {
        Ok(File::options().read(true).write(true).create_new(true).open(self.path(name))?)
    }

    /// Writes a whole file and syncs it. Blocks.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let mut file = self.create_file(name)?;
        file.write_all(bytes)?;
        Ok(file.sync_all()?)
    }

    pub fn remove(&self, name: &str) -> Result<()> {
        Ok(fs::remove_file(self.path(name))?)
    }

    /// Moves the files to their place in the site's own folder, all at once. They stay there only
    /// if the landing is [confirmed](Landed::confirm). Every file must have been synced before.
    /// Blocks.
    pub fn land(mut self, folder: Folder) -> Result<Landed> {
        sync_folder(&self.path)?;
        let (files, parts) = (Vec::new(), Vec::new());
        let at = Unconfirmed { storage: LOCAL, folder, files, parts };
        announce(&self.marker, &at)?;
        let place = self.media.join(at.folder.as_str());
        let parent = place.parent().ok_or_else(|| Error::internal("a folder has a parent"))?;
        fs::create_dir_all(parent)?;
        fs::rename(&self.path, &place)?;
        self.landed = true;
        for above in parent.ancestors().take_while(|p| p.starts_with(&self.media)) {
            sync_folder(above)?;
        }
        Ok(Landed { at, place, marker: self.marker.clone() })
    }

    /// Sends the files to a storage. When that fails, whatever is there already is removed as far
    /// as the storage lets us, and the files can be sent elsewhere.
    ///
    /// # Errors
    /// `Unavailable` where the storage does not take them, with what may have stayed there.
    pub async fn send(
        &mut self,
        to: &Remote,
        at: &Unconfirmed,
        files: &[Landable],
    ) -> Result<(), (Error, Option<Unconfirmed>)> {
        let announced = Announced { marker: self.marker.clone(), at: Mutex::new(at.clone()) };
        announced.write(at.clone()).await.map_err(|error| (error, None))?;
        self.is_announced = true;
        let (folder, announced) = (&at.folder, &announced);
        let sending = stream::iter(files.to_vec())
            .map(|file| async move { to.put(folder, &file, announced).await });
        let sent = sending.buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await;
        let Err(error) = sent else { return Ok(()) };
        let at = announced.now();
        let left = to.remove(&at).await.is_err();
        Err((error, left.then_some(at)))
    }

    /// The files were sent and are all there.
    pub fn sent(mut self, at: Unconfirmed) -> Landed {
        self.landed = true;
        Landed { at, place: self.path.clone(), marker: self.marker.clone() }
    }

    /// Nothing of this is in a storage any more, or it is written down what is.
    pub fn retract(&mut self) {
        self.is_announced = false;
    }
}

/// Files on their way to a storage, as they are written down.
pub(super) struct Announced {
    marker: PathBuf,
    at: Mutex<Unconfirmed>,
}

impl Announced {
    fn now(&self) -> Unconfirmed {
        self.at.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A file is about to be sent in parts.
    pub(super) async fn add(&self, file: &str, id: &str) -> Result<()> {
        let parts = Parts { file: file.to_owned(), id: id.to_owned() };
        self.at.lock().unwrap_or_else(PoisonError::into_inner).parts.push(parts);
        self.write(self.now()).await
    }

    async fn write(&self, at: Unconfirmed) -> Result<()> {
        let marker = self.marker.clone();
        spawn_blocking(move || announce(&marker, &at)).await?
    }
}

/// Writes down where files are about to go: what stood there before stays until all of this does.
fn announce(marker: &Path, at: &Unconfirmed) -> Result<()> {
    let aside = marker.with_extension(format!("{}.aside", at.parts.len()));
    let mut file = File::create(&aside)?;
    file.write_all(at.to_text()?.as_bytes())?;
    file.sync_all()?;
    fs::rename(&aside, marker)?;
    marker.parent().map_or(Ok(()), |folder| Ok(sync_folder(folder)?))
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if !self.landed {
            remove_all(&self.path);
            if !self.is_announced {
                let _ = fs::remove_file(&self.marker);
            }
        }
    }
}

/// Files in their place that no row vouches for yet. Nothing happens when it is dropped: whether
/// the row was committed is then unknown, and the sweep at the next start will find out.
#[must_use]
pub struct Landed {
    at: Unconfirmed,
    /// What lies on this machine: the files themselves, or what was sent.
    place: PathBuf,
    marker: PathBuf,
}

impl Landed {
    pub fn folder(&self) -> &Folder {
        &self.at.folder
    }

    pub fn storage(&self) -> StorageId {
        self.at.storage
    }

    /// The row is committed: the files stay. Blocks.
    pub fn confirm(self) {
        if self.at.storage != LOCAL {
            remove_all(&self.place);
        }
        // Should this fail, the sweep finds the row and removes the marker.
        let _ = fs::remove_file(&self.marker);
    }

    /// What another storage has of it, which must be written down before this is
    /// [undone](Self::undo).
    pub fn elsewhere(&self) -> Option<&Unconfirmed> {
        (self.at.storage != LOCAL).then_some(&self.at)
    }

    /// There will be no row: what lies here goes. Blocks.
    pub fn undo(self) {
        remove_all(&self.place);
        let _ = fs::remove_file(&self.marker);
    }
}

fn remove_all(path: &Path) {
    if let Err(e) = fs::remove_dir_all(path) {
        tracing::warn!(error = %e, "leftover files stay until the next start");
    }
}
