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
    /// What the reader made of the file with this SHA-256, outside the trash.
    MadeOf([u8; 32]),
}

impl Whose {
    pub fn parse(owner: Option<&str>) -> Self {
        match owner {
            None => Self::Visible,
            Some("me") => Self::Mine,
            Some(name) => Self::Of(name.trim().to_lowercase()),
        }
    }

    /// Narrows a list to what was made of one file: `sha256:` and 64 hexadecimal digits.
    ///
    /// # Errors
    /// `Invalid` where it is no such hash, or where others' items are asked for.
    pub fn made_of(self, checksum: Option<&str>, trashed: bool) -> Result<Self> {
        let Some(text) = checksum else { return Ok(self) };
        if self != Self::Mine || trashed {
            return Err(Error::invalid("checksum", "goes with `owner=me`, outside the trash"));
        }
        let digits = text.strip_prefix("sha256:").unwrap_or_default();
        let sha256 = parse_hex(digits);
        sha256.map(Self::MadeOf).ok_or_else(|| {
            Error::invalid("checksum", "must be `sha256:` and 64 hexadecimal digits")
        })
    }
}

fn parse_hex(digits: &str) -> Option<[u8; 32]> {
    let digits = digits.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] =
            [pair.first(), pair.get(1)].map(|d| d.and_then(|d| char::from(*d).to_digit(16)));
        *byte = u8::try_from(high? * 16 + low?).ok()?;
    }
    Some(bytes)
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
                (Whose::MadeOf(sha256), Some(user)) => Filter::MadeOf(user.id, sha256),
                (Whose::Visible | Whose::Mine | Whose::MadeOf(_), None) => {
                    return Err(Error::Unauthenticated);
                }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_is_a_hash_in_full() {
        let hash = format!("sha256:{}0f", "00".repeat(31));
        let Ok(Whose::MadeOf(bytes)) = Whose::Mine.made_of(Some(&hash), false) else { panic!() };
        assert_eq!((bytes[0], bytes[31]), (0, 15));
        assert_eq!(Whose::Mine.made_of(None, true).unwrap(), Whose::Mine);
        assert!(Whose::Visible.made_of(Some(&hash), false).is_err());
        assert!(Whose::Mine.made_of(Some(&hash), true).is_err());
        for text in ["", "sha256:", "0f", &hash[1..], &hash.replace('f', "g"), "sha256:é"] {
            assert!(Whose::Mine.made_of(Some(text), false).is_err(), "{text}");
        }
        let wide = format!("sha256:{}é", "0".repeat(62));
        assert!(Whose::Mine.made_of(Some(&wide), false).is_err());
    }
}
