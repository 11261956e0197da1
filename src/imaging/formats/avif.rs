//! AVIF (the AV1 image format, in HEIF boxes): looks at the head of every AV1 frame, as decoders
//! go by those.

use super::super::source::Source;
use super::super::{Error, Format, Limits, Probe};
use super::av1;
use super::heif::{self, unsupported};
use super::items::{Item, Meta};

/// Planes of up to 16 bits in the decoder and outside it, and four bytes of RGBA twice.
const BYTES_PER_PIXEL: u64 = 20;

pub(super) fn read(source: Source, limits: &Limits) -> Result<Probe, Error> {
    heif::read(Format::Avif, source, limits, check_frames_inside)
}

/// Every AV1 item must be as large as its boxes say, coded in colours that can be converted, and
/// all of them together not much larger than the picture.
fn check_frames_inside(
    source: &mut Source,
    meta: &Meta,
    _: &Item,
    (width, height): (u32, u32),
    limits: &Limits,
) -> Result<u64, Error> {
    let mut total = 0;
    let mut is_full = true;
    let most = limits.max_progressive_pixels.saturating_mul(2);
    for item in meta.items.iter().filter(|item| &item.kind == b"av01") {
        let [data] = item.extents[..] else {
            return Err(unsupported("its pixels are scattered"));
        };
        let found = av1::sequences(source, data)?;
        if found.is_empty() {
            return Err(Error::damaged("one of its frames is empty"));
        }
        for sequence in found {
            if Some((sequence.width, sequence.height)) != meta.size_of(item) {
                return Err(Error::damaged("its pixels have another size than its header says"));
            }
            if sequence.most_pixels > most {
                return Err(Error::damaged("its frames may be larger than its header says"));
            }
            is_full &= sequence.is_full;
            check_matrix(sequence.matrix, sequence.is_full)?;
            total += u64::from(sequence.width) * u64::from(sequence.height);
        }
    }
    // Colour, alpha, a small copy, a map of brightness; tiles may stand over the edge.
    if total > 5 * u64::from(width) * u64::from(height) + 1_000_000 {
        return Err(Error::damaged("it holds more pixels than its picture has"));
    }
    for property in meta.properties.iter().filter(|property| property.value.starts_with(b"nclx")) {
        check_matrix(property.value.get(9).copied().unwrap_or(2), is_full)?;
    }
    Ok(BYTES_PER_PIXEL)
}

/// The converter to RGB says nothing when it meets coefficients that it does not know, and leaves
/// its output unwritten.
fn check_matrix(matrix: u8, is_full: bool) -> Result<(), Error> {
    match matrix {
        1 | 2 | 4..=7 | 9 | 12 => Ok(()),
        0 if is_full => Ok(()),
        _ => Err(unsupported("its colours are coded in an unusual way")),
    }
}
