//! Whatever bytes are taken for a film or a recording: they are refused, or stripped to one that
//! plays as long, that stripping leaves as it is, and that does not tell when and where it was made.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use vitrina::av::{Limits, Probe, probe};

/// Where this process keeps its files.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("vitrina-fuzz-av-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    folder
});

fn stripped(from: &Path, name: &str) -> Option<(PathBuf, Probe)> {
    let found = probe(from, &Limits::default()).ok()?;
    let to = FOLDER.join(name);
    let mut file = File::create(&to).expect("a file");
    found.strip(from, &mut file).expect("what was probed");
    found.replace_cover(&file, b"").expect("a place for it");
    let cover = found.cover(from).expect("what was probed");
    assert!(cover.is_none_or(|cover| cover.len() <= 16 * 1024 * 1024));
    Some((to, found))
}

fuzz_target!(|bytes: &[u8]| {
    let original = FOLDER.join("original");
    fs::write(&original, bytes).expect("a file");
    let Some((public, before)) = stripped(&original, "public") else { return };
    assert_eq!(fs::metadata(&public).expect("a file").len(), bytes.len() as u64);
    // What overlaps may fall apart; what still is one must not tell.
    let Some((again, after)) = stripped(&public, "again") else { return };
    assert_eq!(before.container, after.container);
    assert!(after.told.camera_make.is_none() && after.told.camera_model.is_none());
    assert!(fs::read(public).expect("bytes") == fs::read(again).expect("bytes"));
});
