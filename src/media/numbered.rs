//! A person's own items in pages that have numbers, for clients that know no cursors. A number
//! means something else as soon as an item comes or goes; our own lists are in `listing.rs`.

use super::{Media, sql::numbered};
use crate::{
    accounts::Actor,
    base::{Error, Result},
    tenancy::Tenant,
};

/// How many items a page has.
pub const PER_PAGE: u32 = 40;
/// The last page there may be: counting up to it takes a while.
const LAST: u32 = 10_000;

pub struct Numbered {
    pub items: Vec<Media>,
    pub total: u64,
}

/// The page of that number; the first one is 1.
///
/// # Errors
/// `Unauthenticated` for guests, who have none; `Invalid` for a number that no page has.
pub async fn mine(tenant: &Tenant, actor: &Actor, page: u32) -> Result<Numbered> {
    let owner = actor.user().ok_or(Error::Unauthenticated)?.id;
    if !(1..=LAST).contains(&page) {
        return Err(Error::invalid("page", format!("must be a number from 1 to {LAST}")));
    }
    let skip = (page - 1) * PER_PAGE;
    tenant
        .read(move |db| {
            let (total, _) = numbered::total(db, owner)?;
            Ok(Numbered { items: numbered::page(db, owner, PER_PAGE, skip)?, total })
        })
        .await
}

/// How many items the actor has, and how many bytes their originals.
pub async fn total(tenant: &Tenant, actor: &Actor) -> Result<(u64, u64)> {
    let owner = actor.user().ok_or(Error::Unauthenticated)?.id;
    tenant.read(move |db| numbered::total(db, owner)).await
}
