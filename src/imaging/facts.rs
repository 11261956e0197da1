//! What is known of a picture without decoding it, and the limits that such facts are held to.

use super::parts::Parts;
use super::source::Span;
use super::{Error, Format, Limits, Orientation};

/// All frames of an animation together may have this many times the pixels of one picture. Only
/// the first is ever decoded here, but every visitor's browser decodes them all.
const ANIMATION: u64 = 10;

/// A block of metadata of more bytes than this is not read.
pub(super) const MAX_BLOCK: u64 = 1024 * 1024;

/// An embedded colour profile may have this many bytes, unfolded.
pub(super) const MAX_PROFILE: u64 = 4 * 1024 * 1024;

/// Damaged or unusual JPEGs are decoded whole by a patient decoder, up to this many pixels.
pub(super) const PATIENT_PIXELS: u64 = 16_000_000;

/// The facts about one file, made by [`probe`](super::probe()) only.
#[derive(Debug, Clone)]
pub struct Probe {
    pub format: Format,
    /// As stored; see [`Probe::upright`].
    pub width: u32,
    pub height: u32,
    pub orientation: Orientation,
    /// 1 for a still picture, and where only decoding would tell how many there are.
    pub frames: u32,
    pub is_animated: bool,
    /// One round of an animation, as browsers play it.
    pub duration_ms: Option<u64>,
    pub(super) inside: Inside,
}

/// Where things are in the file.
#[derive(Debug, Clone)]
pub(super) struct Inside {
    /// The public bytes, and all that decoders see.
    pub parts: Parts,
    pub blocks: Blocks,
    pub profile: Profile,
    pub decoding: Decoding,
    pub limits: Limits,
}

/// Where a file tells about its picture. Nothing of this is public.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Blocks {
    pub exif: Option<Span>,
    pub xmp: Option<Span>,
    /// IPTC-IIM, still inside the resources of Photoshop.
    pub iptc: Option<Span>,
}

#[derive(Debug, Clone)]
pub(super) enum Profile {
    None,
    Pieces(Vec<Span>),
    /// One zlib stream, already known to unfold to at most [`MAX_PROFILE`].
    Deflated(Span),
    /// No bytes: the file names a range of colours by its number (ITU-T H.273).
    Named(Colorants),
}

/// Wide ranges of colours that have a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colorants {
    DisplayP3,
    Bt2020,
}

/// What decoding the picture takes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Decoding {
    Jpeg {
        is_progressive: bool,
        colors: Colors,
        coefficient_bytes: u64,
    },
    Whole {
        bytes_per_pixel: u64,
    },
    /// By a decoder that reduces the picture on the way.
    Scaled {
        /// Of memory, for each pixel in the file.
        stored_bytes: u64,
        /// Of memory, for each pixel that comes out.
        made_bytes: u64,
    },
    Samples(Samples),
}

/// What a TIFF has for each pixel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Samples {
    pub meaning: Meaning,
    pub count: u16,
    /// Bits of each sample.
    pub depth: u16,
    /// Whether all samples of one colour come before those of the next.
    pub is_planar: bool,
    pub alpha: Alpha,
    pub is_little: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// White is zero.
    Darkness,
    Light,
    Rgb,
    Palette,
    /// Cyan, magenta, yellow and black.
    Inks,
    /// Brightness and two differences of colour, as in JPEG.
    Ycc,
}

/// What the first sample behind the colours is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alpha {
    None,
    Plain,
    /// Colours are multiplied by it.
    Multiplied,
}

impl Samples {
    /// While decoding: the samples twice, as a piece may be the whole, and what they become.
    pub(super) fn bytes_per_pixel(&self) -> u64 {
        let raw = (u64::from(self.count) * u64::from(self.depth)).div_ceil(8);
        raw * 2 + if self.depth == 16 { 8 } else { 4 }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colors {
    Gray,
    Three,
    /// Cyan, magenta, yellow and black. Adobe's programs store them as light instead of ink, and
    /// say so.
    Inks {
        are_light: bool,
    },
}

impl Probe {
    /// Width and height as seen by a viewer.
    pub fn upright(&self) -> (u32, u32) {
        if self.orientation.is_sideways() {
            (self.height, self.width)
        } else {
            (self.width, self.height)
        }
    }

    pub(super) fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    pub(super) fn parts(&self) -> &Parts {
        &self.inside.parts
    }
}

/// Refuses a picture by its size. To be asked as soon as a header tells it.
pub(super) fn check_size(
    width: u32,
    height: u32,
    allowed: u64,
    limits: &Limits,
) -> Result<(), Error> {
    if width == 0 || height == 0 {
        return Err(Error::damaged("it has no width or no height"));
    }
    if u64::from(width) * u64::from(height) > allowed {
        return Err(Error::TooManyPixels { width, height, allowed });
    }
    if width.max(height) > limits.max_side {
        return Err(Error::SideTooLong { longer: width.max(height), allowed: limits.max_side });
    }
    Ok(())
}

/// Refuses an animation by how long it plays.
pub(super) fn check_duration(duration_ms: u64, limits: &Limits) -> Result<(), Error> {
    if duration_ms > limits.max_duration_ms {
        let (seconds, allowed) = (duration_ms.div_ceil(1000), limits.max_duration_ms / 1000);
        return Err(Error::AnimationTooLong { seconds, allowed });
    }
    Ok(())
}

/// Refuses an animation by its frames so far. To be asked at every frame.
pub(super) fn check_frames(
    frames: u32,
    (width, height): (u32, u32),
    limits: &Limits,
) -> Result<(), Error> {
    if frames > limits.max_frames.max(1) {
        return Err(Error::TooManyFrames { allowed: limits.max_frames });
    }
    let pixels = u64::from(width) * u64::from(height) * u64::from(frames);
    let allowed = limits.max_pixels.saturating_mul(ANIMATION);
    if frames > 1 && pixels > allowed {
        return Err(Error::AnimationTooLarge { pixels, allowed });
    }
    Ok(())
}
