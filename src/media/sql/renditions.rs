//! Every statement about films made of films.

use crate::{
    base::{Result, ids::MediaId},
    db::Write,
    media::{Role, Variant},
    sql,
    tenancy::Site,
};

sql! {
    FILES = "SELECT file FROM variants WHERE media_id = ?1 AND role = ?2";
    TAKE = "DELETE FROM variants WHERE media_id = ?1 AND role = ?2";
}

/// Forgets all files of an item that have this role. Returns their names.
pub(in crate::media) fn take(db: &Write<Site>, id: MediaId, role: Role) -> Result<Vec<String>> {
    let mut statement = db.prepare_cached(FILES)?;
    let files = statement.query_map((id, role.as_str()), |r| r.get(0))?;
    let files = files.collect::<rusqlite::Result<_>>()?;
    db.prepare_cached(TAKE)?.execute((id, role.as_str()))?;
    Ok(files)
}

pub(in crate::media) fn put(db: &Write<Site>, id: MediaId, new: &[Variant]) -> Result<()> {
    super::insert_variants(db, id, new)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_statement_prepares() {
        crate::db::sql::assert_prepares::<crate::tenancy::Site>(super::STATEMENTS);
    }
}
