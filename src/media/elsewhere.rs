//! Files that are fetched from their storage instead of from this server: who may do so was judged
//! before.

use super::{files::Asked, hls, sql::FileRow};
use crate::{
    base::{Result, visibility::Visibility},
    imaging::Format,
    site::storages::{self, Delivery, by_id},
    storage::{LOCAL, Store},
    tenancy::Tenant,
};
use poem::{
    Response,
    http::{HeaderValue, StatusCode, header},
};
use std::sync::Arc;

/// How long browsers may keep to a signed address, in seconds: less than it is good.
const SIGNED_FOR_S: u32 = 600;
/// The same for one that does not end; it may still change.
const PUBLIC_FOR_S: u32 = 3_600;

/// The way to the storage, where the file is to be fetched there.
///
/// # Errors
/// `Unavailable` where the storage does not sign.
pub(super) async fn find(
    tenant: &Arc<Tenant>,
    row: &FileRow,
    asked: &Asked,
) -> Result<Option<Response>> {
    // What must be saved and not shown is dressed so only by us.
    let is_document = Format::from_mime(&row.mime).is_some_and(Format::is_document);
    // What these name is found beside them.
    let is_list = matches!(&*row.mime, hls::MIME | "text/vtt");
    let is_ours = is_document || is_list || row.is_source || asked.download.is_some();
    if row.place.storage == LOCAL || is_ours {
        return Ok(None);
    }
    let id = row.place.storage;
    let Some(storage) = tenant.read(move |db| by_id(db, id)).await? else { return Ok(None) };
    let is_listed = row.facts.visibility == Visibility::Public && row.facts.trashed_at.is_none();
    let (folder, file) = (&row.place.folder, &row.place.file);
    if storage.delivery == Delivery::Proxy {
        return Ok(None);
    }
    let Store::Remote(remote) = storages::open_known(tenant, &storage).await? else {
        return Ok(None);
    };
    let (url, cache) = match (storage.delivery, &storage.public_url) {
        (Delivery::Public, Some(base)) if is_listed && row.facts.expires_at.is_none() => {
            let url = format!("{base}/{}", remote.key(folder, file));
            (Some(url), format!("public, max-age={PUBLIC_FOR_S}"))
        }
        (Delivery::Redirect, _) => {
            (remote.signed(folder, file).await?, format!("private, max-age={SIGNED_FOR_S}"))
        }
        _ => (None, String::new()),
    };
    let Some(url) = url else { return Ok(None) };
    tenant.serve(row.bytes)?;
    let location = HeaderValue::from_str(&url).map_err(crate::base::Error::internal)?;
    let answer = Response::builder().status(StatusCode::FOUND).header(header::LOCATION, location);
    Ok(Some(answer.header(header::CACHE_CONTROL, cache).finish()))
}
