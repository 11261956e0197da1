//! What a film says about itself in words: `udta` with the songs' lists of iTunes and the notes of
//! cameras, and the keys of QuickTime. Of the words only those about the work itself stay.

use super::super::Error;
use super::super::probe::Draft;
use super::super::source::{Cut, MAX_BLOCK, Source, Span};
use super::super::told::{Place, Word};
use super::boxes::{self, Atom};

/// What a song's list may keep: the names of the work and of those who made it, where it stands
/// among others, and its picture.
const KEPT: &[&[u8; 4]] = &[
    b"\xa9nam", b"\xa9ART", b"\xa9alb", b"\xa9gen", b"\xa9day", b"\xa9wrt", b"\xa9lyr", b"aART",
    b"trkn", b"disk", b"gnre", b"covr", b"cprt", b"cpil", b"tmpo", b"pgap", b"rtng", b"stik",
    b"sonm", b"soar", b"soal", b"desc",
];

/// The meaning of the names that both lists have.
fn word(kind: &[u8; 4]) -> Option<Word> {
    Some(match kind {
        b"\xa9nam" | b"titl" => Word::Title,
        b"\xa9ART" | b"\xa9aut" | b"auth" | b"perf" => Word::Artist,
        b"\xa9alb" | b"albm" => Word::Album,
        b"\xa9gen" | b"gnre" => Word::Genre,
        b"\xa9day" => Word::Date,
        b"\xa9des" | b"desc" | b"dscp" => Word::Description,
        b"\xa9cpy" | b"cprt" => Word::Copyright,
        b"\xa9too" | b"\xa9swr" => Word::Software,
        b"\xa9mak" => Word::Make,
        b"\xa9mod" => Word::Model,
        b"\xa9xyz" => Word::Place,
        _ => return None,
    })
}

/// `udta`: the list of iTunes stays in part, and nothing else does.
pub(super) fn user_data(source: &mut Source, of: Span, draft: &mut Draft) -> Result<(), Error> {
    for atom in boxes::children(source, of)? {
        if &atom.kind == b"meta" {
            let inside = inside_meta(source, &atom)?;
            let list = boxes::find(source, inside, &[b"ilst"])?;
            if let Some(list) = list {
                songs(source, &atom, &list, draft)?;
                continue;
            }
        } else if &atom.kind == b"loci" {
            draft.told.place = draft.told.place.or(location(source, &atom)?);
        } else if let Some(word) = word(&atom.kind) {
            // A length and a language, or a version, a language and the text.
            let bytes = source.read(atom.body.first(4096))?;
            let skipped = if atom.kind[0] == 0xa9 { 4 } else { 6 };
            draft.told.hear(word, &text(bytes.get(skipped..).unwrap_or_default()));
        }
        // What is free already stays as it is, so that nothing changes the second time.
        boxes::free(&atom, draft)?;
    }
    Ok(())
}

/// The boxes in a `meta`, which has a version in MP4 and none in QuickTime.
fn inside_meta(source: &mut Source, meta: &Atom) -> Result<Span, Error> {
    let head = source.read(meta.body.first(8))?;
    let has_version = head.get(4..8) != Some(b"hdlr");
    Ok(if has_version { meta.body.after(4) } else { meta.body })
}

/// The list of iTunes.
fn songs(source: &mut Source, meta: &Atom, list: &Atom, draft: &mut Draft) -> Result<(), Error> {
    let inside = inside_meta(source, meta)?;
    for atom in boxes::children(source, inside)? {
        if !matches!(&atom.kind, b"hdlr" | b"ilst" | b"free") {
            boxes::free(&atom, draft)?;
        }
    }
    for item in boxes::children(source, list.body)? {
        let is_kept = KEPT.contains(&&item.kind);
        for data in boxes::children(source, item.body)? {
            let may_stay = &data.kind == b"data" && hear_song(source, &item, &data, draft)?;
            if is_kept && !may_stay {
                boxes::free(&data, draft)?;
            }
        }
        if !is_kept {
            boxes::free(&item, draft)?;
        }
    }
    Ok(())
}

