//! One tenant = one handle = one database file + one place for bytes + one key.
//!
//! There is no `tenant_id` column to forget: a query can only reach the file its handle owns, and
//! a blob can only be named inside the handle's own folder.

mod attendance;
pub mod audit;
pub mod carry;
mod changes;
mod control;
mod data_dir;
mod handles;
pub mod hostname;
mod hostnames;
pub mod lifecycle;
pub mod limits;
mod migrate;
pub mod plan;
pub mod provision;
pub mod record;
mod registry;
mod resolver;
mod rotation;
mod scratch;
mod secrets;
mod sql;
pub mod usage;
pub mod work;

pub use attendance::Attendance;
pub use control::Control;
pub use data_dir::{DataDir, Lock};
pub use hostnames::HostChanges;
pub use record::{Allowance, Record};
pub use registry::{Options, Tenants};
pub use rotation::{parse_key, rotate_key};
pub use scratch::Scratch;
pub use sql::tenants::Filter;
pub use usage::Stats;

use crate::{
    base::{Clock, Error, Result, clock::Millis, ids::TenantId, secret::Key},
    db::{Db, Read, Schema, Step, Write},
    storage::{Disk, Remotes, World},
};
use limits::{Feature, Limit};
use registry::Common;
use std::{
    path::Path,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};
use usage::Meter;

/// The schema of a tenant's own file.
pub enum Site {}

impl Schema for Site {
    const STEPS: &[Step] = &[
        Step { name: "0001_accounts", sql: include_str!("../../schema/tenant/0001_accounts.sql") },
        Step { name: "0002_media", sql: include_str!("../../schema/tenant/0002_media.sql") },
        Step { name: "0003_site", sql: include_str!("../../schema/tenant/0003_site.sql") },
        Step { name: "0004_usage", sql: include_str!("../../schema/tenant/0004_usage.sql") },
        Step {
            name: "0005_renderings",
            sql: include_str!("../../schema/tenant/0005_renderings.sql"),
        },
        Step {
            name: "0006_regeneration",
            sql: include_str!("../../schema/tenant/0006_regeneration.sql"),
        },
        Step { name: "0007_looks", sql: include_str!("../../schema/tenant/0007_looks.sql") },
        Step {
            name: "0008_resumable",
            sql: include_str!("../../schema/tenant/0008_resumable.sql"),
        },
        Step { name: "0009_storages", sql: include_str!("../../schema/tenant/0009_storages.sql") },
        Step { name: "0010_jobs", sql: include_str!("../../schema/tenant/0010_jobs.sql") },
        Step { name: "0011_av", sql: include_str!("../../schema/tenant/0011_av.sql") },
        Step { name: "0012_albums", sql: include_str!("../../schema/tenant/0012_albums.sql") },
    ];
}

/// How long after a change a site is looked after at the latest.
const VISIT_AFTER_MS: i64 = 60_000;
/// How long before that moment a change asks for another visit: longer than a write or a visit
/// takes.
const VISIT_MARGIN_MS: i64 = 10_000;

static OPENINGS: AtomicU64 = AtomicU64::new(0);

/// Everything of one site. Whoever holds it may reach that site and no other.
pub struct Tenant {
    pub id: TenantId,
    /// Which opening of a site this is: no other one of this process has the number, not even of
    /// the same site.
    pub opening: u64,
    db: Db<Site>,
    disk: Disk,
    remotes: Remotes,
    key: Key,
    record: RwLock<Arc<Record>>,
    common: Arc<Common>,
    meter: Meter,
    /// Until when (as milliseconds) housekeeping knows of what is written: it comes after that.
    covered_until: AtomicI64,
}

impl Tenant {
    /// Opens what lies in the tenant's folder. Blocks.
    fn open(record: Arc<Record>, folder: &Path, key: Key, common: Arc<Common>) -> Result<Self> {
        let file = folder.join("site.sqlite");
        if !file.exists() {
            // Made anew it would be an empty site, for whoever comes first to set up.
            return Err(Error::internal(format!("{} is missing", file.display())));
        }
        let disk = Disk::open(folder)?;
        let db = Db::open(&file)?;
        let meter = db.read_now(Meter::open)?;
        let id = record.tenant_id()?;
        let (record, covered_until) = (RwLock::new(record), AtomicI64::new(0));
        let opening = OPENINGS.fetch_add(1, Ordering::Relaxed);
        let remotes = Remotes::default();
        Ok(Self { id, opening, db, disk, remotes, key, record, common, meter, covered_until })
    }

