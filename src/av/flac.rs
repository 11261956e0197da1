//! FLAC (RFC 9639): blocks of facts in front of the sound.

use super::probe::{Draft, Track};
use super::source::{Cut, Source, Span};
use super::{Container, Error, vorbis};

const STREAM: u8 = 0;
const PADDING: u8 = 1;
const SEEK_TABLE: u8 = 3;
const COMMENTS: u8 = 4;
const CUE_SHEET: u8 = 5;
const PICTURE: u8 = 6;

/// As many blocks as any honest file has.
const MOST: u32 = 1_000;

pub(super) fn read(source: &mut Source, draft: &mut Draft) -> Result<Container, Error> {
    let mut at = 4;
    for _ in 0..MOST {
        let head = source.read(Span::new(at, 4))?;
        let mut cut = Cut(&head);
        let first = cut.number(1).unwrap_or(0) as u8;
        let body = Span::new(at + 4, cut.number(3).unwrap_or(0));
        block(source, first, body, draft)?;
        at = body.end();
        if first & 0x80 != 0 {
            draft.add_track()?;
            return Ok(Container::Flac);
        }
    }
    Err(Error::Damaged("it is cut into too many pieces"))
}

fn block(source: &mut Source, first: u8, body: Span, draft: &mut Draft) -> Result<(), Error> {
    match first & 0x7f {
        STREAM => {
            let (track, duration_ms) = stream(&source.read(body.first(34))?)
                .ok_or(Error::Damaged("there is no sound in it"))?;
            draft.duration_ms = duration_ms;
            draft.hear(track);
        }
        COMMENTS => {
            let mut list = source.read(body)?;
            vorbis::read(&mut list, draft);
            draft.private.put(body, list)?;
        }
        PICTURE => {
            let bytes = source.read(body)?;
            let place = vorbis::picture(&bytes)
                .map(|place| Span::new(body.at + place.start as u64, place.len() as u64));
            if !place.is_some_and(|place| draft.cover_at(place)) {
                forget(first, body, draft)?;
            }
        }
        PADDING | SEEK_TABLE | CUE_SHEET => {}
        _ => forget(first, body, draft)?,
    }
    Ok(())
}

/// What programs keep for themselves becomes room to spare.
fn forget(first: u8, body: Span, draft: &mut Draft) -> Result<(), Error> {
    draft.private.put(Span::new(body.at - 4, 1), [first & 0x80 | PADDING])?;
    draft.private.zero(body)
}

/// The facts in `STREAMINFO`, and how long it plays.
pub(super) fn stream(bytes: &[u8]) -> Option<(Track, Option<u64>)> {
    let mut cut = Cut(bytes);
    cut.take(10)?;
    // 20 bits of samples in a second, 3 of channels, 5 of depth and 36 of samples in all.
    let packed = cut.number(8)?;
    let rate = packed >> 44;
    let samples = packed & 0xf_ffff_ffff;
    let track = Track {
        codec: "flac".to_owned(),
        channels: (packed >> 41 & 7) as u32 + 1,
        sample_rate: rate as u32,
        ..Track::default()
    };
    let ms = (samples > 0 && rate > 0).then(|| samples * 1000 / rate);
    (rate > 0).then_some((track, ms))
}
