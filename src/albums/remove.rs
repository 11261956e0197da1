//! Taking albums away, with or without what lies in them.

use super::sql;
use crate::{
    accounts::Actor,
    base::{Error, Result, ids::PublicId},
    media,
    tenancy::Tenant,
};

/// What becomes of that which lies in an album that goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contents {
    /// It moves to where the album lay, and stays as hidden as it is.
    Keep,
    /// Items go into the trash, and albums go too.
    Trash,
}

impl Contents {
    /// # Errors
    /// `Invalid` for any other word.
    pub fn parse(word: Option<&str>) -> Result<Self> {
        match word {
            None | Some("keep") => Ok(Self::Keep),
            Some("trash") => Ok(Self::Trash),
            Some(_) => Err(Error::invalid("contents", "must be keep or trash")),
        }
    }
}

/// Takes an album away.
///
/// # Errors
/// `NotFound` and `Forbidden`, as for every change.
pub async fn remove(tenant: &Tenant, actor: &Actor, id: &str, contents: Contents) -> Result<()> {
    let id = PublicId::parse(id).ok_or(Error::NotFound("album"))?;
    let actor = actor.clone();
    let removing = tenant.write(move |db| {
        let album = sql::get(db, &id)?.ok_or(Error::NotFound("album"))?;
        album.check_edit(&actor)?;
        if contents == Contents::Keep {
            sql::delete(db, album.id)?;
            return Ok(false);
        }
        let mut is_noted = false;
        // From the innermost outwards, so that nothing moves out of one that goes too.
        for album in sql::tree(db, album.id)?.into_iter().rev() {
            for item in sql::items(db, album)? {
                is_noted |= media::delete::trash_in(db, &item)?;
            }
            sql::delete(db, album)?;
        }
        Ok(is_noted)
    });
    media::forget::begin(tenant, removing.await?).await
}
