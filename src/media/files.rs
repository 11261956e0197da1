//! `/f/{id}/{file}`: the bytes themselves, ranged and cached, and signed where they are private.

use super::{
    elsewhere, hls,
    hot::Hot,
    renderings,
    shape::{self, Shape},
    shelf::Shelved,
    sign,
    sql::{self, FileRow},
    upload::Uploads,
};
use crate::{
    accounts::{Actor, caller},
    base::{Clock, Error, Result, clock::Millis, ids::PublicId, visibility::Visibility},
    http::{
        Client, Problem,
        disposition::{Disposition, content_disposition},
        range::{Entity, Source, respond},
    },
    imaging::{Format, Output},
    site::storages,
    storage::Store,
    tenancy::Tenant,
};
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use poem::{
    Request, Response,
    http::{HeaderValue, Method, StatusCode, header},
};
use serde::Deserialize;
use std::{borrow::Cow, ops::Range, sync::Arc};

const A_YEAR_S: i64 = 31_536_000;

#[derive(Default, Deserialize)]
pub(super) struct Asked {
    /// Present: as an attachment.
    pub download: Option<String>,
    expires: Option<String>,
    signature: Option<String>,
    /// Present: in another size.
    #[serde(flatten)]
    shape: shape::Asked,
}

/// Hands out files: everything below `/f/`. Nearly all requests are for these, so they take the
/// straight way, past all routes and extractors.
#[derive(Clone)]
pub struct Files {
    pub hot: Arc<Hot>,
    pub uploads: Arc<Uploads>,
}

impl Files {
    /// Whether this is the one to answer what is asked for.
    pub fn are_asked_for(path: &str) -> bool {
        path.strip_prefix("/f").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// `GET` and `HEAD` of a file of this site.
    ///
    /// # Errors
    /// Those of finding it, of whoever may not have it, and of reading it.
    pub async fn answer(
        &self,
        req: &Request,
        tenant: &Arc<Tenant>,
        client: &Client,
    ) -> Result<Response, Problem> {
        let (id, file) = named(req.uri().path()).ok_or(Error::NotFound("file"))?;
        if !matches!(*req.method(), Method::GET | Method::HEAD) {
            let allow = Response::builder().status(StatusCode::METHOD_NOT_ALLOWED);
            return Ok(allow.header(header::ALLOW, "GET, HEAD").finish());
        }
        let asked = Asked::of(req)?;
        let wanted = Wanted { tenant, client, hot: &self.hot, id: &id, file: &file };
        let shape = asked.shape.verified(tenant, &id)?;
        let (mut row, until) = match wanted.find(req, &asked).await {
            Err(missing @ Error::NotFound(_)) => {
                return wanted.moved(req, &asked).await?.ok_or(missing.into());
            }
            found => found?,
        };
        if let Some(shape) = shape {
            let shape = negotiated(shape, req);
            let made = renderings::find_or_make(tenant, &self.uploads, &id, &row, shape);
            row = self.hot.shaped(tenant, (&id, &file, shape), made).await?;
        }
        if let (hls::MIME, Some(until)) = (&*row.mime, until) {
            return wanted.signed_playlist(&row, until).await;
        }
        if let Some(elsewhere) = elsewhere::find(tenant, &row, &asked).await? {
            return Ok(elsewhere);
        }
        let entity = entity(&row, until, asked.download.is_some());
        let source = |range| source(&self.hot, tenant, &row, range);
        let mut answer = respond(req.method(), req.headers(), &entity, source).await?;
        if shape.is_some_and(|shape| shape.output == Output::Auto) {
            answer.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
        }
        count(req, tenant, &answer)?;
        Ok(answer)
    }
}

/// How long a file as its owner has it may be kept elsewhere: only for them, and never unasked.
const OWN: &str = "private, no-cache";

impl Files {
    /// `GET` and `HEAD` of an item's file as its owner has it.
    ///
    /// # Errors
    /// Those of finding it, of whoever is not its owner, and of reading it.
    pub async fn own(
        &self,
        req: &Request,
        tenant: &Arc<Tenant>,
        actor: &Actor,
        shelved: &Shelved,
    ) -> Result<Response> {
        let row = self.hot.row(tenant, &shelved.id, &shelved.file).await?;
        let row = row.filter(|row| row.facts.may_edit(actor)).ok_or(Error::NotFound("file"))?;
        let entity = Entity { cache_control: OWN.to_owned(), ..entity(&row, None, false) };
        let source = |range| source(&self.hot, tenant, &row, range);
        let answer = respond(req.method(), req.headers(), &entity, source).await?;
        count(req, tenant, &answer)?;
        Ok(answer)
    }
}

/// Bytes that go out count for the site.
fn count(req: &Request, tenant: &Tenant, answer: &Response) -> Result<()> {
    if *req.method() == Method::GET && answer.status().is_success() {
        let length = answer.headers().get(header::CONTENT_LENGTH);
        tenant.serve(length.and_then(|v| v.to_str().ok()?.parse().ok()).unwrap_or(0))?;
    }
    Ok(())
}

/// The item and the file in `/f/{id}/{file}`.
fn named(path: &str) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    let (id, file) = path.strip_prefix("/f/")?.split_once('/')?;
    if file.contains('/') {
        return None;
    }
    let plain = |part| percent_decode_str(part).decode_utf8().ok().filter(|part| !part.is_empty());
    Some((plain(id)?, plain(file)?))
}

