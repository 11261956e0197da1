//! Every statement about media.

pub(super) mod albums;
mod av;
pub(super) mod listing;
pub(super) mod looks;
pub(super) mod moving;
pub(super) mod numbered;
pub(super) mod quota;
pub(super) mod regeneration;
pub(super) mod removals;
pub(super) mod renderings;
pub(super) mod renditions;
pub(super) mod shelf;
pub(super) mod watermark;

pub(super) use av::set_poster;

use super::{
    Facts, InAlbum, Kind, Media, NewMedia, Owner, Place, Role, Variant, film, original::Content,
};
use crate::{
    base::{
        Clock, Result,
        clock::Millis,
        ids::{MediaId, PublicId, UserId},
        secret::SecretHash,
    },
    db::{Read, Write},
    sql,
    storage::{Folder, LOCAL},
    tenancy::Site,
};
use rusqlite::{OptionalExtension, Row, params};

/// The columns that [`read_row`] reads, in its order.
macro_rules! columns {
    () => {
        "m.id, m.public_id, m.owner_id, u.username, m.title, m.description, m.filename, m.folder,
         m.file, m.mime, m.bytes, m.width, m.height, m.frames, m.is_animated, m.duration_ms,
         m.sha256, m.placeholder, m.color, m.metadata, m.taken_at, m.nsfw, m.visibility,
         m.delete_hash, m.created_at, m.updated_at, m.expires_at, m.trashed_at,
         m.source_file, coalesce(m.storage_id, 1), m.shared_folder, m.shared_file, m.kind,
         m.own_visibility, a.public_id, a.title, a.visibility
         FROM media m JOIN users u ON u.id = m.owner_id LEFT JOIN albums a ON a.id = m.album_id"
    };
}
const COLUMNS: &str = columns!();
const BY_PUBLIC_ID: &str = concat!("SELECT ", columns!(), " WHERE m.public_id = ?1");
const SAME_BYTES: &str = concat!(
    "SELECT ",
    columns!(),
    " WHERE m.owner_id = ?1 AND m.sha256 = ?2 AND m.trashed_at IS NULL
      AND (m.expires_at IS NULL OR m.expires_at > ?3) ORDER BY m.id DESC LIMIT 1"
);

sql! {
    INSERT = "INSERT INTO media (public_id, owner_id, kind, title, description, filename, folder,
        file, mime, bytes, width, height, frames, is_animated, duration_ms, sha256, placeholder,
        color, metadata, taken_at, nsfw, visibility, delete_hash, created_at, updated_at,
        expires_at, looks, source_file, source_mime, source_bytes, storage_id, shared_folder,
        shared_file, own_visibility, album_id, received_sha256,
        dav_name)
        VALUES (?1, ?2, ?32, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
                ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31,
                ?21, ?33, ?34, ?35)";
    INSERT_VARIANT = "INSERT INTO variants (media_id, name, file, mime, bytes, width, height, role)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    VARIANTS = "SELECT name, file, mime, bytes, width, height, role FROM variants WHERE media_id = ?1
        ORDER BY width * height DESC";
    INSERT_TAG = "INSERT INTO media_tags (media_id, position, tag) VALUES (?1, ?2, ?3)";
    DELETE_TAGS = "DELETE FROM media_tags WHERE media_id = ?1";
    TAGS = "SELECT tag FROM media_tags WHERE media_id = ?1 ORDER BY position";
    UPDATE = "UPDATE media SET title = ?2, description = ?3, nsfw = ?4, own_visibility = ?5,
        expires_at = ?6, updated_at = max(updated_at + 1, ?7) WHERE id = ?1";
    SET_TRASHED = "UPDATE media SET trashed_at = ?2, updated_at = max(updated_at + 1, ?3)
        WHERE id = ?1";
    DUE = "SELECT id FROM media WHERE expires_at <= ?1
        UNION SELECT id FROM media WHERE trashed_at <= ?2 LIMIT 500";
    FIRST_EXPIRY = "SELECT min(expires_at) FROM media WHERE expires_at IS NOT NULL";
    FIRST_TRASHED = "SELECT min(trashed_at) FROM media WHERE trashed_at IS NOT NULL";
    FILE = "SELECT m.owner_id, m.visibility, m.expires_at, m.trashed_at, m.folder, m.created_at,
            m.filename, m.file, m.mime, m.bytes, FALSE, coalesce(m.storage_id, 1),
            coalesce(m.shared_folder, m.folder), coalesce(m.shared_file, m.file)
        FROM media m WHERE m.public_id = ?1 AND m.file = ?2
        UNION ALL
        SELECT m.owner_id, m.visibility, m.expires_at, m.trashed_at, m.folder, m.created_at,
            v.file, v.file, v.mime, v.bytes, FALSE, coalesce(m.storage_id, 1), m.folder, v.file
        FROM media m JOIN variants v ON v.media_id = m.id WHERE m.public_id = ?1 AND v.file = ?2
        UNION ALL
        SELECT m.owner_id, m.visibility, m.expires_at, m.trashed_at, m.folder, m.created_at,
            m.source_file, m.source_file, m.source_mime, m.source_bytes, TRUE,
            coalesce(m.storage_id, 1), m.folder, m.source_file
        FROM media m WHERE m.public_id = ?1 AND m.source_file = ?2
        LIMIT 1";
}

