//! Every statement about a site as a whole. They are run on live sites and on copies of them.

use crate::{
    base::{Result, clock::Millis, ids::StorageId},
    db::{Read, Write},
    sql,
    storage::Folder,
    tenancy::Site,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use rusqlite::{Row, types::ValueRef};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

sql! {
    FOLDERS = "SELECT folder FROM media ORDER BY folder";
    FILES = "SELECT m.folder, m.file, m.bytes, m.sha256, FALSE, coalesce(m.storage_id, 1),
            coalesce(m.shared_folder, m.folder), coalesce(m.shared_file, m.file) FROM media m
        UNION ALL SELECT m.folder, v.file, v.bytes, NULL, TRUE, coalesce(m.storage_id, 1),
            m.folder, v.file FROM media m JOIN variants v ON v.media_id = m.id
        UNION ALL SELECT m.folder, m.source_file, m.source_bytes, NULL, FALSE,
            coalesce(m.storage_id, 1), m.folder, m.source_file FROM media m
            WHERE m.source_file IS NOT NULL ORDER BY 1, 2";
    // Those whose files are not all in their own folder here.
    SCATTERED = "SELECT folder FROM media WHERE storage_id IS NOT NULL OR shared_folder IS NOT NULL";
    BYTES = "SELECT coalesce((SELECT sum(bytes + source_bytes) FROM media), 0)
        + coalesce((SELECT sum(bytes) FROM variants), 0)";
    DROP_SESSIONS = "DELETE FROM sessions";
    DROP_LINKS = "DELETE FROM login_links";
    DROP_SETUP = "DELETE FROM setup";
    DROP_HOLDS = "DELETE FROM holds";
    DROP_REMOVALS = "DELETE FROM removals";
    BRING_HOME = "UPDATE media SET storage_id = NULL, shared_folder = NULL, shared_file = NULL
        WHERE storage_id IS NOT NULL OR shared_folder IS NOT NULL";
    DROP_STORAGES = "DELETE FROM storages WHERE id <> 1";
    DROP_UPLOADS = "DELETE FROM resumable_uploads";
    DROP_TWINS = "DELETE FROM jobs AS r WHERE r.state = 'running' AND EXISTS (SELECT 1 FROM jobs w
        WHERE w.state = 'waiting' AND w.kind = r.kind AND w.key = r.key)";
    DROP_ERRANDS = "DELETE FROM jobs WHERE kind IN ('move_media', 'purge_cache')";
    PUT_BACK_JOBS = "UPDATE jobs SET state = 'waiting', holder = NULL WHERE state = 'running'";
    CHECK = "PRAGMA integrity_check(1)";
    CHECK_KEYS = "PRAGMA foreign_key_check";
    SCHEMA = "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema
        WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type, name";
    USERS = "SELECT username, email, role, created_at, updated_at FROM users ORDER BY id";
    MEDIA = "SELECT m.id, m.public_id, u.username, m.kind, m.title, m.description, m.filename,
            m.folder, m.file, m.mime, m.bytes, m.width, m.height, m.frames, m.is_animated,
            m.duration_ms, m.sha256, m.placeholder, m.color, m.metadata, m.taken_at, m.nsfw,
            m.visibility, m.created_at, m.updated_at, m.expires_at, m.trashed_at, m.source_file
        FROM media m JOIN users u ON u.id = m.owner_id ORDER BY m.id";
    TAGS = "SELECT tag FROM media_tags WHERE media_id = ?1 ORDER BY position";
    VARIANTS = "SELECT name, file, mime, bytes, width, height FROM variants WHERE media_id = ?1
        ORDER BY name";
    ALL_USERS = "SELECT * FROM users ORDER BY id";
    ALL_TOKENS = "SELECT id, public_id, user_id, name, secret_hash, scopes, created_at, expires_at
        FROM tokens ORDER BY id";
    ALL_SETTINGS = "SELECT * FROM settings ORDER BY key";
    ALL_MEDIA = "SELECT id, public_id, owner_id, kind, title, description, filename, folder, file,
            mime, bytes, width, height, frames, is_animated, duration_ms, sha256, placeholder,
            color, metadata, taken_at, nsfw, visibility, own_visibility, album_id, delete_hash,
            created_at, updated_at, expires_at, trashed_at, looks, source_file, source_mime, source_bytes
        FROM media ORDER BY id";
    ALL_ALBUMS = "SELECT * FROM albums ORDER BY id";
    ALL_VARIANTS = "SELECT * FROM variants ORDER BY media_id, name";
    ALL_TAGS = "SELECT * FROM media_tags ORDER BY media_id, position";
    ALL_MARKS = "SELECT * FROM watermark";
    ALL_BLOCKED = "SELECT * FROM blocked_pictures ORDER BY id";
}

