//! Matroska and WebM (RFC 9559): headers, and the times of pieces where the header does not say
//! how long it all is. Pictures and sounds themselves are never read.

use super::ebml::{self, Element};
use super::probe::{Draft, Track};
use super::source::{MAX_BLOCK, Source, Span};
use super::told::Word;
use super::{Container, Error};

const HEADER: u32 = 0x1a45_dfa3;
const DOC_TYPE: u32 = 0x4282;
const SEGMENT: u32 = 0x1853_8067;
const INFO: u32 = 0x1549_a966;
const TRACKS: u32 = 0x1654_ae6b;
const CLUSTER: u32 = 0x1f43_b675;
const TAGS: u32 = 0x1254_c367;
const ATTACHMENTS: u32 = 0x1941_a469;
const SEEK_HEAD: u32 = 0x114d_9b74;
const CUES: u32 = 0x1c53_bb6b;
const CHAPTERS: u32 = 0x1043_a770;

/// What may follow a piece whose length is not told.
const TOP: [u32; 8] = [INFO, TRACKS, CLUSTER, TAGS, ATTACHMENTS, SEEK_HEAD, CUES, CHAPTERS];

/// Inside [`INFO`]: when it was made, and what other files belong to it by name.
const DATE: u32 = 0x4461;
const TITLE: u32 = 0x7ba9;
const FILE_NAMES: [u32; 3] = [0x7384, 0x3c_83ab, 0x3e_83bb];

/// Seconds from 1970 to 2001, when Matroska's time begins.
const EPOCH_S: i64 = 978_307_200;

pub(super) fn read(source: &mut Source, draft: &mut Draft) -> Result<Container, Error> {
    let whole = source.whole();
    let header = ebml::at(source, 0, whole)?;
    let mut container = None;
    for element in ebml::children(source, header.body.first(4096))? {
        if header.id == HEADER && element.id == DOC_TYPE {
            container = match element.text(source)?.trim_end_matches('\0') {
                "webm" => Some(Container::Webm),
                "matroska" => Some(Container::Matroska),
                _ => None,
            };
        }
    }
    let container = container.ok_or(Error::Unknown)?;
    let mut next = header.whole.end();
    while next < whole.end() {
        let element = ebml::at(source, next, whole)?;
        next = element.whole.end();
        if element.id == SEGMENT {
            Film::default().read(source, element.body, draft)?;
            return Ok(container);
        }
    }
    Err(Error::Damaged("it ends before it begins"))
}

/// What is known so far.
struct Film {
    /// Nanoseconds of one tick.
    scale: u64,
    /// In ticks.
    duration: Option<f64>,
    /// The last moment of which a piece is, in ticks.
    last: u64,
}

impl Default for Film {
    fn default() -> Self {
        Self { scale: 1_000_000, duration: None, last: 0 }
    }
}

impl Film {
    fn read(mut self, source: &mut Source, of: Span, draft: &mut Draft) -> Result<(), Error> {
        let mut next = of.at;
        while next < of.end() {
            let element = ebml::at(source, next, of)?;
            next = element.whole.end();
            match element.id {
                INFO => self.info(source, &element, draft)?,
                TRACKS => tracks(source, &element, draft)?,
                TAGS => {
                    tags(source, element.body, draft)?;
                    blank(&element, draft)?;
                }
                ATTACHMENTS => {
                    attachments(source, element.body, draft)?;
                    blank(&element, draft)?;
                }
                CLUSTER => next = self.cluster(source, &element)?,
                _ => {}
            }
        }
        let ticks = self.duration.unwrap_or(self.last as f64);
        draft.duration_ms = Some((ticks * self.scale as f64 / 1e6) as u64).filter(|ms| *ms > 0);
        Ok(())
    }

