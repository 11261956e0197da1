//! The file that is kept of an upload: recognised, made anew where that is needed, freed of what
//! is private, and hashed.

use super::{Kind, film, upload::blocking, watermark};
use crate::{
    av,
    base::{Error, Result},
    imaging::{self, Engine, Format, Limits, Metadata, Probe, Watermark},
    site::{KeepUploads, Settings},
    storage::Incoming,
};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
    io::Read,
    path::Path,
    sync::Arc,
};

/// The name under which an upload lies until it is known what it is.
pub(super) const UPLOAD: &str = "upload";

/// Quality for an original that must be encoded anew because it became smaller or got a mark.
const ANEW_QUALITY: u8 = 92;

/// An original in its final form, among the incoming files.
#[derive(Debug)]
pub struct Original {
    pub file: String,
    pub content: Content,
    pub bytes: u64,
    pub sha256: [u8; 32],
    pub metadata: Metadata,
    pub source: Option<Source>,
}

/// What is in it.
#[derive(Debug)]
pub enum Content {
    Picture(Box<Probe>),
    /// Or a recording of sound.
    Film(Box<av::Probe>),
}

impl Content {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Picture(_) => Kind::Image,
            Self::Film(probe) => probe.kind.into(),
        }
    }

    pub(super) fn mime(&self) -> &'static str {
        match self {
            Self::Picture(probe) => probe.format.mime(),
            Self::Film(probe) => probe.mime(),
        }
    }

    pub(super) fn extension(&self) -> &'static str {
        match self {
            Self::Picture(probe) => probe.format.extension(),
            Self::Film(probe) => probe.extension(),
        }
    }

    /// Whether browsers are to save it instead of showing it.
    pub(super) fn is_document(&self) -> bool {
        matches!(self, Self::Picture(probe) if probe.format.is_document())
    }

    pub(super) fn duration_ms(&self) -> Option<u64> {
        match self {
            Self::Picture(probe) => probe.duration_ms,
            Self::Film(probe) => probe.duration_ms,
        }
    }

    fn check(&self, settings: &Settings, bytes: u64) -> Result<()> {
        self.kind().check(settings, bytes)
    }
}

/// The file as it was uploaded, kept beside the original.
#[derive(Debug)]
pub struct Source {
    pub file: String,
    pub mime: &'static str,
    pub bytes: u64,
}

/// What becomes of one upload.
pub(super) struct Treatment {
    pub settings: Settings,
    /// What its files are called, without an ending.
    pub stem: String,
    /// The uploader wants it no wider than this.
    pub width: Option<u32>,
    pub mark: Option<Watermark>,
    /// It came to lie in a folder, where it is to be read as it was written.
    pub is_filed: bool,
}

impl Treatment {
    /// Which uploads are kept as they came.
    pub(super) fn keeps(&self) -> KeepUploads {
        match self.settings.keep_uploads {
            KeepUploads::Marked if self.is_filed => KeepUploads::Always,
            keeps => keeps,
        }
    }
}

