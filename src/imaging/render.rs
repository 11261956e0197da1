//! Smaller pictures out of a large one: decoded once and reduced, cut and resampled, converted to
//! sRGB, turned upright and encoded. The large picture itself is never turned or converted.

use std::borrow::Cow;
use std::path::Path;

use fast_image_resize::{FilterType, MulDiv, ResizeAlg, ResizeOptions, Resizer};
use image::DynamicImage;
use moxcms::ColorProfile;
use serde::{Deserialize, Serialize};

use super::decode::decode;
use super::facts::Probe;
use super::geometry::{self, HEADROOM, MAX_VARIANT, PLACEHOLDER, Plan};
use super::phash::phash;
use super::watermark::Stamp;
use super::{Error, Fit, Format, Watermark, animation, color, encode};

/// What a variant should be like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariantSpec {
    pub name: String,
    pub fit: Fit,
    /// 1 to 100, as JPEG and WebP encoders count it.
    pub quality: u8,
    pub output: Output,
    /// Whether an animation stays one, as WebP, where it is not too large for that.
    pub animate: bool,
}

/// How a variant is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Output {
    /// JPEG where everything is opaque, WebP otherwise.
    #[default]
    Auto,
    /// What is transparent becomes white.
    Jpeg,
    Png,
    Webp,
    /// Only in builds with the feature `codecs`, and only where it is asked for by name.
    Avif,
}

impl Output {
    pub const ALL: [Self; 5] = [Self::Auto, Self::Jpeg, Self::Png, Self::Webp, Self::Avif];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Avif => "avif",
        }
    }

    /// # Errors
    /// Says which words there are, or what the build lacks.
    pub fn parse(word: &str) -> Result<Self, &'static str> {
        let found = Self::ALL.into_iter().find(|one| one.as_str() == word);
        found.ok_or("must be auto, jpeg, png, webp or avif")?.check()
    }

    /// Itself, if this build can write it.
    ///
    /// # Errors
    /// Says what the build lacks.
    pub fn check(self) -> Result<Self, &'static str> {
        if self == Self::Avif && !cfg!(feature = "codecs") {
            return Err("cannot be avif: this server was built without the feature `codecs`");
        }
        Ok(self)
    }

    fn format(self, is_transparent: bool) -> Format {
        match self {
            Self::Auto if is_transparent => Format::Webp,
            Self::Auto | Self::Jpeg => Format::Jpeg,
            Self::Png => Format::Png,
            Self::Webp => Format::Webp,
            Self::Avif => Format::Avif,
        }
    }
}

/// One finished picture, upright, in sRGB and without metadata.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rendition {
    pub name: String,
    pub format: Format,
    pub width: u32,
    pub height: u32,
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rendered {
    /// In the order of the specifications.
    pub renditions: Vec<Rendition>,
    /// A ThumbHash.
    pub placeholder: Vec<u8>,
    /// The average of what can be seen, as RGB.
    pub color: [u8; 3],
    /// See [`phash`](super::phash()).
    pub phash: u64,
}

/// The decoded picture as it is stored.
pub(super) struct Original {
    /// Colours are multiplied by alpha where anything is transparent, as resampling needs it.
    pixels: DynamicImage,
    is_transparent: bool,
    profile: Option<ColorProfile>,
    stored: (u32, u32),
}

/// Makes all variants of a picture, or of the first frame of an animation.
///
/// `path` may be the probed file or its stripped copy. Takes as long as decoding takes and cannot
/// be interrupted; the limits of the probe keep that to seconds.
///
/// # Errors
/// [`Error::Damaged`] if the pixels cannot be decoded; [`Error::Io`]; [`Error::Encode`].
pub fn render(path: &Path, probe: &Probe, specs: &[VariantSpec]) -> Result<Rendered, Error> {
    render_fresh(path, &probe.again(path)?, specs)
}

