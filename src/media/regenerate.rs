//! Making the variants of all items anew, after the site's settings changed. Asked for by an
//! admin, done by a job a few items at a time, and gone on with after a restart.

use super::{
    Media, Rendered, Role, Variant, adding,
    adding::landable,
    landing::variants,
    local, original,
    poster::{Origin, picture},
    sql::{self, regeneration, removals},
    upload::{Uploads, blocking},
};
use crate::{
    accounts::{self, Actor},
    base::{Error, Result, clock::Millis, ids::PublicId},
    db::Read,
    imaging::{self, Limits},
    jobs::{self, Kind, NewJob, Run, Step},
    site::{Settings, settings},
    tenancy::{Site, Tenant, limits::Limit, usage},
};
use std::sync::Arc;

/// Of all items of a site; there is one job for them.
const KEY: &str = "all";
/// How often the job is tried: as good as always, a few days long.
const ATTEMPTS: u32 = 100;

/// How far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Regeneration {
    pub started_at: Millis,
    pub finished_at: Option<Millis>,
    pub total: u64,
    /// Items that had their turn, those that failed among them.
    pub done: u64,
    /// Items whose variants stay as they were.
    pub failed: u64,
    /// Why it ended before its end.
    pub problem: Option<String>,
}

/// Begins, or begins again.
///
/// # Errors
/// `Forbidden` for anybody but an admin.
pub async fn start(tenant: &Tenant, actor: &Actor) -> Result<Regeneration> {
    check(actor)?;
    start_as_operator(tenant).await
}

/// [`start`] for the operator, who needs nobody's leave.
pub async fn start_as_operator(tenant: &Tenant) -> Result<Regeneration> {
    let job = NewJob::new(Kind::Regenerate).once(KEY).attempts(ATTEMPTS);
    let write = tenant.write(move |db| {
        regeneration::start(db)?;
        jobs::enqueue(db, &job)?;
        regeneration::state(db)?.ok_or(Error::NotFound("regeneration"))
    });
    let state = write.await?;
    jobs::wake(tenant, Kind::Regenerate).await?;
    Ok(state)
}

/// How far the last one has come, if there was one.
///
/// # Errors
/// `Forbidden` for anybody but an admin.
pub async fn state(tenant: &Tenant, actor: &Actor) -> Result<Option<Regeneration>> {
    check(actor)?;
    tenant.read(state_in).await
}

/// The job may have ended in another way than with the last item: it says so then.
fn state_in(db: &Read<Site>) -> Result<Option<Regeneration>> {
    let Some(mut state) = regeneration::state(db)? else { return Ok(None) };
    let job = jobs::last(db, Kind::Regenerate)?;
    let is_over = job.as_ref().is_none_or(|job| job.state.is_over());
    if state.finished_at.is_none() && is_over {
        state.finished_at = job.and_then(|job| job.finished_at).or(Some(state.started_at));
        state.problem = Some("cancelled".to_owned());
    }
    Ok(Some(state))
}

/// Calls it off; what is made stays.
pub async fn cancel(tenant: &Tenant, actor: &Actor) -> Result<()> {
    check(actor)?;
    tenant.write(|db| regeneration::finish(db, Some("cancelled"))).await
}

fn check(actor: &Actor) -> Result<()> {
    if actor.has_role(accounts::Role::Admin) {
        return Ok(());
    }
    Err(Error::Forbidden("only an admin may make all variants anew"))
}

