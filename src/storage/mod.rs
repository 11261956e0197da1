//! One tenant's bytes on disk. A `Store` is rooted in one tenant's folder and can name nothing
//! outside it. It knows no media: whose bytes these are stands in the database.
//!
//! Bytes arrive in `incoming/<name>/`, are synced, and land in `media/<folder>/` by one rename.
//! While a landing is not yet confirmed by a committed row, `incoming/<name>.landing` says which
//! folder it is about; [`Store::sweep`] settles what a crash left open.

mod incoming;
mod partial;
mod reading;
mod sweep;

pub use incoming::{Incoming, Landed};
pub use partial::Partial;

use crate::base::{Clock, Error, Result, clock::Millis, ids::PublicId};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use std::{
    fs::{self, File},
    io::{self, Seek, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
};

/// One tenant's files.
#[derive(Clone)]
pub struct Store {
    media: PathBuf,
    incoming: PathBuf,
}

/// Where the files of one item lie: `2026/01/8fKq2ZtP12`. Made from a date and an id, or read
/// back from the database; never from anything a client said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder(String);

impl Folder {
    pub fn new(created: Millis, id: &PublicId) -> Self {
        Self(format!("{}/{id}", created.timestamp().strftime("%Y/%m")))
    }

    fn parse(text: &str) -> Option<Self> {
        let plain = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        (!text.is_empty() && text.split('/').all(plain)).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ToSql for Folder {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for Folder {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::parse(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}

impl Store {
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

    /// Removes a folder with all that is in it; it may be gone already. Blocks.
    pub fn remove(&self, folder: &Folder) -> Result<()> {
        match fs::remove_dir_all(self.media.join(folder.as_str())) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e.into()),
            _ => Ok(()),
        }
    }

    /// Where a file lies on this machine, for work that needs more than its bytes in order.
    pub fn place(&self, folder: &Folder, file: &str) -> Result<PathBuf> {
        self.path(folder, file)
    }

    /// Puts one more file into a folder that has landed, in place of one that has its name. One
    /// that nothing vouches for later does no harm: it goes with its folder. Blocks.
    pub fn add(&self, folder: &Folder, file: &str, bytes: &[u8]) -> Result<()> {
        let place = self.path(folder, file)?;
        let aside = self.incoming.join(format!("{}.part", PublicId::random()?));
        let written = fs::write(&aside, bytes)
            .and_then(|()| File::open(&aside)?.sync_all())
            .and_then(|()| fs::rename(&aside, &place));
        written.map_err(|error| {
            let _ = fs::remove_file(&aside);
            error.into()
        })
    }

    /// The same with a file that lies in `incoming/`, which moves to its place. Blocks.
    pub fn add_file(&self, folder: &Folder, file: &str, from: &Path) -> Result<()> {
        let place = self.path(folder, file)?;
        File::open(from)?.sync_all()?;
        Ok(fs::rename(from, place)?)
    }

    /// Removes one file, which may be gone already. Blocks.
    pub fn remove_file(&self, folder: &Folder, file: &str) -> Result<()> {
        match fs::remove_file(self.path(folder, file)?) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e.into()),
            _ => Ok(()),
        }
    }

    fn path(&self, folder: &Folder, file: &str) -> Result<PathBuf> {
        if file.starts_with('.') || file.contains(['/', '\0']) {
            return Err(Error::NotFound("file"));
        }
        Ok(self.media.join(folder.as_str()).join(file))
    }

    /// A place for one upload, which disappears again unless it lands. Blocks.
    pub fn receive(&self, id: &PublicId) -> Result<Incoming> {
        Incoming::create(self, id, Folder::new(Clock::now(), id))
    }
}

/// Makes the entries of a folder outlive a power cut.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
