//! The file that is kept of an upload: recognised, scaled down where that was asked for, freed
//! of what is private, and hashed. Blocking work; the caller brings the thread.

use crate::{
    base::{Error, Result, text::Filename},
    imaging::{self, Engine, Limits, Metadata, Probe},
    site::Settings,
    storage::Incoming,
};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
    io::Read,
    path::PathBuf,
};

/// The name under which an upload lies until it is known what it is.
pub(super) const UPLOAD: &str = "upload";

/// Quality for an original that must be encoded anew because its uploader asked for a smaller one.
const RESIZE_QUALITY: u8 = 92;

/// An original in its final form, among the incoming files.
#[derive(Debug)]
pub struct Original {
    pub file: String,
    pub probe: Probe,
    pub bytes: u64,
    pub sha256: [u8; 32],
    pub metadata: Metadata,
}

/// What the site admits.
pub(super) fn limits(settings: &Settings) -> Limits {
    Limits {
        max_pixels: settings.max_pixels,
        max_frames: u32::try_from(settings.max_frames).unwrap_or(u32::MAX),
        max_duration_ms: settings.max_animation_seconds.saturating_mul(1000),
        ..Limits::default()
    }
}

/// Recognises the upload, and refuses what the site does not take.
pub(super) fn recognise(incoming: &Incoming, settings: &Settings) -> Result<Probe> {
    Ok(imaging::probe(&incoming.path(UPLOAD), &limits(settings))?)
}

/// Whether the pixels must be encoded anew: because a smaller picture is wanted, or because
/// nobody should be served this format.
pub(super) fn needs_encoding(probe: &Probe, width: Option<u32>) -> bool {
    probe.format.becomes_png() || width.is_some_and(|w| w < probe.upright().0)
}

/// The upload scaled to `width`, or as a PNG where nobody should be served its format.
pub(super) async fn encode(
    engine: &Engine,
    path: PathBuf,
    probe: Probe,
    width: Option<u32>,
) -> Result<Vec<u8>> {
    Ok(match width.filter(|w| *w < probe.upright().0) {
        Some(width) => engine.resize(path, probe, width, RESIZE_QUALITY).await?.bytes,
        None => engine.to_png(path, probe).await?,
    })
}

/// Puts other bytes in the place of the upload, and looks at them in turn.
pub(super) fn replace(incoming: &Incoming, bytes: &[u8], settings: &Settings) -> Result<Probe> {
    fs::write(incoming.path(UPLOAD), bytes)?;
    recognise(incoming, settings)
}

/// Turns the upload into the original: `metadata` was read before anything was taken out.
pub(super) fn keep(
    incoming: &Incoming,
    probe: Probe,
    metadata: Metadata,
    filename: &Filename,
    settings: &Settings,
) -> Result<Original> {
    let file = format!("{}.{}", filename.slug(), probe.format.extension());
    if settings.strip_metadata || probe.format.is_document() {
        let mut stripped = incoming.create_file(&file)?;
        imaging::strip(&incoming.path(UPLOAD), &probe, &mut stripped)?;
        stripped.sync_all()?;
        incoming.remove(UPLOAD)?;
    } else {
        fs::rename(incoming.path(UPLOAD), incoming.path(&file))?;
        File::open(incoming.path(&file))?.sync_all()?;
    }
    let (bytes, sha256) = hash(incoming, &file)?;
    if bytes == 0 {
        return Err(Error::Rejected { code: "damaged", reason: "is empty".to_owned() });
    }
    Ok(Original { file, probe, bytes, sha256, metadata })
}

fn hash(incoming: &Incoming, file: &str) -> Result<(u64, [u8; 32])> {
    let mut file = File::open(incoming.path(file))?;
    let (mut hash, mut size, mut buffer) = (Sha256::new(), 0, vec![0; 128 * 1024]);
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok((size, hash.finalize().into()));
        }
        hash.update(&buffer[..n]);
        size += n as u64;
    }
}
