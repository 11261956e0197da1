//! GIF (87a and 89a): walks from block to block, and no further than the limit of frames.

use super::super::facts::{
    Blocks, Decoding, Inside, MAX_BLOCK, Probe, Profile, check_frames, check_size,
};
use super::super::parts::Parts;
use super::super::source::{Source, Span};
use super::super::{Error, Format, Limits, Orientation};

/// Browsers show a frame that asks for 10 ms or less for this long.
const SLOWED_MS: u64 = 100;

struct Walk {
    width: u32,
    height: u32,
    parts: Parts,
    /// A graphic control block, which belongs to the picture or text that follows.
    control: Option<(Span, u64)>,
    xmp: Option<Span>,
    frames: u32,
    duration_ms: u64,
}

pub(super) fn read(mut source: Source, limits: &Limits) -> Result<Probe, Error> {
    source.skip(6)?;
    let [w0, w1, h0, h1, packed, _, _] = source.array()?;
    let width = u32::from(u16::from_le_bytes([w0, w1]));
    let height = u32::from(u16::from_le_bytes([h0, h1]));
    check_size(width, height, limits.max_pixels, limits)?;
    source.skip(table_len(packed))?;
    let mut parts = Parts::of(source.len());
    parts.copy(Span::new(0, source.at()))?;
    let mut walk =
        Walk { width, height, parts, control: None, xmp: None, frames: 0, duration_ms: 0 };
    loop {
        match source.byte()? {
            0x2c => image(&mut walk, &mut source, limits)?,
            0x21 => extension(&mut walk, &mut source)?,
            0x3b => break,
            // Some encoders leave a stray block end behind.
            0x00 => {}
            _ => return Err(Error::damaged("one of its blocks is of no known kind")),
        }
    }
    if walk.frames == 0 {
        return Err(Error::damaged("it has no picture"));
    }
    walk.parts.bytes([0x3b])?;
    let is_animated = walk.frames > 1;
    Ok(Probe {
        format: Format::Gif,
        width,
        height,
        orientation: Orientation::UPRIGHT,
        frames: walk.frames,
        is_animated,
        duration_ms: is_animated.then_some(walk.duration_ms),
        inside: Inside {
            parts: walk.parts,
            blocks: Blocks { xmp: walk.xmp, ..Blocks::default() },
            profile: Profile::None,
            decoding: Decoding::Whole { bytes_per_pixel: 9 },
            limits: *limits,
        },
    })
}

/// The length of a colour table by the flags that announce it.
fn table_len(packed: u8) -> u64 {
    if packed & 0x80 == 0 { 0 } else { 3 << ((packed & 7) + 1) }
}

/// Passes over data blocks up to the empty one that ends them.
fn skip_blocks(source: &mut Source) -> Result<(), Error> {
    loop {
        match source.byte()? {
            0 => return Ok(()),
            len => source.skip(u64::from(len))?,
        }
    }
}

fn image(walk: &mut Walk, source: &mut Source, limits: &Limits) -> Result<(), Error> {
    let at = source.at() - 1;
    let [x0, x1, y0, y1, w0, w1, h0, h1, packed] = source.array()?;
    let number = |low, high| u32::from(u16::from_le_bytes([low, high]));
    let (right, bottom) = (number(x0, x1) + number(w0, w1), number(y0, y1) + number(h0, h1));
    if right > walk.width || bottom > walk.height {
        return Err(Error::damaged("one of its frames lies outside the picture"));
    }
    walk.frames += 1;
    check_frames(walk.frames, (walk.width, walk.height), limits)?;
    source.skip(table_len(packed) + 1)?;
    skip_blocks(source)?;
    if let Some((control, delay_ms)) = walk.control.take() {
        walk.duration_ms += delay_ms;
        walk.parts.copy(control)?;
    } else {
        walk.duration_ms += SLOWED_MS;
    }
    walk.parts.copy(Span::new(at, source.at() - at))
}

/// Keeps what steers an animation; comments, texts and private data go.
fn extension(walk: &mut Walk, source: &mut Source) -> Result<(), Error> {
    let at = source.at() - 1;
    match source.byte()? {
        0xf9 => {
            let [len, _, low, high, ..]: [u8; 5] = source.array()?;
            if len != 4 {
                return Err(Error::damaged("one of its control blocks has a wrong size"));
            }
            skip_blocks(source)?;
            let delay_ms = u64::from(u16::from_le_bytes([low, high])) * 10;
            let shown_ms = if delay_ms <= 10 { SLOWED_MS } else { delay_ms };
            walk.control = Some((Span::new(at, source.at() - at), shown_ms));
        }
        0xff => {
            let body = source.at();
            let name: Option<[u8; 12]> =
                (source.left() >= 12).then(|| source.array()).transpose()?;
            source.seek(body)?;
            skip_blocks(source)?;
            let len = source.at() - at;
            let is_loop = matches!(
                name.as_ref().map(|name| &name[..]),
                Some(b"\x0bNETSCAPE2.0" | b"\x0bANIMEXTS1.0")
            );
            // Sixteen bytes of head and one block of three: more would be something else.
            if is_loop && len == 19 {
                walk.parts.copy(Span::new(at, len))?;
            }
            // The packet is not cut into blocks: its own bytes are passed over as lengths, and a
            // ramp behind it leads any walk to the end.
            if name.as_ref() == Some(b"\x0bXMP DataXMP") && len <= MAX_BLOCK {
                walk.xmp = Some(Span::new(body + 12, source.at() - body - 12));
            }
        }
        label => {
            skip_blocks(source)?;
            if label == 0x01 {
                walk.control = None;
            }
        }
    }
    Ok(())
}
