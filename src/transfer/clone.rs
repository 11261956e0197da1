//! A site doubled on its own appliance, while it serves on.

use super::{Listener, fill, manifest, snapshot};
use crate::{
    base::{Result, ids::TenantId},
    tenancy::{Tenants, audit::By, provision::NewTenant},
};
use serde::Serialize;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;

#[derive(Debug, Serialize)]
pub struct Report {
    pub id: String,
    pub from: String,
    pub hostnames: Vec<String>,
    pub files: u64,
    pub bytes: u64,
}

/// Makes a second site of all that one holds at this moment, with the same plan and the same
/// overrides. It has a key of its own, so addresses that the first one signed are no good there.
///
/// # Errors
/// `Conflict` with codes `tenant_exists` and `hostname_taken`; `Rejected` with code `bad_source`
/// where a file of the site is missing or broken. Nothing is made then.
pub async fn clone(
    tenants: &Tenants,
    by: &By,
    id: &TenantId,
    new_id: &str,
    hostnames: Vec<String>,
    listener: &Listener,
) -> Result<Report> {
    let record = tenants.record(id).await?;
    let new = NewTenant {
        id: new_id.to_owned(),
        name: Some(record.name.clone()),
        hostnames,
        plan: record.plan.clone(),
        limits: record.own.limits_json(),
        features: record.own.features_json(),
        trial: record.trial.as_ref().map(manifest::spec),
        suspended: None,
        extra: tenants.extra(id).await?,
    };
    tenants.sweep().await?;
    let made = snapshot::with(tenants, id, |snapshot| async move {
        let meter = Arc::new(listener.meter("copying", Some(snapshot.bytes)));
        let counted = meter.clone();
        let fill =
            move |folder: &Path| fill::copy(&snapshot.database, &snapshot.files, folder, &meter);
        let record = tenants.create_with(by, new, None, fill).await?;
        Ok((record, counted.done()))
    });
    let (record, done) = made.await?;
    tenants.note(by, "tenant.clone", Some(id.as_str()), json!({ "to": record.id })).await?;
    Ok(Report {
        hostnames: manifest::names(&record),
        id: record.id,
        from: id.to_string(),
        files: done.files,
        bytes: done.bytes,
    })
}
