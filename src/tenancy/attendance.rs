//! Which processes do the jobs of this data directory: each holds the lock of a file of its own,
//! and the system gives that back however the process ends. No clock has a say in who is alive.

use super::DataDir;
use crate::base::{Error, Result, ids::PublicId};
use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::ErrorKind,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::PathBuf,
};

/// Held by whoever looks over all files, or adds one: a file that is not locked yet is nobody's
/// who died.
const ROLL: &str = "roll.lock";

/// This process among those that do jobs; over when it is dropped.
pub struct Attendance {
    folder: PathBuf,
    name: String,
    _held: File,
}

impl DataDir {
    /// Has the other processes know that this one does jobs. Blocks.
    pub(super) fn attend(&self) -> Result<Attendance> {
        let folder = self.root().join("workers");
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let name = self.instance.clone();
        let _roll = roll(&folder)?;
        let held = create(&folder.join(&name))?;
        held.try_lock().map_err(|e| Error::internal(format!("a process does jobs once: {e}")))?;
        Ok(Attendance { folder, name, _held: held })
    }
}

impl Attendance {
    /// The name under which this process holds its jobs.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the process of this name still is. Blocks.
    pub fn is_present(&self, name: &str) -> Result<bool> {
        // It may come from a file that somebody made by hand, and becomes a path.
        let Some(name) = PublicId::parse(name) else { return Ok(false) };
        match File::open(self.folder.join(name.as_str())) {
            Ok(file) => is_held(&file),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
            Err(e) => Err(e.into()),
        }
    }

    /// The processes that ended without a word. Blocks.
    pub fn gone(&self) -> Result<Vec<String>> {
        let _roll = roll(&self.folder)?;
        let mut gone = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if PublicId::parse(&name).is_some() && !is_held(&File::open(entry.path())?)? {
                gone.push(name);
            }
        }
        Ok(gone)
    }

    /// Forgets processes that are gone. Blocks.
    pub fn forget(&self, gone: &[String]) -> Result<()> {
        for name in gone.iter().filter_map(|name| PublicId::parse(name)) {
            match fs::remove_file(self.folder.join(name.as_str())) {
                Err(e) if e.kind() != ErrorKind::NotFound => return Err(e.into()),
                _ => {}
            }
        }
        Ok(())
    }
}

impl Drop for Attendance {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.folder.join(&self.name));
    }
}

fn create(path: &std::path::Path) -> Result<File> {
    Ok(OpenOptions::new().create(true).append(true).mode(0o600).open(path)?)
}

fn roll(folder: &std::path::Path) -> Result<File> {
    let file = create(&folder.join(ROLL))?;
    file.lock()?;
    Ok(file)
}

/// Several may ask at once: they share the lock that its owner holds alone.
fn is_held(file: &File) -> Result<bool> {
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(e)) => Err(e.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_died_is_noticed_and_who_lives_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let open = || DataDir::open(dir.path(), None).unwrap();
        let (a, b) = (open().attend().unwrap(), open().attend().unwrap());
        assert!(a.is_present(b.name()).unwrap() && b.is_present(a.name()).unwrap());
        assert!(a.gone().unwrap().is_empty());
        // As after SIGKILL: the lock is given back and the file stays.
        let left = open().instance;
        fs::write(a.folder.join(&left), b"").unwrap();
        assert!(!a.is_present(&left).unwrap());
        assert_eq!(a.gone().unwrap(), std::slice::from_ref(&left));
        a.forget(&[left, "../vitrina.lock".to_owned()]).unwrap();
        assert!(a.gone().unwrap().is_empty());
        let name = b.name().to_owned();
        drop(b);
        assert!(!a.is_present(&name).unwrap());
    }

    #[test]
    fn a_name_is_never_a_path() {
        let dir = tempfile::tempdir().unwrap();
        let held = DataDir::open(dir.path(), None).unwrap().attend().unwrap();
        for name in ["", "..", "../secret.key", "roll.lock", "/etc/passwd"] {
            assert!(!held.is_present(name).unwrap(), "{name}");
        }
    }
}