/// As [`render`], for a file that has been probed just now.
pub(super) fn render_fresh(
    path: &Path,
    probe: &Probe,
    specs: &[VariantSpec],
) -> Result<Rendered, Error> {
    let original = Original::load(path, probe, geometry::reduction(probe, specs))?;
    let planned = specs.iter().map(|spec| geometry::plan(probe, spec.fit, MAX_VARIANT));
    let mut order: Vec<(usize, Plan)> = planned.enumerate().collect();
    order.sort_by(|(_, a), (_, b)| b.scale().total_cmp(&a.scale()));

    // Whole pictures made so far, each smaller than the one before: sources for smaller ones.
    let mut made: Vec<(Plan, DynamicImage)> = Vec::new();
    let mut renditions: Vec<Option<Rendition>> = specs.iter().map(|_| None).collect();
    for (index, plan) in order {
        let Some(spec) = specs.get(index) else { continue };
        if spec.animate
            && animation::is_possible(probe, &plan, spec.output)
            && let Some(moving) = animation::render(path, probe, &plan, spec.quality, None)?
        {
            renditions[index] = Some(moving.into_rendition(&spec.name));
            continue;
        }
        let image = original.variant(&plan, &made)?;
        let upright = upright(&image, probe);
        let format = spec.output.format(original.is_transparent);
        renditions[index] = Some(finish(&spec.name, &upright, format, spec.quality)?);
        if plan.is_whole {
            made.push((plan, image));
        }
    }
    let tiny = Fit::Contain { longer_side: PLACEHOLDER };
    let tiny = original.variant(&geometry::plan(probe, tiny, PLACEHOLDER), &made)?;
    let tiny = upright(&tiny, probe).to_rgba8();
    Ok(Rendered {
        renditions: renditions.into_iter().flatten().collect(),
        placeholder: color::placeholder(&tiny),
        color: color::average(&tiny),
        phash: phash(&tiny),
    })
}

/// Makes the picture itself anew: upright, at most `width` pixels wide, with the mark if any.
///
/// It stays in its family: PNG where nothing is lost; JPEG, or WebP where transparent, for all
/// others; animated WebP for animations that get a mark.
///
/// # Errors
/// As [`render`]; [`Error::AnimatedResize`] for animations that are to become smaller, or that
/// take too long to mark.
pub fn resize(
    path: &Path,
    probe: &Probe,
    width: u32,
    quality: u8,
    mark: Option<&Watermark>,
) -> Result<Rendition, Error> {
    resize_fresh(path, &probe.again(path)?, width, quality, mark)
}

/// As [`resize`], for a file that has been probed just now.
pub(super) fn resize_fresh(
    path: &Path,
    probe: &Probe,
    width: u32,
    quality: u8,
    mark: Option<&Watermark>,
) -> Result<Rendition, Error> {
    let stamp = mark.map(Stamp::new).transpose()?;
    if probe.is_animated {
        return resize_animation(path, probe, width, quality, stamp.as_ref());
    }
    let most = match probe.format {
        Format::Webp | Format::Avif | Format::Heic | Format::Jxl => MAX_VARIANT,
        _ => u32::from(u16::MAX),
    };
    let plan = geometry::plan(probe, Fit::Width(width), most);
    let original = Original::load(path, probe, geometry::reduction_to_width(probe, width))?;
    let format = match probe.format {
        Format::Jpeg => Format::Jpeg,
        Format::Png | Format::Bmp | Format::Tiff | Format::Ico | Format::Gif | Format::Svg => {
            Format::Png
        }
        Format::Webp => Format::Webp,
        Format::Avif | Format::Heic | Format::Jxl if original.is_transparent => Format::Webp,
        Format::Avif | Format::Heic | Format::Jxl => Format::Jpeg,
    };
    let image = original.variant(&plan, &[])?;
    drop(original);
    let mut upright = upright(&image, probe);
    if let Some(stamp) = &stamp {
        stamp.press(upright.to_mut())?;
    }
    finish("resized", &upright, format, quality)
}

/// An animation keeps its size: who asked for a smaller one would get a still picture elsewhere.
fn resize_animation(
    path: &Path,
    probe: &Probe,
    width: u32,
    quality: u8,
    stamp: Option<&Stamp>,
) -> Result<Rendition, Error> {
    let plan = geometry::plan(probe, Fit::Width(width), MAX_VARIANT);
    let is_smaller = plan.scale() < 1.0;
    if stamp.is_none() || is_smaller || !animation::is_possible(probe, &plan, Output::Webp) {
        return Err(Error::AnimatedResize);
    }
    let moving = animation::render(path, probe, &plan, quality, stamp)?;
    Ok(moving.ok_or(Error::AnimatedResize)?.into_rendition("resized"))
}

/// The picture as PNG, without loss: upright, with its profile and all its bits.
///
/// # Errors
/// As [`render`].
pub fn to_png(path: &Path, probe: &Probe) -> Result<Vec<u8>, Error> {
    to_png_fresh(path, &probe.again(path)?)
}

