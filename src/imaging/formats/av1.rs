//! The sequence header of AV1 (bitstream specification, 5.5): how large frames may be and how
//! their colours are coded. Reads nothing else of a frame.

use super::super::Error;
use super::super::source::{Source, Span};
use super::bits::Bits;

/// What a decoder will go by, whatever the boxes around it say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sequence {
    pub width: u32,
    pub height: u32,
    /// The most that a frame could ask for: a frame that is not a plain still picture may use all
    /// the bits that the header sets aside for a side.
    pub most_pixels: u64,
    /// CICP matrix coefficients, 2 where none are named.
    pub matrix: u8,
    /// Whether colours have the full resolution, or there are none.
    pub is_full: bool,
}

/// A sequence header is never longer than this.
const MAX_HEADER: u64 = 1024;

/// The sequence headers among the units of a frame's data.
pub(super) fn sequences(source: &mut Source, data: Span) -> Result<Vec<Sequence>, Error> {
    let broken = || Error::damaged("its bitstream makes no sense");
    let mut found = Vec::new();
    source.seek(data.at)?;
    while source.at() < data.end() {
        let head = source.byte()?;
        if head & 4 != 0 {
            source.skip(1)?;
        }
        let size =
            if head & 2 == 0 { data.end().saturating_sub(source.at()) } else { leb128(source)? };
        let unit = Span::new(source.at(), size);
        if unit.end() > data.end() || found.len() > 64 {
            return Err(broken());
        }
        if head >> 3 & 15 == 1 {
            let bytes = source.read(Span::new(unit.at, size.min(MAX_HEADER)))?;
            found.push(sequence(&mut Bits::new(&bytes)).ok_or_else(broken)?);
        }
        source.seek(unit.end())?;
    }
    Ok(found)
}

fn leb128(source: &mut Source) -> Result<u64, Error> {
    let mut value = 0;
    for index in 0..5 {
        let byte = source.byte()?;
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Ok(value)
}

fn sequence(bits: &mut Bits<'_>) -> Option<Sequence> {
    let profile = bits.take(3)?;
    bits.flag()?;
    let is_reduced = bits.flag()?;
    if is_reduced {
        bits.take(5)?;
    } else {
        operating_points(bits)?;
    }
    let (across, down) = (bits.take(4)? as u32 + 1, bits.take(4)? as u32 + 1);
    let (width, height) = (bits.take(across)? + 1, bits.take(down)? + 1);
    tools(bits, is_reduced)?;
    let most_pixels = if is_reduced { width * height } else { 1 << (across + down) };
    let (matrix, is_full) = color(bits, profile)?;
    let (width, height) = (width as u32, height as u32);
    Some(Sequence { width, height, most_pixels, matrix, is_full })
}

fn operating_points(bits: &mut Bits<'_>) -> Option<()> {
    let mut delay_bits = None;
    if bits.flag()? {
        bits.take(64)?;
        if bits.flag()? {
            bits.golomb()?;
        }
        if bits.flag()? {
            delay_bits = Some(bits.take(5)? as u32 + 1);
            bits.take(32 + 5 + 5)?;
        }
    }
    let has_initial_delay = bits.flag()?;
    for _ in 0..=bits.take(5)? {
        bits.take(12)?;
        if bits.take(5)? > 7 {
            bits.flag()?;
        }
        if let Some(delay_bits) = delay_bits
            && bits.flag()?
        {
            bits.take(delay_bits)?;
            bits.take(delay_bits + 1)?;
        }
        if has_initial_delay && bits.flag()? {
            bits.take(4)?;
        }
    }
    Some(())
}

/// Passes over the coding tools, whose flags lie between the size and the colours.
fn tools(bits: &mut Bits<'_>, is_reduced: bool) -> Option<()> {
    if !is_reduced && bits.flag()? {
        bits.take(7)?;
    }
    bits.take(3)?;
    if !is_reduced {
        bits.take(4)?;
        let has_order = bits.flag()?;
        if has_order {
            bits.take(2)?;
        }
        let screen_content = if bits.flag()? { 2 } else { bits.take(1)? };
        if screen_content > 0 && !bits.flag()? {
            bits.take(1)?;
        }
        if has_order {
            bits.take(3)?;
        }
    }
    bits.take(3).map(|_| ())
}

/// The matrix coefficients, and whether colours have the full resolution.
fn color(bits: &mut Bits<'_>, profile: u64) -> Option<(u8, bool)> {
    let is_deep = bits.flag()?;
    let is_deepest = profile == 2 && is_deep && bits.flag()?;
    let is_gray = profile != 1 && bits.flag()?;
    let named =
        if bits.flag()? { (bits.take(8)?, bits.take(8)?, bits.take(8)?) } else { (2, 2, 2) };
    let matrix = named.2 as u8;
    if is_gray || named == (1, 13, 0) {
        return Some((matrix, true));
    }
    bits.flag()?;
    let is_full = match profile {
        0 => false,
        1 => true,
        _ => is_deepest && !bits.flag()?,
    };
    Some((matrix, is_full))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: [u8; 6] = [0x18, 0x15, 0x7f, 0xbd, 0xb0, 0x08];

    #[test]
    fn a_reduced_header_is_read() {
        let found = sequence(&mut Bits::new(&HEADER)).unwrap();
        assert_eq!((found.width, found.height, found.most_pixels), (64, 48, 64 * 48));
        assert_eq!((found.matrix, found.is_full), (2, false));
    }

    #[test]
    fn a_cut_header_is_none() {
        for len in 0..5 {
            assert!(sequence(&mut Bits::new(&HEADER[..len])).is_none(), "{len}");
        }
    }
}
