//! TIFF to pixels. The decoder only unfolds samples; what they mean is worked out here, as it
//! knows some of the meanings and not all.

use std::path::Path;

use image::{DynamicImage, ImageBuffer, Pixel};
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::Tag;

use super::super::Error;
use super::super::facts::{Alpha, Decoding, Meaning, Probe, Samples};
use super::super::formats::PHOTOMETRIC_AT;
use super::{SLACK, other_size};

fn faulty(cause: impl std::fmt::Display) -> Error {
    tracing::debug!(%cause, "a TIFF could not be decoded");
    Error::damaged("it cannot be decoded")
}

pub(super) fn decode(path: &Path, probe: &Probe) -> Result<DynamicImage, Error> {
    let Decoding::Samples(samples) = probe.inside.decoding else {
        return Err(other_size());
    };
    // To the decoder, all samples are light: so it hands them out as they are.
    let light = if samples.is_little { [1, 0] } else { [0, 1] };
    let parts = probe.parts().patched(PHOTOMETRIC_AT, &light);
    let mut limits = Limits::default();
    let bytes = probe.pixels() * samples.bytes_per_pixel() + SLACK;
    limits.decoding_buffer_size = usize::try_from(bytes).unwrap_or(usize::MAX);
    limits.intermediate_buffer_size = limits.decoding_buffer_size;
    let mut decoder = Decoder::new(parts.reader(path)?).map_err(faulty)?.with_limits(limits);
    if decoder.dimensions().map_err(faulty)? != (probe.width, probe.height) {
        return Err(other_size());
    }
    let mut unfolded = DecodingResult::U8(Vec::new());
    decoder.read_image_to_buffer(&mut unfolded).map_err(faulty)?;
    let size = (probe.width, probe.height);
    match unfolded {
        DecodingResult::U8(raw) if samples.meaning == Meaning::Palette => {
            let palette = decoder.get_tag_u16_vec(Tag::ColorMap).map_err(faulty)?;
            painted(&whole_bytes(raw, &samples, probe.width), &palette, size)
        }
        DecodingResult::U8(raw) if samples.depth < 8 => {
            let scale = 255 / ((1 << samples.depth) - 1);
            let mut light = whole_bytes(raw, &samples, probe.width);
            light.iter_mut().for_each(|value| *value *= scale);
            let light = colored(light, &samples, u8::MAX.into());
            shaped::<image::Luma<u8>>(light, size)
        }
        DecodingResult::U8(raw) => {
            let pixels = colored(chunky(raw, &samples), &samples, u8::MAX.into());
            match channels(&samples) {
                1 => shaped::<image::Luma<u8>>(pixels, size),
                2 => shaped::<image::LumaA<u8>>(pixels, size),
                3 => shaped::<image::Rgb<u8>>(pixels, size),
                _ => shaped::<image::Rgba<u8>>(pixels, size),
            }
        }
        DecodingResult::U16(raw) => {
            let pixels = colored(chunky(raw, &samples), &samples, u16::MAX.into());
            match channels(&samples) {
                1 => shaped::<image::Luma<u16>>(pixels, size),
                2 => shaped::<image::LumaA<u16>>(pixels, size),
                3 => shaped::<image::Rgb<u16>>(pixels, size),
                _ => shaped::<image::Rgba<u16>>(pixels, size),
            }
        }
        _ => Err(other_size()),
    }
}

fn shaped<P: Pixel>(
    pixels: Vec<P::Subpixel>,
    (width, height): (u32, u32),
) -> Result<DynamicImage, Error>
where
    DynamicImage: From<ImageBuffer<P, Vec<P::Subpixel>>>,
{
    let image = ImageBuffer::<P, _>::from_raw(width, height, pixels).map(DynamicImage::from);
    image.ok_or_else(other_size)
}

/// Colours of a pixel, without what may follow them in the file.
fn colors(samples: &Samples) -> usize {
    match samples.meaning {
        Meaning::Darkness | Meaning::Light | Meaning::Palette => 1,
        Meaning::Rgb | Meaning::Ycc => 3,
        Meaning::Inks => 4,
    }
}

