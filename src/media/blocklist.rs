//! Pictures that nobody may upload again, also encoded anew, scaled or a little lighter; and items
//! that look like one another.

use super::{
    Media,
    sql::{self, looks},
};
use crate::{
    accounts::{Actor, Role},
    base::{
        Clock, Error, Result, clock::Millis, ids::PublicId, text::Description,
        visibility::Visibility,
    },
    db::Read,
    tenancy::{Site, Tenant},
};

/// How many blocked pictures are shown at most.
const MOST_SHOWN: u32 = 1_000;

/// A picture that is blocked.
#[derive(Debug, Clone)]
pub struct Blocked {
    pub public_id: PublicId,
    pub sha256: [u8; 32],
    /// 0 where only the very same bytes are known again.
    pub looks: u64,
    pub reason: Option<String>,
    pub blocked_by: String,
    pub created_at: Millis,
}

/// Blocks the picture of an item. The item itself stays.
///
/// # Errors
/// `Forbidden` for users; `NotFound` where there is no such item.
pub async fn block(
    tenant: &Tenant,
    actor: &Actor,
    id: &str,
    reason: Option<&str>,
) -> Result<Blocked> {
    let by = check(actor)?;
    let id = PublicId::parse(id).ok_or(Error::NotFound("media"))?;
    let reason = reason.map(Description::parse).transpose()?.flatten();
    let new = PublicId::random()?;
    let block = move |db: &crate::db::Write<Site>| {
        looks::block(db, &new, &id, reason.as_ref().map(Description::as_str), &by)
    };
    tenant.write(block).await?.ok_or(Error::NotFound("media"))
}

/// What is blocked, the newest first.
///
/// # Errors
/// `Forbidden` for users.
pub async fn list(tenant: &Tenant, actor: &Actor) -> Result<Vec<Blocked>> {
    check(actor)?;
    tenant.read(|db| looks::blocked(db, MOST_SHOWN)).await
}

/// Lets a picture be uploaded again.
///
/// # Errors
/// `Forbidden` for users; `NotFound` where it is not blocked.
pub async fn unblock(tenant: &Tenant, actor: &Actor, id: &str) -> Result<()> {
    check(actor)?;
    let missing = Error::NotFound("blocked picture");
    let Some(id) = PublicId::parse(id) else { return Err(missing) };
    let was_there = tenant.write(move |db| looks::unblock(db, &id)).await?;
    if was_there { Ok(()) } else { Err(missing) }
}

/// The name of whoever may look after the list.
fn check(actor: &Actor) -> Result<String> {
    match actor.user() {
        Some(user) if actor.has_role(Role::Manager) => Ok(user.username.clone()),
        Some(_) => Err(Error::Forbidden("only managers look after what is blocked")),
        None => Err(Error::Unauthenticated),
    }
}

/// # Errors
/// `Rejected` with the code `blocked` for a picture that may not be uploaded.
pub(super) fn check_upload(
    db: &Read<Site>,
    sha256: &[u8; 32],
    looks: u64,
    most: u64,
) -> Result<()> {
    let most = u32::try_from(most).unwrap_or(0);
    if looks::is_blocked(db, sha256, looks, most)? {
        let reason = "shows a picture that may not be uploaded here".to_owned();
        return Err(Error::Rejected { code: "blocked", reason });
    }
    Ok(())
}

/// Items that look like this one and that the actor may find, the most alike first, with how many
/// of 64 features differ.
///
/// # Errors
/// Those of looking at the item itself.
pub async fn similar(
    tenant: &Tenant,
    actor: &Actor,
    id: &str,
    most: u32,
    count: usize,
) -> Result<Vec<(u32, Media)>> {
    let id = PublicId::parse(id).ok_or(Error::NotFound("media"))?;
    let actor = actor.clone();
    let find = move |db: &Read<Site>| {
        let item = sql::get(db, &id)?.ok_or(Error::NotFound("media"))?;
        item.facts().check_see(&actor)?;
        let Some(looks) = looks::of(db, &id)? else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for (far, other) in looks::like(db, looks, most)? {
            if found.len() == count {
                break;
            }
            let other = looks::public_id(db, other)?.filter(|other| *other != id);
            let Some(other) = other.map(|other| sql::get(db, &other)).transpose()?.flatten() else {
                continue;
            };
            if may_find(&other, &actor) {
                found.push((far, other));
            }
        }
        Ok(found)
    };
    tenant.read(find).await
}

/// What somebody would also see in a list: nothing that only an address leads to.
fn may_find(media: &Media, actor: &Actor) -> bool {
    let expired = media.expires_at.is_some_and(|at| at <= Clock::now());
    !expired && (media.visibility == Visibility::Public || media.facts().may_edit(actor))
}
