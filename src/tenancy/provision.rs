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
    sql::{audit, due, hosts, tenants},
};
use crate::{
    base::{
        Clock, Error, Result,
        ids::{PublicId, TenantId},
        text::Label,
    },
    db::{Db, Read, Write},
};
use serde_json::{Map, Value, json};
use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// In a folder whose row may not be there.
const UNCONFIRMED: &str = ".unconfirmed";

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
        let checked = self.check_new(new)?;
        let (id, names, plan) =
            (checked.id.clone(), checked.hostnames.clone(), checked.record.plan.clone());
        self.control().read(move |db| check(db, &id, &names, plan.as_deref())).await?;

        let tenants = self.data.tenants_folder();
        let aside = tenants.join(format!(".making-{}-{}", checked.id, PublicId::random()?));
        let (place, making) = (self.data.tenant_folder(&checked.id), aside.clone());
        let filled = tokio::task::spawn_blocking(move || {
            let filled = make_folder(&making).and_then(|marker| {
                fill(&making)?;
                sync(&making)?;
                Ok(marker)
            });
            if filled.is_err() {
                let _ = fs::remove_dir_all(&making);
            }
            filled
        });
        let marker = filled.await??;

        let (by, from, to) = (by.clone(), aside.clone(), place.clone());
        let id = checked.id.clone();
        let written = self.control().write(move |db| insert(db, &by, &checked, &from, &to)).await;
        let settled = tokio::task::spawn_blocking(move || {
            drop(marker);
            if written.is_ok() {
                let _ = fs::remove_file(place.join(UNCONFIRMED));
            } else {
                let _ = fs::remove_dir_all(&aside);
            }
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

    fn check_new(&self, new: NewTenant) -> Result<Checked> {
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
        let sealed_key = self.new_sealed_key(&id)?;
        Ok(Checked { id, record, hostnames, extra, sealed_key })
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

/// Makes the folder, which is nobody else's to sweep while the file that comes back is open.
fn make_folder(path: &Path) -> Result<File> {
    fs::create_dir_all(path)?;
    let marker = File::create_new(path.join(UNCONFIRMED))?;
    marker.lock()?;
    Ok(marker)
}

/// Whether a process is at work on the folder: the system gives up its lock when it ends.
fn is_held(path: &Path) -> bool {
    let marker = File::open(path.join(UNCONFIRMED));
    marker.is_ok_and(|m| matches!(m.try_lock_shared(), Err(fs::TryLockError::WouldBlock)))
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

/// Removes what crashes left of sites that were being made or removed. Blocks.
fn sweep(tenants_folder: &Path) -> Result<()> {
    for (path, name) in entries(tenants_folder)? {
        let is_remainder = match name.starts_with(".making-") {
            // The command line may be making a site at this moment.
            true => !is_held(&path),
            false => name.starts_with(".deleted-"),
        };
        if is_remainder {
            match fs::remove_dir_all(&path) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
                _ => {}
            }
        }
    }
    Ok(())
}

/// Tells apart the folders whose row may be missing, in a transaction, so that no site is listed
/// meanwhile. One without a row is put aside for [`sweep`].
fn settle(db: &Write<Control>, tenants_folder: &Path) -> Result<()> {
    for (path, name) in entries(tenants_folder)? {
        let Ok(id) = TenantId::parse(&name) else { continue };
        if path.join(UNCONFIRMED).exists() {
            match tenants::exists(db, &id)? {
                true => fs::remove_file(path.join(UNCONFIRMED))?,
                false => {
                    let aside = format!(".deleted-{id}-{}", PublicId::random()?);
                    fs::rename(&path, tenants_folder.join(aside))?;
                }
            }
        }
    }
    Ok(())
}

/// What lies in a folder, with its names; nothing where there is no such folder yet.
fn entries(folder: &Path) -> Result<Vec<(PathBuf, String)>> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(Vec::new()) };
    let named = entries.map(|e| {
        let e = e?;
        Ok((e.path(), e.file_name().to_string_lossy().into_owned()))
    });
    named.collect()
}

impl Tenants {
    /// Removes what crashes left of sites that were being made or removed, and tells which sites
    /// have uploads that were cut short. For the start, while nobody else serves the data.
    pub async fn recover(&self) -> Result<Vec<TenantId>> {
        let folder = self.data.tenants_folder();
        let tenants = folder.clone();
        self.control().write(move |db| settle(db, &tenants)).await?;
        let known = self.ids().await?;
        let swept = tokio::task::spawn_blocking(move || {
            sweep(&folder)?;
            let is_busy = |id: &TenantId| {
                let incoming = fs::read_dir(folder.join(id.as_str()).join("incoming"));
                incoming.is_ok_and(|mut entries| entries.next().is_some())
            };
            Ok::<_, Error>(known.into_iter().filter(is_busy).collect())
        });
        swept.await?
    }
}