    fn info(&mut self, source: &mut Source, of: &Element, draft: &mut Draft) -> Result<(), Error> {
        let inside = ebml::children(source, of.body)?;
        for element in &inside {
            match element.id {
                0x2a_d7b1 => self.scale = element.number(source)?.max(1),
                0x4489 => self.duration = element.float(source)?.filter(|ticks| *ticks > 0.0),
                TITLE => draft.told.hear(Word::Title, &element.text(source)?),
                0x5741 => draft.told.hear(Word::Software, &element.text(source)?),
                DATE => {
                    let since = element.number(source)?.cast_signed() / 1_000_000_000;
                    draft.told.hear_time(since.saturating_add(EPOCH_S));
                }
                _ => {}
            }
            if element.id == DATE || FILE_NAMES.contains(&element.id) {
                blank(element, draft)?;
            }
        }
        // It would be wrong now. Of other parents nothing changes but the whole.
        inside.iter().filter(|e| ebml::is_checksum(e)).try_for_each(|e| blank(e, draft))
    }

    /// Reads times, where nothing else says how long it is. Returns where the next piece begins.
    fn cluster(&mut self, source: &mut Source, of: &Element) -> Result<u64, Error> {
        if self.duration.is_some() && !of.is_open {
            return Ok(of.whole.end());
        }
        let (mut next, mut began) = (of.body.at, 0);
        while next < of.body.end() {
            let element = ebml::at(source, next, of.body)?;
            if of.is_open && TOP.contains(&element.id) {
                break;
            }
            next = element.whole.end();
            match element.id {
                0xe7 => began = element.number(source)?,
                // A block, alone or with its duration: tracks, and the time since the piece began.
                0xa3 => self.hear_block(source, element.body, began)?,
                0xa0 => {
                    for inner in ebml::children(source, element.body)? {
                        if inner.id == 0xa1 {
                            self.hear_block(source, inner.body, began)?;
                        }
                    }
                }
                _ => {}
            }
        }
        self.last = self.last.max(began);
        Ok(next)
    }

    fn hear_block(&mut self, source: &mut Source, body: Span, began: u64) -> Result<(), Error> {
        let head = source.read(body.first(12))?;
        let number_len = head.first().map_or(8, |byte| byte.leading_zeros() as usize + 1);
        if let Some(&[high, low]) = head.get(number_len..number_len + 2) {
            let after = u64::try_from(i16::from_be_bytes([high, low])).unwrap_or(0);
            self.last = self.last.max(began.saturating_add(after));
        }
        Ok(())
    }
}

/// Puts nothing in place of an element.
fn blank(element: &Element, draft: &mut Draft) -> Result<(), Error> {
    match ebml::void(element.whole.len) {
        Some(void) => draft.private.put(element.whole, void),
        None => Err(Error::Damaged("one of its elements makes no sense")),
    }
}

fn tracks(source: &mut Source, of: &Element, draft: &mut Draft) -> Result<(), Error> {
    for entry in ebml::children(source, of.body)? {
        if entry.id != 0xae {
            continue;
        }
        draft.add_track()?;
        let (mut kind, mut track, mut frame_ns) = (0, Track::default(), 0);
        for element in ebml::children(source, entry.body)? {
            match element.id {
                0x83 => kind = element.number(source)?,
                0x86 => track.codec = codec(&element.text(source)?),
                0x23_e383 => frame_ns = element.number(source)?,
                0xe0 => picture(source, element.body, &mut track)?,
                0xe1 => sound(source, element.body, &mut track)?,
                _ => {}
            }
        }
        if frame_ns > 0 {
            track.frame_rate = Some(1e9 / frame_ns as f64);
        }
        match kind {
            1 => draft.see(track),
            2 => draft.hear(track),
            _ => {}
        }
    }
    Ok(())
}

fn picture(source: &mut Source, of: Span, track: &mut Track) -> Result<(), Error> {
    let side = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    let (mut shown, mut stored, mut unit, mut roll) = ((0, 0), (0, 0), 0, 0.0);
    for element in ebml::children(source, of)? {
        match element.id {
            0xb0 => stored.0 = side(element.number(source)?),
            0xba => stored.1 = side(element.number(source)?),
            0x54b0 => shown.0 = side(element.number(source)?),
            0x54ba => shown.1 = side(element.number(source)?),
            0x54b2 => unit = element.number(source)?,
            0x7670 => {
                for inner in ebml::children(source, element.body)? {
                    if inner.id == 0x7675 {
                        roll = inner.float(source)?.unwrap_or(0.0);
                    }
                }
            }
            _ => {}
        }
    }
    // Other units than pixels give a shape and no size.
    let size = if unit == 0 && shown.0 > 0 && shown.1 > 0 { shown } else { stored };
    let is_sideways = (roll.abs() - 90.0).abs() < 1.0;
    track.size = if is_sideways { (size.1, size.0) } else { size };
    Ok(())
}