/// Inserts the item with its variants and tags.
pub(super) fn insert(db: &Write<Site>, new: &NewMedia) -> Result<MediaId> {
    let original = &new.original;
    let source = original.source.as_ref();
    let content = &original.content;
    // Of sound its poster is all that there is to be seen.
    let shown = new.rendered.poster.as_ref().map(|poster| &poster.variant);
    let ((width, height), frames, is_animated) = match content {
        Content::Picture(probe) => (probe.upright(), probe.frames, probe.is_animated),
        Content::Film(probe) if probe.kind == crate::av::Kind::Video => {
            ((probe.width, probe.height), 1, false)
        }
        Content::Film(_) => {
            (shown.map_or((1, 1), |poster| (poster.width, poster.height)), 1, false)
        }
    };
    db.prepare_cached(INSERT)?.execute(params![
        new.public_id,
        new.owner,
        new.title,
        new.description,
        new.filename,
        new.folder,
        original.file,
        content.mime(),
        original.bytes as i64,
        width,
        height,
        frames,
        is_animated,
        content.duration_ms().map(|ms| i64::try_from(ms).unwrap_or(i64::MAX)),
        original.sha256,
        new.rendered.placeholder,
        new.rendered.color,
        serde_json::to_string(&original.metadata)?,
        original.metadata.taken_at,
        new.nsfw,
        new.visibility.as_str(),
        new.delete_hash.0,
        new.created_at,
        new.expires_at,
        new.rendered.looks.cast_signed(),
        source.map(|source| &source.file),
        source.map(|source| source.mime),
        source.map_or(0, |source| source.bytes as i64),
        Some(new.storage).filter(|storage| *storage != LOCAL),
        new.shared.as_ref().map(|(folder, _)| folder),
        new.shared.as_ref().map(|(_, file)| file),
        content.kind().as_str(),
        new.album,
        new.received,
        new.dav_name,
    ])?;
    let id = MediaId(db.last_insert_rowid());
    if let (Content::Film(probe), Some(poster)) = (content, &new.rendered.poster) {
        av::put(db, id, &film::Av::new(probe, poster))?;
        insert_variants(db, id, std::slice::from_ref(&poster.variant))?;
    }
    insert_variants(db, id, &new.rendered.variants)?;
    set_tags(db, id, new.tags.iter().chain(&new.told_tags).map(|t| t.as_str()))?;
    Ok(id)
}

