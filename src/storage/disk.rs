//! One tenant's own folder. A `Disk` is rooted there and can name nothing outside it. It knows no
//! media: whose bytes these are stands in the database.
//!
//! Bytes arrive in `incoming/<name>/`, are synced, and land in `media/<folder>/` by one rename.
//! While a landing is not yet confirmed by a committed row, `incoming/<name>.landing` says which
//! folder it is about; [`Disk::unconfirmed`] finds what a crash left open.

use super::{Folder, Incoming};
use crate::base::{Error, Result, ids::PublicId};
use std::{
    fs::{self, File},
    io::{self, Seek, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
};

/// One tenant's files.
#[derive(Clone)]
pub struct Disk {
    pub(super) media: PathBuf,
    pub(super) incoming: PathBuf,
}

impl Disk {
    /// Opens the store under a tenant's folder, and makes it where it is missing. Blocks.
    pub fn open(tenant_folder: &Path) -> Result<Self> {
        let store =
            Self { media: tenant_folder.join("media"), incoming: tenant_folder.join("incoming") };
        fs::create_dir_all(&store.media)?;
        fs::create_dir_all(&store.incoming)?;
        Ok(store)
    }

    /// Opens one file at the start of a range of its bytes. Blocks.
    ///
    /// # Errors
    /// `NotFound` where there is no such file.
    pub fn read(&self, folder: &Folder, file: &str, range: &Range<u64>) -> Result<File> {
        let mut file = File::open(self.path(folder, file)?).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => Error::NotFound("file"),
            _ => e.into(),
        })?;
        if range.start > 0 {
            file.seek(SeekFrom::Start(range.start))?;
        }
        Ok(file)
    }

    /// How long one file is. Blocks.
    ///
    /// # Errors
    /// `NotFound` where there is no such file.
    pub fn length(&self, folder: &Folder, file: &str) -> Result<u64> {
        let found = fs::symlink_metadata(self.path(folder, file)?);
        let found = found.ok().filter(fs::Metadata::is_file);
        found.map(|file| file.len()).ok_or(Error::NotFound("file"))
    }

    /// Removes a folder with all that is in it, but for the file to keep; it may be gone already.
    /// Blocks.
    pub fn remove(&self, folder: &Folder, keep: Option<&str>) -> Result<()> {
        let place = self.media.join(folder.as_str());
        let removed = match keep {
            None => fs::remove_dir_all(place),
            Some(keep) => remove_others(&place, keep),
        };
        match removed {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e.into()),
            _ => Ok(()),
        }
    }

    /// Where a file lies on this machine, for work that needs more than its bytes in order.
    pub fn place(&self, folder: &Folder, file: &str) -> Result<PathBuf> {
        self.path(folder, file)
    }

    /// Puts one more file into an item's folder, in place of one that has its name. One that
    /// nothing vouches for later does no harm: it goes with its folder. Blocks.
    pub fn add(&self, folder: &Folder, file: &str, bytes: &[u8]) -> Result<()> {
        let place = self.path(folder, file)?;
        fs::create_dir_all(self.media.join(folder.as_str()))?;
        let aside = self.incoming.join(format!("{}.part", PublicId::random()?));
        let written = fs::write(&aside, bytes)
            .and_then(|()| File::open(&aside)?.sync_all())
            .and_then(|()| fs::rename(&aside, &place));
        written.map_err(|error| {
            let _ = fs::remove_file(&aside);
            error.into()
        })
    }

    /// Moves a file that was synced into an item's folder, in place of one that has its name.
    /// Blocks.
    pub fn take(&self, folder: &Folder, file: &str, from: &Path) -> Result<()> {
        let place = self.path(folder, file)?;
        let folder = self.media.join(folder.as_str());
        fs::create_dir_all(&folder)?;
        fs::rename(from, &place)?;
        Ok(sync_folder(&folder)?)
    }

    /// Removes one file, which may be gone already. Blocks.
    pub fn remove_file(&self, folder: &Folder, file: &str) -> Result<()> {
        match fs::remove_file(self.path(folder, file)?) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e.into()),
            _ => Ok(()),
        }
    }

    pub(super) fn path(&self, folder: &Folder, file: &str) -> Result<PathBuf> {
        if file.starts_with('.') || file.contains(['/', '\0']) {
            return Err(Error::NotFound("file"));
        }
        Ok(self.media.join(folder.as_str()).join(file))
    }

    /// A place for one upload, which disappears again unless it lands. Blocks.
    pub fn receive(&self, id: &PublicId) -> Result<Incoming> {
        Incoming::create(self, id)
    }
}

fn remove_others(place: &Path, keep: &str) -> io::Result<()> {
    for entry in fs::read_dir(place)? {
        let entry = entry?;
        if entry.file_name().to_str() != Some(keep) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Removes a folder where there are only folders in it, or nothing. Blocks.
pub(super) fn remove_empty(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_empty(&entry.path())?;
        }
    }
    match fs::remove_dir(folder) {
        Err(e) if e.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
        done => done,
    }
}

/// Makes the entries of a folder outlive a power cut.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
