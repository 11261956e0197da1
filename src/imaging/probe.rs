//! What a picture is, found in its headers alone. The gate before every decoder: what passes here
//! is small enough, complete, and not an obvious lie.

use std::path::Path;

use super::formats;
use super::geometry;
use super::parts::Parts;
use super::source::{Source, Span};
use super::{Error, Format, Limits, Orientation, VariantSpec};

/// All frames of an animation together may have this many times the pixels of one picture. Only
/// the first is ever decoded here, but every visitor's browser decodes them all.
const ANIMATION: u64 = 10;

/// An embedded colour profile may have this many bytes, unfolded.
pub(super) const MAX_PROFILE: u64 = 4 * 1024 * 1024;

/// Damaged or unusual JPEGs are decoded whole by a patient decoder, up to this many pixels.
pub(super) const PATIENT_PIXELS: u64 = 16_000_000;

const MIB: u64 = 1024 * 1024;

/// The facts about one file, made by [`probe`] only.
#[derive(Debug, Clone)]
pub struct Probe {
    pub format: Format,
    /// As stored; see [`Probe::upright`].
    pub width: u32,
    pub height: u32,
    pub orientation: Orientation,
    /// 1 for a still picture.
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
    pub exif: Option<Span>,
    pub profile: Profile,
    pub decoding: Decoding,
    pub limits: Limits,
}

#[derive(Debug, Clone)]
pub(super) enum Profile {
    None,
    Pieces(Vec<Span>),
    /// One zlib stream, already known to unfold to at most [`MAX_PROFILE`].
    Deflated(Span),
}

/// What decoding the picture takes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Decoding {
    Jpeg { is_progressive: bool, colors: Colors, coefficient_bytes: u64 },
    Whole { bytes_per_pixel: u64 },
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

/// What a picture is about to be used for.
#[derive(Debug, Clone, Copy)]
pub enum Purpose<'a> {
    Strip,
    Render(&'a [VariantSpec]),
    Resize { width: u32 },
    ToPng,
}

/// Reads the headers of a file and decides whether any decoder may see the rest.
///
/// A file that ends before its format says so is refused here, even where decoders would make do.
///
/// # Errors
/// [`Error::Unknown`] and [`Error::Unsupported`] by content; all others say what is wrong with a
/// file of a known kind.
pub fn probe(path: &Path, limits: &Limits) -> Result<Probe, Error> {
    let mut source = Source::open(path)?;
    let head = source.read(Span::new(0, source.len().min(formats::HEAD)))?;
    source.seek(0)?;
    formats::read(formats::recognise(&head)?, source, limits)
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

    /// The facts about a file that shows the same picture, which may be this one or its stripped
    /// copy. Headers are cheap to read; so whatever has happened to the file since, no decoder
    /// sees one that was not looked at.
    pub(super) fn again(&self, path: &Path) -> Result<Self, Error> {
        let other = probe(path, &self.inside.limits)?;
        let facts = |p: &Self| (p.format, p.width, p.height, p.orientation, p.frames);
        if facts(&other) != facts(self) {
            return Err(Error::damaged("it has changed since it was looked at"));
        }
        Ok(other)
    }

    pub(super) fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    pub(super) fn parts(&self) -> &Parts {
        &self.inside.parts
    }

    pub(super) fn exif(&self) -> Option<Span> {
        self.inside.exif
    }

    /// About how much memory the work will take at its peak, in bytes. Rather too much than too
    /// little: the figures behind it were measured and rounded up.
    pub fn cost_bytes(&self, purpose: Purpose<'_>) -> u64 {
        let pixels = self.pixels();
        let reduction = match purpose {
            Purpose::Strip => return MIB,
            Purpose::Render(specs) => geometry::reduction(self, specs),
            Purpose::Resize { width } => geometry::reduction_to_width(self, width),
            Purpose::ToPng => 1,
        };
        let decoded = match self.inside.decoding {
            Decoding::Whole { bytes_per_pixel } => pixels * bytes_per_pixel,
            Decoding::Jpeg { is_progressive, coefficient_bytes, .. } => {
                let scaled = self.parts().len()
                    + pixels / u64::from(reduction * reduction) * 7
                    + if is_progressive { coefficient_bytes } else { u64::from(self.width) * 256 };
                let patient =
                    if pixels <= PATIENT_PIXELS { patient_cost(pixels, is_progressive) } else { 0 };
                scaled.max(patient)
            }
        };
        let made = match purpose {
            Purpose::Render(_) | Purpose::Strip => 16 * MIB,
            Purpose::Resize { width } => {
                let (whole, _) = self.upright();
                let share = f64::from(width.min(whole)) / f64::from(whole.max(1));
                16 * MIB + (pixels as f64 * share * share * 8.0) as u64
            }
            Purpose::ToPng => 16 * MIB + pixels * 4,
        };
        decoded + made
    }
}

/// What the patient JPEG decoder takes for a whole picture.
fn patient_cost(pixels: u64, is_progressive: bool) -> u64 {
    pixels * if is_progressive { 11 } else { 5 }
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
