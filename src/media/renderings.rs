//! Pictures made on demand: an original in the shape that somebody asked for. Each is made once
//! and kept until others were asked for more recently.

use super::{
    Place, local, original,
    shape::Shape,
    sql::{
        FileRow,
        renderings::{self, Found, Rendering},
    },
    upload::{Uploads, blocking},
};
use crate::{
    base::{
        Clock, Error, Result,
        ids::{MediaId, PublicId},
    },
    imaging::{self, Limits, Rendition, VariantSpec},
    site::{Settings, settings},
    storage::LOCAL,
    tenancy::{Tenant, limits::Limit, usage},
};
use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

/// How exactly it is noted when a picture was last asked for.
const USE_STEP_MS: i64 = 60 * 60 * 1000;
/// Where a site's bytes are limited, these pictures may have one in so many of them.
const SHARE: u64 = 10;

/// Locks, so that a picture which many ask for at once is made once.
pub struct Making {
    locks: Vec<tokio::sync::Mutex<()>>,
    hasher: RandomState,
}

impl Default for Making {
    fn default() -> Self {
        let locks = (0..64).map(|_| tokio::sync::Mutex::default()).collect();
        Self { locks, hasher: RandomState::new() }
    }
}

impl Making {
    async fn turn(&self, what: (&str, MediaId, &str)) -> tokio::sync::MutexGuard<'_, ()> {
        let (tenant, media, spec) = what;
        let hash = self.hasher.hash_one((tenant, media.0, spec));
        let place = usize::try_from(hash % self.locks.len() as u64).unwrap_or(0);
        self.locks[place].lock().await
    }
}

/// The file of an original in this shape, made now if there is none. `row` is the original's.
///
/// # Errors
/// `NotFound` where the row is not an original's; `LimitReached` where the site may make no more
/// this month; those of rendering.
pub(super) async fn find_or_make(
    tenant: &Arc<Tenant>,
    uploads: &Uploads,
    id: &str,
    row: &FileRow,
    shape: Shape,
) -> Result<FileRow> {
    let id = PublicId::parse(id).ok_or(Error::NotFound("file"))?;
    let settings = tenant.read(settings::load).await?;
    let work = Work { tenant, uploads, settings: &settings, id, spec: shape.spec(&settings)? };
    let found = work.find(row).await?;
    let rendering = match found.rendering {
        Some(rendering) if work.is_there(row, &rendering).await? => {
            work.note_use(found.media, &rendering).await?;
            rendering
        }
        _ => work.make(row, found.media).await?,
    };
    let (folder, name) = (row.folder.clone(), rendering.file.clone());
    Ok(FileRow {
        place: Place { storage: LOCAL, folder, file: name },
        download_name: rendering.file.clone(),
        file: rendering.file,
        mime: rendering.mime,
        bytes: rendering.bytes,
        ..row.clone()
    })
}

struct Work<'a> {
    tenant: &'a Arc<Tenant>,
    uploads: &'a Uploads,
    settings: &'a Settings,
    id: PublicId,
    spec: VariantSpec,
}

impl Work<'_> {
    async fn find(&self, row: &FileRow) -> Result<Found> {
        let (id, file, spec) = (self.id.clone(), row.file.clone(), self.spec.name.clone());
        let found = self.tenant.read(move |db| renderings::find(db, &id, &file, &spec)).await?;
        found.ok_or(Error::NotFound("file"))
    }

    /// Rows may outlive their files: a copy of the site leaves these files out.
    async fn is_there(&self, row: &FileRow, rendering: &Rendering) -> Result<bool> {
        let (store, folder) = (self.tenant.disk().clone(), row.folder.clone());
        let (file, bytes) = (rendering.file.clone(), rendering.bytes);
        blocking(move || Ok(store.length(&folder, &file).is_ok_and(|length| length == bytes))).await
    }

    async fn note_use(&self, media: MediaId, rendering: &Rendering) -> Result<()> {
        if rendering.used_at.plus_ms(USE_STEP_MS) > Clock::now() {
            return Ok(());
        }
        let spec = self.spec.name.clone();
        self.tenant.tidy(move |db| renderings::used(db, media, &spec)).await
    }

    async fn make(&self, row: &FileRow, media: MediaId) -> Result<Rendering> {
        let making = &self.uploads.making;
        let _turn = making.turn((self.tenant.id.as_str(), media, &self.spec.name)).await;
        // Whoever had the turn before may have made it.
        if let Some(rendering) = self.find(row).await?.rendering
            && self.is_there(row, &rendering).await?
        {
            return Ok(rendering);
        }
        let allowance = self.tenant.allowance();
        let asked = allowance.clone();
        let limit = Limit::MaxVariantsRenderedMonth;
        self.tenant.read(move |db| asked.check_in(db, limit, 1)).await?;

        let rendition = self.render(row).await?;
        let rendering = self.keep(row, rendition).await?;
        let (spec, budget) = (self.spec.name.clone(), self.budget());
        let (rendering, gone) = self
            .tenant
            .write(move |db| {
                allowance.check_in(db, limit, 1)?;
                renderings::put(db, media, &spec, &rendering)?;
                usage::count_rendered(db, 1)?;
                Ok((rendering, renderings::shrink(db, budget)?))
            })
            .await?;
        let (store, own) = (self.tenant.disk().clone(), rendering.file.clone());
        let folder = row.folder.clone();
        blocking(move || {
            // Whoever asked for this one still gets it, however small the budget is.
            let others = gone.iter().filter(|(f, file)| (f, file) != (&folder, &own));
            others.into_iter().try_for_each(|(f, file)| store.remove_file(f, file))
        })
        .await?;
        Ok(rendering)
    }

    async fn render(&self, row: &FileRow) -> Result<Rendition> {
        let copy = local::fetch(self.tenant, &row.place, row.bytes).await?;
        let path = copy.path.clone();
        let limits = Limits {
            max_pixels: u64::MAX,
            max_duration_ms: u64::MAX,
            ..original::limits(self.settings)
        };
        let at = path.clone();
        let probe = blocking(move || Ok(imaging::probe(&at, &limits)?)).await?;
        let specs = vec![self.spec.clone()];
        let rendered = self.uploads.engine.render(path, probe, specs).await?;
        let first = rendered.renditions.into_iter().next();
        first.ok_or_else(|| Error::internal("nothing was rendered"))
    }

    /// Puts the bytes beside their original.
    async fn keep(&self, row: &FileRow, rendition: Rendition) -> Result<Rendering> {
        let stem = row.file.rsplit_once('.').map_or(&*row.file, |(stem, _)| stem);
        let file = format!("{stem}.{}.{}", self.spec.name, rendition.format.extension());
        let (store, folder, name) = (self.tenant.disk().clone(), row.folder.clone(), file.clone());
        let bytes = rendition.bytes.len() as u64;
        blocking(move || store.add(&folder, &name, &rendition.bytes)).await?;
        let mime = rendition.format.mime().to_owned();
        Ok(Rendering { file, mime, bytes, used_at: Clock::now() })
    }

    /// How many bytes the site may keep of such pictures.
    fn budget(&self) -> u64 {
        let share = self.tenant.allowance().limit(Limit::MaxBytesStored).map(|most| most / SHARE);
        self.settings.resize_cache_bytes.min(share.unwrap_or(u64::MAX))
    }
}
