//! Notices that somebody else changed a file, at the price of reading one number.

use crate::base::Result;
use rusqlite::Connection;

/// A connection that only looks whether others have written.
pub struct Watcher {
    conn: Connection,
    version: i64,
}

impl Watcher {
    pub(super) fn new(conn: Connection) -> Result<Self> {
        let version = version(&conn)?;
        Ok(Self { conn, version })
    }

    /// Whether the file was changed since the last time, by any other connection. Blocks.
    pub fn moved(&mut self) -> Result<bool> {
        let version = version(&self.conn)?;
        Ok(std::mem::replace(&mut self.version, version) != version)
    }
}

fn version(conn: &Connection) -> Result<i64> {
    Ok(conn.query_row("PRAGMA data_version", [], |r| r.get(0))?)
}
