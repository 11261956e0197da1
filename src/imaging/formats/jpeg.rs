//! JPEG (ITU-T T.81, JFIF, Exif): walks from marker to marker to the end of the picture.

use super::super::facts::{
    Blocks, Colors, Decoding, Inside, MAX_PROFILE, Probe, Profile, check_size,
};
use super::super::parts::Parts;
use super::super::source::{Source, Span};
use super::super::tiff::Tiff;
use super::super::{Error, Format, Limits, Orientation};

/// All scans together may walk over this many times the pixels of the largest progressive
/// picture: enough for every encoder's usual ten scans, and too little to keep a core busy.
const SCANS: u64 = 20;

/// A block of coefficients takes at least a bit in some scan and covers at most 128 pixels.
const PIXELS_PER_BYTE: u64 = 8 * 128;

const ICC: &[u8] = b"ICC_PROFILE\0";
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const PHOTOSHOP: &[u8] = b"Photoshop 3.0\0";

/// What the walk has found so far.
#[derive(Default)]
struct Walk {
    frame: Option<Frame>,
    jfif: Option<[u8; 7]>,
    is_adobe: bool,
    blocks: Blocks,
    icc: Vec<(u8, Span)>,
    rest: Parts,
    scans: u64,
    scan_bytes: u64,
}

#[derive(Clone, Copy)]
struct Frame {
    width: u32,
    height: u32,
    components: u8,
    is_progressive: bool,
    coefficient_bytes: u64,
}

pub(super) fn read(mut source: Source, limits: &Limits) -> Result<Probe, Error> {
    let mut walk = Walk { rest: Parts::of(source.len()), ..Walk::default() };
    source.skip(2)?;
    while let Some(marker) = next_marker(&mut source)? {
        segment(&mut walk, &mut source, marker, limits)?;
    }
    let frame = walk.frame.ok_or_else(|| Error::damaged("it has no picture"))?;
    if u64::from(frame.width) * u64::from(frame.height) > walk.scan_bytes * PIXELS_PER_BYTE {
        return Err(Error::damaged("it claims more pixels than it holds"));
    }
    let orientation = orientation(&mut source, walk.blocks.exif)?;
    let profile = profile(&mut walk.icc)?;
    let parts = assemble(walk.jfif, orientation, walk.rest, source.len())?;
    let decoding = Decoding::Jpeg {
        is_progressive: frame.is_progressive,
        colors: match frame.components {
            1 => Colors::Gray,
            4 => Colors::Inks { are_light: walk.is_adobe },
            _ => Colors::Three,
        },
        coefficient_bytes: frame.coefficient_bytes,
    };
    Ok(Probe {
        format: Format::Jpeg,
        width: frame.width,
        height: frame.height,
        orientation,
        frames: 1,
        is_animated: false,
        duration_ms: None,
        inside: Inside { parts, blocks: walk.blocks, profile, decoding, limits: *limits },
    })
}

/// Width, height and the number of components of a plain JPEG that is a part of another file and
/// may have its tables elsewhere.
pub(super) fn inside(
    source: &mut Source,
    span: Span,
    limits: &Limits,
) -> Result<(u32, u32, u8), Error> {
    let mut walk = Walk { rest: Parts::of(source.len()), ..Walk::default() };
    source.seek(span.at)?;
    if source.array()? != [0xff, 0xd8] {
        return Err(Error::damaged("one of its pieces is no picture"));
    }
    while let Some(marker) = next_marker(source)? {
        segment(&mut walk, source, marker, limits)?;
    }
    let frame = walk.frame.filter(|_| source.at() <= span.end() && walk.scan_bytes > 0);
    let frame = frame.ok_or_else(|| Error::damaged("one of its pieces is no picture"))?;
    if frame.is_progressive || walk.scans > u64::from(frame.components) {
        return Err(Error::TooSlow);
    }
    if u64::from(frame.width) * u64::from(frame.height) > walk.scan_bytes * PIXELS_PER_BYTE {
        return Err(Error::damaged("it claims more pixels than it holds"));
    }
    Ok((frame.width, frame.height, frame.components))
}

/// The tables that go before such JPEGs, and nothing else.
pub(super) fn tables(source: &mut Source, span: Span) -> Result<Vec<u8>, Error> {
    let mut tables = vec![0xff, 0xd8];
    source.seek(span.at)?;
    source.skip(2)?;
    while let Some(marker) = next_marker(source)? {
        let at = source.at() - 2;
        let len = u64::from(u16::from_be_bytes(source.array()?));
        let whole = Span::new(at, len + 2);
        // A table that is shorter than its own length would swallow the next one when read again.
        if len < 2
            || !matches!(marker, 0xc4 | 0xdb)
            || whole.end() > span.end()
            || tables.len() > 65_536
        {
            return Err(Error::damaged("its tables make no sense"));
        }
        tables.extend(source.read(whole)?);
    }
    tables.extend([0xff, 0xd9]);
    Ok(tables)
}

