//! Files on their way in.

use super::{Folder, Store, sync_folder};
use crate::base::{Error, Result, ids::PublicId};
use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

/// The files of one upload before they land. Dropped before [`land`](Self::land), they are gone:
/// a client that hangs up, a full disk and a broken limit all leave nothing behind.
pub struct Incoming {
    path: PathBuf,
    marker: PathBuf,
    media: PathBuf,
    folder: Folder,
    landed: bool,
}

impl Incoming {
    pub(super) fn create(store: &Store, id: &PublicId, folder: Folder) -> Result<Self> {
        let path = store.incoming.join(id.as_str());
        let marker = store.incoming.join(format!("{id}.landing"));
        fs::create_dir(&path)?;
        Ok(Self { path, marker, media: store.media.clone(), folder, landed: false })
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

    /// Moves the files to their place, all at once. They stay there only if the landing is
    /// [confirmed](Landed::confirm). Every file must have been synced before. Blocks.
    pub fn land(mut self) -> Result<Landed> {
        sync_folder(&self.path)?;
        let mut marker = File::create_new(&self.marker)?;
        marker.write_all(self.folder.as_str().as_bytes())?;
        marker.sync_all()?;
        let place = self.media.join(self.folder.as_str());
        let parent = place.parent().ok_or_else(|| Error::internal("a folder has a parent"))?;
        fs::create_dir_all(parent)?;
        fs::rename(&self.path, &place)?;
        self.landed = true;
        for above in parent.ancestors().take_while(|p| p.starts_with(&self.media)) {
            sync_folder(above)?;
        }
        Ok(Landed {
            place: place.clone(),
            marker: self.marker.clone(),
            folder: self.folder.clone(),
        })
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if !self.landed {
            remove_all(&self.path);
            let _ = fs::remove_file(&self.marker);
        }
    }
}

/// Files in their place that no row vouches for yet. Nothing happens when it is dropped: whether
/// the row was committed is then unknown, and the sweep at the next start will find out.
#[must_use]
pub struct Landed {
    place: PathBuf,
    marker: PathBuf,
    folder: Folder,
}

impl Landed {
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The row is committed: the files stay. Blocks.
    pub fn confirm(self) {
        // Should this fail, the sweep finds the row and removes the marker.
        let _ = fs::remove_file(&self.marker);
    }

    /// There will be no row: the files go. Blocks.
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
