//! Bringing the files of sites up to date ahead of their first use by this version.

use super::{Site, Tenants};
use crate::{
    base::{Error, Result, ids::TenantId},
    db::Db,
};

impl Tenants {
    /// Opens the site, which applies what its file misses of the schema, and closes it again.
    /// Returns whether anything was missing.
    ///
    /// # Errors
    /// Whatever keeps the site from being opened: a file that is gone, broken or too new.
    pub async fn migrate(&self, id: &TenantId) -> Result<bool> {
        let file = self.data.tenant_folder(id).join("site.sqlite");
        let look = tokio::task::spawn_blocking(move || match file.exists() {
            true => Db::<Site>::is_behind(&file),
            false => Err(Error::internal(format!("{} is missing", file.display()))),
        });
        let was_behind = look.await??;
        self.get(id).await?;
        Ok(was_behind)
    }
}