/// The next marker, or nothing at the end of the picture. Bytes between segments are passed over,
/// as all decoders do.
fn next_marker(source: &mut Source) -> Result<Option<u8>, Error> {
    loop {
        source.skip_to(0xff)?;
        let mut marker = 0xff;
        while marker == 0xff {
            marker = source.byte()?;
        }
        match marker {
            // Stuffing, a restart out of place, or a marker of no length.
            0x00 | 0x01 | 0xd0..=0xd7 => {}
            0xd8 => return Err(Error::damaged("a second picture begins inside it")),
            0xd9 => return Ok(None),
            other => return Ok(Some(other)),
        }
    }
}

/// Takes in one segment; `source` stands behind its marker, and afterwards behind its end.
fn segment(walk: &mut Walk, source: &mut Source, marker: u8, limits: &Limits) -> Result<(), Error> {
    let at = source.at() - 2;
    let len = u64::from(u16::from_be_bytes(source.array()?));
    let whole = Span::new(at, len + 2);
    if len < 2 || len - 2 > source.left() {
        return Err(Error::damaged("a segment of it ends in the middle"));
    }
    match marker {
        0xc0..=0xc2 => {
            let frame = frame(&source.read(Span::new(at + 4, len - 2))?, marker, limits)?;
            if walk.frame.replace(frame).is_some() {
                return Err(Error::damaged("it has two frames"));
            }
            walk.rest.copy(whole)?;
        }
        0xc9..=0xcc => return Err(unsupported("it is coded arithmetically")),
        0xc3 | 0xc5..=0xc8 | 0xcd..=0xcf => {
            return Err(unsupported("it is lossless or hierarchical"));
        }
        0xda => return scan(walk, source, whole, limits),
        0xc4 | 0xdb | 0xdd => walk.rest.copy(whole)?,
        0xe0..=0xe2 | 0xed | 0xee => application(walk, source, marker, whole)?,
        _ => {}
    }
    source.seek(whole.end())
}

fn unsupported(reason: &'static str) -> Error {
    Error::Unsupported { name: "this kind of JPEG", reason }
}

fn frame(data: &[u8], marker: u8, limits: &Limits) -> Result<Frame, Error> {
    let [depth, h1, h0, w1, w0, components, rest @ ..] = data else {
        return Err(Error::damaged("its frame header is too short"));
    };
    let is_progressive = marker == 0xc2;
    let (width, height) = (u16::from_be_bytes([*w1, *w0]), u16::from_be_bytes([*h1, *h0]));
    let (width, height) = (u32::from(width), u32::from(height));
    let allowed = if is_progressive { limits.max_progressive_pixels } else { limits.max_pixels };
    check_size(width, height, allowed.min(limits.max_pixels), limits)?;
    if *depth != 8 {
        return Err(unsupported("it has more than eight bits per colour"));
    }
    if !matches!(components, 1 | 3 | 4) || rest.len() != usize::from(*components) * 3 {
        return Err(unsupported("it has an unusual number of colours"));
    }
    let factors: Vec<(u8, u8)> = rest.chunks(3).map(|c| (c[1] >> 4, c[1] & 15)).collect();
    if factors.iter().any(|(h, v)| !(1..=4).contains(h) || !(1..=4).contains(v)) {
        return Err(Error::damaged("its sampling factors are wrong"));
    }
    let most = |of: fn(&(u8, u8)) -> u8| u64::from(factors.iter().map(of).max().unwrap_or(1));
    let (across, down) = (most(|f| f.0), most(|f| f.1));
    let blocks_per_unit: u64 = factors.iter().map(|(h, v)| u64::from(h * v)).sum();
    let units = u64::from(width).div_ceil(8 * across) * u64::from(height).div_ceil(8 * down);
    let coefficient_bytes = units * blocks_per_unit * 128;
    Ok(Frame { width, height, components: *components, is_progressive, coefficient_bytes })
}

