//! A site made from a backup: whole, or not at all.

use super::{Listener, Manifest, fill, manifest::OfPlan};
use crate::{
    archive,
    base::{Error, Result, secret::Key},
    db::Db,
    tenancy::{
        Site, Tenants, audit::By, hostname::Hostname, limits::Overrides, provision::NewTenant,
    },
};
use serde::Serialize;
use serde_json::json;
use std::{collections::HashMap, fs, path::Path};

/// What is to become of a backup.
#[derive(Default)]
pub struct Order {
    pub id: String,
    /// In place of those that the site had.
    pub hostnames: Vec<String>,
    /// The key of the appliance that took the backup, where it is another one.
    pub source_key: Option<Key>,
}

/// What was made of a backup.
#[derive(Debug, Serialize)]
pub struct Report {
    pub id: String,
    /// Which site it was.
    pub from: String,
    pub taken_at: String,
    pub hostnames: Vec<String>,
    /// Names of the site that were left out, as others have them.
    pub hostnames_taken: Vec<String>,
    pub plan: Option<String>,
    /// The site's plan does not exist here: what it allowed is now the site's own.
    pub plan_missing: Option<String>,
    /// Whether addresses that were signed before are still good.
    pub signed_addresses_kept: bool,
    /// Why it is closed, as it was when the backup was taken.
    pub suspended: Option<String>,
    pub files: u64,
    pub bytes: u64,
}

impl Report {
    /// What the operator should know besides that it worked.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(plan) = &self.plan_missing {
            notes
                .push(format!("there is no plan `{plan}` here: its limits are the site's own now"));
        }
        if !self.hostnames_taken.is_empty() {
            let names = self.hostnames_taken.join(", ");
            notes.push(format!("left out, as other sites have them: {names}"));
        }
        if !self.signed_addresses_kept {
            notes.push(
                "another secret key sealed this backup: signed addresses end, and what was kept \
                 with the site for others is not restored"
                    .to_owned(),
            );
        }
        if self.suspended.is_some() {
            notes.push("the site was suspended, and still is".to_owned());
        }
        notes
    }
}

/// Makes a site from a backup.
///
/// # Errors
/// `Rejected` with code `bad_archive`; `Conflict` with codes `schema_newer`, `wrong_key` for a
/// source key that is not the right one, `tenant_exists` and `hostname_taken`. Nothing is made
/// then.
pub async fn restore(
    tenants: &Tenants,
    by: &By,
    from: &Path,
    order: Order,
    listener: &Listener,
) -> Result<Report> {
    let path = from.to_owned();
    let said = tokio::task::spawn_blocking(move || archive::manifest(&path)).await??;
    let manifest = Manifest::read(said)?;
    let carried = manifest.carried(tenants.appliance_key(), order.source_key.as_ref())?;
    let (hostnames, hostnames_taken) = hostnames(tenants, &manifest, order.hostnames).await?;
    let (plan, own, plan_missing) = plan(tenants, &manifest).await?;
    let signed_addresses_kept = carried.is_some();
    let (key, extra) = carried.map(|c| (c.key, c.extra)).unzip();
    let new = NewTenant {
        id: order.id.clone(),
        name: Some(manifest.name.clone()),
        hostnames: hostnames.clone(),
        plan: plan.clone(),
        limits: own.limits_json(),
        features: own.features_json(),
        trial: manifest.trial()?,
        suspended: manifest.suspended.clone(),
        extra: extra.unwrap_or_default(),
    };
    tenants.sweep().await?;
    let (path, mut tell) = (from.to_owned(), listener.archive("unpacking", None));
    let (done, unpacked) = std::sync::mpsc::channel();
    let fill = move |folder: &Path| {
        let _ = done.send(unpack(&path, folder, &mut tell)?);
        Ok(())
    };
    tenants.create_with(by, new, key, fill).await?;
    let unpacked = unpacked.recv().map_err(Error::internal)?;
    let detail = json!({ "from": manifest.id, "taken_at": manifest.taken_at });
    tenants.note(by, "tenant.restore", Some(&order.id), detail).await?;
    Ok(Report {
        id: order.id,
        from: manifest.id,
        taken_at: manifest.taken_at,
        hostnames,
        hostnames_taken,
        plan,
        plan_missing,
        signed_addresses_kept,
        suspended: manifest.suspended,
        files: unpacked.files,
        bytes: unpacked.bytes,
    })
}

/// Unpacks into a folder that has a marker in it. Blocks.
fn unpack(
    from: &Path,
    folder: &Path,
    tell: &mut dyn FnMut(archive::Progress) -> bool,
) -> Result<archive::Report> {
    let inner = folder.join("unpacked");
    fs::create_dir(&inner)?;
    let report = archive::unpack(from, &inner, tell)?;
    // Before anything is written to it: a newer one stays as it is.
    Db::<Site>::is_behind(&inner.join("site.sqlite")).map_err(|error| match error {
        Error::Internal(cause) => Error::Rejected {
            code: "bad_archive",
            reason: format!("has a broken database: {cause}"),
        },
        other => other,
    })?;
    for name in ["site.sqlite", "media"] {
        fs::rename(inner.join(name), folder.join(name))?;
    }
    // Looking at the database left its empty log behind.
    fs::remove_dir_all(&inner)?;
    fill::adopt(folder)?;
    Ok(report)
}

/// The names that the site gets, and those that it cannot have.
async fn hostnames(
    tenants: &Tenants,
    manifest: &Manifest,
    ordered: Vec<String>,
) -> Result<(Vec<String>, Vec<String>)> {
    if !ordered.is_empty() {
        let parsed = ordered.iter().map(|host| Ok(Hostname::parse("host", host)?.to_string()));
        return Ok((parsed.collect::<Result<_>>()?, Vec::new()));
    }
    let owners: HashMap<_, _> = tenants.host_pairs().await?.into_iter().collect();
    let names = manifest.hostnames.iter().cloned();
    Ok(names.partition(|host| !owners.contains_key(host)))
}

/// The plan where it exists; otherwise what it allowed, under what the site had of its own.
async fn plan(
    tenants: &Tenants,
    manifest: &Manifest,
) -> Result<(Option<String>, Overrides, Option<String>)> {
    let mut own = manifest.own()?;
    let Some(OfPlan { id, .. }) = &manifest.plan else { return Ok((None, own, None)) };
    match tenants.plan(id).await {
        Ok(_) => Ok((Some(id.clone()), own, None)),
        Err(Error::NotFound(_)) => {
            let of_plan =
                manifest.plan.as_ref().map_or(Ok(Overrides::default()), OfPlan::overrides)?;
            for (limit, value) in of_plan.limits {
                own.limits.entry(limit).or_insert(value);
            }
            for (feature, is_on) in of_plan.features {
                own.features.entry(feature).or_insert(is_on);
            }
            Ok((None, own, Some(id.clone())))
        }
        Err(error) => Err(error),
    }
}
