//! Where the samples of a track lie in the file, for tracks that nobody must see.

use super::super::Error;
use super::super::source::{Cut, MAX_BLOCK, Source, Span};
use super::boxes;

/// Such tracks have a few samples in each second.
const MOST: usize = 1_000_000;

/// The runs of bytes that a `stbl` says its samples take, as far as the file has them.
pub(super) fn samples(source: &mut Source, table: Span) -> Result<Vec<Span>, Error> {
    let mut list = |kind: &[u8; 4]| -> Result<Vec<u8>, Error> {
        match boxes::find(source, table, &[kind])? {
            Some(atom) => source.read(atom.body.first(MAX_BLOCK)),
            None => Ok(Vec::new()),
        }
    };
    let (sizes, runs) = (list(b"stsz")?, list(b"stsc")?);
    let (short, long) = (list(b"stco")?, list(b"co64")?);
    let end = source.len();
    let (chunks, width) = if long.is_empty() { (short, 4) } else { (long, 8) };
    let chunks = rows(&chunks, width).map(|mut row| row.number(width).unwrap_or(u64::MAX));
    let mut sizes = Sizes::of(&sizes);
    let runs: Vec<(u64, u64)> = rows(&runs, 12)
        .map(|mut row| (row.number(4).unwrap_or(0), row.number(4).unwrap_or(0)))
        .collect();
    let (mut places, mut run) = (Vec::new(), 0);
    for (n, at) in chunks.enumerate() {
        // Each row counts from its first chunk on, and chunks are counted from 1.
        while runs.get(run + 1).is_some_and(|(first, _)| *first <= n as u64 + 1) {
            run += 1;
        }
        let count = runs.get(run).map_or(0, |(_, count)| *count);
        let len = sizes.take(count);
        if at < end && len > 0 {
            places.push(Span::new(at, len.min(end - at)));
        }
        if places.len() >= MOST {
            return Err(Error::Damaged("it is cut into too many pieces"));
        }
    }
    Ok(places)
}

/// The rows of a table after its version, flags and count.
fn rows(table: &[u8], width: usize) -> impl Iterator<Item = Cut<'_>> {
    table.get(8..).unwrap_or_default().chunks_exact(width).map(Cut)
}

/// How large samples are, one after the other.
struct Sizes<'a> {
    /// 0 where each has its own.
    all: u64,
    left: u64,
    each: Cut<'a>,
}

impl<'a> Sizes<'a> {
    fn of(table: &'a [u8]) -> Self {
        let mut cut = Cut(table);
        cut.take(4);
        let (all, left) = (cut.number(4).unwrap_or(0), cut.number(4).unwrap_or(0));
        Self { all, left, each: cut }
    }

    /// The bytes of the next samples together.
    fn take(&mut self, count: u64) -> u64 {
        let count = count.min(self.left);
        self.left -= count;
        if self.all > 0 {
            return self.all.saturating_mul(count);
        }
        let sizes = (0..count).map_while(|_| self.each.number(4));
        sizes.fold(0, u64::saturating_add)
    }
}
