//! Comments as Vorbis has them, and FLAC and Opus after it: `NAME=text`, one after the other. Those
//! that are private are blanked where they stand.

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::probe::Draft;
use super::source::Cut;
use super::told::Word;

/// What may stay: the names of the work and of those who made it, where it stands among others, and
/// how loud it is to be played. Pictures do not: nobody could take out what they tell.
const KEPT: &[&str] = &[
    "TITLE",
    "VERSION",
    "ALBUM",
    "TRACKNUMBER",
    "TRACKTOTAL",
    "TOTALTRACKS",
    "DISCNUMBER",
    "DISCTOTAL",
    "ARTIST",
    "ALBUMARTIST",
    "COMPOSER",
    "PERFORMER",
    "GENRE",
    "DATE",
    "COPYRIGHT",
    "LICENSE",
    "LYRICS",
    "ISRC",
    "REPLAYGAIN_TRACK_GAIN",
    "REPLAYGAIN_TRACK_PEAK",
    "REPLAYGAIN_ALBUM_GAIN",
    "REPLAYGAIN_ALBUM_PEAK",
    "R128_TRACK_GAIN",
    "R128_ALBUM_GAIN",
];

fn word(name: &str) -> Option<Word> {
    Some(match name {
        "TITLE" => Word::Title,
        "ARTIST" => Word::Artist,
        "ALBUM" => Word::Album,
        "GENRE" => Word::Genre,
        "COPYRIGHT" => Word::Copyright,
        "DESCRIPTION" => Word::Description,
        "ENCODER" => Word::Software,
        "LOCATION" => Word::Place,
        _ => return None,
    })
}

/// Takes down what a list of comments says, and blanks the private ones in it. A list that ends
/// before it should is read as far as it goes, and the rest of it goes.
pub(super) fn read(list: &mut [u8], draft: &mut Draft) {
    let mut blanks = Vec::new();
    let read = comments(list, |from, comment| {
        let (name, text) = split(comment);
        if let Some(word) = word(&name) {
            draft.told.hear(word, &String::from_utf8_lossy(&text[..text.len().min(16 * 1024)]));
        }
        if name == "METADATA_BLOCK_PICTURE"
            && let Ok(block) = STANDARD.decode(text)
        {
            let picture = picture(&block).and_then(|place| block.get(place));
            draft.cover_of(picture.unwrap_or_default(), None);
        }
        if !KEPT.contains(&&*name) {
            blanks.push(from..from + comment.len());
        }
    });
    for place in blanks {
        list.get_mut(place).into_iter().for_each(blank);
    }
    let (end, is_whole) = read.unwrap_or((0, false));
    let rest = list.get_mut(end..).unwrap_or_default();
    if is_whole { trim(rest) } else { rest.fill(0) }
}

/// Calls `f` with every comment and where it stands. Returns where the last one ends, and whether
/// all that are promised are there; `None` where the list is broken from the beginning.
fn comments(list: &[u8], mut f: impl FnMut(usize, &[u8])) -> Option<(usize, bool)> {
    let mut cut = Cut(list);
    let vendor = usize::try_from(cut.little(4)?).ok()?;
    cut.take(vendor)?;
    let count = cut.little(4)?;
    let mut end = list.len() - cut.0.len();
    for _ in 0..count {
        let len = cut.little(4).and_then(|len| usize::try_from(len).ok());
        let Some((len, comment)) = len.and_then(|len| Some((len, cut.take(len)?))) else {
            return Some((end, false));
        };
        f(list.len() - cut.0.len() - len, comment);
        end = list.len() - cut.0.len();
    }
    Some((end, true))
}

fn split(comment: &[u8]) -> (String, &[u8]) {
    let end = comment.iter().position(|byte| *byte == b'=').unwrap_or(comment.len());
    let name = String::from_utf8_lossy(&comment[..end.min(64)]).to_ascii_uppercase();
    (name, comment.get(end + 1..).unwrap_or_default())
}

/// A comment that says nothing, as long as the one that was there.
fn blank(place: &mut [u8]) {
    place.fill(b' ');
    place.iter_mut().zip(b"X=").for_each(|(old, new)| *old = *new);
}

/// Empties what follows the last comment: the bit with which Vorbis ends stays.
fn trim(place: &mut [u8]) {
    if let Some((_, rest)) = place.split_first_mut() {
        rest.fill(0);
    }
}

/// Where the bytes of a picture are as FLAC keeps it (RFC 9639, section 8.8).
pub(super) fn picture(block: &[u8]) -> Option<Range<usize>> {
    let mut cut = Cut(block);
    cut.take(4)?;
    for _ in 0..2 {
        let len = cut.count(4)?;
        cut.take(len as usize)?;
    }
    cut.take(16)?;
    let len = cut.count(4)?;
    let at = block.len() - cut.0.len();
    cut.take(len as usize).map(|picture| at..at + picture.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(comments: &[&str]) -> Vec<u8> {
        let long = |text: &str| [&(text.len() as u32).to_le_bytes(), text.as_bytes()].concat();
        let count = (comments.len() as u32).to_le_bytes().to_vec();
        let comments = comments.iter().map(|comment| long(comment));
        [long("vendor"), count].into_iter().chain(comments).collect::<Vec<_>>().concat()
    }

    #[test]
    fn private_comments_are_blanked_in_their_place() {
        let mut bytes = list(&["title=Song", "LOCATION=+1.5+2.5/", "X", "", "Artist=Ana"]);
        let expected = list(&["title=Song", "X=                ", "X", "", "Artist=Ana"]);
        let mut draft = Draft::default();
        read(&mut bytes, &mut draft);
        assert_eq!(bytes, expected);
        assert_eq!(draft.told.title.as_deref(), Some("Song"));
        assert_eq!(draft.told.artist.as_deref(), Some("Ana"));
        assert_eq!(draft.told.place.unwrap().longitude, 2.5);
        read(&mut bytes, &mut Draft::default());
        assert_eq!(bytes, expected);
    }

    #[test]
    fn what_is_broken_is_emptied() {
        let mut bytes = list(&["TITLE=Song"]);
        // One comment more is promised, and it is too long.
        bytes[10] = 2;
        bytes.extend([1, 255, 255, 255, b'x']);
        read(&mut bytes, &mut Draft::default());
        assert!(bytes.ends_with(&[0, 0, 0, 0, 0]), "{bytes:?}");
        for length in 0..bytes.len() {
            read(&mut bytes[..length].to_vec(), &mut Draft::default());
        }
    }
}
