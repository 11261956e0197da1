//! Telling a content delivery network that addresses show nothing any more.

use super::{Media, hiding, sql};
use crate::{
    base::{Error, Result, ids::PublicId, visibility::Visibility},
    db::Write,
    jobs::{self, Kind, NewJob, Run, Step},
    outward::Fetcher,
    site::storages::{Delivery, by_id},
    storage::LOCAL,
    tenancy::{Site, Tenant},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Serialize, Deserialize)]
struct Payload {
    tell: String,
    urls: Vec<String>,
}

/// Has the jobs begun that [`note`] and [`hiding::note`] made, where they did.
pub async fn begin(tenant: &Tenant, is_noted: bool) -> Result<()> {
    if !is_noted {
        return Ok(());
    }
    jobs::wake(tenant, Kind::PurgeCache).await?;
    jobs::wake(tenant, Kind::HideMedia).await
}

/// Notes that an item is not for everybody any more. Whether anybody is to be told; a job does it
/// then, which is to be [begun](begin) after the commit.
pub(super) fn note(db: &Write<Site>, media: &Media) -> Result<bool> {
    if media.storage == LOCAL {
        return Ok(false);
    }
    let Some(storage) = by_id(db, media.storage)? else { return Ok(false) };
    let (Delivery::Public, Some(base), Some(tell)) =
        (storage.delivery, &storage.public_url, storage.purge_url)
    else {
        return Ok(false);
    };
    let prefix = storage.place.prefix.as_deref().unwrap_or_default().trim_matches('/');
    let place = media.place();
    let files = media.variants.iter().map(|v| (&media.folder, &*v.file));
    let files = files.chain([(&place.folder, &*place.file)]);
    let urls = files.map(|(folder, file)| {
        let key = folder.key(file);
        if prefix.is_empty() { format!("{base}/{key}") } else { format!("{base}/{prefix}/{key}") }
    });
    let payload = Payload { tell, urls: urls.collect() };
    let new = NewJob::new(Kind::PurgeCache).payload(&payload)?.media(media.public_id.clone());
    jobs::enqueue(db, &new.owner(media.owner.id).attempts(10))?;
    Ok(true)
}

/// [`note`] for those of these items that are not for everybody any more.
pub fn note_hidden(db: &Write<Site>, items: &[PublicId]) -> Result<bool> {
    let mut is_noted = false;
    for id in items {
        let Some(media) = sql::get(db, id)? else { continue };
        is_noted |= note_change(db, Visibility::Public, &media)?;
    }
    Ok(is_noted)
}

/// Notes all that follows where an item is harder to see than it was before. Whether [`begin`] has
/// something to do then.
pub(super) fn note_change(db: &Write<Site>, before: Visibility, media: &Media) -> Result<bool> {
    if media.visibility == before {
        return Ok(false);
    }
    let is_told = before == Visibility::Public && note(db, media)?;
    Ok(is_told | (media.visibility == Visibility::Private && hiding::note(db, media)?))
}

/// Tells.
pub async fn run(run: &Run, fetcher: &Fetcher) -> Result<Step> {
    let Payload { tell, urls } = run.payload()?;
    let sent = fetcher.post(&tell, &json!({ "urls": urls })).await;
    sent.map(|()| Step::Done).map_err(|error| match error {
        // Somebody may mend it: it is tried again.
        Error::Fetch { .. } => Error::Unavailable("the address to tell does not take it"),
        other => other,
    })
}
