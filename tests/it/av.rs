//! What is known of films and recordings by their headers alone, and what public bytes do not tell.

use crate::kit::{films as f, pictures as p};
use std::{
    fs::{self, File},
    path::PathBuf,
};
use vitrina::av::{Container, Error, Kind, Limits, Probe, probe};

/// A file in a folder that is gone in the end.
struct Kept {
    dir: tempfile::TempDir,
    path: PathBuf,
}

fn kept(bytes: &[u8]) -> Kept {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    fs::write(&path, bytes).unwrap();
    Kept { dir, path }
}

fn found(bytes: &[u8]) -> Result<Probe, Error> {
    probe(&kept(bytes).path, &Limits::default())
}

/// The public bytes of a file.
fn stripped(bytes: &[u8]) -> Vec<u8> {
    let file = kept(bytes);
    let to = file.dir.path().join("public");
    let probe = probe(&file.path, &Limits::default()).unwrap();
    probe.strip(&file.path, &mut File::create(&to).unwrap()).unwrap();
    fs::read(to).unwrap()
}

fn cover() -> Vec<u8> {
    p::plain_png(40, 30, p::GREEN)
}

/// One of every kind, by its name.
fn all() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("mp4", f::mp4()),
        ("told mp4", f::told_mp4()),
        ("fragmented mp4", f::fragmented_mp4()),
        ("m4a", f::m4a(&cover())),
        ("webm", f::webm()),
        ("mkv", f::mkv()),
        ("live webm", f::live_webm()),
        ("mp3", f::mp3(&cover())),
        ("wav", f::wav(&cover())),
        ("flac", f::flac(&cover())),
        ("ogg", f::ogg()),
    ]
}

#[test]
fn films_are_known_by_their_headers() {
    for (name, bytes, container, ms, mime) in [
        ("mp4", f::mp4(), Container::Mp4, 10_000, "video/mp4"),
        ("fragmented", f::fragmented_mp4(), Container::Mp4, 2_500, "video/mp4"),
        ("webm", f::webm(), Container::Webm, 10_000, "video/webm"),
        ("mkv", f::mkv(), Container::Matroska, 10_000, "video/matroska"),
        ("live", f::live_webm(), Container::Webm, 4_960, "video/webm"),
    ] {
        let film = found(&bytes).unwrap();
        assert_eq!(
            (film.container, film.kind, film.mime()),
            (container, Kind::Video, mime),
            "{name}"
        );
        assert_eq!((film.width, film.height), (640, 360), "{name}");
        assert_eq!(film.duration_ms, Some(ms), "{name}");
        assert_eq!(film.channels, 2, "{name}");
        assert!(film.bit_rate.unwrap() > 0, "{name}");
    }
    let mp4 = found(&f::mp4()).unwrap();
    assert_eq!(
        (mp4.video_codec.as_deref(), mp4.audio_codec.as_deref()),
        (Some("h264"), Some("aac"))
    );
    assert_eq!((mp4.frame_rate, mp4.sample_rate, mp4.tracks), (Some(25.0), 44_100, 2));
    let webm = found(&f::webm()).unwrap();
    assert_eq!(
        (webm.video_codec.as_deref(), webm.audio_codec.as_deref()),
        (Some("vp9"), Some("opus"))
    );
    assert_eq!((webm.frame_rate, webm.sample_rate, webm.tracks), (Some(25.0), 48_000, 2));
}

#[test]
fn a_film_on_its_side_is_as_high_as_it_was_wide() {
    let film = found(&f::told_mp4()).unwrap();
    assert_eq!((film.width, film.height, film.container), (360, 640, Container::Mov));
}

#[test]
fn recordings_are_known_by_their_headers() {
    for (name, bytes, mime, codec, ms, rate, channels) in [
        ("m4a", f::m4a(&cover()), "audio/mp4", "aac", 10_000, 44_100, 2),
        ("mp3", f::mp3(&cover()), "audio/mpeg", "mp3", 9_981, 44_100, 2),
        ("wav", f::wav(&cover()), "audio/wav", "pcm", 2_000, 8_000, 1),
        ("flac", f::flac(&cover()), "audio/flac", "flac", 10_000, 44_100, 2),
        ("ogg", f::ogg(), "audio/ogg", "opus", 10_000, 48_000, 2),
    ] {
        let song = found(&bytes).unwrap();
        assert_eq!((song.kind, song.mime()), (Kind::Audio, mime), "{name}");
        assert_eq!(song.audio_codec.as_deref(), Some(codec), "{name}");
        let measured = song.duration_ms.unwrap();
        assert!(measured.abs_diff(ms) < 60, "{name}: {measured}");
        assert_eq!((song.sample_rate, song.channels), (rate, channels), "{name}");
        let told = &song.told;
        assert_eq!(told.title.as_deref(), Some("A song"), "{name}");
        assert_eq!(told.artist.as_deref(), Some("Ana"), "{name}");
        let picture = song.cover(&kept(&bytes).path).unwrap();
        assert_eq!(picture.is_some(), name != "ogg", "{name}");
        assert!(picture.is_none_or(|picture| picture == cover()), "{name}");
    }
}

