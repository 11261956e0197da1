//! What clients send to change an item: a JSON Merge Patch (RFC 7396).

use super::{albums, edit::MediaEdit};
use crate::base::{
    Error, Result,
    clock::Millis,
    text::{Description, Tag, Title},
    visibility::Visibility,
};
use poem_openapi::{
    Object,
    types::{Example, MaybeUndefined},
};

/// What to change about an item.
#[derive(Object)]
#[oai(deny_unknown_fields, example = true)]
pub(super) struct MediaPatch {
    title: MaybeUndefined<String>,
    description: MaybeUndefined<String>,
    /// Replaces all tags.
    tags: MaybeUndefined<Vec<String>>,
    nsfw: Option<bool>,
    /// `public`, `unlisted` or `private`.
    visibility: Option<String>,
    /// The id of the album of the owner's to put it into; `null` takes it out of its album.
    album: MaybeUndefined<String>,
    /// RFC 3339; the item is gone from then on.
    expires_at: MaybeUndefined<String>,
}

impl MediaPatch {
    pub(super) fn parse(self) -> Result<MediaEdit> {
        Ok(MediaEdit {
            title: patch(self.title, |t| Title::parse(&t))?.map(Option::flatten),
            description: patch(self.description, |d| Description::parse(&d))?.map(Option::flatten),
            tags: patch(self.tags, |t| Tag::parse_list(t.iter().map(String::as_str)))?
                .map(Option::unwrap_or_default),
            nsfw: self.nsfw,
            visibility: match self.visibility {
                Some(word) => Some(Visibility::parse("visibility", &word)?),
                None => None,
            },
            album: patch(self.album, |id| albums::parse(&id))?,
            expires_at: patch(self.expires_at, |at| {
                let at: Result<jiff::Timestamp, _> = at.parse();
                let at =
                    at.map_err(|_| Error::invalid("expires_at", "must be an RFC 3339 time"))?;
                Ok(Millis(at.as_millisecond()))
            })?,
        })
    }
}

/// Absent stays, `null` clears, a value is read.
fn patch<A, B>(
    field: MaybeUndefined<A>,
    read: impl FnOnce(A) -> Result<B>,
) -> Result<Option<Option<B>>> {
    match field {
        MaybeUndefined::Undefined => Ok(None),
        MaybeUndefined::Null => Ok(Some(None)),
        MaybeUndefined::Value(value) => Ok(Some(Some(read(value)?))),
    }
}

impl Example for MediaPatch {
    fn example() -> Self {
        Self {
            title: MaybeUndefined::Value("At the beach".to_owned()),
            description: MaybeUndefined::Null,
            tags: MaybeUndefined::Undefined,
            nsfw: None,
            visibility: Some("private".to_owned()),
            album: MaybeUndefined::Undefined,
            expires_at: MaybeUndefined::Undefined,
        }
    }
}
