//! The statements behind lists of media. Each combines one filter with one direction, so that
//! every page is read along an index, starting at its key.

use super::{COLUMNS, complete, read_row};
use crate::{
    base::{
        Clock, Result,
        ids::UserId,
        page::{Ask, Cursor, From, Page},
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
    /// What this person made of the file with this SHA-256, outside the trash.
    MadeOf(UserId, [u8; 32]),
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
            Self::MadeOf(..) => {
                "m.owner_id = ?4 AND m.received_sha256 = ?5 AND m.trashed_at IS NULL"
            }
        }
    }

    fn user(self) -> UserId {
        match self {
            // Bound, and compared with itself: the statement takes the same values for all.
            Self::Public => UserId(0),
            Self::PublicOr(user)
            | Self::PublicOf(user)
            | Self::Of(user, _)
            | Self::MadeOf(user, _) => user,
        }
    }

    fn sha256(self) -> Option<[u8; 32]> {
        match self {
            Self::MadeOf(_, sha256) => Some(sha256),
            _ => None,
        }
    }
}

fn statement(filter: Filter, from: From) -> String {
    let (beyond, order) = match from {
        From::Start | From::After(_) => ("<", "DESC"),
        From::Before(_) => (">", "ASC"),
    };
    format!(
        "SELECT {} WHERE {} AND m.id {beyond} ?1 AND (m.expires_at IS NULL OR m.expires_at > ?2)
         ORDER BY m.id {order} LIMIT ?3",
        COLUMNS,
        filter.condition()
    )
}

pub(in crate::media) fn list(db: &Read<Site>, filter: Filter, ask: &Ask) -> Result<Page<Media>> {
    let key = match ask.from {
        From::Start => i64::MAX,
        From::After(Cursor(key)) | From::Before(Cursor(key)) => key,
    };
    let mut statement = db.prepare_cached(&statement(filter, ask.from))?;
    let (now, user, sha256) = (Clock::now(), filter.user(), filter.sha256());
    let rows = match sha256 {
        Some(sha256) => statement.query_map((key, now, ask.rows(), user, sha256), read_row)?,
        None => statement.query_map((key, now, ask.rows(), user), read_row)?,
    };
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
            Filter::MadeOf(user, [0; 32]),
        ];
        for filter in filters {
            for from in [From::Start, From::After(Cursor(9)), From::Before(Cursor(9))] {
                let sql = format!("EXPLAIN QUERY PLAN {}", statement(filter, from));
                let mut plan = db.prepare(&sql).unwrap();
                let steps: Vec<String> =
                    plan.query_map([], |r| r.get(3)).unwrap().map(Result::unwrap).collect();
                let plan = steps.join("; ");
                assert!(plan.contains("SEARCH m"), "{filter:?} {from:?}: {plan}");
                assert!(!plan.contains("TEMP B-TREE"), "{filter:?} {from:?}: {plan}");
            }
        }
    }
}
