//! Film and sound: what a file is, what it says about itself, which of its bytes are private, and
//! what `ffmpeg` makes of it where there is one. Knows no tenant, no HTTP and no SQL.
//!
//! [`probe`] comes first and reads containers with code of this room alone, within bounds: nothing
//! is decoded and no other program is needed for it. It also finds out which bytes must change for
//! [`Probe::strip`].

mod ebml;
mod error;
mod ffmpeg;
mod flac;
mod id3;
mod matroska;
mod mp3;
mod mp4;
mod ogg;
mod probe;
mod source;
mod strip;
mod told;
mod vorbis;
mod wav;

pub mod confine;

pub use error::Error;
pub use ffmpeg::{Bounds, Frame, HLS_CODECS, Options, PIECES, Preview, Size, Tool};
pub use probe::{Limits, Probe, begins, probe};
pub use told::{Place, Told};

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Video,
    Audio,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::Audio => "audio",
        }
    }
}

/// The way in which tracks are put together in a file, known by its content and never by a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Container {
    Mp4,
    Mov,
    ThreeGp,
    Webm,
    Matroska,
    Mp3,
    Ogg,
    Flac,
    Wav,
}

impl Container {
    /// The registered media type of a file of this kind.
    pub fn mime(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Self::Mp4, Kind::Video) => "video/mp4",
            (Self::Mp4 | Self::Mov | Self::ThreeGp, Kind::Audio) => "audio/mp4",
            (Self::Mov, Kind::Video) => "video/quicktime",
            (Self::ThreeGp, Kind::Video) => "video/3gpp",
            (Self::Webm, Kind::Video) => "video/webm",
            (Self::Webm, Kind::Audio) => "audio/webm",
            (Self::Matroska, Kind::Video) => "video/matroska",
            (Self::Matroska, Kind::Audio) => "audio/matroska",
            (Self::Mp3, _) => "audio/mpeg",
            (Self::Ogg, _) => "audio/ogg",
            (Self::Flac, _) => "audio/flac",
            (Self::Wav, _) => "audio/wav",
        }
    }

    /// The usual file name extension, without the dot.
    pub fn extension(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Self::Mp4, Kind::Video) => "mp4",
            (Self::Mp4 | Self::Mov | Self::ThreeGp, Kind::Audio) => "m4a",
            (Self::Mov, Kind::Video) => "mov",
            (Self::ThreeGp, Kind::Video) => "3gp",
            (Self::Webm, Kind::Video) => "webm",
            (Self::Webm, Kind::Audio) => "weba",
            (Self::Matroska, Kind::Video) => "mkv",
            (Self::Matroska, Kind::Audio) => "mka",
            (Self::Mp3, _) => "mp3",
            (Self::Ogg, _) => "ogg",
            (Self::Flac, _) => "flac",
            (Self::Wav, _) => "wav",
        }
    }
}

/// The media types that are taken, by kind.
pub fn accepted(kind: Kind) -> Vec<&'static str> {
    use Container::*;
    let all: &[Container] = match kind {
        Kind::Video => &[Mp4, Mov, ThreeGp, Webm, Matroska],
        Kind::Audio => &[Mp3, Mp4, Webm, Matroska, Ogg, Flac, Wav],
    };
    all.iter().map(|container| container.mime(kind)).collect()
}
