//! MP4, boxes inside boxes.

use super::SECRET;

pub(crate) fn atom(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    [&(body.len() as u32 + 8).to_be_bytes(), &kind[..], &body].concat()
}

fn words(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|n| n.to_be_bytes()).collect()
}

/// What a film is to be like.
pub(crate) struct Film {
    pub brand: &'static [u8; 4],
    pub size: (u16, u16),
    /// Whether it was taken with the camera on its side.
    pub sideways: bool,
    pub ms: u32,
    pub frames: u32,
    /// Boxes to be put into `moov` besides.
    pub more: Vec<u8>,
    /// Boxes before everything but the brand.
    pub before: Vec<u8>,
    pub is_sound: bool,
}

impl Default for Film {
    fn default() -> Self {
        Self {
            brand: b"isom",
            size: (640, 360),
            sideways: false,
            ms: 10_000,
            frames: 250,
            more: Vec::new(),
            before: Vec::new(),
            is_sound: false,
        }
    }
}

/// When all of these were made: 2024-01-31T09:30:00Z, in seconds since 1904.
const MADE: u32 = 3_789_538_200;

fn movie_header(ms: u32) -> Vec<u8> {
    atom(b"mvhd", &[&words(&[0, MADE, MADE, 1000, ms, 0x1_0000]), &[0; 76]])
}

fn track_header(id: u32, film: &Film) -> Vec<u8> {
    let (width, height) = film.size;
    let one = 0x1_0000u32;
    let matrix = if film.sideways {
        words(&[0, one, 0, one.wrapping_neg(), 0, 0, u32::from(height) << 16, 0, 0x4000_0000])
    } else {
        words(&[one, 0, 0, 0, one, 0, 0, 0, 0x4000_0000])
    };
    let head = words(&[7, MADE, MADE, id, 0, film.ms, 0, 0, 0, 0]);
    let size = words(&[u32::from(width) << 16, u32::from(height) << 16]);
    atom(b"tkhd", &[&head, &matrix, &size])
}

fn media(handler: &[u8; 4], film: &Film, entry: &[u8], table: &[u8]) -> Vec<u8> {
    let header = atom(b"mdhd", &[&words(&[0, MADE, MADE, 1000, film.ms, 0])]);
    let handler = atom(b"hdlr", &[&words(&[0, 0]), handler, &[0; 13]]);
    let described = atom(b"stsd", &[&words(&[0, 1]), entry]);
    let list = atom(b"stbl", &[&described, table]);
    atom(b"mdia", &[&header, &handler, &atom(b"minf", &[&list])])
}

fn picture_track(film: &Film) -> Vec<u8> {
    let (width, height) = film.size;
    let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
    let entry = atom(b"avc1", &[&[0; 6], &[0, 1], &[0; 16], &size, &[0; 50]]);
    let sizes = atom(b"stsz", &[&words(&[0, 100, film.frames])]);
    let media = media(b"vide", film, &entry, &sizes);
    atom(b"trak", &[&track_header(1, film), &media])
}

fn sound_track(film: &Film) -> Vec<u8> {
    let entry = atom(
        b"mp4a",
        &[&[0; 6], &[0, 1], &[0; 8], &[0, 2, 0, 16, 0, 0, 0, 0], &words(&[44_100 << 16])],
    );
    let media = media(b"soun", film, &entry, &[]);
    let flat = Film { size: (0, 0), ..Film::default() };
    atom(b"trak", &[&track_header(2, &flat), &media])
}

/// A track of places, whose samples lie in the file at `at`.
fn place_track(film: &Film, at: u32) -> Vec<u8> {
    let entry = atom(b"gpmd", &[&[0; 6], &[0, 1]]);
    let table = [
        atom(b"stsz", &[&words(&[0, 0, 2, SECRET.len() as u32, SECRET.len() as u32])]),
        atom(b"stsc", &[&words(&[0, 1, 1, 1, 1])]),
        atom(b"stco", &[&words(&[0, 2, at, at + SECRET.len() as u32])]),
    ];
    atom(b"trak", &[&track_header(3, film), &media(b"meta", film, &entry, &table.concat())])
}

/// A text of a camera, with its length and language.
fn note(kind: &[u8; 4], text: &[u8]) -> Vec<u8> {
    atom(kind, &[&(text.len() as u16).to_be_bytes(), &[0x15, 0xc7], text])
}

