//! Archives that nobody would pack, made by hand.

use super::super::{list, padding};
use list::{List, Listed};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub(super) const GOOD_MANIFEST: &str =
    r#"{"format":"vitrina-tenant","version":1,"tenant":{"host":"a.example"}}"#;

/// An archive in the making.
#[derive(Default)]
pub(super) struct Craft {
    pub bytes: Vec<u8>,
    pub list: List,
}

pub(super) fn header(name: &str, bytes: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.as_ustar_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(tar::EntryType::Regular);
    header.set_mode(0o600);
    header.set_mtime(1_700_000_000);
    header.set_size(bytes);
    header.set_cksum();
    header
}

impl Craft {
    /// A manifest and a database that are as they should be.
    pub(super) fn start() -> Self {
        Self::default().entry("manifest.json", GOOD_MANIFEST).entry("site.sqlite", "SQLite")
    }

    /// An entry that is not in the list.
    pub(super) fn unlisted(mut self, name: &str, body: &str) -> Self {
        self.bytes.extend_from_slice(header(name, body.len() as u64).as_bytes());
        self.bytes.extend_from_slice(body.as_bytes());
        self.bytes.resize(self.bytes.len() + padding(body.len() as u64), 0);
        self
    }

    /// An entry of the list that is not there.
    pub(super) fn listed(mut self, name: &str, body: &str) -> Self {
        let sha256 = Sha256::digest(body).into();
        self.list.push(Listed { path: name.to_owned(), bytes: body.len() as u64, sha256 });
        self
    }

    pub(super) fn entry(self, name: &str, body: &str) -> Self {
        self.unlisted(name, body).listed(name, body)
    }

    /// An entry with another header.
    pub(super) fn with(mut self, change: impl FnOnce(&mut tar::Header)) -> Self {
        let mut header = header("media/a", 0);
        change(&mut header);
        header.set_cksum();
        self.bytes.extend_from_slice(header.as_bytes());
        self
    }

    /// The list as it should be, and the end.
    pub(super) fn finish(self) -> Self {
        let mut text = Vec::new();
        self.list.write(&mut text).unwrap();
        self.unlisted("checksums.json", &String::from_utf8(text).unwrap()).end()
    }

    pub(super) fn end(mut self) -> Self {
        self.bytes.resize(self.bytes.len() + 1024, 0);
        self
    }

    pub(super) fn save(&self, root: &Path) -> PathBuf {
        let path = root.join("crafted.tar");
        std::fs::write(&path, &self.bytes).unwrap();
        path
    }

    /// Checks and unpacks this archive, both of which must fail in the same words and leave
    /// nothing behind, and says the words.
    pub(super) fn refusal(&self) -> String {
        let root = TempDir::new().unwrap();
        let path = self.save(root.path());
        let folder = root.path().join("back");
        std::fs::create_dir(&folder).unwrap();
        let checked = super::verify(&path, &mut |_| true).unwrap_err();
        let unpacked = super::unpack(&path, &folder, &mut |_| true).unwrap_err();
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 2, "something lies outside");
        assert_eq!(super::code(&checked), "bad_archive");
        assert_eq!(checked.to_string(), unpacked.to_string());
        let text = checked.to_string();
        text.strip_prefix("file is not a sound archive of a site: ").unwrap().to_owned()
    }
}
