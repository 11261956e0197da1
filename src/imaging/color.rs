//! Colours as numbers: profiles, transparency, averages, placeholders.

use std::io::Read;
use std::path::Path;

use flate2::read::ZlibDecoder;
use image::{DynamicImage, RgbImage, RgbaImage};
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

use super::facts::{Colorants, MAX_PROFILE, Probe, Profile};
use super::source::Source;

/// The bytes of the embedded ICC profile, if there is one that can be read.
pub(super) fn profile_bytes(path: &Path, probe: &Probe) -> Option<Vec<u8>> {
    let mut source = Source::open(path).ok()?;
    match &probe.inside.profile {
        Profile::None | Profile::Named(_) => None,
        Profile::Pieces(spans) => {
            let mut joined = Vec::new();
            for span in spans {
                joined.extend(source.read(*span).ok()?);
            }
            Some(joined)
        }
        Profile::Deflated(span) => {
            let stream = source.read(*span).ok()?;
            let mut unfolded = Vec::new();
            ZlibDecoder::new(&stream[..]).take(MAX_PROFILE).read_to_end(&mut unfolded).ok()?;
            Some(unfolded)
        }
    }
}

/// The embedded or named profile. One that makes no sense is as good as none: the picture is then taken
/// for sRGB, as browsers do.
pub(super) fn profile(path: &Path, probe: &Probe) -> Option<ColorProfile> {
    match probe.inside.profile {
        Profile::Named(Colorants::DisplayP3) => Some(ColorProfile::new_display_p3()),
        Profile::Named(Colorants::Bt2020) => Some(ColorProfile::new_bt2020()),
        _ => ColorProfile::new_from_slice(&profile_bytes(path, probe)?).ok(),
    }
}

/// The same picture in sRGB. What cannot be converted stays as it is.
pub(super) fn to_srgb(image: DynamicImage, profile: &ColorProfile) -> DynamicImage {
    let srgb = ColorProfile::new_srgb();
    let options = TransformOptions::default();
    let (from, to) = match (profile.color_space, &image) {
        (DataColorSpace::Rgb, DynamicImage::ImageRgba8(_)) => (Layout::Rgba, Layout::Rgba),
        (DataColorSpace::Rgb, DynamicImage::ImageRgb8(_)) => (Layout::Rgb, Layout::Rgb),
        (DataColorSpace::Gray, DynamicImage::ImageLuma8(_)) => (Layout::Gray, Layout::Rgb),
        _ => return image,
    };
    let Ok(transform) = profile.create_transform_8bit(from, &srgb, to, options) else {
        return image;
    };
    let samples = if to == Layout::Rgba { 4 } else { 3 };
    let (width, height) = (image.width(), image.height());
    let mut pixels = vec![0; width as usize * height as usize * samples];
    if transform.transform(image.as_bytes(), &mut pixels).is_err() {
        return image;
    }
    let converted = if to == Layout::Rgba {
        RgbaImage::from_raw(width, height, pixels).map(DynamicImage::from)
    } else {
        RgbImage::from_raw(width, height, pixels).map(DynamicImage::from)
    };
    converted.unwrap_or(image)
}

/// Whether any pixel lets something shine through.
pub(super) fn is_transparent(image: &DynamicImage) -> bool {
    match image {
        DynamicImage::ImageLumaA8(pixels) => pixels.as_chunks().0.iter().any(|[_, a]| *a < 255),
        DynamicImage::ImageRgba8(pixels) => {
            pixels.as_chunks().0.iter().any(|[_, _, _, a]| *a < 255)
        }
        DynamicImage::ImageLumaA16(pixels) => {
            pixels.as_chunks().0.iter().any(|[_, a]| *a < u16::MAX)
        }
        DynamicImage::ImageRgba16(pixels) => {
            pixels.as_chunks().0.iter().any(|[_, _, _, a]| *a < u16::MAX)
        }
        _ => false,
    }
}

/// The average of what can be seen; white if there is nothing.
pub(super) fn average(image: &RgbaImage) -> [u8; 3] {
    let mut sums = [0u64; 3];
    let mut weight = 0;
    for pixel in image.pixels() {
        let [.., alpha] = pixel.0;
        weight += u64::from(alpha);
        for (sum, value) in sums.iter_mut().zip(pixel.0) {
            *sum += u64::from(value) * u64::from(alpha);
        }
    }
    sums.map(|sum| (sum + weight / 2).checked_div(weight).unwrap_or(255) as u8)
}

/// A ThumbHash: some 25 bytes that unfold into a blur of the picture. No side of it may have
/// more than 100 pixels.
pub(super) fn placeholder(image: &RgbaImage) -> Vec<u8> {
    thumbhash::rgba_to_thumb_hash(image.width() as usize, image.height() as usize, image)
}

#[cfg(test)]
mod tests {
    use image::Rgba;

    use super::*;

    #[test]
    fn averages_see_only_what_is_visible() {
        let mut image = RgbaImage::from_pixel(2, 1, Rgba([200, 100, 0, 255]));
        image.put_pixel(1, 0, Rgba([0, 0, 255, 0]));
        assert_eq!(average(&image), [200, 100, 0]);
        assert_eq!(average(&RgbaImage::new(3, 3)), [255; 3]);
    }
}
