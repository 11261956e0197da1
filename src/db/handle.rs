//! What a statement may be run on. `Read` cannot write; `Write` is inside a transaction.

use crate::base::Result;
use rusqlite::{Connection, TransactionBehavior};
use std::{marker::PhantomData, ops::Deref};

/// A connection that may look but not touch.
pub struct Read<'c, S>(&'c Connection, PhantomData<S>);

/// A transaction. Whatever takes `&Write` runs inside it; it reads as well.
pub struct Write<'t, S>(Read<'t, S>);

impl<'c, S> Read<'c, S> {
    pub(super) fn new(conn: &'c Connection) -> Self {
        Self(conn, PhantomData)
    }
}

impl<S> Deref for Read<'_, S> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.0
    }
}

impl<'t, S> Deref for Write<'t, S> {
    type Target = Read<'t, S>;

    fn deref(&self) -> &Read<'t, S> {
        &self.0
    }
}

pub(super) fn in_transaction<S, T>(
    conn: &mut Connection,
    f: impl FnOnce(&Write<S>) -> Result<T>,
) -> Result<T> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let out = f(&Write(Read::new(&tx)))?;
    tx.commit()?;
    Ok(out)
}
