//! Pictures made on the spot, the same ones every time: honest, odd and hostile. Knows nothing of
//! the product; every function hands back the bytes of one file.

mod avif;
mod exif;
mod flat;
mod gif;
mod heic;
mod hostile;
mod ico;
mod jpeg;
mod jxl;
mod png;
mod svg;
mod tiff;
mod webp;

#[cfg(feature = "codecs")]
pub(crate) use avif::avif_named;
pub(crate) use avif::{
    avif, avif_animated, avif_header_only, avif_lying, avif_rotated, avif_with_exif,
};
pub(crate) use flat::{flat_jpeg, flat_png};
pub(crate) use gif::{gif, gif_with_comments};
#[cfg(feature = "heic")]
pub(crate) use heic::Heic;
pub(crate) use heic::{heic, heic_from_telephone};
pub(crate) use hostile::{
    avif_bomb, big_tiff_header, bmp_bomb, cursor_header, gif_bomb, jpeg_bomb_baseline_65500,
    jpeg_bomb_progressive_65500, jpeg_bomb_scans, layered_heic_header, mp4_header, pdf,
    png_bomb_30000, png_icc_bomb, png_small_lie, png_text_bomb, raw_photo_header, truncated,
    webm_header, webp_bomb, webp_lying,
};
pub(crate) use ico::{bitmap, ico, ico_of, ico_with_png};
pub(crate) use jpeg::{
    cmyk_jpeg, gray_jpeg, jpeg_of_a_sphere, jpeg_with_exif, jpeg_with_profile, photo_jpeg,
    progressive_jpeg, with_orientation, with_segment,
};
pub(crate) use jxl::{jxl, jxl_animated, jxl_bomb, jxl_turned, jxl_with_exif};
#[cfg(feature = "jxl")]
pub(crate) use jxl::{jxl_alpha, jxl_gray};
pub(crate) use png::{
    apng, png, png_gray, png_gray_alpha, png_one_bit, png_palette, png_sixteen_bit, png_turned,
    png_with_text,
};
pub(crate) use svg::{svg, svgz};
#[cfg(feature = "svg")]
pub(crate) use svg::{svg_bomb, svg_of, svgs_that_do_harm};
pub(crate) use tiff::{
    Page as TiffPage, tiff, tiff_alpha, tiff_cmyk, tiff_jpeg, tiff_lzw, tiff_one_bit, tiff_palette,
    tiff_sixteen_bit, tiff_told, tiff_with_profile,
};
pub(crate) use webp::{animated_webp, webp, webp_disc, webp_lossy, webp_with_exif};

/// What must not be found in any file that the public may fetch.
pub(crate) const SECRET: &[u8] = b"SECRET-PLACE";

pub(crate) const RED: [u8; 3] = [210, 40, 40];
pub(crate) const GREEN: [u8; 3] = [40, 180, 60];
pub(crate) const BLUE: [u8; 3] = [40, 60, 200];
pub(crate) const YELLOW: [u8; 3] = [230, 200, 50];

/// One colour and nothing else, as PNG.
pub(crate) fn plain_png(width: u32, height: u32, color: [u8; 3]) -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    let image = image::RgbImage::from_pixel(width, height, image::Rgb(color));
    image.write_to(&mut file, image::ImageFormat::Png).unwrap();
    file.into_inner()
}

/// Soft gradients with sensor-like noise, as RGB: compresses about as badly as a photograph.
pub(crate) fn photo_rgb(width: u32, height: u32, seed: u64) -> Vec<u8> {
    let mut noise = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let (w, h) = (f64::from(width.max(1)), f64::from(height.max(1)));
    let turn = (seed % 7) as f64;
    let mut rgb = Vec::with_capacity(width as usize * height as usize * 3);
    for y in 0..height {
        for x in 0..width {
            let (u, v) = (f64::from(x) / w, f64::from(y) / h);
            let wave = ((u * 9.0 + turn).sin() * (v * 7.0 - turn).cos() + 1.0) * 40.0;
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            let grain = (noise >> 60) as f64 - 8.0;
            for base in [u * 150.0, v * 140.0, (1.0 - u) * 130.0] {
                rgb.push((base + wave + grain + 20.0).clamp(0.0, 255.0) as u8);
            }
        }
    }
    rgb
}

/// The colour of a pixel in a picture of four quarters: red and green above, blue and yellow
/// below. No turn or mirror image of it looks like another.
pub(crate) fn quarter(x: u32, y: u32, width: u32, height: u32) -> [u8; 3] {
    match (x >= width / 2, y >= height / 2) {
        (false, false) => RED,
        (true, false) => GREEN,
        (false, true) => BLUE,
        (true, true) => YELLOW,
    }
}

/// Four quarters as RGB, stored so that a viewer who obeys the Exif `orientation` sees red at the
/// top left. `width` and `height` are those of the upright picture; the stored ones come back
/// with the pixels.
pub(crate) fn quarters(width: u32, height: u32, orientation: u8) -> (Vec<u8>, u32, u32) {
    let turned = orientation >= 5;
    let (stored_w, stored_h) = if turned { (height, width) } else { (width, height) };
    let mut rgb = Vec::with_capacity(width as usize * height as usize * 3);
    for y in 0..stored_h {
        for x in 0..stored_w {
            let (left, top) = match orientation {
                2 => (width - 1 - x, y),
                3 => (width - 1 - x, height - 1 - y),
                4 => (x, height - 1 - y),
                5 => (y, x),
                6 => (width - 1 - y, x),
                7 => (width - 1 - y, height - 1 - x),
                8 => (y, height - 1 - x),
                _ => (x, y),
            };
            rgb.extend(quarter(left, top, width, height));
        }
    }
    (rgb, stored_w, stored_h)
}

/// A 24-bit BMP, bottom row first.
pub(crate) fn bmp(width: u32, height: u32) -> Vec<u8> {
    let (rgb, ..) = quarters(width, height, 1);
    let row = (width as usize * 3).next_multiple_of(4);
    let mut file = b"BM".to_vec();
    let size = 54 + row * height as usize;
    for field in [size as u32, 0, 54, 40, width, height] {
        file.extend(field.to_le_bytes());
    }
    file.extend([1, 0, 24, 0]);
    file.extend([0; 24]);
    for line in rgb.chunks(width as usize * 3).rev() {
        let start = file.len();
        line.chunks(3).for_each(|p| file.extend([p[2], p[1], p[0]]));
        file.resize(start + row, 0);
    }
    file
}
