//! HEIF (ISO/IEC 23008-12), the boxes around AVIF and HEIC: what is shown, how it is turned, and
//! which bytes belong to it. Knows nothing of the codec inside. Of a sequence only its still
//! picture is ever decoded.

use super::super::facts::{
    Blocks, Colorants, Decoding, Inside, MAX_BLOCK, MAX_PROFILE, Probe, Profile, check_frames,
    check_size,
};
use super::super::parts::Parts;
use super::super::source::{Source, Span};
use super::super::{Error, Format, Limits, Orientation};
use super::boxes::{self, Cut, Outer};
use super::film;
use super::items::{self, Item, Meta};
use super::{NOT_A_PICTURE, NOT_DECODED};

/// `meta` and `moov` are read into memory.
const MAX_BOX: u64 = 4 * 1024 * 1024;

pub(super) fn broken() -> Error {
    Error::damaged("its boxes make no sense")
}

pub(super) fn unsupported(reason: &'static str) -> Error {
    Error::Unsupported { name: "this kind of AVIF or HEIC", reason }
}

/// Looks at the coded pictures themselves, as decoders go by those and not by the boxes: the
/// file's items, the primary one, and its size. Gives back what decoding takes for each pixel.
pub(super) type Check = fn(&mut Source, &Meta, &Item, (u32, u32), &Limits) -> Result<u64, Error>;

/// What a file with a `ftyp` box is.
pub(super) fn recognise(head: &[u8]) -> Result<Format, Error> {
    let size = head.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
    let end = usize::try_from(size).unwrap_or(0).min(head.len());
    let (brands, _) = head.get(8..end).unwrap_or_default().as_chunks::<4>();
    let has = |wanted: &[&[u8; 4]]| brands.iter().any(|brand| wanted.contains(&brand));
    let (name, reason) = if has(&[b"avif", b"avis"]) {
        return Ok(Format::Avif);
    } else if has(&[b"heic", b"heix", b"hevc", b"hevx", b"mif1", b"msf1"]) {
        return Ok(Format::Heic);
    } else if has(&[b"heim", b"heis"]) {
        ("layered HEIC", NOT_DECODED)
    } else if has(&[b"crx "]) {
        ("a raw photograph", NOT_DECODED)
    } else if has(&[b"qt  "]) {
        ("QuickTime", NOT_A_PICTURE)
    } else {
        ("MP4", NOT_A_PICTURE)
    };
    Err(Error::Unsupported { name, reason })
}

pub(super) fn read(
    format: Format,
    mut source: Source,
    limits: &Limits,
    check: Check,
) -> Result<Probe, Error> {
    let mut outer = Vec::new();
    while let Some(found) = boxes::next(&mut source)? {
        if outer.len() >= 1_000 {
            return Err(broken());
        }
        source.seek(found.whole.end())?;
        outer.push(found);
    }
    let meta = load(&mut source, &outer, b"meta")?
        .ok_or_else(|| unsupported("it is a film without a still picture"))?;
    let meta = Meta::parse(&meta.0, meta.1.body.at).ok_or_else(broken)?;
    let primary = meta.primary().ok_or_else(broken)?;
    let (width, height) = meta.size_of(primary).ok_or_else(broken)?;
    check_claims(&meta, limits)?;
    for item in meta.items.iter().filter(|item| &item.kind == b"grid") {
        check_grid(&mut source, &meta, item)?;
    }
    let bytes_per_pixel = check(&mut source, &meta, primary, (width, height), limits)?;
    let blocks = Blocks { exif: exif(&mut source, &meta)?, xmp: xmp(&source, &meta), iptc: None };
    let film = load(&mut source, &outer, b"moov")?;
    let (frames, duration_ms) =
        film.as_ref().and_then(|(body, _)| film::facts(body)).unwrap_or((1, 0));
    check_frames(frames, (width, height), limits)?;
    let film = film.map(|(body, _)| body);
    let parts = public(&source, &outer, &meta, film)?;
    Ok(Probe {
        format,
        width,
        height,
        orientation: orientation(&meta, primary)?,
        frames,
        is_animated: frames > 1,
        duration_ms: (frames > 1).then_some(duration_ms),
        inside: Inside {
            parts,
            blocks,
            profile: profile(&meta, primary),
            decoding: Decoding::Whole { bytes_per_pixel },
            limits: *limits,
        },
    })
}

/// The body of the only outer box of a kind.
fn load(
    source: &mut Source,
    outer: &[Outer],
    kind: &[u8; 4],
) -> Result<Option<(Vec<u8>, Outer)>, Error> {
    let mut found = outer.iter().filter(|outer| &outer.kind == kind);
    let Some(first) = found.next() else {
        return Ok(None);
    };
    if found.next().is_some() {
        return Err(broken());
    }
    if first.body.len > MAX_BOX {
        return Err(Error::MetadataTooLarge { what: "a box of facts", allowed: MAX_BOX });
    }
    Ok(Some((source.read(first.body)?, *first)))
}

