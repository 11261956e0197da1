//! WebP to pixels. Still pictures are reduced on the way wherever that does not mix colours that
//! nobody can see with those beside them; animations are not this decoder's.

use std::path::Path;

use image::codecs::webp::WebPDecoder;
use image::{DynamicImage, RgbImage, RgbaImage};
use webpx::{Decoder, DecoderConfig, Limits};

use super::super::Error;
use super::super::facts::{Decoding, Probe};
use super::{other_size, refused, with};

pub(super) fn decode(path: &Path, probe: &Probe, reduction: u32) -> Result<DynamicImage, Error> {
    if probe.is_animated {
        return first_frame(path, probe);
    }
    let bytes = probe.parts().read(path)?;
    let decoder = Decoder::new(&bytes).map_err(faulty)?;
    let (info, is_transparent) = (decoder.info(), decoder.info().has_alpha);
    // An animation of one frame counts as a still picture, but is not stored as one.
    if info.has_animation {
        return first_frame(path, probe);
    }
    if (info.width, info.height) != (probe.width, probe.height) {
        return Err(other_size());
    }
    // The probe has held the picture to the limits that it was given.
    let decoder = decoder.config(DecoderConfig::new().limits(Limits::none()));
    let reduction = match probe.inside.decoding {
        Decoding::Scaled { .. } => reduction.max(1),
        _ => 1,
    };
    let size = (probe.width.div_ceil(reduction), probe.height.div_ceil(reduction));
    let pixels = match reduction {
        1 => whole(decoder, size, is_transparent)?,
        _ => scaled(decoder, size, is_transparent)?,
    };
    let image = if is_transparent {
        RgbaImage::from_raw(size.0, size.1, pixels).map(DynamicImage::from)
    } else {
        RgbImage::from_raw(size.0, size.1, pixels).map(DynamicImage::from)
    };
    image.ok_or_else(other_size)
}

fn first_frame(path: &Path, probe: &Probe) -> Result<DynamicImage, Error> {
    with(WebPDecoder::new(probe.parts().reader(path)?).map_err(refused)?, probe)
}

/// Straight into the memory that is handed out.
fn whole(
    decoder: Decoder<'_>,
    (width, height): (u32, u32),
    is_transparent: bool,
) -> Result<Vec<u8>, Error> {
    let stride = width * if is_transparent { 4 } else { 3 };
    let mut pixels = vec![0; stride as usize * height as usize];
    let outcome = if is_transparent {
        decoder.decode_rgba_into(&mut pixels, stride)
    } else {
        decoder.decode_rgb_into(&mut pixels, stride)
    };
    outcome.map_err(faulty)?;
    Ok(pixels)
}

fn scaled(
    decoder: Decoder<'_>,
    (width, height): (u32, u32),
    is_transparent: bool,
) -> Result<Vec<u8>, Error> {
    let decoder = decoder.scale(width, height);
    let outcome = if is_transparent { decoder.decode_rgba_raw() } else { decoder.decode_rgb_raw() };
    let (pixels, ..) = outcome.map_err(faulty)?;
    Ok(pixels)
}