/// As [`to_png`], for a file that has been probed just now.
pub(super) fn to_png_fresh(path: &Path, probe: &Probe) -> Result<Vec<u8>, Error> {
    let mut image = decode(path, probe, 1)?;
    image.apply_orientation(probe.orientation.turn());
    encode::png(&image, color::profile_bytes(path, probe))
}

impl Original {
    fn load(path: &Path, probe: &Probe, reduction: u32) -> Result<Self, Error> {
        let pixels = decode(path, probe, reduction)?;
        Self::new(pixels, color::profile(path, probe), (probe.width, probe.height))
    }

    pub(super) fn new(
        mut pixels: DynamicImage,
        profile: Option<ColorProfile>,
        stored: (u32, u32),
    ) -> Result<Self, Error> {
        let is_transparent = color::is_transparent(&pixels);
        if is_transparent {
            MulDiv::new().multiply_alpha_inplace(&mut pixels).map_err(resampling)?;
        }
        Ok(Self { pixels, is_transparent, profile, stored })
    }

    /// A variant as it is stored, in sRGB with eight bits: from a smaller picture that is large
    /// enough if one has been made already.
    pub(super) fn variant(
        &self,
        plan: &Plan,
        made: &[(Plan, DynamicImage)],
    ) -> Result<DynamicImage, Error> {
        let enough = plan.scale() * HEADROOM;
        let smaller = made.iter().rev().find(|(source, _)| source.scale() >= enough);
        if let Some((_, source)) = smaller {
            return resample(source, self.stored, plan, self.is_transparent);
        }
        let mut image = resample(&self.pixels, self.stored, plan, false)?;
        if self.is_transparent {
            MulDiv::new().divide_alpha_inplace(&mut image).map_err(resampling)?;
        }
        Ok(self.finished(image))
    }

    /// Eight bits per colour, RGB or RGBA, sRGB.
    fn finished(&self, image: DynamicImage) -> DynamicImage {
        let is_gray = matches!(image, DynamicImage::ImageLuma8(_) | DynamicImage::ImageLuma16(_));
        let image = if self.is_transparent {
            DynamicImage::from(image.into_rgba8())
        } else if is_gray {
            DynamicImage::from(image.into_luma8())
        } else {
            DynamicImage::from(image.into_rgb8())
        };
        let image = match &self.profile {
            Some(profile) => color::to_srgb(image, profile),
            None => image,
        };
        if is_gray && !self.is_transparent { image.into_rgb8().into() } else { image }
    }
}

fn resampling(cause: impl std::fmt::Display) -> Error {
    Error::Encode(cause.to_string())
}

/// The middle of `source`, which shows all of the picture, in the size of the plan.
fn resample(
    source: &DynamicImage,
    stored: (u32, u32),
    plan: &Plan,
    use_alpha: bool,
) -> Result<DynamicImage, Error> {
    let share = |part: f64, whole: u32, pixels: u32| {
        let pixels = f64::from(pixels);
        (part / f64::from(whole) * pixels).clamp(1.0, pixels)
    };
    let width = share(plan.from.0, stored.0, source.width());
    let height = share(plan.from.1, stored.1, source.height());
    let left = (f64::from(source.width()) - width) / 2.0;
    let top = (f64::from(source.height()) - height) / 2.0;
    let mut target = DynamicImage::new(plan.to.0, plan.to.1, source.color());
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3))
        .crop(left, top, width, height)
        .use_alpha(use_alpha);
    Resizer::new().resize(source, &mut target, &options).map_err(resampling)?;
    Ok(target)
}

pub(super) fn upright<'a>(image: &'a DynamicImage, probe: &Probe) -> Cow<'a, DynamicImage> {
    if probe.orientation.is_upright() {
        return Cow::Borrowed(image);
    }
    let mut turned = image.clone();
    turned.apply_orientation(probe.orientation.turn());
    Cow::Owned(turned)
}

fn finish(
    name: &str,
    image: &DynamicImage,
    format: Format,
    quality: u8,
) -> Result<Rendition, Error> {
    let bytes = match format {
        Format::Png => encode::png(image, None)?,
        Format::Webp => encode::webp(image, quality)?,
        Format::Avif => encode::avif(image, quality)?,
        _ => encode::jpeg(image, quality)?,
    };
    let (width, height) = (image.width(), image.height());
    Ok(Rendition { name: name.to_owned(), format, width, height, bytes })
}
