//! `trak`: what one track is, and how it is to be seen.

use super::super::Error;
use super::super::probe::{Draft, Track};
use super::super::source::{Cut, Source};
use super::boxes::{self, Atom};
use super::{Film, TrackFacts, codecs, words};

/// What is gathered from the boxes of a track.
#[derive(Default)]
struct Seen {
    id: u64,
    /// As it is to be shown, before it is turned.
    shown: (u32, u32),
    is_sideways: bool,
    handler: [u8; 4],
    timescale: u64,
    duration: u64,
    samples: u64,
}

pub(super) fn read(
    source: &mut Source,
    trak: &Atom,
    draft: &mut Draft,
    film: &mut Film,
) -> Result<(), Error> {
    draft.add_track()?;
    let (mut seen, mut track) = (Seen::default(), Track::default());
    let mut table = None;
    for atom in boxes::children(source, trak.body)? {
        match &atom.kind {
            b"tkhd" => seen.header(source, &atom, draft)?,
            b"mdia" => table = seen.media(source, &atom, draft, &mut track)?,
            b"udta" => words::user_data(source, atom.body, draft)?,
            b"meta" | b"XMP_" => boxes::free(&atom, draft)?,
            _ => {}
        }
    }
    let is_private = matches!(&seen.handler, b"meta" | b"camm" | b"gpmd");
    film.tracks.push(TrackFacts {
        id: seen.id,
        timescale: seen.timescale.max(1),
        sample_duration: 0,
        end: 0,
        private: table.filter(|_| is_private).map(|table| table.body),
    });
    match &seen.handler {
        b"vide" => draft.see(seen.film(track)),
        b"soun" => draft.hear(track),
        _ if is_private => boxes::free(trak, draft)?,
        _ => {}
    }
    Ok(())
}

impl Seen {
    /// `tkhd`: size and direction.
    fn header(&mut self, source: &mut Source, atom: &Atom, draft: &mut Draft) -> Result<(), Error> {
        let bytes = source.read(atom.body.first(96))?;
        let mut cut = Cut(&bytes);
        let wide = if boxes::is_wide(&mut cut) { 8 } else { 4 };
        cut.take(wide * 2);
        self.id = cut.number(4).unwrap_or(0);
        // Reserved, duration, reserved, layer, group, volume, reserved.
        cut.take(4 + wide + 8 + 8);
        let mut matrix = [0u32; 9];
        matrix.iter_mut().for_each(|cell| *cell = cut.count(4).unwrap_or(0));
        // Width and height change places where each comes from the other.
        self.is_sideways = matrix[0] == 0 && matrix[4] == 0 && matrix[1] != 0 && matrix[3] != 0;
        let mut side = || cut.count(4).map_or(0, |fixed| fixed.saturating_add(0x8000) >> 16);
        self.shown = (side(), side());
        boxes::forget_times(atom, wide, draft)
    }

    /// `mdia`: what it is made of. Returns the box that lists the samples.
    fn media(
        &mut self,
        source: &mut Source,
        mdia: &Atom,
        draft: &mut Draft,
        track: &mut Track,
    ) -> Result<Option<Atom>, Error> {
        for atom in boxes::children(source, mdia.body)? {
            match &atom.kind {
                b"mdhd" => {
                    let times = boxes::times(source, &atom, draft)?;
                    (self.timescale, self.duration) = (times.timescale, times.duration);
                }
                b"hdlr" => {
                    let bytes = source.read(atom.body.first(12))?;
                    let handler = bytes.get(8..12).and_then(|kind| kind.first_chunk());
                    self.handler = handler.copied().unwrap_or_default();
                    // A name that the writer gave the track may name the writer.
                }
                _ => {}
            }
        }
        let table = boxes::find(source, mdia.body, &[b"minf", b"stbl"])?;
        if let Some(table) = table {
            for atom in boxes::children(source, table.body)? {
                match &atom.kind {
                    b"stsd" => codecs::read(source, &atom, &self.handler, track)?,
                    b"stsz" | b"stz2" => {
                        let bytes = source.read(atom.body.first(12))?;
                        self.samples = bytes.get(8..12).and_then(|n| Cut(n).number(4)).unwrap_or(0);
                    }
                    _ => {}
                }
            }
        }
        Ok(table)
    }

    /// The track as a viewer sees it.
    fn film(&self, track: Track) -> Track {
        let (width, height) =
            if self.shown.0 > 0 && self.shown.1 > 0 { self.shown } else { track.size };
        let size = if self.is_sideways { (height, width) } else { (width, height) };
        let seconds = self.duration as f64 / self.timescale.max(1) as f64;
        let rate = (seconds > 0.0 && self.samples > 0).then(|| self.samples as f64 / seconds);
        Track { size, frame_rate: rate, ..track }
    }
}
