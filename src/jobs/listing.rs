//! Jobs as people see them: one, or a page of them, newest first.

use super::{Job, Kind, State, sees_all, sql};
use crate::{
    accounts::Actor,
    base::{
        Error, Result,
        ids::{PublicId, UserId},
        page::{Ask, Page},
    },
    db::Read,
    tenancy::{Site, Tenant},
};

/// Which jobs a list holds.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub state: Option<State>,
    pub kind: Option<Kind>,
    pub(super) owner: Option<UserId>,
}

/// One job.
///
/// # Errors
/// `NotFound` where the actor may not know of it.
pub async fn find(tenant: &Tenant, actor: &Actor, id: &str) -> Result<Job> {
    let id = PublicId::parse(id).ok_or(Error::NotFound("job"))?;
    let job = tenant.read(move |db| get(db, &id)).await?;
    let job = job.ok_or(Error::NotFound("job"))?;
    job.check_see(actor)?;
    Ok(job)
}

/// A page of the jobs that the actor may see.
///
/// # Errors
/// `Unauthenticated` for a guest.
pub async fn list(
    tenant: &Tenant,
    actor: &Actor,
    mut filter: Filter,
    ask: Ask,
) -> Result<Page<Job>> {
    let user = actor.user().ok_or(Error::Unauthenticated)?.id;
    filter.owner = (!sees_all(actor)).then_some(user);
    tenant.read(move |db| sql::list(db, &filter, &ask)).await
}

pub(super) fn get(db: &Read<Site>, id: &PublicId) -> Result<Option<Job>> {
    sql::by_public_id(db, id)
}

/// The newest job of a kind, whatever came of it.
pub fn last(db: &Read<Site>, kind: Kind) -> Result<Option<Job>> {
    sql::last(db, kind)
}
