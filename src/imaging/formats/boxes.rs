//! The boxes of ISO base media files (ISO/IEC 14496-12), which AVIF and HEIC are. Knows how boxes
//! nest and not what they mean.

use super::super::Error;
use super::super::source::{Source, Span};

/// A box inside a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outer {
    pub kind: [u8; 4],
    pub whole: Span,
    pub body: Span,
}

/// The next box of a file, or nothing at its end.
pub(super) fn next(source: &mut Source) -> Result<Option<Outer>, Error> {
    if source.left() < 8 {
        return Ok(None);
    }
    let at = source.at();
    let size = u64::from(u32::from_be_bytes(source.array()?));
    let kind = source.array()?;
    let size = match size {
        0 => source.len() - at,
        1 => u64::from_be_bytes(source.array()?),
        size => size,
    };
    let head = source.at() - at;
    if size < head || size > source.len() - at {
        return Err(Error::damaged("one of its boxes ends in the middle"));
    }
    let body = Span::new(at + head, size - head);
    Ok(Some(Outer { kind, whole: Span::new(at, size), body }))
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

    /// The next box and its kind.
    pub(super) fn next(&mut self) -> Option<([u8; 4], Cut<'a>)> {
        let size = usize::try_from(self.number(4)?).ok()?;
        let kind = *self.take(4)?.first_chunk()?;
        Some((kind, Cut(self.take(size.checked_sub(8)?)?)))
    }

    /// The first box of a kind among those that are left.
    pub(super) fn find(mut self, wanted: &[u8; 4]) -> Option<Cut<'a>> {
        while let Some((kind, body)) = self.next() {
            if &kind == wanted {
                return Some(body);
            }
        }
        None
    }

    /// The version of a full box, whose flags are passed over.
    pub(super) fn version(&mut self) -> Option<u8> {
        self.take(4)?.first().copied()
    }
}
