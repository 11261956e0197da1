//! JPEG XL (ISO/IEC 18181), bare or in boxes: reads the size, the orientation and whether it moves,
//! and no frame. How many there are, and where a bare codestream ends, only decoding would tell; so
//! bytes behind one stay where they are.

use super::super::facts::{Blocks, Decoding, Inside, MAX_BLOCK, Probe, Profile, check_size};
use super::super::parts::Parts;
use super::super::source::{Source, Span};
use super::super::{Error, Format, Limits, Orientation};
use super::boxes;

/// How a bare codestream begins.
const CODESTREAM: [u8; 2] = [0xff, 0x0a];

/// How a file of boxes begins.
const BOXES: &[u8] = b"\0\0\0\x0cJXL \r\n\x87\n";

/// What is read of the header never takes more.
const MAX_HEADER: u64 = 64;

/// More boxes than any honest file has.
const MAX_BOXES: usize = 10_000;

/// Floats for each colour in several stages, and the finished picture: measured and rounded up.
const BYTES_PER_PIXEL: u64 = 48;

pub(super) fn begins(head: &[u8]) -> bool {
    head.starts_with(&CODESTREAM) || head.starts_with(BOXES)
}

pub(super) fn read(mut source: Source, limits: &Limits) -> Result<Probe, Error> {
    let is_bare = source.array()? == CODESTREAM;
    source.seek(0)?;
    let file = if is_bare { bare(&source)? } else { boxed(&mut source)? };
    let head = source.read(Span::new(file.header.at, file.header.len.min(MAX_HEADER)))?;
    let size = size(&head).ok_or_else(|| Error::damaged("its header makes no sense"))?;
    let allowed = limits.max_pixels.min(limits.max_progressive_pixels);
    check_size(size.width, size.height, allowed, limits)?;
    // The decoder turns the picture upright, as does whoever shows the file.
    let (width, height) = match size.orientation.is_sideways() {
        true => (size.height, size.width),
        false => (size.width, size.height),
    };
    Ok(Probe {
        format: Format::Jxl,
        width,
        height,
        orientation: Orientation::UPRIGHT,
        frames: 1,
        is_animated: size.is_animated,
        duration_ms: None,
        inside: Inside {
            parts: file.parts,
            blocks: Blocks { exif: file.exif, xmp: file.xmp, iptc: None },
            profile: Profile::None,
            decoding: Decoding::Whole { bytes_per_pixel: BYTES_PER_PIXEL },
            limits: *limits,
        },
    })
}

/// What there is in a file.
struct File {
    /// Where the codestream begins.
    header: Span,
    parts: Parts,
    exif: Option<Span>,
    xmp: Option<Span>,
}

fn bare(source: &Source) -> Result<File, Error> {
    let header = Span::new(0, source.len());
    let mut parts = Parts::of(source.len());
    parts.copy(header)?;
    Ok(File { header, parts, exif: None, xmp: None })
}

/// Keeps what belongs to the picture. Boxes do not point at each other, so the others are left
/// out: Exif and XMP, also when they are compressed, claims of origin, and what is needed to get
/// back a JPEG with all that was written in it.
fn boxed(source: &mut Source) -> Result<File, Error> {
    let mut parts = Parts::of(source.len());
    let (mut header, mut exif, mut xmp) = (None, None, None);
    let mut count = 0;
    while let Some(found) = boxes::next(source)? {
        count += 1;
        if count > MAX_BOXES {
            return Err(Error::damaged("it has too many boxes"));
        }
        match &found.kind {
            b"JXL " | b"ftyp" | b"jxll" => parts.copy(found.whole)?,
            b"jxlc" | b"jxlp" => {
                // A part is numbered.
                let skipped = if &found.kind == b"jxlp" { 4 } else { 0 };
                let len = found.body.len.saturating_sub(skipped);
                header.get_or_insert(Span::new(found.body.at + skipped, len));
                parts.copy(found.whole)?;
            }
            b"Exif" if exif.is_none() && found.body.len <= MAX_BLOCK => {
                exif = exif_block(source, found.body)?;
            }
            b"xml " if xmp.is_none() && found.body.len <= MAX_BLOCK => xmp = Some(found.body),
            _ => {}
        }
        source.seek(found.whole.end())?;
    }
    let header = header.ok_or_else(|| Error::damaged("it has no picture"))?;
    Ok(File { header, parts, exif, xmp })
}

/// The box begins with the distance to the block.
fn exif_block(source: &mut Source, body: Span) -> Result<Option<Span>, Error> {
    if body.len <= 4 {
        return Ok(None);
    }
    source.seek(body.at)?;
    let skipped = 4 + u64::from(u32::from_be_bytes(source.array()?));
    Ok(body.len.checked_sub(skipped).map(|len| Span::new(body.at + skipped, len)))
}

