//! Ogg (RFC 3533) with Vorbis, Opus or FLAC in it. Pages have checksums, so where comments are
//! blanked these are made anew.

use super::probe::{Draft, Track};
use super::source::{Cut, Source, Span};
use super::{Container, Error, flac, vorbis};

/// The fixed part of a page's head.
const HEAD: usize = 27;
/// The largest page.
const PAGE: u64 = 65_307;
/// All comments with their pictures may take so many pages.
const MAX_COMMENT_PAGES: usize = 250;

/// A page in memory.
struct Page {
    at: u64,
    bytes: Vec<u8>,
    /// Where its content begins.
    body: usize,
    serial: u32,
    /// Whether the first packet in it is a new one.
    is_first: bool,
    /// Whether its last packet goes on in the next page.
    goes_on: bool,
}

impl Page {
    fn read(source: &mut Source, at: u64) -> Result<Option<Self>, Error> {
        let bytes = source.peek(at, PAGE)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let broken = || Error::Damaged("one of its pages makes no sense");
        let head: &[u8; HEAD] = bytes.first_chunk().ok_or_else(broken)?;
        if !head.starts_with(b"OggS\0") {
            return Err(broken());
        }
        let body = HEAD + usize::from(head[26]);
        let lacing = bytes.get(HEAD..body).ok_or_else(broken)?;
        let len = body + lacing.iter().map(|n| usize::from(*n)).sum::<usize>();
        let (goes_on, is_first) = (lacing.last() == Some(&255), head[5] & 2 != 0);
        let serial = u32::from_le_bytes([head[14], head[15], head[16], head[17]]);
        let bytes = bytes.get(..len).ok_or_else(broken)?.to_vec();
        Ok(Some(Self { at, bytes, body, serial, is_first, goes_on }))
    }

    fn end(&self) -> u64 {
        self.at + self.bytes.len() as u64
    }

    /// How long the first packet of the page is in it.
    fn first_packet(&self) -> usize {
        let lacing = self.bytes.get(HEAD..self.body).unwrap_or_default();
        let mut whole = 0;
        for len in lacing {
            whole += usize::from(*len);
            if *len < 255 {
                break;
            }
        }
        whole
    }

    /// Whether the first packet of the page ends in it.
    fn ends_first(&self) -> bool {
        let lacing = self.bytes.get(HEAD..self.body).unwrap_or_default();
        lacing.iter().any(|len| *len < 255) || !self.goes_on
    }

    fn content(&self) -> &[u8] {
        self.bytes.get(self.body..).unwrap_or_default()
    }

    /// Writes the checksum that its bytes have now.
    fn seal(&mut self) {
        let Some(place) = self.bytes.get_mut(22..26) else { return };
        place.fill(0);
        let sum = checksum(&self.bytes).to_le_bytes();
        self.bytes.iter_mut().skip(22).zip(sum).for_each(|(old, new)| *old = new);
    }
}

pub(super) fn read(source: &mut Source, draft: &mut Draft) -> Result<Container, Error> {
    let (mut at, mut sound) = (0, None);
    let mut pages = Vec::new();
    // One page of each stream comes first, before anything else of any of them.
    while let Some(page) = Page::read(source, at)? {
        at = page.end();
        if page.is_first {
            draft.add_track()?;
            sound = sound.or(Sound::of(page.content())?.map(|sound| (page.serial, sound)));
            continue;
        }
        let Some((serial, _)) = &sound else { break };
        if page.serial != *serial {
            continue;
        }
        let is_last = page.ends_first();
        pages.push(page);
        if is_last {
            break;
        }
        if pages.len() > MAX_COMMENT_PAGES {
            return Err(Error::Damaged("what it says about itself is too long"));
        }
    }
    let Some((serial, sound)) = sound else {
        return Err(Error::Damaged("there is no sound in it"));
    };
    comments(&mut pages, &sound, draft)?;
    let ticks = last_tick(source, serial)?.saturating_sub(sound.skipped);
    draft.duration_ms = Some(ticks.saturating_mul(1000) / u64::from(sound.ticks_s.max(1)));
    draft.hear(sound.track);
    Ok(Container::Ogg)
}

