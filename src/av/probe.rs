//! Looks at a file: which container it is, what is in it, and whether that is within the limits.
//! The gate before everything else: what passes here is complete and of a kind that is taken.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::source::{MAX_BLOCK, Source, Span};
use super::strip::Patches;
use super::{Container, Error, Kind, Told, flac, matroska, mp3, mp4, ogg, wav};

/// What a file may claim at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub max_duration_ms: u64,
    pub max_tracks: u32,
    /// Bits in each second, of all tracks together and on average.
    pub max_bit_rate: u64,
    /// Width × height of a frame.
    pub max_pixels: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_duration_ms: 24 * 3_600_000,
            max_tracks: 32,
            max_bit_rate: 1_000_000_000,
            max_pixels: 8192 * 8192,
        }
    }
}

/// The facts about one file, made by [`probe`] only.
#[derive(Debug, Clone)]
pub struct Probe {
    pub container: Container,
    pub kind: Kind,
    /// Absent where the file does not say, and only playing it would tell.
    pub duration_ms: Option<u64>,
    /// In pixels, as a viewer sees it: turned upright, and with square pixels. Of films only.
    pub width: u32,
    pub height: u32,
    /// Small letters, as in `h264`, `vp9` or `aac`.
    pub video_codec: Option<String>,
    pub audio_codec: Option<String>,
    /// In a second, on average.
    pub frame_rate: Option<f64>,
    /// Bits in each second, of all tracks together and on average.
    pub bit_rate: Option<u64>,
    pub channels: u32,
    /// In Hertz; 0 where there is no sound, or its header does not say.
    pub sample_rate: u32,
    pub tracks: u32,
    pub told: Told,
    cover: Option<Cover>,
    private: Patches,
    bytes: u64,
}

/// A picture that the file brings along.
#[derive(Debug, Clone)]
struct Cover {
    /// The picture, where it does not lie in the file as it is.
    bytes: Option<Vec<u8>>,
    /// Where it lies in the public file; nowhere, if it is taken out of that.
    place: Option<Span>,
}

/// One track, as far as it is of interest.
#[derive(Debug, Clone, Default)]
pub(super) struct Track {
    pub codec: String,
    /// As a viewer sees it.
    pub size: (u32, u32),
    pub frame_rate: Option<f64>,
    pub channels: u32,
    pub sample_rate: u32,
}

/// What is found out so far.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub duration_ms: Option<u64>,
    pub told: Told,
    /// What public bytes must not tell.
    pub private: Patches,
    tracks: u32,
    video: Option<Track>,
    audio: Option<Track>,
    cover: Option<Cover>,
    /// The film in it, if there is one, is only a picture of the sound.
    pub is_sound_only: bool,
}

impl Draft {
    /// Counts a track of any kind.
    pub(super) fn add_track(&mut self) -> Result<(), Error> {
        /// However high the limit is.
        const MOST: u32 = 1_000;
        self.tracks += 1;
        if self.tracks > MOST {
            return Err(Error::TooManyTracks { tracks: self.tracks, allowed: MOST });
        }
        Ok(())
    }

    /// Takes down a track of pictures; the first one counts.
    pub(super) fn see(&mut self, track: Track) {
        self.video.get_or_insert(track);
    }

    /// Takes down a track of sound; the first one counts.
    pub(super) fn hear(&mut self, track: Track) {
        self.audio.get_or_insert(track);
    }

    /// Takes down where a picture lies, before and after. Tells whether it is the first one: no
    /// other stays in the public file, as nobody looks at those.
    pub(super) fn cover_at(&mut self, span: Span) -> bool {
        let is_first = self.cover.is_none() && (1..=MAX_BLOCK).contains(&span.len);
        if is_first {
            self.cover = Some(Cover { bytes: None, place: Some(span) });
        }
        is_first
    }

    /// The same with a picture that lies elsewhere in the public file, or not at all.
    pub(super) fn cover_of(&mut self, bytes: &[u8], place: Option<Span>) -> bool {
        let is_first = self.cover.is_none() && !bytes.is_empty();
        if is_first {
            self.cover = Some(Cover { bytes: Some(bytes.to_vec()), place });
        }
        is_first
    }

