//! How boxes nest and what many of them begin with; not what they mean.

use super::super::Error;
use super::super::probe::Draft;
use super::super::source::{Cut, Source, Span};

/// A box inside a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Atom {
    pub kind: [u8; 4],
    pub whole: Span,
    pub body: Span,
}

/// The box that begins at a place inside `of`, or nothing at its end.
pub(super) fn next(source: &mut Source, at: u64, of: Span) -> Result<Option<Atom>, Error> {
    let left = of.end().saturating_sub(at);
    // Some writers end a list with four zeros.
    if left < 8 {
        return Ok(None);
    }
    let head = source.peek(at, 16)?;
    let mut cut = Cut(&head);
    let (size, kind) = (cut.number(4).unwrap_or(0), cut.take(4).and_then(|k| k.first_chunk()));
    let kind = *kind.ok_or(Error::Damaged("it ends in the middle"))?;
    let (head, size) = match size {
        0 => (8, left),
        1 => (16, cut.number(8).unwrap_or(0)),
        size => (8, size),
    };
    if size < head || size > left {
        return Err(Error::Damaged("one of its boxes ends in the middle"));
    }
    let body = Span::new(at + head, size - head);
    Ok(Some(Atom { kind, whole: Span::new(at, size), body }))
}

/// Everything that lies in a run of bytes, in its order.
pub(super) fn children(source: &mut Source, of: Span) -> Result<Vec<Atom>, Error> {
    /// As many as any honest box has.
    const MOST: usize = 10_000;
    let (mut found, mut at) = (Vec::new(), of.at);
    while let Some(atom) = next(source, at, of)? {
        at = atom.whole.end();
        if found.len() >= MOST {
            return Err(Error::Damaged("it is cut into too many pieces"));
        }
        found.push(atom);
    }
    Ok(found)
}

/// The first box of a kind along a path of boxes.
pub(super) fn find(
    source: &mut Source,
    mut of: Span,
    path: &[&[u8; 4]],
) -> Result<Option<Atom>, Error> {
    let mut found = None;
    for kind in path {
        found = children(source, of)?.into_iter().find(|atom| atom.kind == **kind);
        let Some(atom) = found else { return Ok(None) };
        of = atom.body;
    }
    Ok(found)
}

/// Makes a box one that says nothing. What follows it stays where it is.
pub(super) fn free(atom: &Atom, draft: &mut Draft) -> Result<(), Error> {
    draft.private.put(Span::new(atom.whole.at + 4, 4), *b"free")?;
    draft.private.zero(atom.body)
}

/// What the headers of films and tracks begin with.
pub(super) struct Times {
    /// In seconds since 1904.
    pub created: u64,
    pub timescale: u64,
    /// In ticks; 0 where it is not known.
    pub duration: u64,
}

/// Reads `mvhd` and `mdhd`, and takes out when they were made.
pub(super) fn times(source: &mut Source, atom: &Atom, draft: &mut Draft) -> Result<Times, Error> {
    let bytes = source.read(atom.body.first(32))?;
    let mut cut = Cut(&bytes);
    let wide = if is_wide(&mut cut) { 8 } else { 4 };
    let created = cut.number(wide).unwrap_or(0);
    cut.take(wide);
    let timescale = cut.number(4).unwrap_or(0);
    let duration = known(cut.number(wide).unwrap_or(0), wide);
    forget_times(atom, wide, draft)?;
    Ok(Times { created, timescale, duration })
}

/// Takes out when the thing was made and changed.
pub(super) fn forget_times(atom: &Atom, wide: usize, draft: &mut Draft) -> Result<(), Error> {
    draft.private.zero(atom.body.after(4).first(wide as u64 * 2))
}

/// Whether a full box is of the version with long numbers. Moves past version and flags.
pub(super) fn is_wide(cut: &mut Cut<'_>) -> bool {
    cut.number(4).is_some_and(|full| full >> 24 == 1)
}

/// All bits set mean that nobody knows.
fn known(duration: u64, wide: usize) -> u64 {
    let nobody_knows = if wide == 8 { u64::MAX } else { u64::from(u32::MAX) };
    if duration == nobody_knows { 0 } else { duration }
}
