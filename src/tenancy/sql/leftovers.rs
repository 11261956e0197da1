//! Every statement about what removed sites left behind in storages elsewhere.

use crate::{
    base::{Clock, Result, clock::Millis, ids::PublicId},
    db::{Read, Write},
    sql,
    tenancy::{
        Control, Record,
        leftovers::{Left, Leftover},
    },
};
use rusqlite::{OptionalExtension, Row};

/// The columns that [`read_row`] reads, in its order.
macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, tenant, removed_at, next_at, files, places, problem FROM leftovers
             WHERE is_ready = 1 ",
            $rest
        )
    };
}
const LIST: &str = columns!("ORDER BY removed_at, id");
const DUE: &str = columns!("AND next_at <= ?1 ORDER BY next_at, id");
const GET: &str = columns!("AND id = ?1");

sql! {
    // One that an earlier attempt announced keeps its folder.
    ANNOUNCE = "INSERT INTO leftovers (id, tenant, record, sealed_key, removed_at, next_at)
            SELECT ?1, t.id, ?3, t.sealed_key, ?4, ?4 FROM tenants t WHERE t.id = ?2
        ON CONFLICT (tenant) WHERE is_ready = 0 DO UPDATE SET record = excluded.record,
            sealed_key = excluded.sealed_key, removed_at = excluded.removed_at";
    ANNOUNCED = "SELECT id FROM leftovers WHERE tenant = ?1 AND is_ready = 0";
    SET_READY = "UPDATE leftovers SET is_ready = 1 WHERE id = ?1";
    SITE = "SELECT record, sealed_key FROM leftovers WHERE id = ?1";
    UPDATE = "UPDATE leftovers SET files = ?2, places = ?3, problem = ?4, next_at = ?5
        WHERE id = ?1";
    DELETE = "DELETE FROM leftovers WHERE id = ?1";
    KEYS = "SELECT id, tenant, sealed_key FROM leftovers WHERE sealed_key IS NOT NULL";
    SET_KEY = "UPDATE leftovers SET sealed_key = ?2 WHERE id = ?1";
}

/// Writes down that a site is about to leave something behind, and under which id.
pub(in crate::tenancy) fn announce(
    db: &Write<Control>,
    id: &PublicId,
    record: &Record,
) -> Result<Option<PublicId>> {
    let text = serde_json::to_string(record)?;
    db.prepare_cached(ANNOUNCE)?.execute((id, &record.id, text, Clock::now()))?;
    announced(db, &record.id)
}

pub(in crate::tenancy) fn announced(db: &Read<Control>, tenant: &str) -> Result<Option<PublicId>> {
    Ok(db.prepare_cached(ANNOUNCED)?.query_row([tenant], |r| r.get(0)).optional()?)
}

/// The site is gone.
pub(in crate::tenancy) fn set_ready(db: &Write<Control>, id: &PublicId) -> Result<()> {
    db.prepare_cached(SET_READY)?.execute([id])?;
    Ok(())
}

pub(in crate::tenancy) fn list(db: &Read<Control>) -> Result<Vec<Leftover>> {
    let mut statement = db.prepare_cached(LIST)?;
    Ok(statement.query_map([], read_row)?.collect::<rusqlite::Result<_>>()?)
}

pub(in crate::tenancy) fn due(db: &Read<Control>) -> Result<Vec<Leftover>> {
    let mut statement = db.prepare_cached(DUE)?;
    Ok(statement.query_map([Clock::now()], read_row)?.collect::<rusqlite::Result<_>>()?)
}

pub(in crate::tenancy) fn get(db: &Read<Control>, id: &PublicId) -> Result<Option<Leftover>> {
    Ok(db.prepare_cached(GET)?.query_row([id], read_row).optional()?)
}

/// What was known of the site, and its key, sealed.
pub(in crate::tenancy) fn site(
    db: &Read<Control>,
    id: &PublicId,
) -> Result<Option<(Record, Option<Vec<u8>>)>> {
    let read = |r: &Row| Ok((r.get::<_, String>(0)?, r.get(1)?));
    let found = db.prepare_cached(SITE)?.query_row([id], read).optional()?;
    found.map(|(record, key)| Ok((serde_json::from_str(&record)?, key))).transpose()
}

pub(in crate::tenancy) fn update(db: &Write<Control>, id: &PublicId, left: &Left) -> Result<()> {
    let files = i64::try_from(left.files).unwrap_or(i64::MAX);
    let places = left.places.to_string();
    let row = (id, files, places, &left.problem, left.next_at);
    db.prepare_cached(UPDATE)?.execute(row)?;
    Ok(())
}

pub(in crate::tenancy) fn delete(db: &Write<Control>, id: &PublicId) -> Result<()> {
    db.prepare_cached(DELETE)?.execute([id])?;
    Ok(())
}

/// The sealed keys: under which id, whose, and the key.
pub(in crate::tenancy) fn keys(db: &Read<Control>) -> Result<Vec<(PublicId, String, Vec<u8>)>> {
    let mut statement = db.prepare_cached(KEYS)?;
    let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(in crate::tenancy) fn set_key(db: &Write<Control>, id: &PublicId, sealed: &[u8]) -> Result<()> {
    db.prepare_cached(SET_KEY)?.execute((id, sealed))?;
    Ok(())
}

fn read_row(r: &Row) -> rusqlite::Result<Leftover> {
    Ok(Leftover {
        id: r.get(0)?,
        tenant: r.get(1)?,
        removed_at: r.get::<_, Millis>(2)?,
        left: Left {
            next_at: r.get(3)?,
            files: r.get::<_, i64>(4)?.unsigned_abs(),
            places: serde_json::from_str(&r.get::<_, String>(5)?).unwrap_or_default(),
            problem: r.get(6)?,
        },
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_statement_prepares() {
        use crate::{db::sql::assert_prepares, tenancy::Control};
        assert_prepares::<Control>(super::STATEMENTS);
        let more = [("LIST", super::LIST), ("DUE", super::DUE), ("GET", super::GET)];
        assert_prepares::<Control>(&more);
    }
}