/// The beginning of the codestream, as far as it is read.
#[derive(Debug, PartialEq, Eq)]
struct Size {
    width: u32,
    height: u32,
    orientation: Orientation,
    is_animated: bool,
}

/// Bits from the front, the lowest of each byte first.
struct Bits<'a> {
    data: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: u32) -> Option<u64> {
        let mut value = 0;
        for place in 0..count {
            let byte = self.data.get(self.at / 8)?;
            value |= u64::from(byte >> (self.at % 8) & 1) << place;
            self.at += 1;
        }
        Some(value)
    }

    /// One side of a picture: in steps of eight, or in any of four lengths.
    fn side(&mut self, is_small: bool) -> Option<u64> {
        if is_small {
            return Some((self.take(5)? + 1) * 8);
        }
        self.any([(9, 1), (13, 1), (18, 1), (30, 1)])
    }

    /// A number of one of four lengths, each with what is added to it.
    fn any(&mut self, choices: [(u32, u64); 4]) -> Option<u64> {
        let (bits, more) = choices[self.take(2)? as usize & 3];
        Some(self.take(bits)? + more)
    }

    fn flag(&mut self) -> Option<bool> {
        Some(self.take(1)? == 1)
    }

    /// Width and height of the picture.
    fn sides(&mut self) -> Option<(u64, u64)> {
        let is_small = self.flag()?;
        let height = self.side(is_small)?;
        let width = match self.take(3)? {
            0 => self.side(is_small)?,
            1 => height,
            2 => height * 12 / 10,
            3 => height * 4 / 3,
            4 => height * 3 / 2,
            5 => height * 16 / 9,
            6 => height * 5 / 4,
            _ => height * 2,
        };
        Some((width, height))
    }

    /// Passes over the size of the small copy.
    fn pass_preview(&mut self) -> Option<()> {
        let choices = match self.flag()? {
            true => [(0, 16), (0, 32), (5, 1), (9, 33)],
            false => [(6, 1), (8, 65), (10, 321), (12, 1_345)],
        };
        self.any(choices)?;
        if self.take(3)? == 0 {
            self.any(choices)?;
        }
        Some(())
    }
}

fn size(codestream: &[u8]) -> Option<Size> {
    let mut bits = Bits { data: codestream.strip_prefix(&CODESTREAM)?, at: 0 };
    let (width, height) = bits.sides()?;
    // Everything as usual, or else more fields, of which some may be told: the orientation, the
    // size that it is meant to have, a small copy, and how it moves.
    let is_usual = bits.flag()?;
    let (mut orientation, mut is_animated) = (1, false);
    if !is_usual && bits.flag()? {
        orientation = bits.take(3)? as u32 + 1;
        if bits.flag()? {
            bits.sides()?;
        }
        if bits.flag()? {
            bits.pass_preview()?;
        }
        is_animated = bits.flag()?;
    }
    Some(Size {
        width: u32::try_from(width).ok()?,
        height: u32::try_from(height).ok()?,
        orientation: Orientation::from_exif(orientation),
        is_animated,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        // Small, 8 × (2 + 1) high, 3:2, everything as usual.
        let small = size(&[0xff, 0x0a, 0b0000_0101, 0b0000_0011]);
        let upright = Orientation::UPRIGHT;
        let still = |width, height, orientation| {
            Some(Size { width, height, orientation, is_animated: false })
        };
        assert_eq!(small, still(36, 24, upright));
        // 1 + 99 high in nine bits, 1 + 199 wide likewise; more fields, the orientation 6.
        let bits: &[(u64, u32)] =
            &[(0, 1), (0, 2), (99, 9), (0, 3), (0, 2), (199, 9), (0, 1), (1, 1), (5, 3), (0, 3)];
        let (mut sum, mut at) = (0u64, 0);
        bits.iter().for_each(|(value, count)| {
            sum |= value << at;
            at += count;
        });
        let file = [&CODESTREAM[..], &sum.to_le_bytes()].concat();
        let turned = Orientation::from_exif(6);
        assert_eq!(size(&file), still(200, 100, turned));
        // The last of the bits that are told.
        let moving = [&CODESTREAM[..], &(sum | 1 << (at - 1)).to_le_bytes()].concat();
        assert!(size(&moving).is_some_and(|size| size.is_animated));
        assert_eq!(size(&file[..4]), None);
        assert_eq!(size(b"\xff\x0b"), None);
    }
}
