//! The `moov` box of image sequences: how many frames there are, and what it tells besides.

use super::boxes::Cut;

/// The number of frames of a film and its length in milliseconds.
pub(super) fn facts(body: &[u8]) -> Option<(u32, u64)> {
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

/// Overwrites what a film's boxes tell besides how to play it.
pub(super) fn silence(body: &mut [u8], depth: u8) {
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
