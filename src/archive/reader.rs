//! The tar that is read, block by block, by somebody who trusts none of it. Only headers of plain
//! files are known: a link, a device, a sparse file or an extension that would rename or resize
//! the next entry is refused by its type, before a byte of it is read.

use super::{BLOCK, BUFFER, Hashed, bad_archive, failed, is_plain, padding, read_some};
use crate::base::Result;
use sha2::Digest;
use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

/// The latest time of a file that is restored: what eleven octal digits can say.
const MAX_TIME: u64 = 0o777_7777_7777;

pub(super) struct Reader {
    input: BufReader<Hashed<File>>,
    /// How many bytes of the archive are still to be read.
    left: u64,
    buffer: Vec<u8>,
}

/// What a header says of the body that follows.
pub(super) struct Head {
    pub path: String,
    pub bytes: u64,
    /// In seconds since 1970.
    pub modified: u64,
}

impl Reader {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let kind = std::fs::metadata(path).map_err(failed(path))?;
        // Opening anything else could wait forever.
        if !kind.is_file() {
            return Err(bad_archive("it is not a file"));
        }
        let file = File::open(path).map_err(failed(path))?;
        let left = file.metadata().map_err(failed(path))?.len();
        let input = BufReader::with_capacity(BUFFER, Hashed::new(file));
        Ok(Self { input, left, buffer: vec![0; BUFFER] })
    }

    /// The next entry, which must have this name.
    pub(super) fn expect(&mut self, name: &str) -> Result<Head> {
        match self.next()? {
            Some(head) if head.path == name => Ok(head),
            Some(head) => Err(bad_archive(format!("`{}` is where `{name}` should be", head.path))),
            None => Err(bad_archive(format!("`{name}` is missing"))),
        }
    }

    /// The next entry, or `None` where the entries end. The body before must have been read.
    pub(super) fn next(&mut self) -> Result<Option<Head>> {
        let mut header = tar::Header::new_old();
        self.exactly(header.as_mut_bytes(), "before its last entry")?;
        if header.as_bytes() == &[0; BLOCK] {
            return Ok(None);
        }
        let mut sound = header.clone();
        sound.set_cksum();
        if header.as_ustar().is_none() || header.cksum().ok() != sound.cksum().ok() {
            return Err(bad_archive("there is something else where a header should be"));
        }
        let head = understand(&header)?;
        let needed = head.bytes.checked_add(padding(head.bytes) as u64);
        if needed.is_none_or(|needed| needed > self.left) {
            return Err(bad_archive(format!("it ends in the middle of `{}`", head.path)));
        }
        Ok(Some(head))
    }

    /// Hands the body of an entry on, piece by piece.
    pub(super) fn body(
        &mut self,
        head: &Head,
        mut each: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut left = head.bytes;
        while left > 0 {
            let want = usize::try_from(left).unwrap_or(BUFFER).min(BUFFER);
            let got = read_some(&mut self.input, self.buffer.get_mut(..want).unwrap_or_default())?;
            if got == 0 {
                return Err(bad_archive(format!("it ends in the middle of `{}`", head.path)));
            }
            each(self.buffer.get(..got).unwrap_or_default())?;
            left = left.saturating_sub(got as u64);
            self.left = self.left.saturating_sub(got as u64);
        }
        self.padding(head)
    }

    /// Hands the body of an entry to something that reads for itself, and reads all of it.
    pub(super) fn reading<T>(
        &mut self,
        head: &Head,
        read: impl FnOnce(&mut dyn Read) -> Result<T>,
    ) -> Result<T> {
        let mut body = (&mut self.input).take(head.bytes);
        let result = read(&mut body)?;
        if body.limit() > 0 {
            return Err(bad_archive(format!("`{}` has something after its end", head.path)));
        }
        self.left = self.left.saturating_sub(head.bytes);
        self.padding(head)?;
        Ok(result)
    }

    /// Reads from the last entry to the end of the file, where there must be nothing but zeros,
    /// and says the hash of the whole archive.
    pub(super) fn finish(mut self) -> Result<[u8; 32]> {
        self.zeros(2 * BLOCK, "its end")?;
        loop {
            let got = read_some(&mut self.input, &mut self.buffer)?;
            if got == 0 {
                return Ok(self.input.into_inner().hash.finalize().into());
            }
            if self.buffer.iter().take(got).any(|b| *b != 0) {
                return Err(bad_archive("there is something after its end"));
            }
        }
    }

    fn padding(&mut self, head: &Head) -> Result<()> {
        self.zeros(padding(head.bytes), &format!("the end of `{}`", head.path))
    }

    fn zeros(&mut self, count: usize, place: &str) -> Result<()> {
        let mut bytes = [0; 2 * BLOCK];
        let bytes = bytes.get_mut(..count).unwrap_or_default();
        self.exactly(bytes, &format!("before {place}"))?;
        if bytes.iter().all(|b| *b == 0) {
            return Ok(());
        }
        Err(bad_archive(format!("there is something after {place}")))
    }

    fn exactly(&mut self, bytes: &mut [u8], place: &str) -> Result<()> {
        let Some(left) = self.left.checked_sub(bytes.len() as u64) else {
            return Err(bad_archive(format!("it is cut off {place}")));
        };
        self.left = left;
        Ok(self.input.read_exact(bytes)?)
    }
}

fn understand(header: &tar::Header) -> Result<Head> {
    let name = String::from_utf8_lossy(&header.path_bytes()).into_owned();
    let shown = name.escape_debug();
    if !is_plain(&name) {
        return Err(bad_archive(format!("`{shown}` is a name that no archive has")));
    }
    if header.entry_type() != tar::EntryType::Regular {
        return Err(bad_archive(format!("`{shown}` is not a plain file")));
    }
    match (header.entry_size(), header.mtime()) {
        (Ok(bytes), Ok(modified)) if modified <= MAX_TIME => {
            Ok(Head { path: name, bytes, modified })
        }
        _ => Err(bad_archive(format!("`{shown}` has a length or a time that makes no sense"))),
    }
}
