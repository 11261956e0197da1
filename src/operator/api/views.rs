//! What the operator API shows of a tenant: shapes, and where their parts are read.

use crate::{
    base::{Result, clock::Millis},
    tenancy::{
        Record, Stats, Tenants,
        limits::{Limit, Overrides, Trial},
        record::Named,
    },
};
use poem_openapi::{Object, types::Example};
use std::collections::BTreeMap;

/// A site that this appliance hosts.
#[derive(Object)]
#[oai(rename = "Tenant", skip_serializing_if_is_none, example = true)]
pub(super) struct TenantView {
    pub id: String,
    pub name: String,
    /// `active`, `suspended` or `deleting`.
    pub status: String,
    /// Why it is suspended; its visitors read it.
    pub reason: Option<String>,
    pub plan: Option<String>,
    /// The canonical one first.
    pub hostnames: Vec<HostnameView>,
    /// Where it is found from outside.
    pub url: Option<String>,
    /// Its own limits, which go before the plan's.
    pub limits: BTreeMap<String, u64>,
    /// Its own features, which go before the plan's.
    pub features: BTreeMap<String, bool>,
    pub trial: Option<TrialView>,
    /// The names of what else is kept with it; the values are not shown.
    pub extra: BTreeMap<String, String>,
    pub created_at: String,
    pub updated_at: String,
    /// When it is removed for good.
    pub delete_after: Option<String>,
    /// Whether it has no admin yet. Only where one tenant is asked for.
    pub setup_needed: Option<bool>,
    /// Where its first admin sets it up. Only in the answer that creates it.
    pub setup_url: Option<String>,
    pub stats: Option<StatsView>,
    /// What it uses of what it may.
    pub usage: Vec<UsageView>,
}

/// A name that leads to a tenant.
#[derive(Object)]
#[oai(rename = "Hostname", example = true)]
pub(super) struct HostnameView {
    pub host: String,
    /// Links start with it.
    pub is_canonical: bool,
}

impl Example for HostnameView {
    fn example() -> Self {
        Self { host: "alice.example".to_owned(), is_canonical: true }
    }
}

impl From<&Named> for HostnameView {
    fn from(named: &Named) -> Self {
        Self { host: named.host.clone(), is_canonical: named.is_canonical }
    }
}

/// Limits and features that fall away by themselves.
#[derive(Object)]
#[oai(rename = "Trial")]
pub(super) struct TrialView {
    ends_at: String,
    limits: BTreeMap<String, u64>,
    features: BTreeMap<String, bool>,
    is_over: bool,
}

impl From<&Trial> for TrialView {
    fn from(trial: &Trial) -> Self {
        Self {
            ends_at: Millis(trial.ends_at).to_rfc3339(),
            limits: limits(&trial.overrides),
            features: features(&trial.overrides),
            is_over: trial.is_over(),
        }
    }
}

/// What a tenant holds, as of a moment.
#[derive(Object)]
#[oai(rename = "Stats", example = true)]
pub(super) struct StatsView {
    users: u64,
    admins: u64,
    managers: u64,
    files: u64,
    tags: u64,
    bytes_stored: u64,
    bytes_served_month: u64,
    variants_rendered_month: u64,
    jobs_waiting: u64,
    jobs_running: u64,
    /// Those that were given up and not swept yet.
    jobs_failed: u64,
    refreshed_at: String,
}

impl From<&Stats> for StatsView {
    fn from(stats: &Stats) -> Self {
        Self {
            users: stats.amount("users"),
            admins: stats.amount("admins"),
            managers: stats.amount("managers"),
            files: stats.amount("files"),
            tags: stats.amount("tags"),
            bytes_stored: stats.amount("bytes_stored"),
            bytes_served_month: stats.amount("bytes_served_month"),
            variants_rendered_month: stats.amount("variants_rendered_month"),
            jobs_waiting: stats.amount("jobs_waiting"),
            jobs_running: stats.amount("jobs_running"),
            jobs_failed: stats.amount("jobs_failed"),
            refreshed_at: stats.refreshed_at.to_rfc3339(),
        }
    }
}

