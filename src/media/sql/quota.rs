//! Every statement about what each person keeps.

use crate::{
    base::{Result, ids::UserId},
    db::Read,
    sql,
    tenancy::Site,
};
use rusqlite::OptionalExtension;

sql! {
    USED = "SELECT files, bytes FROM user_usage WHERE user_id = ?1";
}

/// How many items somebody has, and the bytes of all their files.
pub(in crate::media) fn used(db: &Read<Site>, user: UserId) -> Result<(u64, u64)> {
    let amount = |n: i64| n.max(0).unsigned_abs();
    let mut statement = db.prepare_cached(USED)?;
    let found = statement.query_row([user], |r| Ok((amount(r.get(0)?), amount(r.get(1)?))));
    Ok(found.optional()?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_statement_prepares() {
        crate::db::sql::assert_prepares::<crate::tenancy::Site>(super::STATEMENTS);
    }
}
