//! The tar that is written, block by block. What stands in it is decided elsewhere.

use super::{BLOCK, BUFFER, Hashed, failed, padding};
use crate::base::{Error, Result};
use sha2::Digest;
use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

pub(super) struct Writer {
    path: PathBuf,
    out: BufWriter<Hashed<File>>,
}

impl Writer {
    pub(super) fn new(path: &Path, file: File) -> Self {
        Self { path: path.to_owned(), out: BufWriter::with_capacity(BUFFER, Hashed::new(file)) }
    }

    /// Starts an entry: a body of exactly `bytes` bytes and [`pad`](Self::pad) must follow.
    /// `modified` is in seconds since 1970.
    ///
    /// # Errors
    /// `Rejected` where the name is too long for a tar.
    pub(super) fn header(&mut self, name: &str, bytes: u64, modified: u64) -> Result<()> {
        let mut header = tar::Header::new_ustar();
        header.set_path(name).map_err(|_| Error::Rejected {
            code: "bad_source",
            reason: format!("`{name}` has too long a name"),
        })?;
        header.set_entry_type(tar::EntryType::Regular);
        header.set_mode(0o600);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(modified);
        header.set_size(bytes);
        header.set_cksum();
        self.body(header.as_bytes())
    }

    pub(super) fn body(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes).map_err(failed(&self.path))
    }

    pub(super) fn pad(&mut self, bytes: u64) -> Result<()> {
        let zeros = [0; BLOCK];
        self.body(zeros.get(..padding(bytes)).unwrap_or_default())
    }

    /// Ends the archive, brings it to the disk and says its hash.
    pub(super) fn finish(mut self) -> Result<[u8; 32]> {
        self.body(&[0; 2 * BLOCK])?;
        let path = self.path;
        let hashed = self.out.into_inner().map_err(|e| failed(&path)(e.into_error()))?;
        hashed.file.sync_all().map_err(failed(&path))?;
        Ok(hashed.hash.finalize().into())
    }
}

/// For what writes itself, as a list does.
impl Write for &mut Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
