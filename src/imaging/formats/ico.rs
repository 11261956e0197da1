//! ICO (icons of Windows): a list of small pictures, each a PNG or a BMP without its file header.
//! The largest is taken; the others are left out.

use super::super::facts::{Blocks, Decoding, Inside, Probe, Profile, check_size};
use super::super::parts::Parts;
use super::super::source::{Source, Span};
use super::super::{Error, Format, Limits, Orientation};
use super::png;

/// The header of a file with one entry.
pub(in super::super) const HEADER: usize = 22;

/// More entries than any honest icon has.
const MAX_ENTRIES: u16 = 1_000;

/// One picture of the list.
#[derive(Clone, Copy)]
struct Entry {
    pixels: u32,
    depth: u16,
    data: Span,
}

/// Whether a file begins like an icon. Four bytes are a weak sign, so the first entry must fit.
pub(super) fn begins(head: &[u8]) -> bool {
    let Some([0, 0, 1, 0, count0, count1, _, _, _, reserved, planes, 0, depth, 0]) =
        head.first_chunk::<14>()
    else {
        return false;
    };
    let count = u16::from_le_bytes([*count0, *count1]);
    (1..=MAX_ENTRIES).contains(&count)
        && matches!(reserved, 0 | 255)
        && *planes <= 1
        && matches!(depth, 0 | 1 | 4 | 8 | 16 | 24 | 32)
}

pub(super) fn read(mut source: Source, limits: &Limits) -> Result<Probe, Error> {
    let entry = largest(&mut source)?;
    if entry.data.end() > source.len() {
        return Err(Error::damaged("it ends in the middle"));
    }
    source.seek(entry.data.at)?;
    let start: [u8; 8] = source.array()?;
    source.seek(entry.data.at)?;
    if start == png::SIGNATURE {
        with_png(source, limits)
    } else {
        with_bitmap(source, entry.data, limits)
    }
}

/// The entry with the most pixels, and the most colours among those.
fn largest(source: &mut Source) -> Result<Entry, Error> {
    source.skip(4)?;
    let count = u16::from_le_bytes(source.array()?);
    let mut best: Option<Entry> = None;
    for _ in 0..count.min(MAX_ENTRIES) {
        let [width, height, _, _, _, _, d0, d1, l0, l1, l2, l3, a0, a1, a2, a3] =
            source.array::<16>()?;
        // Zero stands for 256.
        let side = |side: u8| if side == 0 { 256 } else { u32::from(side) };
        let entry = Entry {
            pixels: side(width) * side(height),
            depth: u16::from_le_bytes([d0, d1]),
            data: Span::new(
                u64::from(u32::from_le_bytes([a0, a1, a2, a3])),
                u64::from(u32::from_le_bytes([l0, l1, l2, l3])),
            ),
        };
        if best.is_none_or(|best| (entry.pixels, entry.depth) > (best.pixels, best.depth)) {
            best = Some(entry);
        }
    }
    best.ok_or_else(|| Error::damaged("it has no picture"))
}

fn with_png(source: Source, limits: &Limits) -> Result<Probe, Error> {
    let len = source.len();
    let png = png::read(source, limits)?;
    let mut parts = Parts::of(len);
    parts.bytes(header(png.width, png.height, png.parts().len())?)?;
    parts.append(png.inside.parts)?;
    Ok(Probe {
        format: Format::Ico,
        frames: 1,
        is_animated: false,
        duration_ms: None,
        inside: Inside { parts, ..png.inside },
        ..png
    })
}

fn with_bitmap(mut source: Source, data: Span, limits: &Limits) -> Result<Probe, Error> {
    let number = |bytes: [u8; 4]| u32::from_le_bytes(bytes);
    let header_len = number(source.array()?);
    let (width, twice_height) = (number(source.array()?), number(source.array()?));
    let [_, _, depth, _] = source.array()?;
    let compression = number(source.array()?);
    source.skip(12)?;
    let colors = u64::from(number(source.array()?));
    if header_len != 40 || compression != 0 || twice_height % 2 != 0 {
        let reason = "its bitmap is of an unusual kind";
        return Err(Error::Unsupported { name: "this kind of icon", reason });
    }
    let height = twice_height / 2;
    check_size(width, height, limits.max_pixels, limits)?;
    let most_colors = match depth {
        1 | 4 | 8 => 1 << depth,
        24 | 32 => 0,
        _ => return Err(Error::damaged("its header has an impossible kind of colour")),
    };
    if colors > most_colors {
        return Err(Error::damaged("its palette is too long"));
    }
    let palette = if colors == 0 { most_colors } else { colors } * 4;
    let row = |bits: u64| (u64::from(width) * bits).div_ceil(32) * 4;
    let rows = |bits: u64| row(bits) * u64::from(height);
    // Behind the colours, one bit for each pixel says whether it is to be seen.
    let (picture, mask) = (40 + palette + rows(u64::from(depth)), rows(1));
    if picture > data.len {
        return Err(Error::damaged("it claims more pixels than it holds"));
    }
    let used = if picture + mask <= data.len { picture + mask } else { picture };
    let mut parts = Parts::of(source.len());
    parts.bytes(header(width, height, used)?)?;
    parts.copy(Span::new(data.at, used))?;
    Ok(Probe {
        format: Format::Ico,
        width,
        height,
        orientation: Orientation::UPRIGHT,
        frames: 1,
        is_animated: false,
        duration_ms: None,
        inside: Inside {
            parts,
            blocks: Blocks::default(),
            profile: Profile::None,
            decoding: Decoding::Whole { bytes_per_pixel: 9 },
            limits: *limits,
        },
    })
}

/// An icon of one picture, up to where its data begins.
fn header(width: u32, height: u32, len: u64) -> Result<Vec<u8>, Error> {
    let len = u32::try_from(len).map_err(|_| Error::damaged("it is too long"))?;
    // Larger sides do not fit, and count as 256.
    let side = |side: u32| u8::try_from(side).unwrap_or(0);
    let mut header = vec![0, 0, 1, 0, 1, 0, side(width), side(height), 0, 0, 1, 0, 32, 0];
    header.extend(len.to_le_bytes());
    header.extend((HEADER as u32).to_le_bytes());
    Ok(header)
}
