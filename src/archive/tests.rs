//! What archives must do, and what is done to them.

mod craft;
mod hostile;

use super::{Progress, Source, manifest, pack, unpack, verify};
use crate::base::Error;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    thread::sleep,
    time::Duration,
};
use tempfile::TempDir;

/// A small site in a folder of its own, and room for archives.
struct Site {
    root: TempDir,
    manifest: Value,
    folders: Vec<String>,
}

impl Site {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        let site = Self {
            root,
            manifest: json!({"host": "fotos.example", "media": 3}),
            // Not in order, and one that a comparison byte by byte would put elsewhere.
            folders: ["2026/02/b-2", "2026/01/a", "2026/02/b"].map(str::to_owned).into(),
        };
        fs::write(site.path("site.sqlite"), b"SQLite format 3\0 and so on").unwrap();
        for folder in &site.folders {
            fs::create_dir_all(site.path("media").join(folder)).unwrap();
        }
        site.write("2026/01/a/original.jpg", &[7; 5000]);
        site.write("2026/01/a/640.webp", &[1; 512]);
        site.write("2026/02/b/original.png", b"");
        site.write("2026/02/b-2/original.gif", b"GIF89a");
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn media(&self, name: &str) -> PathBuf {
        self.path("media").join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.media(name), bytes).unwrap();
    }

    fn pack_as(
        &self,
        name: &str,
        overwrite: bool,
        on_progress: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<super::Report, Error> {
        let (database, media) = (self.path("site.sqlite"), self.path("media"));
        let source = Source {
            manifest: &self.manifest,
            database: &database,
            media: &|folder| media.join(folder),
            folders: &self.folders,
        };
        pack(&source, &self.path(name), overwrite, on_progress)
    }

    fn pack(&self) -> Result<super::Report, Error> {
        self.pack_as("site.tar", false, &mut |_| true)
    }

    /// Packs, which must fail, and says why. Nothing may be left of the attempt.
    fn refusal(&self) -> String {
        let error = self.pack().unwrap_err();
        assert!(matches!(error, Error::Rejected { code: "bad_source", .. }), "{error:?}");
        assert!(!self.path("site.tar").exists() && !self.path("site.tar.partial").exists());
        error.to_string()
    }

    fn empty_folder(&self, name: &str) -> PathBuf {
        let folder = self.path(name);
        fs::create_dir(&folder).unwrap();
        folder
    }
}

/// Every file below a folder with its bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().into(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn code(error: &Error) -> &'static str {
    match error {
        Error::Conflict { code, .. } | Error::Rejected { code, .. } => code,
        _ => panic!("{error:?}"),
    }
}

#[test]
fn a_site_comes_back_as_it_was() {
    let site = Site::new();
    let packed = site.pack().unwrap();
    assert_eq!((packed.files, packed.bytes > 5000), (6, true));
    assert_eq!(manifest(&site.path("site.tar")).unwrap(), site.manifest);
    assert_eq!(verify(&site.path("site.tar"), &mut |_| true).unwrap(), packed);

    let folder = site.empty_folder("back");
    let mut last = Progress::default();
    let unpacked = unpack(&site.path("site.tar"), &folder, &mut |p| {
        last = p;
        true
    });
    assert_eq!(unpacked.unwrap(), packed);
    assert_eq!((last.files, last.bytes), (packed.files, packed.bytes));
    assert_eq!(files(&folder.join("media")), files(&site.path("media")));
    assert_eq!(files(&folder).len(), 5);
    let original = fs::metadata(folder.join("media/2026/01/a/original.jpg")).unwrap();
    assert_eq!(original.permissions().mode() & 0o777, 0o600);

    // The same site makes the same archive, wherever it lies.
    let source = Source {
        manifest: &site.manifest,
        database: &folder.join("site.sqlite"),
        media: &|name| folder.join("media").join(name),
        folders: &site.folders,
    };
    assert_eq!(pack(&source, &site.path("again.tar"), false, &mut |_| true).unwrap(), packed);
}

#[test]
fn a_site_without_media_can_be_packed() {
    let mut site = Site::new();
    site.folders.clear();
    assert_eq!(site.pack().unwrap().files, 2);
    let folder = site.empty_folder("back");
    unpack(&site.path("site.tar"), &folder, &mut |_| true).unwrap();
    assert!(folder.join("media").is_dir());
}

#[test]
fn an_archive_is_overwritten_only_on_demand() {
    let site = Site::new();
    fs::write(site.path("site.tar"), "mine").unwrap();
    assert_eq!(code(&site.pack().unwrap_err()), "archive_exists");
    assert_eq!(fs::read(site.path("site.tar")).unwrap(), b"mine");
    let packed = site.pack_as("site.tar", true, &mut |_| true).unwrap();
    assert_eq!(verify(&site.path("site.tar"), &mut |_| true).unwrap(), packed);
}

#[test]
fn a_leftover_is_overwritten_and_a_link_in_its_place_not_followed() {
    let site = Site::new();
    fs::write(site.path("precious"), "keep me").unwrap();
    symlink(site.path("precious"), site.path("site.tar.partial")).unwrap();
    site.pack().unwrap();
    assert_eq!(fs::read(site.path("precious")).unwrap(), b"keep me");
    assert!(!site.path("site.tar.partial").exists());
    fs::write(site.path("other.tar.partial"), vec![1; 1 << 20]).unwrap();
    site.pack_as("other.tar", false, &mut |_| true).unwrap();
    verify(&site.path("other.tar"), &mut |_| true).unwrap();
}

