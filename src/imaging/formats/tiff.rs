//! TIFF (revision 6.0, and its JPEG supplement): reads the first directory, and writes it anew
//! with nothing in it but the picture. Other pages are not looked at.

use super::super::facts::{
    Alpha, Blocks, Decoding, Inside, MAX_BLOCK, MAX_PROFILE, Meaning, Probe, Profile, Samples,
    check_size,
};
use super::super::parts::Parts;
use super::super::source::{Source, Span};
use super::super::{Error, Format, Limits, Orientation};
use super::NOT_DECODED;
use super::ifd::{Directory, Head};
use super::jpeg;

/// No more strips or tiles than pieces that a file may be cut into.
const MAX_CHUNKS: u64 = 50_000;

/// LZW never does better than this, nor does any other method without loss but fax.
const INFLATION: u64 = 3_000;

const MAX_SAMPLES: u64 = 8;

const COMPRESSION: u16 = 259;
const PHOTOMETRIC: u16 = 262;

/// Where the value of `PHOTOMETRIC`, two bytes, lies in every file that is written here: it is
/// the fifth entry.
pub(in super::super) const PHOTOMETRIC_AT: usize = 8 + 2 + 4 * 12 + 8;

const FAX: u64 = 4;
const LZW: u64 = 5;
const JPEG: u64 = 7;
const DEFLATE: [u64; 2] = [8, 32_946];
const PACK_BITS: u64 = 32_773;

fn broken() -> Error {
    Error::damaged("its directory makes no sense")
}

fn unsupported(reason: &'static str) -> Error {
    Error::Unsupported { name: "this kind of TIFF", reason }
}

/// The directory of the file, with shorthands.
struct Page<'a> {
    source: &'a mut Source,
    directory: Directory,
}

impl Page<'_> {
    fn number(&mut self, tag: u16, default: u64) -> Result<u64, Error> {
        Ok(self.directory.number(self.source, tag)?.unwrap_or(default))
    }

    fn numbers(&mut self, tag: u16, most: u64) -> Result<Vec<u64>, Error> {
        self.directory.numbers(self.source, tag, most)
    }
}

/// How the pixels are cut into pieces that are compressed one by one.
struct Chunks {
    is_tiled: bool,
    width: u64,
    height: u64,
    /// One plane's worth.
    across: u64,
    down: u64,
    spans: Vec<Span>,
}

pub(super) fn read(mut source: Source, limits: &Limits) -> Result<Probe, Error> {
    let directory = Directory::first(&mut source)?;
    let mut page = Page { source: &mut source, directory };
    refuse_raw(&mut page)?;
    let side = |value: u64| u32::try_from(value).map_err(|_| broken());
    let width = side(page.number(256, 0)?)?;
    let height = side(page.number(257, 0)?)?;
    check_size(width, height, limits.max_pixels, limits)?;
    let compression = page.number(COMPRESSION, 1)?;
    let samples = samples(&mut page, compression)?;
    let mut chunks = chunks(&mut page, (width, height), &samples, limits)?;
    check_bytes(&mut chunks, height, &samples, compression)?;
    if compression == JPEG {
        check_jpegs(page.source, &chunks, height, &samples, limits)?;
    }
    let orientation = orientation(&mut page)?;
    let profile = page.directory.bytes(34_675).filter(|span| span.end() <= page.source.len());
    if let Some(span) = profile
        && span.len > MAX_PROFILE
    {
        return Err(Error::MetadataTooLarge { what: "a colour profile", allowed: MAX_PROFILE });
    }
    let parts = public(&mut page, (width, height), &samples, &chunks, profile)?;
    let blocks = blocks(&page);
    Ok(Probe {
        format: Format::Tiff,
        width,
        height,
        orientation,
        frames: 1,
        is_animated: false,
        duration_ms: None,
        inside: Inside {
            parts,
            blocks,
            // Four inks become light on the way, and their profile is about inks.
            profile: match profile {
                Some(span) if samples.meaning != Meaning::Inks => Profile::Pieces(vec![span]),
                _ => Profile::None,
            },
            decoding: Decoding::Samples(samples),
            limits: *limits,
        },
    })
}