    fn finish(self, container: Container, bytes: u64, limits: &Limits) -> Result<Probe, Error> {
        let video = self.video.filter(|_| !self.is_sound_only);
        let kind = if video.is_some() { Kind::Video } else { Kind::Audio };
        if video.is_none() && self.audio.is_none() {
            return Err(Error::Damaged("there is neither a film nor sound in it"));
        }
        let (width, height) = video.as_ref().map_or((0, 0), |track| track.size);
        if kind == Kind::Video && (width == 0 || height == 0) {
            return Err(Error::Damaged("its film has no width or no height"));
        }
        let bits = bytes.saturating_mul(8).saturating_mul(1000);
        let sound = |fact: fn(&Track) -> u32| self.audio.as_ref().map_or(0, fact);
        let probe = Probe {
            container,
            kind,
            duration_ms: self.duration_ms,
            width,
            height,
            frame_rate: video.as_ref().and_then(|track| track.frame_rate).filter(is_rate),
            channels: sound(|track| track.channels),
            sample_rate: sound(|track| track.sample_rate),
            video_codec: video.map(|track| track.codec),
            audio_codec: self.audio.map(|track| track.codec),
            bit_rate: self.duration_ms.filter(|ms| *ms > 0).map(|ms| bits / ms),
            tracks: self.tracks,
            told: self.told,
            cover: self.cover,
            private: self.private,
            bytes,
        };
        probe.check(limits)?;
        Ok(probe)
    }
}

/// Whether anything is shown so often in a second.
fn is_rate(rate: &f64) -> bool {
    (0.01..=1_000.0).contains(rate)
}

/// The most pixels along one side: what any codec of today can have.
const MAX_SIDE: u32 = 16_384;

impl Probe {
    fn check(&self, limits: &Limits) -> Result<(), Error> {
        let duration_ms = self.duration_ms.unwrap_or(0);
        if duration_ms > limits.max_duration_ms {
            let (seconds, allowed) = (duration_ms.div_ceil(1000), limits.max_duration_ms / 1000);
            return Err(Error::TooLong { seconds, allowed });
        }
        if self.tracks > limits.max_tracks {
            return Err(Error::TooManyTracks { tracks: self.tracks, allowed: limits.max_tracks });
        }
        // Of a moment there is no average worth the name.
        let bits = self.bit_rate.filter(|_| duration_ms >= 1000).unwrap_or(0);
        if bits > limits.max_bit_rate {
            return Err(Error::TooDense { bits, allowed: limits.max_bit_rate });
        }
        let (width, height) = (self.width, self.height);
        let pixels = u64::from(width) * u64::from(height);
        if pixels > limits.max_pixels || width.max(height) > MAX_SIDE {
            return Err(Error::TooManyPixels { width, height, allowed: limits.max_pixels });
        }
        Ok(())
    }

    /// The registered media type of the file.
    pub fn mime(&self) -> &'static str {
        self.container.mime(self.kind)
    }

    /// The usual file name extension, without the dot.
    pub fn extension(&self) -> &'static str {
        self.container.extension(self.kind)
    }

    /// The bytes of the picture that the file at `path` brings along, if it does. Nobody has looked
    /// yet whether it is one.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn cover(&self, path: &Path) -> Result<Option<Vec<u8>>, Error> {
        let Some(cover) = &self.cover else { return Ok(None) };
        Ok(match (&cover.bytes, cover.place) {
            (Some(bytes), _) => Some(bytes.clone()),
            (None, Some(span)) => Some(Source::open(path)?.read(span)?),
            (None, None) => None,
        })
    }

    /// Puts another picture in place of the one that public bytes have: one that tells less, or
    /// none. One that is longer than what was there is none.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn replace_cover(&self, public: &File, picture: &[u8]) -> Result<(), Error> {
        let Some(place) = self.cover.as_ref().and_then(|cover| cover.place) else { return Ok(()) };
        let mut bytes = vec![0; usize::try_from(place.len).unwrap_or(0)];
        if let Some(start) = bytes.get_mut(..picture.len()) {
            start.copy_from_slice(picture);
        }
        Ok(public.write_all_at(&bytes, place.at)?)
    }

    /// Writes the public bytes of the file at `path` to the end of `to`.
    ///
    /// These are the same pictures and sounds, bit for bit, without what tells about the one who
    /// made them: where and when it was, with what device, and whatever programs keep there for
    /// themselves. Titles, artists and albums stay. Stripping what has been stripped gives the same
    /// bytes again.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Damaged`] if the file is not the one that was probed.
    pub fn strip(&self, path: &Path, to: &mut File) -> Result<(), Error> {
        if std::fs::metadata(path)?.len() != self.bytes {
            return Err(Error::Damaged("it has changed since it was looked at"));
        }
        self.private.write(path, to)
    }
}