/// Values of a pixel as it comes out: light or RGB, and alpha.
fn channels(samples: &Samples) -> usize {
    colors(samples).min(3) + usize::from(samples.alpha != Alpha::None)
}

/// Samples of fewer bits than eight, one in each byte. Rows begin on whole bytes.
fn whole_bytes(raw: Vec<u8>, samples: &Samples, width: u32) -> Vec<u8> {
    let (depth, width) = (usize::from(samples.depth), width as usize);
    let per_byte = 8 / depth.clamp(1, 8);
    if per_byte == 1 {
        return chunky(raw, samples).into_iter().step_by(samples.count.into()).collect();
    }
    let mask = (1u8 << depth) - 1;
    let row = |row: &[u8]| -> Vec<u8> {
        let of = |at: usize| row[at / per_byte] >> (8 - depth - at % per_byte * depth) & mask;
        (0..width.min(row.len() * per_byte)).map(of).collect()
    };
    raw.chunks(width.div_ceil(per_byte).max(1)).flat_map(row).collect()
}

/// Puts the samples of each pixel together.
fn chunky<T: Copy>(raw: Vec<T>, samples: &Samples) -> Vec<T> {
    if !samples.is_planar {
        return raw;
    }
    let plane = raw.len() / usize::from(samples.count.max(1));
    let planes: Vec<&[T]> = raw.chunks_exact(plane.max(1)).collect();
    (0..plane).flat_map(|at| planes.iter().map(move |plane| plane[at])).collect()
}

/// Indices as the colours that they stand for. Some programs write palettes of eight bits into
/// fields of sixteen.
fn painted(indices: &[u8], palette: &[u16], size: (u32, u32)) -> Result<DynamicImage, Error> {
    let shift = if palette.iter().any(|value| *value > 255) { 8 } else { 0 };
    let entries = palette.len() / 3;
    let color = |index: &u8| {
        [0, 1, 2].map(|part| {
            palette.get(part * entries + usize::from(*index)).map_or(0, |v| (v >> shift) as u8)
        })
    };
    shaped::<image::Rgb<u8>>(indices.iter().flat_map(color).collect(), size)
}

/// Light or RGB, and alpha, from samples of any other meaning. `most` is the largest value.
fn colored<T>(raw: Vec<T>, samples: &Samples, most: u32) -> Vec<T>
where
    T: Copy + Into<u32> + TryFrom<u32>,
{
    let is_plain = matches!(samples.meaning, Meaning::Light | Meaning::Rgb);
    let count = usize::from(samples.count.max(1));
    if is_plain && count == channels(samples) && samples.alpha != Alpha::Multiplied {
        return raw;
    }
    let mut out = Vec::with_capacity(raw.len() / count * channels(samples));
    let mut put = |value: u32| out.extend(T::try_from(value.min(most)).ok());
    for texel in raw.chunks_exact(count) {
        let at = |index: usize| texel.get(index).map_or(most, |value| (*value).into());
        let alpha = at(colors(samples));
        let tone = |value: u32| match samples.alpha {
            Alpha::Multiplied => value.min(most) * most / alpha.max(1),
            _ => value,
        };
        match samples.meaning {
            Meaning::Darkness => put(tone(most - at(0).min(most))),
            Meaning::Light | Meaning::Palette => put(tone(at(0))),
            Meaning::Rgb => (0..3).for_each(|color| put(tone(at(color)))),
            Meaning::Inks => (0..3).for_each(|ink| put((most - at(ink)) * (most - at(3)) / most)),
            Meaning::Ycc => from_differences([at(0), at(1), at(2)]).into_iter().for_each(&mut put),
        }
        if samples.alpha != Alpha::None {
            put(alpha);
        }
    }
    out
}

/// RGB from brightness and differences of eight bits (ITU-T T.871).
fn from_differences([light, blue, red]: [u32; 3]) -> [u32; 3] {
    let (light, blue, red) = (light as f32, blue as f32 - 128.0, red as f32 - 128.0);
    let green = light - 0.344_136 * blue - 0.714_136 * red;
    [light + 1.402 * red, green, light + 1.772 * blue].map(|value| value.round().max(0.0) as u32)
}