/// XMP and IPTC have tags of their own (Adobe's and Aldus' registries); what Exif says stands in
/// the directory itself, so its block is the file.
fn blocks(page: &Page<'_>) -> Blocks {
    let len = page.source.len();
    let block =
        |tag| page.directory.block(tag).filter(|span| span.len <= MAX_BLOCK && span.end() <= len);
    Blocks {
        exif: (len <= MAX_BLOCK).then_some(Span::new(0, len)),
        xmp: block(700),
        // Photoshop writes the values also among its own resources.
        iptc: block(33_723).or_else(|| block(34_377)),
    }
}

/// Cameras keep their own formats in TIFF files, whose first page is a small copy at best.
fn refuse_raw(page: &mut Page<'_>) -> Result<(), Error> {
    const DNG_VERSION: u16 = 50_706;
    const SUB_FILES: u16 = 330;
    let is_small_copy = page.number(254, 0)? & 1 == 1 && page.directory.has(SUB_FILES);
    if is_small_copy || page.directory.has(DNG_VERSION) {
        return Err(Error::Unsupported { name: "a raw photograph", reason: NOT_DECODED });
    }
    Ok(())
}

/// What there is for each pixel, if it is of a kind that can be shown.
fn samples(page: &mut Page<'_>, compression: u64) -> Result<Samples, Error> {
    let count = page.number(277, 1)?;
    let bits = page.numbers(258, MAX_SAMPLES)?;
    let depth = bits.first().copied().unwrap_or(1);
    let formats = page.numbers(339, MAX_SAMPLES)?;
    if !(1..=MAX_SAMPLES).contains(&count) || bits.iter().any(|bits| *bits != depth) {
        return Err(unsupported("its samples are of an unusual kind"));
    }
    if bits.len() > 1 && bits.len() as u64 != count {
        return Err(broken());
    }
    if formats.iter().any(|format| !matches!(format, 1 | 4)) || page.number(266, 1)? != 1 {
        return Err(unsupported("its samples are of an unusual kind"));
    }
    let is_planar = count > 1 && page.number(284, 1)? == 2;
    let (meaning, colors) = match (page.number(PHOTOMETRIC, u64::MAX)?, depth) {
        (0, 1 | 2 | 4 | 8 | 16) => (Meaning::Darkness, 1),
        (1, 1 | 2 | 4 | 8 | 16) => (Meaning::Light, 1),
        (2, 8 | 16) => (Meaning::Rgb, 3),
        (3, 1 | 2 | 4 | 8) => (Meaning::Palette, 1),
        (5, 8 | 16) if page.number(332, 1)? == 1 => (Meaning::Inks, 4),
        (6, 8) if compression == JPEG && !is_planar => (Meaning::Ycc, 3),
        _ => return Err(unsupported("its colours are coded in an unusual way")),
    };
    let extra = page.numbers(338, MAX_SAMPLES)?;
    if count < colors || (count > 1 && depth < 8) {
        return Err(unsupported("its samples are of an unusual kind"));
    }
    let is_known = match compression {
        1 | PACK_BITS => true,
        FAX => depth == 1 && count == 1,
        JPEG => depth == 8,
        _ if may_predict(compression) => match page.number(317, 1)? {
            1 => true,
            2 => depth >= 8,
            _ => false,
        },
        _ => false,
    };
    if !is_known {
        return Err(unsupported("it is compressed in an unusual way"));
    }
    let alpha = match extra.first() {
        _ if count == colors || matches!(meaning, Meaning::Palette | Meaning::Inks) => Alpha::None,
        Some(1) => Alpha::Multiplied,
        Some(2) => Alpha::Plain,
        _ => Alpha::None,
    };
    let is_little = page.directory.is_little;
    let (count, depth) = (count as u16, depth as u16);
    Ok(Samples { meaning, count, depth, is_planar, alpha, is_little })
}

