//! Pictures of one colour, which a profile gives its meaning.

use image::ImageEncoder;
use image::codecs::png::PngEncoder;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

const SIDE: u16 = 64;
const PIXELS: usize = SIDE as usize * SIDE as usize;

/// A JPEG of these samples, of which there are one, three or four.
pub(crate) fn flat_jpeg(samples: &[u8], kind: ColorType, profile: Option<&[u8]>) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 98);
    encoder.set_sampling_factor(SamplingFactor::R_4_4_4);
    if let Some(profile) = profile {
        encoder.add_icc_profile(profile).unwrap();
    }
    encoder.encode(&samples.repeat(PIXELS), SIDE, SIDE, kind).unwrap();
    file
}

pub(crate) fn flat_png(color: [u8; 3], profile: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = PngEncoder::new(&mut file);
    encoder.set_icc_profile(profile.to_vec()).unwrap();
    let side = u32::from(SIDE);
    encoder.write_image(&color.repeat(PIXELS), side, side, image::ExtendedColorType::Rgb8).unwrap();
    file
}
