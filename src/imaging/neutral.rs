//! A picture for what shows none: a dark ground with a sign on it.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};

use super::Error;

/// What stands on the ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// A triangle, as on the key that starts a player.
    Play,
    /// Bars of different heights, as sound moves them.
    Sound,
}

const GROUND: Rgb<u8> = Rgb([38, 38, 42]);
const INK: Rgb<u8> = Rgb([214, 212, 206]);

/// The longer side of such a picture, in pixels.
const SIDE: u32 = 1280;

/// How high the bars are, in parts of the sign.
const BARS: [f64; 7] = [0.3, 0.62, 1.0, 0.5, 0.82, 0.4, 0.22];

impl Sign {
    /// Whether it has ink at a place from -1 to 1 across and down.
    fn has(self, x: f64, y: f64) -> bool {
        match self {
            // Its middle is where its weight is.
            Self::Play => x >= -0.58 && x.abs().max(y.abs()) <= 1.0 && y.abs() <= (0.87 - x) * 0.58,
            Self::Sound => {
                let place = (x + 1.0) / 2.0 * BARS.len() as f64;
                let bar = usize::try_from(place.floor() as i64).ok().and_then(|n| BARS.get(n));
                bar.is_some_and(|high| place.fract() < 0.56 && y.abs() <= *high)
            }
        }
    }
}

/// A picture in these proportions, as PNG.
///
/// # Errors
/// [`Error::Encode`].
pub fn neutral((width, height): (u32, u32), sign: Sign) -> Result<Vec<u8>, Error> {
    let (width, height) = sized(width.max(1), height.max(1));
    let half = f64::from(width.min(height)) * 0.16;
    let middle = (f64::from(width) / 2.0, f64::from(height) / 2.0);
    let picture = RgbImage::from_fn(width, height, |x, y| {
        // Four looks at each pixel make edges soft.
        let looks = [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)];
        let at = |n: u32, part: f64, middle: f64| (f64::from(n) + part - middle) / half;
        let inked = looks
            .iter()
            .filter(|(right, down)| sign.has(at(x, *right, middle.0), at(y, *down, middle.1)));
        mixed(inked.count() as u32)
    });
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).map_err(|e| Error::Encode(e.to_string()))?;
    Ok(png.into_inner())
}

/// So many quarters of ink over the ground.
fn mixed(quarters: u32) -> Rgb<u8> {
    let mix = |n: usize| {
        let (ground, ink) = (u32::from(GROUND.0[n]), u32::from(INK.0[n]));
        u8::try_from((ground * (4 - quarters) + ink * quarters) / 4).unwrap_or(u8::MAX)
    };
    Rgb([mix(0), mix(1), mix(2)])
}

/// The same proportions, with sides that are neither large nor next to nothing.
fn sized(width: u32, height: u32) -> (u32, u32) {
    let longer = u64::from(width.max(height));
    let side = |side: u32| {
        let scaled = u64::from(side) * u64::from(SIDE) / longer;
        u32::try_from(scaled).unwrap_or(SIDE).clamp(64, SIDE)
    };
    (side(width), side(height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_the_proportions_and_its_sign_in_the_middle() {
        for (size, sign) in
            [((1920, 1080), Sign::Play), ((1080, 1920), Sign::Play), ((1, 1), Sign::Sound)]
        {
            let png = neutral(size, sign).unwrap();
            let picture = image::load_from_memory(&png).unwrap().to_rgb8();
            assert_eq!(*picture.get_pixel(picture.width() / 2, picture.height() / 2 + 1), INK);
            assert_eq!(*picture.get_pixel(2, 2), GROUND);
            assert_eq!(picture.width().max(picture.height()), SIDE);
            assert_eq!(size.0 > size.1, picture.width() > picture.height());
            assert!(png.len() < 40_000, "{}", png.len());
        }
        assert_eq!(sized(u32::MAX, 1), (1280, 64));
    }
}
