//! SQLite on an async runtime: many readers, one writer, and never a blocked runtime thread.
//! It knows how to open, read, write and migrate a file, and nothing of what is in it.

mod handle;
mod migrate;
mod readers;
pub mod sql;
mod watcher;
mod writer;

pub use handle::{Read, Write};
pub use migrate::Step;
pub use watcher::Watcher;

use crate::base::{Error, Result};
use readers::Readers;
use rusqlite::{Connection, OpenFlags};
use std::{
    marker::PhantomData,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::oneshot;
use writer::Writer;

/// Which kind of database a handle is for. A statement written for one cannot be run on another.
pub trait Schema: 'static {
    /// The files of `schema/`, in order. Once released, a step is never edited.
    const STEPS: &[Step];
}

/// How long a connection waits for another process to finish its write.
const BUSY: Duration = Duration::from_secs(10);
/// Readers per file. They share one pool of helper threads with every other file.
const READERS: u32 = 4;

const PRAGMAS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
    PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;
    PRAGMA cache_size = -1024;";

/// One open database file.
pub struct Db<S> {
    schema: PhantomData<fn() -> S>,
    file: PathBuf,
    readers: r2d2::Pool<Readers>,
    writer: Arc<Writer>,
    writes: Arc<AtomicU64>,
}

