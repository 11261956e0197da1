//! Looks at a picture, in its headers alone. The gate before every decoder: what passes here is
//! small enough, complete, and not an obvious lie.

use std::path::Path;

use super::facts::{Decoding, PATIENT_PIXELS, Probe, check_duration};
use super::formats;
use super::geometry;
use super::source::{Source, Span};
use super::{Error, Format, Limits, Orientation, Output, VariantSpec};

const MIB: u64 = 1024 * 1024;

/// While AVIF is written, for each pixel of it: measured and rounded up.
const AVIF_BYTES_PER_PIXEL: u64 = 48;

/// What a picture is about to be used for.
#[derive(Debug, Clone, Copy)]
pub enum Purpose<'a> {
    Strip,
    Render(&'a [VariantSpec]),
    Resize {
        width: u32,
    },
    ToPng,
    /// To be turned without loss.
    Turn,
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
    let found = formats::read(formats::recognise(&head)?, source, limits)?;
    check_duration(found.duration_ms.unwrap_or(0), limits)?;
    Ok(found)
}

/// Format, stored width and height, orientation and frames.
pub(super) type Facts = (Format, u32, u32, Orientation, u32);

/// Looks at a file that must show the picture with these facts.
pub(super) fn expect(path: &Path, facts: &Facts, limits: &Limits) -> Result<Probe, Error> {
    let found = probe(path, limits)?;
    if found.facts() != *facts {
        return Err(Error::damaged("it has changed since it was looked at"));
    }
    Ok(found)
}

impl Probe {
    /// The facts about a file that shows the same picture, which may be this one or its stripped
    /// copy. Headers are cheap to read; so whatever has happened to the file since, no decoder
    /// sees one that was not looked at.
    pub(super) fn again(&self, path: &Path) -> Result<Self, Error> {
        expect(path, &self.facts(), &self.inside.limits)
    }

    /// What files must have in common to show the same picture.
    pub(super) fn facts(&self) -> Facts {
        (self.format, self.width, self.height, self.orientation, self.frames)
    }

    /// About how much memory the work will take at its peak, in bytes. Rather too much than too
    /// little: the figures behind it were measured and rounded up.
    pub fn cost_bytes(&self, purpose: Purpose<'_>) -> u64 {
        let pixels = self.pixels();
        let reduction = match purpose {
            Purpose::Strip => return MIB,
            Purpose::Turn => return self.turning_bytes(),
            Purpose::Render(specs) => geometry::reduction(self, specs),
            Purpose::Resize { width } => geometry::reduction_to_width(self, width),
            Purpose::ToPng => 1,
        };
        let decoded = match self.inside.decoding {
            Decoding::Whole { bytes_per_pixel } => pixels * bytes_per_pixel,
            Decoding::Scaled { stored_bytes, made_bytes } => {
                let made = reduced(self.width, reduction) * reduced(self.height, reduction);
                self.parts().len() + pixels * stored_bytes + made * made_bytes
            }
            Decoding::Samples(samples) => pixels * samples.bytes_per_pixel(),
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
            Purpose::Render(specs) => 16 * MIB + self.avif_bytes(specs),
            Purpose::Strip | Purpose::Turn => 16 * MIB,
            Purpose::Resize { width } => {
                let (whole, _) = self.upright();
                let share = f64::from(width.min(whole)) / f64::from(whole.max(1));
                16 * MIB + (pixels as f64 * share * share * 8.0) as u64
            }
            Purpose::ToPng => 16 * MIB + pixels * 4,
        };
        decoded + made
    }

    /// What the encoder of AVIF takes for the largest of these, if any is AVIF.
    fn avif_bytes(&self, specs: &[VariantSpec]) -> u64 {
        let avifs = specs.iter().filter(|spec| spec.output == Output::Avif);
        let sizes = avifs.map(|spec| geometry::plan(self, spec.fit, geometry::MAX_VARIANT).to);
        let pixels = sizes.map(|(width, height)| u64::from(width) * u64::from(height));
        pixels.max().unwrap_or(0) * AVIF_BYTES_PER_PIXEL
    }

    /// All coefficients twice, in the old order and in the new; the file, and its growing copy.
    fn turning_bytes(&self) -> u64 {
        match self.inside.decoding {
            Decoding::Jpeg { coefficient_bytes, .. } if !self.orientation.is_upright() => {
                8 * MIB + coefficient_bytes * 2 + self.parts().len() * 4
            }
            _ => MIB,
        }
    }
}

fn reduced(side: u32, reduction: u32) -> u64 {
    u64::from(side.div_ceil(reduction))
}

/// What the patient JPEG decoder takes for a whole picture.
fn patient_cost(pixels: u64, is_progressive: bool) -> u64 {
    pixels * if is_progressive { 11 } else { 5 }
}