/// Takes in a scan: its header, and coded data up to the next marker that is not a restart.
fn scan(walk: &mut Walk, source: &mut Source, header: Span, limits: &Limits) -> Result<(), Error> {
    let Some(frame) = walk.frame else {
        return Err(Error::damaged("its pixels come before its size"));
    };
    walk.scans += 1;
    let work = u64::from(frame.width) * u64::from(frame.height) * walk.scans;
    if walk.scans > 4 && work > limits.max_progressive_pixels.saturating_mul(SCANS) {
        return Err(Error::TooSlow);
    }
    source.seek(header.end())?;
    loop {
        source.skip_to(0xff)?;
        let end = source.at();
        source.skip(1)?;
        match source.byte()? {
            0x00 | 0xd0..=0xd7 => {}
            // A fill byte: the marker may follow it.
            0xff => source.seek(end + 1)?,
            _ => {
                source.seek(end)?;
                walk.scan_bytes += end - header.end();
                return walk.rest.copy(Span::new(header.at, end - header.at));
            }
        }
    }
}

/// Takes in what decoders need to know about colours, and notes where the metadata is.
fn application(walk: &mut Walk, source: &mut Source, marker: u8, whole: Span) -> Result<(), Error> {
    let body = Span::new(whole.at + 4, whole.len - 4);
    let head = source.read(Span::new(body.at, body.len.min(32)))?;
    let blocks = &mut walk.blocks;
    match marker {
        0xe0 => {
            // Version, density; what may follow is a small copy of the picture.
            if let Some([b'J', b'F', b'I', b'F', 0, fields @ ..]) = head.get(..12)
                && walk.jfif.is_none()
            {
                walk.jfif = fields.first_chunk().copied();
            }
        }
        // Of several blocks of a kind the first counts; what did not fit into one is not read.
        0xe1 if head.starts_with(b"Exif\0") => blocks.exif = blocks.exif.or(Some(body)),
        0xe1 if head.starts_with(XMP) => blocks.xmp = blocks.xmp.or(Some(behind(body, XMP))),
        0xed if head.starts_with(PHOTOSHOP) => {
            blocks.iptc = blocks.iptc.or(Some(behind(body, PHOTOSHOP)));
        }
        0xe2 if head.starts_with(ICC) && head.len() >= 14 => {
            walk.icc.push((head[12], Span::new(body.at + 14, body.len - 14)));
            walk.rest.copy(whole)?;
        }
        0xee if head.starts_with(b"Adobe") && head.len() >= 12 => {
            let mut adobe = vec![0xff, 0xee, 0, 14];
            adobe.extend(&head[..12]);
            walk.rest.bytes(adobe)?;
            walk.is_adobe = true;
        }
        _ => {}
    }
    Ok(())
}

/// The rest of a segment behind the name that it begins with.
fn behind(body: Span, name: &[u8]) -> Span {
    let name = name.len() as u64;
    Span::new(body.at + name, body.len.saturating_sub(name))
}

fn orientation(source: &mut Source, exif: Option<Span>) -> Result<Orientation, Error> {
    let Some(span) = exif else {
        return Ok(Orientation::UPRIGHT);
    };
    let block = source.read(span)?;
    let value = Tiff::parse(&block).and_then(|main| main.number(0x0112));
    Ok(value.map_or(Orientation::UPRIGHT, Orientation::from_exif))
}

/// The pieces of the colour profile in their numbered order.
fn profile(pieces: &mut [(u8, Span)]) -> Result<Profile, Error> {
    if pieces.is_empty() {
        return Ok(Profile::None);
    }
    if pieces.iter().map(|(_, span)| span.len).sum::<u64>() > MAX_PROFILE {
        return Err(Error::MetadataTooLarge { what: "a colour profile", allowed: MAX_PROFILE });
    }
    pieces.sort_by_key(|(number, _)| *number);
    Ok(Profile::Pieces(pieces.iter().map(|(_, span)| *span).collect()))
}

/// All that public bytes say about how to turn them.
pub(in crate::imaging) fn orientation_segment(orientation: Orientation) -> Vec<u8> {
    [&b"\xff\xe1\0\x22Exif\0\0"[..], &orientation.block()].concat()
}

/// The public file: JFIF first, as its standard wants, then the orientation, then the picture.
fn assemble(
    jfif: Option<[u8; 7]>,
    orientation: Orientation,
    rest: Parts,
    source_len: u64,
) -> Result<Parts, Error> {
    let mut parts = Parts::of(source_len);
    let mut head = vec![0xff, 0xd8];
    if let Some(fields) = jfif {
        head.extend(b"\xff\xe0\0\x10JFIF\0");
        head.extend(fields);
        head.extend([0, 0]);
    }
    if !orientation.is_upright() {
        head.extend(orientation_segment(orientation));
    }
    parts.bytes(head)?;
    parts.append(rest)?;
    parts.bytes([0xff, 0xd9])?;
    Ok(parts)
}