/// What makes one site the same as another: everything that people put there. What comes and
/// goes by itself (sessions, counters, when a token was last used) is no part of it.
const LASTING: &[&str] = &[
    ALL_USERS,
    ALL_TOKENS,
    ALL_SETTINGS,
    ALL_MEDIA,
    ALL_ALBUMS,
    ALL_VARIANTS,
    ALL_TAGS,
    ALL_MARKS,
    ALL_BLOCKED,
];

/// A file that a row names.
pub(super) struct Named {
    pub folder: Folder,
    pub file: String,
    pub bytes: u64,
    /// Known of originals.
    pub sha256: Option<[u8; 32]>,
    /// Whether it was made of an original, and can be made again.
    pub is_variant: bool,
    /// Where it lies: a storage, and the folder and the name there.
    pub storage: StorageId,
    pub place: (Folder, String),
}

pub(super) fn folders(db: &Read<Site>) -> Result<Vec<String>> {
    let mut statement = db.prepare(FOLDERS)?;
    let rows = statement.query_map([], |r| r.get::<_, Folder>(0))?;
    rows.map(|folder| Ok(folder?.as_str().to_owned())).collect()
}

/// Goes through every file that a row names, folder by folder.
pub(super) fn each_file(db: &Read<Site>, mut f: impl FnMut(Named) -> Result<()>) -> Result<()> {
    let mut statement = db.prepare(FILES)?;
    let mut rows = statement.query([])?;
    while let Some(r) = rows.next()? {
        let (folder, file) = (r.get(0)?, r.get(1)?);
        let (bytes, sha256, is_variant) = (unsigned(r, 2)?, r.get(3)?, r.get(4)?);
        let (storage, place) = (r.get(5)?, (r.get(6)?, r.get(7)?));
        f(Named { folder, file, bytes, sha256, is_variant, storage, place })?;
    }
    Ok(())
}

/// The bytes of all files that rows name.
pub(super) fn bytes(db: &Read<Site>) -> Result<u64> {
    Ok(db.query_row(BYTES, [], |r| unsigned(r, 0))?)
}

/// The folders of items whose files are not all there.
pub(super) fn scattered(db: &Read<Site>) -> Result<BTreeSet<String>> {
    let mut statement = db.prepare(SCATTERED)?;
    let rows = statement.query_map([], |r| r.get::<_, Folder>(0))?;
    rows.map(|folder| Ok(folder?.as_str().to_owned())).collect()
}

const LEFT_BEHIND: &[&str] = &[
    DROP_SESSIONS,
    DROP_LINKS,
    DROP_SETUP,
    DROP_HOLDS,
    DROP_REMOVALS,
    DROP_UPLOADS,
    BRING_HOME,
    DROP_STORAGES,
    DROP_TWINS,
    DROP_ERRANDS,
    PUT_BACK_JOBS,
];

/// Takes out what belongs to the place where the copy was taken: who was signed in there, what was
/// only on its way in, where bytes lay outside of it, and what was to be done with bytes that are
/// no part of the copy. Jobs that run there wait here.
pub(super) fn detach(db: &Write<Site>) -> Result<()> {
    for statement in LEFT_BEHIND {
        db.execute(statement, [])?;
    }
    Ok(())
}

/// What is wrong with the file, if anything is.
pub(super) fn fault(db: &Read<Site>) -> Result<Option<String>> {
    let found: String = db.query_row(CHECK, [], |r| r.get(0))?;
    if found != "ok" {
        return Ok(Some(found));
    }
    let dangling = db.prepare(CHECK_KEYS)?.exists([])?;
    Ok(dangling.then(|| "a row names another one that is not there".to_owned()))
}

