//! WebP (RFC 9649): reads the RIFF chunks and the first bytes of every bitstream in them.

use super::super::facts::{
    Blocks, Decoding, Inside, MAX_BLOCK, MAX_PROFILE, Probe, Profile, check_frames, check_size,
};
use super::super::parts::Parts;
use super::super::source::{Source, Span};
use super::super::tiff::Tiff;
use super::super::{Error, Format, Limits, Orientation};

const ANIMATION: u8 = 0b0000_0010;
const EXIF: u8 = 0b0000_1000;
const ALPHA: u8 = 0b0001_0000;
const ICC: u8 = 0b0010_0000;

/// The picture so far, a frame and its pixels as they are stored.
const ANIMATED: Decoding = Decoding::Whole { bytes_per_pixel: 13 };
/// Lossy pixels come row by row, and are copied once.
const LOSSY: Decoding = Decoding::Scaled { stored_bytes: 0, made_bytes: 7 };
/// Lossless pixels are all there before the first comes out.
const LOSSLESS: Decoding = Decoding::Scaled { stored_bytes: 5, made_bytes: 8 };
/// Lossy colours with transparency, which has no loss: colours are not multiplied by it while the
/// decoder scales, and would mix with those that nobody sees.
const TRANSPARENT: Decoding = Decoding::Whole { bytes_per_pixel: 7 };

struct Chunk {
    kind: [u8; 4],
    body: Span,
    /// With its header and its padding, as far as that is there.
    whole: Span,
}

/// A file with an extended header, as far as it is read.
struct Extended {
    flags: u8,
    width: u32,
    height: u32,
    body: Parts,
    has_profile: bool,
    profile: Option<Span>,
    blocks: Blocks,
    /// Of the still picture.
    still: Option<[u8; 4]>,
    has_alpha: bool,
    frames: u32,
    duration_ms: u64,
}

pub(super) fn read(mut source: Source, limits: &Limits) -> Result<Probe, Error> {
    source.skip(4)?;
    let end = 8 + u64::from(u32::from_le_bytes(source.array()?));
    source.skip(4)?;
    if end > source.len() {
        return Err(Error::damaged("it ends in the middle"));
    }
    let first = next_chunk(&mut source, end)?;
    if &first.kind == b"VP8X" {
        return extended(source, first, end, limits);
    }
    let (width, height) = bitstream(&mut source, &first)?;
    check_size(width, height, limits.max_pixels, limits)?;
    let mut body = Parts::of(source.len());
    keep(&mut body, &first)?;
    let parts = riff(&source, body)?;
    finish((width, height), Orientation::UPRIGHT, parts, decoding(&first.kind, false), limits)
}

/// What a still picture takes.
fn decoding(kind: &[u8; 4], has_alpha: bool) -> Decoding {
    match kind {
        b"VP8L" => LOSSLESS,
        _ if has_alpha => TRANSPARENT,
        _ => LOSSY,
    }
}

fn finish(
    (width, height): (u32, u32),
    orientation: Orientation,
    parts: Parts,
    decoding: Decoding,
    limits: &Limits,
) -> Result<Probe, Error> {
    let blocks = Blocks::default();
    Ok(Probe {
        format: Format::Webp,
        width,
        height,
        orientation,
        frames: 1,
        is_animated: false,
        duration_ms: None,
        inside: Inside { parts, blocks, profile: Profile::None, decoding, limits: *limits },
    })
}

fn next_chunk(source: &mut Source, end: u64) -> Result<Chunk, Error> {
    let at = source.at();
    let kind = source.array()?;
    let len = u64::from(u32::from_le_bytes(source.array()?));
    let body = Span::new(source.at(), len);
    if body.end() > end {
        return Err(Error::damaged("one of its chunks ends in the middle"));
    }
    let after = (body.end() + len % 2).min(end);
    Ok(Chunk { kind, body, whole: Span::new(at, after - at) })
}

