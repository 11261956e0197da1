//! WebP files: still, moving, and with metadata.

use image::ExtendedColorType;
use image::codecs::webp::WebPEncoder;

use super::{SECRET, exif, quarter, quarters};

pub(crate) fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut chunk = kind.to_vec();
    chunk.extend((data.len() as u32).to_le_bytes());
    chunk.extend(data);
    if data.len() % 2 == 1 {
        chunk.push(0);
    }
    chunk
}

pub(crate) fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    let body = [b"WEBP".to_vec(), chunks.concat()].concat();
    chunk(b"RIFF", &body)
}

fn three(value: u32) -> [u8; 3] {
    let [a, b, c, _] = value.to_le_bytes();
    [a, b, c]
}

pub(crate) fn extended(flags: u8, width: u32, height: u32) -> Vec<u8> {
    let data = [&[flags, 0, 0, 0][..], &three(width - 1), &three(height - 1)].concat();
    chunk(b"VP8X", &data)
}

fn lossless(pixels: &[u8], width: u32, height: u32, color: ExtendedColorType) -> Vec<u8> {
    let mut file = Vec::new();
    WebPEncoder::new_lossless(&mut file).encode(pixels, width, height, color).unwrap();
    file
}

/// The `VP8L` chunk, with its header, of one colour.
pub(crate) fn plain(width: u32, height: u32, rgba: [u8; 4]) -> Vec<u8> {
    let pixels = rgba.repeat(width as usize * height as usize);
    lossless(&pixels, width, height, ExtendedColorType::Rgba8)[12..].to_vec()
}

/// Four quarters without loss; with alpha the right half is half transparent.
pub(crate) fn webp(width: u32, height: u32, alpha: bool) -> Vec<u8> {
    let (rgb, ..) = quarters(width, height, 1);
    if !alpha {
        return lossless(&rgb, width, height, ExtendedColorType::Rgb8);
    }
    let mut rgba = Vec::new();
    for y in 0..height {
        for x in 0..width {
            rgba.extend(quarter(x, y, width, height));
            rgba.push(if x >= width / 2 { 128 } else { 255 });
        }
    }
    lossless(&rgba, width, height, ExtendedColorType::Rgba8)
}

/// Four quarters as libwebp writes them with loss (a `VP8 ` chunk).
pub(crate) fn webp_lossy(width: u32, height: u32) -> Vec<u8> {
    let (rgb, ..) = quarters(width, height, 1);
    let config = ::webpx::EncoderConfig::new().quality(90.0);
    config.encode_rgb(&rgb, width, height, ::webpx::Unstoppable).unwrap()
}

/// A disc of one colour and its shades on another, which nobody sees where it is transparent.
pub(crate) fn webp_disc(width: u32, height: u32, is_lossy: bool, is_transparent: bool) -> Vec<u8> {
    let mut rgba = Vec::new();
    for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
        let part = |at: u32, of: u32| f64::from(at) / f64::from(of) - 0.5;
        let is_inside = part(x, width).hypot(part(y, height)) < 0.4;
        let shade = (x * 100 / width + y * 100 / height) as u8;
        rgba.extend(if is_inside { [20, 50 + shade, 40] } else { [240, 10, 230] });
        rgba.push(if is_inside || !is_transparent { 255 } else { 0 });
    }
    // What nobody sees would otherwise be left out.
    let config = ::webpx::EncoderConfig::new().quality(90.0).lossless(!is_lossy).exact(true);
    config.encode_rgba(&rgba, width, height, ::webpx::Unstoppable).unwrap()
}

/// An extended file with Exif, XMP, an unknown chunk and bytes after the end.
pub(crate) fn webp_with_exif(width: u32, height: u32, orientation: u8) -> Vec<u8> {
    let (rgb, stored_w, stored_h) = quarters(width, height, orientation);
    let still = lossless(&rgb, stored_w, stored_h, ExtendedColorType::Rgb8);
    let mut file = riff(&[
        extended(0b0000_1100, stored_w, stored_h),
        still[12..].to_vec(),
        chunk(b"EXIF", &exif::block(orientation, true)),
        chunk(b"XMP ", &exif::xmp()),
        chunk(b"prVt", SECRET),
    ]);
    file.extend(SECRET);
    file
}

/// `frames` pictures of 36 × 28, 50 ms each.
pub(crate) fn animated_webp(frames: u32) -> Vec<u8> {
    let (width, height) = (36, 28);
    let mut chunks =
        vec![extended(0b0001_0010, width, height), chunk(b"ANIM", &[255, 255, 255, 255, 0, 0])];
    for frame in 0..frames {
        let shade = (frame * 30) as u8;
        let mut data =
            [three(0), three(0), three(width - 1), three(height - 1), three(50)].concat();
        data.push(0b10);
        data.extend(plain(width, height, [200, shade, 60, 255]));
        chunks.push(chunk(b"ANMF", &data));
    }
    riff(&chunks)
}
