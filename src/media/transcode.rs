//! Work on films that takes long: small pictures to seek by, and encodings that every browser plays.
//! Done by a job for each item; what is ready is kept, also when the rest is called off.

use super::{
    Kind, Media, Role, Variant, adding, film, hls, listing, local,
    sql::{self, removals, renditions},
    upload::{Uploads, blocking},
    view_av,
};
use crate::{
    accounts::Actor,
    av::{self, Preview, Probe, Size},
    base::{
        Clock, Error, Result,
        ids::{PublicId, UserId},
    },
    db::Write,
    jobs::{self, Job, NewJob, Run, Step},
    site::{Renditions, Settings, settings},
    storage::{Incoming, Landable},
    tenancy::{Site, Tenant, limits::Limit},
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// How often it is tried.
const ATTEMPTS: u32 = 2;

/// Names under which things lie while they are worked on.
const WORK: &str = "work";
const MADE: &str = "made";

/// Has a film worked on after it came in, as far as the site wants that and the server can.
pub(super) fn enqueue(
    db: &Write<Site>,
    settings: &Settings,
    tool: &av::Tool,
    (id, owner, kind): (&PublicId, UserId, Kind),
) -> Result<()> {
    let is_wanted = settings.video_preview || settings.video_rendition != Renditions::Off;
    if kind == Kind::Video && is_wanted && tool.state().is_ok() {
        jobs::enqueue(db, &job(id, owner))?;
    }
    Ok(())
}

fn job(id: &PublicId, owner: UserId) -> NewJob {
    let new = NewJob::new(jobs::Kind::Transcode).once(id.as_str());
    new.owner(owner).media(id.clone()).attempts(ATTEMPTS)
}

/// Has a film worked on anew, as the settings are now.
///
/// # Errors
/// `Conflict` with code `no_film` for anything else; `Unavailable` where there is no `ffmpeg`.
pub async fn start(tenant: &Tenant, actor: &Actor, uploads: &Uploads, id: &str) -> Result<Job> {
    let media = listing::find(tenant, actor, id).await?;
    media.facts().check_edit(actor)?;
    if media.kind != Kind::Video {
        return Err(Error::Conflict { code: "no_film", reason: "only films are worked on" });
    }
    if uploads.tool.state().is_err() {
        return Err(av::Error::NoTool.into());
    }
    jobs::add(tenant, job(&media.public_id, media.owner.id)).await
}

/// Does the work of one job.
pub async fn work(run: &Run, uploads: &Uploads) -> Result<Step> {
    tokio::select! {
        done = whole(run, uploads) => done.map(|()| Step::Done),
        () = run.stopped() => Ok(Step::GoOn),
    }
}

async fn whole(run: &Run, uploads: &Uploads) -> Result<()> {
    let id = run.job.media.clone().ok_or(Error::NotFound("media"))?;
    let tenant = &run.tenant;
    let found = tenant.read(move |db| Ok((sql::get(db, &id)?, settings::load(db)?))).await?;
    let (Some(media), settings) = found else { return Err(Error::NotFound("media")) };
    let copy = local::fetch(tenant, &media.place(), media.bytes).await?;
    let (path, film) = (copy.path.clone(), copy.path.clone());
    let (disk, name) = (tenant.disk().clone(), PublicId::random()?);
    let (probe, incoming) =
        blocking(move || Ok((av::probe(&film, &film::no_limits())?, disk.receive(&name)?))).await?;
    let sizes = match settings.video_rendition {
        Renditions::Off => Vec::new(),
        Renditions::Mp4 => vec![Size::within(&probe, lines(&settings))],
        Renditions::Hls => Size::ladder(&probe, lines(&settings)),
    };
    let parts = sizes.len() as u64 + u64::from(settings.video_preview);
    let mark = format!("-{:x}", Clock::now().0);
    let work = Work { run, uploads, media: &media, path, probe, incoming, mark, parts };
    let mut done = 0;
    if settings.video_preview {
        work.preview().await?;
        done += 1;
    }
    match settings.video_rendition {
        Renditions::Off => Ok(()),
        Renditions::Mp4 => work.mp4(sizes, done).await,
        Renditions::Hls => work.ladder(sizes, done).await,
    }
}

fn lines(settings: &Settings) -> u32 {
    u32::try_from(settings.video_max_lines).unwrap_or(u32::MAX)
}

struct Work<'a> {
    run: &'a Run,
    uploads: &'a Uploads,
    media: &'a Media,
    path: PathBuf,
    probe: Probe,
    incoming: Incoming,
    /// What tells new files from those that caches may still have.
    mark: String,
    /// How often the film is gone through in all.
    parts: u64,
}

/// A file that is ready, and what is to be known of it.
struct Ready {
    variant: Variant,
    from: PathBuf,
}

