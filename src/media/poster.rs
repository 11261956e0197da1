//! The picture that stands for a film or a recording: out of the film, out of its file, from
//! somebody, or a neutral one. Every variant that pictures have is made of it.

use super::{
    Kind, Media, Place, Rendered, Variant, adding,
    adding::landable,
    film,
    landing::variants,
    listing, local, original, regenerate,
    upload::{Uploads, blocking},
};
use crate::{
    accounts::Actor,
    av::{self, Frame},
    base::{Clock, Error, Result, ids::PublicId},
    imaging::{self, Sign},
    site::{Settings, settings},
    storage::Incoming,
    tenancy::Tenant,
};
use std::{path::PathBuf, sync::Arc, time::Duration};

pub use film::Origin;

/// The name of the variant, which no site can give to another one.
pub const NAME: &str = "poster";

/// The longer side of a picture out of a film, in pixels.
const MAX_SIDE: u32 = 1920;

/// How long the sender of a film waits for its picture at most.
const PATIENCE: Duration = Duration::from_secs(20);

/// Names under which things lie while they are worked on.
const DRAFT: &str = "draft";
const WORK: &str = "work";

/// What becomes the poster of an item.
pub struct Poster {
    pub variant: Variant,
    pub origin: Origin,
    pub at_ms: Option<u64>,
}

/// A picture, before anybody has looked at it.
struct Picture {
    bytes: Vec<u8>,
    origin: Origin,
    at_ms: Option<u64>,
}

/// A picture among the incoming files, freed of what is private.
struct Ready {
    path: PathBuf,
    probe: imaging::Probe,
    origin: Origin,
    at_ms: Option<u64>,
}

/// What somebody wants to stand for an item.
pub enum Wish {
    /// What the film shows then.
    At(u64),
    /// This picture.
    Picture(Vec<u8>),
}

/// Makes the poster of a file that has just come in, and all variants of it.
pub(super) async fn first(
    uploads: &Uploads,
    incoming: &Arc<Incoming>,
    settings: &Settings,
    file: &str,
    probe: &av::Probe,
) -> Result<Rendered> {
    let ready = find(uploads, incoming, settings, incoming.path(file), probe).await?;
    let specs = settings.variant_specs();
    let rendered = uploads.engine.render(ready.path.clone(), ready.probe.clone(), specs).await?;
    let (files, file) = (incoming.clone(), file.to_owned());
    blocking(move || {
        let (name, stem) = (named(&file, "", &ready.probe), ready.path.clone());
        std::fs::rename(&stem, files.path(&name))?;
        let made = variants(rendered, &file, "", |name, bytes| files.write(name, bytes))?;
        let bytes = std::fs::metadata(files.path(&name))?.len();
        Ok(with_poster(made, &ready, name, bytes))
    })
    .await
}

/// The name of the poster of an original: `beach.mp4` has a `beach.poster.jpg`.
fn named(file: &str, mark: &str, probe: &imaging::Probe) -> String {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    format!("{stem}.{NAME}{mark}.{}", probe.format.extension())
}

fn with_poster(made: Rendered, ready: &Ready, file: String, bytes: u64) -> Rendered {
    let (width, height) = ready.probe.upright();
    let variant = Variant {
        name: NAME.to_owned(),
        role: super::Role::Poster,
        file,
        mime: ready.probe.format.mime().to_owned(),
        bytes,
        width,
        height,
    };
    // All neutral ones look alike, which says nothing about what they stand for.
    let looks = if ready.origin == Origin::Neutral { 0 } else { made.looks };
    let poster = Some(Poster { variant, origin: ready.origin, at_ms: ready.at_ms });
    Rendered { poster, looks, ..made }
}

/// The best picture that there is: a moment of the film, or the cover of the recording. That there
/// is none, or only one that cannot be used, is no reason to refuse the file.
async fn find(
    uploads: &Uploads,
    incoming: &Arc<Incoming>,
    settings: &Settings,
    file: PathBuf,
    probe: &av::Probe,
) -> Result<Ready> {
    let found = match probe.kind {
        av::Kind::Video => {
            let at_ms = probe.duration_ms.unwrap_or(0) / 4;
            tokio::time::timeout(PATIENCE, moment(uploads, incoming, file.clone(), probe, at_ms))
                .await
                .unwrap_or(Err(av::Error::Tool("nobody waits any longer")))
        }
        av::Kind::Audio => {
            let (path, of) = (file.clone(), probe.clone());
            let cover = blocking(move || Ok(of.cover(&path)?)).await?;
            let picture = |bytes| Picture { bytes, origin: Origin::Cover, at_ms: None };
            cover.map(picture).ok_or(av::Error::NoTool)
        }
    };
    let made = match found {
        Ok(picture) => prepare(incoming, settings, picture).await,
        Err(error) => Err(error.into()),
    };
    match made {
        Err(Error::Internal(cause)) => Err(Error::Internal(cause)),
        Err(reason) => {
            tracing::debug!(%reason, "a neutral poster is used");
            prepare(incoming, settings, neutral(probe)?).await
        }
        ready => ready,
    }
}