fn insert_variants(db: &Write<Site>, id: MediaId, variants: &[Variant]) -> Result<()> {
    let mut insert = db.prepare_cached(INSERT_VARIANT)?;
    for v in variants {
        let (bytes, mime) = (v.bytes as i64, &v.mime);
        let role = v.role.as_str();
        insert.execute(params![id, v.name, v.file, mime, bytes, v.width, v.height, role])?;
    }
    Ok(())
}

fn set_tags<'a>(db: &Write<Site>, id: MediaId, tags: impl Iterator<Item = &'a str>) -> Result<()> {
    db.prepare_cached(DELETE_TAGS)?.execute([id])?;
    let mut insert = db.prepare_cached(INSERT_TAG)?;
    for (position, tag) in tags.enumerate() {
        insert.execute((id, position as i64, tag))?;
    }
    Ok(())
}

pub(super) fn get(db: &Read<Site>, id: &PublicId) -> Result<Option<Media>> {
    let row = db.prepare_cached(BY_PUBLIC_ID)?.query_row([id], read_row).optional()?;
    row.map(|media| complete(db, media)).transpose()
}

/// The owner's newest item with the same bytes that has neither expired nor been thrown away.
pub(super) fn same_bytes(
    db: &Read<Site>,
    owner: UserId,
    sha256: &[u8; 32],
) -> Result<Option<Media>> {
    let mut statement = db.prepare_cached(SAME_BYTES)?;
    let row = statement.query_row((owner, sha256, Clock::now()), read_row).optional()?;
    row.map(|media| complete(db, media)).transpose()
}

