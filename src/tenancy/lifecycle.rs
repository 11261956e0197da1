//! What becomes of a tenant: changed, closed, opened again, removed.

use super::{
    Control, Record, Tenants,
    audit::By,
    hostnames::HostChanges,
    leftovers,
    limits::{Overrides, Trial},
    record::Status,
    sql::{self, audit, due, plans, tenants},
};
use crate::{
    base::{Clock, Error, Result, clock::Millis, ids::TenantId, text::Label},
    db::{Read, Write},
};
use serde_json::{Map, Value, json};
use std::fs;

/// What to set of a site; what is absent stays as it is.
#[derive(Debug, Clone, Default)]
pub struct TenantEdit {
    pub name: Option<String>,
    pub plan: Option<Option<String>>,
    /// JSON Merge Patches (RFC 7396) of the site's own overrides.
    pub limits: Map<String, Value>,
    pub features: Map<String, Value>,
    /// `Some(None)` ends the trial.
    pub trial: Option<Option<TrialSpec>>,
    pub hosts: HostChanges,
}

/// What a trial allows, until when.
#[derive(Debug, Clone, Default)]
pub struct TrialSpec {
    pub ends_at: Option<Millis>,
    pub limits: Map<String, Value>,
    pub features: Map<String, Value>,
}

pub(super) fn trial(known: Option<&Trial>, spec: TrialSpec) -> Result<Trial> {
    let ends_at = spec.ends_at.map(|at| at.0).or(known.map(|t| t.ends_at));
    let ends_at = ends_at.ok_or_else(|| Error::invalid("trial", "needs `ends_at`"))?;
    let mut overrides = known.map_or_else(Overrides::default, |t| t.overrides.clone());
    overrides.patch(&spec.limits, &spec.features)?;
    Ok(Trial { ends_at, overrides })
}

pub(super) fn check_plan(db: &Read<Control>, plan: &str) -> Result<()> {
    match plans::get(db, plan)? {
        Some(_) => Ok(()),
        None => Err(Error::invalid("plan", "names no plan that there is")),
    }
}

impl Tenants {
    /// Changes a site: everything that is asked for, or nothing.
    pub async fn edit(&self, by: &By, id: &TenantId, edit: TenantEdit) -> Result<Record> {
        let hosts = edit.hosts.check()?;
        self.change(by, id, "tenant.edit", move |db, record| {
            if let Some(name) = &edit.name {
                record.name = Label::parse("name", name)?.as_str().to_owned();
            }
            if let Some(plan) = edit.plan {
                if let Some(plan) = &plan {
                    check_plan(db, plan)?;
                }
                record.plan = plan;
            }
            record.own.patch(&edit.limits, &edit.features)?;
            if let Some(spec) = edit.trial {
                record.trial = spec.map(|spec| trial(record.trial.as_ref(), spec)).transpose()?;
            }
            hosts.apply(db, record)?;
            let hosts: Vec<_> = record.hostnames.iter().map(|h| &h.host).collect();
            Ok(json!({
                "name": record.name,
                "hostnames": hosts,
                "plan": record.plan,
                "limits": record.own.limits_json(),
                "features": record.own.features_json(),
            }))
        })
        .await
    }

    /// Closes a site, for a reason that its visitors read.
    ///
    /// # Errors
    /// `Conflict` with code `is_deleting` for one that is on its way out.
    pub async fn suspend(&self, by: &By, id: &TenantId, reason: &str) -> Result<Record> {
        let reason = match reason.trim() {
            "" => None,
            text => Some(text.chars().take(500).collect::<String>()),
        };
        self.change(by, id, "tenant.suspend", move |_, record| {
            if record.status == Status::Deleting {
                return Err(Error::Conflict {
                    code: "is_deleting",
                    reason: "this tenant is being deleted: resume it first",
                });
            }
            (record.status, record.reason) = (Status::Suspended, reason);
            Ok(json!({ "reason": record.reason }))
        })
        .await
    }

    /// Opens a site again, also one whose deletion is not done yet.
    pub async fn resume(&self, by: &By, id: &TenantId) -> Result<Record> {
        self.change(by, id, "tenant.resume", |_, record| {
            (record.status, record.reason) = (Status::Active, None);
            record.delete_after = None;
            Ok(json!({}))
        })
        .await
    }

    /// Closes a site and removes it for good once its time of grace is over.
    pub async fn delete(&self, by: &By, id: &TenantId) -> Result<Record> {
        let at = Clock::now().plus_days(self.delete_grace_days);
        self.change(by, id, "tenant.delete", move |db, record| {
            record.status = Status::Deleting;
            record.delete_after = Some(at.0);
            due::mark(db, &record.tenant_id()?, at)?;
            Ok(json!({ "delete_after": at.to_rfc3339() }))
        })
        .await
    }

    /// Removes a site with all that it holds, now. What it has in storages elsewhere is removed
    /// after it (`leftovers.rs`).
    pub async fn purge(&self, by: &By, id: &TenantId) -> Result<()> {
        let closing = self.change(by, id, "tenant.purge", |_, record| {
            record.status = Status::Deleting;
            record.delete_after.get_or_insert(Clock::now().0);
            Ok(json!({ "name": record.name }))
        });
        let left = self.announce_leftover(&closing.await?).await?;
        // Nobody gets in any more; whoever is in gets a moment to finish.
        self.handles.remove(id.as_str()).await;
        let (place, aside) = (self.data.tenant_folder(id), self.folder_aside(id, left.as_ref())?);
        let (gone, is_left) = (id.clone(), left.is_some());
        // The folder goes first: a row without a folder is removed again, a folder without a row
        // would stay for ever.
        let write = self.control().write(move |db| {
            match fs::rename(&place, &aside) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
                _ => {}
            }
            tenants::delete(db, &gone)?;
            left.map_or(Ok(()), |left| sql::leftovers::set_ready(db, &left))?;
            Ok(aside)
        });
        let aside = write.await?;
        self.changed().await?;
        let removed = tokio::task::spawn_blocking(move || match is_left {
            true => leftovers::strip(&aside),
            false => leftovers::remove(&aside),
        });
        removed.await?
    }

    /// Reads a site's record, lets `f` change it and say what it did, and writes both down.
    async fn change(
        &self,
        by: &By,
        id: &TenantId,
        action: &'static str,
        f: impl FnOnce(&Write<Control>, &mut Record) -> Result<Value> + Send + 'static,
    ) -> Result<Record> {
        let (by, id) = (by.clone(), id.clone());
        let write = self.control().write(move |db| {
            let mut record = tenants::get(db, id.as_str())?.ok_or(Error::NotFound("tenant"))?;
            let detail = f(db, &mut record)?;
            tenants::update(db, &record)?;
            audit::insert(db, &by, action, Some(id.as_str()), &detail)?;
            tenants::get(db, id.as_str())?.ok_or(Error::NotFound("tenant"))
        });
        let record = write.await?;
        self.changed().await?;
        Ok(record)
    }
}
