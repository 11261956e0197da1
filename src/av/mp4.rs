//! MP4 and its relatives (ISO/IEC 14496-12, QuickTime): the boxes around films and sounds. Tables
//! of samples are passed over, except where a track is private and its samples must go.

mod boxes;
mod codecs;
mod fragments;
mod places;
mod track;
mod words;

use super::probe::Draft;
use super::source::{Source, Span};
use super::{Container, Error};
use boxes::Atom;

/// Seconds from 1904, when the time of these files begins, to 1970.
const EPOCH_S: u64 = 2_082_844_800;

/// Brands of files that are built the same way and are pictures.
const PICTURES: &[&[u8; 4]] = &[
    b"mif1", b"msf1", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"avif", b"avis",
    b"crx ", b"jxl ", b"miaf",
];

/// Whether a file that begins so is one of these.
pub(super) fn begins(head: &[u8]) -> bool {
    match (head.get(4..8), head.get(8..12)) {
        (Some(b"ftyp"), Some(brand)) => !PICTURES.iter().any(|picture| *picture == brand),
        // Old films of QuickTime begin with whatever comes first.
        (Some(b"moov" | b"wide"), _) => true,
        (Some(b"mdat"), _) => head.starts_with(&[0, 0]),
        _ => false,
    }
}

pub(super) fn read(source: &mut Source, draft: &mut Draft) -> Result<Container, Error> {
    let mut film = Film::default();
    let whole = source.whole();
    let mut next = 0;
    let mut count = 0;
    while let Some(atom) = boxes::next(source, next, whole)? {
        next = atom.whole.end();
        count += 1;
        // A day of film in pieces of a second.
        if count > 100_000 {
            return Err(Error::Damaged("it is cut into too many pieces"));
        }
        match &atom.kind {
            b"ftyp" => film.brand = source.read(atom.body.first(4))?,
            b"moov" if film.timescale == 0 => film.read(source, &atom, draft)?,
            b"moof" => fragments::read(source, &atom, &mut film)?,
            // Whatever is behind a number is nobody's business: places, and the notes of cameras.
            b"uuid" | b"udta" | b"meta" => boxes::free(&atom, draft)?,
            _ => {}
        }
    }
    if film.timescale == 0 {
        return Err(Error::Damaged("its table of contents is missing"));
    }
    film.hide(source, draft)?;
    draft.duration_ms = film.duration_ms();
    draft.is_sound_only = matches!(&*film.brand, b"M4A " | b"M4B " | b"M4P ");
    Ok(match &*film.brand {
        [b'3', b'g', ..] => Container::ThreeGp,
        b"qt  " | b"" => Container::Mov,
        _ => Container::Mp4,
    })
}

/// What is known of the whole.
#[derive(Default)]
struct Film {
    brand: Vec<u8>,
    /// Ticks of a second; 0 as long as nothing is known.
    timescale: u64,
    /// In ticks.
    duration: u64,
    tracks: Vec<TrackFacts>,
}

/// What is known of a track for the sake of the whole.
struct TrackFacts {
    id: u64,
    /// Ticks of a second of this track.
    timescale: u64,
    /// In those ticks: of a sample that does not say.
    sample_duration: u64,
    /// In those ticks: where its last fragment ends.
    end: u64,
    /// Where its samples are listed, if nobody must see them.
    private: Option<Span>,
}

impl Film {
    fn read(&mut self, source: &mut Source, moov: &Atom, draft: &mut Draft) -> Result<(), Error> {
        for atom in boxes::children(source, moov.body)? {
            match &atom.kind {
                b"mvhd" => self.header(source, &atom, draft)?,
                b"trak" => track::read(source, &atom, draft, self)?,
                b"udta" => words::user_data(source, atom.body, draft)?,
                b"meta" => {
                    words::keys(source, &atom, draft)?;
                    boxes::free(&atom, draft)?;
                }
                b"mvex" => self.fragmented(source, &atom)?,
                b"uuid" | b"XMP_" => boxes::free(&atom, draft)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// `mvhd`: how long it all is, and when it was made.
    fn header(&mut self, source: &mut Source, atom: &Atom, draft: &mut Draft) -> Result<(), Error> {
        let times = boxes::times(source, atom, draft)?;
        (self.timescale, self.duration) = (times.timescale.max(1), times.duration);
        if let Some(seconds) = times.created.checked_sub(EPOCH_S) {
            draft.told.hear_time(i64::try_from(seconds).unwrap_or(0));
        }
        Ok(())
    }

    /// `mvex`: how long the fragments are together, and what counts where they do not say.
    fn fragmented(&mut self, source: &mut Source, mvex: &Atom) -> Result<(), Error> {
        for atom in boxes::children(source, mvex.body)? {
            let bytes = source.read(atom.body.first(32))?;
            let mut cut = super::source::Cut(&bytes);
            let version = cut.number(4).map_or(0, |full| full >> 24);
            match &atom.kind {
                b"mehd" => {
                    let long = cut.number(if version == 1 { 8 } else { 4 }).unwrap_or(0);
                    self.duration = self.duration.max(long);
                }
                b"trex" => {
                    let (id, duration) =
                        (cut.number(4).unwrap_or(0), cut.number(8).unwrap_or(0) & 0xffff_ffff);
                    let track = self.tracks.iter_mut().find(|track| track.id == id);
                    track.into_iter().for_each(|track| track.sample_duration = duration);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn duration_ms(&self) -> Option<u64> {
        let ms = |ticks: u64, scale: u64| {
            u64::try_from(u128::from(ticks) * 1000 / u128::from(scale.max(1))).unwrap_or(u64::MAX)
        };
        let fragments = self.tracks.iter().map(|track| ms(track.end, track.timescale)).max();
        let whole = ms(self.duration, self.timescale).max(fragments.unwrap_or(0));
        Some(whole).filter(|ms| *ms > 0)
    }

    /// Empties the samples of tracks that tell where the camera was.
    fn hide(&self, source: &mut Source, draft: &mut Draft) -> Result<(), Error> {
        let private = self.tracks.iter().filter_map(|track| track.private);
        private.into_iter().try_for_each(|table| {
            let places = places::samples(source, table)?;
            places.into_iter().try_for_each(|span| draft.private.zero(span))
        })
    }
}