/// So many bytes at the start of a file are enough to recognise it.
const HEAD: u64 = 4096;

/// Reads the headers of a file.
///
/// # Errors
/// [`Error::Unknown`] and [`Error::Unsupported`] by content; all others say what is wrong with a
/// file of a known kind.
pub fn probe(path: &Path, limits: &Limits) -> Result<Probe, Error> {
    let mut source = Source::open(path)?;
    let head = source.peek(0, HEAD)?;
    let mut draft = Draft::default();
    let container = match family(&head).ok_or(Error::Unknown)? {
        Family::Boxes => mp4::read(&mut source, &mut draft)?,
        Family::Matroska => matroska::read(&mut source, &mut draft)?,
        Family::Ogg => ogg::read(&mut source, &mut draft)?,
        Family::Flac => flac::read(&mut source, &mut draft)?,
        Family::Wave => wav::read(&mut source, &mut draft)?,
        Family::Mp3 => mp3::read(&mut source, &mut draft)?,
    };
    draft.finish(container, source.len(), limits)
}

/// Whether a file that begins so might be a film or a recording.
pub fn begins(head: &[u8]) -> bool {
    family(head).is_some()
}

enum Family {
    Boxes,
    Matroska,
    Ogg,
    Flac,
    Wave,
    Mp3,
}

fn family(head: &[u8]) -> Option<Family> {
    Some(match head {
        _ if mp4::begins(head) => Family::Boxes,
        [0x1a, 0x45, 0xdf, 0xa3, ..] => Family::Matroska,
        [b'O', b'g', b'g', b'S', ..] => Family::Ogg,
        [b'f', b'L', b'a', b'C', ..] => Family::Flac,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => Family::Wave,
        _ if mp3::begins(head) => Family::Mp3,
        _ => return None,
    })
}

/// A codec by the name that its container has for it, where there is no better one.
pub(super) fn codec_word(name: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric();
    let word: String = name.chars().filter(plain).take(16).collect();
    if word.is_empty() { "unknown".to_owned() } else { word.to_ascii_lowercase() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(track: Option<Track>, bytes: u64, limits: &Limits) -> Result<Probe, Error> {
        let mut draft = Draft { duration_ms: Some(2_000), ..Draft::default() };
        draft.add_track()?;
        track.into_iter().for_each(|track| draft.see(track));
        draft.finish(Container::Mp4, bytes, limits)
    }

    #[test]
    fn limits_are_kept() {
        let film = || Some(Track { size: (640, 480), ..Track::default() });
        let limits = Limits {
            max_duration_ms: 2_000,
            max_tracks: 1,
            max_bit_rate: 4_000,
            max_pixels: 640 * 480,
        };
        let ok = found(film(), 1_000, &limits).unwrap();
        assert_eq!((ok.bit_rate, ok.kind), (Some(4_000), Kind::Video));
        let short = Limits { max_duration_ms: 1_999, ..limits };
        assert!(matches!(found(film(), 1_000, &short), Err(Error::TooLong { .. })));
        let few = Limits { max_tracks: 0, ..limits };
        assert!(matches!(found(film(), 1_000, &few), Err(Error::TooManyTracks { .. })));
        assert!(matches!(found(film(), 1_001, &limits), Err(Error::TooDense { .. })));
        let small = Limits { max_pixels: 640 * 480 - 1, ..limits };
        assert!(matches!(found(film(), 1_000, &small), Err(Error::TooManyPixels { .. })));
        let flat = Some(Track { size: (640, 0), ..Track::default() });
        assert!(matches!(found(flat, 1_000, &limits), Err(Error::Damaged(_))));
        assert!(matches!(found(None, 1_000, &limits), Err(Error::Damaged(_))));
    }

    #[test]
    fn codecs_without_a_name_are_still_named() {
        assert_eq!(codec_word("V_UNCOMPRESSED"), "vuncompressed");
        assert_eq!(codec_word("\0\u{1b}<>"), "unknown");
    }
}
