//! What a backup says about its site, besides what the site itself holds.

use crate::{
    base::{Clock, Error, Result, clock::Millis, ids::TenantId, secret::Key},
    db::Schema,
    tenancy::{
        Record, Site, Tenants,
        carry::{self, Carried},
        lifecycle::TrialSpec,
        limits::{Overrides, Trial},
        record::Status,
    },
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A site as its appliance knew it. Times are in RFC 3339.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    pub id: String,
    pub name: String,
    /// The canonical one first.
    pub hostnames: Vec<String>,
    pub plan: Option<OfPlan>,
    /// What differed from the plan.
    pub limits: Map<String, Value>,
    pub features: Map<String, Value>,
    pub trial: Option<OfTrial>,
    /// Why it was closed, where it was.
    pub suspended: Option<String>,
    pub created_at: String,
    pub taken_at: String,
    /// The version that took the backup, and how many steps its schema has.
    pub vitrina: String,
    pub schema_steps: usize,
    /// Tells which appliance's key opens what is sealed.
    pub key_fingerprint: String,
    /// The site's own key, and what is kept with it for others to read. Base 64.
    pub sealed: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OfPlan {
    pub id: String,
    pub limits: Map<String, Value>,
    pub features: Map<String, Value>,
    pub upgrade_url: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OfTrial {
    pub ends_at: String,
    pub limits: Map<String, Value>,
    pub features: Map<String, Value>,
}

impl Manifest {
    pub(super) async fn of(tenants: &Tenants, id: &TenantId) -> Result<Self> {
        let record = tenants.record(id).await?;
        let sealed = tenants.seal_carried(&tenants.carried(id).await?)?;
        Ok(Self {
            hostnames: names(&record),
            plan: record.plan.as_ref().map(|id| OfPlan {
                id: id.clone(),
                limits: record.of_plan.limits_json(),
                features: record.of_plan.features_json(),
                upgrade_url: record.upgrade_url.clone(),
            }),
            limits: record.own.limits_json(),
            features: record.own.features_json(),
            trial: record.trial.as_ref().map(|trial| OfTrial {
                ends_at: Millis(trial.ends_at).to_rfc3339(),
                limits: trial.overrides.limits_json(),
                features: trial.overrides.features_json(),
            }),
            suspended: (record.status == Status::Suspended)
                .then(|| record.reason.clone().unwrap_or_default()),
            created_at: Millis(record.created_at).to_rfc3339(),
            taken_at: Clock::now().to_rfc3339(),
            vitrina: env!("CARGO_PKG_VERSION").to_owned(),
            schema_steps: Site::STEPS.len(),
            key_fingerprint: carry::fingerprint(tenants.appliance_key()),
            sealed: STANDARD.encode(sealed),
            id: record.id,
            name: record.name,
        })
    }

    /// Reads what an archive says.
    ///
    /// # Errors
    /// `Rejected` with the code `bad_archive`; `Conflict` with code `schema_newer` where a newer
    /// Vitrina took the backup.
    pub(super) fn read(said: Value) -> Result<Self> {
        let manifest: Self = serde_json::from_value(said).map_err(|e| Error::Rejected {
            code: "bad_archive",
            reason: format!("is no backup of a site: {e}"),
        })?;
        if manifest.schema_steps > Site::STEPS.len() {
            return Err(Error::Conflict {
                code: "schema_newer",
                reason: "this backup was taken by a newer Vitrina: use that version or a later one",
            });
        }
        Ok(manifest)
    }

    /// The site's secrets, where one of the keys opens them.
    ///
    /// # Errors
    /// `Conflict` with code `wrong_key` where a key was given and does not.
    pub(super) fn carried(&self, own: &Key, given: Option<&Key>) -> Result<Option<Carried>> {
        let is_meant = |key: &Key| carry::fingerprint(key) == self.key_fingerprint;
        let key = match given {
            Some(given) => given,
            None if is_meant(own) => own,
            None => return Ok(None),
        };
        let sealed = STANDARD.decode(&self.sealed).map_err(|_| Error::Rejected {
            code: "bad_archive",
            reason: "has secrets that cannot be read".to_owned(),
        })?;
        carry::unseal_carried(key, &sealed).map(Some)
    }

    pub(super) fn own(&self) -> Result<Overrides> {
        stored(&self.limits, &self.features)
    }

    pub(super) fn trial(&self) -> Result<Option<TrialSpec>> {
        let Some(trial) = &self.trial else { return Ok(None) };
        let ends_at: jiff::Timestamp = trial.ends_at.parse().map_err(|_| Error::Rejected {
            code: "bad_archive",
            reason: "has a trial without an end".to_owned(),
        })?;
        let overrides = stored(&trial.limits, &trial.features)?;
        let ends_at = ends_at.as_millisecond();
        Ok(Some(spec(&Trial { ends_at, overrides })))
    }
}

impl OfPlan {
    pub(super) fn overrides(&self) -> Result<Overrides> {
        stored(&self.limits, &self.features)
    }
}

/// The names of a site, the canonical one first.
pub(super) fn names(record: &Record) -> Vec<String> {
    record.hostnames.iter().map(|named| named.host.clone()).collect()
}

pub(super) fn spec(trial: &Trial) -> TrialSpec {
    TrialSpec {
        ends_at: Some(Millis(trial.ends_at)),
        limits: trial.overrides.limits_json(),
        features: trial.overrides.features_json(),
    }
}

/// What this version does not know is passed over.
fn stored(limits: &Map<String, Value>, features: &Map<String, Value>) -> Result<Overrides> {
    let text = |map: &Map<String, Value>| Value::from(map.clone()).to_string();
    Overrides::stored(&text(limits), &text(features))
}
