//! ID3 tags (versions 1, 2.2, 2.3 and 2.4): words and a picture in front of a song, and a few at
//! its end. Of the frames only those about the work itself stay.

use super::Error;
use super::probe::Draft;
use super::source::{Cut, MAX_BLOCK, Source, Span};
use super::told::Word;

/// The head of a tag, and of each of its frames since version 2.3.
const HEAD: usize = 10;

/// Frames that stay, in the three letters of version 2.2 and the four of the others: the names of
/// the work and of those who made it, where it stands among others, its words, parts and picture,
/// and how loud it is to be played.
const KEPT: &[&[u8]] = &[
    b"TT1", b"TT2", b"TT3", b"TP1", b"TP2", b"TP3", b"TP4", b"TAL", b"TRK", b"TPA", b"TCO", b"TYE",
    b"TCM", b"TBP", b"TLE", b"TCR", b"ULT", b"SLT", b"PIC", b"RVA", b"TIT1", b"TIT2", b"TIT3",
    b"TPE1", b"TPE2", b"TPE3", b"TPE4", b"TALB", b"TRCK", b"TPOS", b"TCON", b"TYER", b"TDRC",
    b"TDRL", b"TDOR", b"TORY", b"TCOM", b"TBPM", b"TKEY", b"TLEN", b"TLAN", b"TCOP", b"TPUB",
    b"TSRC", b"TCMP", b"TSOP", b"TSOA", b"TSOT", b"TSST", b"USLT", b"SYLT", b"APIC", b"RVA2",
    b"RVAD", b"CHAP", b"CTOC",
];

fn word(id: &[u8]) -> Option<Word> {
    Some(match id {
        b"TT2" | b"TIT2" => Word::Title,
        b"TP1" | b"TPE1" => Word::Artist,
        b"TAL" | b"TALB" => Word::Album,
        b"TCO" | b"TCON" => Word::Genre,
        b"TCR" | b"TCOP" => Word::Copyright,
        b"TSS" | b"TSSE" => Word::Software,
        _ => return None,
    })
}

/// How much of the file the tag takes that begins at `at`, if one does.
pub(super) fn length(source: &mut Source, at: u64) -> Result<Option<u64>, Error> {
    let head = source.peek(at, HEAD as u64)?;
    let [b'I', b'D', b'3', major, minor, flags, size @ ..] = &*head else { return Ok(None) };
    if size.len() != 4 || size.iter().any(|byte| byte & 0x80 != 0) || *minor == 0xff {
        return Ok(None);
    }
    let footer = if *major == 4 && flags & 0x10 != 0 { HEAD as u64 } else { 0 };
    Ok(Some(HEAD as u64 + synchsafe(size) + footer))
}

/// Seven bits in each byte.
fn synchsafe(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |sum, byte| sum << 7 | u64::from(byte & 0x7f))
}

/// Reads a whole tag, and writes it anew with the frames that stay and as long as it was.
pub(super) fn read(source: &mut Source, tag: Span, draft: &mut Draft) -> Result<(), Error> {
    if tag.len > MAX_BLOCK {
        return Err(Error::Damaged("what it says about itself is too long"));
    }
    let bytes = source.read(tag)?;
    let Some((head, body)) = bytes.split_at_checked(HEAD) else { return Ok(()) };
    let (major, flags) = (head[3], head[5]);
    // Up to version 2.3 the tag is made safe as a whole, and since then frame by frame.
    let is_safe = flags & 0x80 != 0;
    let unpacked = if is_safe && major < 4 { unsafe_again(body) } else { body.to_vec() };
    let has_more = flags & 0x40 != 0 && major > 2;
    let mut frames = Frames { cut: Cut(&unpacked), major, is_safe: is_safe && major == 4 };
    if has_more {
        frames.skip_extended_header();
    }
    let mut kept = [&b"ID3"[..], &[major, 0, 0], &head[6..]].concat();
    for frame in frames {
        if let Some(word) = word(frame.id)
            && let Some(content) = frame.content()
        {
            draft.told.hear(word, &words(&content));
        } else if matches!(frame.id, b"APIC" | b"PIC") {
            let at = tag.at + kept.len() as u64 + frame.whole.len() as u64;
            if frame.content().is_none_or(|content| !hear_picture(&frame, &content, at, draft)) {
                continue;
            }
        }
        if KEPT.contains(&frame.id) && !frame.holds_pictures() {
            kept.extend(frame.whole);
        }
    }
    // A footer would be wrong now: its length counts as padding.
    if major == 4 && flags & 0x10 != 0 {
        let size = (tag.len - HEAD as u64).min(0x0fff_ffff);
        let seven = |shift: u32| (size >> shift) as u8 & 0x7f;
        kept[6..HEAD].copy_from_slice(&[seven(21), seven(14), seven(7), seven(0)]);
    }
    draft.private.put(tag, kept)
}

