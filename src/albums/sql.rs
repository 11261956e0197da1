//! Every statement about albums.

use super::Album;
use crate::{
    base::{
        Clock, Result,
        ids::{AlbumId, MediaId, PublicId, UserId},
        page::{Ask, Cursor, From, Page},
        visibility::Visibility,
    },
    db::{Read, Write},
    media::InAlbum,
    sql,
    tenancy::Site,
};
use rusqlite::{OptionalExtension, Row, params};

/// The columns that [`read_row`] reads, in its order.
macro_rules! columns {
    () => {
        "a.id, a.public_id, a.owner_id, u.username, p.public_id, p.title, p.visibility, a.title,
         a.description, a.visibility, a.own_visibility, c.public_id, a.items, a.public_items,
         a.created_at, a.updated_at
         FROM albums a JOIN users u ON u.id = a.owner_id LEFT JOIN albums p ON p.id = a.parent_id
             LEFT JOIN media c ON c.id = a.cover_id"
    };
}
const BY_PUBLIC_ID: &str = concat!("SELECT ", columns!(), " WHERE a.public_id = ?1");

sql! {
    INSERT = "INSERT INTO albums (public_id, owner_id, title, own_visibility, visibility,
            created_at, updated_at)
        VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?5)";
    UPDATE = "UPDATE albums SET title = ?2, description = ?3, own_visibility = ?4,
            parent_id = ?5, cover_id = ?6, updated_at = max(updated_at + 1, ?7) WHERE id = ?1";
    /// An album and all that lie in it get what holds for them.
    SHOW = "WITH RECURSIVE tree(id, shown) AS (
            SELECT a.id, CASE WHEN 'private' IN (a.own_visibility, p.visibility) THEN 'private'
                WHEN 'unlisted' IN (a.own_visibility, p.visibility) THEN 'unlisted'
                ELSE 'public' END
            FROM albums a LEFT JOIN albums p ON p.id = a.parent_id WHERE a.id = ?1
            UNION ALL
            SELECT c.id, CASE WHEN 'private' IN (c.own_visibility, tree.shown) THEN 'private'
                WHEN 'unlisted' IN (c.own_visibility, tree.shown) THEN 'unlisted'
                ELSE 'public' END
            FROM tree JOIN albums c ON c.parent_id = tree.id)
        UPDATE albums SET visibility = (SELECT shown FROM tree WHERE tree.id = albums.id)
        WHERE id IN (SELECT id FROM tree)";
    /// From an album outwards.
    LINE = "WITH RECURSIVE line(id, parent_id) AS (
            SELECT id, parent_id FROM albums WHERE id = ?1
            UNION SELECT a.id, a.parent_id FROM line JOIN albums a ON a.id = line.parent_id)
        SELECT id FROM line LIMIT 100";
    /// How many albums lie in one another below this one, itself included.
    HEIGHT = "WITH RECURSIVE tree(id, depth) AS (
            SELECT ?1, 1
            UNION ALL SELECT a.id, depth + 1 FROM tree JOIN albums a ON a.parent_id = tree.id
            WHERE depth < 100)
        SELECT max(depth) FROM tree";
    TREE = "WITH RECURSIVE tree(id) AS (
            SELECT ?1 UNION SELECT a.id FROM tree JOIN albums a ON a.parent_id = tree.id)
        SELECT id FROM tree";
    ITEM_IN = "SELECT id FROM media WHERE public_id = ?1 AND album_id = ?2";
    OPEN_ITEMS = "WITH RECURSIVE tree(id) AS (
            SELECT ?1 UNION SELECT a.id FROM tree JOIN albums a ON a.parent_id = tree.id)
        SELECT m.public_id FROM tree JOIN media m ON m.album_id = tree.id
        WHERE m.visibility <> 'private' AND m.trashed_at IS NULL AND m.storage_id IS NOT NULL";
    KEEP_ITEMS_AS_THEY_ARE = "UPDATE media SET own_visibility = visibility
        WHERE album_id = ?1 AND own_visibility <> visibility";
    KEEP_ALBUMS_AS_THEY_ARE = "UPDATE albums SET own_visibility = visibility
        WHERE parent_id = ?1 AND own_visibility <> visibility";
    LIFT_ALBUMS = "UPDATE albums SET parent_id = (SELECT parent_id FROM albums WHERE id = ?1)
        WHERE parent_id = ?1";
    CALLED_THE_SAME = "SELECT count(*) FROM albums a JOIN albums b ON b.owner_id = a.owner_id
            AND b.parent_id IS a.parent_id AND b.title = a.title AND b.id <> a.id
        WHERE a.id = ?1";
    ITEMS = "SELECT public_id FROM media WHERE album_id = ?1 AND trashed_at IS NULL";
    DELETE = "DELETE FROM albums WHERE id = ?1";
}

