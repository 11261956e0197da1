//! A folder that is watched: what newly came into it and is finished. It is looked at once a
//! second, which also works where the system tells nobody of changes, as on network drives.

use super::files;
use crate::base::{Error, Result};
use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

const EVERY: Duration = Duration::from_secs(1);
/// A file that has not changed over so many looks is finished.
const STILL: u32 = 2;

/// What tells whether a file is still being written.
type Look = (u64, Option<SystemTime>);

struct Seen {
    look: Look,
    still: u32,
}

pub(super) struct Watch {
    folder: PathBuf,
    recursive: bool,
    seen: HashMap<PathBuf, Seen>,
}

impl Watch {
    /// What is there now is not new.
    ///
    /// # Errors
    /// `Invalid` where the folder cannot be read.
    pub(super) fn begin(folder: &Path, recursive: bool) -> Result<Self> {
        let mut watch = Self { folder: folder.to_owned(), recursive, seen: HashMap::new() };
        let wrong = |e| Error::invalid("watch", format!("{}: {e}", folder.display()));
        for (path, look) in watch.look().map_err(wrong)? {
            watch.seen.insert(path, Seen { look, still: STILL });
        }
        Ok(watch)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Waits for files that newly came and are finished.
    pub(super) async fn next(mut self) -> Result<(Self, Vec<PathBuf>)> {
        loop {
            tokio::time::sleep(EVERY).await;
            let looking = move || {
                // A folder that is away for a moment, as a drive may be, has nothing new.
                let now = self.look().unwrap_or_default();
                let mut finished = self.compare(now);
                finished.retain(|path| files::is_media(path));
                (self, finished)
            };
            let (watch, finished) = tokio::task::spawn_blocking(looking).await?;
            if !finished.is_empty() {
                return Ok((watch, finished));
            }
            self = watch;
        }
    }

    /// Blocks.
    fn look(&self) -> io::Result<Vec<(PathBuf, Look)>> {
        let files = files::within(&self.folder, self.recursive)?.into_iter();
        let look = |path: PathBuf| {
            let found = fs::metadata(&path).ok()?;
            Some((path, (found.len(), found.modified().ok())))
        };
        Ok(files.filter_map(look).collect())
    }

    /// What has become finished since the last look.
    fn compare(&mut self, now: Vec<(PathBuf, Look)>) -> Vec<PathBuf> {
        let mut finished = Vec::new();
        let mut seen = HashMap::with_capacity(now.len());
        for (path, look) in now {
            let before = self.seen.remove(&path).filter(|before| before.look == look);
            let still = before.map_or(0, |before| before.still.saturating_add(1));
            if still == STILL && look.0 > 0 {
                finished.push(path.clone());
            }
            seen.insert(path, Seen { look, still });
        }
        self.seen = seen;
        finished
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch() -> Watch {
        Watch { folder: PathBuf::new(), recursive: false, seen: HashMap::new() }
    }

    fn looked(names: &[(&str, u64)]) -> Vec<(PathBuf, Look)> {
        names.iter().map(|(name, length)| (PathBuf::from(name), (*length, None))).collect()
    }

    #[test]
    fn a_file_is_finished_when_it_has_stood_still_and_only_once() {
        let mut watch = watch();
        for length in [5, 9, 9] {
            assert!(watch.compare(looked(&[("a", length), ("b", 0)])).is_empty());
        }
        assert_eq!(watch.compare(looked(&[("a", 9), ("b", 0)])), [PathBuf::from("a")]);
        assert!(watch.compare(looked(&[("a", 9), ("b", 0)])).is_empty());
        // Written again, it is new again.
        for length in [4, 4] {
            assert!(watch.compare(looked(&[("a", length)])).is_empty());
        }
        assert_eq!(watch.compare(looked(&[("a", 4)])), [PathBuf::from("a")]);
    }

    #[test]
    fn what_was_there_before_is_not_new() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("old.png"), "x").unwrap();
        let mut watch = Watch::begin(dir.path(), false).unwrap();
        for _ in 0..5 {
            let now = watch.look().unwrap();
            assert_eq!(now.len(), 1);
            assert!(watch.compare(now).is_empty());
        }
        assert!(Watch::begin(&dir.path().join("missing"), false).is_err());
    }
}