fn faulty(cause: impl std::fmt::Display) -> Error {
    tracing::debug!(%cause, "a WebP cannot be decoded");
    Error::damaged("it cannot be decoded")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use image::GenericImageView;
    use tempfile::NamedTempFile;
    use webpx::{EncoderConfig, Unstoppable};

    use super::super::super::{Limits, probe};
    use super::*;

    fn decoded(bytes: &[u8], reduction: u32) -> Result<DynamicImage, Error> {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let probe = probe(file.path(), &Limits { max_pixels: 1_000_000, ..Limits::default() })?;
        let image = decode(file.path(), &probe, reduction)?;
        let is_scaled = matches!(probe.inside.decoding, Decoding::Scaled { .. });
        let by = if is_scaled { reduction } else { 1 };
        assert_eq!(image.dimensions(), (probe.width.div_ceil(by), probe.height.div_ceil(by)));
        Ok(image)
    }

    /// Soft colours; with alpha, in an ellipse that fades out, and hard ones where nobody sees them.
    fn soft((width, height): (u32, u32), is_lossy: bool, is_transparent: bool) -> Vec<u8> {
        let part = |at: u32, of: u32| at as f32 / of as f32;
        let image = RgbaImage::from_fn(width, height, |x, y| {
            let (u, v) = (part(x, width), part(y, height));
            let near = (0.5 - (u - 0.5).hypot(v - 0.5)).clamp(0.0, 0.25) * 4.0;
            let (across, down) =
                (part(x, width.max(200)) * 200.0, part(y, height.max(200)) * 200.0);
            let color = [across, down, 250.0 - across];
            let alpha = if is_transparent { near * 255.0 } else { 255.0 };
            let is_seen = near > 0.0 || !is_transparent;
            let [r, g, b] = if is_seen { color } else { [255.0; 3] }.map(|value| value as u8);
            image::Rgba([r, g, b, alpha as u8])
        });
        let config = EncoderConfig::new().quality(95.0).lossless(!is_lossy).exact(true);
        config.encode_rgba(&image, width, height, Unstoppable).unwrap()
    }

    /// What one reduced pixel should show: the average of the part that it covers, as seen on
    /// black, and its alpha.
    fn average(whole: &DynamicImage, of: (u32, u32), at: (u32, u32)) -> [f64; 4] {
        let spans = |length: u32, parts: u32, at: u32| {
            let step = f64::from(length) / f64::from(parts);
            let (from, to) = (step * f64::from(at), (step * f64::from(at + 1)).min(length.into()));
            (from as u32..to.ceil() as u32).map(move |pixel| {
                let covered = to.min(f64::from(pixel) + 1.0) - from.max(f64::from(pixel));
                (pixel.min(length - 1), covered.max(0.0) / (to - from))
            })
        };
        let mut sum = [0.0; 4];
        for (y, down) in spans(whole.height(), of.1, at.1) {
            for (x, across) in spans(whole.width(), of.0, at.0) {
                let [r, g, b, alpha] = whole.get_pixel(x, y).0.map(f64::from);
                let seen = alpha / 255.0;
                for (sum, value) in sum.iter_mut().zip([r * seen, g * seen, b * seen, alpha]) {
                    *sum += value * across * down;
                }
            }
        }
        sum
    }

    fn farthest(whole: &DynamicImage, small: &DynamicImage) -> f64 {
        let size = small.dimensions();
        let differences = small.pixels().flat_map(|(x, y, pixel)| {
            let expected = average(whole, size, (x, y));
            let got = average(small, size, (x, y));
            assert_eq!(got[3], f64::from(pixel.0[3]));
            [0, 1, 2, 3].map(|at: usize| (expected[at] - got[at]).abs())
        });
        differences.fold(0.0, f64::max)
    }

    #[test]
    fn a_reduced_picture_shows_the_average_of_the_whole() {
        for (is_lossy, is_transparent, most) in
            [(true, false, 8.0), (false, false, 1.5), (false, true, 3.0)]
        {
            for (width, height) in [(401, 283), (256, 512), (9, 300), (1, 1)] {
                let bytes = soft((width, height), is_lossy, is_transparent);
                let whole = decoded(&bytes, 1).unwrap();
                assert_eq!(whole.dimensions(), (width, height));
                for by in [2, 4, 8] {
                    let small = decoded(&bytes, by).unwrap();
                    assert_eq!(small.color(), whole.color());
                    let far = farthest(&whole, &small);
                    assert!(
                        far <= most,
                        "{is_lossy} {is_transparent} {width} {height} {by}: {far}"
                    );
                }
            }
        }
    }

    #[test]
    fn colours_that_nobody_sees_stay_where_they_are() {
        let bytes = soft((400, 300), true, true);
        assert_eq!(decoded(&bytes, 8).unwrap().dimensions(), (400, 300));
    }

    #[test]
    fn damage_is_an_error_or_a_picture_of_the_right_size() {
        for (is_lossy, is_transparent) in [(true, false), (true, true), (false, true)] {
            let honest = soft((61, 47), is_lossy, is_transparent);
            for at in (12..honest.len()).step_by(3) {
                let mut bytes = honest.clone();
                bytes[at] ^= 0x55;
                for by in [1, 4] {
                    let _ = decoded(&bytes, by);
                }
                assert!(decoded(&honest[..at], 4).is_err());
            }
        }
    }
}