/// Every size in the file must be allowed, the largest too.
fn check_claims(meta: &Meta, limits: &Limits) -> Result<(), Error> {
    let allowed = limits.max_pixels.min(limits.max_progressive_pixels);
    for property in meta.properties.iter().filter(|property| &property.kind == b"ispe") {
        let (width, height) = items::size(property).ok_or_else(broken)?;
        check_size(width, height, allowed, limits)?;
    }
    Ok(())
}

/// A grid of tiles says its size once more, in its data. It must have as many tiles as it shows,
/// and no more.
fn check_grid(source: &mut Source, meta: &Meta, item: &Item) -> Result<(), Error> {
    let [data] = item.extents[..] else {
        return Err(broken());
    };
    let bytes = source.read(Span::new(data.at, data.len.min(12)))?;
    let grid = grid(&bytes).ok_or_else(broken)?;
    let (width, height) = meta.size_of(item).ok_or_else(broken)?;
    if (grid.width, grid.height) != (width.into(), height.into()) {
        return Err(Error::damaged("its tiles make another size than its header says"));
    }
    let mut tiles = meta.inputs_of(item);
    let tile = tiles.next().and_then(|tile| meta.size_of(tile)).ok_or_else(broken)?;
    let is_other = |other: &Item| meta.size_of(other) != Some(tile);
    if tiles.any(is_other) || meta.inputs_of(item).count() as u64 != grid.columns * grid.rows {
        return Err(Error::damaged("its tiles do not make up its picture"));
    }
    let (wide, tall) = (u64::from(tile.0), u64::from(tile.1));
    let covers =
        |count: u64, side: u64, whole: u64| count * side >= whole && (count - 1) * side < whole;
    if covers(grid.columns, wide, grid.width) && covers(grid.rows, tall, grid.height) {
        Ok(())
    } else {
        Err(Error::damaged("its tiles do not make up its picture"))
    }
}

struct Grid {
    rows: u64,
    columns: u64,
    width: u64,
    height: u64,
}

fn grid(bytes: &[u8]) -> Option<Grid> {
    let mut fields = Cut(bytes);
    fields.number(1)?;
    let wide = if fields.number(1)? & 1 == 0 { 2 } else { 4 };
    let (rows, columns) = (fields.number(1)? + 1, fields.number(1)? + 1);
    Some(Grid { rows, columns, width: fields.number(wide)?, height: fields.number(wide)? })
}

/// Turned first, mirrored then, as the file's order of properties has it.
fn orientation(meta: &Meta, primary: &Item) -> Result<Orientation, Error> {
    let (mut turns, mut mirror) = (0, None);
    for property in meta.properties_of(primary) {
        let value = property.value.first().copied().unwrap_or(0);
        match &property.kind {
            b"irot" => turns = value & 3,
            b"imir" => mirror = Some(value & 1),
            b"clap" => return Err(unsupported("only a part of it is meant to be seen")),
            _ => {}
        }
    }
    // Turns count against the clock. Mirror 0 swaps top and bottom, 1 left and right.
    Ok(Orientation::from_exif(match (turns, mirror) {
        (0, None) => 1,
        (0, Some(0)) | (2, Some(1)) => 4,
        (0, Some(_)) | (2, Some(_)) => 2,
        (1, None) => 8,
        (1, Some(0)) | (3, Some(1)) => 5,
        (1, Some(_)) | (3, Some(_)) => 7,
        (2, None) => 3,
        _ => 6,
    }))
}

fn profile(meta: &Meta, primary: &Item) -> Profile {
    let mut found = meta.properties_of(primary).filter(|property| {
        let kind = property.value.first_chunk::<4>();
        &property.kind == b"colr" && matches!(kind, Some(b"prof" | b"rICC"))
    });
    match found.next() {
        Some(property) if property.span.len <= MAX_PROFILE => {
            Profile::Pieces(vec![Span::new(property.span.at + 4, property.span.len - 4)])
        }
        _ => colorants(meta, primary).map_or(Profile::None, Profile::Named),
    }
}

/// The range of colours that a `colr` box names, if it is wider than usual. The curves of high
/// dynamic range are left alone: without a display to aim at, they would only come out dark.
fn colorants(meta: &Meta, primary: &Item) -> Option<Colorants> {
    let mut named = meta.properties_of(primary).filter_map(|property| {
        let value = property.value.strip_prefix(b"nclx")?;
        (&property.kind == b"colr").then_some(value)
    });
    let [0, primaries, 0, curve, ..] = *named.next()? else { return None };
    match (primaries, curve) {
        (9, 1 | 2 | 6 | 13..=15) => Some(Colorants::Bt2020),
        (12, 1 | 2 | 6 | 13..=15) => Some(Colorants::DisplayP3),
        _ => None,
    }
}