/// Every table, index and trigger with its text.
pub(super) fn schema(db: &Read<Site>) -> Result<Vec<[String; 4]>> {
    let mut statement = db.prepare(SCHEMA)?;
    let rows = statement.query_map([], |r| Ok([r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?]))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Hashes all rows that make up a site.
pub(super) fn hash_rows(db: &Read<Site>, into: &mut Sha256) -> Result<()> {
    for text in LASTING {
        let mut statement = db.prepare(text)?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        into.update(b"table");
        while let Some(r) = rows.next()? {
            for column in 0..columns {
                hash_value(r.get_ref(column)?, into);
            }
        }
    }
    Ok(())
}

fn hash_value(value: ValueRef, into: &mut Sha256) {
    let (kind, bytes) = match value {
        ValueRef::Null => (0u8, Vec::new()),
        ValueRef::Integer(n) => (1, n.to_be_bytes().to_vec()),
        ValueRef::Real(x) => (2, x.to_be_bytes().to_vec()),
        ValueRef::Text(bytes) => (3, bytes.to_vec()),
        ValueRef::Blob(bytes) => (4, bytes.to_vec()),
    };
    into.update([kind]);
    into.update((bytes.len() as u64).to_be_bytes());
    into.update(bytes);
}

/// People as an export shows them: nothing of what proves that it is them.
pub(super) fn users(db: &Read<Site>) -> Result<Vec<Value>> {
    let mut statement = db.prepare(USERS)?;
    let rows = statement.query_map([], |r| {
        Ok(json!({
            "username": r.get::<_, String>(0)?,
            "email": r.get::<_, String>(1)?,
            "role": r.get::<_, String>(2)?,
            "created_at": time(r, 3)?,
            "updated_at": time(r, 4)?,
        }))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Goes through all items as an export shows them.
pub(super) fn each_media(db: &Read<Site>, mut f: impl FnMut(Value) -> Result<()>) -> Result<()> {
    let (mut statement, mut tags, mut variants) =
        (db.prepare(MEDIA)?, db.prepare(TAGS)?, db.prepare(VARIANTS)?);
    let mut rows = statement.query([])?;
    while let Some(r) = rows.next()? {
        let id: i64 = r.get(0)?;
        let mut media = read_media(r)?;
        let tags = tags.query_map([id], |r| r.get::<_, String>(0))?;
        media["tags"] = tags.collect::<rusqlite::Result<Vec<_>>>()?.into();
        let variants = variants.query_map([id], read_variant)?;
        media["variants"] = variants.collect::<rusqlite::Result<Vec<_>>>()?.into();
        f(media)?;
    }
    Ok(())
}

fn read_media(r: &Row) -> rusqlite::Result<Value> {
    let (folder, file): (String, String) = (r.get(7)?, r.get(8)?);
    let metadata: String = r.get(19)?;
    Ok(json!({
        "id": r.get::<_, String>(1)?,
        "owner": r.get::<_, String>(2)?,
        "kind": r.get::<_, String>(3)?,
        "title": r.get::<_, Option<String>>(4)?,
        "description": r.get::<_, Option<String>>(5)?,
        "filename": r.get::<_, String>(6)?,
        "original": format!("originals/{folder}/{file}"),
        "folder": folder,
        "file": file,
        "mime": r.get::<_, String>(9)?,
        "bytes": unsigned(r, 10)?,
        "width": unsigned(r, 11)?,
        "height": unsigned(r, 12)?,
        "frames": unsigned(r, 13)?,
        "is_animated": r.get::<_, bool>(14)?,
        "duration_ms": r.get::<_, Option<i64>>(15)?,
        "sha256": hex(&r.get::<_, [u8; 32]>(16)?),
        "placeholder": STANDARD.encode(r.get::<_, Vec<u8>>(17)?),
        "color": format!("#{:06x}", r.get::<_, u32>(18)?),
        "metadata": serde_json::from_str::<Value>(&metadata).unwrap_or_default(),
        "taken_at": r.get::<_, Option<String>>(20)?,
        "nsfw": r.get::<_, bool>(21)?,
        "visibility": r.get::<_, String>(22)?,
        "created_at": time(r, 23)?,
        "updated_at": time(r, 24)?,
        "expires_at": time(r, 25)?,
        "trashed_at": time(r, 26)?,
        "source_file": r.get::<_, Option<String>>(27)?,
    }))
}

fn read_variant(r: &Row) -> rusqlite::Result<Value> {
    Ok(json!({
        "name": r.get::<_, String>(0)?,
        "file": r.get::<_, String>(1)?,
        "mime": r.get::<_, String>(2)?,
        "bytes": unsigned(r, 3)?,
        "width": unsigned(r, 4)?,
        "height": unsigned(r, 5)?,
    }))
}

fn time(r: &Row, column: usize) -> rusqlite::Result<Option<String>> {
    Ok(r.get::<_, Option<Millis>>(column)?.map(Millis::to_rfc3339))
}

fn unsigned(r: &Row, column: usize) -> rusqlite::Result<u64> {
    r.get::<_, i64>(column).map(|n| n.max(0).unsigned_abs())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_statement_prepares() {
        crate::db::sql::assert_prepares::<crate::tenancy::Site>(super::STATEMENTS);
    }
}