async fn moment(
    uploads: &Uploads,
    incoming: &Incoming,
    file: PathBuf,
    probe: &av::Probe,
    at_ms: u64,
) -> Result<Picture, av::Error> {
    let frame = Frame { at_ms, max_side: MAX_SIDE };
    let bytes = uploads.tool.frame(&file, probe, frame, &incoming.path(WORK)).await?;
    Ok(Picture { bytes, origin: Origin::Frame, at_ms: Some(at_ms) })
}

fn neutral(probe: &av::Probe) -> Result<Picture> {
    let (size, sign) = match probe.kind {
        av::Kind::Video => ((probe.width, probe.height), Sign::Play),
        av::Kind::Audio => ((1, 1), Sign::Sound),
    };
    let bytes = imaging::neutral(size, sign)?;
    Ok(Picture { bytes, origin: Origin::Neutral, at_ms: None })
}

/// Looks at a picture, and frees it of what is private. Whatever it is, it is a picture that every
/// browser shows, or it is refused.
async fn prepare(incoming: &Arc<Incoming>, settings: &Settings, picture: Picture) -> Result<Ready> {
    let (files, limits) = (incoming.clone(), original::limits(settings));
    blocking(move || {
        let Picture { bytes, origin, at_ms } = picture;
        let (draft, path) = (files.path(DRAFT), files.path(NAME));
        std::fs::write(&draft, bytes)?;
        let looked_at = imaging::probe(&draft, &limits);
        let made = looked_at.and_then(|probe| {
            if !probe.format.is_shown_everywhere() {
                let (name, reason) = ("this picture", "send JPEG, PNG or WebP as a poster");
                return Err(imaging::Error::Unsupported { name, reason });
            }
            let mut public = std::fs::File::create(&path)?;
            imaging::strip(&draft, &probe, &mut public)?;
            public.sync_all()?;
            imaging::probe(&path, &limits)
        });
        std::fs::remove_file(&draft)?;
        Ok(Ready { path, probe: made?, origin, at_ms })
    })
    .await
}

/// Gives an item another poster, and makes all its variants anew.
///
/// # Errors
/// `Conflict` with code `no_poster` for a picture; `Invalid` for a time that is not in the film;
/// `Unavailable` where a moment of the film is wanted and nothing can decode it; those of pictures.
pub async fn set(
    tenant: &Arc<Tenant>,
    actor: &Actor,
    uploads: &Uploads,
    id: &str,
    wish: Wish,
) -> Result<Media> {
    let media = listing::find(tenant, actor, id).await?;
    media.facts().check_edit(actor)?;
    if media.av.is_none() {
        let reason = "a picture is its own poster";
        return Err(Error::Conflict { code: "no_poster", reason });
    }
    let settings = tenant.read(settings::load).await?;
    let (disk, name) = (tenant.disk().clone(), PublicId::random()?);
    let incoming = Arc::new(blocking(move || disk.receive(&name)).await?);
    let picture = match wish {
        Wish::Picture(bytes) => Picture { bytes, origin: Origin::Upload, at_ms: None },
        Wish::At(at_ms) => chosen(tenant, uploads, &incoming, &media, at_ms).await?,
    };
    let ready = prepare(&incoming, &settings, picture).await?;
    let specs = settings.variant_specs();
    let rendered = uploads.engine.render(ready.path.clone(), ready.probe.clone(), specs).await?;
    // New files get names of their own, as the old ones may be kept by caches for a year.
    let mark = format!("-{:x}", Clock::now().0);
    let (aside, file) = (incoming.clone(), media.file.clone());
    let made = blocking(move || {
        let bytes = std::fs::metadata(&ready.path)?.len();
        let name = named(&file, &mark, &ready.probe);
        std::fs::rename(&ready.path, aside.path(&name))?;
        let made = variants(rendered, &file, &mark, |file, bytes| aside.write(file, bytes))?;
        Ok(with_poster(made, &ready, name, bytes))
    })
    .await?;
    let files = made.all().map(|v| landable(&incoming, &v.file, &v.mime)).collect();
    let added = adding::add(tenant, &media, files).await?;
    regenerate::replace(tenant, &media, made).await?;
    added.settle().await?;
    listing::find(tenant, actor, id).await
}

async fn chosen(
    tenant: &Arc<Tenant>,
    uploads: &Uploads,
    incoming: &Incoming,
    media: &Media,
    at_ms: u64,
) -> Result<Picture> {
    if media.kind != Kind::Video || media.duration_ms.is_some_and(|end| at_ms > end) {
        return Err(Error::invalid("at_ms", "must be a time within a film"));
    }
    let copy = local::fetch(tenant, &media.place(), media.bytes).await?;
    let (path, film) = (copy.path.clone(), copy.path.clone());
    let probe = blocking(move || Ok(av::probe(&film, &film::no_limits())?)).await?;
    Ok(moment(uploads, incoming, path, &probe, at_ms).await?)
}

/// Where the picture lies of which an item's variants are made, and its length: the item itself, or
/// its poster.
pub(super) fn picture(media: &Media) -> (Place, u64) {
    match media.variant(NAME).filter(|_| media.kind != Kind::Image) {
        None => (media.place(), media.bytes),
        Some(poster) => {
            let (storage, folder) = (media.storage, media.folder.clone());
            (Place { storage, folder, file: poster.file.clone() }, poster.bytes)
        }
    }
}