/// Goes on for a turn.
pub async fn go_on(run: &Run, uploads: &Uploads) -> Result<Step> {
    let tenant = &run.tenant;
    let Some(state) = tenant.read(regeneration::state).await? else { return Ok(Step::Done) };
    if state.finished_at.is_some() {
        return Ok(Step::Done);
    }
    let settings = tenant.read(settings::load).await?;
    let mut done = state.done;
    while !run.is_turn_over() && !run.is_stopped() {
        run.progress(done, Some(state.total));
        let Some((id, public_id)) = tenant.read(regeneration::next).await? else {
            tenant.tidy(|db| regeneration::finish(db, None)).await?;
            return Ok(Step::Done);
        };
        let Some(media) = tenant.read(move |db| sql::get(db, &public_id)).await? else { continue };
        let made = Anew { tenant, uploads, settings: &settings, of: state.started_at };
        let failed = match made.one(&media).await {
            Ok(()) => false,
            Err(Error::LimitReached { .. }) => {
                tenant.tidy(|db| regeneration::finish(db, Some("limit_reached"))).await?;
                return Ok(Step::Done);
            }
            Err(error) => {
                let (media, error) = (media.public_id, error.in_full());
                tracing::warn!(tenant = %tenant.id, %media, error, "its variants stay as they were");
                true
            }
        };
        tenant.tidy(move |db| regeneration::step(db, id, failed, state.started_at)).await?;
        done += 1;
    }
    Ok(Step::GoOn)
}

struct Anew<'a> {
    tenant: &'a Arc<Tenant>,
    uploads: &'a Uploads,
    settings: &'a Settings,
    of: Millis,
}

impl Anew<'_> {
    /// The new files get names of their own, as the old ones may be kept by caches for a year.
    async fn one(&self, media: &Media) -> Result<()> {
        let (place, bytes) = picture(media);
        let copy = local::fetch(self.tenant, &place, bytes).await?;
        let path = copy.path.clone();
        let limits = Limits {
            max_pixels: u64::MAX,
            max_duration_ms: u64::MAX,
            ..original::limits(self.settings)
        };
        let at = path.clone();
        let probe = blocking(move || Ok(imaging::probe(&at, &limits)?)).await?;
        let specs = self.settings.variant_specs();
        let rendered = self.uploads.engine.render(path, probe, specs).await?;

        let (disk, file) = (self.tenant.disk().clone(), media.file.clone());
        let mark = format!("-{:x}", self.of.0);
        let (aside, new) = blocking(move || {
            let aside = disk.receive(&PublicId::random()?)?;
            let new = variants(rendered, &file, &mark, |file, bytes| aside.write(file, bytes))?;
            Ok((aside, new))
        })
        .await?;
        let files = new.variants.iter().map(|v| landable(&aside, &v.file, &v.mime)).collect();
        let added = adding::add(self.tenant, media, files).await?;

        // A neutral poster looks like all others of its kind, which says nothing.
        let is_neutral = media.av.as_ref().is_some_and(|av| av.poster == Origin::Neutral);
        let looks = if is_neutral { 0 } else { new.looks };
        replace(self.tenant, media, Rendered { looks, ..new }).await?;
        added.settle().await
    }
}

/// Puts what was made anew in place of what there was: all pictures, and the poster where there is
/// a new one. The files are there already; those that are not needed go.
pub(super) async fn replace(tenant: &Arc<Tenant>, media: &Media, new: Rendered) -> Result<()> {
    let (id, allowance) = (media.id, tenant.allowance());
    let (public_id, at) = (media.public_id.clone(), media.clone());
    let is_replaced = |variant: &&Variant| match variant.role {
        Role::Picture => true,
        Role::Poster => new.poster.is_some(),
        Role::Preview | Role::Rendition => false,
    };
    let before: Vec<Variant> = media.variants.iter().filter(is_replaced).cloned().collect();
    let more = new.bytes().saturating_sub(before.iter().map(|v| v.bytes).sum());
    let files = new.all().map(|v| v.file.clone()).collect::<Vec<_>>();
    let made = files.clone();
    let replaced = tenant.tidy(move |db| {
        let count = new.all().count() as u64;
        allowance.check_in(db, Limit::MaxVariantsRenderedMonth, count)?;
        allowance.check_in(db, Limit::MaxBytesStored, more)?;
        adding::check_place(&sql::get(db, &public_id)?.ok_or(Error::NotFound("media"))?, &at)?;
        regeneration::replace(db, id, &new)?;
        let gone = before.into_iter().map(|v| v.file).filter(|file| !made.contains(file));
        removals::note_files(db, at.storage, &at.folder, gone.collect())?;
        usage::count_rendered(db, count)
    });
    match replaced.await {
        Ok(()) => super::removals::run(tenant).await,
        Err(error) => {
            adding::take_back(tenant, media, files).await?;
            Err(error)
        }
    }
}