impl Example for StatsView {
    fn example() -> Self {
        Self {
            users: 3,
            admins: 1,
            managers: 0,
            files: 240,
            tags: 31,
            bytes_stored: 734_003_200,
            bytes_served_month: 5_368_709_120,
            variants_rendered_month: 480,
            jobs_waiting: 12,
            jobs_running: 1,
            jobs_failed: 0,
            refreshed_at: "2026-01-31T09:30:00.000Z".to_owned(),
        }
    }
}

/// How much of one limit is used.
#[derive(Object)]
#[oai(rename = "Usage", skip_serializing_if_is_none)]
pub(super) struct UsageView {
    /// The limit's name.
    limit: String,
    used: u64,
    /// Absent: as much as they like.
    allowed: Option<u64>,
}

pub(super) fn limits(overrides: &Overrides) -> BTreeMap<String, u64> {
    overrides.limits.iter().map(|(limit, n)| (limit.as_str().to_owned(), *n)).collect()
}

pub(super) fn features(overrides: &Overrides) -> BTreeMap<String, bool> {
    overrides.features.iter().map(|(feature, on)| (feature.as_str().to_owned(), *on)).collect()
}

/// The names of what is kept, with a mark in place of each value.
pub(super) fn names(extra: serde_json::Map<String, serde_json::Value>) -> BTreeMap<String, String> {
    extra.into_iter().map(|(name, _)| (name, "•••".to_owned())).collect()
}

impl TenantView {
    pub(super) async fn of(tenants: &Tenants, record: &Record) -> Result<Self> {
        let stats = tenants.stats(&record.id).await?;
        let sources = record.sources(tenants.enforced());
        let usage = Limit::ALL.iter().filter_map(|limit| {
            let counter = limit.counter()?;
            Some(UsageView {
                limit: limit.as_str().to_owned(),
                used: stats.as_ref().map_or(0, |stats| stats.amount(counter)),
                allowed: sources.limit(*limit).0,
            })
        });
        Ok(Self {
            id: record.id.clone(),
            name: record.name.clone(),
            status: record.status.as_str().to_owned(),
            reason: record.reason.clone(),
            plan: record.plan.clone(),
            hostnames: record.hostnames.iter().map(HostnameView::from).collect(),
            url: tenants.origin(record),
            limits: limits(&record.own),
            features: features(&record.own),
            trial: record.trial.as_ref().map(TrialView::from),
            extra: names(tenants.extra(&record.tenant_id()?).await?),
            created_at: Millis(record.created_at).to_rfc3339(),
            updated_at: Millis(record.updated_at).to_rfc3339(),
            delete_after: record.delete_after().map(Millis::to_rfc3339),
            setup_needed: None,
            setup_url: None,
            usage: usage.collect(),
            stats: stats.as_ref().map(StatsView::from),
        })
    }
}

impl Example for TenantView {
    fn example() -> Self {
        Self {
            id: "alice".to_owned(),
            name: "Alice’s pictures".to_owned(),
            status: "active".to_owned(),
            reason: None,
            plan: Some("small".to_owned()),
            hostnames: vec![HostnameView::example()],
            url: Some("https://alice.example".to_owned()),
            limits: BTreeMap::from([("max_users".to_owned(), 5)]),
            features: BTreeMap::new(),
            trial: None,
            extra: BTreeMap::new(),
            created_at: "2026-01-31T09:30:00.000Z".to_owned(),
            updated_at: "2026-01-31T09:30:00.000Z".to_owned(),
            delete_after: None,
            setup_needed: None,
            setup_url: None,
            stats: Some(StatsView::example()),
            usage: vec![UsageView { limit: "max_users".to_owned(), used: 3, allowed: Some(5) }],
        }
    }
}