/// Adds what lies in other tables.
fn complete(db: &Read<Site>, mut media: Media) -> Result<Media> {
    let mut tags = db.prepare_cached(TAGS)?;
    media.tags = tags.query_map([media.id], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut variants = db.prepare_cached(VARIANTS)?;
    let read = |r: &Row| {
        Ok(Variant {
            name: r.get(0)?,
            file: r.get(1)?,
            mime: r.get(2)?,
            bytes: unsigned(r, 3)?,
            width: r.get(4)?,
            height: r.get(5)?,
            role: read_role(r, 6)?,
        })
    };
    if media.kind != Kind::Image {
        media.av = av::get(db, media.id)?;
    }
    media.variants = variants.query_map([media.id], read)?.collect::<rusqlite::Result<_>>()?;
    Ok(media)
}

/// Writes what an edit may have changed.
pub(super) fn update(db: &Write<Site>, media: &Media) -> Result<()> {
    db.prepare_cached(UPDATE)?.execute(params![
        media.id,
        media.title,
        media.description,
        media.nsfw,
        media.own_visibility.as_str(),
        media.expires_at,
        Clock::now()
    ])?;
    set_tags(db, media.id, media.tags.iter().map(String::as_str))
}

pub(super) fn set_trashed(db: &Write<Site>, id: MediaId, at: Option<Millis>) -> Result<()> {
    db.prepare_cached(SET_TRASHED)?.execute((id, at, Clock::now()))?;
    Ok(())
}

/// Up to 500 items that have expired, or were thrown away before `trashed_before`.
pub(super) fn due(db: &Read<Site>, trashed_before: Millis) -> Result<Vec<MediaId>> {
    let mut statement = db.prepare_cached(DUE)?;
    let ids = statement.query_map((Clock::now(), trashed_before), |r| r.get(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// When the first item expires.
pub(super) fn first_expiry(db: &Read<Site>) -> Result<Option<Millis>> {
    Ok(db.prepare_cached(FIRST_EXPIRY)?.query_row([], |r| r.get(0))?)
}

/// When the item that lies longest in the trash was put there.
pub(super) fn first_trashed(db: &Read<Site>) -> Result<Option<Millis>> {
    Ok(db.prepare_cached(FIRST_TRASHED)?.query_row([], |r| r.get(0))?)
}

/// One file of an item: the original or a variant.
#[derive(Clone)]
pub(super) struct FileRow {
    pub facts: Facts,
    pub folder: Folder,
    pub created_at: Millis,
    /// What to call it when it is downloaded.
    pub download_name: String,
    pub file: String,
    pub mime: String,
    pub bytes: u64,
    /// Whether this is the file as it was uploaded, which is its keepers' alone.
    pub is_source: bool,
    /// Where its bytes lie.
    pub place: Place,
}

impl FileRow {
    /// What tells this file from every other one of the site.
    pub(super) fn file_tag(&self) -> String {
        format!("{}-{}", self.folder.as_str().replace('/', "-"), self.file)
    }
}

pub(super) fn file(db: &Read<Site>, id: &PublicId, file: &str) -> Result<Option<FileRow>> {
    let read = |r: &Row| {
        Ok(FileRow {
            facts: Facts {
                owner: r.get(0)?,
                visibility: r.get(1)?,
                expires_at: r.get(2)?,
                trashed_at: r.get(3)?,
            },
            folder: r.get(4)?,
            created_at: r.get(5)?,
            download_name: r.get(6)?,
            file: r.get(7)?,
            mime: r.get(8)?,
            bytes: unsigned(r, 9)?,
            is_source: r.get(10)?,
            place: Place { storage: r.get(11)?, folder: r.get(12)?, file: r.get(13)? },
        })
    };
    Ok(db.prepare_cached(FILE)?.query_row((id, file), read).optional()?)
}

fn read_row(r: &Row) -> rusqlite::Result<Media> {
    Ok(Media {
        id: r.get(0)?,
        public_id: r.get(1)?,
        owner: Owner { id: r.get(2)?, username: r.get(3)? },
        title: r.get(4)?,
        description: r.get(5)?,
        filename: r.get(6)?,
        folder: r.get(7)?,
        file: r.get(8)?,
        mime: r.get(9)?,
        bytes: unsigned(r, 10)?,
        width: r.get(11)?,
        height: r.get(12)?,
        frames: r.get(13)?,
        is_animated: r.get(14)?,
        duration_ms: r.get::<_, Option<i64>>(15)?.map(i64::unsigned_abs),
        sha256: r.get(16)?,
        placeholder: r.get(17)?,
        color: r.get(18)?,
        // Written by another version, it may hold less than this one knows.
        metadata: serde_json::from_str(&r.get::<_, String>(19)?).unwrap_or_default(),
        taken_at: r.get(20)?,
        nsfw: r.get(21)?,
        visibility: r.get(22)?,
        delete_hash: SecretHash(r.get(23)?),
        created_at: r.get(24)?,
        updated_at: r.get(25)?,
        expires_at: r.get(26)?,
        trashed_at: r.get(27)?,
        tags: Vec::new(),
        variants: Vec::new(),
        source_file: r.get(28)?,
        storage: r.get(29)?,
        shared: match r.get::<_, Option<Folder>>(30)? {
            Some(folder) => Some((folder, r.get(31)?)),
            None => None,
        },
        kind: match r.get_ref(32)?.as_str()? {
            "video" => Kind::Video,
            "audio" => Kind::Audio,
            _ => Kind::Image,
        },
        av: None,
        own_visibility: r.get(33)?,
        album: match r.get(34)? {
            Some(public_id) => {
                Some(InAlbum { public_id, title: r.get(35)?, visibility: r.get(36)? })
            }
            None => None,
        },
    })
}

/// The schema admits no other words.
fn read_role(r: &Row, column: usize) -> rusqlite::Result<Role> {
    let word = r.get_ref(column)?.as_str()?;
    Ok(Role::ALL.into_iter().find(|role| role.as_str() == word).unwrap_or(Role::Picture))
}

fn unsigned(r: &Row, column: usize) -> rusqlite::Result<u64> {
    r.get::<_, i64>(column).map(i64::unsigned_abs)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_statement_prepares() {
        use crate::{db::sql::assert_prepares, tenancy::Site};
        assert_prepares::<Site>(super::STATEMENTS);
        assert_prepares::<Site>(&[
            ("BY_PUBLIC_ID", super::BY_PUBLIC_ID),
            ("SAME_BYTES", super::SAME_BYTES),
        ]);
    }
}
