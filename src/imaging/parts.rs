//! A file as a list of pieces of another: how public bytes are written and what decoders see.
//! Does not know what the pieces mean.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::Error;
use super::source::Span;

/// More pieces than any honest file is cut into; it bounds the memory that a list can take.
const MAX_PARTS: usize = 50_000;

#[derive(Debug, Clone)]
enum Part {
    Copy(Span),
    Bytes(Vec<u8>),
    Zeros(u64),
}

impl Part {
    fn len(&self) -> u64 {
        match self {
            Self::Copy(span) => span.len,
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Zeros(count) => *count,
        }
    }
}

/// Pieces in the order of the new file. Made for one file of `source_len` bytes and no other.
#[derive(Debug, Clone, Default)]
pub(super) struct Parts {
    list: Vec<Part>,
    source_len: u64,
}

impl Parts {
    pub(super) fn of(source_len: u64) -> Self {
        Self { list: Vec::new(), source_len }
    }

    pub(super) fn copy(&mut self, span: Span) -> Result<(), Error> {
        if let Some(Part::Copy(last)) = self.list.last_mut()
            && last.end() == span.at
        {
            last.len += span.len;
            return Ok(());
        }
        self.push(Part::Copy(span))
    }

    pub(super) fn bytes(&mut self, bytes: impl Into<Vec<u8>>) -> Result<(), Error> {
        self.push(Part::Bytes(bytes.into()))
    }

    pub(super) fn zeros(&mut self, count: u64) -> Result<(), Error> {
        self.push(Part::Zeros(count))
    }

    /// The same with other bytes at a place in its first piece, if that is not a copy.
    pub(super) fn patched(&self, at: usize, bytes: &[u8]) -> Self {
        let mut patched = self.clone();
        if let Some(Part::Bytes(first)) = patched.list.first_mut()
            && let Some(place) = first.get_mut(at..at.saturating_add(bytes.len()))
        {
            place.copy_from_slice(bytes);
        }
        patched
    }

    pub(super) fn append(&mut self, other: Self) -> Result<(), Error> {
        other.list.into_iter().try_for_each(|part| match part {
            Part::Copy(span) => self.copy(span),
            other => self.push(other),
        })
    }

    fn push(&mut self, part: Part) -> Result<(), Error> {
        if part.len() == 0 {
            return Ok(());
        }
        if self.list.len() >= MAX_PARTS {
            return Err(Error::damaged("it is cut into too many pieces"));
        }
        self.list.push(part);
        Ok(())
    }

    pub(super) fn len(&self) -> u64 {
        self.list.iter().map(Part::len).sum()
    }

    fn open(&self, path: &Path) -> Result<File, Error> {
        let file = File::open(path)?;
        if file.metadata()?.len() != self.source_len {
            return Err(Error::damaged("it has changed since it was looked at"));
        }
        Ok(file)
    }

    /// Writes the new file to the end of `to`.
    pub(super) fn write(&self, path: &Path, to: &mut File) -> Result<(), Error> {
        let mut from = self.open(path)?;
        for part in &self.list {
            match part {
                Part::Copy(span) => {
                    from.seek(SeekFrom::Start(span.at))?;
                    copy_exact(&mut from, span.len, to)?;
                }
                Part::Bytes(bytes) => to.write_all(bytes)?,
                Part::Zeros(count) => {
                    copy_exact(&mut io::repeat(0), *count, to)?;
                }
            }
        }
        Ok(())
    }

    /// The new file, to be read piece by piece.
    pub(super) fn reader(&self, path: &Path) -> Result<BufReader<Joined<'_>>, Error> {
        let file = self.open(path)?;
        let joined = Joined { parts: &self.list, file, index: 0, start: 0, at: 0 };
        Ok(BufReader::with_capacity(64 * 1024, joined))
    }

    /// The new file in memory.
    pub(super) fn read(&self, path: &Path) -> Result<Vec<u8>, Error> {
        let mut all = Vec::with_capacity(usize::try_from(self.len()).unwrap_or(0));
        self.reader(path)?.into_inner().read_to_end(&mut all)?;
        Ok(all)
    }
}

/// The pieces as one stream with a position.
pub(super) struct Joined<'a> {
    parts: &'a [Part],
    file: File,
    /// The piece that `at` lies in, or one before it, and where that piece begins.
    index: usize,
    start: u64,
    at: u64,
}

impl Read for Joined<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while let Some(part) = self.parts.get(self.index) {
            let inside = self.at - self.start;
            let left = part.len().saturating_sub(inside);
            if left == 0 {
                self.start += part.len();
                self.index += 1;
                continue;
            }
            let want = usize::try_from(left).unwrap_or(usize::MAX).min(into.len());
            let into = &mut into[..want];
            let got = match part {
                Part::Copy(span) => {
                    self.file.seek(SeekFrom::Start(span.at + inside))?;
                    self.file.read(into)?
                }
                Part::Bytes(bytes) => {
                    let from = usize::try_from(inside).unwrap_or(usize::MAX).min(bytes.len());
                    (&bytes[from..]).read(into)?
                }
                Part::Zeros(_) => {
                    into.fill(0);
                    want
                }
            };
            self.at += got as u64;
            return Ok(got);
        }
        Ok(0)
    }
}

impl Seek for Joined<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let len: u64 = self.parts.iter().map(Part::len).sum();
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => len.checked_add_signed(by),
        };
        self.at = target.ok_or(io::ErrorKind::InvalidInput)?;
        if self.at < self.start {
            (self.index, self.start) = (0, 0);
        }
        Ok(self.at)
    }
}

/// Copies so many bytes. Unlike `io::copy`, which lets the system copy from file to file and gives
/// up at a signal, it goes on after an interruption.
fn copy_exact(from: &mut impl Read, len: u64, to: &mut File) -> io::Result<()> {
    const BUFFER: u64 = 128 * 1024;
    let mut buffer = vec![0; len.min(BUFFER) as usize];
    let mut left = len;
    while left > 0 {
        let piece = &mut buffer[..left.min(BUFFER) as usize];
        from.read_exact(piece)?;
        to.write_all(piece)?;
        left -= piece.len() as u64;
    }
    Ok(())
}
