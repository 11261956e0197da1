//! PNG (W3C, third edition): reads the header of every chunk to the last.

use std::io::Read;

use flate2::read::ZlibDecoder;

use super::super::facts::{
    Blocks, Decoding, Inside, MAX_BLOCK, MAX_PROFILE, Probe, Profile, check_frames, check_size,
};
use super::super::parts::Parts;
use super::super::source::{Source, Span};
use super::super::tiff::Tiff;
use super::super::{Error, Format, Limits, Orientation};

pub(in super::super) const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Deflate never does better than this.
const INFLATION: u64 = 1032;

/// Chunks of colour facts, once each and before the pixels. None is longer than a palette, but
/// for the profile.
const COLOR: &[&[u8; 4]] =
    &[b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"bKGD", b"cICP"];
const MAX_COLOR: u64 = 768;

/// What the walk has found so far.
struct Walk {
    width: u32,
    height: u32,
    signature: Span,
    /// `IHDR`; the orientation goes between it and the rest.
    header: Span,
    rest: Parts,
    seen: Vec<[u8; 4]>,
    data_bytes: u64,
    blocks: Blocks,
    profile: Option<Span>,
    frames: u32,
    duration_ms: u64,
}

/// Reads the picture from where `source` stands.
pub(super) fn read(mut source: Source, limits: &Limits) -> Result<Probe, Error> {
    let signature = Span::new(source.at(), SIGNATURE.len() as u64);
    source.skip(signature.len)?;
    let (kind, header) = next_chunk(&mut source)?;
    if &kind != b"IHDR" || header.len != 13 {
        return Err(Error::damaged("it does not begin with its header"));
    }
    let fields: [u8; 13] = source.array()?;
    let (width, height, depth, color) = size(&fields)?;
    check_size(width, height, limits.max_pixels, limits)?;
    let samples = samples(color, depth)?;
    let mut walk = Walk {
        width,
        height,
        signature,
        header: Span::new(header.at - 8, 25),
        rest: Parts::of(source.len()),
        seen: Vec::new(),
        data_bytes: 0,
        blocks: Blocks::default(),
        profile: None,
        frames: 0,
        duration_ms: 0,
    };
    source.seek(header.end() + 4)?;
    loop {
        let (kind, body) = next_chunk(&mut source)?;
        chunk(&mut walk, &mut source, kind, body, limits)?;
        source.seek(body.end() + 4)?;
        if &kind == b"IEND" {
            break;
        }
    }
    let row = (u64::from(width) * samples * u64::from(depth)).div_ceil(8);
    if row * u64::from(height) > walk.data_bytes * INFLATION {
        return Err(Error::damaged("it claims more pixels than it holds"));
    }
    finish(source, walk, bytes_per_pixel(color, depth), limits)
}

fn size(fields: &[u8; 13]) -> Result<(u32, u32, u8, u8), Error> {
    let [w3, w2, w1, w0, h3, h2, h1, h0, depth, color, compression, filter, interlace] = *fields;
    if compression != 0 || filter != 0 || interlace > 1 {
        return Err(Error::damaged("its header asks for unknown methods"));
    }
    let width = u32::from_be_bytes([w3, w2, w1, w0]);
    Ok((width, u32::from_be_bytes([h3, h2, h1, h0]), depth, color))
}

fn samples(color: u8, depth: u8) -> Result<u64, Error> {
    match (color, depth) {
        (0, 1 | 2 | 4 | 8 | 16) | (3, 1 | 2 | 4 | 8) => Ok(1),
        (2, 8 | 16) => Ok(3),
        (4, 8 | 16) => Ok(2),
        (6, 8 | 16) => Ok(4),
        _ => Err(Error::damaged("its header has an impossible kind of colour")),
    }
}

/// Of the decoded picture. A palette and a transparent colour may unfold to four samples.
fn bytes_per_pixel(color: u8, depth: u8) -> u64 {
    let samples = match color {
        0 => 2,
        4 => 2,
        _ => 4,
    };
    samples * if depth == 16 { 2 } else { 1 }
}

/// The kind and body of the next chunk, which is sure to be there with its checksum.
fn next_chunk(source: &mut Source) -> Result<([u8; 4], Span), Error> {
    let len = u64::from(u32::from_be_bytes(source.array()?));
    let kind = source.array()?;
    if len > i32::MAX as u64 || len + 4 > source.left() {
        return Err(Error::damaged("it ends in the middle of a chunk"));
    }
    Ok((kind, Span::new(source.at(), len)))
}

fn chunk(
    walk: &mut Walk,
    source: &mut Source,
    kind: [u8; 4],
    body: Span,
    limits: &Limits,
) -> Result<(), Error> {
    let whole = Span::new(body.at - 8, body.len + 12);
    let is_first = !walk.seen.contains(&kind);
    match &kind {
        b"IDAT" => {
            walk.data_bytes += body.len;
            walk.rest.copy(whole)?;
        }
        b"IEND" if body.len != 0 || walk.data_bytes == 0 => {
            return Err(Error::damaged("it has no picture"));
        }
        b"IEND" | b"fdAT" => walk.rest.copy(whole)?,
        b"fcTL" if body.len == 26 => {
            frame(walk, source.array()?, limits)?;
            walk.rest.copy(whole)?;
        }
        b"acTL" if body.len == 8 && is_first && walk.data_bytes == 0 => walk.rest.copy(whole)?,
        b"eXIf" if is_first && body.len <= MAX_BLOCK => walk.blocks.exif = Some(body),
        b"iTXt" if walk.blocks.xmp.is_none() && body.len <= MAX_BLOCK => {
            walk.blocks.xmp = xmp(source, body)?;
        }
        b"iCCP" if is_first && walk.data_bytes == 0 => {
            walk.profile = profile(source, body)?;
            if walk.profile.is_some() {
                walk.rest.copy(whole)?;
            }
        }
        b"iCCP" => {}
        _ if COLOR.contains(&&kind)
            && is_first
            && body.len <= MAX_COLOR
            && walk.data_bytes == 0 =>
        {
            walk.rest.copy(whole)?;
        }
        b"IHDR" | b"PLTE" | b"fcTL" | b"acTL" => {
            return Err(Error::damaged("one of its chunks is out of place"));
        }
        _ => {}
    }
    if is_first && walk.seen.len() < 64 {
        walk.seen.push(kind);
    }
    Ok(())
}

