//! Films and recordings made on the spot, box by box: small, honest and full of secrets. Knows
//! nothing of the product; every function hands back the bytes of one file. Nobody could play most
//! of them: their headers are true, and their samples are not.

mod mp4;
mod songs;
mod webm;

pub(crate) use mp4::{Film, atom, fragmented_mp4, m4a, mp4, mp4_of, told_mp4};
pub(crate) use songs::{checksum, flac, mp3, ogg, wav, wav_of};
pub(crate) use webm::{element, live_webm, mkv, webm};

/// What every private part of these files holds, and no public file may.
pub(crate) use super::pictures::SECRET;