/// What a list holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Filter {
    Public,
    PublicOr(UserId),
    PublicOf(UserId),
    Of(UserId),
    /// What lies in an album: all, or what everybody finds there.
    In(AlbumId, bool),
}

impl Filter {
    fn condition(self) -> &'static str {
        match self {
            Self::Public => "a.visibility = 'public' AND ?3 = ?3",
            Self::PublicOr(_) => "(a.visibility = 'public' OR a.owner_id = ?3)",
            Self::PublicOf(_) => "a.visibility = 'public' AND a.owner_id = ?3",
            Self::Of(_) => "a.owner_id = ?3",
            Self::In(_, true) => "a.parent_id = ?3",
            Self::In(_, false) => {
                "a.parent_id = ?3 AND a.own_visibility = 'public' AND a.visibility <> 'private'"
            }
        }
    }

    fn key(self) -> i64 {
        match self {
            // Bound, and compared with itself: the statement takes the same values for all.
            Self::Public => 0,
            Self::PublicOr(user) | Self::PublicOf(user) | Self::Of(user) => user.0,
            Self::In(album, _) => album.0,
        }
    }
}

/// With `outermost`, only those that lie in no other album.
fn statement(filter: Filter, outermost: bool, from: From) -> String {
    let (beyond, order) = match from {
        From::Start | From::After(_) => ("<", "DESC"),
        From::Before(_) => (">", "ASC"),
    };
    let outermost = if outermost { " AND a.parent_id IS NULL" } else { "" };
    format!(
        "SELECT {} WHERE {}{outermost} AND a.id {beyond} ?1 ORDER BY a.id {order} LIMIT ?2",
        columns!(),
        filter.condition()
    )
}

pub(super) fn list(
    db: &Read<Site>,
    filter: Filter,
    outermost: bool,
    ask: &Ask,
) -> Result<Page<Album>> {
    let key = match ask.from {
        From::Start => i64::MAX,
        From::After(Cursor(key)) | From::Before(Cursor(key)) => key,
    };
    let mut statement = db.prepare_cached(&statement(filter, outermost, ask.from))?;
    let rows = statement.query_map((key, ask.rows(), filter.key()), read_row)?;
    Ok(Page::of(ask, rows.collect::<rusqlite::Result<_>>()?, |album| album.id.0))
}

pub(super) fn get(db: &Read<Site>, id: &PublicId) -> Result<Option<Album>> {
    Ok(db.prepare_cached(BY_PUBLIC_ID)?.query_row([id], read_row).optional()?)
}

pub(super) fn insert(
    db: &Write<Site>,
    id: &PublicId,
    owner: UserId,
    title: &str,
    visibility: Visibility,
) -> Result<AlbumId> {
    let values = (id, owner, title, visibility.as_str(), Clock::now());
    db.prepare_cached(INSERT)?.execute(values)?;
    Ok(AlbumId(db.last_insert_rowid()))
}

/// What an edit may change of an album.
pub(super) struct Change<'a> {
    pub title: &'a str,
    pub description: Option<&'a str>,
    pub own_visibility: Visibility,
    pub parent: Option<AlbumId>,
    pub cover: Option<MediaId>,
}

pub(super) fn update(db: &Write<Site>, id: AlbumId, change: &Change) -> Result<()> {
    db.prepare_cached(UPDATE)?.execute(params![
        id,
        change.title,
        change.description,
        change.own_visibility.as_str(),
        change.parent,
        change.cover,
        Clock::now()
    ])?;
    show(db, id)
}

/// Works out what holds for an album and all that lie in it.
pub(super) fn show(db: &Write<Site>, id: AlbumId) -> Result<()> {
    db.prepare_cached(SHOW)?.execute([id])?;
    Ok(())
}

