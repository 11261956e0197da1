//! TIFF files, strip by strip: every kind that scanners and print shops hand over.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::{SECRET, exif, quarters};

/// A file of one page. Set up with [`Page::rgb`] and its like, changed by hand, written at last.
pub(crate) struct Page {
    pub is_big_endian: bool,
    /// Tag and values; those up to 65,535 are written as two bytes each.
    pub tags: Vec<(u16, Vec<u64>)>,
    /// Strips or tiles, as they are stored.
    pub chunks: Vec<Vec<u8>>,
}

impl Page {
    /// Any samples, all in one strip.
    pub(crate) fn new(
        (width, height): (u32, u32),
        photometric: u64,
        bits: &[u64],
        data: Vec<u8>,
    ) -> Self {
        let tags = vec![
            (256, vec![width.into()]),
            (257, vec![height.into()]),
            (258, bits.to_vec()),
            (259, vec![1]),
            (262, vec![photometric]),
            (277, vec![bits.len() as u64]),
            (278, vec![height.into()]),
        ];
        Self { is_big_endian: false, tags, chunks: vec![data] }
    }

    /// Four quarters of eight bits, stored as `orientation` says.
    pub(crate) fn rgb(width: u32, height: u32, orientation: u8) -> Self {
        let (rgb, stored_w, stored_h) = quarters(width, height, orientation);
        let mut page = Self::new((stored_w, stored_h), 2, &[8, 8, 8], rgb);
        page.set(274, &[orientation.into()]);
        page
    }

    pub(crate) fn set(&mut self, tag: u16, values: &[u64]) {
        self.tags.retain(|(of, _)| *of != tag);
        self.tags.push((tag, values.to_vec()));
    }

    fn value(&self, tag: u16) -> u64 {
        self.tags.iter().find(|(of, _)| *of == tag).unwrap().1[0]
    }

    fn put(&self, to: &mut Vec<u8>, value: u64, width: usize) {
        let bytes = value.to_le_bytes();
        let bytes = bytes[..width].iter();
        if self.is_big_endian { to.extend(bytes.rev()) } else { to.extend(bytes) }
    }

    /// Cuts the only strip, of so many bytes in a row, into strips of so many rows.
    pub(crate) fn cut(mut self, row_bytes: usize, rows: usize) -> Self {
        self.set(278, &[rows as u64]);
        self.chunks = self.chunks[0].chunks(row_bytes * rows).map(<[u8]>::to_vec).collect();
        self
    }

    /// Cuts the only strip of RGB into tiles of 32 × 32, the last ones standing over the edge.
    pub(crate) fn tiled(mut self) -> Self {
        let (width, height) = (self.value(256) as usize, self.value(257) as usize);
        let mut tiles = Vec::new();
        for top in (0..height).step_by(32) {
            for left in (0..width).step_by(32) {
                let mut tile = vec![99; 32 * 32 * 3];
                for row in 0..32.min(height - top) {
                    let from = ((top + row) * width + left) * 3;
                    let len = 32.min(width - left) * 3;
                    tile[row * 96..][..len].copy_from_slice(&self.chunks[0][from..][..len]);
                }
                tiles.push(tile);
            }
        }
        self.chunks = tiles;
        self.tags.retain(|(tag, _)| *tag != 278);
        self.set(322, &[32]);
        self.set(323, &[32]);
        self
    }

    /// One plane after another.
    pub(crate) fn planar(mut self) -> Self {
        let count = self.value(277) as usize;
        let whole = self.chunks.remove(0);
        let plane = |at| whole.iter().copied().skip(at).step_by(count).collect();
        self.chunks = (0..count).map(plane).collect();
        self.set(284, &[2]);
        self
    }

    pub(crate) fn deflated(mut self) -> Self {
        self.set(259, &[8]);
        for chunk in &mut self.chunks {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(chunk).unwrap();
            *chunk = encoder.finish().unwrap();
        }
        self
    }

