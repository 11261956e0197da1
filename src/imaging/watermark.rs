//! A mark on a picture: where it goes, how large it becomes and how much shines through it.

use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::{DynamicImage, ImageFormat, RgbaImage, imageops};
use serde::{Deserialize, Serialize};

use super::Error;

/// What is drawn over pictures, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark {
    pub place: Place,
    /// How much of the picture's width and of its height the mark may take, in percent: it
    /// becomes as large as fits into both.
    pub scale: u8,
    /// The distance to the edges, in percent of the picture's shorter side.
    pub margin: u8,
    /// 100 hides what is behind the mark.
    pub opacity: u8,
    /// The mark itself, a small PNG in sRGB.
    #[serde(skip)]
    pub png: Vec<u8>,
}

/// One of nine places on a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    TopLeft,
    Top,
    TopRight,
    Left,
    Center,
    Right,
    BottomLeft,
    Bottom,
    #[default]
    BottomRight,
}

impl Place {
    pub const ALL: [Self; 9] = [
        Self::TopLeft,
        Self::Top,
        Self::TopRight,
        Self::Left,
        Self::Center,
        Self::Right,
        Self::BottomLeft,
        Self::Bottom,
        Self::BottomRight,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::TopLeft => "top_left",
            Self::Top => "top",
            Self::TopRight => "top_right",
            Self::Left => "left",
            Self::Center => "center",
            Self::Right => "right",
            Self::BottomLeft => "bottom_left",
            Self::Bottom => "bottom",
            Self::BottomRight => "bottom_right",
        }
    }

    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }

    /// Where something of this size begins inside something larger.
    fn within(self, outer: (u32, u32), inner: (u32, u32), margin: u32) -> (u32, u32) {
        let free = (outer.0.saturating_sub(inner.0), outer.1.saturating_sub(inner.1));
        let (near, far) = (margin, |free: u32| free.saturating_sub(margin));
        let x = match self {
            Self::TopLeft | Self::Left | Self::BottomLeft => near.min(free.0),
            Self::Top | Self::Center | Self::Bottom => free.0 / 2,
            Self::TopRight | Self::Right | Self::BottomRight => far(free.0),
        };
        let y = match self {
            Self::TopLeft | Self::Top | Self::TopRight => near.min(free.1),
            Self::Left | Self::Center | Self::Right => free.1 / 2,
            Self::BottomLeft | Self::Bottom | Self::BottomRight => far(free.1),
        };
        (x, y)
    }
}

/// A watermark that is ready to be pressed onto pictures.
pub(super) struct Stamp<'a> {
    mark: &'a Watermark,
    picture: DynamicImage,
}

impl<'a> Stamp<'a> {
    /// # Errors
    /// [`Error::Encode`] if the mark is no PNG.
    pub(super) fn new(mark: &'a Watermark) -> Result<Self, Error> {
        let picture = image::load_from_memory_with_format(&mark.png, ImageFormat::Png);
        let picture = picture.map_err(|cause| Error::Encode(format!("the watermark: {cause}")))?;
        Ok(Self { mark, picture: picture.into_rgba8().into() })
    }

    /// Draws the mark onto an upright picture of RGB or RGBA with eight bits.
    pub(super) fn press(&self, image: &mut DynamicImage) -> Result<(), Error> {
        let whole = (image.width(), image.height());
        let size = self.size(whole);
        let margin = whole.0.min(whole.1).saturating_mul(u32::from(self.mark.margin.min(100)));
        let (x, y) = self.mark.place.within(whole, size, margin / 100);
        let mut part = image.crop_imm(x, y, size.0, size.1).into_rgba8();
        imageops::overlay(&mut part, &self.faded(size)?, 0, 0);
        let (x, y) = (i64::from(x), i64::from(y));
        match image {
            DynamicImage::ImageRgba8(pixels) => imageops::replace(pixels, &part, x, y),
            DynamicImage::ImageRgb8(pixels) => {
                imageops::replace(pixels, &DynamicImage::from(part).into_rgb8(), x, y);
            }
            _ => return Err(Error::Encode("the picture has other colours".to_owned())),
        }
        Ok(())
    }

