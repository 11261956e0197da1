//! Whatever bytes are taken for a picture: they are refused, or stripped to a picture of the same
//! size that stripping leaves as it is, and that tells nothing besides. What they tell before is
//! read, and can be stored.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use vitrina::imaging::{Limits, Metadata, Probe, probe, read_metadata, strip};

/// Where this process keeps its three files.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("vitrina-fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    folder
});

fn stripped(from: &Path, name: &str) -> Option<(PathBuf, Probe)> {
    let found = probe(from, &Limits::default()).ok()?;
    let to = FOLDER.join(name);
    strip(from, &found, &mut File::create(&to).expect("a file")).expect("what was probed");
    Some((to, found))
}

fuzz_target!(|bytes: &[u8]| {
    let original = FOLDER.join("original");
    fs::write(&original, bytes).expect("a file");
    let Some((public, before)) = stripped(&original, "public") else { return };
    let told = read_metadata(&original, &before);
    let kept = serde_json::to_vec(&told).expect("JSON");
    let read: Metadata = serde_json::from_slice(&kept).expect("what was written");
    assert!(read.tags == told.tags && read.tags.len() <= 50);

    let (again, after) = stripped(&public, "again").expect("a picture stays a picture");
    assert_eq!(before.format, after.format);
    assert_eq!((before.width, before.height), (after.width, after.height));
    assert_eq!((before.frames, before.orientation), (after.frames, after.orientation));
    assert_eq!(read_metadata(&public, &after), Metadata::default());
    assert!(fs::read(public).expect("bytes") == fs::read(again).expect("bytes"));
});
