//! What only films and recordings have, as clients see it.

use super::{Media, Role, Variant, film::Av};
use crate::site::Links;
use poem_openapi::Object;

/// What a film or a recording is, and what there is to play.
#[derive(Object)]
#[oai(rename = "Av", skip_serializing_if_is_none)]
pub(super) struct AvView {
    /// Small letters, as in `h264`. Absent for sound alone.
    video_codec: Option<String>,
    /// As in `aac`. Absent for a silent film.
    audio_codec: Option<String>,
    /// Bits in each second, on average. Absent where nobody knows.
    bit_rate: Option<u64>,
    /// Frames in each second, on average.
    frame_rate: Option<f64>,
    channels: u32,
    /// In Hertz; 0 where there is no sound, or its header does not say.
    sample_rate: u32,
    /// Tracks of all kinds.
    tracks: u32,
    artist: Option<String>,
    album: Option<String>,
    /// Where the poster comes from: `frame` of the film, `cover` in the file, `upload` by somebody,
    /// or `neutral` where there is none.
    poster: String,
    /// Where in the film the poster is from.
    poster_at_ms: Option<u64>,
    /// Other encodings of the same, which any browser plays: the best first.
    sources: Vec<SourceView>,
    /// Small pictures of the whole film, where they are made.
    preview: Option<PreviewView>,
}

/// A file to be played.
#[derive(Object)]
#[oai(rename = "AvSource")]
struct SourceView {
    /// `mp4`, or `hls`, which is a list of qualities to choose from while it plays.
    name: String,
    url: String,
    mime: String,
    width: u32,
    height: u32,
    bytes: u64,
}

/// Small pictures of a film, all in one, and a list of times.
#[derive(Object)]
#[oai(rename = "AvPreview")]
struct PreviewView {
    /// The picture of pictures.
    image: String,
    /// WebVTT: which part of the picture belongs to which time.
    track: String,
}

/// The variants that a player is given.
pub(super) const MP4: &str = "mp4";
pub(super) const HLS: &str = "hls";
pub(super) const PREVIEW: &str = "preview";
pub(super) const PREVIEW_TRACK: &str = "preview_track";

impl AvView {
    pub(super) fn new(media: &Media, av: &Av, links: &Links) -> Self {
        let at = |variant: &Variant| links.to(&media.file_path(&variant.file));
        let source = |name: &str| {
            let variant = media.variant(name).filter(|v| v.role == Role::Rendition)?;
            Some(SourceView {
                name: variant.name.clone(),
                url: at(variant),
                mime: variant.mime.clone(),
                width: variant.width,
                height: variant.height,
                bytes: variant.bytes,
            })
        };
        let preview = || {
            let of = |name| media.variant(name).filter(|v| v.role == Role::Preview);
            let (image, track) = (of(PREVIEW)?, of(PREVIEW_TRACK)?);
            Some(PreviewView { image: at(image), track: at(track) })
        };
        Self {
            video_codec: av.video_codec.clone(),
            audio_codec: av.audio_codec.clone(),
            bit_rate: av.bit_rate,
            frame_rate: av.frame_rate.map(|rate| (rate * 1000.0).round() / 1000.0),
            channels: av.channels,
            sample_rate: av.sample_rate,
            tracks: av.tracks,
            artist: av.artist.clone(),
            album: av.album.clone(),
            poster: av.poster.as_str().to_owned(),
            poster_at_ms: av.poster_at_ms,
            sources: [HLS, MP4].into_iter().filter_map(source).collect(),
            preview: preview(),
        }
    }
}
