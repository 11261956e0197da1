//! AVIF to pixels, with libavif and dav1d.

use std::path::Path;

use image::{DynamicImage, RgbaImage};
use libavif::RgbPixels;

use super::super::Error;
use super::super::facts::Probe;
use super::other_size;

pub(super) fn decode(path: &Path, probe: &Probe) -> Result<DynamicImage, Error> {
    let mut bytes = probe.parts().read(path)?;
    make_still(&mut bytes);
    let decoded = libavif::decode(&bytes).map_err(|cause| {
        tracing::debug!(%cause, "an AVIF could not be decoded");
        Error::damaged("it cannot be decoded")
    })?;
    drop(bytes);
    if (decoded.width(), decoded.height()) != (probe.width, probe.height) {
        return Err(other_size());
    }
    let pixels = RgbPixels::from(&decoded);
    drop(decoded);
    let (width, height) = (pixels.width(), pixels.height());
    let image = RgbaImage::from_raw(width, height, pixels.to_vec());
    image.map(DynamicImage::from).ok_or_else(other_size)
}

/// Makes a sequence look like the still picture that it also holds. The probe has looked into the
/// frames of that one only.
fn make_still(bytes: &mut [u8]) {
    let mut rest = bytes;
    while let Some(head) = rest.first_chunk::<8>() {
        let size = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let kind = [head[4], head[5], head[6], head[7]];
        if size < 8 || size > rest.len() {
            return;
        }
        let (this, after) = rest.split_at_mut(size);
        match &kind {
            b"moov" => this[4..8].copy_from_slice(b"free"),
            b"ftyp" => {
                let (brands, _) = this[8..].as_chunks_mut::<4>();
                brands.iter_mut().filter(|brand| *brand == b"avis").for_each(|b| *b = *b"avif");
            }
            _ => {}
        }
        rest = after;
    }
}