/// Other bytes that show the upload.
struct Anew {
    bytes: Vec<u8>,
    is_marked: bool,
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

/// From the uploaded bytes to the original that is kept.
pub(super) async fn prepare(
    engine: &Engine,
    incoming: &Arc<Incoming>,
    treatment: Arc<Treatment>,
) -> Result<Original> {
    let (files, rules) = (incoming.clone(), treatment.clone());
    let content = blocking(move || {
        let content = recognise(&files, &rules.settings)?;
        content.check(&rules.settings, fs::metadata(files.path(UPLOAD))?.len())?;
        Ok(content)
    })
    .await?;
    let (files, of) = (incoming.clone(), treatment.clone());
    let probe = match content {
        Content::Film(probe) => return blocking(move || film::keep(&files, *probe, &of)).await,
        Content::Picture(probe) => *probe,
    };
    let (metadata, probe) =
        blocking(move || Ok((imaging::read_metadata(&files.path(UPLOAD), &probe), probe))).await?;
    let anew = anew(engine, incoming, &probe, &metadata, &treatment).await?;
    let files = incoming.clone();
    blocking(move || keep(&files, probe, metadata, anew, &treatment)).await
}

/// Recognises the upload, and refuses what the site does not take. What is no picture may be a film
/// or a recording; where it is neither, it is told what pictures there are.
fn recognise(incoming: &Incoming, settings: &Settings) -> Result<Content> {
    let path = incoming.path(UPLOAD);
    let no_picture = match imaging::probe(&path, &limits(settings)) {
        Ok(probe) => return Ok(Content::Picture(Box::new(probe))),
        Err(error @ (imaging::Error::Unknown | imaging::Error::Unsupported { .. })) => error,
        Err(error) => return Err(error.into()),
    };
    match av::probe(&path, &film::limits(settings)) {
        Ok(probe) => Ok(Content::Film(Box::new(probe))),
        Err(av::Error::Unknown) => Err(no_picture.into()),
        Err(error) => Err(error.into()),
    }
}

/// The upload made anew, where that is needed: because a smaller picture is wanted, because it
/// gets a mark, because nobody should be served its format, or because it lies on its side.
async fn anew(
    engine: &Engine,
    incoming: &Incoming,
    probe: &Probe,
    metadata: &Metadata,
    treatment: &Treatment,
) -> Result<Option<Anew>> {
    let (path, settings) = (incoming.path(UPLOAD), &treatment.settings);
    let smaller = treatment.width.filter(|width| *width < probe.upright().0);
    let mark = treatment.mark.clone().filter(|_| watermark::suits(settings, probe, metadata));
    let is_marked = mark.is_some();
    if smaller.is_some() || is_marked {
        let width = smaller.unwrap_or(u32::MAX);
        let made = engine.resize(path, probe.clone(), width, ANEW_QUALITY, mark).await;
        return match made {
            Ok(made) => Ok(Some(Anew { bytes: made.bytes, is_marked })),
            // Whoever uploads did not ask for the mark: too large an animation goes without it.
            Err(imaging::Error::AnimatedResize) if smaller.is_none() => Ok(None),
            Err(error) => Err(error.into()),
        };
    }
    let bytes = if probe.format.becomes_png() {
        Some(engine.to_png(path, probe.clone()).await?)
    } else if settings.strip_metadata && settings.turn_upright && probe.format == Format::Jpeg {
        engine.turn(path, probe.clone()).await?
    } else {
        None
    };
    Ok(bytes.map(|bytes| Anew { bytes, is_marked: false }))
}

/// Turns the upload into the original: `metadata` was read before anything was taken out.
fn keep(
    incoming: &Incoming,
    mut probe: Probe,
    metadata: Metadata,
    anew: Option<Anew>,
    treatment: &Treatment,
) -> Result<Original> {
    let (settings, stem) = (&treatment.settings, &treatment.stem);
    // Documents may act where they are shown: these are never published as they came.
    let strip = settings.strip_metadata || probe.format.is_document();
    let is_kept = match treatment.keeps() {
        _ if probe.format.is_document() => false,
        KeepUploads::Never => false,
        KeepUploads::Marked => anew.as_ref().is_some_and(|anew| anew.is_marked),
        KeepUploads::Always => anew.is_some() || strip,
    };
    let (uploaded, mime) =
        (format!("{stem}.source.{}", probe.format.extension()), probe.format.mime());
    if let Some(anew) = anew {
        if is_kept {
            fs::rename(incoming.path(UPLOAD), incoming.path(&uploaded))?;
        }
        // Not over what is there, which may have another name elsewhere.
        let _ = fs::remove_file(incoming.path(UPLOAD));
        fs::write(incoming.path(UPLOAD), &anew.bytes)?;
        probe = imaging::probe(&incoming.path(UPLOAD), &limits(settings))?;
    }
    let file = format!("{stem}.{}", probe.format.extension());
    publish(incoming, &probe, &file, strip)?;
    if is_kept && !incoming.path(&uploaded).exists() {
        fs::rename(incoming.path(UPLOAD), incoming.path(&uploaded))?;
    }
    let _ = fs::remove_file(incoming.path(UPLOAD));
    let (bytes, sha256) = hash(&incoming.path(&file))?;
    if bytes == 0 {
        return Err(Error::Rejected { code: "damaged", reason: "is empty".to_owned() });
    }
    let source = if is_kept { source(incoming, uploaded, mime, &sha256)? } else { None };
    Ok(Original {
        file,
        content: Content::Picture(Box::new(probe)),
        bytes,
        sha256,
        metadata,
        source,
    })
}

/// Writes the public file; the upload stays where it is, unless the two are the same.
fn publish(incoming: &Incoming, probe: &Probe, file: &str, strip: bool) -> Result<()> {
    if strip {
        let mut stripped = incoming.create_file(file)?;
        imaging::strip(&incoming.path(UPLOAD), probe, &mut stripped)?;
        stripped.sync_all()?;
    } else {
        fs::rename(incoming.path(UPLOAD), incoming.path(file))?;
        File::open(incoming.path(file))?.sync_all()?;
    }
    Ok(())
}

/// The uploaded file, unless it is the public one, bit for bit.
pub(super) fn source(
    incoming: &Incoming,
    file: String,
    mime: &'static str,
    public: &[u8; 32],
) -> Result<Option<Source>> {
    let (bytes, sha256) = hash(&incoming.path(&file))?;
    if sha256 == *public {
        incoming.remove(&file)?;
        return Ok(None);
    }
    File::open(incoming.path(&file))?.sync_all()?;
    Ok(Some(Source { file, mime, bytes }))
}

/// How long a file is, and its SHA-256. Blocks.
pub(super) fn hash(path: &Path) -> Result<(u64, [u8; 32])> {
    let mut file = File::open(path)?;
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