/// Takes down the picture in a frame that ends at `end` in the public file. Tells whether it stays.
fn hear_picture(frame: &Frame<'_>, content: &[u8], end: u64, draft: &mut Draft) -> bool {
    let Some(picture) = picture(content, frame.id.len() == 3) else { return false };
    // Where it is made safe, it does not lie there as it is.
    let is_plain = frame.body.ends_with(picture);
    let len = picture.len() as u64;
    draft.cover_of(picture, is_plain.then(|| Span::new(end - len, len))) && is_plain
}

/// Takes out the zeros that keep players without knowledge of tags from taking one for sound.
fn unsafe_again(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut before = 0;
    for byte in bytes {
        if !(before == 0xff && *byte == 0) {
            plain.push(*byte);
        }
        before = *byte;
    }
    plain
}

struct Frames<'a> {
    cut: Cut<'a>,
    major: u8,
    /// Whether each frame is made safe, whatever it says itself.
    is_safe: bool,
}

struct Frame<'a> {
    id: &'a [u8],
    whole: &'a [u8],
    body: &'a [u8],
    /// Of version 2.4, or what is the same there.
    flags: u8,
    is_safe: bool,
}

impl Frames<'_> {
    fn skip_extended_header(&mut self) {
        let Some(size) = self.cut.take(4) else { return };
        let more = if self.major == 4 {
            synchsafe(size).saturating_sub(4)
        } else {
            Cut(size).number(4).unwrap_or(0)
        };
        self.cut.take(usize::try_from(more).unwrap_or(usize::MAX));
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        let all = self.cut.0;
        let (id_len, head_len) = if self.major == 2 { (3, 6) } else { (4, HEAD) };
        let id = self.cut.take(id_len)?;
        if !id.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
            return None;
        }
        let (size, flags) = match self.major {
            2 => (self.cut.number(3)?, 0),
            3 => {
                let size = self.cut.number(4)?;
                // Packed, secret, or in a group; the last two as in version 2.4.
                let flags = self.cut.take(2)?[1];
                (size, (flags & 0x80) >> 4 | (flags & 0x40) >> 4 | (flags & 0x20) << 1)
            }
            _ => (synchsafe(self.cut.take(4)?), self.cut.take(2)?[1]),
        };
        let body = self.cut.take(usize::try_from(size).ok()?)?;
        let whole = all.get(..head_len + body.len())?;
        Some(Frame { id, whole, body, flags, is_safe: self.is_safe })
    }
}

impl Frame<'_> {
    /// Chapters may have pictures of their own, at which nobody looks.
    fn holds_pictures(&self) -> bool {
        self.id.starts_with(b"C") && self.body.windows(4).any(|run| run == b"APIC")
    }

    /// What is in it, unless that is packed or secret.
    fn content(&self) -> Option<Vec<u8>> {
        if self.flags & 0x0c != 0 {
            return None;
        }
        let grouped = usize::from(self.flags & 0x40 != 0);
        let measured = if self.flags & 0x01 != 0 { 4 } else { 0 };
        let body = self.body.get(grouped + measured..)?;
        let is_safe = self.is_safe || self.flags & 0x02 != 0;
        Some(if is_safe { unsafe_again(body) } else { body.to_vec() })
    }
}