/// How the picture is cut, and where the pieces lie.
fn chunks(
    page: &mut Page<'_>,
    (width, height): (u32, u32),
    samples: &Samples,
    limits: &Limits,
) -> Result<Chunks, Error> {
    let (full_width, full_height) = (u64::from(width), u64::from(height));
    let is_tiled = page.directory.has(324);
    let (wide, tall, starts, lengths) = if is_tiled {
        (page.number(322, 0)?, page.number(323, 0)?, 324, 325)
    } else {
        (full_width, page.number(278, full_height)?.min(full_height), 273, 279)
    };
    let most_side = u64::from(limits.max_side) + 1024;
    if !(1..=most_side).contains(&wide) || !(1..=most_side).contains(&tall) {
        return Err(broken());
    }
    let (across, down) = (full_width.div_ceil(wide), full_height.div_ceil(tall));
    // Tiles may stand over the edge, and a small picture may have one large tile.
    if across * wide * down * tall > full_width * full_height * 4 + 4_000_000 {
        return Err(Error::damaged("its tiles are much larger than its picture"));
    }
    let planes = if samples.is_planar { u64::from(samples.count) } else { 1 };
    let expected = across * down * planes;
    if expected > MAX_CHUNKS {
        return Err(Error::damaged("it is cut into too many pieces"));
    }
    let starts = page.numbers(starts, MAX_CHUNKS)?;
    let lengths = page.numbers(lengths, MAX_CHUNKS)?;
    if starts.len() as u64 != expected || lengths.len() as u64 != expected {
        return Err(Error::damaged("its strips or tiles do not make up its picture"));
    }
    let spans: Vec<Span> =
        starts.into_iter().zip(lengths).map(|(at, len)| Span::new(at, len)).collect();
    let file = page.source.len();
    if spans.iter().any(|span| span.end() > file) {
        return Err(Error::damaged("it ends in the middle"));
    }
    if spans.iter().map(|span| span.len).sum::<u64>() > file {
        return Err(Error::damaged("its strips or tiles overlap"));
    }
    Ok(Chunks { is_tiled, width: wide, height: tall, across, down, spans })
}

impl Chunks {
    /// Rows that a chunk has for sure: the last strips may be cut off at the edge, tiles are not.
    fn rows(&self, index: usize, height: u32) -> u64 {
        let row = index as u64 / self.across % self.down;
        if self.is_tiled {
            self.height
        } else {
            self.height.min(u64::from(height) - row * self.height)
        }
    }
}

/// Every piece must hold as many bytes as its rows need. What is behind them is cut off where
/// that can be known.
fn check_bytes(
    chunks: &mut Chunks,
    height: u32,
    samples: &Samples,
    compression: u64,
) -> Result<(), Error> {
    let claims_too_much = || Error::damaged("it claims more pixels than it holds");
    let together = if samples.is_planar { 1 } else { samples.count };
    let per_pixel = u64::from(together) * u64::from(samples.depth);
    let mut total = 0;
    for index in 0..chunks.spans.len() {
        let needed = (chunks.width * per_pixel).div_ceil(8) * chunks.rows(index, height);
        total += needed;
        if compression == 1 {
            let span = &mut chunks.spans[index];
            span.len = if span.len < needed { return Err(claims_too_much()) } else { needed };
        }
    }
    let held: u64 = chunks.spans.iter().map(|span| span.len).sum();
    if compression != FAX && total > held * INFLATION {
        return Err(claims_too_much());
    }
    Ok(())
}

