//! AVIF (the AV1 image format, in HEIF boxes): reads the boxes, and the head of every AV1 frame,
//! as decoders go by the latter. Of a sequence only its still picture is ever decoded.

use super::super::facts::{
    Blocks, Decoding, Inside, MAX_BLOCK, MAX_PROFILE, Probe, Profile, check_frames, check_size,
};
use super::super::parts::Parts;
use super::super::source::{Source, Span};
use super::super::{Error, Format, Limits, Orientation};
use super::av1;
use super::boxes::{self, Cut, Outer};
use super::items::{self, Item, Meta};
use super::{NOT_A_PICTURE, NOT_DECODED};

/// `meta` and `moov` are read into memory.
const MAX_BOX: u64 = 4 * 1024 * 1024;

/// Planes of up to 16 bits in the decoder and outside it, and four bytes of RGBA twice.
const BYTES_PER_PIXEL: u64 = 20;

fn broken() -> Error {
    Error::damaged("its boxes make no sense")
}

fn unsupported(reason: &'static str) -> Error {
    Error::Unsupported { name: "this kind of AVIF", reason }
}

/// What a file with a `ftyp` box is.
pub(super) fn recognise(head: &[u8]) -> Result<Format, Error> {
    let size = head.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
    let end = usize::try_from(size).unwrap_or(0).min(head.len());
    let (brands, _) = head.get(8..end).unwrap_or_default().as_chunks::<4>();
    let has = |wanted: &[&[u8; 4]]| brands.iter().any(|brand| wanted.contains(&brand));
    let (name, reason) = if has(&[b"avif", b"avis"]) {
        return Ok(Format::Avif);
    } else if has(&[b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"]) {
        ("HEIC", NOT_DECODED)
    } else if has(&[b"crx "]) {
        ("a raw photograph", NOT_DECODED)
    } else if has(&[b"qt  "]) {
        ("QuickTime", NOT_A_PICTURE)
    } else {
        ("MP4", NOT_A_PICTURE)
    };
    Err(Error::Unsupported { name, reason })
}

pub(super) fn read(mut source: Source, limits: &Limits) -> Result<Probe, Error> {
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
    check_frames_inside(&mut source, &meta, (width, height), limits)?;
    let blocks = Blocks { exif: exif(&mut source, &meta)?, xmp: xmp(&source, &meta), iptc: None };
    let film = load(&mut source, &outer, b"moov")?;
    let (frames, duration_ms) =
        film.as_ref().and_then(|(body, _)| film_facts(body)).unwrap_or((1, 0));
    check_frames(frames, (width, height), limits)?;
    let film = film.map(|(body, _)| body);
    let parts = public(&source, &outer, &meta, film)?;
    Ok(Probe {
        format: Format::Avif,
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
            decoding: Decoding::Whole { bytes_per_pixel: BYTES_PER_PIXEL },
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

/// Every AV1 item must be as large as its boxes say, coded in colours that can be converted, and
/// all of them together not much larger than the picture.
fn check_frames_inside(
    source: &mut Source,
    meta: &Meta,
    (width, height): (u32, u32),
    limits: &Limits,
) -> Result<(), Error> {
    let mut total = 0;
    let mut is_full = true;
    let most = limits.max_progressive_pixels.saturating_mul(2);
    for item in &meta.items {
        match &item.kind {
            b"av01" => {}
            b"grid" => {
                check_grid(source, meta, item)?;
                continue;
            }
            _ => continue,
        }
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
    Ok(())
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

/// A grid of tiles says its size once more, in its data.
fn check_grid(source: &mut Source, meta: &Meta, item: &Item) -> Result<(), Error> {
    let [data] = item.extents[..] else {
        return Err(broken());
    };
    let bytes = source.read(Span::new(data.at, data.len.min(12)))?;
    let mut fields = Cut(&bytes);
    let wide =
        fields.number(2).map(|flags| if flags & 1 == 0 { 2 } else { 4 }).ok_or_else(broken)?;
    let size = fields.take(2).and_then(|_| Some((fields.number(wide)?, fields.number(wide)?)));
    let claimed = meta.size_of(item).map(|(width, height)| (u64::from(width), u64::from(height)));
    if size.is_none() || size != claimed {
        return Err(Error::damaged("its tiles make another size than its header says"));
    }
    Ok(())
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
        _ => Profile::None,
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

/// The number of frames of a film and its length in milliseconds.
fn film_facts(body: &[u8]) -> Option<(u32, u64)> {
    let mut header = Cut(body).find(b"mvhd")?;
    let wide = if header.version()? == 0 { 4 } else { 8 };
    header.take(wide * 2)?;
    let (per_second, length) = (header.number(4)?, header.number(wide)?);
    let mut frames = 1;
    let mut rest = Cut(body);
    while let Some((kind, track)) = rest.next() {
        if &kind != b"trak" {
            continue;
        }
        let table = track.find(b"mdia")?.find(b"minf")?.find(b"stbl")?;
        let mut sizes = table.find(b"stsz").or_else(|| table.find(b"stz2"))?;
        sizes.take(8)?;
        frames = frames.max(sizes.number(4)? as u32);
    }
    let milliseconds = u128::from(length) * 1000 / u128::from(per_second.max(1));
    Some((frames, u64::try_from(milliseconds).ok()?))
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
                silence(&mut body, 0);
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

/// Overwrites what a film's boxes tell besides how to play it.
fn silence(body: &mut [u8], depth: u8) {
    let mut rest = body;
    while let Some((head, _)) = rest.split_first_chunk::<8>() {
        let size = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let kind = [head[4], head[5], head[6], head[7]];
        if size < 8 || size > rest.len() {
            return;
        }
        let (this, after) = rest.split_at_mut(size);
        match &kind {
            b"udta" | b"meta" | b"uuid" | b"free" | b"skip" => {
                this[4..8].copy_from_slice(b"free");
                this[8..].fill(0);
            }
            b"trak" | b"mdia" if depth < 4 => silence(&mut this[8..], depth + 1),
            _ => {}
        }
        rest = after;
    }
}
