//! How large a variant becomes and which part of the picture it shows. Arithmetic only.

use serde::{Deserialize, Serialize};

use super::VariantSpec;
use super::facts::Probe;

/// How a variant fits its frame. None is ever larger than the picture itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Fit {
    /// The whole picture, its longer side at most so many pixels.
    Contain { longer_side: u32 },
    /// The whole picture, inside the frame.
    Inside { width: u32, height: u32 },
    /// The middle of the picture, filling the frame. A picture smaller than the frame gives the
    /// largest part of the same proportions.
    Cover { width: u32, height: u32 },
    /// The whole picture, at most so many pixels wide.
    Width(u32),
}

/// The longest side that WebP can store.
pub(super) const MAX_VARIANT: u32 = 16_383;

/// The longer side of the picture behind a placeholder.
pub(super) const PLACEHOLDER: u32 = 100;

/// How much larger than its target a source should be, for the filter to have something to work
/// with.
pub(super) const HEADROOM: f64 = 1.5;

/// One variant in terms of the stored picture, before it is turned upright.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Plan {
    /// The part that is shown, from the middle, in pixels of the stored picture.
    pub from: (f64, f64),
    /// The size that it gets.
    pub to: (u32, u32),
    pub is_whole: bool,
}

impl Plan {
    /// Target pixels per stored pixel.
    pub(super) fn scale(&self) -> f64 {
        let (across, down) =
            (f64::from(self.to.0) / self.from.0, f64::from(self.to.1) / self.from.1);
        across.max(down).min(1.0)
    }
}

/// Plans a variant of which no side may be longer than `most`.
pub(super) fn plan(probe: &Probe, fit: Fit, most: u32) -> Plan {
    let upright = probe.upright();
    let (width, height) = (f64::from(upright.0), f64::from(upright.1));
    let longer = width.max(height);
    let shrink = |scale: f64| scale.min(1.0).min(f64::from(most) / longer);
    let whole = |scale: f64| ((width, height), (pixels(width * scale), pixels(height * scale)));
    let (from, to) = match fit {
        Fit::Contain { longer_side } => whole(shrink(f64::from(longer_side.max(1)) / longer)),
        Fit::Inside { width: w, height: h } => {
            let (w, h) = (f64::from(w.max(1)), f64::from(h.max(1)));
            whole(shrink((w / width).min(h / height)))
        }
        Fit::Width(wanted) => whole(shrink(f64::from(wanted.max(1)) / width)),
        Fit::Cover { width: w, height: h } => {
            let (w, h) = (f64::from(w.clamp(1, most)), f64::from(h.clamp(1, most)));
            let scale = (width / w).min(height / h);
            let from = (w * scale, h * scale);
            let scale = scale.min(1.0);
            (from, (pixels(w * scale), pixels(h * scale)))
        }
    };
    let is_whole = !matches!(fit, Fit::Cover { .. });
    if probe.orientation.is_sideways() {
        return Plan { from: (from.1, from.0), to: (to.1, to.0), is_whole };
    }
    Plan { from, to, is_whole }
}

fn pixels(length: f64) -> u32 {
    // At least one, and never near the end of the type: `most` has bounded it.
    length.round().max(1.0) as u32
}

/// By how much a picture may be reduced while it is decoded and still serve all variants and the
/// placeholder: 1, 2, 4 or 8.
pub(super) fn reduction(probe: &Probe, specs: &[VariantSpec]) -> u32 {
    let fits = specs.iter().map(|spec| spec.fit);
    let placeholder = Fit::Contain { longer_side: PLACEHOLDER };
    let largest = fits
        .chain([placeholder])
        .map(|fit| plan(probe, fit, MAX_VARIANT).scale())
        .fold(0.0, f64::max);
    reduction_to(largest)
}

/// The same for one variant of a given width.
pub(super) fn reduction_to_width(probe: &Probe, width: u32) -> u32 {
    reduction_to(plan(probe, Fit::Width(width), u32::MAX).scale())
}

fn reduction_to(scale: f64) -> u32 {
    [8, 4, 2].into_iter().find(|by| scale * HEADROOM * f64::from(*by) <= 1.0).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::super::facts::{Blocks, Decoding, Inside, Profile};
    use super::super::parts::Parts;
    use super::super::{Format, Limits, Orientation, Output};
    use super::*;

    fn picture(width: u32, height: u32, orientation: u32) -> Probe {
        Probe {
            format: Format::Jpeg,
            width,
            height,
            orientation: Orientation::from_exif(orientation),
            frames: 1,
            is_animated: false,
            duration_ms: None,
            inside: Inside {
                parts: Parts::of(0),
                blocks: Blocks::default(),
                profile: Profile::None,
                decoding: Decoding::Whole { bytes_per_pixel: 4 },
                limits: Limits::default(),
            },
        }
    }

    fn size(width: u32, height: u32, fit: Fit) -> (u32, u32) {
        plan(&picture(width, height, 1), fit, MAX_VARIANT).to
    }

    #[test]
    fn the_longer_side_is_bounded() {
        let medium = Fit::Contain { longer_side: 500 };
        assert_eq!(size(4000, 3000, medium), (500, 375));
        assert_eq!(size(3000, 4000, medium), (375, 500));
        assert_eq!(size(400, 300, medium), (400, 300));
        assert_eq!(size(20_000, 1, medium), (500, 1));
    }

    #[test]
    fn the_whole_picture_goes_inside_a_frame() {
        let frame = |width, height| Fit::Inside { width, height };
        assert_eq!(size(4000, 3000, frame(400, 400)), (400, 300));
        assert_eq!(size(4000, 3000, frame(400, 150)), (200, 150));
        assert_eq!(size(3000, 4000, frame(u32::MAX, 400)), (300, 400));
        assert_eq!(size(40, 30, frame(400, 400)), (40, 30));
    }

    #[test]
    fn a_cover_is_never_larger_than_its_source() {
        let thumb = Fit::Cover { width: 160, height: 160 };
        assert_eq!(size(4000, 3000, thumb), (160, 160));
        assert_eq!(size(100, 300, thumb), (100, 100));
        assert_eq!(size(300, 100, Fit::Cover { width: 400, height: 200 }), (200, 100));
        assert_eq!(size(1, 1, thumb), (1, 1));
    }

    #[test]
    fn a_sideways_picture_is_planned_as_it_is_stored() {
        let plan = plan(&picture(4000, 3000, 6), Fit::Width(300), MAX_VARIANT);
        assert_eq!(plan.to, (400, 300));
        assert_eq!(plan.from, (4000.0, 3000.0));
    }

    #[test]
    fn sides_stay_within_what_a_format_can_hold() {
        assert_eq!(size(50, 60_000, Fit::Width(50)), (14, 16_383));
    }

    #[test]
    fn decoding_keeps_headroom() {
        let spec = |longer_side| VariantSpec {
            name: String::new(),
            fit: Fit::Contain { longer_side },
            quality: 80,
            output: Output::Auto,
            animate: false,
        };
        let large = picture(4000, 3000, 1);
        assert_eq!(reduction(&large, &[spec(500)]), 4);
        assert_eq!(reduction(&large, &[spec(1400)]), 1);
        assert_eq!(reduction(&large, &[]), 8);
    }
}
