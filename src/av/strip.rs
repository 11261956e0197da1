//! Public bytes: a copy of a file in which some runs of bytes are others, each as long as what was
//! there. Nothing moves, so no table of offsets has to be made anew.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use super::Error;
use super::source::Span;

/// More runs than any honest file needs; it bounds the memory that a list can take.
const MAX_PATCHES: usize = 500_000;

/// What takes the place of the first bytes of a run. The others become zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Patch {
    span: Span,
    bytes: Vec<u8>,
}

/// What is to be other than it was, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Patches {
    list: Vec<Patch>,
}

impl Patches {
    /// Puts `bytes`, and zeros after them, in place of a run of bytes.
    pub(super) fn put(&mut self, span: Span, bytes: impl Into<Vec<u8>>) -> Result<(), Error> {
        let mut bytes = bytes.into();
        if self.list.len() >= MAX_PATCHES {
            return Err(Error::Damaged("it is cut into too many pieces"));
        }
        bytes.truncate(usize::try_from(span.len).unwrap_or(usize::MAX));
        if span.len > 0 {
            self.list.push(Patch { span, bytes });
        }
        Ok(())
    }

    pub(super) fn zero(&mut self, span: Span) -> Result<(), Error> {
        self.put(span, Vec::new())
    }

    /// Writes the file at `path` with all changes to the end of `to`.
    pub(super) fn write(&self, path: &Path, to: &mut File) -> Result<(), Error> {
        let mut from = File::open(path)?;
        let mut patches: Vec<&Patch> = self.list.iter().collect();
        patches.sort_by_key(|patch| patch.span.at);
        let (mut at, mut first) = (0u64, 0);
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let n = from.read(&mut buffer)?;
            if n == 0 {
                return Ok(());
            }
            let piece = &mut buffer[..n];
            let end = at + n as u64;
            while patches.get(first).is_some_and(|patch| patch.span.end() <= at) {
                first += 1;
            }
            let hit = patches[first..].iter().take_while(|patch| patch.span.at < end);
            hit.for_each(|patch| patch.apply(at, piece));
            to.write_all(piece)?;
            at = end;
        }
    }
}

impl Patch {
    /// Changes what lies of it in a piece of the file that begins at `at`.
    fn apply(&self, at: u64, piece: &mut [u8]) {
        let place = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let (from, skipped) =
            (place(self.span.at.saturating_sub(at)), place(at.saturating_sub(self.span.at)));
        let to = place(self.span.end().saturating_sub(at)).min(piece.len());
        let Some(run) = piece.get_mut(from..to) else { return };
        run.fill(0);
        let bytes = self.bytes.get(skipped..).unwrap_or_default();
        run.iter_mut().zip(bytes).for_each(|(old, new)| *old = *new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn runs_are_replaced_wherever_the_reading_is_cut() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        let old: Vec<u8> = (0..700_000u32).map(|n| n as u8 | 1).collect();
        fs::write(&from, &old).unwrap();
        let mut patches = Patches::default();
        // One over the edge of a piece, one longer than a piece, and one at the very end.
        let edge = 256 * 1024;
        patches.put(Span::new(edge - 2, 6), *b"abcd").unwrap();
        patches.zero(Span::new(300_000, 300_000)).unwrap();
        patches.put(Span::new(699_999, 1), *b"zz").unwrap();
        patches.put(Span::new(0, 0), *b"nothing").unwrap();
        patches.write(&from, &mut File::create(&to).unwrap()).unwrap();

        let mut new = old;
        let at = edge as usize - 2;
        new[at..at + 6].copy_from_slice(b"abcd\0\0");
        new[300_000..600_000].fill(0);
        new[699_999] = b'z';
        assert!(fs::read(&to).unwrap() == new);
    }
}
