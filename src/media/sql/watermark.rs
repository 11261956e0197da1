//! Every statement about the watermark.

use crate::{
    base::{Clock, Result},
    db::{Read, Write},
    media::watermark::Mark,
    sql,
    tenancy::Site,
};
use rusqlite::OptionalExtension;

sql! {
    PUT = "INSERT INTO watermark (id, png, width, height, updated_at) VALUES (1, ?1, ?2, ?3, ?4)
        ON CONFLICT (id) DO UPDATE SET png = excluded.png, width = excluded.width,
            height = excluded.height, updated_at = max(updated_at + 1, excluded.updated_at)";
    GET = "SELECT png, width, height, updated_at FROM watermark";
    DELETE = "DELETE FROM watermark";
}

pub(in crate::media) fn put(db: &Write<Site>, png: &[u8], width: u32, height: u32) -> Result<()> {
    db.prepare_cached(PUT)?.execute((png, width, height, Clock::now()))?;
    Ok(())
}

pub(in crate::media) fn get(db: &Read<Site>) -> Result<Option<Mark>> {
    let mut statement = db.prepare_cached(GET)?;
    let row = statement.query_row([], |r| {
        Ok(Mark { png: r.get(0)?, width: r.get(1)?, height: r.get(2)?, updated_at: r.get(3)? })
    });
    Ok(row.optional()?)
}

/// Tells whether there was one.
pub(in crate::media) fn delete(db: &Write<Site>) -> Result<bool> {
    Ok(db.prepare_cached(DELETE)?.execute([])? > 0)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_statement_prepares() {
        crate::db::sql::assert_prepares::<crate::tenancy::Site>(super::STATEMENTS);
    }
}
