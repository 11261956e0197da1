//! Throwing away, fetching back, and removing for good.

use super::{Media, sql};
use crate::{
    accounts::Actor,
    base::{Clock, Error, Result, ids::PublicId, secret::Secret},
    tenancy::Tenant,
};
use std::sync::Arc;

/// Puts an item into the trash; one that lies there already stays.
pub async fn trash(tenant: &Tenant, actor: &Actor, id: &str) -> Result<()> {
    let (id, actor) = (parse(id)?, actor.clone());
    tenant
        .write(move |db| {
            let media = sql::get(db, &id)?.ok_or(Error::NotFound("media"))?;
            media.facts().check_edit(&actor)?;
            if media.trashed_at.is_none() {
                sql::set_trashed(db, media.id, Some(Clock::now()))?;
            }
            Ok(())
        })
        .await
}

/// [`trash`] for whoever holds the item's delete link.
///
/// # Errors
/// `BadSignature` where the key is not this item's.
pub async fn trash_with_key(tenant: &Tenant, id: &str, key: &Secret) -> Result<()> {
    let (id, claimed) = (parse(id)?, key.hash());
    tenant
        .write(move |db| {
            let media = sql::get(db, &id)?.filter(|m| m.delete_hash == claimed);
            let media = media.ok_or(Error::BadSignature)?;
            if media.trashed_at.is_none() {
                sql::set_trashed(db, media.id, Some(Clock::now()))?;
            }
            Ok(())
        })
        .await
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
    tenant
        .write(move |db| {
            let media = sql::get(db, &id)?.ok_or(Error::NotFound("media"))?;
            media.facts().check_edit(&actor)?;
            sql::removals::purge(db, media.id)
        })
        .await?;
    super::removals::run(tenant).await
}

fn parse(id: &str) -> Result<PublicId> {
    PublicId::parse(id).ok_or(Error::NotFound("media"))
}
