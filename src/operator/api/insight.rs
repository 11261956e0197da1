//! What holds, what is used, what happened: effective values, figures, the audit trail.

use super::{Tag, page, page_limit, tenant_id, views::StatsView};
use crate::{
    av,
    base::{Error, Result, ids::TenantId, page::Cursor},
    cache::State,
    http::Problem,
    operator::{
        Appliance,
        caller::{AuditRead, Operator, TenantsRead, TenantsWrite},
    },
    tenancy::{
        Stats, Tenants,
        audit::Entry,
        limits::{Feature, Limit},
        usage,
    },
};
use poem::web::Data;
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
    payload::Json,
    types::{Any, Example},
};
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) struct InsightApi;

#[OpenApi(tag = "Tag::Insight")]
impl InsightApi {
    /// Get what holds for a tenant
    ///
    /// Every limit and feature with its value, and where that comes from: `enforced` goes before
    /// `trial`, that before `tenant`, `plan` and `default`.
    #[oai(path = "/tenants/:id/effective", method = "get", operation_id = "get_effective")]
    async fn get_effective(
        &self,
        operator: Operator<TenantsRead>,
        /// The tenant's id.
        id: Path<String>,
    ) -> Result<Json<Effective>, Problem> {
        let record = operator.tenants.record(&tenant_id(&id)?).await?;
        let sources = record.sources(operator.tenants.enforced());
        let limits = Limit::ALL.iter().map(|limit| {
            let (value, origin) = sources.limit(*limit);
            LimitView { value, origin: Some(origin.as_str().to_owned()), ..(*limit).into() }
        });
        let features = Feature::ALL.iter().map(|feature| {
            let (value, origin) = sources.feature(*feature);
            EffectiveFeature {
                name: feature.as_str().to_owned(),
                doc: feature.doc().to_owned(),
                value,
                origin: origin.as_str().to_owned(),
            }
        });
        Ok(Json(Effective { limits: limits.collect(), features: features.collect() }))
    }

    /// List limits and features
    ///
    /// Every one there is, with its unit and what it means.
    #[oai(path = "/limits", method = "get", operation_id = "list_limits")]
    async fn list_limits(
        &self,
        _operator: Operator<TenantsRead>,
    ) -> Result<Json<Catalogue>, Problem> {
        Ok(Json(Catalogue {
            limits: Limit::ALL.iter().map(|limit| (*limit).into()).collect(),
            features: Feature::ALL.iter().map(|feature| (*feature).into()).collect(),
        }))
    }

    /// Get a tenant's figures
    ///
    /// As of the last time they were looked at.
    #[oai(path = "/tenants/:id/stats", method = "get", operation_id = "get_stats")]
    async fn get_stats(
        &self,
        operator: Operator<TenantsRead>,
        /// The tenant's id.
        id: Path<String>,
    ) -> Result<Json<StatsView>, Problem> {
        let (tenants, id) = (&operator.tenants, tenant_id(&id)?);
        tenants.record(&id).await?;
        let known = tenants.stats(id.as_str()).await?;
        let stats = match known {
            Some(stats) => stats,
            None => refresh(tenants, &id).await?,
        };
        Ok(Json((&stats).into()))
    }

    /// Refresh a tenant's figures
    #[oai(path = "/tenants/:id/stats/refresh", method = "post", operation_id = "refresh_stats")]
    async fn refresh_stats(
        &self,
        operator: Operator<TenantsWrite>,
        /// The tenant's id.
        id: Path<String>,
    ) -> Result<Json<StatsView>, Problem> {
        let stats = refresh(&operator.tenants, &tenant_id(&id)?).await?;
        Ok(Json((&stats).into()))
    }

