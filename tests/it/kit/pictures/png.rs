//! PNG files, chunk by chunk, so that each can have just what it should.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::{SECRET, exif, quarter, quarters};

pub(crate) const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

pub(crate) fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(kind);
    crc.update(data);
    let mut chunk = (data.len() as u32).to_be_bytes().to_vec();
    chunk.extend(kind);
    chunk.extend(data);
    chunk.extend(crc.sum().to_be_bytes());
    chunk
}

pub(crate) fn header(width: u32, height: u32, depth: u8, color: u8) -> Vec<u8> {
    let mut data = [width.to_be_bytes(), height.to_be_bytes()].concat();
    data.extend([depth, color, 0, 0, 0]);
    chunk(b"IHDR", &data)
}

pub(crate) fn deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// Rows without filters, deflated.
fn rows(height: u32, row: impl Fn(u32) -> Vec<u8>) -> Vec<u8> {
    let raw: Vec<u8> = (0..height).flat_map(|y| [vec![0], row(y)].concat()).collect();
    deflate(&raw)
}

fn file(chunks: &[Vec<u8>]) -> Vec<u8> {
    let end = chunk(b"IEND", &[]);
    [SIGNATURE, &chunks.concat(), &end].concat()
}

/// Four quarters, RGB or RGBA. With alpha the right half is half transparent and the lowest rows
/// are not there at all.
pub(crate) fn png(width: u32, height: u32, alpha: bool) -> Vec<u8> {
    let data = rows(height, |y| rgb_row(y, width, height, alpha));
    file(&[header(width, height, 8, if alpha { 6 } else { 2 }), chunk(b"IDAT", &data)])
}

fn rgb_row(y: u32, width: u32, height: u32, alpha: bool) -> Vec<u8> {
    let pixel = |x| {
        let mut pixel = quarter(x, y, width, height).to_vec();
        if alpha {
            let gone = y >= height - height / 4;
            pixel.push(if gone { 0 } else { [255, 128][usize::from(x >= width / 2)] });
        }
        pixel
    };
    (0..width).flat_map(pixel).collect()
}

pub(crate) fn png_gray(width: u32, height: u32) -> Vec<u8> {
    let data = rows(height, |y| (0..width).map(|x| (x * 3 + y) as u8).collect());
    file(&[header(width, height, 8, 0), chunk(b"IDAT", &data)])
}

pub(crate) fn png_gray_alpha(width: u32, height: u32) -> Vec<u8> {
    let data = rows(height, |y| (0..width).flat_map(|x| [(x * 3) as u8, (y * 5) as u8]).collect());
    file(&[header(width, height, 8, 4), chunk(b"IDAT", &data)])
}

pub(crate) fn png_one_bit(width: u32, height: u32) -> Vec<u8> {
    let row =
        |y: u32| vec![if y.is_multiple_of(2) { 0xaa } else { 0x55 }; width.div_ceil(8) as usize];
    file(&[header(width, height, 1, 0), chunk(b"IDAT", &rows(height, row))])
}

/// A palette of four colours, the last one transparent.
pub(crate) fn png_palette(width: u32, height: u32) -> Vec<u8> {
    let palette = [super::RED, super::GREEN, super::BLUE, super::YELLOW].concat();
    let index = |x, y| u8::from(x >= width / 2) + 2 * u8::from(y >= height / 2);
    let data = rows(height, |y| (0..width).map(|x| index(x, y)).collect());
    file(&[
        header(width, height, 8, 3),
        chunk(b"PLTE", &palette),
        chunk(b"tRNS", &[255, 255, 255, 0]),
        chunk(b"IDAT", &data),
    ])
}

pub(crate) fn png_sixteen_bit(width: u32, height: u32) -> Vec<u8> {
    let wide = |v: u8| [v, v];
    let data = rows(height, |y| {
        (0..width).flat_map(|x| quarter(x, y, width, height)).flat_map(wide).collect()
    });
    file(&[header(width, height, 16, 2), chunk(b"IDAT", &data)])
}

/// Four quarters stored as the eXIf chunk's orientation says.
pub(crate) fn png_turned(width: u32, height: u32, orientation: u8) -> Vec<u8> {
    let (rgb, stored_w, stored_h) = quarters(width, height, orientation);
    let line = stored_w as usize * 3;
    let data = rows(stored_h, |y| rgb[y as usize * line..][..line].to_vec());
    file(&[
        header(stored_w, stored_h, 8, 2),
        chunk(b"eXIf", &exif::block(orientation, true)),
        chunk(b"IDAT", &data),
    ])
}

/// Every place in a PNG where text can hide, before and after the pixels and after the end.
pub(crate) fn png_with_text() -> Vec<u8> {
    let (width, height) = (64, 48);
    let data = rows(height, |y| rgb_row(y, width, height, false));
    let text = [b"Comment\0", SECRET].concat();
    let international = [b"XML:com.adobe.xmp\0\0\0\0\0", exif::xmp().as_slice()].concat();
    let mut png = file(&[
        header(width, height, 8, 2),
        chunk(b"tEXt", &text),
        chunk(b"zTXt", &[b"Raw profile type iptc\0\0", deflate(SECRET).as_slice()].concat()),
        chunk(b"iTXt", &international),
        chunk(b"eXIf", &exif::block(1, true)),
        chunk(b"tIME", &[7, 232, 5, 1, 10, 0, 0]),
        chunk(b"sRGB", &[0]),
        chunk(b"prVt", SECRET),
        chunk(b"IDAT", &data[..data.len() / 2]),
        chunk(b"IDAT", &data[data.len() / 2..]),
        chunk(b"tEXt", &text),
    ]);
    png.extend(SECRET);
    png
}

/// An animation of `frames` pictures of 32 × 24, 80 ms each.
pub(crate) fn apng(frames: u32) -> Vec<u8> {
    let (width, height) = (32u32, 24u32);
    let mut chunks =
        vec![header(width, height, 8, 2), chunk(b"acTL", &[frames.to_be_bytes(), [0; 4]].concat())];
    let mut sequence = 0u32;
    for frame in 0..frames {
        let mut control = [sequence, width, height, 0, 0].map(u32::to_be_bytes).concat();
        control.extend([0, 80, 3, 232, 0, 0]);
        chunks.push(chunk(b"fcTL", &control));
        sequence += 1;
        let shade = (frame * 40) as u8;
        let data = rows(height, |_| [shade, 90, 120].repeat(width as usize));
        if frame == 0 {
            chunks.push(chunk(b"IDAT", &data));
        } else {
            chunks.push(chunk(b"fdAT", &[&sequence.to_be_bytes(), data.as_slice()].concat()));
            sequence += 1;
        }
    }
    file(&chunks)
}