impl Asked {
    fn of(req: &Request) -> Result<Self> {
        // Nearly all ask for nothing more than the file.
        if req.uri().query().is_none() {
            return Ok(Self::default());
        }
        req.params().map_err(|e| Error::Malformed(e.to_string()))
    }
}

/// Larger pictures take too long to be made as AVIF while somebody waits.
const AVIF_SIDE: u32 = 640;

/// The format, where the address leaves it open: AVIF for small pictures, or else WebP, for
/// clients that ask for them by name.
fn negotiated(shape: Shape, req: &Request) -> Shape {
    let accepted = req.header(header::ACCEPT).unwrap_or_default();
    let is_small = shape.width.max(shape.height).is_some_and(|side| side <= AVIF_SIDE);
    let usable = [(Output::Avif, Format::Avif, is_small), (Output::Webp, Format::Webp, true)];
    let found = usable.into_iter().find(|(output, format, may)| {
        *may && output.check().is_ok() && accepted.contains(format.mime())
    });
    match found {
        Some((output, ..)) if shape.output == Output::Auto => Shape { output, ..shape },
        _ => shape,
    }
}

/// A range of a file's bytes, from memory where they are kept there.
async fn source(
    hot: &Hot,
    tenant: &Arc<Tenant>,
    row: &FileRow,
    range: Range<u64>,
) -> Result<Source> {
    match hot.bytes(tenant, row).await? {
        Some(bytes) => Ok(Source::Memory(within(&bytes, &range))),
        None => {
            let (folder, file) = (&row.place.folder, &row.place.file);
            let pieces = match storages::open(tenant, row.place.storage).await? {
                Store::Disk(disk) => disk.pieces(folder, file, range).await?,
                Store::Remote(remote) => remote.pieces(folder, file, range).await?,
            };
            Ok(Source::Pieces(pieces))
        }
    }
}

/// The bytes of a range, as far as there are any.
fn within(bytes: &Bytes, range: &Range<u64>) -> Bytes {
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    let start = place(range.start);
    bytes.slice(start..place(range.end).max(start))
}

struct Wanted<'a> {
    tenant: &'a Arc<Tenant>,
    client: &'a Client,
    hot: &'a Hot,
    id: &'a str,
    file: &'a str,
}

