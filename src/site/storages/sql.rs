//! Every statement about storages.

use super::{Delivery, Storage, Takes};
use crate::{
    base::{
        Clock, Error, Result,
        clock::Millis,
        ids::{PublicId, StorageId},
    },
    db::{Read, Write},
    sql,
    storage::{Kind, Template},
    tenancy::Site,
};
use rusqlite::{OptionalExtension, Row, params};

/// The columns that [`read_row`] reads, in its order.
macro_rules! storages {
    ($rest:literal) => {
        concat!(
            "SELECT id, public_id, name, kind, place, takes_image, takes_video, takes_audio,
                capacity, priority, weight, is_read_only, delivery, public_url, purge_url,
                template, items, bytes, failures, down_until, problem, created_at, updated_at
             FROM storages ",
            $rest
        )
    };
}
const ALL: &str = storages!("ORDER BY priority, id");
const BY_ID: &str = storages!("WHERE id = ?1");
const BY_PUBLIC_ID: &str = storages!("WHERE public_id = ?1");

sql! {
    INSERT = "INSERT INTO storages (public_id, name, kind, place, secrets, takes_image,
            takes_video, takes_audio, capacity, priority, weight, is_read_only, delivery,
            public_url, purge_url, template, created_at, updated_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?17)";
    UPDATE = "UPDATE storages SET name = ?2, place = ?3, secrets = ?4, takes_image = ?5,
            takes_video = ?6, takes_audio = ?7, capacity = ?8, priority = ?9, weight = ?10,
            is_read_only = ?11, delivery = ?12, public_url = ?13, purge_url = ?14, template = ?15,
            failures = 0, down_until = NULL, problem = NULL,
            updated_at = max(updated_at + 1, ?16)
        WHERE id = ?1";
    SECRETS = "SELECT secrets FROM storages WHERE id = ?1";
    DELETE = "DELETE FROM storages WHERE id = ?1";
    IS_USED = "SELECT 1 FROM media WHERE storage_id = ?1
        UNION ALL SELECT 1 FROM removals WHERE storage_id = ?1 LIMIT 1";
    NAME_TAKEN = "SELECT 1 FROM storages WHERE name = ?1 AND id <> ?2";
    COUNT = "SELECT count(*) FROM storages WHERE id <> 1";
    SET_FAILED = "UPDATE storages SET failures = ?2, down_until = ?3, problem = ?4 WHERE id = ?1";
    SET_WORKED = "UPDATE storages SET failures = 0, down_until = NULL, problem = NULL
        WHERE id = ?1";
}

