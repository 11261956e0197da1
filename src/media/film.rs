//! Films and recordings: what is kept about one, and how its file becomes the public one. Pictures
//! that stand for it are made elsewhere (`poster.rs`).

use super::{
    original::{self, Content, Original, Source, Treatment, UPLOAD, hash, source},
    poster::Poster,
};
use crate::{
    av,
    base::{Error, Result},
    imaging::{self, Gps, Metadata},
    site::{KeepUploads, Settings},
    storage::Incoming,
};
use std::fs::{self, File};

/// What an item shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Image,
    Video,
    Audio,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
        }
    }

    /// # Errors
    /// `TooLarge` and `Unsupported` where the site does not take a file of this kind and size.
    pub(super) fn check(self, settings: &Settings, bytes: u64) -> Result<()> {
        let kinds = settings.kinds;
        let (is_taken, allowed, name) = match self {
            Self::Image => (kinds.image, settings.max_image_bytes, "pictures"),
            Self::Video => (kinds.video, settings.max_video_bytes, "films"),
            Self::Audio => (kinds.audio, settings.max_audio_bytes, "recordings of sound"),
        };
        if !is_taken {
            return Err(Error::Unsupported(format!("this site takes no {name}")));
        }
        if bytes > allowed {
            return Err(Error::TooLarge { field: "file", allowed });
        }
        Ok(())
    }
}

impl From<av::Kind> for Kind {
    fn from(kind: av::Kind) -> Self {
        match kind {
            av::Kind::Video => Self::Video,
            av::Kind::Audio => Self::Audio,
        }
    }
}

/// What is known of a film or a recording, besides what every item has.
#[derive(Debug, Clone)]
pub struct Av {
    pub video_codec: Option<String>,
    pub audio_codec: Option<String>,
    /// Bits in each second, on average.
    pub bit_rate: Option<u64>,
    /// In each second, on average.
    pub frame_rate: Option<f64>,
    pub channels: u32,
    /// In Hertz; 0 without sound.
    pub sample_rate: u32,
    pub tracks: u32,
    pub artist: Option<String>,
    pub album: Option<String>,
    pub poster: Origin,
    /// Where in the film it is from.
    pub poster_at_ms: Option<u64>,
}

impl Av {
    pub(super) fn new(probe: &av::Probe, poster: &Poster) -> Self {
        Self {
            video_codec: probe.video_codec.clone(),
            audio_codec: probe.audio_codec.clone(),
            bit_rate: probe.bit_rate,
            frame_rate: probe.frame_rate,
            channels: probe.channels,
            sample_rate: probe.sample_rate,
            tracks: probe.tracks,
            artist: probe.told.artist.clone(),
            album: probe.told.album.clone(),
            poster: poster.origin,
            poster_at_ms: poster.at_ms,
        }
    }
}

/// Where the picture comes from that stands for a film or a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Out of the film.
    Frame,
    /// The file brought it along.
    Cover,
    /// Somebody chose it.
    Upload,
    /// There is none, and this one says nothing.
    Neutral,
}

impl Origin {
    pub const ALL: [Self; 4] = [Self::Frame, Self::Cover, Self::Upload, Self::Neutral];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Frame => "frame",
            Self::Cover => "cover",
            Self::Upload => "upload",
            Self::Neutral => "neutral",
        }
    }
}

/// What the site admits.
pub(super) fn limits(settings: &Settings) -> av::Limits {
    av::Limits {
        max_duration_ms: settings.max_play_seconds.saturating_mul(1000),
        max_tracks: u32::try_from(settings.max_tracks).unwrap_or(u32::MAX),
        max_bit_rate: settings.max_bit_rate,
        ..av::Limits::default()
    }
}

/// For a file that was taken in once, under whatever limits there were then.
pub(super) fn no_limits() -> av::Limits {
    av::Limits {
        max_duration_ms: u64::MAX,
        max_tracks: u32::MAX,
        max_bit_rate: u64::MAX,
        max_pixels: u64::MAX,
    }
}

/// Turns an upload that was recognised into the original.
pub(super) fn keep(
    incoming: &Incoming,
    probe: av::Probe,
    treatment: &Treatment,
) -> Result<Original> {
    let (settings, stem) = (&treatment.settings, &treatment.stem);
    let (upload, file) = (incoming.path(UPLOAD), format!("{stem}.{}", probe.extension()));
    if settings.strip_metadata {
        let mut public = incoming.create_file(&file)?;
        probe.strip(&upload, &mut public)?;
        if let Some(cover) = probe.cover(&upload)? {
            probe.replace_cover(&public, &clean(incoming, &cover, settings)?)?;
        }
        public.sync_all()?;
    } else {
        fs::rename(&upload, incoming.path(&file))?;
        File::open(incoming.path(&file))?.sync_all()?;
    }
    let (bytes, sha256) = hash(&incoming.path(&file))?;
    let is_kept = settings.strip_metadata && treatment.keeps() == KeepUploads::Always;
    let source: Option<Source> = if is_kept {
        let uploaded = format!("{stem}.source.{}", probe.extension());
        fs::rename(&upload, incoming.path(&uploaded))?;
        source(incoming, uploaded, probe.mime(), &sha256)?
    } else {
        let _ = fs::remove_file(&upload);
        None
    };
    let metadata = metadata(&probe.told);
    Ok(Original { file, content: Content::Film(Box::new(probe)), bytes, sha256, metadata, source })
}

/// A cover without what cameras write into pictures; nothing, where it is no picture.
fn clean(incoming: &Incoming, cover: &[u8], settings: &Settings) -> Result<Vec<u8>> {
    const DRAFTS: [&str; 2] = ["cover", "cover.public"];
    let [draft, public] = DRAFTS.map(|name| incoming.path(name));
    fs::write(&draft, cover)?;
    let cleaned = imaging::probe(&draft, &original::limits(settings))
        .and_then(|probe| imaging::strip(&draft, &probe, &mut File::create(&public)?));
    let bytes = cleaned.is_ok().then(|| fs::read(&public)).transpose()?;
    for path in [draft, public] {
        let _ = fs::remove_file(path);
    }
    Ok(bytes.unwrap_or_default())
}

/// What the file says, in the words for pictures.
fn metadata(told: &av::Told) -> Metadata {
    let told = told.clone();
    let gps = told.place.map(|place| Gps {
        latitude: place.latitude,
        longitude: place.longitude,
        altitude_m: place.altitude_m,
    });
    Metadata {
        title: told.title,
        description: told.description,
        artist: told.artist,
        copyright: told.copyright,
        software: told.software,
        camera_make: told.camera_make,
        camera_model: told.camera_model,
        taken_at: told.recorded_at,
        gps,
        ..Metadata::default()
    }
}
