//! Pixels to bytes. Everything that comes in is upright, sRGB and small enough for its format.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, ImageEncoder};
use webpx::{EncoderConfig, Unstoppable};

use super::Error;

fn failed(cause: impl std::fmt::Display) -> Error {
    Error::Encode(cause.to_string())
}

fn clamped(quality: u8) -> u8 {
    quality.clamp(1, 100)
}

/// Colours get half the resolution below this quality, as nobody will see the difference.
const FULL_COLOR: u8 = 90;

#[cfg(feature = "codecs")]
pub(super) fn jpeg(image: &DynamicImage, quality: u8) -> Result<Vec<u8>, Error> {
    use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

    let rgb = as_rgb(image);
    let (width, height) = (rgb.width() as usize, rgb.height() as usize);
    let quality = clamped(quality);
    let mut compressor = Compressor::new().map_err(failed)?;
    compressor.set_quality(i32::from(quality)).map_err(failed)?;
    let sampling = if quality < FULL_COLOR { Subsamp::Sub2x2 } else { Subsamp::None };
    compressor.set_subsamp(sampling).map_err(failed)?;
    compressor.set_optimize(true).map_err(failed)?;
    let pixels = rgb.as_raw().as_slice();
    let pixels = Image { pixels, width, pitch: width * 3, height, format: PixelFormat::RGB };
    compressor.compress_to_vec(pixels).map_err(failed)
}

#[cfg(not(feature = "codecs"))]
pub(super) fn jpeg(image: &DynamicImage, quality: u8) -> Result<Vec<u8>, Error> {
    use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

    let rgb = as_rgb(image);
    let side = |length: u32| u16::try_from(length).map_err(failed);
    let (width, height) = (side(rgb.width())?, side(rgb.height())?);
    let quality = clamped(quality);
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, quality);
    encoder.set_sampling_factor(if quality < FULL_COLOR {
        SamplingFactor::R_4_2_0
    } else {
        SamplingFactor::R_4_4_4
    });
    encoder.set_optimized_huffman_tables(true);
    encoder.encode(&rgb, width, height, ColorType::Rgb).map_err(failed)?;
    Ok(bytes)
}

fn as_rgb(image: &DynamicImage) -> std::borrow::Cow<'_, image::RgbImage> {
    use std::borrow::Cow;
    match image {
        DynamicImage::ImageRgb8(rgb) => Cow::Borrowed(rgb),
        DynamicImage::ImageRgba8(rgba) => Cow::Owned(on_white(rgba)),
        other => Cow::Owned(other.to_rgb8()),
    }
}

fn on_white(rgba: &image::RgbaImage) -> image::RgbImage {
    image::RgbImage::from_fn(rgba.width(), rgba.height(), |x, y| {
        let [r, g, b, alpha] = rgba.get_pixel(x, y).0.map(u32::from);
        let over = |color: u32| ((color * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
        image::Rgb([over(r), over(g), over(b)])
    })
}

/// With loss; transparency is kept.
pub(super) fn webp(image: &DynamicImage, quality: u8) -> Result<Vec<u8>, Error> {
    let config = EncoderConfig::new().quality(f32::from(clamped(quality)));
    let (width, height) = (image.width(), image.height());
    let encoded = if let DynamicImage::ImageRgb8(rgb) = image {
        config.encode_rgb(rgb, width, height, Unstoppable)
    } else {
        config.encode_rgba(&image.to_rgba8(), width, height, Unstoppable)
    };
    encoded.map_err(failed)
}

/// How much time AVIF takes, from 1 to 10, which is least. The next step takes four times as long.
#[cfg(feature = "codecs")]
const AVIF_SPEED: u8 = 10;

/// With loss; transparency is kept.
#[cfg(feature = "codecs")]
pub(super) fn avif(image: &DynamicImage, quality: u8) -> Result<Vec<u8>, Error> {
    use image::codecs::avif::AvifEncoder;

    let mut bytes = Vec::new();
    let quality = avif_quality(clamped(quality));
    let encoder = AvifEncoder::new_with_speed_quality(&mut bytes, AVIF_SPEED, quality);
    image.write_with_encoder(encoder.with_num_threads(Some(1))).map_err(failed)?;
    Ok(bytes)
}

#[cfg(not(feature = "codecs"))]
pub(super) fn avif(_: &DynamicImage, _: u8) -> Result<Vec<u8>, Error> {
    Err(failed("this build cannot write AVIF"))
}

/// AVIF looks as good as JPEG at a lower number of its own scale: 65 for 82.
#[cfg(feature = "codecs")]
fn avif_quality(quality: u8) -> u8 {
    (u16::from(quality) * 4 / 5).clamp(1, 100) as u8
}

/// Without loss, with the colour profile if one is given.
pub(super) fn png(image: &DynamicImage, profile: Option<Vec<u8>>) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let mut encoder =
        PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, FilterType::Adaptive);
    if let Some(profile) = profile {
        encoder.set_icc_profile(profile).map_err(failed)?;
    }
    image.write_with_encoder(encoder).map_err(failed)?;
    Ok(bytes)
}