#[test]
fn what_files_tell_is_heard_before_it_is_taken_out() {
    let phone = found(&f::told_mp4()).unwrap().told;
    assert_eq!(phone.camera_make.as_deref(), Some("Lumen"));
    let place = phone.place.unwrap();
    assert_eq!((place.latitude, place.longitude, place.altitude_m), (48.8577, 2.295, Some(35.0)));
    assert_eq!(phone.recorded_at.as_deref(), Some("2024-01-31T09:30:00Z"));
    let webm = found(&f::webm()).unwrap().told;
    assert_eq!(webm.title.as_deref(), Some("At the sea"));
    assert_eq!(webm.recorded_at.as_deref(), Some("2024-01-31T09:30:00Z"));
    assert_eq!(webm.place.unwrap().longitude, 2.5);
}

#[test]
fn public_bytes_are_as_long_and_tell_nothing() {
    let tells = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).any(|run| run == what);
    for (name, bytes) in all() {
        let public = stripped(&bytes);
        assert_eq!(public.len(), bytes.len(), "{name}");
        assert!(!tells(&public, f::SECRET), "{name} still tells");
        for word in [&b"+48.8577"[..], b"+1.5+2.5", b"Lumen"] {
            assert!(!tells(&public, word), "{name} still tells {word:?}");
        }
        let (before, after) = (found(&bytes).unwrap(), found(&public).unwrap());
        assert_eq!((before.container, before.duration_ms), (after.container, after.duration_ms));
        assert_eq!((before.width, before.height), (after.width, after.height), "{name}");
        assert_eq!(
            (&before.video_codec, &before.audio_codec),
            (&after.video_codec, &after.audio_codec)
        );
        assert_eq!(after.told.recorded_at, None, "{name}");
        assert_eq!(after.told.place, None, "{name}");
        assert_eq!((&after.told.description, &after.told.camera_make), (&None, &None), "{name}");
        assert_eq!(before.told.title, after.told.title, "{name}");
        // What names the work stays in songs; of films the title does.
        if before.kind == Kind::Audio {
            assert_eq!(before.told.artist, after.told.artist, "{name}");
            let covers = [(&before, &bytes), (&after, &public)]
                .map(|(probe, bytes)| probe.cover(&kept(bytes).path).unwrap());
            assert_eq!(covers[0], covers[1], "{name}");
        }
        assert!(stripped(&public) == public, "{name} changes again");
    }
}

#[test]
fn pages_of_ogg_have_the_right_checksums_afterwards() {
    let public = stripped(&f::ogg());
    let starts: Vec<usize> =
        (0..public.len()).filter(|at| public[*at..].starts_with(b"OggS")).collect();
    for (n, start) in starts.iter().enumerate() {
        let end = starts.get(n + 1).copied().unwrap_or(public.len());
        let mut page = public[*start..end].to_vec();
        let sum: [u8; 4] = page[22..26].try_into().unwrap();
        page[22..26].fill(0);
        assert_eq!(sum, f::checksum(&page).to_le_bytes());
    }
    assert_eq!(starts.len(), 3);
}

#[test]
fn cut_short_they_are_refused_or_read_and_nothing_worse() {
    for (_, bytes) in all() {
        for length in (0..bytes.len().min(3000)).step_by(7).chain([bytes.len() - 1]) {
            let file = kept(&bytes[..length]);
            if let Ok(found) = probe(&file.path, &Limits::default()) {
                let to = file.dir.path().join("public");
                found.strip(&file.path, &mut File::create(to).unwrap()).unwrap();
            }
        }
    }
}