    /// Refresh every tenant's figures
    ///
    /// One after the other; those that cannot be opened are reported and passed over.
    #[oai(path = "/stats/refresh", method = "post", operation_id = "refresh_all_stats")]
    async fn refresh_all_stats(
        &self,
        operator: Operator<TenantsWrite>,
    ) -> Result<Json<Refreshed>, Problem> {
        let (mut refreshed, mut failed) = (0, Vec::new());
        for id in operator.tenants.ids().await? {
            match refresh(&operator.tenants, &id).await {
                Ok(_) => refreshed += 1,
                // Removed since the ids were read.
                Err(Error::NotFound(_)) => {}
                Err(error) => {
                    tracing::error!(tenant = %id, error = %error.in_full(), "no figures");
                    failed.push(Failure { tenant: id.to_string(), error: error.to_string() });
                }
            }
        }
        Ok(Json(Refreshed { refreshed, failed }))
    }

    /// List what operators did
    ///
    /// The newest first. The entries of a tenant outlive it.
    #[oai(path = "/audit", method = "get", operation_id = "list_audit")]
    async fn list_audit(
        &self,
        operator: Operator<AuditRead>,
        /// Only what was done to this tenant.
        tenant: Query<Option<String>>,
        /// How many at most: 1 to 200, 50 without it.
        limit: Query<Option<u32>>,
        /// The `next` of the page before.
        after: Query<Option<String>>,
    ) -> Result<Json<Audit>, Problem> {
        let limit = page_limit(limit.0)?;
        let before = after.0.as_deref().map(|text| Cursor::parse("after", text)).transpose()?;
        let rows = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let before = before.map(|cursor| cursor.0);
        let entries = operator.tenants.audit(tenant.0, before, rows).await?;
        let (entries, next) = page(entries, limit, |entry| Cursor(entry.id).encode());
        Ok(Json(Audit { items: entries.into_iter().map(EntryView::from).collect(), next }))
    }

    /// Get the status of the appliance
    #[oai(path = "/status", method = "get", operation_id = "get_status")]
    async fn get_status(
        &self,
        operator: Operator<TenantsRead>,
        appliance: Data<&Arc<Appliance>>,
    ) -> Result<Json<Status>, Problem> {
        let counted = operator.tenants.by_status().await?;
        let of = |name| counted.iter().find(|(status, _)| status == name).map_or(0, |(_, n)| *n);
        Ok(Json(Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            tenants: ByStatus {
                active: of("active"),
                suspended: of("suspended"),
                deleting: of("deleting"),
            },
            open_tenants: operator.tenants.open_count() as u64,
            redis: state_word(operator.tenants.redis()).to_owned(),
            ffmpeg: ffmpeg_word(&appliance.tool),
        }))
    }
}

/// Whether films can be worked on, or why not.
fn ffmpeg_word(tool: &av::Tool) -> String {
    tool.state().map_or_else(|missing| missing.to_owned(), |_| "found".to_owned())
}

/// How the state of Redis is called.
pub fn state_word(state: State) -> &'static str {
    match state {
        State::Off => "off",
        State::Up => "up",
        State::Down => "down",
    }
}

async fn refresh(tenants: &Tenants, id: &TenantId) -> Result<Stats> {
    let tenant = tenants.get(id).await?;
    tenant.flush().await?;
    let stats = tenant.read(usage::stats).await?;
    tenants.set_stats(id, stats.clone()).await?;
    Ok(stats)
}

/// Everything that holds for a tenant.
#[derive(Object)]
#[oai(example = true)]
struct Effective {
    limits: Vec<LimitView>,
    features: Vec<EffectiveFeature>,
}

impl Example for Effective {
    fn example() -> Self {
        let origin = Some("plan".to_owned());
        let feature = Feature::Guests;
        Self {
            limits: vec![LimitView { value: Some(500), origin, ..Limit::MaxFiles.into() }],
            features: vec![EffectiveFeature {
                name: feature.as_str().to_owned(),
                doc: feature.doc().to_owned(),
                value: true,
                origin: "default".to_owned(),
            }],
        }
    }
}

