//! Which uploads were begun and not ended, so that the same command goes on with them later: one
//! small file for each, in the user's own folder for such things. Where there is none, or nothing
//! can be written, an upload begins anew.

use crate::base::{Clock, clock::Millis};
use sha2::{Digest, Sha256};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A server forgets what nobody goes on with after a day.
const KEPT_MS: i64 = 2 * 24 * 60 * 60 * 1000;
const LONGEST: usize = 64;

/// The notes of one user.
pub(super) struct Notes(Option<PathBuf>);

/// What tells one upload from another.
#[derive(Clone)]
pub(super) struct Name(String);

impl Name {
    /// The same file, sent to the same server with the same words about it.
    pub(super) fn new(server: &str, metadata: &str, sha256: &[u8; 32]) -> Self {
        let mut hash = Sha256::new();
        for part in [server.as_bytes(), b"\n", metadata.as_bytes(), b"\n", sha256] {
            hash.update(part);
        }
        Self(bs58::encode(hash.finalize()).into_string())
    }
}

impl Notes {
    /// As the XDG Base Directory Specification has it: `$XDG_STATE_HOME`, or `~/.local/state`.
    pub(super) fn open(env: &[(String, String)]) -> Self {
        let folder = |name: &str| {
            let (_, path) = env.iter().find(|(n, _)| n == name)?;
            Some(PathBuf::from(path)).filter(|path| path.is_absolute())
        };
        let state = folder("XDG_STATE_HOME");
        let state = state.or_else(|| Some(folder("HOME")?.join(".local/state")));
        let notes = Self(state.map(|state| state.join("vitrina/uploads")));
        notes.tidy(Clock::now());
        notes
    }

    pub(super) fn recall(&self, name: &Name) -> Option<String> {
        let text = fs::read_to_string(self.0.as_ref()?.join(&name.0)).ok()?;
        let is_id =
            (1..=LONGEST).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        is_id.then_some(text)
    }

    pub(super) fn remember(&self, name: &Name, upload: &str) {
        if let Some(folder) = &self.0
            && fs::create_dir_all(folder).is_ok()
        {
            let _ = fs::write(folder.join(&name.0), upload);
        }
    }

    pub(super) fn forget(&self, name: &Name) {
        if let Some(folder) = &self.0 {
            let _ = fs::remove_file(folder.join(&name.0));
        }
    }

    /// Takes away notes that no server knows any more.
    fn tidy(&self, now: Millis) {
        let oldest = now.plus_ms(-KEPT_MS).system_time();
        let entries = self.0.as_ref().and_then(|folder| fs::read_dir(folder).ok());
        for path in entries.into_iter().flatten().flatten().map(|entry| entry.path()) {
            if is_older(&path, oldest) {
                let _ = fs::remove_file(path);
            }
        }
    }
}

fn is_older(path: &Path, than: std::time::SystemTime) -> bool {
    let modified = fs::metadata(path).and_then(|found| found.modified());
    modified.is_ok_and(|modified| modified < than)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str, value: &str) -> Vec<(String, String)> {
        vec![(name.to_owned(), value.to_owned())]
    }

    #[test]
    fn an_upload_is_remembered_until_it_is_done_or_too_old() {
        let dir = tempfile::tempdir().unwrap();
        let notes = Notes::open(&env("XDG_STATE_HOME", dir.path().to_str().unwrap()));
        let one = Name::new("https://media.example", "", &[1; 32]);
        let other = Name::new("https://media.example", "tags c2Vh", &[1; 32]);
        notes.remember(&one, "8fKq2ZtP9x");
        assert_eq!(notes.recall(&one).as_deref(), Some("8fKq2ZtP9x"));
        assert_eq!(notes.recall(&other), None);
        notes.tidy(Clock::now());
        assert!(notes.recall(&one).is_some());
        notes.tidy(Clock::now().plus_days(3));
        assert_eq!(notes.recall(&one), None);
        notes.remember(&one, "8fKq2ZtP9x");
        notes.forget(&one);
        assert_eq!(notes.recall(&one), None);
    }

    #[test]
    fn a_note_that_is_no_id_is_not_believed() {
        let dir = tempfile::tempdir().unwrap();
        let notes = Notes::open(&env("HOME", dir.path().to_str().unwrap()));
        let name = Name::new("https://media.example", "", &[2; 32]);
        for text in ["", "../media", "a b", &"a".repeat(65)] {
            notes.remember(&name, text);
            assert_eq!(notes.recall(&name), None, "{text}");
        }
    }

    #[test]
    fn without_a_folder_of_ones_own_nothing_is_remembered() {
        for env in [vec![], env("HOME", ""), env("XDG_STATE_HOME", "relative")] {
            let notes = Notes::open(&env);
            let name = Name::new("https://media.example", "", &[3; 32]);
            notes.remember(&name, "8fKq2ZtP9x");
            assert_eq!(notes.recall(&name), None);
        }
    }
}
