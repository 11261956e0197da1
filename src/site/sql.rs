//! Every statement about settings.

use crate::{
    base::{Clock, Result},
    db::{Read, Write},
    sql,
    tenancy::Site,
};

sql! {
    ALL = "SELECT key, value FROM settings";
    SET = "INSERT INTO settings (key, value, updated_at) VALUES (?1, ?2, ?3)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at";
    DELETE = "DELETE FROM settings WHERE key = ?1";
}

pub(super) fn all(db: &Read<Site>) -> Result<Vec<(String, String)>> {
    let mut statement = db.prepare_cached(ALL)?;
    let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn set(db: &Write<Site>, key: &str, value: &str) -> Result<()> {
    db.prepare_cached(SET)?.execute((key, value, Clock::now()))?;
    Ok(())
}

pub(super) fn delete(db: &Write<Site>, key: &str) -> Result<()> {
    db.prepare_cached(DELETE)?.execute([key])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_statement_prepares() {
        crate::db::sql::assert_prepares::<crate::tenancy::Site>(super::STATEMENTS);
    }
}
