//! Finds the tenant of a request and keeps the busy ones open.

use super::{Control, DataDir, Tenant, control};
use crate::{
    base::{Error, Result, ids::TenantId},
    db::Db,
};
use mini_moka::sync::Cache;
use std::sync::Arc;

/// Each open tenant costs up to fifteen file descriptors: a file, its log and its index for the
/// writer and for each reader.
const OPEN_AT_MOST: u64 = 256;

/// All tenants of this appliance.
pub struct Tenants {
    pub(super) data: DataDir,
    pub(super) control: Db<Control>,
    /// The canonical origin of the main tenant.
    origin: Option<String>,
    open: Cache<TenantId, Arc<Tenant>>,
    /// Held while a tenant is being opened, so that none is opened twice.
    opening: tokio::sync::Mutex<()>,
}

impl Tenants {
    /// Opens the control file. `origin` is where the main tenant is found from outside. Blocks.
    pub fn open(data: DataDir, origin: Option<String>) -> Result<Self> {
        let control = Db::open(&data.control_file())?;
        let open = Cache::new(OPEN_AT_MOST);
        Ok(Self { data, control, origin, open, opening: tokio::sync::Mutex::default() })
    }

    /// The tenant with this id, opened where it is not.
    ///
    /// # Errors
    /// `NotFound` where there is none.
    pub async fn get(&self, id: &TenantId) -> Result<Arc<Tenant>> {
        if let Some(tenant) = self.open.get(id) {
            return Ok(tenant);
        }
        let _one_at_a_time = self.opening.lock().await;
        if let Some(tenant) = self.open.get(id) {
            return Ok(tenant);
        }
        let asked = id.clone();
        if !self.control.read(move |db| control::exists(db, &asked)).await? {
            return Err(Error::NotFound("site"));
        }
        let tenant = Arc::new(self.open_folder(id.clone()).await?);
        self.open.insert(id.clone(), tenant.clone());
        Ok(tenant)
    }

    /// The tenant that a request is for. An appliance with a single site answers to every name.
    pub async fn by_host(&self, _host: &str) -> Result<Arc<Tenant>> {
        self.get(&TenantId::main()).await
    }

    /// Whether tenants can be found and opened.
    pub async fn check(&self) -> Result<()> {
        let tenant = self.get(&TenantId::main()).await?;
        tenant.read(|_| Ok(())).await
    }

    /// Every tenant there is, open or not.
    pub async fn ids(&self) -> Result<Vec<TenantId>> {
        self.control.read(control::all).await
    }

    pub(super) async fn open_folder(&self, id: TenantId) -> Result<Tenant> {
        let folder = self.data.tenant_folder(&id);
        let key = self.data.key.clone();
        let origin = self.origin.clone();
        tokio::task::spawn_blocking(move || Tenant::open(id, &folder, &key, origin)).await?
    }
}
