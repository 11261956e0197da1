//! JPEG XL to pixels, with a decoder that is all Rust. It turns the picture upright, and hands it
//! out in sRGB where it can.

use std::path::Path;

use image::{DynamicImage, GrayImage, RgbImage, RgbaImage};
use jxl_oxide::{AllocTracker, EnumColourEncoding, JxlImage, PixelFormat, RenderingIntent};
use moxcms::ColorProfile;

use super::super::Error;
use super::super::color;
use super::super::facts::{Decoding, Probe};
use super::{SLACK, other_size};

/// All layers of the first picture together may have this many times its pixels.
const LAYERS: u64 = 4;

fn faulty(cause: impl std::fmt::Display) -> Error {
    tracing::debug!(%cause, "a JPEG XL could not be decoded");
    Error::damaged("it cannot be decoded")
}

pub(super) fn decode(path: &Path, probe: &Probe) -> Result<DynamicImage, Error> {
    let Decoding::Whole { bytes_per_pixel } = probe.inside.decoding else {
        return Err(other_size());
    };
    let most = probe.pixels() * bytes_per_pixel + SLACK;
    let tracker = AllocTracker::with_limit(usize::try_from(most).unwrap_or(usize::MAX));
    let reader = probe.parts().reader(path)?;
    let mut image = JxlImage::builder().alloc_tracker(tracker).read(reader).map_err(faulty)?;
    if (image.width(), image.height()) != (probe.width, probe.height) {
        return Err(other_size());
    }
    check_layers(&image, probe)?;
    let profile = ask_for_srgb(&mut image);
    let is_gray = match image.pixel_format() {
        PixelFormat::Gray => true,
        PixelFormat::Rgb | PixelFormat::Rgba | PixelFormat::Graya => false,
        _ => return Err(Error::damaged("it is made of inks, which cannot be decoded")),
    };
    let render = image.render_frame(0).map_err(faulty)?;
    let mut stream = render.stream();
    let (width, height, channels) = (stream.width(), stream.height(), stream.channels());
    if (width, height) != (probe.width, probe.height) {
        return Err(other_size());
    }
    let samples = u64::from(width) * u64::from(height) * u64::from(channels);
    let mut pixels = vec![0u8; usize::try_from(samples).map_err(|_| other_size())?];
    if stream.write_to_buffer(&mut pixels) != pixels.len() {
        return Err(other_size());
    }
    drop(stream);
    drop(render);
    let image = match channels {
        1 if is_gray => GrayImage::from_raw(width, height, pixels).map(DynamicImage::from),
        2 => image::GrayAlphaImage::from_raw(width, height, pixels).map(DynamicImage::from),
        3 => RgbImage::from_raw(width, height, pixels).map(DynamicImage::from),
        4 => RgbaImage::from_raw(width, height, pixels).map(DynamicImage::from),
        _ => None,
    };
    let image = image.ok_or_else(other_size)?;
    Ok(match profile {
        Some(profile) => color::to_srgb(image, &profile),
        None => image,
    })
}

/// The frames up to the first that is shown must all be there, and must not be more than they
/// seem: each may be as large as it likes, and takes its time.
fn check_layers(image: &JxlImage, probe: &Probe) -> Result<(), Error> {
    let mut pixels = 0u64;
    for index in 0..image.num_loaded_frames() {
        let Some(frame) = image.frame(index) else { break };
        let header = frame.header();
        pixels = pixels.saturating_add(u64::from(header.width) * u64::from(header.height));
        if pixels > probe.pixels() * LAYERS + 1_000_000 {
            return Err(Error::TooSlow);
        }
        if header.is_keyframe() {
            return Ok(());
        }
    }
    Err(Error::damaged("it ends in the middle"))
}

/// The decoder converts what is coded in its own colours, and leaves alone what has a profile:
/// that one is handed back.
fn ask_for_srgb(image: &mut JxlImage) -> Option<ColorProfile> {
    let is_own = image.image_header().metadata.xyb_encoded;
    if let Some(profile) = image.original_icc()
        && !is_own
    {
        return ColorProfile::new_from_slice(profile).ok();
    }
    let intent = RenderingIntent::Relative;
    let srgb = match image.pixel_format().is_grayscale() {
        true => EnumColourEncoding::gray_srgb(intent),
        false => EnumColourEncoding::srgb(intent),
    };
    image.request_color_encoding(srgb);
    None
}
