//! Uploads that come in pieces. How far one has come is the length of its file and nothing else, so
//! that no crash can make the two disagree.

use super::Disk;
use crate::base::{Clock, Error, Result, ids::PublicId};
use rustix::fs::{FlockOperation, flock};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Seek, SeekFrom},
    path::{Path, PathBuf},
    thread::sleep,
    time::Duration,
};

/// How long to wait for whoever else writes to the same upload: a request that was cut off may
/// still be writing down its last bytes.
const PATIENCE: Duration = Duration::from_secs(2);
const STEP: Duration = Duration::from_millis(20);

/// The file of an upload that is not complete, held by nobody else in any process.
pub struct Partial {
    pub file: File,
    path: PathBuf,
}

impl Disk {
    fn partials(&self) -> PathBuf {
        self.incoming.with_file_name("uploads")
    }

    fn partial_path(&self, id: &PublicId) -> PathBuf {
        self.partials().join(id.as_str())
    }

    /// An empty file for an upload that begins. Blocks.
    pub fn begin_partial(&self, id: &PublicId) -> Result<()> {
        fs::create_dir_all(self.partials())?;
        File::create_new(self.partial_path(id))?;
        Ok(super::disk::sync_folder(&self.partials())?)
    }

    /// Takes hold of an upload's file. Blocks.
    ///
    /// # Errors
    /// `NotFound`; `Locked` while somebody else holds it.
    pub fn hold_partial(&self, id: &PublicId) -> Result<Partial> {
        let path = self.partial_path(id);
        let file = OpenOptions::new().read(true).append(true).open(&path);
        let file = file.map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => Error::NotFound("upload"),
            _ => e.into(),
        })?;
        let mut waited = Duration::ZERO;
        while let Err(error) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
            if error != rustix::io::Errno::WOULDBLOCK {
                return Err(io::Error::from(error).into());
            }
            if waited >= PATIENCE {
                return Err(Error::Locked("somebody else is sending to this upload just now"));
            }
            sleep(STEP);
            waited += STEP;
        }
        // It may have been removed while we waited.
        if !path.exists() {
            return Err(Error::NotFound("upload"));
        }
        let partial = Partial { file, path };
        partial.forget_unchecked()?;
        Ok(partial)
    }

    /// Removes an upload's file, which may be gone already. Blocks.
    pub fn remove_partial(&self, id: &PublicId) -> Result<()> {
        let path = self.partial_path(id);
        remove(&unchecked_mark(&path))?;
        remove(&path)
    }

    /// The uploads whose files have not been written to for so long. Blocks.
    pub fn partials_older_than(&self, age: Duration) -> Result<Vec<PublicId>> {
        let entries = match fs::read_dir(self.partials()) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let (mut old, now) = (Vec::new(), Clock::now().system_time());
        for entry in entries {
            let entry = entry?;
            let written = entry.metadata()?.modified()?;
            let is_old = now.duration_since(written).is_ok_and(|since| since > age);
            let id = entry.file_name().to_str().and_then(PublicId::parse);
            old.extend(id.filter(|_| is_old));
        }
        Ok(old)
    }
}

impl Partial {
    /// How many bytes are here.
    pub fn length(&self) -> Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// The bytes that follow count only once they are [checked](Self::checked): also a crash in
    /// between takes them back.
    pub fn begin_unchecked(&self) -> Result<()> {
        let length = self.length()?.to_string();
        let mark = unchecked_mark(&self.path);
        fs::write(&mark, length)?;
        Ok(File::open(&mark)?.sync_all()?)
    }

    /// The bytes that were unchecked count.
    pub fn checked(&self) -> Result<()> {
        remove(&unchecked_mark(&self.path))
    }

    /// Takes back the bytes that were never checked.
    pub fn forget_unchecked(&self) -> Result<()> {
        let mark = unchecked_mark(&self.path);
        let Ok(text) = fs::read_to_string(&mark) else { return Ok(()) };
        // A mark that was cut short by a crash was followed by nothing.
        if let Ok(length) = text.parse::<u64>()
            && length < self.length()?
        {
            self.file.set_len(length)?;
            self.file.sync_all()?;
        }
        remove(&mark)
    }

    /// Adds all bytes of another one. Blocks, and needs no memory to speak of.
    pub fn append(&mut self, other: &mut Self) -> Result<()> {
        other.file.seek(SeekFrom::Start(0))?;
        io::copy(&mut other.file, &mut self.file)?;
        Ok(())
    }

    /// Makes the bytes outlive a power cut.
    pub fn sync(&self) -> Result<()> {
        Ok(self.file.sync_data()?)
    }

    /// Gives the file another name as well: it stays here until it is removed here.
    pub fn link_to(&self, path: &Path) -> Result<()> {
        Ok(fs::hard_link(&self.path, path)?)
    }
}

fn unchecked_mark(path: &Path) -> PathBuf {
    path.with_extension("unchecked")
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn begun() -> (tempfile::TempDir, Disk, PublicId) {
        let dir = tempfile::tempdir().unwrap();
        let store = Disk::open(dir.path()).unwrap();
        let id = PublicId::random().unwrap();
        store.begin_partial(&id).unwrap();
        (dir, store, id)
    }

    #[test]
    fn one_at_a_time() {
        let (_dir, store, id) = begun();
        let mut held = store.hold_partial(&id).unwrap();
        held.file.write_all(b"hello").unwrap();
        assert!(matches!(store.hold_partial(&id), Err(Error::Locked(_))));
        drop(held);
        assert_eq!(store.hold_partial(&id).unwrap().length().unwrap(), 5);
        store.remove_partial(&id).unwrap();
        assert!(matches!(store.hold_partial(&id), Err(Error::NotFound(_))));
        store.remove_partial(&id).unwrap();
    }

    #[test]
    fn bytes_that_were_not_checked_are_taken_back_after_a_crash() {
        let (dir, store, id) = begun();
        let mut held = store.hold_partial(&id).unwrap();
        held.file.write_all(b"good").unwrap();
        held.begin_unchecked().unwrap();
        held.file.write_all(b"doubtful").unwrap();
        drop(held);
        let mut held = store.hold_partial(&id).unwrap();
        assert_eq!(held.length().unwrap(), 4);
        held.begin_unchecked().unwrap();
        held.file.write_all(b"fine").unwrap();
        held.checked().unwrap();
        drop(held);
        assert_eq!(store.hold_partial(&id).unwrap().length().unwrap(), 8);
        assert_eq!(fs::read(dir.path().join("uploads").join(id.as_str())).unwrap(), b"goodfine");
    }

    #[test]
    fn old_ones_are_found() {
        let (_dir, store, id) = begun();
        assert!(store.partials_older_than(Duration::from_secs(60)).unwrap().is_empty());
        assert_eq!(store.partials_older_than(Duration::ZERO).unwrap(), [id]);
    }
}
