//! Lists: what a given reader may see, newest first.

use super::{
    Media, albums,
    sql::{
        self,
        listing::{Filter, list as read_page},
    },
};
use crate::{
    accounts::{Actor, Role, users},
    base::{
        Error, Result,
        ids::{AlbumId, PublicId},
        page::{Ask, Page},
        text::Tag,
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

/// The newest item in an album: of all, or of those that everybody finds there.
pub async fn newest_in(tenant: &Tenant, album: AlbumId, all: bool) -> Result<Option<Media>> {
    let ask = Ask::parse(Some(1), None, None)?;
    let page = tenant.read(move |db| read_page(db, Filter::In(album, all), None, &ask)).await?;
    Ok(page.items.into_iter().next())
}

/// Which items are asked for.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub whose: Whose,
    /// Those in the trash, instead of those outside it.
    pub trashed: bool,
    /// Those in this album. It has one owner, and no trash.
    pub album: Option<PublicId>,
    pub tag: Option<Tag>,
}

impl Wanted {
    /// # Errors
    /// `Invalid` for what can be no album or no tag, and for what cannot be asked together.
    pub fn parse(
        owner: Option<&str>,
        trashed: bool,
        album: Option<&str>,
        tag: Option<&str>,
    ) -> Result<Self> {
        if album.is_some() && (owner.is_some() || trashed) {
            let reason = "cannot be combined with `owner` or `trashed`";
            return Err(Error::invalid("album", reason));
        }
        Ok(Self {
            whose: Whose::parse(owner),
            trashed,
            album: album.map(albums::parse).transpose()?,
            tag: tag.map(Tag::parse).transpose()?,
        })
    }
}

/// A page of items. The trash is the owner's and the managers'.
///
/// # Errors
/// `NotFound` for an album that the actor may not know of.
pub async fn list(tenant: &Tenant, actor: &Actor, wanted: Wanted, ask: Ask) -> Result<Page<Media>> {
    let actor = actor.clone();
    tenant
        .read(move |db| {
            let Wanted { whose, trashed, album, tag } = wanted;
            if let Some(album) = album {
                let (album, all) = albums::to_look_into(db, &actor, &album)?;
                return read_page(db, Filter::In(album, all), tag.as_ref(), &ask);
            }
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
            read_page(db, filter, tag.as_ref(), &ask)
        })
        .await
}
