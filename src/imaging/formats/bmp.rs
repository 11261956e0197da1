//! BMP (Windows bitmaps from `BITMAPCOREHEADER` to version 5).

use super::super::facts::{Blocks, Decoding, Inside, Probe, Profile, check_size};
use super::super::parts::Parts;
use super::super::source::{Source, Span};
use super::super::{Error, Format, Limits, Orientation};

/// Whether a file begins like one. Two letters are a weak sign, so the header's size must fit.
pub(super) fn begins(head: &[u8]) -> bool {
    let size =
        head.get(14..18).and_then(|bytes| bytes.first_chunk()).map(|b| u32::from_le_bytes(*b));
    head.starts_with(b"BM") && matches!(size, Some(12 | 40 | 52 | 56 | 64 | 108 | 124))
}

pub(super) fn read(mut source: Source, limits: &Limits) -> Result<Probe, Error> {
    source.skip(10)?;
    let pixels_at = u64::from(u32::from_le_bytes(source.array()?));
    let header = u32::from_le_bytes(source.array()?);
    let (width, height, depth, compression) = if header == 12 {
        let [w0, w1, h0, h1, _, _, depth, _] = source.array()?;
        let side = |low, high| i32::from(u16::from_le_bytes([low, high]));
        (side(w0, w1), side(h0, h1), depth, 0)
    } else {
        let width = i32::from_le_bytes(source.array()?);
        let height = i32::from_le_bytes(source.array()?);
        let [_, _, depth, _] = source.array()?;
        (width, height, depth, u32::from_le_bytes(source.array()?))
    };
    let width = u32::try_from(width).map_err(|_| Error::damaged("its width is negative"))?;
    let height = height.unsigned_abs();
    check_size(width, height, limits.max_pixels, limits)?;
    let row = (u64::from(width) * u64::from(depth)).div_ceil(32) * 4;
    let needed = match (compression, depth) {
        (0, 1 | 4 | 8 | 16 | 24 | 32) | (3 | 6, 16 | 32) => row * u64::from(height),
        // Run lengths: the least that can be asked is their end mark.
        (1, 8) | (2, 4) => 2,
        (4 | 5, _) => {
            let reason = "it holds another file instead of pixels";
            return Err(Error::Unsupported { name: "this kind of BMP", reason });
        }
        _ => return Err(Error::damaged("its header has an impossible kind of colour")),
    };
    if pixels_at < 26 || pixels_at + needed > source.len() {
        return Err(Error::damaged("it claims more pixels than it holds"));
    }
    let mut parts = Parts::of(source.len());
    let len = if needed > 2 { pixels_at + needed } else { source.len() };
    parts.copy(Span::new(0, len))?;
    Ok(Probe {
        format: Format::Bmp,
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
            decoding: Decoding::Whole { bytes_per_pixel: 5 },
            limits: *limits,
        },
    })
}
