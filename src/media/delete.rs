//! Throwing away, fetching back, and removing for good.

use super::{Media, forget, sql};
use crate::{
    accounts::Actor,
    base::{Clock, Error, Result, ids::PublicId, secret::Secret},
    db::Write,
    tenancy::{Site, Tenant},
};
use std::sync::Arc;

/// Puts an item into the trash; one that lies there already stays.
pub async fn trash(tenant: &Tenant, actor: &Actor, id: &str) -> Result<()> {
    let (id, actor) = (parse(id)?, actor.clone());
    let trashing = tenant.write(move |db| {
        let media = sql::get(db, &id)?.ok_or(Error::NotFound("media"))?;
        media.facts().check_edit(&actor)?;
        set_trashed(db, &media)
    });
    forget::begin(tenant, trashing.await?).await
}

/// [`trash`] for whoever holds the item's delete link.
///
/// # Errors
/// `BadSignature` where the key is not this item's.
pub async fn trash_with_key(tenant: &Tenant, id: &str, key: &Secret) -> Result<()> {
    let (id, claimed) = (parse(id)?, key.hash());
    let trashing = tenant.write(move |db| {
        let media = sql::get(db, &id)?.filter(|m| m.delete_hash == claimed);
        set_trashed(db, &media.ok_or(Error::BadSignature)?)
    });
    forget::begin(tenant, trashing.await?).await
}

/// Takes an item out of the trash again.
pub async fn restore(tenant: &Tenant, actor: &Actor, id: &str) -> Result<Media> {
    let (id, actor) = (parse(id)?, actor.clone());
    tenant
        .write(move |db| {
            let media = sql::get(db, &id)?.ok_or(Error::NotFound("media"))?;
            media.facts().check_edit(&actor)?;
            sql::set_trashed(db, media.id, None)?;
            sql::get(db, &id)?.ok_or(Error::NotFound("media"))
        })
        .await
}

/// Removes an item for good, rows and bytes.
pub async fn purge(tenant: &Arc<Tenant>, actor: &Actor, id: &str) -> Result<()> {
    let (id, actor) = (parse(id)?, actor.clone());
    let purging = tenant.write(move |db| {
        let media = sql::get(db, &id)?.ok_or(Error::NotFound("media"))?;
        media.facts().check_edit(&actor)?;
        let is_told = media.trashed_at.is_none() && forget::note(db, &media)?;
        sql::removals::purge(db, media.id)?;
        Ok(is_told)
    });
    forget::begin(tenant, purging.await?).await?;
    super::removals::run(tenant).await
}

/// [`trash`] inside a change that has asked whether the actor may. Whether [`forget::begin`] has
/// something to do then.
pub fn trash_in(db: &Write<Site>, id: &PublicId) -> Result<bool> {
    let media = sql::get(db, id)?.ok_or(Error::NotFound("media"))?;
    set_trashed(db, &media)
}

fn set_trashed(db: &Write<Site>, media: &Media) -> Result<bool> {
    if media.trashed_at.is_some() {
        return Ok(false);
    }
    sql::set_trashed(db, media.id, Some(Clock::now()))?;
    forget::note(db, media)
}

fn parse(id: &str) -> Result<PublicId> {
    PublicId::parse(id).ok_or(Error::NotFound("media"))
}