    /// Header, strips, directory, values: the order of most programs.
    pub(crate) fn file(mut self) -> Vec<u8> {
        let mut file = if self.is_big_endian { b"MM\0*".to_vec() } else { b"II*\0".to_vec() };
        let len: usize = self.chunks.iter().map(|chunk| chunk.len().next_multiple_of(2)).sum();
        let directory_at = 8 + len as u64;
        self.put(&mut file, directory_at, 4);
        let mut starts = Vec::new();
        for chunk in &self.chunks {
            starts.push(file.len() as u64);
            file.extend(chunk);
            file.resize(file.len().next_multiple_of(2), 0);
        }
        let lengths: Vec<u64> = self.chunks.iter().map(|chunk| chunk.len() as u64).collect();
        let is_tiled = self.tags.iter().any(|(tag, _)| *tag == 322);
        for (tag, values) in [
            (if is_tiled { 324 } else { 273 }, starts),
            (if is_tiled { 325 } else { 279 }, lengths),
        ] {
            if !self.tags.iter().any(|(of, _)| *of == tag) {
                self.set(tag, &values);
            }
        }
        self.tags.sort_by_key(|(tag, _)| *tag);
        self.put(&mut file, self.tags.len() as u64, 2);
        let mut values = Vec::new();
        let values_at = directory_at + 2 + self.tags.len() as u64 * 12 + 4;
        for (tag, numbers) in &self.tags {
            // Bytes of a profile or of tables; a text; numbers of two or four bytes.
            let (kind, width) = match tag {
                347 | 700 | 33_723 | 34_675 => (7, 1),
                270 | 315 => (2, 1),
                _ if numbers.iter().all(|number| *number < 65_536) => (3, 2),
                _ => (4, 4),
            };
            let mut bytes = Vec::new();
            numbers.iter().for_each(|number| self.put(&mut bytes, *number, width));
            self.put(&mut file, u64::from(*tag), 2);
            self.put(&mut file, kind, 2);
            self.put(&mut file, numbers.len() as u64, 4);
            if bytes.len() <= 4 {
                bytes.resize(4, 0);
                file.extend(bytes);
            } else {
                self.put(&mut file, values_at + values.len() as u64, 4);
                values.extend(bytes);
                values.resize(values.len().next_multiple_of(2), 0);
            }
        }
        file.extend([0; 4]);
        file.extend(values);
        file
    }
}

fn bytes(text: &[u8]) -> Vec<u64> {
    text.iter().map(|byte| u64::from(*byte)).collect()
}

/// Eight bits, no compression, and a text that tells the secret place; bytes that belong to
/// nothing tell it too.
pub(crate) fn tiff(width: u32, height: u32, orientation: u8) -> Vec<u8> {
    let mut page = Page::rgb(width, height, orientation);
    page.set(270, &bytes(b"A street in spring\0"));
    page.set(315, &bytes(&[SECRET, b"\0"].concat()));
    let mut file = page.file();
    file.extend(SECRET);
    file
}

/// With XMP, and with the values of IPTC as they are.
pub(crate) fn tiff_told(is_big_endian: bool) -> Vec<u8> {
    let mut page = Page::rgb(64, 48, 1);
    page.is_big_endian = is_big_endian;
    page.set(700, &bytes(&exif::xmp()));
    let resources = exif::iptc();
    let at = resources.iter().position(|byte| *byte == 0x1c).unwrap();
    page.set(33_723, &bytes(&resources[at..]));
    page.file()
}

/// Samples of sixteen bits in many strips, the first byte first.
pub(crate) fn tiff_sixteen_bit(width: u32, height: u32) -> Vec<u8> {
    let (rgb, ..) = quarters(width, height, 1);
    let data = rgb.iter().flat_map(|value| [*value, *value]).collect();
    let mut page = Page::new((width, height), 2, &[16, 16, 16], data);
    page.is_big_endian = true;
    page.cut(width as usize * 6, 7).deflated().file()
}

/// Four inks, as print shops have them.
pub(crate) fn tiff_cmyk(width: u32, height: u32) -> Vec<u8> {
    let (rgb, ..) = quarters(width, height, 1);
    let inks = rgb.chunks(3).flat_map(|p| [255 - p[0], 255 - p[1], 255 - p[2], 0]).collect();
    Page::new((width, height), 5, &[8, 8, 8, 8], inks).file()
}

