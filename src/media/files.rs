//! `/f/{id}/{file}`: the bytes themselves, ranged and cached, and signed where they are private.

use super::{
    hot::Hot,
    renderings,
    shape::{self, Shape},
    sign,
    sql::{self, FileRow},
    upload::Uploads,
};
use crate::{
    accounts::caller,
    base::{Clock, Error, Result, clock::Millis, ids::PublicId, visibility::Visibility},
    http::{
        Client, Problem,
        disposition::{Disposition, content_disposition},
        range::{Entity, Source, respond},
    },
    imaging::{Format, Output},
    tenancy::Tenant,
};
use bytes::Bytes;
use futures_util::StreamExt;
use poem::{
    Request, Response, handler,
    http::{HeaderValue, Method, StatusCode, header},
    web::{Data, Path, Query},
};
use serde::Deserialize;
use std::{ops::Range, sync::Arc};

const A_YEAR_S: i64 = 31_536_000;

#[derive(Deserialize)]
struct Asked {
    /// Present: as an attachment.
    download: Option<String>,
    expires: Option<String>,
    signature: Option<String>,
    /// Present: in another size.
    #[serde(flatten)]
    shape: shape::Asked,
}

/// `GET` and `HEAD` of a file.
#[handler]
pub(crate) async fn file(
    req: &Request,
    Path((id, file)): Path<(String, String)>,
    Query(asked): Query<Asked>,
    tenant: Data<&Arc<Tenant>>,
    client: Data<&Client>,
    uploads: Data<&Arc<Uploads>>,
    hot: Data<&Arc<Hot>>,
) -> Result<Response, Problem> {
    if !matches!(*req.method(), Method::GET | Method::HEAD) {
        let allow = Response::builder().status(StatusCode::METHOD_NOT_ALLOWED);
        return Ok(allow.header(header::ALLOW, "GET, HEAD").finish());
    }
    let wanted = Wanted { tenant: &tenant, client: &client, hot: &hot, id: &id, file: &file };
    let shape = asked.shape.verified(&tenant, &id)?;
    let (mut row, until) = match wanted.find(req, &asked).await {
        Err(missing @ Error::NotFound(_)) => {
            return wanted.moved(req, &asked).await?.ok_or(missing.into());
        }
        found => found?,
    };
    if let Some(shape) = shape {
        let shape = negotiated(shape, req);
        row = renderings::find_or_make(&tenant, &uploads, &id, &row, shape).await?.into();
    }
    let entity = entity(&row, until, asked.download.is_some());
    let answer =
        respond(req.method(), req.headers(), &entity, |range| source(&hot, &tenant, &row, range));
    let mut answer = answer.await?;
    if shape.is_some_and(|shape| shape.output == Output::Auto) {
        answer.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    }
    if *req.method() == Method::GET && answer.status().is_success() {
        let length = answer.headers().get(header::CONTENT_LENGTH);
        let bytes = length.and_then(|v| v.to_str().ok()?.parse().ok()).unwrap_or(0);
        tenant.serve(bytes)?;
    }
    Ok(answer)
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
async fn source(hot: &Hot, tenant: &Tenant, row: &FileRow, range: Range<u64>) -> Result<Source> {
    match hot.bytes(tenant, row).await? {
        Some(bytes) => Ok(Source::Memory(within(&bytes, &range))),
        None => {
            let pieces = tenant.store().pieces(&row.folder, &row.file, range).await?;
            Ok(Source::Pieces(pieces.boxed()))
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
    tenant: &'a Tenant,
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
        let actor = if open {
            // Who asks makes no difference, so nobody is asked who they are.
            crate::accounts::Actor::Guest
        } else {
            caller::identify(self.tenant, self.client, req.method(), req.headers()).await?
        };
        actor.need_scope(crate::accounts::Scope::MediaRead)?;
        row.facts.check_see(&actor)?;
        Ok((row, None))
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
    let is_document = Format::from_mime(&row.mime).is_some_and(Format::is_document);
    let kind = if download || is_document { Disposition::Attachment } else { Disposition::Inline };
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
    if !listed || until.is_some() {
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
