//! WebM and Matroska, elements inside elements.

use super::SECRET;

pub(crate) fn element(id: u32, parts: &[&[u8]]) -> Vec<u8> {
    let id = id.to_be_bytes();
    let start = id.iter().position(|byte| *byte != 0).unwrap();
    let body = parts.concat();
    let size = (body.len() as u64 | 1 << 56).to_be_bytes();
    [&id[start..], &size, &body].concat()
}

/// An element whose length nobody knew when it was begun.
fn open(id: u32, parts: &[&[u8]]) -> Vec<u8> {
    [&id.to_be_bytes()[..], &[0x01, 255, 255, 255, 255, 255, 255, 255], &parts.concat()].concat()
}

fn header(kind: &[u8]) -> Vec<u8> {
    element(0x1a45_dfa3, &[&element(0x4286, &[&[1]]), &element(0x4282, &[kind])])
}

fn tracks() -> Vec<u8> {
    let picture = element(0xe0, &[&element(0xb0, &[&[2, 128]]), &element(0xba, &[&[1, 104]])]);
    let sound =
        element(0xe1, &[&element(0xb5, &[&48_000f32.to_be_bytes()]), &element(0x9f, &[&[2]])]);
    let film = element(
        0xae,
        &[
            &element(0xd7, &[&[1]]),
            &element(0x83, &[&[1]]),
            &element(0x86, &[b"V_VP9"]),
            &element(0x23_e383, &[&40_000_000u32.to_be_bytes()]),
            &picture,
        ],
    );
    let audio = element(
        0xae,
        &[&element(0xd7, &[&[2]]), &element(0x83, &[&[2]]), &element(0x86, &[b"A_OPUS"]), &sound],
    );
    element(0x1654_ae6b, &[&film, &audio])
}

fn cluster_at(ms: u16) -> Vec<u8> {
    let block = |after: u16| element(0xa3, &[&[0x81], &after.to_be_bytes(), &[0x80, 1, 2, 3]]);
    [element(0xe7, &[&ms.to_be_bytes()]), block(0), block(960)].concat()
}

fn whole(kind: &[u8]) -> Vec<u8> {
    let duration = element(0x4489, &[&10_000f64.to_be_bytes()]);
    // 2024-01-31T09:30:00Z, in nanoseconds since 2001.
    let made = (728_386_200_i64 * 1_000_000_000).to_be_bytes();
    let info = element(
        0x1549_a966,
        &[
            &element(0xbf, &[&[1, 2, 3, 4]]),
            &element(0x2a_d7b1, &[&1_000_000u32.to_be_bytes()]),
            &duration,
            &element(0x7ba9, &[b"At the sea"]),
            &element(0x4461, &[&made]),
            &element(0x7384, &[SECRET]),
        ],
    );
    let named = |name: &[u8], text: &[u8]| {
        element(0x67c8, &[&element(0x45a3, &[name]), &element(0x4487, &[text])])
    };
    let notes =
        [named(b"ARTIST", b"Ana"), named(b"COMMENT", SECRET), named(b"LOCATION", b"+1.5+2.5/")];
    let tags = element(0x1254_c367, &[&element(0x7373, &[&notes.concat()])]);
    let piece = element(0x1f43_b675, &[&cluster_at(0)]);
    let file = element(0x61a7, &[&element(0x4660, &[b"text/plain"]), &element(0x465c, &[SECRET])]);
    let attached = element(0x1941_a469, &[&file]);
    [header(kind), element(0x1853_8067, &[&info, &tracks(), &piece, &tags, &attached])].concat()
}

/// A film that tells about its maker.
pub(crate) fn webm() -> Vec<u8> {
    whole(b"webm")
}

pub(crate) fn mkv() -> Vec<u8> {
    whole(b"matroska")
}

/// As browsers record it: nothing in it knows its length.
pub(crate) fn live_webm() -> Vec<u8> {
    let info = element(0x1549_a966, &[&element(0x2a_d7b1, &[&1_000_000u32.to_be_bytes()])]);
    let pieces = [open(0x1f43_b675, &[&cluster_at(0)]), open(0x1f43_b675, &[&cluster_at(4000)])];
    [header(b"webm"), open(0x1853_8067, &[&info, &tracks(), &pieces.concat()])].concat()
}