/// Four bits for each pixel, and what they stand for.
pub(crate) fn tiff_palette(width: u32, height: u32) -> Vec<u8> {
    let colors = [super::RED, super::GREEN, super::BLUE, super::YELLOW];
    let (rgb, ..) = quarters(width, height, 1);
    let indices: Vec<u8> = rgb
        .chunks(3)
        .map(|pixel| colors.iter().position(|color| color == pixel).unwrap() as u8)
        .collect();
    let row = |row: &[u8]| -> Vec<u8> {
        row.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).unwrap_or(&0)).collect()
    };
    let data = indices.chunks(width as usize).flat_map(row).collect();
    let mut page = Page::new((width, height), 3, &[4], data);
    let part = |part: usize| {
        (0..16)
            .map(move |at| colors.get(at).map_or(0, |color: &[u8; 3]| u64::from(color[part]) * 257))
    };
    let palette: Vec<u64> = part(0).chain(part(1)).chain(part(2)).collect();
    page.set(320, &palette);
    page.file()
}

/// Colours multiplied by an alpha of one half in the right half.
pub(crate) fn tiff_alpha(width: u32, height: u32) -> Vec<u8> {
    let (rgb, ..) = quarters(width, height, 1);
    let pixel = |(at, p): (usize, &[u8])| {
        let is_faint = at as u32 % width >= width / 2;
        let value = |value: u8| if is_faint { value / 2 } else { value };
        [value(p[0]), value(p[1]), value(p[2]), if is_faint { 128 } else { 255 }]
    };
    let data = rgb.chunks(3).enumerate().flat_map(pixel).collect();
    let mut page = Page::new((width, height), 2, &[8, 8, 8, 8], data);
    page.set(338, &[1]);
    page.file()
}

/// A scan: one bit for each pixel, white is zero; the right half is black.
pub(crate) fn tiff_one_bit(width: u32, height: u32) -> Vec<u8> {
    let row: Vec<u8> = (0..width.div_ceil(8))
        .map(|byte| (0..8).fold(0, |sum, bit| sum << 1 | u8::from(byte * 8 + bit >= width / 2)))
        .collect();
    Page::new((width, height), 0, &[1], row.repeat(height as usize)).file()
}

/// JPEGs in strips of 16 rows.
pub(crate) fn tiff_jpeg(width: u32, height: u32) -> Vec<u8> {
    let (rgb, ..) = quarters(width, height, 1);
    let mut page = Page::new((width, height), 6, &[8, 8, 8], rgb).cut(width as usize * 3, 16);
    page.set(259, &[7]);
    for chunk in &mut page.chunks {
        let rows = chunk.len() / (width as usize * 3);
        let mut jpeg = Vec::new();
        let mut encoder = Encoder::new(&mut jpeg, 90);
        encoder.set_sampling_factor(SamplingFactor::R_4_2_0);
        encoder.encode(chunk, width as u16, rows as u16, ColorType::Rgb).unwrap();
        *chunk = jpeg;
    }
    page.file()
}

/// As `tiff` writes them: LZW with differences between neighbours.
pub(crate) fn tiff_lzw(width: u32, height: u32) -> Vec<u8> {
    use tiff::encoder::{Compression, Predictor, TiffEncoder, colortype::RGB8};

    let (rgb, ..) = quarters(width, height, 1);
    let mut file = std::io::Cursor::new(Vec::new());
    let encoder = TiffEncoder::new(&mut file).unwrap();
    let mut encoder =
        encoder.with_compression(Compression::Lzw).with_predictor(Predictor::Horizontal);
    encoder.write_image::<RGB8>(width, height, &rgb).unwrap();
    file.into_inner()
}

pub(crate) fn tiff_with_profile(width: u32, height: u32, profile: &[u8]) -> Vec<u8> {
    let mut page = Page::rgb(width, height, 1);
    page.set(34_675, &bytes(profile));
    page.file()
}
