//! MP3: frames of sound one after the other (ISO/IEC 11172-3, 13818-3), with tags around them.

use super::probe::{Draft, Track};
use super::source::{Cut, Source, Span};
use super::{Container, Error, id3};

/// Whether a file that begins so is one of these: with a tag, or with two frames that agree.
pub(super) fn begins(head: &[u8]) -> bool {
    if head.starts_with(b"ID3") {
        return true;
    }
    let Some(first) = Frame::parse(head) else { return false };
    let second = head.get(first.len..).and_then(Frame::parse);
    second.is_some_and(|second| second.rate == first.rate)
}

/// The head of one frame, in layer III.
struct Frame {
    /// Samples in a second.
    rate: u32,
    bits: u32,
    channels: u32,
    /// Samples of it.
    samples: u32,
    /// Bytes of it, its head included.
    len: usize,
    /// Where a first frame keeps facts about all of them.
    facts_at: usize,
}

const RATES: [u32; 3] = [44_100, 48_000, 32_000];
/// Thousands of bits in a second, for version 1 and for the others.
const BITS: [[u32; 15]; 2] = [
    [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

impl Frame {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let head: &[u8; 4] = bytes.first_chunk()?;
        let (version, layer) = (head[1] >> 3 & 3, head[1] >> 1 & 3);
        if head[0] != 0xff || head[1] & 0xe0 != 0xe0 || version == 1 || layer != 1 {
            return None;
        }
        let is_first = version == 3;
        let bits = BITS[usize::from(!is_first)].get(usize::from(head[2] >> 4)).copied()? * 1000;
        let rate = *RATES.get(usize::from(head[2] >> 2 & 3))?;
        let rate = rate
            >> match version {
                3 => 0,
                2 => 1,
                _ => 2,
            };
        let channels = if head[3] >> 6 == 3 { 1 } else { 2 };
        let samples = if is_first { 1152 } else { 576 };
        let padding = u32::from(head[2] >> 1 & 1);
        let len = (samples / 8 * bits / rate + padding) as usize;
        let side = match (is_first, channels) {
            (true, 2) => 32,
            (true, _) | (false, 2) => 17,
            (false, _) => 9,
        };
        // Free formats, which say no number of bits, are next to unknown.
        (bits > 0 && len > 4).then_some(Self {
            rate,
            bits,
            channels,
            samples,
            len,
            facts_at: 4 + side,
        })
    }
}

/// How far behind a tag the first frame is sought.
const SLACK: u64 = 64 * 1024;

pub(super) fn read(source: &mut Source, draft: &mut Draft) -> Result<Container, Error> {
    let mut at = 0;
    // Some programs put their tag before the one that was there.
    for _ in 0..4 {
        let Some(len) = id3::length(source, at)? else { break };
        id3::read(source, Span::new(at, len), draft)?;
        at += len;
    }
    let end = id3::read_old(source, draft)?;
    let end = ape(source, end, draft)?;
    let head = source.peek(at, SLACK)?;
    let found = (0..head.len()).find_map(|skipped| {
        let bytes = &head[skipped..];
        let frame = Frame::parse(bytes)?;
        let next = bytes.get(frame.len..).unwrap_or_default();
        let is_followed = next.len() < 4 || Frame::parse(next).is_some();
        is_followed.then_some((skipped, frame))
    });
    let (skipped, frame) = found.ok_or(Error::Damaged("there is no sound in it"))?;
    let bytes = end.saturating_sub(at + skipped as u64);
    let samples = frames(&head[skipped..], &frame).map(|n| u64::from(n) * u64::from(frame.samples));
    draft.duration_ms = Some(match samples {
        Some(samples) => samples * 1000 / u64::from(frame.rate),
        // All frames are taken to be like the first.
        None => bytes.saturating_mul(8000) / u64::from(frame.bits),
    });
    draft.add_track()?;
    draft.hear(Track {
        codec: "mp3".to_owned(),
        channels: frame.channels,
        sample_rate: frame.rate,
        ..Track::default()
    });
    Ok(Container::Mp3)
}

/// How many frames there are, where the first one tells: in a header called `Xing` or `Info`, or in
/// one called `VBRI`.
fn frames(bytes: &[u8], first: &Frame) -> Option<u32> {
    let mut xing = Cut(bytes.get(first.facts_at..)?);
    if matches!(xing.take(4)?, b"Xing" | b"Info") {
        return if xing.number(4)? & 1 != 0 { xing.count(4) } else { None }.filter(|n| *n > 0);
    }
    let mut vbri = Cut(bytes.get(36..)?);
    if vbri.take(4)? != b"VBRI" {
        return None;
    }
    vbri.take(10)?;
    vbri.count(4).filter(|n| *n > 0)
}

/// A tag of the kind APE before `end`, of which nothing stays. Returns where the sound ends.
fn ape(source: &mut Source, end: u64, draft: &mut Draft) -> Result<u64, Error> {
    let Some(foot) = end.checked_sub(32) else { return Ok(end) };
    let bytes = source.read(Span::new(foot, 32))?;
    let mut cut = Cut(&bytes);
    if cut.take(8) != Some(b"APETAGEX") {
        return Ok(end);
    }
    cut.take(4);
    let (len, _count, flags) = (cut.little(4), cut.little(4), cut.little(4).unwrap_or(0));
    // The length counts the foot, and not the head.
    let head = if flags & 0x8000_0000 != 0 { 32 } else { 0 };
    let len = len.unwrap_or(0).saturating_add(head);
    let at = end.saturating_sub(len).min(foot);
    draft.private.zero(Span::new(at, end - at))?;
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_tells_how_long_it_is() {
        // Version 1, 128 kbit/s, 44.1 kHz, stereo.
        let frame = Frame::parse(&[0xff, 0xfb, 0x90, 0]).unwrap();
        assert_eq!((frame.len, frame.rate, frame.channels, frame.samples), (417, 44_100, 2, 1152));
        // Version 2, 64 kbit/s, 22.05 kHz, mono.
        let frame = Frame::parse(&[0xff, 0xf3, 0x80, 0xc0]).unwrap();
        assert_eq!((frame.len, frame.rate, frame.channels, frame.samples), (208, 22_050, 1, 576));
        for none in [[0xff, 0xfb, 0xf0, 0], [0xff, 0xfb, 0x9c, 0], [0xff, 0xeb, 0x90, 0], [0; 4]] {
            assert!(Frame::parse(&none).is_none());
        }
    }

    #[test]
    fn noise_is_no_song() {
        assert!(!begins(&[0xff, 0xfb, 0x90, 0, 1, 2, 3]));
        assert!(!begins(b"\xff\xd8\xff\xe0"));
        assert!(begins(b"ID3\x03"));
    }
}
