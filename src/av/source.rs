//! A file read with care: no read goes past its end, none is larger than what is allowed for it,
//! and there is an end to how many are made. Knows no format.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::Error;

/// So many reads are enough for hours of film cut into the smallest pieces.
const MAX_READS: u32 = 4_000_000;

/// The largest run of bytes that is ever read at once: a picture inside a song.
pub(super) const MAX_BLOCK: u64 = 16 * 1024 * 1024;

/// A run of bytes inside a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub at: u64,
    pub len: u64,
}

impl Span {
    pub(super) const fn new(at: u64, len: u64) -> Self {
        Self { at, len }
    }

    pub(super) fn end(self) -> u64 {
        self.at.saturating_add(self.len)
    }

    /// The first bytes of it, at most so many.
    pub(super) fn first(self, most: u64) -> Self {
        Self::new(self.at, self.len.min(most))
    }

    /// What is left of it after so many bytes.
    pub(super) fn after(self, bytes: u64) -> Self {
        let bytes = bytes.min(self.len);
        Self::new(self.at.saturating_add(bytes), self.len - bytes)
    }
}

pub(super) struct Source {
    file: File,
    len: u64,
    reads: u32,
}

pub(super) fn cut_short() -> Error {
    Error::Damaged("it ends in the middle")
}

impl Source {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        Ok(Self { file, len, reads: 0 })
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn whole(&self) -> Span {
        Span::new(0, self.len)
    }

    /// Reads a run of bytes, which must be in the file and not larger than [`MAX_BLOCK`].
    pub(super) fn read(&mut self, span: Span) -> Result<Vec<u8>, Error> {
        if span.len > MAX_BLOCK {
            return Err(Error::Damaged("one of its blocks is too large"));
        }
        let end = span.at.checked_add(span.len).filter(|end| *end <= self.len);
        if end.is_none() {
            return Err(cut_short());
        }
        self.reads += 1;
        if self.reads > MAX_READS {
            return Err(Error::Damaged("it is cut into too many pieces"));
        }
        let mut bytes = vec![0; usize::try_from(span.len).map_err(|_| cut_short())?];
        self.file.read_exact_at(&mut bytes, span.at)?;
        Ok(bytes)
    }

    /// Reads what there is of so many bytes.
    pub(super) fn peek(&mut self, at: u64, most: u64) -> Result<Vec<u8>, Error> {
        let at = at.min(self.len);
        self.read(Span::new(at, most.min(self.len - at)))
    }
}

/// Bytes in memory, read from the front. Every read may come back empty-handed.
#[derive(Clone, Copy)]
pub(super) struct Cut<'a>(pub &'a [u8]);

impl<'a> Cut<'a> {
    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }

    /// A big-endian number of so many bytes, up to eight.
    pub(super) fn number(&mut self, len: usize) -> Option<u64> {
        Some(self.take(len)?.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    /// A little-endian number of so many bytes, up to eight.
    pub(super) fn little(&mut self, len: usize) -> Option<u64> {
        Some(self.take(len)?.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    /// A number of so many bytes, up to four, that one may count with.
    pub(super) fn count(&mut self, len: usize) -> Option<u32> {
        self.number(len).and_then(|number| u32::try_from(number).ok())
    }
}
