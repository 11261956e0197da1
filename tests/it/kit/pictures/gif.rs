//! GIF files, block by block.

use super::{SECRET, exif};

/// The logical screen of a GIF with four colours.
pub(crate) fn screen(width: u16, height: u16) -> Vec<u8> {
    let mut file = b"GIF89a".to_vec();
    file.extend(width.to_le_bytes());
    file.extend(height.to_le_bytes());
    file.extend([0x91, 0, 0]);
    file.extend([super::RED, super::GREEN, super::BLUE, super::YELLOW].concat());
    file
}

pub(crate) fn repeat_for_ever() -> Vec<u8> {
    b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0".to_vec()
}

fn sub_blocks(data: &[u8]) -> Vec<u8> {
    let mut blocks = Vec::new();
    for part in data.chunks(255) {
        blocks.push(part.len() as u8);
        blocks.extend(part);
    }
    blocks.push(0);
    blocks
}

/// One frame of a single colour, shown for `hundredths` of a second.
pub(crate) fn frame(width: u16, height: u16, color: u8, hundredths: u16) -> Vec<u8> {
    let mut block = vec![0x21, 0xf9, 4, 4];
    block.extend(hundredths.to_le_bytes());
    block.extend([0, 0, 0x2c, 0, 0, 0, 0]);
    block.extend(width.to_le_bytes());
    block.extend(height.to_le_bytes());
    block.extend([0, 2]);
    block.extend(sub_blocks(&lzw(usize::from(width) * usize::from(height), color)));
    block
}

/// Pixels as three-bit codes, with a clear code so often that codes never grow longer.
fn lzw(pixels: usize, color: u8) -> Vec<u8> {
    const CLEAR: u32 = 4;
    const END: u32 = 5;
    let mut codes = Vec::new();
    for at in 0..pixels {
        if at % 2 == 0 {
            codes.push(CLEAR);
        }
        codes.push(u32::from(color & 3));
    }
    codes.push(END);
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0u32, 0);
    for code in codes {
        held |= code << bits;
        bits += 3;
        while bits >= 8 {
            bytes.push(held as u8);
            held >>= 8;
            bits -= 8;
        }
    }
    if bits > 0 {
        bytes.push(held as u8);
    }
    bytes
}

/// 40 × 30 pixels, each frame in another colour, 100 ms each.
pub(crate) fn gif(frames: u32) -> Vec<u8> {
    let mut file = screen(40, 30);
    if frames > 1 {
        file.extend(repeat_for_ever());
    }
    for at in 0..frames {
        file.extend(frame(40, 30, at as u8, 10));
    }
    file.push(0x3b);
    file
}

/// A comment, plain text, XMP and a foreign extension, and bytes after the end.
pub(crate) fn gif_with_comments() -> Vec<u8> {
    let mut file = screen(40, 30);
    file.extend(repeat_for_ever());
    file.extend([0x21, 0xfe]);
    file.extend(sub_blocks(SECRET));
    // Not cut into blocks, with a ramp at its end for those who read it as such.
    file.extend([&b"\x21\xff\x0bXMP DataXMP"[..], &exif::xmp(), &[1]].concat());
    file.extend((0..=255).rev());
    file.push(0);
    file.extend([&b"\x21\xff\x0bPRIVATE 1.0"[..], &sub_blocks(SECRET)].concat());
    file.extend(
        [&b"\x21\x01\x0c\0\0\0\0\x28\0\x1e\0\x08\x08\x01\0"[..], &sub_blocks(SECRET)].concat(),
    );
    file.extend(frame(40, 30, 2, 10));
    file.extend([0x21, 0xfe]);
    file.extend(sub_blocks(SECRET));
    file.extend(frame(40, 30, 3, 10));
    file.push(0x3b);
    file.extend(SECRET);
    file
}
