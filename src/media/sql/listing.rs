//! The statements behind lists of media. Each combines one filter with one direction, so that
//! every page is read along an index, starting at its key.

use super::{COLUMNS, complete, read_row};
use crate::{
    base::{
        Clock, Result,
        ids::{AlbumId, UserId},
        page::{Ask, Cursor, From, Page},
        text::Tag,
    },
    db::Read,
    media::Media,
    tenancy::Site,
};

/// What a list holds.
#[derive(Debug, Clone, Copy)]
pub(in crate::media) enum Filter {
    /// What everybody may find.
    Public,
    /// What everybody may find, and what is this person's.
    PublicOr(UserId),
    /// What everybody may find of this person.
    PublicOf(UserId),
    /// All that is this person's, in the trash or outside it.
    Of(UserId, bool),
    /// What lies in an album: all, or what everybody finds there.
    In(AlbumId, bool),
}

impl Filter {
    fn condition(self) -> &'static str {
        match self {
            Self::Public => "m.visibility = 'public' AND m.trashed_at IS NULL AND ?4 = ?4",
            Self::PublicOr(_) => {
                "(m.visibility = 'public' OR m.owner_id = ?4) AND m.trashed_at IS NULL"
            }
            Self::PublicOf(_) => {
                "m.visibility = 'public' AND m.owner_id = ?4 AND m.trashed_at IS NULL"
            }
            Self::Of(_, false) => "m.owner_id = ?4 AND m.trashed_at IS NULL",
            Self::Of(_, true) => "m.owner_id = ?4 AND m.trashed_at IS NOT NULL",
            Self::In(_, true) => "m.album_id = ?4 AND m.trashed_at IS NULL",
            Self::In(_, false) => {
                "m.album_id = ?4 AND m.trashed_at IS NULL AND m.own_visibility = 'public'
                 AND m.visibility <> 'private'"
            }
        }
    }

    fn key(self) -> i64 {
        match self {
            // Bound, and compared with itself: the statement takes the same values for all.
            Self::Public => 0,
            Self::PublicOr(user) | Self::PublicOf(user) | Self::Of(user, _) => user.0,
            Self::In(album, _) => album.0,
        }
    }
}

/// Without a tag along the index of the filter, with one along that of the tags.
fn statement(filter: Filter, has_tag: bool, from: From) -> String {
    let (beyond, order) = match from {
        From::Start | From::After(_) => ("<", "DESC"),
        From::Before(_) => (">", "ASC"),
    };
    let (columns, tagged, id) = match has_tag {
        false => (COLUMNS.to_owned(), "?5 IS NULL", "m.id"),
        true => {
            let tags_first = "FROM media_tags t CROSS JOIN media m ON m.id = t.media_id";
            (COLUMNS.replace("FROM media m", tags_first), "t.tag = ?5", "t.media_id")
        }
    };
    format!(
        "SELECT {columns} WHERE {tagged} AND {} AND {id} {beyond} ?1
             AND (m.expires_at IS NULL OR m.expires_at > ?2)
         ORDER BY {id} {order} LIMIT ?3",
        filter.condition()
    )
}

pub(in crate::media) fn list(
    db: &Read<Site>,
    filter: Filter,
    tag: Option<&Tag>,
    ask: &Ask,
) -> Result<Page<Media>> {
    let key = match ask.from {
        From::Start => i64::MAX,
        From::After(Cursor(key)) | From::Before(Cursor(key)) => key,
    };
    let mut statement = db.prepare_cached(&statement(filter, tag.is_some(), ask.from))?;
    let values = (key, Clock::now(), ask.rows(), filter.key(), tag);
    let rows = statement.query_map(values, read_row)?;
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut page = Page::of(ask, rows, |media| media.id.0);
    let bare = std::mem::take(&mut page.items);
    page.items = bare.into_iter().map(|m| complete(db, m)).collect::<Result<_>>()?;
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Schema;

    #[test]
    fn every_list_is_read_along_an_index() {
        let db = rusqlite::Connection::open_in_memory().unwrap();
        for step in Site::STEPS {
            db.execute_batch(step.sql).unwrap();
        }
        let user = UserId(1);
        let filters = [
            Filter::Public,
            Filter::PublicOr(user),
            Filter::PublicOf(user),
            Filter::Of(user, false),
            Filter::Of(user, true),
            Filter::In(AlbumId(1), true),
            Filter::In(AlbumId(1), false),
        ];
        let asked = filters.into_iter().flat_map(|f| [(f, None), (f, Some("sea"))]);
        for (filter, tag) in asked {
            for from in [From::Start, From::After(Cursor(9)), From::Before(Cursor(9))] {
                let statement = statement(filter, tag.is_some(), from);
                let sql = format!("EXPLAIN QUERY PLAN {statement}");
                let mut plan = db.prepare(&sql).unwrap();
                let steps: Vec<String> = plan
                    .query_map((9, 0, 25, filter.key(), tag), |r| r.get(3))
                    .unwrap()
                    .map(Result::unwrap)
                    .collect();
                let plan = steps.join("; ");
                let first = if tag.is_some() { "SEARCH t USING" } else { "SEARCH m" };
                assert!(plan.contains(first), "{filter:?} {tag:?} {from:?}: {plan}");
                assert!(!plan.contains("TEMP B-TREE"), "{filter:?} {tag:?} {from:?}: {plan}");
            }
        }
    }
}
