//! WAV: chunks of RIFF, of which one is the sound.

use super::probe::{Draft, Track};
use super::source::{Cut, Source, Span};
use super::told::Word;
use super::{Container, Error, id3};

/// Chunks that stay: what the sound is, the sound, and how loops and markers lie in it.
const KEPT: &[&[u8; 4]] = &[b"fmt ", b"data", b"fact", b"cue ", b"smpl", b"JUNK", b"PAD ", b"FLLR"];

/// What stays of a list of words, and what it means.
const WORDS: &[(&[u8; 4], Option<Word>)] = &[
    (b"INAM", Some(Word::Title)),
    (b"IART", Some(Word::Artist)),
    (b"IPRD", Some(Word::Album)),
    (b"IGNR", Some(Word::Genre)),
    (b"ICOP", Some(Word::Copyright)),
    (b"ITRK", None),
    (b"IPRT", None),
    (b"ICRD", None),
    (b"JUNK", None),
];

/// A chunk that says nothing.
const NOTHING: [u8; 4] = *b"JUNK";

struct Chunk {
    id: [u8; 4],
    at: u64,
    body: Span,
}

/// The chunks in a run of bytes. The last one may be cut off: programs that record cannot tell
/// beforehand how long it will be.
fn chunks(source: &mut Source, of: Span) -> Result<Vec<Chunk>, Error> {
    const MOST: usize = 10_000;
    let (mut found, mut at) = (Vec::new(), of.at);
    while at.saturating_add(8) <= of.end() {
        let head = source.read(Span::new(at, 8))?;
        let mut cut = Cut(&head);
        let id = *cut.take(4).and_then(|id| id.first_chunk()).unwrap_or(&NOTHING);
        let left = of.end() - at - 8;
        let body = Span::new(at + 8, cut.little(4).unwrap_or(0).min(left));
        if found.len() >= MOST {
            return Err(Error::Damaged("it is cut into too many pieces"));
        }
        found.push(Chunk { id, at, body });
        at = body.end().saturating_add(body.len & 1);
    }
    Ok(found)
}

pub(super) fn read(source: &mut Source, draft: &mut Draft) -> Result<Container, Error> {
    let (mut bytes_s, mut data) = (0, None);
    for chunk in chunks(source, source.whole().after(12))? {
        match &chunk.id {
            b"fmt " => {
                let bytes = source.read(chunk.body.first(16))?;
                let mut cut = Cut(&bytes);
                let mut fact = |len| cut.little(len).and_then(|n| u32::try_from(n).ok());
                let (format, channels, rate) = (fact(2), fact(2), fact(4));
                bytes_s = fact(4).unwrap_or(0);
                let codec = codec(format.unwrap_or(0)).to_owned();
                let (channels, sample_rate) = (channels.unwrap_or(0), rate.unwrap_or(0));
                draft.hear(Track { codec, channels, sample_rate, ..Track::default() });
            }
            b"data" => data = data.or(Some(chunk.body.len)),
            b"LIST" => list(source, &chunk, draft)?,
            b"id3 " | b"ID3 " => tag(source, &chunk, draft)?,
            id if KEPT.contains(&id) => {}
            _ => forget(&chunk, draft)?,
        }
    }
    let (Some(data), true) = (data, bytes_s > 0) else {
        return Err(Error::Damaged("there is no sound in it"));
    };
    draft.duration_ms = Some(data.saturating_mul(1000) / u64::from(bytes_s));
    draft.add_track()?;
    Ok(Container::Wav)
}

/// The usual name of an encoding, by its number.
fn codec(format: u32) -> &'static str {
    match format {
        1 | 3 | 0xfffe => "pcm",
        2 | 0x11 => "adpcm",
        6 => "alaw",
        7 => "mulaw",
        0x50 | 0x55 => "mp3",
        _ => "unknown",
    }
}

fn forget(chunk: &Chunk, draft: &mut Draft) -> Result<(), Error> {
    draft.private.put(Span::new(chunk.at, 4), NOTHING)?;
    draft.private.zero(chunk.body)
}

/// A list of words, or of something else, of which nothing stays.
fn list(source: &mut Source, chunk: &Chunk, draft: &mut Draft) -> Result<(), Error> {
    if source.read(chunk.body.first(4))? != b"INFO" {
        return forget(chunk, draft);
    }
    for item in chunks(source, chunk.body.after(4))? {
        let known = WORDS.iter().find(|(id, _)| **id == item.id);
        match known {
            Some((_, Some(word))) => {
                let bytes = source.read(item.body.first(16 * 1024))?;
                draft.told.hear(*word, &String::from_utf8_lossy(&bytes));
            }
            Some((_, None)) => {}
            None => {
                if &item.id == b"ISFT" {
                    let bytes = source.read(item.body.first(1024))?;
                    draft.told.hear(Word::Software, &String::from_utf8_lossy(&bytes));
                }
                forget(&item, draft)?;
            }
        }
    }
    Ok(())
}

/// A tag as MP3 has it, which is how covers come into these files.
fn tag(source: &mut Source, chunk: &Chunk, draft: &mut Draft) -> Result<(), Error> {
    match id3::length(source, chunk.body.at)? {
        Some(len) if len <= chunk.body.len => {
            id3::read(source, Span::new(chunk.body.at, len), draft)?;
            draft.private.zero(chunk.body.after(len))
        }
        _ => forget(chunk, draft),
    }
}
