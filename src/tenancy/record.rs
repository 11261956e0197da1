//! What the operator keeps about a site: its status, its names, its plan. What the site holds is
//! behind the `Tenant` handle.

use super::{
    hostname::Hostname,
    limits::{Feature, Limit, Origin, Overrides, Sources, Trial},
};
use crate::base::{Error, Result, clock::Millis, ids::TenantId};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Active,
    /// Closed by the operator; nothing is lost.
    Suspended,
    /// Closed, and removed for good when its time has come.
    Deleting,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Deleting => "deleting",
        }
    }

    pub fn parse(text: &str) -> Result<Self> {
        [Self::Active, Self::Suspended, Self::Deleting]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| Error::invalid("status", "must be active, suspended or deleting"))
    }
}

/// One of the names of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    pub host: String,
    pub is_canonical: bool,
}

/// A site, as the appliance knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub id: String,
    pub name: String,
    pub status: Status,
    /// Why it is not active.
    pub reason: Option<String>,
    /// The canonical one first.
    pub hostnames: Vec<Named>,
    pub plan: Option<String>,
    /// The plan's own overrides, and where its customers go who need more.
    pub of_plan: Overrides,
    pub upgrade_url: Option<String>,
    pub own: Overrides,
    pub trial: Option<Trial>,
    pub created_at: i64,
    pub updated_at: i64,
    pub delete_after: Option<i64>,
}

impl Record {
    /// # Errors
    /// `Internal` where the control file holds what is no tenant's name.
    pub fn tenant_id(&self) -> Result<TenantId> {
        TenantId::parse(&self.id).map_err(|e| Error::internal(e.to_string()))
    }

    /// The name that links start with.
    pub fn canonical(&self) -> Option<&str> {
        self.hostnames.iter().find(|named| named.is_canonical).map(|named| &*named.host)
    }

    pub fn has_host(&self, host: &Hostname) -> bool {
        self.hostnames.iter().any(|named| named.host == host.as_str())
    }

    pub fn delete_after(&self) -> Option<Millis> {
        self.delete_after.map(Millis)
    }

    /// Everything that bears on what the site may have.
    pub fn sources<'a>(&'a self, enforced: &'a Overrides) -> Sources<'a> {
        let (tenant, plan) = (&self.own, &self.of_plan);
        Sources { enforced, trial: self.trial.as_ref(), tenant, plan }
    }

    /// # Errors
    /// Whatever keeps visitors out: the site is suspended, or on its way out.
    pub fn check_open(&self) -> Result<()> {
        match self.status {
            Status::Active => Ok(()),
            Status::Suspended => {
                let reason = self.reason.clone().filter(|r| !r.is_empty());
                let reason = reason.unwrap_or_else(|| "ask its operator".to_owned());
                Err(Error::Suspended { reason })
            }
            Status::Deleting => Err(Error::Gone("site")),
        }
    }
}

/// What one site may have, as of now: taken along into a transaction that adds something.
#[derive(Debug, Clone)]
pub struct Allowance {
    pub(super) record: std::sync::Arc<Record>,
    pub(super) enforced: std::sync::Arc<Overrides>,
}

impl Allowance {
    pub fn limit(&self, limit: Limit) -> Option<u64> {
        self.record.sources(&self.enforced).limit(limit).0
    }

    pub fn has(&self, feature: Feature) -> bool {
        self.record.sources(&self.enforced).feature(feature).0
    }

    /// Every limit with its value and where that comes from.
    pub fn limits(&self) -> impl Iterator<Item = (Limit, Option<u64>, Origin)> {
        Limit::ALL.iter().map(|limit| {
            let (value, origin) = self.record.sources(&self.enforced).limit(*limit);
            (*limit, value, origin)
        })
    }

    pub fn features(&self) -> impl Iterator<Item = (Feature, bool, Origin)> {
        Feature::ALL.iter().map(|feature| {
            let (on, origin) = self.record.sources(&self.enforced).feature(*feature);
            (*feature, on, origin)
        })
    }

    /// # Errors
    /// `FeatureOff` where the site is denied it.
    pub fn need(&self, feature: Feature) -> Result<()> {
        if self.has(feature) {
            return Ok(());
        }
        let upgrade_url = self.record.upgrade_url.clone();
        Err(Error::FeatureOff { feature: feature.as_str(), upgrade_url })
    }

    /// # Errors
    /// `LimitReached` where `used` and `more` are together over the limit.
    pub fn check(&self, limit: Limit, used: u64, more: u64) -> Result<()> {
        match self.limit(limit) {
            Some(allowed) if used.saturating_add(more) > allowed => {
                Err(self.reached(limit, allowed, None))
            }
            _ => Ok(()),
        }
    }

    /// The refusal that says which limit it was.
    pub fn reached(&self, limit: Limit, allowed: u64, retry_after_s: Option<u64>) -> Error {
        let upgrade_url = self.record.upgrade_url.clone();
        Error::LimitReached { limit: limit.as_str(), allowed, upgrade_url, retry_after_s }
    }
}
