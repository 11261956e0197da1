//! Who may see a thing.

use super::{Error, Result};
use rusqlite::types::{FromSql, FromSqlResult, ValueRef};

/// Who may see an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Everybody, and it appears in lists.
    Public,
    /// Everybody who has the address.
    Unlisted,
    /// Its owner, and who looks after the site.
    Private,
}

impl Visibility {
    /// # Errors
    /// `Invalid`, naming `field`, for any other word.
    pub fn parse(field: &'static str, text: &str) -> Result<Self> {
        match text {
            "public" => Ok(Self::Public),
            "unlisted" => Ok(Self::Unlisted),
            "private" => Ok(Self::Private),
            _ => Err(Error::invalid(field, "must be public, unlisted or private")),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Unlisted => "unlisted",
            Self::Private => "private",
        }
    }
}

impl serde::Serialize for Visibility {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The schema admits no other words; should it ever, nobody is meant.
impl FromSql for Visibility {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(Self::parse("visibility", value.as_str()?).unwrap_or(Self::Private))
    }
}