#[test]
fn a_listener_can_end_it() {
    let site = Site::new();
    let error = site.pack_as("site.tar", false, &mut |_| false).unwrap_err();
    assert_eq!(code(&error), "cancelled");
    assert!(!site.path("site.tar").exists() && !site.path("site.tar.partial").exists());

    site.pack().unwrap();
    let folder = site.empty_folder("back");
    let only_the_end = &mut |p: Progress| p.files < 6;
    assert_eq!(
        code(&unpack(&site.path("site.tar"), &folder, only_the_end).unwrap_err()),
        "cancelled"
    );
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn only_an_empty_folder_is_unpacked_to() {
    let site = Site::new();
    site.pack().unwrap();
    let folder = site.empty_folder("back");
    fs::write(folder.join("site.sqlite"), "mine").unwrap();
    let error = unpack(&site.path("site.tar"), &folder, &mut |_| true).unwrap_err();
    assert_eq!(code(&error), "folder_not_empty");
    assert_eq!(fs::read(folder.join("site.sqlite")).unwrap(), b"mine");
}

#[test]
fn what_is_missing_is_named() {
    let site = Site::new();
    fs::remove_dir_all(site.media("2026/02/b")).unwrap();
    assert_eq!(site.refusal(), "file `media/2026/02/b` is missing");
    fs::create_dir(site.media("2026/02/b")).unwrap();
    assert_eq!(site.refusal(), "file `media/2026/02/b` is empty");
    site.write("2026/02/b/original.png", b"");
    fs::remove_file(site.path("site.sqlite")).unwrap();
    assert_eq!(site.refusal(), "file `site.sqlite` is missing");
}

#[test]
fn what_cannot_be_packed_is_named() {
    let mut site = Site::new();
    symlink("/etc/passwd", site.media("2026/01/a/link")).unwrap();
    assert_eq!(site.refusal(), "file `media/2026/01/a/link` is not a plain file");
    fs::remove_file(site.media("2026/01/a/link")).unwrap();
    for name in [".hidden", "a b", "ä"] {
        site.write(&format!("2026/01/a/{name}"), b"x");
        assert!(site.refusal().contains("has a name that cannot be packed"));
        fs::remove_file(site.media(&format!("2026/01/a/{name}"))).unwrap();
    }
    let long = "x".repeat(200);
    site.write(&format!("2026/01/a/{long}"), b"x");
    assert!(site.refusal().ends_with("has too long a name"));
    fs::remove_file(site.media(&format!("2026/01/a/{long}"))).unwrap();
    for folder in ["../..", "/etc", "2026//01", "", "2026/01/a/"] {
        site.folders.push(folder.to_owned());
        assert!(site.refusal().ends_with("is no name of a folder"));
        site.folders.pop();
    }
    site.folders.push("2026/01/a".to_owned());
    assert!(site.refusal().ends_with("is there twice, or not in its order"));
}

/// Packs a site with a file of several buffers, and does something to it when the packing has
/// reached it.
fn pack_while(change: impl Fn(&File)) -> String {
    let site = Site::new();
    site.write("2026/01/a/original.jpg", &vec![1; 3 * super::BUFFER]);
    let file = File::options().append(true).open(site.media("2026/01/a/original.jpg")).unwrap();
    let error = site.pack_as("site.tar", false, &mut |p| {
        // Whoever takes this long is told of every piece.
        sleep(super::REPORT_EVERY + Duration::from_millis(5));
        if p.files == 3 {
            change(&file);
        }
        true
    });
    assert!(!site.path("site.tar").exists() && !site.path("site.tar.partial").exists());
    error.unwrap_err().to_string()
}

#[test]
fn a_file_that_changes_meanwhile_is_no_part_of_an_archive() {
    let expected = "file `media/2026/01/a/original.jpg` changed while it was packed";
    assert_eq!(pack_while(|file| file.set_len(super::BUFFER as u64 * 2).unwrap()), expected);
    assert_eq!(pack_while(|mut file| file.write_all(b"more").unwrap()), expected);
    let touched = std::time::UNIX_EPOCH + Duration::from_secs(1);
    assert_eq!(pack_while(|file| file.set_modified(touched).unwrap()), expected);
}

#[test]
fn a_manifest_has_a_limit() {
    let mut site = Site::new();
    site.manifest = json!("x".repeat(1 << 20));
    assert!(matches!(site.pack(), Err(Error::TooLarge { field: "manifest", .. })));
    assert!(!site.path("site.tar.partial").exists());
}

#[test]
fn a_big_file_is_packed_piece_by_piece() {
    let site = Site::new();
    let length = 200 << 20;
    File::create(site.media("2026/01/a/video.mp4")).unwrap().set_len(length).unwrap();
    let packed = site.pack().unwrap();
    assert!(packed.bytes > length);
    assert_eq!(verify(&site.path("site.tar"), &mut |_| true).unwrap(), packed);
}
