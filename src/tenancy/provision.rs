//! How a tenant comes into the world: whole, or not at all.
//!
//! Its folder is made aside, under a name that no tenant can have, and takes its place by one
//! rename inside the transaction that lists it. A marker in the folder says that the row may be
//! missing; whatever a crash leaves is told apart by it.

use super::{
    Control, Record, Site, Tenants,
    audit::By,
    hostname::Hostname,
    hostnames::check_free,
    lifecycle::{TrialSpec, check_plan, trial},
    limits::Overrides,
    record::{Named, Status},
    scratch::{Scratch, UNCONFIRMED},
    secrets::check_in,
    sql::{audit, due, hosts, tenants},
};
use crate::{
    base::{Clock, Error, Result, ids::TenantId, secret::Key, text::Label},
    db::{Db, Read, Write},
};
use serde_json::{Map, Value, json};
use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    sync::OnceLock,
};

/// A site to be made.
#[derive(Debug, Clone, Default)]
pub struct NewTenant {
    pub id: String,
    pub name: Option<String>,
    /// The first one is canonical.
    pub hostnames: Vec<String>,
    pub plan: Option<String>,
    pub limits: Map<String, Value>,
    pub features: Map<String, Value>,
    pub trial: Option<TrialSpec>,
    /// Closed from the beginning, for this reason.
    pub suspended: Option<String>,
    /// What is kept with the site for others to read.
    pub extra: Map<String, Value>,
}

/// A new site, every part of it checked.
struct Checked {
    id: TenantId,
    record: Record,
    hostnames: Vec<Hostname>,
    extra: Option<Vec<u8>>,
    sealed_key: Vec<u8>,
    /// What the two are sealed with.
    appliance: Key,
}

impl Tenants {
    /// Makes a site.
    ///
    /// # Errors
    /// `Conflict` with code `tenant_exists`, `hostname_taken` or `folder_exists`; `Invalid` for
    /// whatever cannot be.
    pub async fn create(&self, by: &By, new: NewTenant) -> Result<Record> {
        let folder = |aside: &Path| {
            let mut file = File::create_new(aside.join("site.sqlite"))?;
            file.write_all(template(&aside.join("template.sqlite"))?)?;
            file.sync_all()?;
            Ok(())
        };
        self.create_from(by, new, folder).await
    }

    /// Makes a site of what `fill` puts into its folder: at least `site.sqlite`.
    pub async fn create_from(
        &self,
        by: &By,
        new: NewTenant,
        fill: impl FnOnce(&Path) -> Result<()> + Send + 'static,
    ) -> Result<Record> {
        self.create_with(by, new, None, fill).await
    }

    /// [`create_from`](Self::create_from) for a site that brings the key along that it had
    /// elsewhere.
    pub async fn create_with(
        &self,
        by: &By,
        new: NewTenant,
        key: Option<Key>,
        fill: impl FnOnce(&Path) -> Result<()> + Send + 'static,
    ) -> Result<Record> {
        let checked = self.check_new(new, key)?;
        let (id, names, plan) =
            (checked.id.clone(), checked.hostnames.clone(), checked.record.plan.clone());
        self.control().read(move |db| check(db, &id, &names, plan.as_deref())).await?;

        let tenants = self.data.tenants_folder();
        let place = self.data.tenant_folder(&checked.id);
        let making = checked.id.clone();
        let filled = tokio::task::spawn_blocking(move || {
            let scratch = Scratch::create(&tenants, &making)?;
            fill(scratch.path())?;
            sync(scratch.path())?;
            Ok::<_, Error>(scratch)
        });
        let scratch = filled.await??;

        let (by, from, to) = (by.clone(), scratch.path().to_owned(), place.clone());
        let id = checked.id.clone();
        let written = self.control().write(move |db| insert(db, &by, &checked, &from, &to)).await;
        let settled = tokio::task::spawn_blocking(move || {
            if written.is_ok() {
                let _ = fs::remove_file(place.join(UNCONFIRMED));
            }
            // Gone with whatever is still in it; until here, nobody takes it for a leftover.
            drop(scratch);
            written
        });
        settled.await??;
        self.changed().await?;
        self.record(&id).await
    }

    /// Makes the main site where there is no site at all: the first start.
    pub async fn create_first(&self) -> Result<()> {
        let Some(id) = self.default_tenant().cloned() else { return Ok(()) };
        if self.control().read(tenants::any).await? {
            return Ok(());
        }
        let new = NewTenant { id: id.to_string(), ..NewTenant::default() };
        match self.create(&By::housekeeping(), new).await {
            // Another process was faster.
            Err(Error::Conflict { code: "tenant_exists", .. }) => Ok(()),
            made => made.map(drop),
        }
    }

