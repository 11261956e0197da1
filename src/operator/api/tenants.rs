//! `/tenants` over HTTP: made, listed, changed, closed, removed.

use super::{
    Settings, Tag, id_cursor, moment, page, page_limit, parse_id_cursor, people, settings,
    tenant_id, views::TenantView,
};
use crate::{
    accounts::setup,
    base::{Error, Result},
    http::{Problem, json::JsonBody},
    operator::caller::{Operator, TenantsRead, TenantsWrite},
    tenancy::{
        Filter,
        lifecycle::{TenantEdit, TrialSpec},
        provision::NewTenant,
        record::Status,
    },
};
use poem_openapi::{
    ApiResponse, Object, OpenApi,
    param::{Path, Query},
    payload::Json,
    types::{Example, MaybeUndefined},
};

pub(super) struct TenantsApi;

#[OpenApi(tag = "Tag::Tenants")]
impl TenantsApi {
    /// List tenants
    ///
    /// In the order of their ids.
    #[oai(path = "/tenants", method = "get", operation_id = "list_tenants")]
    async fn list_tenants(
        &self,
        operator: Operator<TenantsRead>,
        /// How many at most: 1 to 200, 50 without it.
        limit: Query<Option<u32>>,
        /// The `next` of the page before.
        after: Query<Option<String>>,
        /// Only those that are `active`, `suspended` or `deleting`.
        status: Query<Option<String>>,
        /// Only those with this plan.
        plan: Query<Option<String>>,
        /// Only those with this in their id, name or hostnames.
        q: Query<Option<String>>,
    ) -> Result<Json<TenantList>, Problem> {
        let limit = page_limit(limit.0)?;
        let part = q.0.map(|part| part.trim().to_lowercase()).filter(|part| !part.is_empty());
        let filter = Filter {
            status: status.0.as_deref().map(Status::parse).transpose()?,
            plan: plan.0,
            part,
            after: after.0.as_deref().map(parse_id_cursor).transpose()?,
        };
        let rows = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let records = operator.tenants.list(filter, rows).await?;
        let (records, next) = page(records, limit, |record| id_cursor(&record.id));
        let mut items = Vec::with_capacity(records.len());
        for record in &records {
            items.push(TenantView::of(&operator.tenants, record).await?);
        }
        Ok(Json(TenantList { items, next }))
    }

    /// Create a tenant
    ///
    /// It is there whole, or not at all. `setup_url` is where its first admin sets it up.
    #[oai(path = "/tenants", method = "post", operation_id = "create_tenant")]
    async fn create_tenant(
        &self,
        operator: Operator<TenantsWrite>,
        body: JsonBody<TenantRequest>,
    ) -> Result<TenantCreated, Problem> {
        let tenants = &operator.tenants;
        let record = tenants.create(&operator.by, body.0.parse()?).await?;
        let mut view = TenantView::of(tenants, &record).await?;
        if record.status == Status::Active && tenants.origin(&record).is_some() {
            let tenant = tenants.get(&record.tenant_id()?).await?;
            view.setup_url = people::setup_link(tenants, &tenant).await?;
        }
        Ok(TenantCreated::Created(Json(view)))
    }

    /// Get a tenant
    #[oai(path = "/tenants/:id", method = "get", operation_id = "get_tenant")]
    async fn get_tenant(
        &self,
        operator: Operator<TenantsRead>,
        /// The tenant's id.
        id: Path<String>,
    ) -> Result<Json<TenantView>, Problem> {
        let (tenants, id) = (&operator.tenants, tenant_id(&id)?);
        let mut view = TenantView::of(tenants, &tenants.record(&id).await?).await?;
        let asked = async { setup::is_needed(&*tenants.get(&id).await?).await };
        match asked.await {
            Ok(needed) => view.setup_needed = Some(needed),
            // The operator must be able to look at a tenant whose own file is broken, too.
            Err(error) => {
                tracing::error!(tenant = %id, error = %error.in_full(), "cannot be opened");
            }
        }
        Ok(Json(view))
    }

    /// Change a tenant
    ///
    /// A JSON Merge Patch (RFC 7396): what is not named stays as it is, and `null` takes a plan, a
    /// trial, a limit or a feature away.
    #[oai(path = "/tenants/:id", method = "patch", operation_id = "update_tenant")]
    async fn update_tenant(
        &self,
        operator: Operator<TenantsWrite>,
        /// The tenant's id.
        id: Path<String>,
        body: JsonBody<TenantPatch>,
    ) -> Result<Json<TenantView>, Problem> {
        let edit = body.0.parse()?;
        let record = operator.tenants.edit(&operator.by, &tenant_id(&id)?, edit).await?;
        Ok(Json(TenantView::of(&operator.tenants, &record).await?))
    }

    /// Delete a tenant
    ///
    /// Closes it, and removes it for good when its time of grace is over. With `now` it is gone
    /// at once, with everything that it holds.
    #[oai(path = "/tenants/:id", method = "delete", operation_id = "delete_tenant")]
    async fn delete_tenant(
        &self,
        operator: Operator<TenantsWrite>,
        /// The tenant's id.
        id: Path<String>,
        /// Without a time of grace.
        now: Query<Option<bool>>,
    ) -> Result<TenantDeleted, Problem> {
        let (tenants, id) = (&operator.tenants, tenant_id(&id)?);
        if now.0 == Some(true) {
            tenants.purge(&operator.by, &id).await?;
            return Ok(TenantDeleted::Gone);
        }
        let record = tenants.delete(&operator.by, &id).await?;
        Ok(TenantDeleted::Closed(Json(Box::new(TenantView::of(tenants, &record).await?))))
    }

