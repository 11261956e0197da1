//! A site moved to another data directory. At every moment it is complete in one of the two at
//! least; a move that was cut short is finished by asking for it again.
//!
//! The copy stays closed, for a reason that nobody else gives, until the original is gone. What
//! such a copy means is decided by looking at both places, and only there.

use super::{Listener, fill, manifest, same, snapshot};
use crate::{
    base::{Error, Result, ids::TenantId},
    tenancy::{Record, Tenants, audit::By, plan::PlanEdit, provision::NewTenant, record::Status},
};
use serde::Serialize;
use serde_json::json;
use std::{path::Path, path::PathBuf, sync::Arc, time::Duration};

/// What visitors read meanwhile.
const MOVING: &str = "it is being moved: try again in a while";
/// Before the reason of a site that was closed before, and stays so.
const CLOSED: &str = "it is being moved, and stays suspended: ";
/// By then, every process has heard that the site is closed.
const UNTIL_HEARD: Duration = Duration::from_millis(1500);
/// How often to begin anew where somebody still changed the site.
const TRIES: u32 = 3;

#[derive(Debug, Serialize)]
pub struct Report {
    pub id: String,
    pub to: PathBuf,
    /// An earlier move had made the copy already, or had even come to its end.
    pub was_begun: bool,
    /// The plan was copied as well.
    pub plan_copied: bool,
    pub files: u64,
    pub bytes: u64,
}

/// Moves a site with all that it holds, its names, its plan and its key.
///
/// # Errors
/// `Conflict` with codes `tenant_exists`, `hostname_taken` and `is_deleting`, and with
/// `move_differs` where an unfinished move left a copy that is not the same as the site any more.
pub async fn relocate(
    from: &Tenants,
    to: &Tenants,
    by: &By,
    id: &TenantId,
    listener: &Listener,
) -> Result<Report> {
    if from.root() == to.root() {
        return Err(Error::invalid("to_data", "is the data directory where the site is"));
    }
    to.sweep().await?;
    let mut report = Report {
        id: id.to_string(),
        to: to.root().to_owned(),
        was_begun: true,
        plan_copied: false,
        files: 0,
        bytes: 0,
    };
    match (find(from, id).await?, find(to, id).await?) {
        (None, None) => return Err(Error::NotFound("tenant")),
        // It was moved to its end, and maybe nobody lived to say so.
        (None, Some(there)) if !is_copy(&there) => return Ok(report),
        (Some(here), None) => {
            report.was_begun = false;
            carry_over(from, to, by, &here, id, listener, &mut report).await?;
        }
        (_, Some(there)) if !is_copy(&there) => {
            return Err(Error::Conflict {
                code: "tenant_exists",
                reason: "the other data directory has a site of this id already",
            });
        }
        (Some(here), Some(_)) => check_same(from, to, id, &here, listener).await?,
        // All that is left is to open it.
        (None, Some(_)) => {}
    }
    if find(from, id).await?.is_some() {
        from.purge(by, id).await?;
    }
    open(to, by, id).await?;
    let detail = json!({ "to": to.root().display().to_string() });
    from.note(by, "tenant.move", Some(id.as_str()), detail).await?;
    Ok(report)
}

