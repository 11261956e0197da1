//! Pictures: what a file is, what it says about itself, and how it looks when smaller. Knows no
//! tenant, no HTTP and no SQL, and touches no file but those it is given.
//!
//! [`probe`] comes first and reads headers with code of this room alone: type, size, frames,
//! orientation, and whether the claims are plausible. No decoder sees a file that has not passed
//! it, and none sees a part of a file that [`strip`] would drop.

mod animation;
mod color;
mod decode;
mod encode;
mod engine;
mod error;
mod facts;
mod formats;
mod geometry;
mod job;
mod metadata;
mod neutral;
mod orientation;
mod parts;
mod pool;
mod probe;
mod render;
mod source;
mod svg;
mod tiff;
mod turn;
mod watermark;
mod wire;

pub mod budget;
pub mod phash;
pub mod worker;

use std::fs::File;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use budget::Budget;
pub use engine::{Engine, Options, own_program};
pub use error::Error;
pub use facts::Probe;
pub use geometry::Fit;
pub use metadata::{Gps, Metadata, Projection, read_metadata};
pub use neutral::{Sign, neutral};
pub use orientation::Orientation;
pub use phash::phash;
pub use probe::{Purpose, probe};
pub use render::{Output, Rendered, Rendition, VariantSpec, render, resize, to_png};
pub use turn::turn_losslessly;
pub use watermark::{Place, Watermark};

/// A kind of picture, known by its content and never by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Format {
    Jpeg,
    Png,
    Gif,
    Webp,
    Bmp,
    Tiff,
    Ico,
    Avif,
    Heic,
    Jxl,
    Svg,
}

impl Format {
    /// The registered media type.
    pub fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Bmp => "image/bmp",
            Self::Tiff => "image/tiff",
            Self::Ico => "image/vnd.microsoft.icon",
            Self::Avif => "image/avif",
            Self::Heic => "image/heic",
            Self::Jxl => "image/jxl",
            Self::Svg => "image/svg+xml",
        }
    }

    /// The usual file name extension, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Gif => "gif",
            Self::Webp => "webp",
            Self::Bmp => "bmp",
            Self::Tiff => "tif",
            Self::Ico => "ico",
            Self::Avif => "avif",
            Self::Heic => "heic",
            Self::Jxl => "jxl",
            Self::Svg => "svg",
        }
    }

    const ALL: &[Self] = &[
        Self::Jpeg,
        Self::Png,
        Self::Gif,
        Self::Webp,
        Self::Bmp,
        Self::Tiff,
        Self::Ico,
        Self::Avif,
        Self::Heic,
        Self::Jxl,
        Self::Svg,
    ];

    /// The format with this media type, whether or not this build can decode it.
    pub fn from_mime(mime: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| format.mime().eq_ignore_ascii_case(mime.trim()))
    }

    /// Whether this build can take it in.
    fn is_accepted(self) -> bool {
        let optional = [
            (Self::Avif, cfg!(feature = "codecs")),
            (Self::Heic, cfg!(feature = "heic")),
            (Self::Jxl, cfg!(feature = "jxl")),
            (Self::Svg, cfg!(feature = "svg")),
        ];
        optional.iter().all(|(format, is_built)| *format != self || *is_built)
    }

    /// What this build can take in.
    pub fn accepted() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|format| format.is_accepted())
    }

    /// Whether originals of this format are turned into PNG, without loss, as they come in: they
    /// belong to desktops and scanners, and hardly a browser shows them.
    pub const fn becomes_png(self) -> bool {
        matches!(self, Self::Bmp | Self::Tiff | Self::Ico)
    }

    /// Whether any browser of today shows an original of this format. Of the others a rendering
    /// is shown, and the original is there to be downloaded.
    pub fn is_shown_everywhere(self) -> bool {
        !self.becomes_png() && !matches!(self, Self::Heic | Self::Jxl | Self::Svg)
    }

    /// Whether files of this format can do more than be looked at. Of such a file only the public
    /// bytes are ever kept, and they are handed out to be saved, not to be opened.
    pub const fn is_document(self) -> bool {
        matches!(self, Self::Svg)
    }
}

/// The drawing in an SVG without anything that does more than draw, as [`strip`] writes it.
///
/// # Errors
/// [`Error::Unknown`] if it is not SVG; [`Error::Damaged`] if it is no XML or has too many parts.
pub fn clean_svg(bytes: &[u8]) -> Result<String, Error> {
    svg::clean(bytes).map(|drawing| drawing.text)
}

/// What a picture may claim at most. Memory and time of all later work follow from these, as no
/// decoder can be interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Width × height of one frame. An animation may have ten times as many in all its frames.
    pub max_pixels: u64,
    /// The same for pictures that can only be decoded whole: progressive JPEG, AVIF,
    /// HEIC and JPEG XL.
    pub max_progressive_pixels: u64,
    pub max_frames: u32,
    /// One round of an animation.
    pub max_duration_ms: u64,
    /// Pixels along one side.
    pub max_side: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_pixels: 120_000_000,
            max_progressive_pixels: 50_000_000,
            max_frames: 2_000,
            max_duration_ms: 600_000,
            max_side: 65_500,
        }
    }
}

/// Writes the public bytes of a picture to the end of `to`.
///
/// These are the same pixels, bit for bit, without anything that tells about the photographer.
/// What stays is the colour profile, the loop of an animation and, where it is needed, the
/// orientation.
///
/// Stripping what has been stripped gives the same bytes again. Memory use is small and constant.
///
/// # Errors
/// [`Error::Io`], or [`Error::Damaged`] if the file is not the one that was probed.
pub fn strip(path: &Path, probe: &Probe, to: &mut File) -> Result<(), Error> {
    probe.parts().write(path, to)
}