    /// As large as the mark may become, in its own proportions, and never larger than the picture.
    fn size(&self, whole: (u32, u32)) -> (u32, u32) {
        let share = |side: u32| f64::from(side) * f64::from(self.mark.scale.clamp(1, 100)) / 100.0;
        let (width, height) = (f64::from(self.picture.width()), f64::from(self.picture.height()));
        let scale = (share(whole.0) / width).min(share(whole.1) / height);
        let pixels = |length: f64, most: u32| ((length * scale).round() as u32).clamp(1, most);
        (pixels(width, whole.0.max(1)), pixels(height, whole.1.max(1)))
    }

    fn faded(&self, size: (u32, u32)) -> Result<RgbaImage, Error> {
        let mut scaled = DynamicImage::new_rgba8(size.0, size.1);
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3));
        let resized = Resizer::new().resize(&self.picture, &mut scaled, &options);
        resized.map_err(|cause| Error::Encode(cause.to_string()))?;
        let mut scaled = scaled.into_rgba8();
        let opacity = u32::from(self.mark.opacity.min(100));
        for pixel in scaled.pixels_mut() {
            pixel.0[3] = (u32::from(pixel.0[3]) * opacity / 100) as u8;
        }
        Ok(scaled)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{Rgb, RgbImage, Rgba};

    use super::*;

    fn mark(width: u32, height: u32, place: Place) -> Watermark {
        let mut png = Cursor::new(Vec::new());
        let red = RgbaImage::from_pixel(width, height, Rgba([255, 0, 0, 255]));
        red.write_to(&mut png, ImageFormat::Png).unwrap();
        Watermark { place, scale: 20, margin: 5, opacity: 50, png: png.into_inner() }
    }

    fn pressed(mark: &Watermark, width: u32, height: u32) -> RgbImage {
        let mut image = DynamicImage::from(RgbImage::from_pixel(width, height, Rgb([0, 0, 200])));
        Stamp::new(mark).unwrap().press(&mut image).unwrap();
        image.into_rgb8()
    }

    #[test]
    fn the_mark_lies_where_it_is_told_to() {
        for (place, x, y) in [
            (Place::TopLeft, 5..25, 5..15),
            (Place::Top, 40..60, 5..15),
            (Place::TopRight, 75..95, 5..15),
            (Place::Left, 5..25, 45..55),
            (Place::Center, 40..60, 45..55),
            (Place::Right, 75..95, 45..55),
            (Place::BottomLeft, 5..25, 85..95),
            (Place::Bottom, 40..60, 85..95),
            (Place::BottomRight, 75..95, 85..95),
        ] {
            let image = pressed(&mark(40, 20, place), 100, 100);
            for (at_x, at_y, pixel) in image.enumerate_pixels() {
                let is_marked = pixel.0 != [0, 0, 200];
                assert_eq!(
                    is_marked,
                    x.contains(&at_x) && y.contains(&at_y),
                    "{place:?} {at_x},{at_y}"
                );
            }
            assert_eq!(Place::find(place.as_str()), Some(place));
        }
    }

    #[test]
    fn opacity_lets_the_picture_shine_through() {
        let half = pressed(&mark(10, 10, Place::Center), 100, 100);
        let [r, g, b] = half.get_pixel(50, 50).0;
        assert!((125..=130).contains(&r) && g == 0 && (98..=102).contains(&b), "{r} {g} {b}");
        let whole = Watermark { opacity: 100, ..mark(10, 10, Place::Center) };
        assert_eq!(pressed(&whole, 100, 100).get_pixel(50, 50).0, [255, 0, 0]);
    }

    #[test]
    fn any_picture_takes_any_mark() {
        for (width, height) in [(1, 1), (3, 2000), (2000, 3), (50, 50)] {
            for (w, h) in [(1, 1), (1, 500), (500, 1), (700, 700)] {
                for margin in [0, 25, 100] {
                    let mark = Watermark { margin, scale: 100, ..mark(w, h, Place::BottomRight) };
                    assert_eq!(pressed(&mark, width, height).dimensions(), (width, height));
                }
            }
        }
        assert!(Stamp::new(&Watermark { png: vec![1], ..mark(1, 1, Place::Top) }).is_err());
    }

    #[test]
    fn what_is_clear_stays_clear() {
        let mut image = DynamicImage::from(RgbaImage::new(100, 100));
        Stamp::new(&mark(10, 10, Place::TopLeft)).unwrap().press(&mut image).unwrap();
        let image = image.into_rgba8();
        assert_eq!(image.get_pixel(10, 10).0[3], 127);
        assert_eq!(image.get_pixel(90, 90).0[3], 0);
    }
}
