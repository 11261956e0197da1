//! Files that anybody could fetch from a storage's public address get new keys, which nobody
//! knows, once their item is not for everybody any more.

use super::{Media, moving, sql};
use crate::{
    base::{Error, Result, ids::PublicId, visibility::Visibility},
    db::Write,
    jobs::{self, Kind, NewJob, Run, Step},
    site::storages::{Storage, by_id},
    storage::LOCAL,
    tenancy::Site,
};

/// Notes that an item has just become one that only its keepers see. Whether a job gives its files
/// new keys then, which is to be [begun](super::forget::begin) after the
/// commit.
pub(super) fn note(db: &Write<Site>, media: &Media) -> Result<bool> {
    if media.storage == LOCAL {
        return Ok(false);
    }
    let storage = by_id(db, media.storage)?;
    if storage.is_none_or(|storage| storage.public_url.is_none()) {
        return Ok(false);
    }
    let id = &media.public_id;
    let new = NewJob::new(Kind::HideMedia).payload(&id.as_str())?.media(id.clone());
    jobs::enqueue(db, &new.owner(media.owner.id).once(id.as_str()).attempts(10))?;
    Ok(true)
}

/// Whether the item's bytes must be nobody else's and lie where nobody can guess.
pub(super) fn is_apart(visibility: Visibility, storage: &Storage) -> bool {
    visibility == Visibility::Private && storage.public_url.is_some()
}

/// Whether only its keepers see it.
pub(super) fn is_hidden(media: &Media) -> bool {
    media.visibility == Visibility::Private || media.trashed_at.is_some()
}

/// Gives the files of an item new keys.
pub async fn run(run: &Run) -> Result<Step> {
    let id: String = run.payload()?;
    let Some(id) = PublicId::parse(&id) else { return Ok(Step::Done) };
    let media = run.tenant.read(move |db| sql::get(db, &id)).await?;
    // It may be gone since, or be for everybody again.
    let Some(media) = media.filter(is_hidden) else { return Ok(Step::Done) };
    match moving::renew(&run.tenant, media).await {
        Ok(()) | Err(Error::NotFound("media")) => Ok(Step::Done),
        Err(error) => Err(error),
    }
}
