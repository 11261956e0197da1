//! `moof`: a piece of a film that was written while it was made. Of interest is where it ends.

use super::super::Error;
use super::super::source::{Cut, Source, Span};
use super::boxes::{self, Atom};
use super::{Film, TrackFacts};

pub(super) fn read(source: &mut Source, moof: &Atom, film: &mut Film) -> Result<(), Error> {
    for traf in boxes::children(source, moof.body)? {
        if &traf.kind == b"traf" {
            track(source, &traf, film)?;
        }
    }
    Ok(())
}

fn track(source: &mut Source, traf: &Atom, film: &mut Film) -> Result<(), Error> {
    let (mut track, mut each, mut at): (Option<&mut TrackFacts>, u64, Option<u64>) =
        (None, 0, None);
    let tracks = &mut film.tracks;
    let mut long = 0u64;
    for atom in boxes::children(source, traf.body)? {
        match &atom.kind {
            b"tfhd" if track.is_none() => {
                let bytes = source.read(atom.body.first(40))?;
                let mut cut = Cut(&bytes);
                let flags = cut.number(4).unwrap_or(0);
                let id = cut.number(4).unwrap_or(0);
                track = tracks.iter_mut().find(|track| track.id == id);
                each = track.as_ref().map_or(0, |track| track.sample_duration);
                cut.take(if flags & 1 != 0 { 8 } else { 0 });
                cut.take(if flags & 2 != 0 { 4 } else { 0 });
                if flags & 8 != 0 {
                    each = cut.number(4).unwrap_or(0);
                }
            }
            b"tfdt" => {
                let bytes = source.read(atom.body.first(12))?;
                let mut cut = Cut(&bytes);
                let wide = if boxes::is_wide(&mut cut) { 8 } else { 4 };
                at = cut.number(wide);
            }
            b"trun" => long = long.saturating_add(run(source, atom.body, each)?),
            _ => {}
        }
    }
    if let Some(track) = track {
        track.end = track.end.max(at.unwrap_or(track.end).saturating_add(long));
    }
    Ok(())
}

/// How long one run of samples is.
fn run(source: &mut Source, body: Span, each: u64) -> Result<u64, Error> {
    let head = source.read(body.first(16))?;
    let mut cut = Cut(&head);
    let (flags, count) = (cut.number(4).unwrap_or(0), cut.number(4).unwrap_or(0));
    if flags & 0x100 == 0 {
        return Ok(count.saturating_mul(each));
    }
    let skipped = 8 + if flags & 1 != 0 { 4 } else { 0 } + if flags & 4 != 0 { 4 } else { 0 };
    // Duration, size, flags and offset of each sample, as far as they are there.
    let words = [0x100, 0x200, 0x400, 0x800].iter().filter(|word| flags & **word != 0).count();
    let table = source.read(body.after(skipped))?;
    let samples = table.chunks_exact(words * 4).take(usize::try_from(count).unwrap_or(usize::MAX));
    Ok(samples.fold(0, |sum, sample| sum.saturating_add(Cut(sample).number(4).unwrap_or(0))))
}
