//! Read-only connections, pooled by r2d2.

use super::connect;
use crate::base::Error;
use rusqlite::{Connection, OpenFlags};
use scheduled_thread_pool::ScheduledThreadPool;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
    time::Duration,
};

/// r2d2 starts three threads for every pool unless it is lent some. All files share this one.
static JANITOR: LazyLock<Arc<ScheduledThreadPool>> = LazyLock::new(|| {
    Arc::new(ScheduledThreadPool::builder().num_threads(1).thread_name_pattern("db-{}").build())
});

pub(super) fn pool(file: &Path, size: u32) -> r2d2::Pool<Readers> {
    r2d2::Pool::builder()
        .max_size(size)
        .min_idle(Some(0))
        // A pool that looks after its connections leaves a task behind that outlives it, for good
        // and for every file that was ever open. Files are closed when nobody uses them.
        .idle_timeout(None)
        .max_lifetime(None)
        .connection_timeout(Duration::from_secs(15))
        .test_on_check_out(false)
        .thread_pool(JANITOR.clone())
        .build_unchecked(Readers(file.to_owned()))
}

pub(super) struct Readers(PathBuf);

impl r2d2::ManageConnection for Readers {
    type Connection = Connection;
    type Error = Error;

    fn connect(&self) -> Result<Connection, Error> {
        let conn = connect(&self.0, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        conn.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cache_size = -1024;")?;
        Ok(conn)
    }

    fn is_valid(&self, conn: &mut Connection) -> Result<(), Error> {
        Ok(conn.execute_batch("")?)
    }

    fn has_broken(&self, _: &mut Connection) -> bool {
        false
    }
}
