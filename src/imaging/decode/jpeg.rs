//! JPEG to pixels. A fast decoder that reduces the picture on the way does nearly all of them; a
//! patient one takes small pictures that the fast one finds fault with.

use std::path::Path;

use image::codecs::jpeg::JpegDecoder;
use image::{DynamicImage, GrayImage, RgbImage};
use jpeg_decoder::{Decoder, PixelFormat};

use super::super::Error;
use super::super::facts::{Colors, Decoding, PATIENT_PIXELS, Probe};
use super::{other_size, refused, with};

pub(super) fn decode(path: &Path, probe: &Probe, reduction: u32) -> Result<DynamicImage, Error> {
    let Decoding::Jpeg { colors, .. } = probe.inside.decoding else {
        return Err(other_size());
    };
    let outcome = match colors {
        Colors::Inks { are_light } => return inks(path, probe, reduction, are_light),
        Colors::Gray => fast(path, probe, reduction, true),
        Colors::Three => fast(path, probe, reduction, false),
    };
    match outcome {
        Err(Error::Damaged(_)) if probe.pixels() <= PATIENT_PIXELS => patient(path, probe),
        outcome => outcome,
    }
}

fn patient(path: &Path, probe: &Probe) -> Result<DynamicImage, Error> {
    with(JpegDecoder::new(probe.parts().reader(path)?).map_err(refused)?, probe)
}

fn image(
    pixels: Vec<u8>,
    (width, height): (u32, u32),
    is_gray: bool,
) -> Result<DynamicImage, Error> {
    let image = if is_gray {
        GrayImage::from_raw(width, height, pixels).map(DynamicImage::from)
    } else {
        RgbImage::from_raw(width, height, pixels).map(DynamicImage::from)
    };
    image.ok_or_else(other_size)
}

fn faulty(cause: impl std::fmt::Display) -> Error {
    tracing::debug!(%cause, "a JPEG decoder finds fault");
    Error::damaged("it cannot be decoded")
}

#[cfg(feature = "codecs")]
fn fast(path: &Path, probe: &Probe, reduction: u32, is_gray: bool) -> Result<DynamicImage, Error> {
    use turbojpeg::{Decompressor, Image, PixelFormat, ScalingFactor};

    let bytes = probe.parts().read(path)?;
    let mut decoder = Decompressor::new().map_err(faulty)?;
    let header = decoder.read_header(&bytes).map_err(faulty)?;
    if (header.width, header.height) != (probe.width as usize, probe.height as usize) {
        return Err(other_size());
    }
    let factor = ScalingFactor::new(1, reduction.max(1) as usize);
    decoder.set_scaling_factor(factor).map_err(faulty)?;
    let (width, height) = (factor.scale(header.width), factor.scale(header.height));
    let (format, samples) = if is_gray { (PixelFormat::GRAY, 1) } else { (PixelFormat::RGB, 3) };
    let mut pixels = vec![0; width * height * samples];
    let target = pixels.as_mut_slice();
    let target = Image { pixels: target, width, pitch: width * samples, height, format };
    decoder.decompress(&bytes, target).map_err(faulty)?;
    image(pixels, (width as u32, height as u32), is_gray)
}

#[cfg(not(feature = "codecs"))]
fn fast(path: &Path, probe: &Probe, reduction: u32, is_gray: bool) -> Result<DynamicImage, Error> {
    let expected = if is_gray { PixelFormat::L8 } else { PixelFormat::RGB24 };
    let (pixels, size) = reduced(path, probe, reduction, expected)?;
    image(pixels, size, is_gray)
}

/// Four inks on white paper, as light.
fn inks(
    path: &Path,
    probe: &Probe,
    reduction: u32,
    are_light: bool,
) -> Result<DynamicImage, Error> {
    let (pixels, size) = reduced(path, probe, reduction, PixelFormat::CMYK32)?;
    // The decoder takes all files for Adobe's, and turns light into ink.
    let flip = if are_light { 255 } else { 0 };
    let light = pixels.as_chunks().0.iter().flat_map(|[c, m, y, k]| {
        let black = u16::from(k ^ flip);
        [c, m, y].map(|ink| (u16::from(ink ^ flip) * black / 255) as u8)
    });
    image(light.collect(), size, false)
}

fn reduced(
    path: &Path,
    probe: &Probe,
    reduction: u32,
    expected: PixelFormat,
) -> Result<(Vec<u8>, (u32, u32)), Error> {
    let side =
        |length: u32| u16::try_from(length.div_ceil(reduction.max(1))).map_err(|_| other_size());
    let mut decoder = Decoder::new(probe.parts().reader(path)?);
    let (width, height) = decoder.scale(side(probe.width)?, side(probe.height)?).map_err(faulty)?;
    if decoder.info().map(|info| info.pixel_format) != Some(expected) {
        return Err(other_size());
    }
    let pixels = decoder.decode().map_err(faulty)?;
    Ok((pixels, (u32::from(width), u32::from(height))))
}
