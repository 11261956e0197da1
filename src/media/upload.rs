//! Taking a file in.
//!
//! Every door — forms, URLs, base64 — leads through here, and only this file knows the order: bytes
//! → what is it? → freed of what is private → seen before? → variants → files in place → row.

use super::{
    Kind, Media, NewMedia, Rendered, albums, blocklist, forget, landing,
    original::{self, Content, Original, Treatment, UPLOAD},
    poster,
    quota::Quota,
    renderings::Making,
    sql, told, transcode, watermark,
};
use crate::{
    accounts::{Actor, Role},
    av,
    base::{
        Clock, Error, Result,
        ids::{PublicId, UserId},
        secret::Secret,
        text::{Description, Filename, Tag, Title},
        visibility::Visibility,
    },
    imaging::{Engine, Watermark},
    jobs,
    outward::Fetcher,
    site::{Settings, settings, storages},
    storage::{Incoming, Landed},
    tenancy::{Allowance, Tenant, limits::Limit, usage},
};
use std::{fs, path::Path, sync::Arc};
use tokio::{
    fs::File,
    io::{AsyncWriteExt, BufWriter},
};

/// What taking files in needs of the appliance.
pub struct Uploads {
    pub engine: Engine,
    /// What films are worked on with.
    pub tool: av::Tool,
    pub fetcher: Fetcher,
    pub making: Making,
}

/// What the uploader says about the file, every part of it checked.
#[derive(Debug, Default)]
pub struct Details {
    pub title: Option<Title>,
    pub description: Option<Description>,
    pub tags: Vec<Tag>,
    pub nsfw: bool,
    pub visibility: Option<Visibility>,
    /// The album to put it into, which must be the uploader's.
    pub album: Option<PublicId>,
    pub expires_in_ms: Option<i64>,
    /// Scale the picture down to this width.
    pub width: Option<u32>,
    /// Keep a second copy of a file that the uploader has here already.
    pub allow_duplicate: bool,
    /// The file goes into its owner's folders under exactly this name, and is kept as it came, so
    /// that what is read there is what was written. A site that keeps no uploads keeps none of
    /// these either.
    pub dav_name: Option<String>,
}

pub enum Outcome {
    /// Stored; the secret is for the delete link.
    Created(Media, Secret),
    /// The uploader has the same bytes here already, as this item.
    Duplicate(Media),
}

/// A file on its way in.
pub struct Receiving {
    tenant: Arc<Tenant>,
    owner: UserId,
    role: Role,
    id: PublicId,
    incoming: Incoming,
    settings: Settings,
    mark: Option<Watermark>,
    pub(super) file: BufWriter<File>,
    received: u64,
}

impl Receiving {
    /// # Errors
    /// `Unauthenticated` for guests; `LimitReached` and `FeatureOff` where the site may have no
    /// more.
    pub async fn begin(tenant: &Arc<Tenant>, actor: &Actor) -> Result<Self> {
        let user = actor.user().ok_or(Error::Unauthenticated)?;
        let (owner, role) = (user.id, user.role);
        let allowance = tenant.allowance();
        let asked = allowance.clone();
        let (mut settings, mark) = tenant
            .read(move |db| {
                // Asked again with the row: this one spares the work of a file that has no place.
                asked.check_in(db, Limit::MaxFiles, 1)?;
                storages::check_any(db, &asked)?;
                let settings = settings::load(db)?;
                Quota::of(db, &settings, owner, role)?.check(1, 0)?;
                let mark = watermark::of(db, &settings, role)?;
                Ok((settings, mark))
            })
            .await?;
        if let Some(most) = allowance.limit(Limit::MaxUploadBytes) {
            settings.max_upload_bytes = settings.max_upload_bytes.min(most);
        }
        let id = PublicId::random()?;
        let (place, name) = (tenant.clone(), id.clone());
        let (incoming, file) = blocking(move || {
            let incoming = place.disk().receive(&name)?;
            let file = incoming.create_file(UPLOAD)?;
            Ok((incoming, file))
        })
        .await?;
        let file = BufWriter::with_capacity(256 * 1024, File::from_std(file));
        let (tenant, received) = (tenant.clone(), 0);
        Ok(Self { tenant, owner, role, id, incoming, settings, mark, file, received })
    }

