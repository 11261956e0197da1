//! AVIF files: one small picture, in as many boxes as the tests need.

use super::exif;

/// A key frame of 64 × 48, 4:2:0: four quarters, red and green above, blue and yellow below.
const FRAME: &[u8] = &[
    0x0a, 0x06, 0x18, 0x15, 0x7f, 0xbd, 0xb0, 0x08, 0x32, 0x2d, 0x45, 0xe0, 0x00, 0x00, 0x12, 0x00,
    0x01, 0x52, 0xd8, 0x57, 0xa1, 0xa6, 0xc7, 0x1a, 0x4c, 0x7b, 0x17, 0x65, 0x23, 0x1b, 0xfd, 0x86,
    0xb0, 0x74, 0x96, 0x7e, 0x9a, 0x8f, 0xcb, 0xcd, 0x73, 0xc4, 0x8c, 0x86, 0x86, 0x3d, 0x57, 0x31,
    0x28, 0x10, 0x31, 0xa2, 0x03, 0x3a, 0x80,
];

const WIDTH: u32 = 64;
const HEIGHT: u32 = 48;

pub(super) fn boxed(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut out = (body.len() as u32 + 8).to_be_bytes().to_vec();
    out.extend(kind);
    out.extend(body);
    out
}

/// A box with a version and no flags.
pub(super) fn full(kind: &[u8; 4], version: u8, body: &[u8]) -> Vec<u8> {
    boxed(kind, &[&[version, 0, 0, 0], body].concat())
}

fn ftyp(brand: &[u8; 4]) -> Vec<u8> {
    boxed(b"ftyp", &[&brand[..], &[0; 4], b"avifmif1miaf"].concat())
}

/// An item besides the picture: its type and its bytes.
type Extra = (&'static [u8; 4], Vec<u8>);

fn meta(width: u32, height: u32, turn: Option<u8>, extras: &[Extra], data_at: u32) -> Vec<u8> {
    let handler = full(b"hdlr", 0, &[&[0; 4][..], b"pict", &[0; 13]].concat());
    let primary = full(b"pitm", 0, &[0, 1]);
    let count = extras.len() as u8 + 1;
    let mut locations = vec![0x44, 0, 0, count];
    let mut infos = vec![0, count];
    let mut at = data_at;
    let sizes = std::iter::once(FRAME.len()).chain(extras.iter().map(|extra| extra.1.len()));
    for (index, size) in sizes.enumerate() {
        let id = index as u8 + 1;
        locations.extend([0, id, 0, 0, 0, 1]);
        locations.extend(at.to_be_bytes());
        locations.extend((size as u32).to_be_bytes());
        at += size as u32;
        let kind = if index == 0 { b"av01" } else { extras[index - 1].0 };
        let name: &[u8] = if kind == b"mime" { b"\0application/rdf+xml\0" } else { b"\0" };
        infos.extend(full(b"infe", 2, &[&[0, id, 0, 0], &kind[..], name].concat()));
    }
    let mut properties = [
        full(b"ispe", 0, &[width.to_be_bytes(), height.to_be_bytes()].concat()),
        full(b"pixi", 0, &[3, 8, 8, 8]),
        boxed(b"av1C", &[0x81, 0, 0x0c, 0]),
        boxed(b"colr", b"nclx\0\x02\0\x02\0\x02\0"),
    ]
    .concat();
    let mut association = vec![0, 0, 0, 1, 0, 1, 4, 1, 2, 0x83, 4];
    if let Some(quarters) = turn {
        properties.extend(boxed(b"irot", &[quarters]));
        association[6] = 5;
        association.push(0x85);
    }
    let properties = [boxed(b"ipco", &properties), full(b"ipma", 0, &association)].concat();
    let body = [
        handler,
        primary,
        full(b"iloc", 0, &locations),
        full(b"iinf", 0, &infos),
        boxed(b"iprp", &properties),
    ]
    .concat();
    full(b"meta", 0, &body)
}

fn file(width: u32, height: u32, turn: Option<u8>, extras: &[Extra]) -> Vec<u8> {
    let head = ftyp(b"avif");
    let data_at = head.len() + meta(width, height, turn, extras, 0).len() + 8;
    let meta = meta(width, height, turn, extras, data_at as u32);
    let mut data = FRAME.to_vec();
    extras.iter().for_each(|(_, bytes)| data.extend(bytes));
    [head, meta, boxed(b"mdat", &data)].concat()
}

/// Four quarters, 64 × 48.
pub(crate) fn avif() -> Vec<u8> {
    file(WIDTH, HEIGHT, None, &[])
}

/// The same, to be shown turned by 90° against the clock: 48 × 64, green at the top left.
pub(crate) fn avif_rotated() -> Vec<u8> {
    file(WIDTH, HEIGHT, Some(1), &[])
}

/// The same, in colours and on a curve that have these numbers.
#[cfg(feature = "codecs")]
pub(crate) fn avif_named(primaries: u8, curve: u8) -> Vec<u8> {
    let mut file = avif();
    let at = file.windows(4).position(|window| window == b"nclx").unwrap() + 4;
    file[at..at + 4].copy_from_slice(&[0, primaries, 0, curve]);
    file
}

/// With an Exif and an XMP item that tell the secret place.
pub(crate) fn avif_with_exif() -> Vec<u8> {
    let camera = [&[0; 4][..], &exif::block(1, true)].concat();
    file(WIDTH, HEIGHT, None, &[(b"Exif", camera), (b"mime", exif::xmp())])
}

/// The boxes claim a picture of `width` × `height`; there are no pixels at all.
pub(crate) fn avif_header_only(width: u32, height: u32) -> Vec<u8> {
    let head = ftyp(b"avif");
    let meta = meta(width, height, None, &[], 0);
    [head, meta].concat()
}

/// The boxes claim 16 × 16, the frame inside is larger.
pub(crate) fn avif_lying() -> Vec<u8> {
    file(16, 16, None, &[])
}

/// A sequence by its brand. The first picture can be shown, as the file has one as an item too.
pub(crate) fn avif_animated() -> Vec<u8> {
    let mut file = file(WIDTH, HEIGHT, None, &[]);
    file[8..12].copy_from_slice(b"avis");
    let sizes = full(b"stsz", 0, &[0u32, 3, 50, 50, 50].map(u32::to_be_bytes).concat());
    let mut header = [0u32, 0, 1000, 300].map(u32::to_be_bytes).concat();
    header.resize(96, 0);
    let track = [b"minf", b"mdia", b"trak"]
        .iter()
        .fold(boxed(b"stbl", &sizes), |inner, kind| boxed(kind, &inner));
    file.extend(boxed(b"moov", &[full(b"mvhd", 0, &header), track].concat()));
    file
}
