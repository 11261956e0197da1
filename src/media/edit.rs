//! Changing what is said about an item.

use super::{Media, albums, forget, sql};
use crate::{
    accounts::Actor,
    base::{
        Clock, Error, Result,
        clock::Millis,
        ids::PublicId,
        text::{Description, Tag, Title},
        visibility::Visibility,
    },
    tenancy::{Tenant, limits::Limit, usage},
};

/// What is to change. The outer `None` leaves a thing as it is; an inner one takes it away.
#[derive(Debug, Default)]
pub struct MediaEdit {
    pub title: Option<Option<Title>>,
    pub description: Option<Option<Description>>,
    pub tags: Option<Vec<Tag>>,
    pub nsfw: Option<bool>,
    pub visibility: Option<Visibility>,
    pub album: Option<Option<PublicId>>,
    pub expires_at: Option<Option<Millis>>,
}

/// Changes an item.
///
/// # Errors
/// `Stale` where `expected` names a state that is no longer the current one.
pub async fn edit(
    tenant: &Tenant,
    actor: &Actor,
    id: &str,
    edit: MediaEdit,
    expected: Option<String>,
) -> Result<Media> {
    let id = PublicId::parse(id).ok_or(Error::NotFound("media"))?;
    if edit.expires_at.flatten().is_some_and(|at| at <= Clock::now()) {
        return Err(Error::invalid("expires_at", "is in the past"));
    }
    let (actor, allowance) = (actor.clone(), tenant.allowance());
    let (media, is_noted) = tenant
        .write(move |db| {
            let mut media = sql::get(db, &id)?.ok_or(Error::NotFound("media"))?;
            media.facts().check_edit(&actor)?;
            if expected.is_some_and(|e| e != "*" && e != etag(&media)) {
                return Err(Error::Stale);
            }
            // An edit that adds none passes, also where the limit is lower than it was.
            if let Some(tags) = edit.tags.as_ref().filter(|tags| tags.len() > media.tags.len()) {
                allowance.check(Limit::MaxTagsPerItem, tags.len() as u64, 0)?;
            }
            let tags = usage::used(db, Limit::MaxTags)?;
            if let Some(album) = &edit.album {
                let owner = media.owner.id;
                let album = album.as_ref().map(|id| albums::place(db, id, owner)).transpose()?;
                sql::albums::put(db, media.id, album)?;
            }
            let before = media.visibility;
            apply(&mut media, edit);
            sql::update(db, &media)?;
            // An album may hide it, too.
            let media = sql::get(db, &id)?.ok_or(Error::NotFound("media"))?;
            let is_noted = forget::note_change(db, before, &media)?;
            allowance.check_growth(db, Limit::MaxTags, tags)?;
            Ok((media, is_noted))
        })
        .await?;
    forget::begin(tenant, is_noted).await?;
    Ok(media)
}

fn apply(media: &mut Media, edit: MediaEdit) {
    if let Some(title) = edit.title {
        media.title = title.map(|t| t.as_str().to_owned());
    }
    if let Some(description) = edit.description {
        media.description = description.map(|d| d.as_str().to_owned());
    }
    if let Some(tags) = edit.tags {
        media.tags = tags.iter().map(|t| t.as_str().to_owned()).collect();
    }
    media.nsfw = edit.nsfw.unwrap_or(media.nsfw);
    media.own_visibility = edit.visibility.unwrap_or(media.own_visibility);
    media.expires_at = edit.expires_at.unwrap_or(media.expires_at);
}

/// The entity tag (RFC 9110, 8.8.3) of what is said about an item.
pub fn etag(media: &Media) -> String {
    format!("\"{}-{:x}\"", media.public_id, media.updated_at.0)
}
