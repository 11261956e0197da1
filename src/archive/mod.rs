//! The backup of one site in one file: how it is packed, checked and unpacked. It knows no
//! tenant, no database and no HTTP: it is handed paths.
//!
//! An archive is an uncompressed POSIX tar (media do not get smaller), so any `tar` can list it.
//! Its entries are plain files and nothing else, and stand in this order:
//!
//! 1. `manifest.json`: the format, its version, and what the caller says about the site;
//! 2. `site.sqlite`;
//! 3. `media/<path>`, ascending by the parts of the path, so that a name can stand only once;
//! 4. `checksums.json`: length and SHA-256 of every file before it.
//!
//! Whoever unpacks an archive does not know who made it. So nothing in it is believed: names are
//! checked before anything is written, lengths against the file itself, and bytes against the list.

mod list;
mod manifest;
mod pack;
mod reader;
mod unpack;
mod writer;

#[cfg(test)]
mod tests;

pub use manifest::manifest;
pub use pack::{Source, pack};
pub use unpack::{unpack, verify};

use crate::base::{Error, Result};
use sha2::{Digest, Sha256};
use std::{
    io::{self, Read, Write},
    path::Path,
    time::{Duration, Instant},
};

const MANIFEST: &str = "manifest.json";
const DATABASE: &str = "site.sqlite";
const MEDIA: &str = "media/";
const CHECKSUMS: &str = "checksums.json";

/// Headers and bodies of a tar are filled up to blocks of this many bytes.
const BLOCK: usize = 512;
/// How much of a file is in memory at a time.
const BUFFER: usize = 512 * 1024;
const REPORT_EVERY: Duration = Duration::from_millis(200);

/// How much is done so far, `checksums.json` not counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    pub files: u64,
    /// The lengths of these files, and what is done of the next one.
    pub bytes: u64,
}

/// What an archive holds, `checksums.json` not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    pub files: u64,
    /// The lengths of these files together.
    pub bytes: u64,
    /// Of the archive itself, from its first byte to its last.
    pub sha256: [u8; 32],
}

/// Counts what is done and tells it now and then.
struct Meter<'a> {
    done: Progress,
    told: Option<Instant>,
    tell: &'a mut dyn FnMut(Progress) -> bool,
}

impl<'a> Meter<'a> {
    fn new(tell: &'a mut dyn FnMut(Progress) -> bool) -> Self {
        Self { done: Progress::default(), told: None, tell }
    }

    fn bytes(&mut self, more: usize) -> Result<()> {
        self.done.bytes += more as u64;
        match self.told {
            Some(told) if told.elapsed() < REPORT_EVERY => Ok(()),
            _ => self.report(),
        }
    }

    fn file(&mut self) {
        self.done.files += 1;
    }

    /// # Errors
    /// `Conflict` where the listener wants no more.
    fn report(&mut self) -> Result<()> {
        self.told = Some(Instant::now());
        if (self.tell)(self.done) {
            Ok(())
        } else {
            Err(Error::Conflict { code: "cancelled", reason: "this was cancelled" })
        }
    }
}

/// A file whose bytes are hashed on their way.
struct Hashed<F> {
    file: F,
    hash: Sha256,
}

impl<F> Hashed<F> {
    fn new(file: F) -> Self {
        Self { file, hash: Sha256::new() }
    }
}

impl<F: Read> Read for Hashed<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.hash.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}

impl<F: Write> Write for Hashed<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Whether a path can stand in an archive: parts of ASCII letters, digits, `.`, `_` and `-`,
/// none of them empty or starting with a dot. This leaves no way to name a place elsewhere.
fn is_plain(path: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    };
    path.split('/').all(plain)
}

/// How many bytes fill a body of this length up to whole blocks.
fn padding(bytes: u64) -> usize {
    let over = (bytes % BLOCK as u64) as usize;
    if over == 0 { 0 } else { BLOCK - over }
}

fn bad_archive(reason: impl std::fmt::Display) -> Error {
    Error::Rejected {
        code: "bad_archive",
        reason: format!("is not a sound archive of a site: {reason}"),
    }
}

/// An I/O error that says where it happened.
fn failed(path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |e| Error::internal(format!("{}: {e}", path.display()))
}

/// Reads what there is, at most a buffer full.
fn read_some(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.read(buffer) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}