    /// Suspend a tenant
    ///
    /// Closes it; nothing is lost. Its visitors read the reason.
    #[oai(path = "/tenants/:id/suspend", method = "post", operation_id = "suspend_tenant")]
    async fn suspend_tenant(
        &self,
        operator: Operator<TenantsWrite>,
        /// The tenant's id.
        id: Path<String>,
        body: JsonBody<SuspendRequest>,
    ) -> Result<Json<TenantView>, Problem> {
        let (by, id) = (&operator.by, tenant_id(&id)?);
        let record = operator.tenants.suspend(by, &id, &body.0.reason).await?;
        Ok(Json(TenantView::of(&operator.tenants, &record).await?))
    }

    /// Resume a tenant
    ///
    /// Opens it again, also one whose deletion is not done yet.
    #[oai(path = "/tenants/:id/resume", method = "post", operation_id = "resume_tenant")]
    async fn resume_tenant(
        &self,
        operator: Operator<TenantsWrite>,
        /// The tenant's id.
        id: Path<String>,
    ) -> Result<Json<TenantView>, Problem> {
        let record = operator.tenants.resume(&operator.by, &tenant_id(&id)?).await?;
        Ok(Json(TenantView::of(&operator.tenants, &record).await?))
    }
}

#[derive(Object)]
#[oai(skip_serializing_if_is_none, example = true)]
struct TenantList {
    items: Vec<TenantView>,
    /// Where the next page starts; absent on the last one.
    next: Option<String>,
}

impl Example for TenantList {
    fn example() -> Self {
        Self { items: vec![TenantView::example()], next: None }
    }
}

#[derive(Object)]
#[oai(example = true)]
struct TenantRequest {
    /// 1 to 16 of `a-z`, `0-9` and `-`. It never changes.
    id: String,
    /// The id, without it.
    name: Option<String>,
    /// The first one is canonical.
    #[oai(default)]
    hostnames: Vec<String>,
    plan: Option<String>,
    /// Limits of its own, by their names.
    limits: Option<Settings>,
    /// Features of its own, by their names: whether they are on.
    features: Option<Settings>,
    trial: Option<TrialRequest>,
    /// Closed from the beginning.
    suspended: Option<bool>,
    /// Why it is suspended.
    reason: Option<String>,
}

/// Limits and features until a moment.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct TrialRequest {
    /// RFC 3339.
    ends_at: Option<String>,
    limits: Option<Settings>,
    features: Option<Settings>,
}

impl TrialRequest {
    fn parse(self) -> Result<TrialSpec> {
        Ok(TrialSpec {
            ends_at: self.ends_at.as_deref().map(|at| moment("trial", at)).transpose()?,
            limits: settings(self.limits),
            features: settings(self.features),
        })
    }
}

impl TenantRequest {
    fn parse(self) -> Result<NewTenant> {
        let is_suspended = self.suspended == Some(true);
        if self.reason.is_some() && !is_suspended {
            return Err(Error::invalid("reason", "goes with `suspended` only"));
        }
        Ok(NewTenant {
            id: self.id,
            name: self.name.filter(|name| !name.trim().is_empty()),
            hostnames: self.hostnames,
            plan: self.plan,
            limits: settings(self.limits),
            features: settings(self.features),
            trial: self.trial.map(TrialRequest::parse).transpose()?,
            suspended: is_suspended.then(|| self.reason.unwrap_or_default()),
            extra: serde_json::Map::new(),
        })
    }
}

impl Example for TenantRequest {
    fn example() -> Self {
        Self {
            id: "alice".to_owned(),
            name: Some("Alice’s pictures".to_owned()),
            hostnames: vec!["alice.example".to_owned(), "www.alice.example".to_owned()],
            plan: None,
            limits: None,
            features: None,
            trial: None,
            suspended: None,
            reason: None,
        }
    }
}

#[derive(Object)]
#[oai(example = true)]
struct TenantPatch {
    name: Option<String>,
    plan: MaybeUndefined<String>,
    /// Limits of its own; `null` takes one away.
    limits: Option<Settings>,
    /// Features of its own; `null` takes one away.
    features: Option<Settings>,
    trial: MaybeUndefined<TrialRequest>,
}

impl TenantPatch {
    fn parse(self) -> Result<TenantEdit> {
        let trial = match self.trial {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(None),
            MaybeUndefined::Value(trial) => Some(Some(trial.parse()?)),
        };
        Ok(TenantEdit {
            name: self.name,
            plan: self.plan.into(),
            limits: settings(self.limits),
            features: settings(self.features),
            trial,
            ..TenantEdit::default()
        })
    }
}

impl Example for TenantPatch {
    fn example() -> Self {
        Self {
            name: Some("Alice’s gallery".to_owned()),
            plan: MaybeUndefined::Null,
            limits: None,
            features: None,
            trial: MaybeUndefined::Undefined,
        }
    }
}

#[derive(Object)]
#[oai(example = true)]
struct SuspendRequest {
    /// Why; the tenant's visitors read it.
    reason: String,
}

impl Example for SuspendRequest {
    fn example() -> Self {
        Self { reason: "The invoice is open.".to_owned() }
    }
}

#[derive(ApiResponse)]
enum TenantCreated {
    /// The tenant is there.
    #[oai(status = 201)]
    Created(Json<TenantView>),
}

#[derive(ApiResponse)]
enum TenantDeleted {
    /// The tenant is closed, and will be removed.
    #[oai(status = 202)]
    Closed(Json<Box<TenantView>>),
    /// The tenant is gone.
    #[oai(status = 204)]
    Gone,
}
