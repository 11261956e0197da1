//! All the sites of the appliance: finds the one of a request, and opens it.

use super::{
    Control, DataDir, Record, Stats, Tenant,
    handles::Handles,
    limits::Overrides,
    resolver::Resolver,
    sql::{due, hosts, tenants},
    work::Bell,
};
use crate::{
    base::{Clock, Error, Result, ids::TenantId, secret::Secret},
    cache::{Shared, State},
    db::Db,
};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::sync::OnceCell;

/// What the operator has settled for all sites.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Which site answers to names that no site has.
    pub default_tenant: Option<TenantId>,
    /// Where the default site is found from outside.
    pub public_url: Option<String>,
    /// The port that links name where nothing is said about the outside.
    pub port: u16,
    /// What no plan and no site overrides.
    pub enforced: Overrides,
    /// How many sites are open at once.
    pub open_at_most: usize,
    /// How long a site that is deleted may be taken back, in days.
    pub delete_grace_days: i64,
    /// Redis, where several processes share one, and what its keys start with.
    pub redis: Option<(Secret, String)>,
}

/// What the sites share with each other: nothing that belongs to any one of them.
pub(super) struct Common {
    pub(super) control: Arc<Db<Control>>,
    pub(super) cache: Shared,
    pub(super) enforced: Arc<Overrides>,
    pub(super) bell: Bell,
    /// Redis was waited for once, so that the first announcement reaches somebody.
    pub(super) met_redis: OnceCell<()>,
    default_tenant: Option<TenantId>,
    public_url: Option<String>,
    /// The port of the public listener, once it is known.
    port: OnceLock<u16>,
    configured_port: u16,
}

impl Common {
    /// Where a site is found. Names other than the default site's stand behind the same scheme
    /// and port as the public URL, or else behind this process's own port.
    pub(super) fn origin(&self, record: &Record) -> Option<String> {
        let is_default = self.default_tenant.as_ref().is_some_and(|id| id.as_str() == record.id);
        if is_default && self.public_url.is_some() {
            return self.public_url.clone();
        }
        let host = record.canonical()?;
        let (scheme, port) = match self.public_url.as_ref().and_then(|u| url::Url::parse(u).ok()) {
            Some(url) => (url.scheme().to_owned(), url.port()),
            None => {
                let port = self.port.get().copied().unwrap_or(self.configured_port);
                ("http".to_owned(), Some(port).filter(|p| !matches!(p, 0 | 80)))
            }
        };
        let port = port.map(|p| format!(":{p}")).unwrap_or_default();
        Some(format!("{scheme}://{host}{port}"))
    }
}

/// All tenants of this appliance.
pub struct Tenants {
    pub(super) data: DataDir,
    pub(super) common: Arc<Common>,
    pub(super) resolver: Resolver,
    pub(super) handles: Handles,
    pub(super) delete_grace_days: i64,
}

impl Tenants {
    /// Opens the control file. Blocks; to be called inside a runtime, where Redis is waited for.
    ///
    /// # Errors
    /// `Conflict` with code `wrong_key` where the secret key is not the one that was used here.
    pub fn open(mut data: DataDir, options: Options) -> Result<Self> {
        let control = Arc::new(Db::open(&data.control_file())?);
        super::rotation::settle(&mut data, &control)?;
        let cache = match &options.redis {
            Some((url, prefix)) => Shared::redis(url, prefix)?,
            None => Shared::local(),
        };
        let seen = control.read_now(tenants::revision)?;
        let common = Common {
            control: control.clone(),
            cache: cache.clone(),
            enforced: Arc::new(options.enforced),
            bell: Bell::default(),
            met_redis: OnceCell::new(),
            default_tenant: options.default_tenant,
            public_url: options.public_url,
            port: OnceLock::new(),
            configured_port: options.port,
        };
        Ok(Self {
            data,
            common: Arc::new(common),
            resolver: Resolver::new(control, cache, seen),
            handles: Handles::new(options.open_at_most),
            delete_grace_days: options.delete_grace_days,
        })
    }

    /// The appliance's own rows.
    pub fn control(&self) -> &Db<Control> {
        &self.common.control
    }

    /// Says which port the public listener got.
    pub fn set_port(&self, port: u16) {
        let _ = self.common.port.set(port);
    }

    /// Which site answers to names that no site has.
    pub fn default_tenant(&self) -> Option<&TenantId> {
        self.common.default_tenant.as_ref()
    }

    /// The port of the public listener.
    pub fn port(&self) -> u16 {
        self.common.port.get().copied().unwrap_or(self.common.configured_port)
    }

    /// Counts something of the appliance itself that falls away after `window`. No tenant's key
    /// looks like it: ids have no colon.
    pub async fn count(&self, key: &str, by: u64, window: Duration) -> u64 {
        self.common.cache.count(&format!("appliance:{key}"), by, window).await
    }

    pub fn redis(&self) -> State {
        self.common.cache.state()
    }

    pub fn open_count(&self) -> usize {
        self.handles.len()
    }

    pub fn enforced(&self) -> &Arc<Overrides> {
        &self.common.enforced
    }

    /// Where a site is found from outside, if that is settled.
    pub fn origin(&self, record: &Record) -> Option<String> {
        self.common.origin(record)
    }

    /// The tenant that a request is for, by the host that it names.
    ///
    /// # Errors
    /// `NotFound` for a host that nobody has; `Suspended` and `Gone` for a site that is closed.
    pub async fn by_host(&self, host: &str) -> Result<Arc<Tenant>> {
        let owner = self.resolver.owner(host).await?;
        let default = || self.common.default_tenant.as_ref().map(|id| id.as_str().to_owned());
        let id = owner.or_else(default).ok_or(Error::NotFound("site"))?;
        let record = self.resolver.record(&id).await?.ok_or(Error::NotFound("site"))?;
        record.check_open()?;
        self.handle(record).await
    }

