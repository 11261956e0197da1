//! Every statement about operator keys, and about signed requests that were seen.

use super::keys::{Key, Scope};
use crate::{
    base::{Clock, Error, Result, clock::Millis, ids::PublicId, secret::SecretHash},
    db::{Read, Write},
    sql,
    tenancy::Control,
};
use rusqlite::{OptionalExtension, Row, params};

sql! {
    INSERT = "INSERT INTO operator_keys
            (public_id, name, secret_hash, scopes, networks, created_at, expires_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    NAME_TAKEN = "SELECT 1 FROM operator_keys WHERE name = ?1";
    LIST = "SELECT public_id, name, scopes, networks, created_at, last_used_at, expires_at
        FROM operator_keys ORDER BY id DESC";
    BY_HASH = "SELECT public_id, name, scopes, networks, created_at, last_used_at, expires_at
        FROM operator_keys WHERE secret_hash = ?1";
    BY_ID = "SELECT public_id, name, scopes, networks, created_at, last_used_at, expires_at
        FROM operator_keys WHERE public_id = ?1";
    TOUCH = "UPDATE operator_keys SET last_used_at = ?2 WHERE public_id = ?1";
    DELETE = "DELETE FROM operator_keys WHERE public_id = ?1";
    SWEEP_NONCES = "DELETE FROM nonces WHERE expires_at <= ?1";
    REMEMBER_NONCE = "INSERT INTO nonces (nonce, expires_at) VALUES (?1, ?2)
        ON CONFLICT (nonce) DO NOTHING";
}

pub(super) fn insert(db: &Write<Control>, key: &Key, hash: &SecretHash) -> Result<()> {
    if db.prepare_cached(NAME_TAKEN)?.exists([&key.name])? {
        return Err(Error::Conflict {
            code: "key_exists",
            reason: "there is an operator key of this name already",
        });
    }
    let scopes: Vec<_> = key.scopes.iter().map(|s| s.as_str()).collect();
    let networks: Vec<_> = key.networks.iter().map(ToString::to_string).collect();
    db.prepare_cached(INSERT)?.execute(params![
        key.id,
        key.name,
        hash.0,
        scopes.join(" "),
        networks.join(","),
        key.created_at,
        key.expires_at,
    ])?;
    Ok(())
}

pub(super) fn list(db: &Read<Control>) -> Result<Vec<Key>> {
    let mut statement = db.prepare_cached(LIST)?;
    let keys = statement.query_map([], |r| Ok(read_row(r)))?;
    keys.map(|key| key?).collect()
}

pub(super) fn by_hash(db: &Read<Control>, hash: &SecretHash) -> Result<Option<Key>> {
    let found = db.prepare_cached(BY_HASH)?.query_row([hash.0], |r| Ok(read_row(r))).optional()?;
    found.transpose()
}

pub(super) fn by_id(db: &Read<Control>, id: &PublicId) -> Result<Option<Key>> {
    let found = db.prepare_cached(BY_ID)?.query_row([id], |r| Ok(read_row(r))).optional()?;
    found.transpose()
}

pub(super) fn touch(db: &Write<Control>, id: &PublicId) -> Result<()> {
    db.prepare_cached(TOUCH)?.execute((id, Clock::now()))?;
    Ok(())
}

pub(super) fn delete(db: &Write<Control>, id: &PublicId) -> Result<()> {
    db.prepare_cached(DELETE)?.execute([id])?;
    Ok(())
}

/// Remembers a nonce, and forgets those that are over. Returns whether it is a new one.
pub(super) fn remember_nonce(db: &Write<Control>, nonce: &str, until: Millis) -> Result<bool> {
    db.prepare_cached(SWEEP_NONCES)?.execute([Clock::now()])?;
    Ok(db.prepare_cached(REMEMBER_NONCE)?.execute((nonce, until))? > 0)
}

/// What this version does not know among the scopes is passed over; among the networks it is a
/// fault, as leaving one out could open the key to everybody.
fn read_row(r: &Row) -> Result<Key> {
    let (scopes, networks) = (r.get::<_, String>(2)?, r.get::<_, String>(3)?);
    let networks = networks.split(',').filter(|text| !text.is_empty());
    Ok(Key {
        id: r.get(0)?,
        name: r.get(1)?,
        scopes: scopes.split(' ').filter_map(Scope::find).collect(),
        networks: networks
            .map(|text| text.parse().map_err(Error::internal))
            .collect::<Result<_>>()?,
        created_at: r.get(4)?,
        last_used_at: r.get(5)?,
        expires_at: r.get(6)?,
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_statement_prepares() {
        crate::db::sql::assert_prepares::<crate::tenancy::Control>(super::STATEMENTS);
    }
}