    /// Looks at the tenant's rows.
    pub async fn read<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Read<Site>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.db.read(f).await
    }

    /// Changes the tenant's rows in one transaction, or not at all. Housekeeping is told before,
    /// so that what is written is looked after even if the process ends here.
    pub async fn write<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Write<Site>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let now = Clock::now();
        if now.0 >= self.covered_until.load(Ordering::Acquire) {
            let (id, at) = (self.id.clone(), now.plus_ms(VISIT_AFTER_MS));
            self.common.control.write(move |db| sql::due::mark(db, &id, at)).await?;
            self.covered_until.store(at.0 - VISIT_MARGIN_MS, Ordering::Release);
        }
        self.db.write(f).await
    }

    /// Asks housekeeping to come by.
    pub async fn visit_soon(&self) -> Result<()> {
        let id = self.id.clone();
        self.common.control.write(move |db| sql::due::mark(db, &id, Clock::now())).await
    }

    /// [`write`](Self::write) for housekeeping itself, which needs no housekeeping after it.
    pub async fn tidy<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Write<Site>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.db.write(f).await
    }

    /// Moves with every change of the tenant's rows by this process, before whoever asked for the
    /// change hears of it.
    pub fn writes(&self) -> u64 {
        self.db.writes()
    }

    /// A consistent copy of the database, into a file that does not exist yet.
    pub async fn copy_database(&self, to: &Path) -> Result<()> {
        self.db.copy(to).await
    }

    fn record(&self) -> Arc<Record> {
        self.record.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_record(&self, record: &Arc<Record>) {
        if !Arc::ptr_eq(&self.record(), record) {
            *self.record.write().unwrap_or_else(PoisonError::into_inner) = record.clone();
        }
    }

    /// Where the tenant is found from outside, as in `https://media.example`, if that is settled.
    pub fn origin(&self) -> Option<String> {
        self.common.origin(&self.record())
    }

    /// What the tenant may have, as of now.
    pub fn allowance(&self) -> Allowance {
        Allowance { record: self.record(), enforced: self.common.enforced.clone() }
    }

    /// Counts something that falls away after `window`; shared by all processes where Redis is.
    /// The key is this tenant's own.
    pub async fn count(&self, key: &str, by: u64, window: Duration) -> u64 {
        self.common.cache.count(&format!("{}/{key}", self.id), by, window).await
    }

    /// How many [`count`](Self::count) has counted.
    pub async fn counted(&self, key: &str) -> u64 {
        self.common.cache.counted(&format!("{}/{key}", self.id)).await
    }

    pub async fn forget_count(&self, key: &str) {
        self.common.cache.forget(&format!("{}/{key}", self.id)).await;
    }

    /// Counts one request of a program.
    ///
    /// # Errors
    /// `FeatureOff` where the site is denied the API; `LimitReached` where this minute's requests
    /// are used up.
    pub async fn count_api_request(&self) -> Result<()> {
        let allowance = self.allowance();
        allowance.need(Feature::Api)?;
        let Some(allowed) = allowance.limit(Limit::MaxApiRequestsMinute) else { return Ok(()) };
        let now_s = Clock::now().0 / 1000;
        let key = format!("requests/{}", now_s / 60);
        if self.count(&key, 1, Duration::from_secs(120)).await > allowed {
            let wait_s = (60 - now_s % 60).unsigned_abs();
            return Err(allowance.reached(Limit::MaxApiRequestsMinute, allowed, Some(wait_s)));
        }
        Ok(())
    }

    /// The tenant's own folder.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// The storages that the tenant is connected to.
    pub fn remotes(&self) -> &Remotes {
        &self.remotes
    }

    /// What storages are connected with.
    pub fn world(&self) -> &World {
        &self.common.world
    }

    /// A key of this tenant for one purpose: what it signs, no other tenant can verify.
    pub fn key(&self, purpose: &str) -> Key {
        self.key.derive(purpose)
    }
}

/// What a visit came to: when the next one is due, if one is.
pub type NextVisit = Option<Millis>;
