//! Archives that somebody tampered with: refused or read, never a panic, never memory without
//! bounds; and what is found sound unpacks without a complaint.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};
use vitrina::archive;

/// In memory, where there is such a place: every input is written to a file first.
static SCRATCH: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let folder = base.join(format!("vitrina-fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
});

/// A sound archive with two items.
static SOUND: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let media = SCRATCH.join("media");
    let folders = ["2026/01/aaaaaaaaaa".to_owned(), "2026/02/bbbbbbbbbb".to_owned()];
    for folder in &folders {
        fs::create_dir_all(media.join(folder)).unwrap();
        fs::write(media.join(folder).join("a.jpg"), folder).unwrap();
    }
    let database = SCRATCH.join("site.sqlite");
    fs::write(&database, b"not really a database").unwrap();
    let manifest = serde_json::json!({ "id": "a" });
    let files = |folder: &str| media.join(folder);
    let source =
        archive::Source { manifest: &manifest, database: &database, media: &files, folders: &folders };
    let to = SCRATCH.join("sound");
    archive::pack(&source, &to, true, &mut |_| true).unwrap();
    fs::read(to).unwrap()
});

fuzz_target!(|input: &[u8]| {
    let Some((mode, rest)) = input.split_first() else { return };
    let bytes = if mode & 1 == 0 { tampered(rest, mode & 2 != 0) } else { rest.to_vec() };
    let file = SCRATCH.join("input");
    fs::write(&file, bytes).unwrap();
    let _ = archive::manifest(&file);
    if archive::verify(&file, &mut |_| true).is_ok() {
        let folder = SCRATCH.join("unpacked");
        fs::create_dir(&folder).unwrap();
        archive::unpack(&file, &folder, &mut |_| true).unwrap();
        fs::remove_dir_all(&folder).unwrap();
    }
});

/// The sound archive with bytes changed: two for where, one for what.
fn tampered(changes: &[u8], mend_headers: bool) -> Vec<u8> {
    let mut bytes = SOUND.clone();
    for change in changes.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % bytes.len();
        bytes[at] = change[2];
    }
    if mend_headers {
        bytes.chunks_exact_mut(512).filter(|b| &b[257..262] == b"ustar").for_each(mend);
    }
    bytes
}

/// Writes the checksum that a tar header must have (POSIX.1-1988): the sum of its bytes, with
/// spaces in the place of the checksum.
fn mend(header: &mut [u8]) {
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}
