//! The names of a site: added, made canonical, taken away.

use super::{
    Control, Record, Tenants,
    audit::By,
    hostname::Hostname,
    sql::{audit, hosts, tenants},
};
use crate::{
    base::{Error, Result, ids::TenantId},
    db::{Read, Write},
};
use serde_json::json;

/// What to change about the names of a site: added first, taken away last.
#[derive(Debug, Clone, Default)]
pub struct HostChanges {
    pub add: Vec<String>,
    pub canonical: Option<String>,
    pub remove: Vec<String>,
}

/// [`HostChanges`], every name of them checked.
pub(super) struct CheckedChanges {
    add: Vec<Hostname>,
    canonical: Option<Hostname>,
    remove: Vec<Hostname>,
}

impl HostChanges {
    pub(super) fn check(&self) -> Result<CheckedChanges> {
        let parse = |host: &String| Hostname::parse("hostnames", host);
        Ok(CheckedChanges {
            add: self.add.iter().map(parse).collect::<Result<_>>()?,
            canonical: self.canonical.as_ref().map(parse).transpose()?,
            remove: self.remove.iter().map(parse).collect::<Result<_>>()?,
        })
    }
}

impl CheckedChanges {
    /// Changes the names, and reads them into the record.
    pub(super) fn apply(&self, db: &Write<Control>, of: &mut Record) -> Result<()> {
        let id = of.tenant_id()?;
        for host in &self.add {
            add(db, &id, host, false)?;
        }
        if let Some(host) = &self.canonical {
            make_canonical(db, &id, host)?;
        }
        for host in &self.remove {
            remove(db, &id, host)?;
        }
        of.hostnames = record(db, &id)?.hostnames;
        Ok(())
    }
}

fn add(db: &Write<Control>, id: &TenantId, host: &Hostname, is_canonical: bool) -> Result<()> {
    let known = record(db, id)?;
    check_free(db, host)?;
    hosts::insert(db, id, host, false)?;
    if is_canonical || known.canonical().is_none() {
        hosts::set_canonical(db, id, host.as_str())?;
    }
    Ok(())
}

fn make_canonical(db: &Write<Control>, id: &TenantId, host: &Hostname) -> Result<()> {
    if !record(db, id)?.has_host(host) {
        return Err(Error::NotFound("hostname"));
    }
    hosts::set_canonical(db, id, host.as_str())
}

fn remove(db: &Write<Control>, id: &TenantId, host: &Hostname) -> Result<()> {
    let known = record(db, id)?;
    if known.canonical() == Some(host.as_str()) && known.hostnames.len() > 1 {
        return Err(Error::Conflict {
            code: "canonical_hostname",
            reason: "links start with this hostname: make another one canonical first",
        });
    }
    match hosts::delete(db, id, host.as_str())? {
        true => Ok(()),
        false => Err(Error::NotFound("hostname")),
    }
}

/// # Errors
/// `Conflict` with code `hostname_taken` where another site has the name.
pub(super) fn check_free(db: &Read<Control>, host: &Hostname) -> Result<()> {
    if hosts::owner(db, host.as_str())?.is_some() {
        return Err(Error::Conflict {
            code: "hostname_taken",
            reason: "a site has this hostname already",
        });
    }
    Ok(())
}

fn record(db: &Read<Control>, id: &TenantId) -> Result<Record> {
    tenants::get(db, id.as_str())?.ok_or(Error::NotFound("tenant"))
}

impl Tenants {
    /// Adds a name. A site's first one is canonical.
    ///
    /// # Errors
    /// `Conflict` with code `hostname_taken`; `Invalid` for what is no name.
    pub async fn add_hostname(
        &self,
        by: &By,
        id: &TenantId,
        host: &str,
        is_canonical: bool,
    ) -> Result<Record> {
        let host = Hostname::parse("host", host)?;
        let (by, id) = (by.clone(), id.clone());
        let write = self.control().write(move |db| {
            add(db, &id, &host, is_canonical)?;
            note(db, &by, "hostname.add", &id, &host)?;
            record(db, &id)
        });
        let record = write.await?;
        self.changed().await?;
        Ok(record)
    }

    /// Makes one of the site's names the one that links start with.
    pub async fn set_canonical(&self, by: &By, id: &TenantId, host: &str) -> Result<Record> {
        let host = Hostname::parse("host", host)?;
        let (by, id) = (by.clone(), id.clone());
        let write = self.control().write(move |db| {
            make_canonical(db, &id, &host)?;
            note(db, &by, "hostname.canonical", &id, &host)?;
            record(db, &id)
        });
        let record = write.await?;
        self.changed().await?;
        Ok(record)
    }

    /// # Errors
    /// `Conflict` with code `canonical_hostname` for the canonical one while there are others.
    pub async fn remove_hostname(&self, by: &By, id: &TenantId, host: &str) -> Result<Record> {
        let host = Hostname::parse("host", host)?;
        let (by, id) = (by.clone(), id.clone());
        let write = self.control().write(move |db| {
            remove(db, &id, &host)?;
            note(db, &by, "hostname.remove", &id, &host)?;
            record(db, &id)
        });
        let record = write.await?;
        self.changed().await?;
        Ok(record)
    }
}

fn note(db: &Write<Control>, by: &By, action: &str, id: &TenantId, host: &Hostname) -> Result<()> {
    audit::insert(db, by, action, Some(id.as_str()), &json!({ "host": host.as_str() }))
}