/// The text of a frame, which begins with its encoding.
fn words(content: &[u8]) -> String {
    content.split_first().map_or_else(String::new, |(encoding, text)| decode(*encoding, text))
}

fn decode(encoding: u8, bytes: &[u8]) -> String {
    // More than will be used in any case.
    let bytes = &bytes[..bytes.len().min(16 * 1024)];
    let wide = |bytes: &[u8], join: fn([u8; 2]) -> u16| {
        let pairs = bytes.chunks_exact(2).map(|pair| join([pair[0], pair[1]]));
        char::decode_utf16(pairs).map(|c| c.unwrap_or('\u{fffd}')).collect()
    };
    match (encoding, bytes) {
        (0, bytes) => bytes.iter().map(|byte| char::from(*byte)).collect(),
        (1, [0xff, 0xfe, rest @ ..]) => wide(rest, u16::from_le_bytes),
        (1, [0xfe, 0xff, rest @ ..]) | (1 | 2, rest) => wide(rest, u16::from_be_bytes),
        (_, bytes) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// What follows a text that ends with zeros.
fn after_text(encoding: u8, bytes: &[u8]) -> &[u8] {
    let width = if matches!(encoding, 1 | 2) { 2 } else { 1 };
    let end = bytes.chunks_exact(width).position(|one| one.iter().all(|byte| *byte == 0));
    end.and_then(|end| bytes.get((end + 1) * width..)).unwrap_or_default()
}

/// The bytes of an attached picture, whose type and description come first.
fn picture(content: &[u8], is_old: bool) -> Option<&[u8]> {
    let (encoding, rest) = content.split_first()?;
    let rest = if is_old { rest.get(3..)? } else { after_text(0, rest) };
    // What it shows.
    let rest = rest.get(1..)?;
    Some(after_text(*encoding, rest)).filter(|picture| !picture.is_empty())
}

/// The old tag in the last 128 bytes, where there is one: names stay, and the remark goes. Returns
/// where the sound ends.
pub(super) fn read_old(source: &mut Source, draft: &mut Draft) -> Result<u64, Error> {
    let len = source.len();
    let Some(at) = len.checked_sub(128) else { return Ok(len) };
    let bytes = source.read(Span::new(at, 128))?;
    if !bytes.starts_with(b"TAG") {
        return Ok(len);
    }
    let field = |from: usize| decode(0, bytes.get(from..from + 30).unwrap_or_default());
    draft.told.hear(Word::Title, &field(3));
    draft.told.hear(Word::Artist, &field(33));
    draft.told.hear(Word::Album, &field(63));
    // In version 1.1 a zero and the number of the song are at its end.
    let remark = if bytes[125] == 0 { 28 } else { 30 };
    draft.private.zero(Span::new(at + 97, remark))?;
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_in_four_encodings() {
        assert_eq!(decode(0, b"caf\xe9"), "café");
        assert_eq!(decode(1, b"\xff\xfec\0\xe9\0"), "cé");
        assert_eq!(decode(1, b"\xfe\xff\0c\0\xe9"), "cé");
        assert_eq!(decode(2, b"\0c\0\xe9\0"), "cé");
        assert_eq!(decode(3, "cé".as_bytes()), "cé");
        assert_eq!((words(b"\0text"), words(b"")), ("text".to_owned(), String::new()));
    }

    #[test]
    fn pictures_follow_their_descriptions() {
        assert_eq!(picture(b"\0image/png\0\x03front\0PNG", false), Some(&b"PNG"[..]));
        assert_eq!(picture(b"\x01image/png\0\x03f\0\0\0PNG", false), Some(&b"PNG"[..]));
        assert_eq!(picture(b"\0PNG\x03\0data", true), Some(&b"data"[..]));
        assert_eq!(picture(b"\0image/png", false), None);
    }

    #[test]
    fn safe_bytes_are_what_they_were() {
        assert_eq!(unsafe_again(&[0xff, 0, 0xe0, 0xff, 0, 0, 1]), [0xff, 0xe0, 0xff, 0, 1]);
        assert_eq!(synchsafe(&[0, 0, 2, 1]), 257);
    }
}