    /// The tenant with this id, whatever its status, opened where it is not.
    ///
    /// # Errors
    /// `NotFound` where there is none.
    pub async fn get(&self, id: &TenantId) -> Result<Arc<Tenant>> {
        let record = self.resolver.record(id.as_str()).await?.ok_or(Error::NotFound("site"))?;
        self.handle(record).await
    }

    /// What the operator keeps about a site.
    ///
    /// # Errors
    /// `NotFound` where there is none.
    pub async fn record(&self, id: &TenantId) -> Result<Record> {
        let id = id.as_str().to_owned();
        let found = self.control().read(move |db| tenants::get(db, &id)).await?;
        found.ok_or(Error::NotFound("tenant"))
    }

    /// Up to `rows` sites in the order of their ids.
    pub async fn list(&self, filter: super::Filter, rows: i64) -> Result<Vec<Record>> {
        self.control().read(move |db| tenants::list(db, &filter, rows)).await
    }

    /// Every tenant there is, open or not.
    pub async fn ids(&self) -> Result<Vec<TenantId>> {
        self.control().read(tenants::all).await
    }

    /// How many sites there are in each status.
    pub async fn by_status(&self) -> Result<Vec<(String, u64)>> {
        self.control().read(tenants::by_status).await
    }

    /// Every name and whose it is.
    pub async fn host_pairs(&self) -> Result<Vec<(String, String)>> {
        self.control().read(hosts::pairs).await
    }

    /// What a site held at its last visit.
    pub async fn stats(&self, id: &str) -> Result<Option<Stats>> {
        let id = id.to_owned();
        self.control().read(move |db| due::stats(db, &id)).await
    }

    /// Whether sites can be found.
    pub async fn check(&self) -> Result<()> {
        self.control().read(|db| tenants::any(db).map(drop)).await
    }

    /// Whether this process has the lease from now on, for so long; it may have had it before.
    pub async fn lease(&self, name: &'static str, ms: i64) -> Result<bool> {
        let holder = self.data.instance.clone();
        let until = Clock::now().plus_ms(ms);
        self.control().write(move |db| due::lease(db, name, &holder, until)).await
    }

    /// Gives back every lease of this process.
    pub async fn release_leases(&self) -> Result<()> {
        let holder = self.data.instance.clone();
        self.control().write(move |db| due::release(db, &holder)).await
    }

    /// Up to `most` sites that are due for a visit, each with the stamp to settle it by.
    pub async fn due(&self, most: i64) -> Result<Vec<(TenantId, i64)>> {
        self.control().read(move |db| due::now(db, most)).await
    }

    /// Ends a visit, with what the site holds now and when the next visit is due.
    pub async fn end_visit(
        &self,
        id: &TenantId,
        stamp: i64,
        stats: Option<Stats>,
        next: super::NextVisit,
    ) -> Result<()> {
        let id = id.clone();
        let write = self.control().write(move |db| {
            if let Some(stats) = stats {
                due::set_stats(db, &id, &stats)?;
            }
            due::settle(db, &id, stamp, next)
        });
        write.await
    }

    /// Asks housekeeping to come by.
    pub async fn visit_soon(&self, id: &TenantId) -> Result<()> {
        let id = id.clone();
        self.control().write(move |db| due::mark(db, &id, Clock::now())).await
    }

    /// The data directory itself.
    pub fn root(&self) -> &Path {
        self.data.root()
    }

    /// Where all that a site holds lies.
    pub fn folder(&self, id: &TenantId) -> PathBuf {
        self.data.tenant_folder(id)
    }

    /// Keeps what a site holds now.
    pub async fn set_stats(&self, id: &TenantId, stats: Stats) -> Result<()> {
        let id = id.clone();
        self.control().write(move |db| due::set_stats(db, &id, &stats)).await
    }

    /// Writes down what the open sites counted in memory.
    pub async fn flush(&self) {
        for id in self.handles.ids() {
            // One at a time, so that the others may be closed meanwhile.
            let Some(tenant) = self.handles.peek(&id) else { continue };
            if let Err(error) = tenant.flush().await {
                tracing::error!(tenant = %tenant.id, error = %error.in_full(), "counters are late");
            }
        }
    }

    /// Closes the sites that nobody came to for so long.
    pub async fn close_unused(&self, since: Duration) {
        self.handles.close_unused(since).await;
    }

    /// Does something with a site, and leaves it closed if it was: a visit of housekeeping is no
    /// reason to keep its files open.
    pub async fn visit<T, F>(&self, id: &TenantId, work: impl FnOnce(Arc<Tenant>) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let was_open = self.handles.peek(id.as_str()).is_some();
        let done = work(self.get(id).await?).await;
        if !was_open {
            self.handles.put_away(id.as_str()).await;
        }
        done
    }

    async fn handle(&self, record: Arc<Record>) -> Result<Arc<Tenant>> {
        self.handles.get(record, |record| self.open_folder(record)).await
    }

    async fn open_folder(&self, record: Arc<Record>) -> Result<Tenant> {
        let id = record.tenant_id()?;
        let folder = self.data.tenant_folder(&id);
        let key = self.tenant_key(&id).await?;
        let common = self.common.clone();
        tokio::task::spawn_blocking(move || Tenant::open(record, &folder, key, common)).await?
    }
}