/// An Exif item begins with the distance to its TIFF header.
fn exif(source: &mut Source, meta: &Meta) -> Result<Option<Span>, Error> {
    let item = meta.items.iter().find(|item| &item.kind == b"Exif");
    let Some([span]) = item.map(|item| &item.extents[..]) else {
        return Ok(None);
    };
    if span.len <= 4 || span.len > MAX_BLOCK || span.end() > source.len() {
        return Ok(None);
    }
    source.seek(span.at)?;
    let skipped = 4 + u64::from(u32::from_be_bytes(source.array()?));
    Ok(span.len.checked_sub(skipped).map(|len| Span::new(span.at + skipped, len)))
}

/// The first item that may be XMP; a reader will see whether it is.
fn xmp(source: &Source, meta: &Meta) -> Option<Span> {
    let item = meta.items.iter().find(|item| &item.kind == b"mime")?;
    let [span] = item.extents[..] else {
        return None;
    };
    (span.len <= MAX_BLOCK && span.end() <= source.len()).then_some(span)
}

/// The same boxes at the same places, as offsets point at them, with everything overwritten that
/// does not belong to a picture.
fn public(
    source: &Source,
    outer: &[Outer],
    meta: &Meta,
    film: Option<Vec<u8>>,
) -> Result<Parts, Error> {
    let is_told = |item: &&Item| matches!(&item.kind, b"Exif" | b"mime" | b"uri ");
    let extents = |of: &dyn Fn(&&Item) -> bool| -> Vec<Span> {
        let mut spans: Vec<Span> =
            meta.items.iter().filter(of).flat_map(|item| item.extents.iter().copied()).collect();
        spans.sort_by_key(|span| span.at);
        spans
    };
    let (told, shown) = (extents(&is_told), extents(&|item| !is_told(item)));
    check_places(outer, meta, &told, &shown)?;
    let mut parts = Parts::of(source.len());
    for outer in outer {
        let head = Span::new(outer.whole.at, outer.body.at - outer.whole.at);
        match (&outer.kind, &film) {
            (b"ftyp", _) => parts.copy(outer.whole)?,
            (b"meta", _) | (b"mdat", Some(_)) => {
                parts.copy(head)?;
                cover(&mut parts, outer.body, &told, false)?;
            }
            (b"mdat", None) => {
                parts.copy(head)?;
                cover(&mut parts, outer.body, &shown, true)?;
            }
            (b"moov", Some(body)) => {
                parts.copy(head)?;
                let mut body = body.clone();
                film::silence(&mut body, 0);
                parts.bytes(body)?;
            }
            _ => {
                let size = u32::try_from(outer.whole.len).map_err(|_| broken())?;
                parts.bytes([&size.to_be_bytes()[..], b"free"].concat())?;
                parts.zeros(outer.whole.len - 8)?;
            }
        }
    }
    Ok(parts)
}

/// Items must lie where items belong, and pictures apart from metadata: what belongs to no
/// picture is about to be overwritten.
fn check_places(outer: &[Outer], meta: &Meta, told: &[Span], shown: &[Span]) -> Result<(), Error> {
    let data = outer.iter().filter(|outer| &outer.kind == b"mdat").map(|outer| outer.body);
    let places: Vec<Span> = data.chain(meta.data).collect();
    let holds = |place: &Span, span: &Span| place.at <= span.at && span.end() <= place.end();
    let is_lost = |span: &Span| !places.iter().any(|place| holds(place, span));
    let is_told = |span: &Span| told.iter().any(|t| t.at < span.end() && span.at < t.end());
    if told.iter().chain(shown).any(is_lost) || shown.iter().any(is_told) {
        return Err(Error::damaged("its parts lie where they should not"));
    }
    Ok(())
}

/// Copies a region with zeros in place of the given spans, or with zeros everywhere else.
fn cover(parts: &mut Parts, region: Span, spans: &[Span], keeps: bool) -> Result<(), Error> {
    let mut put = |span: Span, keep: bool| {
        if keep { parts.copy(span) } else { parts.zeros(span.len) }
    };
    let mut at = region.at;
    for span in spans {
        let from = span.at.clamp(at, region.end());
        let to = span.end().clamp(from, region.end());
        put(Span::new(at, from - at), !keeps)?;
        put(Span::new(from, to - from), keeps)?;
        at = to;
    }
    put(Span::new(at, region.end() - at), !keeps)
}
