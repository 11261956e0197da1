//! The statements behind pages that have numbers.

use super::{COLUMNS, complete, read_row, unsigned};
use crate::{
    base::{Clock, Result, ids::UserId},
    db::Read,
    media::Media,
    sql,
    tenancy::Site,
};

fn statement() -> String {
    format!(
        "SELECT {COLUMNS} WHERE m.owner_id = ?1 AND m.trashed_at IS NULL
         AND (m.expires_at IS NULL OR m.expires_at > ?2) ORDER BY m.id DESC LIMIT ?3 OFFSET ?4"
    )
}

sql! {
    TOTAL = "SELECT count(*), coalesce(sum(bytes), 0) FROM media WHERE owner_id = ?1
        AND trashed_at IS NULL AND (expires_at IS NULL OR expires_at > ?2)";
}

/// So many of a person's items, newest first, after skipping some.
pub(in crate::media) fn page(
    db: &Read<Site>,
    owner: UserId,
    count: u32,
    skip: u32,
) -> Result<Vec<Media>> {
    let mut statement = db.prepare_cached(&statement())?;
    let rows = statement.query_map((owner, Clock::now(), count, skip), read_row)?;
    let bare = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    bare.into_iter().map(|media| complete(db, media)).collect()
}

/// How many items a person has, and how many bytes their originals.
pub(in crate::media) fn total(db: &Read<Site>, owner: UserId) -> Result<(u64, u64)> {
    let read = |r: &rusqlite::Row| Ok((unsigned(r, 0)?, unsigned(r, 1)?));
    Ok(db.prepare_cached(TOTAL)?.query_row((owner, Clock::now()), read)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Schema;

    #[test]
    fn every_statement_prepares() {
        crate::db::sql::assert_prepares::<Site>(STATEMENTS);
    }

    #[test]
    fn a_page_is_read_along_an_index() {
        let db = rusqlite::Connection::open_in_memory().unwrap();
        for step in Site::STEPS {
            db.execute_batch(step.sql).unwrap();
        }
        let mut plan = db.prepare(&format!("EXPLAIN QUERY PLAN {}", statement())).unwrap();
        let steps = plan.query_map((1, 0, 40, 0), |r| r.get::<_, String>(3)).unwrap();
        let plan = steps.map(Result::unwrap).collect::<Vec<_>>().join("; ");
        assert!(plan.contains("SEARCH m") && !plan.contains("TEMP B-TREE"), "{plan}");
    }
}