impl Wanted<'_> {
    /// The file, and until when this address is good, if it is a signed one. A signature is
    /// judged first, so that a wrong one says nothing about what exists.
    async fn find(&self, req: &Request, asked: &Asked) -> Result<(Arc<FileRow>, Option<Millis>)> {
        let until = match &asked.signature {
            Some(signature) => {
                let expires = asked.expires.as_deref();
                Some(sign::verify(self.tenant, self.id, self.file, expires, signature)?)
            }
            None => None,
        };
        let missing = Error::NotFound("file");
        let Some(id) = PublicId::parse(self.id) else { return Err(missing) };
        let row = self.hot.row(self.tenant, &id, self.file).await?.ok_or(missing)?;
        if until.is_some() && row.facts.trashed_at.is_none() {
            return if row.facts.is_expired() {
                Err(Error::Gone("media"))
            } else {
                Ok((row, until))
            };
        }
        let open = row.facts.visibility != Visibility::Private && row.facts.trashed_at.is_none();
        let actor = if open && !row.is_source {
            // Who asks makes no difference, so nobody is asked who they are.
            Actor::Guest
        } else {
            caller::identify(self.tenant, self.client, req.method(), req.headers()).await?
        };
        actor.need_scope(crate::accounts::Scope::MediaRead)?;
        row.facts.check_see(&actor)?;
        if row.is_source && !row.facts.may_edit(&actor) {
            return Err(Error::NotFound("file"));
        }
        Ok((row, None))
    }

    /// The playlist behind a signed address: what it names has signed addresses too, until then.
    async fn signed_playlist(&self, row: &FileRow, until: Millis) -> Result<Response, Problem> {
        if row.bytes > hls::LARGEST {
            return Err(Error::NotFound("file").into());
        }
        let length = usize::try_from(row.bytes).unwrap_or(usize::MAX);
        let (folder, file) = (&row.place.folder, &row.place.file);
        let list = match storages::open(self.tenant, row.place.storage).await? {
            Store::Disk(disk) => disk.whole(folder, file, length).await?,
            Store::Remote(remote) => remote.whole(folder, file, length).await?,
        };
        let sign =
            |file: &str| format!("{file}?{}", sign::query(self.tenant, self.id, file, until));
        let text = hls::signed(&String::from_utf8_lossy(&list), sign);
        self.tenant.serve(text.len() as u64)?;
        let answer = Response::builder().content_type(hls::MIME);
        Ok(answer.header(header::CACHE_CONTROL, "private, no-cache").body(text))
    }

    /// Where a variant is now that was made anew since somebody wrote its address down.
    async fn moved(&self, req: &Request, asked: &Asked) -> Result<Option<Response>> {
        let Some(name) = variant_of(self.file) else { return Ok(None) };
        let Some(id) = PublicId::parse(self.id) else { return Ok(None) };
        let (name, of) = (name.to_owned(), id.clone());
        let now =
            self.tenant.read(move |db| sql::regeneration::variant_file(db, &of, &name)).await?;
        let Some(now) = now.filter(|now| now != self.file) else { return Ok(None) };
        // Whoever may not see it is told nothing about it either.
        Wanted { file: &now, ..*self }.find(req, asked).await?;
        let answer = Response::builder().status(StatusCode::FOUND);
        let answer = answer.header(header::LOCATION, format!("/f/{id}/{now}"));
        Ok(Some(answer.header(header::CACHE_CONTROL, "no-cache").finish()))
    }
}

/// The name of the variant in the name of its file: `thumb` in `beach.thumb-68f1.jpg`.
fn variant_of(named: &str) -> Option<&str> {
    let (stem, _) = named.rsplit_once('.')?;
    let (_, name) = stem.rsplit_once('.')?;
    Some(name.split_once('-').map_or(name, |(name, _)| name))
}

fn entity(row: &FileRow, until: Option<Millis>, download: bool) -> Entity {
    // What was uploaded is handed back as it came, and shown by nobody; nor is what may act.
    let is_document = Format::from_mime(&row.mime).is_some_and(Format::is_document);
    let is_attached = download || row.is_source || is_document;
    let kind = if is_attached { Disposition::Attachment } else { Disposition::Inline };
    Entity {
        // The bytes of a folder never change, and a folder is never used twice.
        etag: format!("\"{}-{:x}\"", row.file_tag(), row.bytes),
        modified: row.created_at.system_time(),
        length: row.bytes,
        mime: row.mime.clone(),
        cache_control: cache_control(row, until),
        disposition: Some(content_disposition(kind, &row.download_name)),
    }
}

fn cache_control(row: &FileRow, until: Option<Millis>) -> String {
    let listed = row.facts.visibility == Visibility::Public && row.facts.trashed_at.is_none();
    if !listed || until.is_some() || row.is_source {
        return "private, no-cache".to_owned();
    }
    match row.facts.expires_at {
        None => format!("public, max-age={A_YEAR_S}, immutable"),
        Some(at) => {
            let left_s = (at.0 - Clock::now().0).max(0) / 1000;
            format!("public, max-age={}", left_s.min(A_YEAR_S))
        }
    }
}