    fn check_new(&self, new: NewTenant, key: Option<Key>) -> Result<Checked> {
        let id = TenantId::parse(&new.id).map_err(|_| {
            Error::invalid("id", "must be 1 to 16 of a-z, 0-9 and -, and not start with -")
        })?;
        let name = new.name.as_deref().unwrap_or(&new.id);
        let name = Label::parse("name", name)?.as_str().to_owned();
        let mut hostnames: Vec<Hostname> = Vec::new();
        for host in &new.hostnames {
            let host = Hostname::parse("hostnames", host)?;
            if !hostnames.contains(&host) {
                hostnames.push(host);
            }
        }
        let mut own = Overrides::default();
        own.patch(&new.limits, &new.features)?;
        let trial = new.trial.map(|spec| trial(None, spec)).transpose()?;
        let status = if new.suspended.is_some() { Status::Suspended } else { Status::Active };
        let named = hostnames
            .iter()
            .enumerate()
            .map(|(n, host)| Named { host: host.to_string(), is_canonical: n == 0 });
        let extra = match new.extra.is_empty() {
            true => None,
            false => Some(self.seal_extra(&format!("tenant/{id}"), &new.extra)?),
        };
        let now = Clock::now().0;
        let record = Record {
            id: id.to_string(),
            name,
            status,
            reason: new.suspended.filter(|r| !r.is_empty()),
            hostnames: named.collect(),
            plan: new.plan,
            of_plan: Overrides::default(),
            upgrade_url: None,
            own,
            trial,
            created_at: now,
            updated_at: now,
            delete_after: None,
        };
        let sealed_key = match key {
            Some(key) => self.sealed_key(&id, &key)?,
            None => self.new_sealed_key(&id)?,
        };
        let appliance = self.data.key.clone();
        Ok(Checked { id, record, hostnames, extra, sealed_key, appliance })
    }
}

fn check(db: &Read<Control>, id: &TenantId, hosts: &[Hostname], plan: Option<&str>) -> Result<()> {
    if tenants::exists(db, id)? {
        return Err(Error::Conflict {
            code: "tenant_exists",
            reason: "there is a tenant of this id already",
        });
    }
    for host in hosts {
        check_free(db, host)?;
    }
    plan.map_or(Ok(()), |plan| check_plan(db, plan))
}

fn insert(db: &Write<Control>, by: &By, new: &Checked, aside: &Path, place: &Path) -> Result<()> {
    let record = &new.record;
    check_in(&new.appliance, db)?;
    check(db, &new.id, &new.hostnames, record.plan.as_deref())?;
    let (extra, sealed_key) = (new.extra.clone(), new.sealed_key.clone());
    tenants::insert(db, &tenants::NewRow { record, extra, sealed_key })?;
    for (n, host) in new.hostnames.iter().enumerate() {
        hosts::insert(db, &new.id, host, n == 0)?;
    }
    due::mark(db, &new.id, Clock::now())?;
    let hosts: Vec<_> = new.hostnames.iter().map(Hostname::as_str).collect();
    let detail = json!({ "hostnames": hosts, "plan": record.plan });
    audit::insert(db, by, "tenant.create", Some(new.id.as_str()), &detail)?;
    // The last thing that can fail before the commit.
    take_place(aside, place)
}

fn take_place(aside: &Path, place: &Path) -> Result<()> {
    if place.join(UNCONFIRMED).exists() {
        // A crash before a commit left it: nobody was ever told that there is such a site.
        fs::remove_dir_all(place)?;
    }
    if place.exists() {
        return Err(Error::Conflict {
            code: "folder_exists",
            reason: "the data directory holds a folder of this id that belongs to no tenant: move \
                     it away first",
        });
    }
    fs::rename(aside, place)?;
    place.parent().map_or(Ok(()), sync)
}

fn sync(folder: &Path) -> Result<()> {
    Ok(File::open(folder)?.sync_all()?)
}

/// An empty site's file as it is written by this version: made once, then copied, which is a
/// good deal faster than applying every step of the schema to each new file.
fn template(scratch: &Path) -> Result<&'static [u8]> {
    static TEMPLATE: OnceLock<Vec<u8>> = OnceLock::new();
    if let Some(bytes) = TEMPLATE.get() {
        return Ok(bytes);
    }
    drop(Db::<Site>::open(scratch)?);
    let bytes = fs::read(scratch)?;
    for file in Db::<Site>::files(scratch) {
        let _ = fs::remove_file(file);
    }
    Ok(TEMPLATE.get_or_init(|| bytes))
}
