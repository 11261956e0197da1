//! One file per format: each reads headers, and says which bytes of a file are the picture.
//! Nothing here unfolds pixels.

mod av1;
mod avif;
mod bits;
mod bmp;
mod boxes;
mod film;
mod gif;
mod heic;
mod heif;
mod hevc;
pub(super) mod ico;
mod ifd;
mod items;
mod jpeg;
mod jxl;
pub(super) mod png;
mod svg;
mod tiff;
mod webp;

#[cfg(feature = "codecs")]
pub(super) use jpeg::orientation_segment;
pub(super) use tiff::PHOTOMETRIC_AT;

use super::facts::Probe;
use super::source::Source;
use super::{Error, Format, Limits};

/// So many bytes at the start of a file are enough to recognise it.
pub(super) const HEAD: u64 = 1024;

/// Reads the headers of a file of a known format, from its start.
pub(super) fn read(format: Format, source: Source, limits: &Limits) -> Result<Probe, Error> {
    match format {
        Format::Jpeg => jpeg::read(source, limits),
        Format::Png => png::read(source, limits),
        Format::Gif => gif::read(source, limits),
        Format::Webp => webp::read(source, limits),
        Format::Bmp => bmp::read(source, limits),
        Format::Tiff => tiff::read(source, limits),
        Format::Ico => ico::read(source, limits),
        Format::Avif => avif::read(source, limits),
        Format::Heic => heic::read(source, limits),
        Format::Jxl => jxl::read(source, limits),
        Format::Svg => svg::read(source, limits),
    }
}

const NOT_A_PICTURE: &str = "it is not a picture";
const NOT_DECODED: &str = "convert it to JPEG, PNG or WebP first";

/// Formats that are known by their first bytes and not taken.
const FOREIGN: &[(&[u8], &str, &str)] = &[
    (b"II+\0", "BigTIFF", NOT_DECODED),
    (b"MM\0+", "BigTIFF", NOT_DECODED),
    (b"II*\0\x10\0\0\0CR", "a raw photograph", NOT_DECODED),
    (b"\0\0\0\x0cjP  ", "JPEG 2000", NOT_DECODED),
    (b"8BPS", "a Photoshop document", NOT_DECODED),
    (b"\0\0\x02\0", "a cursor file", NOT_DECODED),
    (b"%PDF-", "PDF", NOT_A_PICTURE),
    (b"\x1a\x45\xdf\xa3", "WebM", NOT_A_PICTURE),
    (b"OggS", "Ogg", NOT_A_PICTURE),
    (b"ID3", "MP3", NOT_A_PICTURE),
    (b"fLaC", "FLAC", NOT_A_PICTURE),
    (b"\x1f\x8b", "a packed file, such as SVGZ,", "unpack it first"),
    (b"PK\x03\x04", "a ZIP archive", NOT_A_PICTURE),
];

/// The format of a file by its first bytes.
pub(super) fn recognise(head: &[u8]) -> Result<Format, Error> {
    let format = match head {
        [0xff, 0xd8, 0xff, ..] => Format::Jpeg,
        _ if head.starts_with(png::SIGNATURE) => Format::Png,
        _ if head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a") => Format::Gif,
        _ if head.starts_with(b"RIFF") => recognise_riff(head)?,
        _ if bmp::begins(head) => Format::Bmp,
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] if head.get(8..10) != Some(b"CR") => {
            Format::Tiff
        }
        _ if ico::begins(head) => Format::Ico,
        _ if jxl::begins(head) => Format::Jxl,
        _ if head.get(4..8) == Some(b"ftyp") => heif::recognise(head)?,
        _ if super::svg::begins(head) => Format::Svg,
        _ => return Err(foreign(head)),
    };
    if format.is_accepted() {
        return Ok(format);
    }
    let (name, reason) = match format {
        Format::Jxl => ("JPEG XL", "this build cannot decode it: build with the feature `jxl`"),
        Format::Heic => ("HEIC", "this build cannot decode it: build with the feature `heic`"),
        Format::Svg => ("SVG", "this build cannot draw it: build with the feature `svg`"),
        _ => ("AVIF", "this build cannot decode it: build with the feature `codecs`"),
    };
    Err(Error::Unsupported { name, reason })
}

fn recognise_riff(head: &[u8]) -> Result<Format, Error> {
    match head.get(8..12) {
        Some(b"WEBP") => Ok(Format::Webp),
        Some(b"AVI ") => Err(Error::Unsupported { name: "AVI", reason: NOT_A_PICTURE }),
        Some(b"WAVE") => Err(Error::Unsupported { name: "WAV", reason: NOT_A_PICTURE }),
        _ => Err(Error::Unknown),
    }
}

fn foreign(head: &[u8]) -> Error {
    if let Some((_, name, reason)) = FOREIGN.iter().find(|(magic, ..)| head.starts_with(magic)) {
        return Error::Unsupported { name, reason };
    }
    Error::Unknown
}