/// A list of iTunes.
pub(super) fn song_list(cover: &[u8]) -> Vec<u8> {
    let item = |kind: &[u8; 4], ty: u32, value: &[u8]| {
        atom(kind, &[&atom(b"data", &[&words(&[ty, 0]), value])])
    };
    let handler = atom(b"hdlr", &[&words(&[0, 0]), b"mdirappl", &[0; 9]]);
    let list = atom(
        b"ilst",
        &[
            &item(b"\xa9nam", 1, b"A song"),
            &item(b"\xa9ART", 1, b"Ana"),
            &item(b"\xa9alb", 1, b"An album"),
            &item(b"\xa9cmt", 1, SECRET),
            &item(b"----", 1, SECRET),
            &item(b"covr", 14, cover),
        ],
    );
    atom(b"meta", &[&words(&[0]), &handler, &list])
}

/// The keys of a telephone.
fn keys() -> Vec<u8> {
    let names = ["make", "model", "creationdate", "location.ISO6709"];
    let values = ["Lumen", "One", "2024-01-31T10:30:00+0100", "+48.8577+002.2950+035.0/"];
    let names =
        names.map(|name| atom(b"mdta", &[format!("com.apple.quicktime.{name}").as_bytes()]));
    let list = values.iter().zip(1u32..).map(|(value, n)| {
        let data = atom(b"data", &[&words(&[1, 0]), value.as_bytes()]);
        atom(&n.to_be_bytes(), &[&data])
    });
    let handler = atom(b"hdlr", &[&words(&[0, 0]), b"mdta", &[0; 13]]);
    let keys = atom(b"keys", &[&words(&[0, 4]), &names.concat()]);
    atom(b"meta", &[&handler, &keys, &atom(b"ilst", &[&list.collect::<Vec<_>>().concat()])])
}

/// Made of these parts.
pub(crate) fn mp4_of(film: &Film) -> Vec<u8> {
    let brand = atom(b"ftyp", &[film.brand, &[0, 0, 2, 0], film.brand, b"mp42"]);
    let build = |samples_at: u32| {
        let tracks = match film.is_sound {
            true => sound_track(film),
            false => [picture_track(film), sound_track(film)].concat(),
        };
        let places = if film.more.is_empty() { Vec::new() } else { place_track(film, samples_at) };
        atom(b"moov", &[&movie_header(film.ms), &tracks, &places, &film.more])
    };
    let before = brand.len() + film.before.len() + build(0).len() + 8;
    let secrets = if film.more.is_empty() { Vec::new() } else { SECRET.repeat(2) };
    let samples = atom(b"mdat", &[&secrets, &[7; 5000]]);
    [brand, film.before.clone(), build(before as u32), samples].concat()
}

/// A plain film.
pub(crate) fn mp4() -> Vec<u8> {
    mp4_of(&Film::default())
}

/// A film of a telephone, held upright, that tells all about its owner in six places.
pub(crate) fn told_mp4() -> Vec<u8> {
    let notes =
        [note(b"\xa9xyz", SECRET), note(b"\xa9mod", b"Lumen One"), song_list(b"no picture")];
    let user = atom(b"udta", &[&notes.concat()]);
    let more = [user, keys(), atom(b"uuid", &[&[9; 16], SECRET])].concat();
    let before = atom(b"uuid", &[&[8; 16], SECRET]);
    mp4_of(&Film { sideways: true, brand: b"qt  ", more, before, ..Film::default() })
}

/// A song with a cover.
pub(crate) fn m4a(cover: &[u8]) -> Vec<u8> {
    let more = atom(b"udta", &[&song_list(cover)]);
    mp4_of(&Film { brand: b"M4A ", is_sound: true, more, ..Film::default() })
}

/// A film that was written while it was made: its header does not know how long it is.
pub(crate) fn fragmented_mp4() -> Vec<u8> {
    let trex = atom(b"trex", &[&words(&[0, 1, 1, 40, 0, 0])]);
    let film = Film { ms: 0, frames: 0, more: atom(b"mvex", &[&trex]), ..Film::default() };
    let fragment = |at: u32| {
        let head = atom(b"tfhd", &[&words(&[0x2_0000, 1])]);
        let time = atom(b"tfdt", &[&words(&[0, at])]);
        let plain = atom(b"trun", &[&words(&[0, 25])]);
        let measured = atom(b"trun", &[&words(&[0x301, 2, 0, 100, 9, 150, 9])]);
        let track = atom(b"traf", &[&head, &time, &plain, &measured]);
        [atom(b"moof", &[&atom(b"mfhd", &[&words(&[0, 1])]), &track]), atom(b"mdat", &[&[1; 90]])]
    };
    [mp4_of(&film), fragment(0).concat(), fragment(1250).concat()].concat()
}