    /// Begins with a file that is here already, which `put` puts where it is told. Its bytes stay
    /// untouched.
    ///
    /// # Errors
    /// Those of [`begin`](Self::begin); `TooLarge`.
    pub async fn adopt(
        tenant: &Arc<Tenant>,
        actor: &Actor,
        bytes: u64,
        put: impl FnOnce(&Path) -> Result<()> + Send + 'static,
    ) -> Result<Self> {
        let mut receiving = Self::begin(tenant, actor).await?;
        if bytes > receiving.limit() {
            return Err(Error::TooLarge { field: "file", allowed: receiving.limit() });
        }
        let place = receiving.incoming.path(UPLOAD);
        blocking(move || {
            fs::remove_file(&place)?;
            put(&place)
        })
        .await?;
        receiving.received = bytes;
        Ok(receiving)
    }

    /// The largest file that the site takes, in bytes.
    pub fn limit(&self) -> u64 {
        self.settings.max_upload_bytes
    }

    /// # Errors
    /// `TooLarge` once the file is larger than the site takes.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.received += bytes.len() as u64;
        if self.received > self.limit() {
            return Err(Error::TooLarge { field: "file", allowed: self.limit() });
        }
        Ok(self.file.write_all(bytes).await?)
    }

    /// All bytes are here: makes an item of them. It goes on to its end even when the client
    /// hangs up meanwhile.
    ///
    /// # Errors
    /// `Conflict` for a duplicate, where the site refuses these.
    pub async fn finish(
        mut self,
        uploads: &Arc<Uploads>,
        filename: Filename,
        details: Details,
    ) -> Result<Outcome> {
        self.file.flush().await?;
        let span = tracing::Span::current();
        let duplicates = self.settings.duplicates;
        let work = self.process(uploads.clone(), filename, duplicates.bound(details));
        duplicates.judge(tokio::spawn(tracing::Instrument::instrument(work, span)).await??)
    }

    async fn process(
        self,
        uploads: Arc<Uploads>,
        filename: Filename,
        mut details: Details,
    ) -> Result<Outcome> {
        let Self { tenant, owner, role, id, incoming, settings, mark, file, .. } = self;
        drop(file);
        let hidden = settings.hide_file_names.then(|| Filename::from_client(id.as_str()));
        let filename = hidden.unwrap_or(filename);
        let incoming = Arc::new(incoming);
        let (stem, width) = (filename.slug(), details.width);
        let is_filed = details.dav_name.is_some();
        let treatment =
            Treatment { settings: settings.clone(), stem: stem.clone(), width, mark, is_filed };
        let treatment = Arc::new(treatment);
        let upload = incoming.path(UPLOAD);
        let (_, received) = blocking(move || original::hash(&upload)).await?;
        let original = original::prepare(&uploads.engine, &incoming, treatment).await?;
        if !details.allow_duplicate {
            let sha256 = original.sha256;
            let same = tenant.read(move |db| sql::same_bytes(db, owner, &sha256)).await?;
            if let Some(media) = same {
                return Ok(Outcome::Duplicate(media));
            }
        }
        let rendered = render(&uploads, &incoming, &settings, &original).await?;
        let told_tags = match settings.words_from_files {
            true => told::fill_in(&mut details, &original.metadata),
            false => Vec::new(),
        };
        let incoming = Arc::into_inner(incoming)
            .ok_or_else(|| Error::internal("the incoming files are still in use"))?;
        let created_at = Clock::now();
        let files = landing::files(&incoming, &original, &rendered);
        let visibility = details.visibility.unwrap_or(settings.default_visibility);
        let item = landing::Item {
            id: &id,
            created_at,
            kind: original.content.kind().as_str(),
            stem: &stem,
            bytes: landing::bytes(&original, &rendered),
            largest: original.bytes.max(original.source.as_ref().map_or(0, |s| s.bytes)),
            sha256: original.sha256,
            original_bytes: original.bytes,
            visibility,
            files,
        };
        let landing::Placed { landed, shared } = landing::land(&tenant, incoming, item).await?;
        let secret = Secret::random("")?;
        let filename = filename.with_extension(original.content.extension());
        let new = NewMedia {
            public_id: id,
            owner,
            title: details.title,
            description: details.description,
            filename,
            storage: landed.storage(),
            folder: landed.folder().clone(),
            shared,
            original,
            rendered,
            nsfw: details.nsfw,
            visibility,
            album: None,
            delete_hash: secret.hash(),
            created_at,
            expires_at: details.expires_in_ms.map(|ms| created_at.plus_ms(ms)),
            tags: details.tags,
            told_tags,
            received: width.is_none().then_some(received),
            dav_name: details.dav_name,
        };
        let rules = Rules {
            allow_duplicate: details.allow_duplicate,
            album: details.album,
            allowance: tenant.allowance(),
            role,
            settings,
            tool: uploads.tool.clone(),
        };
        let stored = tenant.write(move |db| insert(db, new, &rules)).await;
        if let Ok(Stored::New(media)) = &stored {
            if media.kind == Kind::Video {
                jobs::wake(&tenant, jobs::Kind::Transcode).await?;
            }
            forget::begin(&tenant, media.visibility != visibility).await?;
        }
        settle(&tenant, landed, stored, secret).await
    }
}