/// An album, the one it lies in, and so on outwards.
pub(super) fn line(db: &Read<Site>, id: AlbumId) -> Result<Vec<AlbumId>> {
    let mut statement = db.prepare_cached(LINE)?;
    let ids = statement.query_map([id], |r| r.get(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// How many albums lie in one another below this one, itself included.
pub(super) fn height(db: &Read<Site>, id: AlbumId) -> Result<u32> {
    Ok(db.prepare_cached(HEIGHT)?.query_row([id], |r| r.get(0))?)
}

/// An album and all that lie in it, from the outermost inwards.
pub(super) fn tree(db: &Read<Site>, id: AlbumId) -> Result<Vec<AlbumId>> {
    let mut statement = db.prepare_cached(TREE)?;
    let ids = statement.query_map([id], |r| r.get(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// Whether its owner has another album of its name in the same place.
pub(super) fn called_the_same(db: &Read<Site>, id: AlbumId) -> Result<bool> {
    let others = db.prepare_cached(CALLED_THE_SAME)?.query_row([id], |r| r.get::<_, i64>(0))?;
    Ok(others > 0)
}

/// The item, if it lies in this album.
pub(super) fn item_in(db: &Read<Site>, album: AlbumId, item: &PublicId) -> Result<Option<MediaId>> {
    let mut statement = db.prepare_cached(ITEM_IN)?;
    Ok(statement.query_row((item, album), |r| r.get(0)).optional()?)
}

/// Items anywhere in the album that more than their keepers may see, and whose bytes lie elsewhere.
pub(super) fn open_items(db: &Read<Site>, id: AlbumId) -> Result<Vec<PublicId>> {
    let mut statement = db.prepare_cached(OPEN_ITEMS)?;
    let ids = statement.query_map([id], |r| r.get(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn items(db: &Read<Site>, id: AlbumId) -> Result<Vec<PublicId>> {
    let mut statement = db.prepare_cached(ITEMS)?;
    let ids = statement.query_map([id], |r| r.get(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// Takes an album away. What lies in it moves to where it lay, and stays as hidden as it is.
pub(super) fn delete(db: &Write<Site>, id: AlbumId) -> Result<()> {
    db.prepare_cached(KEEP_ITEMS_AS_THEY_ARE)?.execute([id])?;
    db.prepare_cached(KEEP_ALBUMS_AS_THEY_ARE)?.execute([id])?;
    db.prepare_cached(LIFT_ALBUMS)?.execute([id])?;
    db.prepare_cached(DELETE)?.execute([id])?;
    Ok(())
}

fn read_row(r: &Row) -> rusqlite::Result<Album> {
    let count = |column| r.get::<_, i64>(column).map(|n| n.max(0).unsigned_abs());
    Ok(Album {
        id: r.get(0)?,
        public_id: r.get(1)?,
        owner: r.get(2)?,
        username: r.get(3)?,
        parent: match r.get(4)? {
            Some(public_id) => Some(InAlbum { public_id, title: r.get(5)?, visibility: r.get(6)? }),
            None => None,
        },
        title: r.get(7)?,
        description: r.get(8)?,
        visibility: r.get(9)?,
        own_visibility: r.get(10)?,
        cover: r.get(11)?,
        items: count(12)?,
        public_items: count(13)?,
        created_at: r.get(14)?,
        updated_at: r.get(15)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Schema, sql::assert_prepares};

    #[test]
    fn every_statement_prepares() {
        assert_prepares::<Site>(STATEMENTS);
        assert_prepares::<Site>(&[("BY_PUBLIC_ID", BY_PUBLIC_ID)]);
    }

    #[test]
    fn every_list_is_read_along_an_index() {
        let db = rusqlite::Connection::open_in_memory().unwrap();
        for step in Site::STEPS {
            db.execute_batch(step.sql).unwrap();
        }
        let (user, album) = (UserId(1), AlbumId(1));
        let filters = [
            Filter::Public,
            Filter::PublicOr(user),
            Filter::PublicOf(user),
            Filter::Of(user),
            Filter::In(album, true),
            Filter::In(album, false),
        ];
        for filter in filters {
            for from in [From::Start, From::After(Cursor(9)), From::Before(Cursor(9))] {
                let sql = format!("EXPLAIN QUERY PLAN {}", statement(filter, false, from));
                let mut plan = db.prepare(&sql).unwrap();
                let steps = plan.query_map((9, 25, filter.key()), |r| r.get::<_, String>(3));
                let steps: Vec<_> = steps.unwrap().map(Result::unwrap).collect();
                let plan = steps.join("; ");
                assert!(plan.contains("SEARCH a"), "{filter:?} {from:?}: {plan}");
                assert!(!plan.contains("TEMP B-TREE"), "{filter:?} {from:?}: {plan}");
            }
        }
    }
}
