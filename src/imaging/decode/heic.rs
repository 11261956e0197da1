//! HEIC to pixels, with a decoder that is all Rust. It is not asked to turn anything.

use std::path::Path;

use fast_image_resize::MulDiv;
use heic_decoder::DecodeOptions;
use image::{DynamicImage, RgbImage, RgbaImage};

use super::super::Error;
use super::super::facts::Probe;
use super::other_size;

fn faulty(cause: impl std::fmt::Display) -> Error {
    tracing::debug!(%cause, "a HEIC could not be decoded");
    Error::damaged("it cannot be decoded")
}

pub(super) fn decode(path: &Path, probe: &Probe) -> Result<DynamicImage, Error> {
    let bytes = probe.parts().read(path)?;
    let size = (probe.width as usize, probe.height as usize);
    // Before it takes any memory, the decoder must have understood what the probe has.
    let found = heic_decoder::probe(&bytes).map_err(faulty)?;
    if (found.coded_width, found.coded_height) != size {
        return Err(other_size());
    }
    let decoded = heic_decoder::decode_with(&bytes, &DecodeOptions { apply_transforms: false });
    let decoded = decoded.map_err(faulty)?;
    drop(bytes);
    if (decoded.width, decoded.height) != size {
        return Err(other_size());
    }
    if decoded.alpha.is_none() {
        let pixels = decoded.to_rgb8().map_err(faulty)?.data;
        let image = RgbImage::from_raw(probe.width, probe.height, pixels);
        return image.map(DynamicImage::from).ok_or_else(other_size);
    }
    let pixels = decoded.to_rgba8().map_err(faulty)?;
    let image = RgbaImage::from_raw(probe.width, probe.height, pixels.data);
    let mut image = image.map(DynamicImage::from).ok_or_else(other_size)?;
    if pixels.premultiplied {
        MulDiv::new().divide_alpha_inplace(&mut image).map_err(faulty)?;
    }
    Ok(image)
}