/// Copies a chunk, and pads it where the file forgot to.
fn keep(parts: &mut Parts, chunk: &Chunk) -> Result<(), Error> {
    parts.copy(chunk.whole)?;
    let padding = 8 + chunk.body.len + chunk.body.len % 2 - chunk.whole.len;
    parts.zeros(padding)
}

fn riff(source: &Source, body: Parts) -> Result<Parts, Error> {
    let mut head = b"RIFF".to_vec();
    head.extend(size(body.len() + 4)?);
    head.extend(b"WEBP");
    let mut parts = Parts::of(source.len());
    parts.bytes(head)?;
    parts.append(body)?;
    Ok(parts)
}

fn size(len: u64) -> Result<[u8; 4], Error> {
    let len = u32::try_from(len).map_err(|_| Error::damaged("it is too long for its format"))?;
    Ok(len.to_le_bytes())
}

/// The size that a bitstream itself tells, which is what decoders go by.
fn bitstream(source: &mut Source, chunk: &Chunk) -> Result<(u32, u32), Error> {
    let head = source.read(Span::new(chunk.body.at, chunk.body.len.min(10)))?;
    match (&chunk.kind, &head[..]) {
        // A key frame (RFC 6386, 9.1): start code, then 14 bits each with two of scaling.
        (b"VP8 ", [tag, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1]) if tag & 1 == 0 => {
            let side = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
            Ok((side(*w0, *w1), side(*h0, *h1)))
        }
        (b"VP8L", [0x2f, a, b, c, d, ..]) => {
            let bits = u32::from_le_bytes([*a, *b, *c, *d]);
            if bits >> 29 != 0 {
                return Err(Error::damaged("its bitstream is of an unknown version"));
            }
            Ok(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        _ => Err(Error::damaged("it has no picture where one should be")),
    }
}

fn extended(mut source: Source, header: Chunk, end: u64, limits: &Limits) -> Result<Probe, Error> {
    if header.body.len != 10 {
        return Err(Error::damaged("its header has a wrong size"));
    }
    let [flags, _, _, _, w0, w1, w2, h0, h1, h2]: [u8; 10] = source.array()?;
    let width = u32::from_le_bytes([w0, w1, w2, 0]) + 1;
    let height = u32::from_le_bytes([h0, h1, h2, 0]) + 1;
    check_size(width, height, limits.max_pixels, limits)?;
    let body = Parts::of(source.len());
    let mut file = Extended {
        flags,
        width,
        height,
        body,
        has_profile: false,
        profile: None,
        blocks: Blocks::default(),
        still: None,
        has_alpha: flags & ALPHA != 0,
        frames: 0,
        duration_ms: 0,
    };
    source.seek(header.whole.end())?;
    while source.at() + 8 <= end {
        let chunk = next_chunk(&mut source, end)?;
        file.chunk(&mut source, &chunk, limits)?;
        source.seek(chunk.whole.end())?;
    }
    file.finish(source, limits)
}

impl Extended {
    fn is_animation(&self) -> bool {
        self.flags & ANIMATION != 0
    }

    fn chunk(&mut self, source: &mut Source, chunk: &Chunk, limits: &Limits) -> Result<(), Error> {
        match &chunk.kind {
            b"VP8 " | b"VP8L" if !self.is_animation() && self.still.is_none() => {
                self.still = Some(chunk.kind);
                check_same(bitstream(source, chunk)?, (self.width, self.height))?;
                keep(&mut self.body, chunk)
            }
            b"ALPH" if !self.is_animation() && self.still.is_none() => {
                self.has_alpha = true;
                keep(&mut self.body, chunk)
            }
            b"ANIM" if self.is_animation() && self.frames == 0 => keep(&mut self.body, chunk),
            b"ANMF" if self.is_animation() => self.frame(source, chunk, limits),
            b"ICCP" if !self.has_profile => {
                if chunk.body.len > MAX_PROFILE {
                    let what = "a colour profile";
                    return Err(Error::MetadataTooLarge { what, allowed: MAX_PROFILE });
                }
                self.has_profile = true;
                self.profile = Some(chunk.body);
                keep(&mut self.body, chunk)
            }
            b"EXIF" if self.blocks.exif.is_none() && chunk.body.len <= MAX_BLOCK => {
                self.blocks.exif = Some(chunk.body);
                Ok(())
            }
            b"XMP " if self.blocks.xmp.is_none() && chunk.body.len <= MAX_BLOCK => {
                self.blocks.xmp = Some(chunk.body);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// One frame of an animation: a place on the canvas, a time, and a picture of its own.
    fn frame(&mut self, source: &mut Source, chunk: &Chunk, limits: &Limits) -> Result<(), Error> {
        self.frames += 1;
        check_frames(self.frames, (self.width, self.height), limits)?;
        let head: [u8; 16] = source.array()?;
        let field = |at: usize| match head.get(at..at + 3) {
            Some(&[a, b, c]) => u32::from_le_bytes([a, b, c, 0]),
            _ => 0,
        };
        let (left, top, width, height) = (field(0) * 2, field(3) * 2, field(6) + 1, field(9) + 1);
        if left + width > self.width || top + height > self.height {
            return Err(Error::damaged("one of its frames lies outside the picture"));
        }
        self.duration_ms += u64::from(field(12));
        let mut inner = Parts::of(source.len());
        let mut has_picture = false;
        while source.at() + 8 <= chunk.body.end() {
            let part = next_chunk(source, chunk.body.end())?;
            match &part.kind {
                b"ALPH" if !has_picture => keep(&mut inner, &part)?,
                b"VP8 " | b"VP8L" if !has_picture => {
                    has_picture = true;
                    check_same(bitstream(source, &part)?, (width, height))?;
                    keep(&mut inner, &part)?;
                }
                _ => {}
            }
            source.seek(part.whole.end())?;
        }
        if !has_picture {
            return Err(Error::damaged("one of its frames is empty"));
        }
        let mut kept = b"ANMF".to_vec();
        kept.extend(size(inner.len() + 16)?);
        kept.extend(head);
        self.body.bytes(kept)?;
        self.body.append(inner)
    }

    fn finish(self, mut source: Source, limits: &Limits) -> Result<Probe, Error> {
        if self.still.is_none() && self.frames == 0 {
            return Err(Error::damaged("it has no picture"));
        }
        let mut orientation = Orientation::UPRIGHT;
        if let Some(span) = self.blocks.exif {
            let block = source.read(span)?;
            let value = Tiff::parse(&block).and_then(|main| main.number(0x0112));
            orientation = value.map_or(orientation, Orientation::from_exif);
        }
        let turned = !orientation.is_upright();
        let mut flags = self.flags & (ANIMATION | ALPHA);
        flags |= if turned { EXIF } else { 0 } | if self.has_profile { ICC } else { 0 };
        let mut header = b"VP8X\x0a\0\0\0".to_vec();
        header.extend([flags, 0, 0, 0]);
        header.extend(&(self.width - 1).to_le_bytes()[..3]);
        header.extend(&(self.height - 1).to_le_bytes()[..3]);
        let mut body = Parts::of(source.len());
        body.bytes(header)?;
        body.append(self.body)?;
        if turned {
            body.bytes([&b"EXIF\x1a\0\0\0"[..], &orientation.block()].concat())?;
        }
        let decoding = self.still.map_or(ANIMATED, |kind| decoding(&kind, self.has_alpha));
        let (size, parts) = ((self.width, self.height), riff(&source, body)?);
        let mut probe = finish(size, orientation, parts, decoding, limits)?;
        probe.is_animated = self.frames > 1;
        probe.frames = self.frames.max(1);
        probe.duration_ms = probe.is_animated.then_some(self.duration_ms);
        probe.inside.blocks = self.blocks;
        if let Some(span) = self.profile {
            probe.inside.profile = Profile::Pieces(vec![span]);
        }
        Ok(probe)
    }
}

fn check_same(inner: (u32, u32), outer: (u32, u32)) -> Result<(), Error> {
    if inner == outer {
        return Ok(());
    }
    Err(Error::damaged("its pixels have another size than its header says"))
}
