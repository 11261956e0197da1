//! HEIC (HEVC pictures in HEIF boxes, as telephones write them): looks at the parameters of every
//! picture, as decoders go by those.

use super::super::source::Source;
use super::super::{Error, Format, Limits, Probe};
use super::heif::{self, broken, unsupported};
use super::hevc;
use super::items::{Item, Meta};

pub(super) fn read(source: Source, limits: &Limits) -> Result<Probe, Error> {
    heif::read(Format::Heic, source, limits, check)
}

/// Every HEVC item must be as large as its boxes say, and all of them together not much larger
/// than the picture.
fn check(
    source: &mut Source,
    meta: &Meta,
    primary: &Item,
    (width, height): (u32, u32),
    _: &Limits,
) -> Result<u64, Error> {
    if !matches!(&primary.kind, b"hvc1" | b"grid") {
        return Err(unsupported("its picture is neither HEVC nor a grid of it"));
    }
    let (mut total, mut half_samples) = (0, 2);
    for item in meta.items.iter().filter(|item| &item.kind == b"hvc1") {
        let [data] = item.extents[..] else {
            return Err(unsupported("its pixels are scattered"));
        };
        if data.len == 0 || data.end() > source.len() {
            return Err(Error::damaged("one of its pictures is empty"));
        }
        let mut configurations =
            meta.properties_of(item).filter(|property| &property.kind == b"hvcC");
        let sequence = configurations.next().and_then(|found| hevc::sequence(&found.value));
        let sequence = sequence.filter(|_| configurations.next().is_none()).ok_or_else(broken)?;
        let claimed = meta.size_of(item).map(|(w, h)| (u64::from(w), u64::from(h)));
        // Coded sizes are rounded up to whole blocks.
        let most = (sequence.width + 64) * (sequence.height + 64);
        if claimed != Some((sequence.width, sequence.height)) || sequence.coded_pixels > most {
            return Err(Error::damaged("its pixels have another size than its header says"));
        }
        total += sequence.coded_pixels;
        half_samples = half_samples.max(sequence.half_samples);
    }
    // Colour, alpha, depth, a small copy, a map of brightness; tiles may stand over the edge.
    if total == 0 || total > 5 * u64::from(width) * u64::from(height) + 1_000_000 {
        return Err(Error::damaged("it holds more pixels than its picture has"));
    }
    Ok(bytes_per_pixel(half_samples))
}

/// The decoder keeps four bytes for each sample, in tiles and in the whole; alpha is as large as
/// brightness, and RGBA comes out.
const fn bytes_per_pixel(half_samples: u64) -> u64 {
    half_samples * 4 + 8 + 4
}