enum Stored {
    New(Media),
    Known(Media),
}

/// What is asked once more when the item is written.
struct Rules {
    allow_duplicate: bool,
    album: Option<PublicId>,
    allowance: Allowance,
    role: Role,
    settings: Settings,
    tool: av::Tool,
}

fn insert(
    db: &crate::db::Write<crate::tenancy::Site>,
    mut new: NewMedia,
    rules: &Rules,
) -> Result<Stored> {
    // Asked again inside the transaction: two uploads of one file may have raced to this point.
    let (sha256, allowance) = (new.original.sha256, &rules.allowance);
    if !rules.allow_duplicate
        && let Some(known) = sql::same_bytes(db, new.owner, &sha256)?
    {
        return Ok(Stored::Known(known));
    }
    blocklist::check_upload(db, &sha256, new.rendered.looks, rules.settings.blocklist_distance)?;
    landing::check_shared(db, new.storage, new.shared.as_ref())?;
    let bytes = landing::bytes(&new.original, &new.rendered);
    let made = new.rendered.all().count() as u64;
    allowance.check_in(db, Limit::MaxFiles, 1)?;
    allowance.check_in(db, Limit::MaxBytesStored, bytes)?;
    Quota::of(db, &rules.settings, new.owner, rules.role)?.check(1, bytes)?;
    allowance.check_in(db, Limit::MaxVariantsRenderedMonth, made)?;
    allowance.check(Limit::MaxTagsPerItem, new.tags.len() as u64, 0)?;
    new.album = rules.album.as_ref().map(|id| albums::place(db, id, new.owner)).transpose()?;
    let tags = usage::used(db, Limit::MaxTags)?;
    new.told_tags = told::tags_that_fit(db, allowance, new.told_tags)?;
    sql::insert(db, &new)?;
    let film = (&new.public_id, new.owner, new.original.content.kind());
    transcode::enqueue(db, &rules.settings, &rules.tool, film)?;
    allowance.check_growth(db, Limit::MaxTags, tags)?;
    usage::count_rendered(db, made)?;
    let media = sql::get(db, &new.public_id)?;
    let media = media.ok_or_else(|| Error::internal("the row just written is not there"))?;
    // Its album may hide it, and its files lie where what was asked for let them.
    forget::note_change(db, new.visibility, &media)?;
    Ok(Stored::New(media))
}

/// The files stay if their row was committed, and go if it certainly was not.
async fn settle(
    tenant: &Arc<Tenant>,
    landed: Landed,
    stored: Result<Stored>,
    secret: Secret,
) -> Result<Outcome> {
    match stored {
        Ok(Stored::New(media)) => {
            blocking(move || {
                landed.confirm();
                Ok(Outcome::Created(media, secret))
            })
            .await
        }
        Ok(Stored::Known(media)) => {
            landing::undo(tenant, landed).await?;
            Ok(Outcome::Duplicate(media))
        }
        Err(error) => {
            landing::undo(tenant, landed).await?;
            Err(error)
        }
    }
}

/// Makes the site's variants, written and synced among the incoming files.
async fn render(
    uploads: &Uploads,
    incoming: &Arc<Incoming>,
    settings: &Settings,
    original: &Original,
) -> Result<Rendered> {
    let file = original.file.clone();
    let probe = match &original.content {
        Content::Film(probe) => {
            return poster::first(uploads, incoming, settings, &file, probe).await;
        }
        Content::Picture(probe) => (**probe).clone(),
    };
    let (files, specs) = (incoming.clone(), settings.variant_specs());
    let rendered = uploads.engine.render(incoming.path(&file), probe, specs).await?;
    blocking(move || landing::variants(rendered, &file, "", |name, bytes| files.write(name, bytes)))
        .await
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let span = tracing::Span::current();
    tokio::task::spawn_blocking(move || span.in_scope(work)).await?
}