fn sound(source: &mut Source, of: Span, track: &mut Track) -> Result<(), Error> {
    track.channels = 1;
    for element in ebml::children(source, of)? {
        match element.id {
            0xb5 => {
                let rate = element.float(source)?.unwrap_or(0.0).clamp(0.0, 1e7);
                track.sample_rate = rate as u32;
            }
            0x9f => track.channels = u32::try_from(element.number(source)?).unwrap_or(u32::MAX),
            _ => {}
        }
    }
    Ok(())
}

/// The usual name of a codec, from its name here.
fn codec(id: &str) -> String {
    let id = id.trim_end_matches('\0');
    let known = [
        ("V_VP8", "vp8"),
        ("V_VP9", "vp9"),
        ("V_AV1", "av1"),
        ("V_MPEG4/ISO/AVC", "h264"),
        ("V_MPEGH/ISO/HEVC", "hevc"),
        ("V_MPEG4", "mpeg4"),
        ("V_MPEG2", "mpeg2"),
        ("V_THEORA", "theora"),
        ("V_MJPEG", "mjpeg"),
        ("V_PRORES", "prores"),
        ("V_FFV1", "ffv1"),
        ("A_OPUS", "opus"),
        ("A_VORBIS", "vorbis"),
        ("A_AAC", "aac"),
        ("A_MPEG/L3", "mp3"),
        ("A_FLAC", "flac"),
        ("A_EAC3", "eac3"),
        ("A_AC3", "ac3"),
        ("A_DTS", "dts"),
        ("A_PCM", "pcm"),
        ("A_ALAC", "alac"),
    ];
    let name = known.iter().find(|(start, _)| id.starts_with(start));
    name.map_or_else(|| super::probe::codec_word(id), |(_, name)| (*name).to_owned())
}

/// Words, each with its name.
fn tags(source: &mut Source, of: Span, draft: &mut Draft) -> Result<(), Error> {
    for tag in ebml::children(source, of)? {
        if tag.id != 0x7373 {
            continue;
        }
        for simple in ebml::children(source, tag.body)? {
            if simple.id != 0x67c8 {
                continue;
            }
            let (mut name, mut text) = (String::new(), String::new());
            for element in ebml::children(source, simple.body)? {
                match element.id {
                    0x45a3 => name = element.text(source)?,
                    0x4487 => text = element.text(source)?,
                    _ => {}
                }
            }
            if let Some(word) = word(&name) {
                draft.told.hear(word, &text);
            }
        }
    }
    Ok(())
}

fn word(name: &str) -> Option<Word> {
    Some(match name.trim_end_matches('\0').to_ascii_uppercase().as_str() {
        "TITLE" => Word::Title,
        "ARTIST" => Word::Artist,
        "ALBUM" => Word::Album,
        "DESCRIPTION" | "SUMMARY" => Word::Description,
        "GENRE" => Word::Genre,
        "COPYRIGHT" => Word::Copyright,
        "DATE_RECORDED" | "CREATION_TIME" => Word::Date,
        "LOCATION" | "RECORDING_LOCATION" => Word::Place,
        _ => return None,
    })
}

/// A picture that comes along is the cover.
fn attachments(source: &mut Source, of: Span, draft: &mut Draft) -> Result<(), Error> {
    for file in ebml::children(source, of)? {
        let (mut is_picture, mut data) = (false, None);
        for element in ebml::children(source, file.body)? {
            match element.id {
                0x4660 => is_picture = element.text(source)?.starts_with("image/"),
                0x465c if element.body.len <= MAX_BLOCK => data = Some(element.body),
                _ => {}
            }
        }
        if let Some(data) = data.filter(|_| is_picture) {
            let bytes = source.read(data)?;
            draft.cover_of(&bytes, None);
        }
    }
    Ok(())
}