#[test]
fn lies_are_refused() {
    let damaged = |bytes: &[u8]| matches!(found(bytes), Err(Error::Damaged(_)));
    // A box, and an element, that are larger than what they are in.
    let mut mp4 = f::mp4();
    let at = mp4.windows(4).position(|kind| kind == b"mdia").unwrap() - 4;
    mp4[at..at + 4].copy_from_slice(&u32::MAX.to_be_bytes());
    assert!(damaged(&mp4));
    let mut mkv = f::mkv();
    let at = mkv.windows(4).position(|id| id == 0x1654_ae6bu32.to_be_bytes()).unwrap();
    mkv[at + 9] = 0xff;
    assert!(damaged(&mkv));
    assert!(damaged(&f::mp4_of(&f::Film { size: (0, 0), ..f::Film::default() })));
    assert!(damaged(&f::atom(b"ftyp", &[b"isom", &[0; 4]])));
    assert!(matches!(found(b"plain text"), Err(Error::Unknown)));
    assert!(matches!(found(b""), Err(Error::Unknown)));
    // Pictures are built the same way.
    assert!(matches!(found(&p::heic()), Err(Error::Unknown)));
    assert!(matches!(found(&p::avif()), Err(Error::Unknown)));
    let other = f::element(0x1a45_dfa3, &[&f::element(0x4282, &[b"other"])]);
    assert!(matches!(found(&other), Err(Error::Unknown)));
    assert!(matches!(found(&f::wav_of(0, 0, &[])), Err(Error::Damaged(_))));
}

#[test]
fn sizes_taken_from_files_cost_nothing() {
    // A thousand boxes of nothing, again and again in each other's place.
    let many = f::atom(b"free", &[]).repeat(20_000);
    let film = f::Film { more: f::atom(b"udta", &[&many]), ..f::Film::default() };
    assert!(matches!(found(&f::mp4_of(&film)), Err(Error::Damaged(_))));
    let tracks = f::atom(b"trak", &[]).repeat(2_000);
    let film = f::Film { more: tracks, ..f::Film::default() };
    assert!(matches!(found(&f::mp4_of(&film)), Err(Error::TooManyTracks { .. })));
    // A tag that says it is larger than anything that is read.
    let tag = [&b"ID3\x04\0\0\x7f\x7f\x7f\x7f"[..], &[0; 100]].concat();
    assert!(found(&tag).is_err());
}

/// As the fuzzer does it, without its memory: bytes changed, cut out and put in by lot.
#[test]
fn whatever_is_changed_in_a_file_nothing_worse_comes_of_it() {
    let mut dice = 0x9e37_79b9_7f4a_7c15_u64;
    let mut roll = move |below: usize| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        (dice % below.max(1) as u64) as usize
    };
    let dir = tempfile::tempdir().unwrap();
    let [from, public, again] = ["from", "public", "again"].map(|name| dir.path().join(name));
    let whole: Vec<_> = all()
        .into_iter()
        .map(|(name, bytes)| (name, bytes[..bytes.len().min(4000)].to_vec()))
        .collect();
    for round in 0..3_000 {
        let (name, bytes) = &whole[roll(whole.len())];
        let mut bytes = bytes.clone();
        for _ in 0..=roll(6) {
            let at = roll(bytes.len());
            match roll(5) {
                0 => bytes[at] = [0, 1, 8, 0x7f, 0x80, 0xff][roll(6)],
                1 => bytes[at] ^= 1 << roll(8),
                2 => drop(bytes.drain(at..(at + roll(40)).min(bytes.len()))),
                3 => drop(bytes.splice(at..at, vec![roll(256) as u8; roll(12)])),
                _ => {
                    let run: Vec<u8> = bytes[at..(at + roll(64)).min(bytes.len())].to_vec();
                    let to = roll(bytes.len());
                    bytes.splice(to..to, run);
                }
            }
            bytes.resize(bytes.len().max(16), 0);
        }
        fs::write(&from, &bytes).unwrap();
        let strip = |from: &std::path::Path, to: &std::path::Path| {
            let found = probe(from, &Limits::default()).ok()?;
            let mut file = File::create(to).unwrap();
            found.strip(from, &mut file).unwrap();
            found.replace_cover(&file, b"").unwrap();
            Some(found)
        };
        let Some(before) = strip(&from, &public) else { continue };
        assert_eq!(fs::metadata(&public).unwrap().len(), bytes.len() as u64);
        let Some(after) = strip(&public, &again) else { continue };
        assert_eq!(before.container, after.container, "{name} {round}");
        assert!(after.told.camera_make.is_none() && after.told.camera_model.is_none());
        let is_same = fs::read(&public).unwrap() == fs::read(&again).unwrap();
        assert!(is_same, "{name} {round} changes again");
    }
}