/// Each piece is a JPEG without its tables. Its own header is what decoders go by.
fn check_jpegs(
    source: &mut Source,
    chunks: &Chunks,
    height: u32,
    samples: &Samples,
    limits: &Limits,
) -> Result<(), Error> {
    let components = if samples.is_planar { 1 } else { samples.count };
    for (index, span) in chunks.spans.iter().enumerate() {
        let (width, rows, found) = jpeg::inside(source, *span, limits)?;
        let fits = u64::from(width) == chunks.width
            && u64::from(rows) <= chunks.height.next_multiple_of(16)
            && u64::from(rows) >= chunks.rows(index, height);
        if !fits || u16::from(found) != components {
            return Err(Error::damaged("its pixels have another size than its header says"));
        }
    }
    Ok(())
}

/// A new file with the first page and what its pixels need to be understood.
fn public(
    page: &mut Page<'_>,
    (width, height): (u32, u32),
    samples: &Samples,
    chunks: &Chunks,
    profile: Option<Span>,
) -> Result<Parts, Error> {
    let mut head = head(page, (width, height), samples, chunks, profile)?;
    let mut at = head.len();
    let mut starts = Vec::with_capacity(chunks.spans.len());
    for span in &chunks.spans {
        starts.push(at);
        at += span.len;
    }
    if u32::try_from(at).is_err() {
        return Err(Error::damaged("it is too long for its own offsets"));
    }
    head.replace(if chunks.is_tiled { 324 } else { 273 }, &starts);
    let mut parts = Parts::of(page.source.len());
    parts.bytes(head.finish())?;
    chunks.spans.iter().try_for_each(|span| parts.copy(*span))?;
    Ok(parts)
}

/// The new directory. Where the pieces begin is not known before its length is.
fn head(
    page: &mut Page<'_>,
    (width, height): (u32, u32),
    samples: &Samples,
    chunks: &Chunks,
    profile: Option<Span>,
) -> Result<Head, Error> {
    let lengths: Vec<u64> = chunks.spans.iter().map(|span| span.len).collect();
    let starts = vec![0; lengths.len()];
    let compression = page.number(COMPRESSION, 1)?;
    let mut head = Head::new(page.directory.is_little);
    head.long(256, &[u64::from(width)]);
    head.long(257, &[u64::from(height)]);
    head.short(258, &vec![u64::from(samples.depth); usize::from(samples.count)]);
    head.short(COMPRESSION, &[compression]);
    head.short(PHOTOMETRIC, &[page.number(PHOTOMETRIC, 1)?]);
    if !chunks.is_tiled {
        head.long(273, &starts);
    }
    head.short(274, &[u64::from(orientation(page)?.exif())]);
    head.short(277, &[u64::from(samples.count)]);
    if !chunks.is_tiled {
        head.long(278, &[chunks.height]);
        head.long(279, &lengths);
    }
    head.short(284, &[if samples.is_planar { 2 } else { 1 }]);
    if may_predict(compression) {
        head.short(317, &[page.number(317, 1)?]);
    }
    if samples.meaning == Meaning::Palette {
        let palette = page.numbers(320, 3 << samples.depth)?;
        if palette.len() != 3 << samples.depth {
            return Err(Error::damaged("its palette is not complete"));
        }
        head.short(320, &palette);
    }
    if chunks.is_tiled {
        head.long(322, &[chunks.width]);
        head.long(323, &[chunks.height]);
        head.long(324, &starts);
        head.long(325, &lengths);
    }
    let extra = match samples.alpha {
        Alpha::None => 0,
        Alpha::Multiplied => 1,
        Alpha::Plain => 2,
    };
    if extra > 0 {
        head.short(338, &[extra]);
    }
    if compression == JPEG
        && let Some(tables) = page.directory.bytes(347)
    {
        head.bytes(347, jpeg::tables(page.source, tables)?);
    }
    if let Some(span) = profile {
        head.bytes(34_675, page.source.read(span)?);
    }
    Ok(head)
}

fn orientation(page: &mut Page<'_>) -> Result<Orientation, Error> {
    Ok(Orientation::from_exif(u32::try_from(page.number(274, 1)?).unwrap_or(1)))
}

/// Whether samples may be stored as differences from their neighbours.
fn may_predict(compression: u64) -> bool {
    compression == LZW || DEFLATE.contains(&compression)
}
