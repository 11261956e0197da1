//! A file read with care: no read goes past its end, and none is larger than what was asked for.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use super::Error;

/// A run of bytes inside a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub at: u64,
    pub len: u64,
}

impl Span {
    pub(super) fn new(at: u64, len: u64) -> Self {
        Self { at, len }
    }

    pub(super) fn end(self) -> u64 {
        self.at.saturating_add(self.len)
    }
}

pub(super) struct Source {
    file: BufReader<File>,
    at: u64,
    len: u64,
}

fn cut_short() -> Error {
    Error::damaged("it ends in the middle")
}

impl Source {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        Ok(Self { file: BufReader::with_capacity(64 * 1024, file), at: 0, len })
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Where the next read begins.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    pub(super) fn left(&self) -> u64 {
        self.len - self.at
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Error> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        if bytes.len() as u64 > self.left() {
            return Err(cut_short());
        }
        self.file.read_exact(bytes)?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// Moves on without reading. What is skipped must be there.
    pub(super) fn skip(&mut self, count: u64) -> Result<(), Error> {
        if count > self.left() {
            return Err(cut_short());
        }
        match i64::try_from(count) {
            Ok(count) => self.file.seek_relative(count)?,
            Err(_) => return Err(cut_short()),
        }
        self.at += count;
        Ok(())
    }

    pub(super) fn seek(&mut self, to: u64) -> Result<(), Error> {
        if to >= self.at {
            return self.skip(to - self.at);
        }
        self.file.seek(SeekFrom::Start(to))?;
        self.at = to;
        Ok(())
    }

    /// Reads one run of bytes. The caller has made sure that `span` is not too large to hold.
    pub(super) fn read(&mut self, span: Span) -> Result<Vec<u8>, Error> {
        if span.end() > self.len {
            return Err(cut_short());
        }
        self.seek(span.at)?;
        let mut bytes = vec![0; usize::try_from(span.len).map_err(|_| cut_short())?];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// Moves to the next byte of this value and stops before it.
    pub(super) fn skip_to(&mut self, wanted: u8) -> Result<(), Error> {
        loop {
            let held = self.file.fill_buf()?;
            if held.is_empty() {
                return Err(cut_short());
            }
            let found = held.iter().position(|byte| *byte == wanted);
            let passed = found.unwrap_or(held.len());
            self.file.consume(passed);
            self.at += passed as u64;
            if found.is_some() {
                return Ok(());
            }
        }
    }
}
