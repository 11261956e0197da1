//! Why a film or a recording is refused, in words for the person who sent it.

use crate::base;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing about the first bytes is familiar.
    #[error("this is not a kind of film or recording that can be taken")]
    Unknown,
    /// Recognised by name, and not taken.
    #[error("{name} cannot be taken: {reason}")]
    Unsupported { name: &'static str, reason: &'static str },
    #[error("plays for {seconds} seconds; {allowed} are allowed")]
    TooLong { seconds: u64, allowed: u64 },
    #[error("has {tracks} tracks; {allowed} are allowed")]
    TooManyTracks { tracks: u32, allowed: u32 },
    #[error("has {bits} bits in each second; {allowed} are allowed")]
    TooDense { bits: u64, allowed: u64 },
    #[error("has frames of {width} × {height} pixels; {allowed} in all are allowed")]
    TooManyPixels { width: u32, height: u32, allowed: u64 },
    #[error("is damaged: {0}")]
    Damaged(&'static str),
    #[error("could not be read or written")]
    Io(#[from] std::io::Error),
    /// The tool is not there, or may not be used.
    #[error("needs ffmpeg, which this server does not have")]
    NoTool,
    /// The tool gave up, or was ended because it took too much.
    #[error("could not be worked on: {0}")]
    Tool(&'static str),
}

impl Error {
    /// A stable name, for those that are the file's fault.
    fn code(&self) -> Option<&'static str> {
        Some(match self {
            Self::TooLong { .. } => "too_long",
            Self::TooManyTracks { .. } => "too_many_tracks",
            Self::TooDense { .. } => "bit_rate_too_high",
            Self::TooManyPixels { .. } => "too_many_pixels",
            Self::Damaged(_) | Self::Tool(_) => "damaged",
            Self::Unknown | Self::Unsupported { .. } | Self::Io(_) | Self::NoTool => return None,
        })
    }
}

impl From<Error> for base::Error {
    fn from(error: Error) -> Self {
        if let Some(code) = error.code() {
            return Self::Rejected { code, reason: error.to_string() };
        }
        match error {
            Error::Io(cause) => cause.into(),
            Error::NoTool => Self::Unavailable("this server has no ffmpeg"),
            other => Self::Unsupported(other.to_string()),
        }
    }
}
