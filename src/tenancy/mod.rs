//! One tenant = one handle = one database file + one place for bytes + one key.
//!
//! There is no `tenant_id` column to forget: a query can only reach the file its handle owns, and
//! a blob can only be named inside the handle's own folder.

mod control;
mod data_dir;
mod lifecycle;
mod registry;

pub use control::Control;
pub use data_dir::{DataDir, Lock};
pub use registry::Tenants;

use crate::{
    base::{Result, ids::TenantId, secret::Key},
    db::{Db, Read, Schema, Step, Write},
    storage::Store,
};
use std::path::Path;

/// The schema of a tenant's own file.
pub enum Site {}

impl Schema for Site {
    const STEPS: &[Step] = &[
        Step { name: "0001_accounts", sql: include_str!("../../schema/tenant/0001_accounts.sql") },
        Step { name: "0002_media", sql: include_str!("../../schema/tenant/0002_media.sql") },
        Step { name: "0003_site", sql: include_str!("../../schema/tenant/0003_site.sql") },
    ];
}

/// Everything of one site. Whoever holds it may reach that site and no other.
pub struct Tenant {
    pub id: TenantId,
    db: Db<Site>,
    store: Store,
    key: Key,
    origin: Option<String>,
}

impl Tenant {
    /// Opens what lies in the tenant's folder. Blocks.
    fn open(
        id: TenantId,
        folder: &Path,
        appliance_key: &Key,
        origin: Option<String>,
    ) -> Result<Self> {
        let store = Store::open(folder)?;
        let db = Db::open(&folder.join("site.sqlite"))?;
        let key = appliance_key.derive(&format!("tenant/{id}"));
        Ok(Self { id, db, store, key, origin })
    }

    /// Looks at the tenant's rows.
    pub async fn read<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Read<Site>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.db.read(f).await
    }

    /// Changes the tenant's rows in one transaction, or not at all.
    pub async fn write<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Write<Site>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.db.write(f).await
    }

    /// Where the tenant is found from outside, as in `https://media.example`, if that is settled.
    pub fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// The tenant's bytes.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// A key of this tenant for one purpose: what it signs, no other tenant can verify.
    pub fn key(&self, purpose: &str) -> Key {
        self.key.derive(purpose)
    }
}
