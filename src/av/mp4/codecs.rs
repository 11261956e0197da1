//! `stsd`: how the samples of a track are encoded.

use super::super::Error;
use super::super::probe::{Track, codec_word};
use super::super::source::{Cut, Source};
use super::boxes::Atom;

/// Names of codecs here, and their usual ones.
const NAMES: &[(&[u8; 4], &str)] = &[
    (b"avc1", "h264"),
    (b"avc2", "h264"),
    (b"avc3", "h264"),
    (b"hvc1", "hevc"),
    (b"hev1", "hevc"),
    (b"dvh1", "hevc"),
    (b"dvhe", "hevc"),
    (b"av01", "av1"),
    (b"vp08", "vp8"),
    (b"vp09", "vp9"),
    (b"mp4v", "mpeg4"),
    (b"s263", "h263"),
    (b"H263", "h263"),
    (b"jpeg", "mjpeg"),
    (b"mjpa", "mjpeg"),
    (b"mp4a", "aac"),
    (b".mp3", "mp3"),
    (b"Opus", "opus"),
    (b"fLaC", "flac"),
    (b"alac", "alac"),
    (b"ac-3", "ac3"),
    (b"ec-3", "eac3"),
    (b"samr", "amr"),
    (b"sawb", "amr"),
    (b"sowt", "pcm"),
    (b"twos", "pcm"),
    (b"lpcm", "pcm"),
    (b"in24", "pcm"),
    (b"ipcm", "pcm"),
];

pub(super) fn read(
    source: &mut Source,
    atom: &Atom,
    handler: &[u8; 4],
    track: &mut Track,
) -> Result<(), Error> {
    // Version and flags, how many there are, and the first of them.
    let bytes = source.read(atom.body.after(8).first(512))?;
    let mut cut = Cut(&bytes);
    cut.take(4);
    let Some(name) = cut.take(4) else { return Ok(()) };
    let known = NAMES.iter().find(|(one, _)| *one == name);
    track.codec = known.map_or_else(|| by_letters(name), |(_, name)| (*name).to_owned());
    // Reserved, and where the data are.
    cut.take(8);
    match handler {
        b"vide" => {
            cut.take(16);
            let mut side = || cut.count(2).unwrap_or(0);
            track.size = (side(), side());
        }
        b"soun" => {
            let version = cut.number(2).unwrap_or(0);
            cut.take(6);
            track.channels = cut.count(2).unwrap_or(0);
            cut.take(6);
            track.sample_rate = cut.count(4).unwrap_or(0) >> 16;
            if version == 2 {
                // QuickTime's long form: a size, the rate with a fraction, and the channels.
                cut.take(4);
                let rate = cut.number(8).map(f64::from_bits).unwrap_or(0.0);
                track.sample_rate = rate.clamp(0.0, 1e7) as u32;
                track.channels = cut.count(4).unwrap_or(0);
            }
            if name == b"mp4a" {
                describe(&bytes, track);
            }
        }
        _ => {}
    }
    Ok(())
}

fn by_letters(name: &[u8]) -> String {
    codec_word(&String::from_utf8_lossy(name))
}

/// What the descriptors of MPEG sound (ISO/IEC 14496-1) say better than what is before them: that
/// it is layer 3, which may be called `mp4a` as well, and the true number of channels.
fn describe(entry: &[u8], track: &mut Track) {
    let at = entry.windows(4).position(|four| four == b"esds");
    let Some(rest) = at.and_then(|at| entry.get(at + 8..)) else { return };
    let mut cut = Cut(rest);
    // Descriptor 3 has an id and flags before descriptor 4, which begins with the kind of data and
    // ends with descriptor 5.
    descriptor(&mut cut, 3);
    cut.take(3);
    descriptor(&mut cut, 4);
    if matches!(cut.number(1), Some(0x69 | 0x6b)) {
        "mp3".clone_into(&mut track.codec);
        return;
    }
    cut.take(12);
    descriptor(&mut cut, 5);
    // Five bits of the kind of AAC, four of the rate, and four of the channels (ISO/IEC 14496-3).
    let Some(config) = cut.number(2) else { return };
    let (kind, rate, channels) = (config >> 11, config >> 7 & 15, config >> 3 & 15);
    if (1..=30).contains(&kind) && rate < 13 && (1..=7).contains(&channels) {
        track.channels = if channels == 7 { 8 } else { channels as u32 };
    }
}

/// Moves past the head of a descriptor: its tag, and a length of up to four bytes.
fn descriptor(cut: &mut Cut<'_>, tag: u64) {
    if cut.number(1) == Some(tag) {
        (0..4).any(|_| cut.number(1).is_none_or(|byte| byte & 0x80 == 0));
    }
}
