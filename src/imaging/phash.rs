//! A fingerprint of how a picture looks, which stays nearly the same when the picture is scaled,
//! encoded again or made a little lighter. Turned, mirrored and cut pictures have others.

use std::f32::consts::PI;

use image::imageops::{self, FilterType};
use image::{GrayImage, Luma, RgbaImage};

/// The picture is looked at in this many rows and columns.
const SIDE: usize = 32;

/// Of its waves, the slowest so many across and down make the hash.
const WAVES: usize = 8;

/// A wave of this height or less may as well come from noise or from an encoder: about one step
/// of brightness, in the sum over all of the picture.
const NOISE: f32 = 24.0;

/// With fewer waves than this, too many pictures would look alike.
const LEAST_WAVES: usize = 8;

/// The hash of an upright picture of any size, best of some hundred pixels: 64 bits, one for each
/// slow wave of its brightness (a discrete cosine transform) that is stronger than the median.
///
/// 0 stands for unknown: a picture of one colour, or of so little structure that its hash would
/// be that of many others. What is transparent counts as white.
pub fn phash(image: &RgbaImage) -> u64 {
    if image.width() == 0 || image.height() == 0 {
        return 0;
    }
    let waves = waves(&brightness(image));
    if waves.iter().filter(|wave| wave.abs() > NOISE).count() < LEAST_WAVES {
        return 0;
    }
    let mut sorted = waves;
    sorted.sort_by(f32::total_cmp);
    let median = (sorted[WAVES * WAVES / 2 - 1] + sorted[WAVES * WAVES / 2]) / 2.0;
    // Waves of nearly no height shall not decide by their noise.
    let is_strong = |wave: &f32| *wave > median + NOISE;
    waves.iter().fold(0, |hash, wave| hash << 1 | u64::from(is_strong(wave)))
}

/// In how many bits two hashes differ: 0 to 64. Up to about 10 the pictures are most likely the
/// same. Says nothing where one of them is unknown.
pub fn distance(a: u64, b: u64) -> u32 {
    (a ^ b).count_ones()
}

/// The brightness of a picture in a square of [`SIDE`] pixels, on white.
fn brightness(image: &RgbaImage) -> GrayImage {
    let gray = GrayImage::from_fn(image.width(), image.height(), |x, y| {
        let [r, g, b, alpha] = image.get_pixel(x, y).0.map(u32::from);
        let luma = (r * 299 + g * 587 + b * 114) / 1000;
        Luma([((luma * alpha + 255 * (255 - alpha)) / 255) as u8])
    });
    imageops::resize(&gray, SIDE as u32, SIDE as u32, FilterType::Triangle)
}

/// The heights of the slowest waves, row by row.
fn waves(square: &GrayImage) -> [f32; WAVES * WAVES] {
    let swings: [[f32; SIDE]; WAVES] = std::array::from_fn(|wave| {
        std::array::from_fn(|at| (PI / SIDE as f32 * (at as f32 + 0.5) * wave as f32).cos())
    });
    let across = |row: &[u8]| {
        swings.map(|swing| row.iter().zip(swing).map(|(value, s)| f32::from(*value) * s).sum())
    };
    let rows: Vec<[f32; WAVES]> = square.as_raw().chunks_exact(SIDE).map(across).collect();
    let mut waves = [0.0; WAVES * WAVES];
    for (at, height) in waves.iter_mut().enumerate() {
        let swing = &swings[at / WAVES];
        *height = rows.iter().zip(swing).map(|(row, s)| row[at % WAVES] * s).sum();
    }
    // The first is the brightness of the whole.
    waves[0] = 0.0;
    waves
}

#[cfg(test)]
mod tests {
    use image::codecs::jpeg::JpegEncoder;
    use image::{DynamicImage, Rgb, RgbImage};

    use super::*;

    /// Twelve patches of colour on a sky, at places that the seed decides.
    fn scene(seed: u32) -> DynamicImage {
        let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
        let mut random = |below: u32| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state % below
        };
        let mut image = RgbImage::from_fn(300, 200, |_, y| Rgb([90, 120, 160 - (y / 2) as u8]));
        for _ in 0..12 {
            let (left, top) = (random(260), random(170));
            let (width, height) = (20 + random(100), 20 + random(80));
            let color = Rgb([random(256) as u8, random(256) as u8, random(256) as u8]);
            for (x, y) in
                (left..left + width).flat_map(|x| (top..top + height).map(move |y| (x, y)))
            {
                if x < 300 && y < 200 {
                    image.put_pixel(x, y, color);
                }
            }
        }
        image.into()
    }

    fn hash(image: &DynamicImage) -> u64 {
        phash(&image.resize(100, 100, FilterType::Lanczos3).to_rgba8())
    }

    fn encoded(image: &DynamicImage, quality: u8) -> DynamicImage {
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(image).unwrap();
        image::load_from_memory(&bytes).unwrap()
    }

    #[test]
    fn the_same_picture_is_known_again() {
        for seed in 1..9 {
            let image = scene(seed);
            let told = hash(&image);
            let far = |other: &DynamicImage| distance(told, hash(other));
            assert_ne!(told, 0);
            assert!(far(&encoded(&image, 50)) <= 6, "{seed}: encoded again");
            assert!(far(&image.resize(150, 100, FilterType::Triangle)) <= 6, "{seed}: scaled");
            assert!(far(&image.brighten(15)) <= 10, "{seed}: lighter");
            assert!(far(&image.adjust_contrast(-15.0)) <= 10, "{seed}: flatter");
        }
    }

    #[test]
    fn other_pictures_are_others() {
        let all: Vec<u64> = (1..13).map(|seed| hash(&scene(seed))).collect();
        for (at, a) in all.iter().enumerate() {
            for b in &all[..at] {
                assert!(distance(*a, *b) > 16, "{a:016x} {b:016x}");
            }
        }
        let turned = hash(&scene(1).rotate90());
        assert!(distance(all[0], turned) > 16);
    }

    #[test]
    fn a_picture_without_structure_is_unknown() {
        let plain = |width, height| RgbaImage::from_pixel(width, height, [200, 40, 40, 255].into());
        for (width, height) in [(100, 100), (1, 1), (100, 1), (0, 0)] {
            assert_eq!(phash(&plain(width, height)), 0, "{width} × {height}");
        }
        let slope = RgbaImage::from_fn(100, 60, |x, _| [x as u8 * 2, 90, 90, 255].into());
        assert_eq!(phash(&slope), 0);
        // Nothing of it can be seen.
        let noise = |x: u32, y: u32| ((x * 7919) ^ (y * 104_729)) as u8;
        let clear = RgbaImage::from_fn(100, 60, |x, y| [noise(x, y), 9, noise(y, x), 0].into());
        assert_eq!(phash(&clear), 0);
    }
}
