//! The files of `schema/`, in order, once each, never backwards.

use crate::base::{Clock, Error, Result};
use rusqlite::{Connection, TransactionBehavior};

/// One file of `schema/`: its name without the ending, and its text.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    pub name: &'static str,
    pub sql: &'static str,
}

const LOG: &str = "CREATE TABLE IF NOT EXISTS schema_steps (
    step INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT;";

fn version(conn: &Connection) -> Result<usize> {
    let version: i64 = conn.query_row("PRAGMA user_version", [], |r| r.get(0))?;
    usize::try_from(version).map_err(Error::internal)
}

pub(super) fn refuse_newer(conn: &Connection, steps: &[Step]) -> Result<()> {
    if version(conn)? > steps.len() {
        return Err(Error::Conflict {
            code: "schema_newer",
            reason: "this database was written by a newer Vitrina: use that version or a later one",
        });
    }
    Ok(())
}

pub(super) fn is_behind(conn: &Connection, steps: &[Step]) -> Result<bool> {
    Ok(version(conn)? < steps.len())
}

/// Applies what is missing, each step in a transaction of its own. Two processes may open the
/// same file at once, so the version is read again inside the transaction.
pub(super) fn migrate(conn: &mut Connection, steps: &[Step]) -> Result<()> {
    while version(conn)? < steps.len() {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = version(&tx)?;
        if let Some(step) = steps.get(done) {
            tx.execute_batch(LOG)?;
            tx.execute_batch(step.sql)
                .map_err(|e| Error::internal(format!("schema step {}: {e}", step.name)))?;
            tx.execute(
                "INSERT INTO schema_steps (step, name, applied_at) VALUES (?1, ?2, ?3)",
                (done as i64 + 1, step.name, Clock::now().0),
            )?;
            tx.pragma_update(None, "user_version", done as i64 + 1)?;
            tracing::info!(step = step.name, "schema step applied");
        }
        tx.commit()?;
    }
    Ok(())
}
