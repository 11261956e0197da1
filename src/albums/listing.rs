//! Finding albums, and what stands for each.

use super::{
    Album,
    sql::{self, Filter},
};
use crate::{
    accounts::{Actor, Role, users},
    base::{
        Error, Result,
        ids::PublicId,
        page::{Ask, Page},
    },
    media::{self, Media, listing::Whose},
    tenancy::Tenant,
};

/// Which albums are asked for.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub whose: Whose,
    pub place: Place,
}

/// Where they lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Anywhere,
    /// In no other album.
    Outermost,
    In(PublicId),
}

impl Wanted {
    /// `parent` is the id of an album, or `none`.
    ///
    /// # Errors
    /// `Invalid` for what can be no album, and for what cannot be asked together.
    pub fn parse(owner: Option<&str>, parent: Option<&str>) -> Result<Self> {
        let place = match parent {
            None => Place::Anywhere,
            Some("none") => Place::Outermost,
            Some(id) => Place::In(PublicId::parse(id).ok_or_else(|| {
                Error::invalid("parent", "must be the id of an album, or `none`")
            })?),
        };
        if owner.is_some() && matches!(place, Place::In(_)) {
            return Err(Error::invalid("parent", "cannot be combined with `owner`"));
        }
        Ok(Self { whose: Whose::parse(owner), place })
    }
}

/// One album.
///
/// # Errors
/// `NotFound` where the actor may not know of it.
pub async fn find(tenant: &Tenant, actor: &Actor, id: &str) -> Result<Album> {
    let id = PublicId::parse(id).ok_or(Error::NotFound("album"))?;
    let album = tenant.read(move |db| sql::get(db, &id)).await?;
    let album = album.ok_or(Error::NotFound("album"))?;
    album.check_see(actor)?;
    Ok(album)
}

/// A page of albums, newest first.
pub async fn list(tenant: &Tenant, actor: &Actor, wanted: Wanted, ask: Ask) -> Result<Page<Album>> {
    let actor = actor.clone();
    tenant
        .read(move |db| {
            let outermost = wanted.place == Place::Outermost;
            if let Place::In(id) = &wanted.place {
                let parent = sql::get(db, id)?.ok_or(Error::NotFound("album"))?;
                parent.check_see(&actor)?;
                let filter = Filter::In(parent.id, parent.may_edit(&actor));
                return sql::list(db, filter, false, &ask);
            }
            let filter = match (wanted.whose, actor.user()) {
                (Whose::Visible, None) => Filter::Public,
                (Whose::Visible, Some(user)) => Filter::PublicOr(user.id),
                (Whose::Mine, Some(user)) => Filter::Of(user.id),
                (Whose::Mine, None) => return Err(Error::Unauthenticated),
                (Whose::Of(name), _) => {
                    let owner = users::find_in(db, &name)?.id;
                    match actor.is(owner) || actor.has_role(Role::Manager) {
                        true => Filter::Of(owner),
                        false => Filter::PublicOf(owner),
                    }
                }
            };
            sql::list(db, filter, outermost, &ask)
        })
        .await
}

/// The item that stands for an album: the one that was chosen, or else the newest in it. Only one
/// that the actor finds there.
pub async fn cover(tenant: &Tenant, actor: &Actor, album: &Album) -> Result<Option<Media>> {
    let all = album.may_edit(actor);
    if let Some(id) = &album.cover
        && let Ok(media) = media::listing::find(tenant, actor, id.as_str()).await
        && media.stands_for(&album.public_id, all)
    {
        return Ok(Some(media));
    }
    media::listing::newest_in(tenant, album.id, all).await
}
