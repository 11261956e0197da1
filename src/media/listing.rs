//! Lists: what a given reader may see, newest first.

use super::{
    Media,
    sql::{
        self,
        listing::{Filter, list as read_page},
    },
};
use crate::{
    accounts::{Actor, Role, users},
    base::{
        Error, Result,
        ids::PublicId,
        page::{Ask, Page},
    },
    tenancy::Tenant,
};

/// Whose items are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Everything that the reader may find: what is public, and what is theirs.
    Visible,
    Mine,
    Of(String),
}

impl Whose {
    pub fn parse(owner: Option<&str>) -> Self {
        match owner {
            None => Self::Visible,
            Some("me") => Self::Mine,
            Some(name) => Self::Of(name.trim().to_lowercase()),
        }
    }
}

/// One item.
///
/// # Errors
/// `NotFound` where the actor may not know of it; `Gone` once it has expired.
pub async fn find(tenant: &Tenant, actor: &Actor, id: &str) -> Result<Media> {
    let id = PublicId::parse(id).ok_or(Error::NotFound("media"))?;
    let media = tenant.read(move |db| sql::get(db, &id)).await?;
    let media = media.ok_or(Error::NotFound("media"))?;
    media.facts().check_see(actor)?;
    Ok(media)
}

/// A page of items. The trash is the owner's and the managers'.
pub async fn list(
    tenant: &Tenant,
    actor: &Actor,
    whose: Whose,
    trashed: bool,
    ask: Ask,
) -> Result<Page<Media>> {
    let actor = actor.clone();
    tenant
        .read(move |db| {
            let filter = match (whose, actor.user()) {
                (Whose::Visible, None) if !trashed => Filter::Public,
                (Whose::Visible, Some(user)) if !trashed => Filter::PublicOr(user.id),
                (Whose::Visible | Whose::Mine, Some(user)) => Filter::Of(user.id, trashed),
                (Whose::Visible | Whose::Mine, None) => return Err(Error::Unauthenticated),
                (Whose::Of(name), _) => {
                    let owner = users::find_in(db, &name)?.id;
                    match actor.is(owner) || actor.has_role(Role::Manager) {
                        true => Filter::Of(owner, trashed),
                        false if trashed => {
                            return Err(Error::Forbidden("this trash is not yours"));
                        }
                        false => Filter::PublicOf(owner),
                    }
                }
            };
            read_page(db, filter, &ask)
        })
        .await
}