async fn find(tenants: &Tenants, id: &TenantId) -> Result<Option<Record>> {
    match tenants.record(id).await {
        Ok(record) => Ok(Some(record)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether this is what a move made and did not open yet.
fn is_copy(record: &Record) -> bool {
    let reason = record.reason.as_deref().unwrap_or_default();
    record.status == Status::Suspended && (reason == MOVING || reason.starts_with(CLOSED))
}

/// Copies the site and makes sure of the copy; on failure there is none, and the site is open as
/// it was.
async fn carry_over(
    from: &Tenants,
    to: &Tenants,
    by: &By,
    here: &Record,
    id: &TenantId,
    listener: &Listener,
    report: &mut Report,
) -> Result<()> {
    if here.status == Status::Deleting {
        return Err(Error::Conflict {
            code: "is_deleting",
            reason: "this tenant is being deleted: resume it first",
        });
    }
    let is_open = here.status == Status::Active;
    check_names(to, here).await?;
    report.plan_copied = copy_plan(from, to, by, here).await?;
    if is_open {
        from.suspend(by, id, MOVING).await?;
        tokio::time::sleep(UNTIL_HEARD).await;
    }
    // An earlier move may have closed it and come no further.
    let was_open = is_open || here.reason.as_deref() == Some(MOVING);
    let reason = match was_open {
        true => MOVING.to_owned(),
        false => format!("{CLOSED}{}", here.reason.as_deref().unwrap_or_default()),
    };
    let copied = copy(from, to, by, id, &reason, listener, report).await;
    if copied.is_err() && find(to, id).await?.is_none() && was_open {
        from.resume(by, id).await?;
    }
    copied
}

async fn copy(
    from: &Tenants,
    to: &Tenants,
    by: &By,
    id: &TenantId,
    reason: &str,
    listener: &Listener,
    report: &mut Report,
) -> Result<()> {
    for _ in 0..TRIES {
        (report.files, report.bytes) = make(from, to, by, id, reason, listener).await?;
        let made_sure = is_same(from, to, id, listener).await;
        if matches!(made_sure, Ok(true)) {
            return Ok(());
        }
        // A request that began before the site was closed changed it, or the copy is no good.
        to.purge(by, id).await?;
        made_sure?;
    }
    Err(Error::Conflict {
        code: "move_differs",
        reason: "the site is still being changed: try again when its last uploads are done",
    })
}

/// Makes the copy, closed. Returns its files and their bytes.
async fn make(
    from: &Tenants,
    to: &Tenants,
    by: &By,
    id: &TenantId,
    reason: &str,
    listener: &Listener,
) -> Result<(u64, u64)> {
    let record = from.record(id).await?;
    let carried = from.carried(id).await?;
    let new = NewTenant {
        id: record.id.clone(),
        name: Some(record.name.clone()),
        hostnames: manifest::names(&record),
        plan: record.plan.clone(),
        limits: record.own.limits_json(),
        features: record.own.features_json(),
        trial: record.trial.as_ref().map(manifest::spec),
        suspended: Some(reason.to_owned()),
        extra: carried.extra,
    };
    snapshot::with(from, id, |snapshot| async move {
        let meter = Arc::new(listener.meter("copying", Some(snapshot.bytes)));
        let counted = meter.clone();
        let fill =
            move |folder: &Path| fill::copy(&snapshot.database, &snapshot.files, folder, &meter);
        to.create_with(by, new, Some(carried.key), fill).await?;
        let done = counted.done();
        Ok((done.files, done.bytes))
    })
    .await
}

async fn is_same(from: &Tenants, to: &Tenants, id: &TenantId, listener: &Listener) -> Result<bool> {
    let there = same::everything(to, id, "verifying", listener).await?;
    if same::everything(from, id, "comparing", listener).await? != there {
        return Ok(false);
    }
    // Reading every byte took its time.
    Ok(same::rows(from, id).await? == same::rows(to, id).await?)
}

/// Whether the copy that an earlier move left is good.
async fn check_same(
    from: &Tenants,
    to: &Tenants,
    id: &TenantId,
    here: &Record,
    listener: &Listener,
) -> Result<()> {
    let is_removed = !from.folder(id).join("site.sqlite").exists();
    if here.status == Status::Deleting && is_removed {
        // The original was on its way out already, which comes after all checks.
        return Ok(());
    }
    if is_same(from, to, id, listener).await? {
        return Ok(());
    }
    Err(Error::Conflict {
        code: "move_differs",
        reason: "an unfinished move left a copy in the other data directory that differs from this \
                 site: delete the one that is not wanted, then try again",
    })
}

async fn check_names(to: &Tenants, here: &Record) -> Result<()> {
    let taken = to.host_pairs().await?;
    let is_taken = here.hostnames.iter().any(|n| taken.iter().any(|(host, _)| *host == n.host));
    if is_taken {
        return Err(Error::Conflict {
            code: "hostname_taken",
            reason: "a site in the other data directory has one of the hostnames already",
        });
    }
    Ok(())
}

/// Makes the site's plan where it is missing. Returns whether it was.
async fn copy_plan(from: &Tenants, to: &Tenants, by: &By, here: &Record) -> Result<bool> {
    let Some(id) = &here.plan else { return Ok(false) };
    match to.plan(id).await {
        Ok(_) => return Ok(false),
        Err(Error::NotFound(_)) => {}
        Err(error) => return Err(error),
    }
    let plan = from.plan(id).await?;
    let edit = PlanEdit {
        name: Some(plan.name.clone()),
        upgrade_url: Some(plan.upgrade_url.clone()),
        limits: plan.overrides.limits_json(),
        features: plan.overrides.features_json(),
        extra: Some(from.plan_extra(&plan)?),
    };
    to.create_plan(by, id, edit).await?;
    Ok(true)
}

/// Opens the copy, or leaves it closed for the reason that the original was.
async fn open(to: &Tenants, by: &By, id: &TenantId) -> Result<()> {
    let record = to.record(id).await?;
    match record.reason.as_deref().and_then(|reason| reason.strip_prefix(CLOSED)) {
        Some(reason) => to.suspend(by, id, reason).await.map(drop),
        None => to.resume(by, id).await.map(drop),
    }
}
