//! One type per kind of id, so that an album can never be asked for by a media id.
//!
//! Inside, ids are the integer keys of the database. Outside, things are named by a [`PublicId`],
//! which comes from the system's random source and says nothing about the key.

use super::{Error, Result};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub i64);

        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                self.0.to_sql()
            }
        }
        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                i64::column_result(value).map(Self)
            }
        }
    };
}

id!(/// A person with an account in one tenant.
    UserId);
id!(/// One uploaded item with all its variants.
    MediaId);
id!(/// One album.
    AlbumId);
id!(/// One place where bytes of one tenant lie.
    StorageId);
id!(/// One job of a site.
    JobId);
id!(/// One signed-in browser.
    SessionId);
id!(/// One personal API token.
    TokenId);

/// The name of a tenant: 1 to 16 of `a-z`, `0-9` and `-`. Also the name of its folder, which is
/// why there is no way to make one without the check.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TenantId(String);

impl TenantId {
    /// # Errors
    /// `Invalid` where the text is no tenant id.
    pub fn parse(text: &str) -> Result<Self> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if text.is_empty() || text.len() > 16 || !text.bytes().all(plain) || text.starts_with('-') {
            return Err(Error::invalid("tenant", "must be 1 to 16 of a-z, 0-9 and -"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The one tenant of a homelab.
    pub fn main() -> Self {
        Self("main".to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a thing is named in public: ten base-58 characters, 58 bits of chance.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PublicId(String);

const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

impl PublicId {
    const LENGTH: usize = 10;

    /// # Errors
    /// `Internal` where the system has no randomness to give.
    pub fn random() -> Result<Self> {
        let mut id = String::with_capacity(Self::LENGTH);
        while id.len() < Self::LENGTH {
            let mut bytes = [0u8; 32];
            getrandom::fill(&mut bytes).map_err(|e| Error::internal(e.to_string()))?;
            // Six bits at a time, and the few values beyond 57 thrown away: no character is likelier.
            let kept = bytes.iter().map(|b| usize::from(b & 63)).filter(|n| *n < BASE58.len());
            id.extend(kept.map(|n| char::from(BASE58[n])).take(Self::LENGTH - id.len()));
        }
        Ok(Self(id))
    }

    /// What the text names, if it can name anything. Callers answer "not found" to `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let plausible = (8..=11).contains(&text.len()) && text.bytes().all(|b| BASE58.contains(&b));
        plausible.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PublicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ToSql for PublicId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for PublicId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::parse(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_ids_are_read_back_and_differ() {
        let ids: std::collections::HashSet<_> =
            (0..1_000).map(|_| PublicId::random().unwrap()).collect();
        assert_eq!(ids.len(), 1_000);
        assert!(ids.iter().all(|id| PublicId::parse(id.as_str()).as_ref() == Some(id)));
    }

    #[test]
    fn what_is_no_id_is_not_looked_up() {
        for text in ["", "short", "../../etc", "0OIl0OIl0O", "éééééééé", "abcdefghijkmn"] {
            assert_eq!(PublicId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_tenant_id_is_never_a_path() {
        for text in ["", "..", "a/b", "Main", "-x", "seventeen-letters"] {
            assert!(TenantId::parse(text).is_err(), "{text}");
        }
        assert_eq!(TenantId::parse("alice-2").unwrap().as_str(), "alice-2");
    }
}
