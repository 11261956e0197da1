//! Recordings of sound: WAV, MP3, FLAC and Ogg, with words and a cover.

use super::SECRET;

fn long(text: &[u8]) -> Vec<u8> {
    [&(text.len() as u32).to_le_bytes(), text].concat()
}

/// An ID3 tag of version 2.3, with a cover, a remark and what programs keep for themselves.
pub(crate) fn id3(cover: &[u8]) -> Vec<u8> {
    let frame = |id: &[u8], parts: &[&[u8]]| {
        let body = parts.concat();
        [id, &(body.len() as u32).to_be_bytes(), &[0, 0], &body].concat()
    };
    let frames = [
        frame(b"TIT2", &[b"\x01\xff\xfeA\0 \0s\0o\0n\0g\0"]),
        frame(b"PRIV", &[b"owner\0", SECRET]),
        frame(b"TPE1", &[b"\0Ana"]),
        frame(b"COMM", &[b"\0eng\0", SECRET]),
        frame(b"TALB", &[b"\0An album"]),
        frame(b"GEOB", &[b"\0\0\0\0", SECRET]),
        frame(b"APIC", &[b"\0image/png\0\x03\0", cover]),
        vec![0; 200],
    ];
    let frames = frames.concat();
    let seven = |shift: u32| (frames.len() >> shift) as u8 & 0x7f;
    [&b"ID3\x03\0\0"[..], &[seven(21), seven(14), seven(7), seven(0)], &frames].concat()
}

/// Ten seconds of silence at 128 kbit/s, without a count of its frames.
pub(crate) fn mp3(cover: &[u8]) -> Vec<u8> {
    let mut frame = vec![0xff, 0xfb, 0x90, 0];
    frame.resize(417, 0);
    let mut old = b"TAGA song".to_vec();
    old.resize(97, 0);
    old.extend(SECRET);
    old.resize(128, 0);
    [id3(cover), frame.repeat(383), old].concat()
}

fn chunk(id: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut chunk = [&id[..], &long(body)].concat();
    chunk.resize(chunk.len().next_multiple_of(2), 0);
    chunk
}

/// Seconds of a tone, 16 bits and mono, with these chunks before the sound.
pub(crate) fn wav_of(rate: u32, seconds: u32, more: &[u8]) -> Vec<u8> {
    let mut format = vec![1, 0, 1, 0];
    format.extend(rate.to_le_bytes());
    format.extend((rate * 2).to_le_bytes());
    format.extend([2, 0, 16, 0]);
    let tone = |n: u32| ((f64::from(n) * 0.06).sin() * 9000.0) as i16;
    let sound: Vec<u8> = (0..rate * seconds).flat_map(|n| tone(n).to_le_bytes()).collect();
    let chunks = [chunk(b"fmt ", &format), more.to_vec(), chunk(b"data", &sound)].concat();
    [&b"RIFF"[..], &long(&[&b"WAVE"[..], &chunks].concat())].concat()
}

/// Two seconds that tell about their maker.
pub(crate) fn wav(cover: &[u8]) -> Vec<u8> {
    let words = [chunk(b"INAM", b"A song"), chunk(b"ICMT", SECRET), chunk(b"IART", b"Ana")];
    let more = [
        chunk(b"bext", SECRET),
        chunk(b"LIST", &[&b"INFO"[..], &words.concat()].concat()),
        chunk(b"id3 ", &id3(cover)),
    ];
    wav_of(8000, 2, &more.concat())
}

/// A list of comments as Vorbis has them.
pub(crate) fn song_words() -> Vec<u8> {
    let secret = [b"DESCRIPTION=", SECRET].concat();
    let place = [b"LOCATION=", SECRET].concat();
    let words = [&b"TITLE=A song"[..], b"artist=Ana", &secret, b"Album=An album", &place];
    let words: Vec<u8> = words.iter().flat_map(|word| long(word)).collect();
    [long(b"Vendor"), 5u32.to_le_bytes().to_vec(), words].concat()
}

/// The head of ten seconds in 44.1 kHz and stereo, without the sound.
pub(crate) fn flac(cover: &[u8]) -> Vec<u8> {
    let block = |kind: u8, body: &[u8]| {
        [&[kind][..], &(body.len() as u32).to_be_bytes()[1..], body].concat()
    };
    let packed = 44_100u64 << 44 | 1 << 41 | 15 << 36 | 441_000;
    let stream = [&[16, 0, 16, 0, 0, 0, 0, 0, 0, 0][..], &packed.to_be_bytes(), &[0; 16]].concat();
    let big = |text: &[u8]| [&(text.len() as u32).to_be_bytes(), text].concat();
    let picture = [&3u32.to_be_bytes()[..], &big(b"image/png"), &big(b""), &[0; 16], &big(cover)];
    let blocks = [
        b"fLaC".to_vec(),
        block(0, &stream),
        block(4, &song_words()),
        block(2, &[b"ATCH", SECRET].concat()),
        block(6, &picture.concat()),
        block(0x81, &[0; 100]),
        vec![0xff, 0xf8, 0, 0],
    ];
    blocks.concat()
}

/// A page of Ogg with one packet in it.
fn page(flags: u8, tick: u64, number: u32, packet: &[u8]) -> Vec<u8> {
    let mut lacing = vec![255; packet.len() / 255];
    lacing.push((packet.len() % 255) as u8);
    let mut page = [&b"OggS\0"[..], &[flags], &tick.to_le_bytes(), &7u32.to_le_bytes()].concat();
    page.extend(number.to_le_bytes());
    page.extend([0; 4]);
    page.push(lacing.len() as u8);
    page.extend(lacing);
    page.extend(packet);
    let sum = checksum(&page);
    page[22..26].copy_from_slice(&sum.to_le_bytes());
    page
}

/// As every reader of Ogg computes it.
pub(crate) fn checksum(page: &[u8]) -> u32 {
    let mut sum = 0u32;
    for byte in page {
        sum ^= u32::from(*byte) << 24;
        for _ in 0..8 {
            sum = if sum & 0x8000_0000 != 0 { sum << 1 ^ 0x04c1_1db7 } else { sum << 1 };
        }
    }
    sum
}

/// Ten seconds of Opus in stereo, without the sound.
pub(crate) fn ogg() -> Vec<u8> {
    let head = [&b"OpusHead\x01\x02"[..], &312u16.to_le_bytes(), &48_000u32.to_le_bytes(), &[0; 3]];
    let words = [b"OpusTags", song_words().as_slice()].concat();
    [page(2, 0, 0, &head.concat()), page(0, 0, 1, &words), page(4, 480_312, 2, &[1; 60])].concat()
}