pub(super) fn all(db: &Read<Site>) -> Result<Vec<Storage>> {
    let mut statement = db.prepare_cached(ALL)?;
    let rows = statement.query_map([], read_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// A storage by its key.
pub(crate) fn by_id(db: &Read<Site>, id: StorageId) -> Result<Option<Storage>> {
    Ok(db.prepare_cached(BY_ID)?.query_row([id], read_row).optional()?)
}

/// A storage by its name in public.
pub(crate) fn by_public_id(db: &Read<Site>, id: &PublicId) -> Result<Option<Storage>> {
    Ok(db.prepare_cached(BY_PUBLIC_ID)?.query_row([id], read_row).optional()?)
}

/// What opens it, sealed.
pub(super) fn secrets(db: &Read<Site>, id: StorageId) -> Result<Option<Vec<u8>>> {
    let found = db.prepare_cached(SECRETS)?.query_row([id], |r| r.get(0)).optional()?;
    Ok(found.flatten())
}

pub(super) fn insert(db: &Write<Site>, new: &Storage, secrets: &[u8]) -> Result<StorageId> {
    db.prepare_cached(INSERT)?.execute(params![
        new.public_id,
        new.name,
        new.kind.as_str(),
        serde_json::to_string(&new.place)?,
        secrets,
        new.takes.image,
        new.takes.video,
        new.takes.audio,
        signed(new.capacity),
        new.priority,
        new.weight,
        new.is_read_only,
        new.delivery.as_str(),
        new.public_url,
        new.purge_url,
        new.template.as_str(),
        new.created_at,
    ])?;
    Ok(StorageId(db.last_insert_rowid()))
}

pub(super) fn update(db: &Write<Site>, of: &Storage, secrets: Option<&[u8]>) -> Result<()> {
    db.prepare_cached(UPDATE)?.execute(params![
        of.id,
        of.name,
        serde_json::to_string(&of.place)?,
        secrets,
        of.takes.image,
        of.takes.video,
        of.takes.audio,
        signed(of.capacity),
        of.priority,
        of.weight,
        of.is_read_only,
        of.delivery.as_str(),
        of.public_url,
        of.purge_url,
        of.template.as_str(),
        Clock::now(),
    ])?;
    Ok(())
}

/// # Errors
/// `Conflict` with code `storage_in_use` while anything lies there.
pub(super) fn delete(db: &Write<Site>, id: StorageId) -> Result<()> {
    if db.prepare_cached(IS_USED)?.exists([id])? {
        let reason = "items lie there: move them to another storage first";
        return Err(Error::Conflict { code: "storage_in_use", reason });
    }
    db.prepare_cached(DELETE)?.execute([id])?;
    Ok(())
}

pub(super) fn is_name_taken(db: &Read<Site>, name: &str, by_other_than: StorageId) -> Result<bool> {
    Ok(db.prepare_cached(NAME_TAKEN)?.exists((name, by_other_than))?)
}

/// How many there are beside the site's own folder.
pub(super) fn count(db: &Read<Site>) -> Result<u64> {
    Ok(db.prepare_cached(COUNT)?.query_row([], |r| r.get::<_, i64>(0))?.unsigned_abs())
}

pub(super) fn set_failed(
    db: &Write<Site>,
    id: StorageId,
    failures: u32,
    until: Millis,
    problem: &str,
) -> Result<()> {
    db.prepare_cached(SET_FAILED)?.execute((id, failures, until, problem))?;
    Ok(())
}

pub(super) fn set_worked(db: &Write<Site>, id: StorageId) -> Result<()> {
    db.prepare_cached(SET_WORKED)?.execute([id])?;
    Ok(())
}

fn signed(number: Option<u64>) -> Option<i64> {
    number.map(|number| i64::try_from(number).unwrap_or(i64::MAX))
}

fn read_row(r: &Row) -> rusqlite::Result<Storage> {
    let (kind, delivery): (String, String) = (r.get(3)?, r.get(12)?);
    let (place, template): (String, String) = (r.get(4)?, r.get(15)?);
    Ok(Storage {
        id: r.get(0)?,
        public_id: r.get(1)?,
        name: r.get(2)?,
        // The schema admits no other words.
        kind: Kind::find(&kind).unwrap_or(Kind::Local),
        // Written by another version, it may hold what this one does not know.
        place: serde_json::from_str(&place).unwrap_or_default(),
        takes: Takes { image: r.get(5)?, video: r.get(6)?, audio: r.get(7)? },
        capacity: r.get::<_, Option<i64>>(8)?.map(i64::unsigned_abs),
        priority: r.get(9)?,
        weight: r.get(10)?,
        is_read_only: r.get(11)?,
        delivery: Delivery::find(&delivery).unwrap_or(Delivery::Proxy),
        public_url: r.get(13)?,
        purge_url: r.get(14)?,
        template: Template::parse(&template).unwrap_or_default(),
        items: r.get::<_, i64>(16)?.unsigned_abs(),
        bytes: r.get::<_, i64>(17)?.unsigned_abs(),
        failures: r.get(18)?,
        down_until: r.get(19)?,
        problem: r.get(20)?,
        created_at: r.get(21)?,
        updated_at: r.get(22)?,
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_statement_prepares() {
        use crate::{db::sql::assert_prepares, tenancy::Site};
        assert_prepares::<Site>(super::STATEMENTS);
        assert_prepares::<Site>(&[
            ("ALL", super::ALL),
            ("BY_ID", super::BY_ID),
            ("BY_PUBLIC_ID", super::BY_PUBLIC_ID),
        ]);
    }
}
