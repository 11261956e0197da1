//! SVG: drawings, cleaned as a whole while they are probed, so that the public file is the cleaned
//! one and nothing else is ever kept or drawn.

use super::super::facts::{Blocks, Decoding, Inside, Probe, Profile, check_size};
use super::super::parts::Parts;
use super::super::source::{Source, Span};
use super::super::svg;
use super::super::{Error, Format, Limits, Orientation};

/// The longer side in pixels: small drawings are drawn larger than they ask for, as they lose
/// nothing by it, and no drawing larger than this.
const LEAST: f64 = 512.0;
const MOST: f64 = 2_048.0;

/// Layers over one another, and the finished picture.
const BYTES_PER_PIXEL: u64 = 64;

/// What one byte of text may become in the memory of whoever draws it.
const TREE: u64 = 40;

pub(super) fn read(mut source: Source, limits: &Limits) -> Result<Probe, Error> {
    let len = source.len();
    if len > svg::MAX_BYTES {
        return Err(Error::MetadataTooLarge { what: "a drawing", allowed: svg::MAX_BYTES });
    }
    let drawing = svg::clean(&source.read(Span::new(0, len))?)?;
    let (width, height) = pixels(drawing.size, limits);
    check_size(width, height, limits.max_pixels, limits)?;
    let tree = drawing.text.len() as u64 * TREE;
    let bytes_per_pixel = BYTES_PER_PIXEL + tree / (u64::from(width) * u64::from(height));
    let mut parts = Parts::of(len);
    parts.bytes(drawing.text)?;
    Ok(Probe {
        format: Format::Svg,
        width,
        height,
        orientation: Orientation::UPRIGHT,
        frames: 1,
        is_animated: false,
        duration_ms: None,
        inside: Inside {
            parts,
            blocks: Blocks::default(),
            profile: Profile::None,
            decoding: Decoding::Whole { bytes_per_pixel },
            limits: *limits,
        },
    })
}

/// The size in which a drawing is drawn: its own, as far as that lies within bounds.
fn pixels((width, height): (f64, f64), limits: &Limits) -> (u32, u32) {
    let longer = width.max(height);
    let fits = (limits.max_pixels as f64 / width / height).sqrt();
    let scale =
        (longer.clamp(LEAST, MOST.min(limits.max_side.into()).max(LEAST)) / longer).min(fits);
    let side = |length: f64| (length * scale).floor().max(1.0) as u32;
    (side(width), side(height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawings_are_drawn_within_bounds() {
        let size = |width, height| pixels((width, height), &Limits::default());
        assert_eq!(size(800.0, 600.0), (800, 600));
        assert_eq!(size(24.0, 12.0), (512, 256));
        assert_eq!(size(1e9, 5e8), (2048, 1024));
        assert_eq!(size(1e300, 1e-300), (2048, 1));
        let few = Limits { max_pixels: 100, ..Limits::default() };
        assert_eq!(pixels((800.0, 800.0), &few), (10, 10));
    }
}
