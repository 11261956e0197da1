//! Bytes to pixels, by whichever decoder does it best. Each sees only the public part of a file
//! that has passed the probe, and gives back what the probe has promised or nothing.

#[cfg(feature = "codecs")]
mod avif;
#[cfg(feature = "heic")]
mod heic;
mod jpeg;
#[cfg(feature = "jxl")]
mod jxl;
#[cfg(feature = "svg")]
mod svg;
mod tiff;
mod webp;

use std::io::Cursor;
use std::path::Path;

use image::codecs::bmp::BmpDecoder;
use image::codecs::gif::GifDecoder;
use image::codecs::ico::IcoDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::LoopCount;
use image::{AnimationDecoder, DynamicImage, Frames, ImageDecoder, Limits};

use super::facts::{Decoding, Probe};
use super::formats::{ico, png};
use super::{Error, Format};

/// A decoder may ask for so much beyond its share for its own tables.
const SLACK: u64 = 32 * 1024 * 1024;

/// Decodes the picture, or the first frame of an animation, as it is stored: not turned, in its
/// own colours, with as many bits as it has.
///
/// A JPEG and most still WebPs come back `reduction` times smaller, everything else in full.
pub(super) fn decode(path: &Path, probe: &Probe, reduction: u32) -> Result<DynamicImage, Error> {
    let reader = || probe.parts().reader(path);
    match probe.format {
        Format::Jpeg => jpeg::decode(path, probe, reduction),
        Format::Png => {
            let decoder = PngDecoder::with_limits(reader()?, limits(probe)).map_err(refused)?;
            with(decoder, probe)
        }
        Format::Gif => with(GifDecoder::new(reader()?).map_err(refused)?, probe),
        Format::Bmp => with(BmpDecoder::new(reader()?).map_err(refused)?, probe),
        Format::Tiff => tiff::decode(path, probe),
        Format::Ico => icon(path, probe),
        Format::Webp => webp::decode(path, probe, reduction),
        #[cfg(feature = "codecs")]
        Format::Avif => avif::decode(path, probe),
        #[cfg(feature = "heic")]
        Format::Heic => heic::decode(path, probe),
        #[cfg(feature = "jxl")]
        Format::Jxl => jxl::decode(path, probe),
        #[cfg(feature = "svg")]
        Format::Svg => svg::decode(path, probe),
        #[cfg(not(all(feature = "codecs", feature = "heic", feature = "jxl", feature = "svg")))]
        _ => Err(Error::damaged("it cannot be decoded by this build")),
    }
}

/// The frames of an animation, each as the whole picture then looks, and how often it plays.
pub(super) fn frames<'a>(path: &Path, probe: &'a Probe) -> Result<(Frames<'a>, LoopCount), Error> {
    let reader = || probe.parts().reader(path);
    match probe.format {
        Format::Gif => moving(GifDecoder::new(reader()?).map_err(refused)?, probe),
        Format::Webp => moving(WebPDecoder::new(reader()?).map_err(refused)?, probe),
        _ => {
            let png = PngDecoder::with_limits(reader()?, limits(probe)).map_err(refused)?;
            if png.dimensions() != (probe.width, probe.height) {
                return Err(other_size());
            }
            let frames = png.apng().map_err(refused)?;
            let loops = frames.loop_count();
            Ok((frames.into_frames(), loops))
        }
    }
}

fn moving<'a>(
    mut decoder: impl ImageDecoder + AnimationDecoder<'a>,
    probe: &Probe,
) -> Result<(Frames<'a>, LoopCount), Error> {
    if decoder.dimensions() != (probe.width, probe.height) {
        return Err(other_size());
    }
    decoder.set_limits(limits(probe)).map_err(refused)?;
    let loops = decoder.loop_count();
    Ok((decoder.into_frames(), loops))
}

fn refused(cause: image::ImageError) -> Error {
    tracing::debug!(%cause, "a picture could not be decoded");
    Error::damaged("it cannot be decoded")
}

fn limits(probe: &Probe) -> Limits {
    let per_pixel = match probe.inside.decoding {
        Decoding::Whole { bytes_per_pixel } => bytes_per_pixel,
        Decoding::Samples(samples) => samples.bytes_per_pixel(),
        Decoding::Jpeg { .. } | Decoding::Scaled { .. } => 11,
    };
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(probe.width);
    limits.max_image_height = Some(probe.height);
    limits.max_alloc = Some(probe.pixels() * per_pixel + SLACK);
    limits
}

/// Decodes with one of the decoders of `image`. Its limits must be set by hand, as making an
/// image from a decoder sets none.
fn with(mut decoder: impl ImageDecoder, probe: &Probe) -> Result<DynamicImage, Error> {
    if decoder.dimensions() != (probe.width, probe.height) {
        return Err(other_size());
    }
    decoder.set_limits(limits(probe)).map_err(refused)?;
    DynamicImage::from_decoder(decoder).map_err(refused)
}

/// A PNG inside an icon may be of any kind, which the decoder of icons does not take.
fn icon(path: &Path, probe: &Probe) -> Result<DynamicImage, Error> {
    let bytes = probe.parts().read(path)?;
    match bytes.get(ico::HEADER..) {
        Some(png) if png.starts_with(png::SIGNATURE) => {
            let decoder = PngDecoder::with_limits(Cursor::new(png), limits(probe));
            with(decoder.map_err(refused)?, probe)
        }
        _ => with(IcoDecoder::new(Cursor::new(&bytes)).map_err(refused)?, probe),
    }
}

fn other_size() -> Error {
    Error::damaged("its pixels have another size than its header says")
}