/// One value of the list, whose type and language come first. Tells whether it may stay.
fn hear_song(
    source: &mut Source,
    item: &Atom,
    data: &Atom,
    draft: &mut Draft,
) -> Result<bool, Error> {
    let value = data.body.after(8);
    if &item.kind == b"covr" {
        return Ok(draft.cover_at(value));
    }
    if let Some(word) = word(&item.kind) {
        let bytes = source.read(value.first(16 * 1024))?;
        draft.told.hear(word, &String::from_utf8_lossy(&bytes));
    }
    Ok(true)
}

/// The keys of QuickTime: a list of names, and a list of values by their numbers.
pub(super) fn keys(source: &mut Source, meta: &Atom, draft: &mut Draft) -> Result<(), Error> {
    let inside = inside_meta(source, meta)?;
    let Some(keys) = boxes::find(source, inside, &[b"keys"])? else { return Ok(()) };
    let names: Vec<Option<Word>> = {
        let bytes = source.read(keys.body.after(8).first(MAX_BLOCK))?;
        let (mut cut, mut names) = (Cut(&bytes), Vec::new());
        while let Some(size) = cut.count(4) {
            let rest = size.checked_sub(4).and_then(|size| cut.take(size as usize));
            let Some(name) = rest.and_then(|rest| rest.get(4..)) else { break };
            names.push(key(name));
        }
        names
    };
    let Some(list) = boxes::find(source, inside, &[b"ilst"])? else { return Ok(()) };
    for item in boxes::children(source, list.body)? {
        let number = usize::try_from(u32::from_be_bytes(item.kind)).unwrap_or(0);
        let word = number.checked_sub(1).and_then(|n| names.get(n).copied().flatten());
        let Some(word) = word else { continue };
        if let Some(data) = boxes::find(source, item.body, &[b"data"])? {
            let bytes = source.read(data.body.after(8).first(16 * 1024))?;
            draft.told.hear(word, &String::from_utf8_lossy(&bytes));
        }
    }
    Ok(())
}

fn key(name: &[u8]) -> Option<Word> {
    Some(match name.strip_prefix(b"com.apple.quicktime.")? {
        b"title" | b"displayname" => Word::Title,
        b"artist" | b"author" => Word::Artist,
        b"album" => Word::Album,
        b"description" => Word::Description,
        b"genre" => Word::Genre,
        b"copyright" => Word::Copyright,
        b"software" => Word::Software,
        b"make" => Word::Make,
        b"model" => Word::Model,
        b"creationdate" => Word::Date,
        b"location.ISO6709" => Word::Place,
        _ => return None,
    })
}

fn text(bytes: &[u8]) -> String {
    match bytes {
        [0xfe, 0xff, rest @ ..] => {
            let pairs = rest.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            char::decode_utf16(pairs).map(|c| c.unwrap_or('\u{fffd}')).collect()
        }
        bytes => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// `loci` (3GPP TS 26.244): a name that ends with a zero, a role, and three numbers.
fn location(source: &mut Source, atom: &Atom) -> Result<Option<Place>, Error> {
    let bytes = source.read(atom.body.after(6).first(1024))?;
    let Some(end) = bytes.iter().position(|byte| *byte == 0) else { return Ok(None) };
    let mut cut = Cut(bytes.get(end + 2..).unwrap_or_default());
    let mut degrees = || Some(f64::from(cut.count(4)?.cast_signed()) / 65_536.0);
    let (longitude, latitude, altitude) = (degrees(), degrees(), degrees());
    Ok(latitude.zip(longitude).and_then(|(latitude, longitude)| {
        Place { latitude, longitude, altitude_m: altitude }.checked()
    }))
}