impl<S: Schema> Db<S> {
    /// Opens the file, makes it where it is missing, and brings its schema up to date. Blocks.
    ///
    /// # Errors
    /// `Conflict` with code `schema_newer`, before anything is touched, where a newer Vitrina
    /// wrote the file.
    pub fn open(file: &Path) -> Result<Self> {
        let mut conn =
            connect(file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        migrate::refuse_newer(&conn, S::STEPS)?;
        conn.execute_batch(PRAGMAS)?;
        migrate::migrate(&mut conn, S::STEPS)?;
        let readers = readers::pool(file, READERS);
        let writer = Arc::new(Writer::new(conn));
        let writes = Arc::default();
        Ok(Self { schema: PhantomData, file: file.to_owned(), readers, writer, writes })
    }

    /// The files that belong to the database `file`: itself, its log and its index.
    pub fn files(file: &Path) -> [PathBuf; 3] {
        ["", "-wal", "-shm"].map(|end| {
            let mut name = file.as_os_str().to_owned();
            name.push(end);
            name.into()
        })
    }

    /// Whether the file misses steps of the schema, as it lies there. Blocks.
    ///
    /// # Errors
    /// `Conflict` with code `schema_newer` where a newer Vitrina wrote it.
    pub fn is_behind(file: &Path) -> Result<bool> {
        let conn = connect(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        migrate::refuse_newer(&conn, S::STEPS)?;
        migrate::is_behind(&conn, S::STEPS)
    }

    /// [`read`](Self::read) for threads that may block.
    pub fn read_now<T>(&self, f: impl FnOnce(&Read<S>) -> Result<T>) -> Result<T> {
        f(&Read::new(&*self.readers.get()?))
    }

    /// [`write`](Self::write) for threads that may block, on a connection of its own.
    pub fn write_now<T>(&self, f: impl FnOnce(&Write<S>) -> Result<T>) -> Result<T> {
        let mut conn = connect(&self.file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        conn.execute_batch(PRAGMAS)?;
        let written = handle::in_transaction(&mut conn, f);
        self.writes.fetch_add(1, Ordering::Release);
        written
    }

    /// Moves with every write through this handle, before whoever asked for it hears of it: what
    /// was read since the number last moved is what stands there, unless another process wrote.
    pub fn writes(&self) -> u64 {
        self.writes.load(Ordering::Acquire)
    }

    /// A copy of the database as it is at one moment, complete in one file, while others read
    /// and write. `to` must not exist yet.
    pub async fn copy(&self, to: &Path) -> Result<()> {
        let (from, to) = (self.file.clone(), to.to_owned());
        let copied = tokio::task::spawn_blocking(move || {
            let conn = connect(&from, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            let name =
                to.to_str().ok_or_else(|| Error::invalid("to", "must be a readable path"))?;
            conn.execute("VACUUM INTO ?1", [name])?;
            Ok(std::fs::File::open(&to)?.sync_all()?)
        });
        copied.await?
    }

    /// Tells when others change the file. Blocks.
    pub fn watch(&self) -> Result<Watcher> {
        Watcher::new(connect(&self.file, OpenFlags::SQLITE_OPEN_READ_ONLY)?)
    }

    /// Runs `f` on a connection that cannot write.
    pub async fn read<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Read<S>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let pool = self.readers.clone();
        let span = tracing::Span::current();
        tokio::task::spawn_blocking(move || span.in_scope(|| f(&Read::new(&*pool.get()?)))).await?
    }

    /// Runs `f` in one `BEGIN IMMEDIATE`, after every write that was asked for before it. An error
    /// rolls everything back.
    pub async fn write<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Write<S>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (done, result) = oneshot::channel();
        let span = tracing::Span::current();
        let writes = self.writes.clone();
        self.writer.clone().push(Box::new(move |conn| {
            let written = span.in_scope(|| handle::in_transaction(conn, f));
            writes.fetch_add(1, Ordering::Release);
            // The asker may have hung up; the write stands all the same.
            let _ = done.send(written);
        }));
        result.await?
    }
}

fn connect(file: &Path, flags: OpenFlags) -> Result<Connection> {
    let conn = Connection::open_with_flags(file, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(|e| Error::internal(format!("{}: {e}", file.display())))?;
    conn.busy_timeout(BUSY)?;
    conn.set_prepared_statement_cache_capacity(64);
    Ok(conn)
}

#[cfg(test)]
mod tests {
    use super::*;

    enum Notes {}
    impl Schema for Notes {
        const STEPS: &[Step] =
            &[Step { name: "0001_notes", sql: "CREATE TABLE n (i INTEGER PRIMARY KEY) STRICT;" }];
    }

    #[tokio::test]
    async fn writes_keep_their_order_and_survive_a_panic() {
        let dir = tempfile::tempdir().unwrap();
        let db: Arc<Db<Notes>> = Arc::new(Db::open(&dir.path().join("n.sqlite")).unwrap());
        let boom: Result<()> = db
            .write(|db| {
                db.execute("INSERT INTO n VALUES (99)", [])?;
                panic!("boom")
            })
            .await;
        assert!(boom.is_err());
        let writes: Vec<_> = (0..50)
            .map(|i| {
                let db = db.clone();
                tokio::spawn(async move {
                    db.write(move |db| Ok(db.execute("INSERT INTO n VALUES (?1)", [i])?)).await
                })
            })
            .collect();
        for write in writes {
            write.await.unwrap().unwrap();
        }
        let count =
            db.read(|db| Ok(db.query_row("SELECT count(*) FROM n", [], |r| r.get::<_, i64>(0))?));
        assert_eq!(count.await.unwrap(), 50);
    }

    #[tokio::test]
    async fn a_reader_cannot_write() {
        let dir = tempfile::tempdir().unwrap();
        let db: Db<Notes> = Db::open(&dir.path().join("n.sqlite")).unwrap();
        let refused = db.read(|db| Ok(db.execute("INSERT INTO n VALUES (1)", [])?)).await;
        assert!(refused.unwrap_err().in_full().contains("readonly"));
    }

    #[test]
    fn a_newer_file_is_refused_and_untouched() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("n.sqlite");
        drop(Db::<Notes>::open(&file).unwrap());
        let newer = Connection::open_with_flags(&file, OpenFlags::default()).unwrap();
        newer.pragma_update(None, "user_version", 7).unwrap();
        drop(newer);
        let before = std::fs::read(&file).unwrap();
        let refused = Db::<Notes>::open(&file).err().unwrap();
        assert!(matches!(refused, Error::Conflict { code: "schema_newer", .. }));
        assert_eq!(std::fs::read(&file).unwrap(), before);
    }
}