/// Takes in a frame control chunk.
fn frame(walk: &mut Walk, fields: [u8; 26], limits: &Limits) -> Result<(), Error> {
    let (numbers, _) = fields.as_chunks::<4>();
    let number =
        |at: usize| numbers.get(at).map_or(0, |bytes| u64::from(u32::from_be_bytes(*bytes)));
    let (width, height, left, top) = (number(1), number(2), number(3), number(4));
    if left + width > u64::from(walk.width) || top + height > u64::from(walk.height) {
        return Err(Error::damaged("one of its frames lies outside the picture"));
    }
    walk.frames += 1;
    check_frames(walk.frames, (walk.width, walk.height), limits)?;
    let over = u64::from(u16::from_be_bytes([fields[20], fields[21]]));
    let under = u64::from(u16::from_be_bytes([fields[22], fields[23]]));
    walk.duration_ms += over * 1000 / if under == 0 { 100 } else { under };
    Ok(())
}

/// Where the packet is in a text chunk, if it is one of XMP, which its standard wants unfolded.
fn xmp(source: &mut Source, body: Span) -> Result<Option<Span>, Error> {
    let head = source.read(Span::new(body.at, body.len.min(128)))?;
    let Some(names) = head.strip_prefix(b"XML:com.adobe.xmp\0\0\0") else {
        return Ok(None);
    };
    // A language and a translated keyword, which are empty as a rule.
    let mut ends = names.iter().enumerate().filter(|(_, byte)| **byte == 0);
    let Some((last, _)) = ends.nth(1) else {
        return Ok(None);
    };
    let skipped = (head.len() - names.len() + last + 1) as u64;
    Ok(Some(Span::new(body.at + skipped, body.len - skipped)))
}

/// Where the zlib stream of a colour profile is. It is unfolded once, to nowhere, so that no
/// decoder meets one that is larger than it should be. A broken one is nothing.
fn profile(source: &mut Source, body: Span) -> Result<Option<Span>, Error> {
    let too_large = Error::MetadataTooLarge { what: "a colour profile", allowed: MAX_PROFILE };
    if body.len > MAX_PROFILE {
        return Err(too_large);
    }
    let chunk = source.read(body)?;
    let Some(name) = chunk.iter().take(80).position(|byte| *byte == 0) else {
        return Ok(None);
    };
    let Some([0, stream @ ..]) = chunk.get(name + 1..) else {
        return Ok(None);
    };
    let mut unfolded = ZlibDecoder::new(stream).take(MAX_PROFILE + 1);
    match std::io::copy(&mut unfolded, &mut std::io::sink()) {
        Ok(size) if size > MAX_PROFILE => Err(too_large),
        Ok(_) => Ok(Some(Span::new(body.at + name as u64 + 2, stream.len() as u64))),
        Err(_) => Ok(None),
    }
}

fn finish(
    mut source: Source,
    walk: Walk,
    bytes_per_pixel: u64,
    limits: &Limits,
) -> Result<Probe, Error> {
    let mut orientation = Orientation::UPRIGHT;
    if let Some(span) = walk.blocks.exif {
        let block = source.read(span)?;
        let value = Tiff::parse(&block).and_then(|main| main.number(0x0112));
        orientation = value.map_or(orientation, Orientation::from_exif);
    }
    let mut parts = Parts::of(source.len());
    parts.copy(walk.signature)?;
    parts.copy(walk.header)?;
    if !orientation.is_upright() {
        parts.bytes(exif_chunk(&orientation.block()))?;
    }
    parts.append(walk.rest)?;
    let is_animated = walk.frames > 1 && walk.seen.contains(b"acTL");
    Ok(Probe {
        format: Format::Png,
        width: walk.width,
        height: walk.height,
        orientation,
        frames: if is_animated { walk.frames } else { 1 },
        is_animated,
        duration_ms: is_animated.then_some(walk.duration_ms),
        inside: Inside {
            parts,
            blocks: walk.blocks,
            profile: walk.profile.map_or(Profile::None, Profile::Deflated),
            decoding: Decoding::Whole { bytes_per_pixel: bytes_per_pixel + 1 },
            limits: *limits,
        },
    })
}

fn exif_chunk(block: &[u8]) -> Vec<u8> {
    let mut checksum = flate2::Crc::new();
    checksum.update(b"eXIf");
    checksum.update(block);
    let mut chunk = (block.len() as u32).to_be_bytes().to_vec();
    chunk.extend(b"eXIf");
    chunk.extend(block);
    chunk.extend(checksum.sum().to_be_bytes());
    chunk
}