/// What the first packet of a stream of sound says.
struct Sound {
    track: Track,
    /// Bytes before the comments in their packet.
    before: usize,
    /// Units of the time of pages in a second, and how many of them are not played.
    ticks_s: u32,
    skipped: u64,
}

impl Sound {
    /// Nothing for a stream of another kind.
    fn of(packet: &[u8]) -> Result<Option<Self>, Error> {
        let mut cut = Cut(packet);
        let damaged = || Error::Damaged("the head of its sound makes no sense");
        if cut.take(7) == Some(b"\x01vorbis") {
            let mut facts = || {
                cut.take(4)?;
                Some((cut.count(1)?, u32::try_from(cut.little(4)?).ok()?))
            };
            let (channels, rate) = facts().ok_or_else(damaged)?;
            return Ok(Some(Self::new("vorbis", channels, rate, (7, rate, 0))));
        }
        let mut cut = Cut(packet);
        if cut.take(8) == Some(b"OpusHead") {
            let mut facts = || {
                cut.take(1)?;
                Some((cut.count(1)?, cut.little(2)?, u32::try_from(cut.little(4)?).ok()?))
            };
            let (channels, skipped, rate) = facts().ok_or_else(damaged)?;
            // Pages count in 48 kHz, whatever went in.
            return Ok(Some(Self::new("opus", channels, rate, (8, 48_000, skipped))));
        }
        if packet.starts_with(b"\x7fFLAC") {
            let stream = packet.get(17..).and_then(flac::stream).ok_or_else(damaged)?;
            let (track, _) = stream;
            return Ok(Some(Self { before: 4, ticks_s: track.sample_rate, skipped: 0, track }));
        }
        if packet.starts_with(b"\x80theora") || packet.starts_with(b"Speex   ") {
            let reason = "convert it to MP4 or WebM first, or to Opus";
            return Err(Error::Unsupported { name: "Ogg of this kind", reason });
        }
        Ok(None)
    }

    fn new(
        codec: &str,
        channels: u32,
        sample_rate: u32,
        (before, ticks_s, skipped): (usize, u32, u64),
    ) -> Self {
        let track = Track { codec: codec.to_owned(), channels, sample_rate, ..Track::default() };
        Self { track, before, ticks_s, skipped }
    }
}

/// Reads the packet of comments, which begins the first of these pages and goes on in the others.
fn comments(pages: &mut [Page], sound: &Sound, draft: &mut Draft) -> Result<(), Error> {
    let packet: Vec<u8> = pages
        .iter()
        .flat_map(|page| page.content().iter().take(page.first_packet()))
        .copied()
        .collect();
    let mut changed = packet.clone();
    if let Some(list) = changed.get_mut(sound.before..) {
        vorbis::read(list, draft);
    }
    if changed == packet {
        return Ok(());
    }
    let mut rest = changed.as_slice();
    for page in pages {
        let (piece, after) = rest.split_at(page.first_packet().min(rest.len()));
        rest = after;
        page.bytes.iter_mut().skip(page.body).zip(piece).for_each(|(old, new)| *old = *new);
        page.seal();
        draft.private.put(Span::new(page.at, page.bytes.len() as u64), page.bytes.clone())?;
    }
    Ok(())
}

/// The time of the last page of a stream, sought from the end.
fn last_tick(source: &mut Source, serial: u32) -> Result<u64, Error> {
    let len = source.len();
    // The last page, and whatever other streams have behind it.
    let at = len.saturating_sub(PAGE * 8);
    let bytes = source.peek(at, PAGE * 8)?;
    let pages = bytes.windows(HEAD).filter(|head| head.starts_with(b"OggS\0"));
    let ours = pages.filter(|head| Cut(&head[14..]).little(4) == Some(u64::from(serial)));
    let ticks = ours.filter_map(|head| Cut(&head[6..]).little(8));
    Ok(ticks.rev().find(|tick| *tick != u64::MAX).unwrap_or(0))
}

/// The checksum of pages: the polynomial of CRC-32, unlike elsewhere neither mirrored nor inverted.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte) << 24, |sum, _| {
            sum << 1 ^ if sum >> 31 == 1 { 0x04c1_1db7 } else { 0 }
        })
    })
}
