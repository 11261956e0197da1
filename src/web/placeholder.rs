//! A thumbhash as a tiny picture inside the page, seen until the real one has come.

use base64::{Engine, engine::general_purpose::STANDARD};
use image::{ImageFormat, RgbaImage, imageops};
use std::io::Cursor;

/// The longer side of the tiny picture, in pixels: the browser's own smoothing does the rest.
const SIDE: u32 = 12;

/// The picture of a base64 thumbhash as a `data:` URI; empty where it is not a thumbhash.
pub(super) fn data_uri(hash: &str) -> String {
    png(hash)
        .map_or_else(String::new, |png| format!("data:image/png;base64,{}", STANDARD.encode(png)))
}

fn png(hash: &str) -> Option<Vec<u8>> {
    let hash = STANDARD.decode(hash).ok()?;
    let (width, height, pixels) = thumbhash::thumb_hash_to_rgba(&hash).ok()?;
    let (width, height) = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    let picture = RgbaImage::from_raw(width, height, pixels)?;
    let longer = width.max(height).max(1);
    let small = |side: u32| (side * SIDE / longer).max(1);
    let tiny = imageops::thumbnail(&picture, small(width), small(height));
    let mut png = Cursor::new(Vec::new());
    tiny.write_to(&mut png, ImageFormat::Png).ok()?;
    Some(png.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_becomes_a_small_picture() {
        let pixels = [200, 80, 40, 255].repeat(30 * 20);
        let hash = STANDARD.encode(thumbhash::rgba_to_thumb_hash(30, 20, &pixels));
        let uri = data_uri(&hash);
        assert!(uri.starts_with("data:image/png;base64,") && uri.len() < 800, "{uri}");
    }

    #[test]
    fn anything_else_becomes_nothing() {
        for hash in ["", "AA", "not base64!", "////////", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            let uri = data_uri(hash);
            assert!(uri.is_empty() || uri.starts_with("data:image/png"), "{uri}");
        }
    }
}
