//! Icons: a list of small pictures.

use super::quarters;

/// An icon of these pictures: side, bits for each pixel, and the bytes.
pub(crate) fn ico_of(pictures: &[(u8, u8, Vec<u8>)]) -> Vec<u8> {
    let mut file = vec![0, 0, 1, 0, pictures.len() as u8, 0];
    let mut at = 6 + 16 * pictures.len() as u32;
    for (side, depth, data) in pictures {
        file.extend([*side, *side, 0, 0, 1, 0, *depth, 0]);
        file.extend((data.len() as u32).to_le_bytes());
        file.extend(at.to_le_bytes());
        at += data.len() as u32;
    }
    pictures.iter().for_each(|(.., data)| file.extend(data));
    file
}

/// A bitmap of 32 bits without its file header, bottom row first. Its mask hides the lowest row.
pub(crate) fn bitmap(side: u8) -> Vec<u8> {
    let wide = u32::from(side);
    let (rgb, ..) = quarters(wide, wide, 1);
    let mut data = Vec::new();
    [40, wide, wide * 2].iter().for_each(|field| data.extend(field.to_le_bytes()));
    data.extend([1, 0, 32, 0]);
    data.extend([0; 24]);
    for row in rgb.chunks(wide as usize * 3).rev() {
        row.chunks(3).for_each(|p| data.extend([p[2], p[1], p[0], 255]));
    }
    let mask_row = wide.div_ceil(32) as usize * 4;
    data.extend(vec![255; mask_row]);
    data.extend(vec![0; mask_row * (wide as usize - 1)]);
    data
}

/// The largest picture is a bitmap of 48 × 48.
pub(crate) fn ico() -> Vec<u8> {
    ico_of(&[(16, 32, bitmap(16)), (48, 32, bitmap(48)), (32, 32, bitmap(32))])
}

/// The largest picture is a PNG of 64 × 64 without alpha, with a text.
pub(crate) fn ico_with_png() -> Vec<u8> {
    ico_of(&[(16, 32, bitmap(16)), (64, 24, super::png(64, 64, false))])
}