/// A number that bounds a tenant.
#[derive(Object)]
#[oai(rename = "Limit", skip_serializing_if_is_none)]
struct LimitView {
    name: String,
    unit: String,
    doc: String,
    /// Absent: unlimited.
    value: Option<u64>,
    origin: Option<String>,
}

impl From<Limit> for LimitView {
    fn from(limit: Limit) -> Self {
        Self {
            name: limit.as_str().to_owned(),
            unit: limit.unit().as_str().to_owned(),
            doc: limit.doc().to_owned(),
            value: None,
            origin: None,
        }
    }
}

/// A switch, and how it stands for a tenant.
#[derive(Object)]
struct EffectiveFeature {
    name: String,
    doc: String,
    value: bool,
    origin: String,
}

/// A switch.
#[derive(Object)]
#[oai(rename = "Feature")]
struct FeatureView {
    name: String,
    doc: String,
    default: bool,
}

impl From<Feature> for FeatureView {
    fn from(feature: Feature) -> Self {
        let (name, doc) = (feature.as_str().to_owned(), feature.doc().to_owned());
        Self { name, doc, default: true }
    }
}

/// Every limit and feature there is.
#[derive(Object)]
#[oai(example = true)]
struct Catalogue {
    limits: Vec<LimitView>,
    features: Vec<FeatureView>,
}

impl Example for Catalogue {
    fn example() -> Self {
        Self { limits: vec![Limit::MaxFiles.into()], features: vec![Feature::Guests.into()] }
    }
}

/// What a refresh came to.
#[derive(Object)]
#[oai(example = true)]
struct Refreshed {
    refreshed: u64,
    failed: Vec<Failure>,
}

#[derive(Object)]
struct Failure {
    tenant: String,
    error: String,
}

impl Example for Refreshed {
    fn example() -> Self {
        Self { refreshed: 120, failed: Vec::new() }
    }
}

/// What operators did.
#[derive(Object)]
#[oai(skip_serializing_if_is_none, example = true)]
struct Audit {
    items: Vec<EntryView>,
    /// Where the next page starts; absent on the last one.
    next: Option<String>,
}

impl Example for Audit {
    fn example() -> Self {
        Self { items: vec![EntryView::example()], next: None }
    }
}

/// One thing that was done.
#[derive(Object)]
#[oai(rename = "AuditEntry", skip_serializing_if_is_none)]
struct EntryView {
    id: i64,
    at: String,
    /// As in `key billing`, `command line`, `housekeeping`.
    actor: String,
    /// A verb and its object, as in `tenant.suspend`.
    action: String,
    tenant: Option<String>,
    detail: Any<Value>,
    address: Option<String>,
}

impl From<Entry> for EntryView {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.id,
            at: entry.at.to_rfc3339(),
            actor: entry.actor,
            action: entry.action,
            tenant: entry.tenant,
            detail: Any(entry.detail),
            address: entry.address,
        }
    }
}

impl Example for EntryView {
    fn example() -> Self {
        Self {
            id: 7,
            at: "2026-01-31T09:30:00.000Z".to_owned(),
            actor: "key billing".to_owned(),
            action: "tenant.suspend".to_owned(),
            tenant: Some("alice".to_owned()),
            detail: Any(json!({ "reason": "The invoice is open." })),
            address: Some("10.0.0.7".to_owned()),
        }
    }
}

/// How the appliance is.
#[derive(Object)]
#[oai(example = true)]
struct Status {
    version: String,
    tenants: ByStatus,
    /// How many tenants' files are open.
    open_tenants: u64,
    /// `off`, `up` or `down`.
    redis: String,
    /// `found`, or why films are handed out as they are.
    ffmpeg: String,
}

/// How many tenants there are in each status.
#[derive(Object)]
struct ByStatus {
    active: u64,
    suspended: u64,
    deleting: u64,
}

impl Example for Status {
    fn example() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            tenants: ByStatus { active: 120, suspended: 2, deleting: 1 },
            open_tenants: 48,
            redis: "off".to_owned(),
            ffmpeg: "found".to_owned(),
        }
    }
}
