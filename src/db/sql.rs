//! How a room writes down its statements.

use crate::base::clock::Millis;
use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

/// Declares a room's statements, and a list of them all for the test that prepares each one
/// against the real schema.
#[macro_export]
macro_rules! sql {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* const $name: &str = $text;)*
        #[cfg(test)]
        pub(crate) const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $text)),*];
    };
}

impl ToSql for Millis {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for Millis {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self)
    }
}

/// Prepares every statement against a schema in memory: a typo in a column fails by name.
#[cfg(test)]
pub(crate) fn assert_prepares<S: super::Schema>(statements: &[(&str, &str)]) {
    let db = rusqlite::Connection::open_in_memory().unwrap();
    for step in S::STEPS {
        db.execute_batch(step.sql).unwrap();
    }
    for (name, text) in statements {
        db.prepare(text).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}