impl Work<'_> {
    fn film(&self) -> (&Path, &Probe) {
        (&self.path, &self.probe)
    }

    fn to(&self, n: usize) -> PathBuf {
        self.incoming.path(&format!("{MADE}-{n}"))
    }

    /// Says how far it has come: milliseconds of film, gone through so many times.
    fn heard(&self, before: u64) -> impl FnMut(u64) + Send {
        let duration = self.probe.duration_ms.unwrap_or(0).max(1);
        let (run, parts) = (self.run, self.parts);
        move |ms| run.progress(before * duration + ms.min(duration), Some(parts * duration))
    }

    fn ready(
        &self,
        (name, role): (&str, Role),
        (ending, mime): (&str, &str),
        from: PathBuf,
    ) -> Ready {
        let stem = self.media.file.rsplit_once('.').map_or(&*self.media.file, |(stem, _)| stem);
        let variant = Variant {
            name: name.to_owned(),
            role,
            file: format!("{stem}.{name}{}.{ending}", self.mark),
            mime: mime.to_owned(),
            bytes: 0,
            width: 0,
            height: 0,
        };
        Ready { variant, from }
    }

    async fn preview(&self) -> Result<()> {
        let Some(preview) = Preview::of(&self.probe) else { return Ok(()) };
        let (work, to, list) = (self.incoming.path(WORK), self.to(0), self.to(1));
        let tool = &self.uploads.tool;
        tool.preview(self.film(), &preview, (&work, &to), self.heard(0)).await?;
        let role = Role::Preview;
        let mut picture = self.ready((view_av::PREVIEW, role), ("jpg", "image/jpeg"), to);
        (picture.variant.width, picture.variant.height) = preview.size();
        std::fs::write(&list, preview.track(&picture.variant.file))?;
        let track = self.ready((view_av::PREVIEW_TRACK, role), ("vtt", "text/vtt"), list);
        self.land(role, vec![picture, track]).await
    }

    async fn mp4(&self, sizes: Vec<Size>, done: u64) -> Result<()> {
        let mut made = Vec::new();
        for size in sizes {
            let (work, to) = (self.incoming.path(WORK), self.to(0));
            let tool = &self.uploads.tool;
            tool.rendition(self.film(), size, (&work, &to), self.heard(done)).await?;
            let name = (view_av::MP4, Role::Rendition);
            made.push(self.sized(name, ("mp4", "video/mp4"), to, size));
        }
        self.land(Role::Rendition, made).await
    }

    fn sized(&self, name: (&str, Role), ending: (&str, &str), from: PathBuf, size: Size) -> Ready {
        let mut ready = self.ready(name, ending, from);
        (ready.variant.width, ready.variant.height) = (size.width, size.height);
        ready
    }

    /// A file and a playlist for each quality, and one that lists the qualities.
    async fn ladder(&self, sizes: Vec<Size>, done: u64) -> Result<()> {
        let (mut made, mut rungs) = (Vec::new(), Vec::new());
        for (n, size) in sizes.into_iter().enumerate() {
            let (work, to, list) = (self.incoming.path(WORK), self.to(2 * n), self.to(2 * n + 1));
            let heard = self.heard(done + n as u64);
            let tool = &self.uploads.tool;
            let text = tool.rung(self.film(), size, (&work, &to), heard).await?;
            let lines = size.width.min(size.height);
            let (pieces, rung) = (format!("hls_{lines}_pieces"), format!("hls_{lines}"));
            let bytes = std::fs::metadata(&to)?.len();
            let pieces = (&*pieces, Role::Rendition);
            let pieces = self.sized(pieces, ("mp4", "video/mp4"), to, size);
            std::fs::write(&list, hls::rung(&text, &pieces.variant.file))?;
            let rung = self.sized((&rung, Role::Rendition), ("m3u8", hls::MIME), list, size);
            rungs.push(hls::Rung {
                file: rung.variant.file.clone(),
                size,
                bits: bytes.saturating_mul(8000) / self.probe.duration_ms.unwrap_or(1).max(1),
            });
            made.extend([pieces, rung]);
        }
        let (list, largest) = (self.incoming.path("list"), rungs.last().map(|rung| rung.size));
        let has_sound = self.probe.audio_codec.is_some();
        std::fs::write(&list, hls::master(&rungs, has_sound))?;
        let name = (view_av::HLS, Role::Rendition);
        let largest = largest.unwrap_or(Size { width: 2, height: 2 });
        made.push(self.sized(name, ("m3u8", hls::MIME), list, largest));
        self.land(Role::Rendition, made).await
    }

    /// Puts files beside the original in place of all that have this role. Rows come last, and go
    /// first.
    async fn land(&self, role: Role, mut made: Vec<Ready>) -> Result<()> {
        let tenant: &Arc<Tenant> = &self.run.tenant;
        let made = blocking(move || {
            for ready in &mut made {
                ready.variant.bytes = std::fs::metadata(&ready.from)?.len().max(1);
                std::fs::File::open(&ready.from)?.sync_all()?;
            }
            Ok(made)
        })
        .await?;
        let files = made.iter().map(|ready| Landable {
            file: ready.variant.file.clone(),
            path: ready.from.clone(),
            mime: ready.variant.mime.clone(),
            is_attached: false,
        });
        let added = adding::add(tenant, self.media, files.collect()).await?;
        let new: Vec<Variant> = made.into_iter().map(|ready| ready.variant).collect();
        let files = new.iter().map(|v| v.file.clone()).collect::<Vec<_>>();
        let (id, allowance, at) = (self.media.id, tenant.allowance(), self.media.clone());
        let more = new.iter().map(|v| v.bytes).sum::<u64>();
        let replaced = tenant.write(move |db| {
            // The item may have gone meanwhile, with its folder.
            let now = sql::get(db, &at.public_id)?.ok_or(Error::NotFound("media"))?;
            adding::check_place(&now, &at)?;
            let before = renditions::take(db, id, role)?;
            allowance.check_in(db, Limit::MaxBytesStored, more)?;
            renditions::put(db, id, &new)?;
            removals::note_files(db, at.storage, &at.folder, before)
        });
        match replaced.await {
            Ok(()) => {
                added.settle().await?;
                super::removals::run(tenant).await
            }
            Err(error) => {
                adding::take_back(tenant, self.media, files).await?;
                Err(error)
            }
        }
    }
}
