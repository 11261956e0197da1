//! How a tenant comes into the world.

use super::{Tenants, control};
use crate::base::{Result, ids::TenantId};

impl Tenants {
    /// Makes the tenant where there is none yet. The folder and its migrated file come first and
    /// the row last, so that a tenant that is listed is whole; a crash between leaves a folder
    /// that the next call completes.
    pub async fn provision(&self, id: &TenantId, name: &str) -> Result<()> {
        let asked = id.clone();
        if self.control.read(move |db| control::exists(db, &asked)).await? {
            return Ok(());
        }
        drop(self.open_folder(id.clone()).await?);
        let (id, name) = (id.clone(), name.to_owned());
        self.control.write(move |db| control::insert(db, &id, &name)).await
    }
}
