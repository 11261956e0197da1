//! Files that lie about their size, unfold into far more than they weigh, or are not pictures.

use flate2::{Compress, Compression, FlushCompress};

use super::{avif, gif as gifs, png as pngs, webp as webps};

/// The first two thirds of a file.
pub(crate) fn truncated(file: &[u8]) -> Vec<u8> {
    file[..file.len() * 2 / 3].to_vec()
}

/// A zlib stream of zeros that unfolds to `mebibytes` MiB. One block is deflated and repeated.
fn zeros(mebibytes: usize) -> Vec<u8> {
    let mut block = Vec::with_capacity(4096);
    Compress::new(Compression::best(), false)
        .compress_vec(&vec![0; 1 << 20], &mut block, FlushCompress::Full)
        .unwrap();
    let mut stream = vec![0x78, 0x9c];
    (0..mebibytes).for_each(|_| stream.extend(&block));
    // An empty last block, and the Adler-32 of so many zeros.
    stream.extend([3, 0]);
    let sum = ((mebibytes << 20) % 65_521) as u32;
    stream.extend((sum << 16 | 1).to_be_bytes());
    stream
}

fn png_file(chunks: &[Vec<u8>]) -> Vec<u8> {
    [pngs::SIGNATURE, &chunks.concat(), &pngs::chunk(b"IEND", &[])].concat()
}

/// 30,000 × 30,000 one-bit pixels, all of them there, in about 110 KB.
pub(crate) fn png_bomb_30000() -> Vec<u8> {
    let pixels = zeros(108);
    png_file(&[pngs::header(30_000, 30_000, 1, 0), pngs::chunk(b"IDAT", &pixels)])
}

/// A header of 9,000 × 9,000 RGBA pixels over a hundred bytes of data.
pub(crate) fn png_small_lie() -> Vec<u8> {
    let data = pngs::deflate(&[7; 100]);
    png_file(&[pngs::header(9_000, 9_000, 8, 6), pngs::chunk(b"IDAT", &data)])
}

/// A tiny picture whose colour profile unfolds to a gigabyte.
pub(crate) fn png_icc_bomb() -> Vec<u8> {
    let profile = [b"profile\0\0", zeros(1024).as_slice()].concat();
    png_file(&[
        pngs::header(8, 8, 8, 0),
        pngs::chunk(b"iCCP", &profile),
        pngs::chunk(b"IDAT", &pngs::deflate(&[0; 72])),
    ])
}

/// A tiny picture with compressed texts that unfold to 256 MiB each.
pub(crate) fn png_text_bomb() -> Vec<u8> {
    let text = zeros(256);
    let mut chunks = vec![pngs::header(8, 8, 8, 0)];
    chunks.push(pngs::chunk(b"zTXt", &[b"Comment\0\0", text.as_slice()].concat()));
    chunks.push(pngs::chunk(b"iTXt", &[b"Comment\0\x01\0\0\0", text.as_slice()].concat()));
    chunks.push(pngs::chunk(b"IDAT", &pngs::deflate(&[0; 72])));
    png_file(&chunks)
}

fn segment(marker: u8, data: &[u8]) -> Vec<u8> {
    let mut segment = vec![0xff, marker];
    segment.extend((data.len() as u16 + 2).to_be_bytes());
    segment.extend(data);
    segment
}

/// A three-colour JPEG of any size with `scans` scans of `scan` bytes of zeros.
fn jpeg_of_zeros(frame: u8, side: (u16, u16), scans: usize, scan: usize) -> Vec<u8> {
    let mut file = vec![0xff, 0xd8];
    file.extend(segment(0xdb, &[&[0][..], &[1; 64]].concat()));
    let mut size = vec![8];
    size.extend(side.1.to_be_bytes());
    size.extend(side.0.to_be_bytes());
    size.extend([3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0]);
    file.extend(segment(frame, &size));
    // One code of one bit: "nothing changes here".
    let table = |class: u8| [&[class, 1][..], &[0; 16]].concat();
    file.extend(segment(0xc4, &[table(0), table(0x10)].concat()));
    for _ in 0..scans {
        let last = if frame == 0xc2 { 0 } else { 63 };
        file.extend(segment(0xda, &[3, 1, 0, 2, 0, 3, 0, 0, last, 0]));
        file.extend(vec![0; scan]);
    }
    file.extend([0xff, 0xd9]);
    file
}

/// 200 KB that ask a progressive decoder for gigabytes of coefficients.
pub(crate) fn jpeg_bomb_progressive_65500() -> Vec<u8> {
    jpeg_of_zeros(0xc2, (65_500, 65_500), 1, 200_000)
}

pub(crate) fn jpeg_bomb_baseline_65500() -> Vec<u8> {
    jpeg_of_zeros(0xc0, (65_500, 65_500), 1, 200_000)
}

/// 36 megapixels that must be walked 5,000 times.
pub(crate) fn jpeg_bomb_scans() -> Vec<u8> {
    jpeg_of_zeros(0xc2, (6_000, 6_000), 5_000, 200)
}

/// `frames` frames of a few bytes each.
pub(crate) fn gif_bomb(frames: u32) -> Vec<u8> {
    let mut file = gifs::screen(2, 2);
    file.extend(gifs::repeat_for_ever());
    let frame = gifs::frame(2, 2, 1, 2);
    (0..frames).for_each(|_| file.extend(&frame));
    file.push(0x3b);
    file
}

/// A canvas of 16 × 16 over a bitstream of 600 × 400.
pub(crate) fn webp_lying() -> Vec<u8> {
    webps::riff(&[webps::extended(0, 16, 16), webps::plain(600, 400, [9, 9, 9, 255])])
}

/// One colour, 16,000 × 16,000, in a few dozen bytes.
pub(crate) fn webp_bomb() -> Vec<u8> {
    let mut file = webps::riff(&[webps::plain(16, 16, [9, 9, 9, 255])]);
    // Width and height less one, 14 bits each, follow the signature byte of the bitstream.
    let (side, at) = (16_000u32 - 1, 21);
    let high = u32::from(file[at + 3]) & 0xf0;
    file[at..at + 4].copy_from_slice(&(side | side << 14 | high << 24).to_le_bytes());
    file
}

/// A run-length coded BMP of 30,000 × 30,000 without pixels.
pub(crate) fn bmp_bomb() -> Vec<u8> {
    let mut file = super::bmp(8, 8);
    file[18..22].copy_from_slice(&30_000u32.to_le_bytes());
    file[22..26].copy_from_slice(&30_000u32.to_le_bytes());
    file
}

pub(crate) fn avif_bomb() -> Vec<u8> {
    avif::avif_header_only(60_000, 60_000)
}

pub(crate) fn layered_heic_header() -> Vec<u8> {
    b"\0\0\0\x18ftypheim\0\0\0\0heimheim\0\0\0\x08meta".to_vec()
}

pub(crate) fn mp4_header() -> Vec<u8> {
    b"\0\0\0\x18ftypisom\0\0\x02\0isommp42\0\0\0\x08free".to_vec()
}

pub(crate) fn webm_header() -> Vec<u8> {
    b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm".to_vec()
}

pub(crate) fn big_tiff_header() -> Vec<u8> {
    b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0".to_vec()
}

pub(crate) fn cursor_header() -> Vec<u8> {
    b"\0\0\x02\0\x01\0\x10\x10\0\0\0\0\0\0".to_vec()
}

pub(crate) fn raw_photo_header() -> Vec<u8> {
    b"II*\0\x10\0\0\0CR\x02\0".to_vec()
}

pub(crate) fn pdf() -> Vec<u8> {
    b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n".to_vec()
}
