//! Why a picture is refused, in words for the person who sent it. No decoder's own message
//! reaches them.

use crate::base;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing about the first bytes is familiar.
    #[error("this is not a kind of picture that can be taken: send JPEG, PNG, GIF, WebP or TIFF")]
    Unknown,
    /// Recognised by name, and not taken.
    #[error("{name} cannot be taken: {reason}")]
    Unsupported { name: &'static str, reason: &'static str },
    #[error("has {width} × {height} pixels; {allowed} in all are allowed")]
    TooManyPixels { width: u32, height: u32, allowed: u64 },
    #[error("is {longer} pixels long on one side; {allowed} are allowed")]
    SideTooLong { longer: u32, allowed: u32 },
    #[error("has more than {allowed} frames")]
    TooManyFrames { allowed: u32 },
    #[error("has {pixels} pixels in all its frames together; {allowed} are allowed")]
    AnimationTooLarge { pixels: u64, allowed: u64 },
    #[error("plays for {seconds} seconds; {allowed} are allowed")]
    AnimationTooLong { seconds: u64, allowed: u64 },
    /// It would keep a decoder busy for far longer than its size suggests.
    #[error("is built in so many passes that it would take too long to decode")]
    TooSlow,
    #[error("has {what} of more than {allowed} bytes")]
    MetadataTooLarge { what: &'static str, allowed: u64 },
    #[error("is an animation, which cannot be resized")]
    AnimatedResize,
    #[error("is damaged: {0}")]
    Damaged(String),
    #[error("could not be read or written")]
    Io(#[from] std::io::Error),
    /// Not the picture's fault: an encoder failed on good pixels.
    #[error("could not be encoded: {0}")]
    Encode(String),
    #[error("was not finished: the server is stopping")]
    Stopped,
}

impl Error {
    pub(super) fn damaged(reason: impl Into<String>) -> Self {
        Self::Damaged(reason.into())
    }

    /// A stable name, for those that are the file's fault.
    fn code(&self) -> Option<&'static str> {
        Some(match self {
            Self::TooManyPixels { .. } | Self::SideTooLong { .. } => "too_many_pixels",
            Self::TooManyFrames { .. } => "too_many_frames",
            Self::AnimationTooLarge { .. } => "animation_too_large",
            Self::AnimationTooLong { .. } => "animation_too_long",
            Self::TooSlow => "too_slow",
            Self::MetadataTooLarge { .. } => "metadata_too_large",
            Self::AnimatedResize => "animated_resize",
            Self::Damaged(_) => "damaged",
            Self::Unknown | Self::Unsupported { .. } => return None,
            Self::Io(_) | Self::Encode(_) | Self::Stopped => return None,
        })
    }
}

impl From<Error> for base::Error {
    fn from(error: Error) -> Self {
        if let Some(code) = error.code() {
            return Self::Rejected { code, reason: error.to_string() };
        }
        match error {
            Error::Unknown | Error::Unsupported { .. } => Self::Unsupported(error.to_string()),
            Error::Io(cause) => cause.into(),
            other => Self::internal(other),
        }
    }
}
