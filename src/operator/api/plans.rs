//! `/plans` over HTTP: named sets of limits and features.

use super::{
    Settings, Tag, settings,
    views::{features, limits, names},
};
use crate::{
    base::Error,
    http::{Problem, json::JsonBody},
    operator::caller::{Operator, PlansWrite, TenantsRead},
    tenancy::{
        Tenants,
        plan::{Plan, PlanEdit},
    },
};
use poem_openapi::{
    ApiResponse, Object, OpenApi,
    param::Path,
    payload::Json,
    types::{Example, MaybeUndefined},
};
use std::collections::BTreeMap;

pub(super) struct PlansApi;

#[OpenApi(tag = "Tag::Plans")]
impl PlansApi {
    /// List plans
    #[oai(path = "/plans", method = "get", operation_id = "list_plans")]
    async fn list_plans(&self, operator: Operator<TenantsRead>) -> Result<Json<PlanList>, Problem> {
        let plans = operator.tenants.plans().await?;
        let items = plans.into_iter().map(|plan| PlanView::of(&operator.tenants, plan));
        Ok(Json(PlanList { items: items.collect::<Result<_, _>>()? }))
    }

    /// Create a plan
    #[oai(path = "/plans", method = "post", operation_id = "create_plan")]
    async fn create_plan(
        &self,
        operator: Operator<PlansWrite>,
        body: JsonBody<PlanRequest>,
    ) -> Result<PlanCreated, Problem> {
        let (by, request) = (&operator.by, body.0);
        let edit = PlanEdit {
            name: request.name.filter(|name| !name.trim().is_empty()),
            upgrade_url: request.upgrade_url.map(Some),
            limits: settings(request.limits),
            features: settings(request.features),
            extra: None,
        };
        let plan = operator.tenants.create_plan(by, &request.id, edit).await?;
        Ok(PlanCreated::Created(Json(PlanView::of(&operator.tenants, plan)?)))
    }

    /// Get a plan
    #[oai(path = "/plans/:id", method = "get", operation_id = "get_plan")]
    async fn get_plan(
        &self,
        operator: Operator<TenantsRead>,
        /// The plan's id.
        id: Path<String>,
    ) -> Result<Json<PlanView>, Problem> {
        let plan = operator.tenants.plan(&id).await?;
        Ok(Json(PlanView::of(&operator.tenants, plan)?))
    }

    /// Change a plan
    ///
    /// A JSON Merge Patch (RFC 7396). Every tenant that has the plan follows at once.
    #[oai(path = "/plans/:id", method = "patch", operation_id = "update_plan")]
    async fn update_plan(
        &self,
        operator: Operator<PlansWrite>,
        /// The plan's id.
        id: Path<String>,
        body: JsonBody<PlanPatch>,
    ) -> Result<Json<PlanView>, Problem> {
        let patch = body.0;
        let edit = PlanEdit {
            name: patch.name,
            upgrade_url: patch.upgrade_url.into(),
            limits: settings(patch.limits),
            features: settings(patch.features),
            extra: None,
        };
        let plan = operator.tenants.edit_plan(&operator.by, &id, edit).await?;
        Ok(Json(PlanView::of(&operator.tenants, plan)?))
    }

    /// Delete a plan
    ///
    /// Only one that no tenant has.
    #[oai(path = "/plans/:id", method = "delete", operation_id = "delete_plan")]
    async fn delete_plan(
        &self,
        operator: Operator<PlansWrite>,
        /// The plan's id.
        id: Path<String>,
    ) -> Result<PlanDeleted, Problem> {
        operator.tenants.delete_plan(&operator.by, &id).await?;
        Ok(PlanDeleted::Done)
    }
}

/// A named set of limits and features.
#[derive(Object)]
#[oai(rename = "Plan", skip_serializing_if_is_none, example = true)]
struct PlanView {
    id: String,
    name: String,
    /// Where a customer goes who needs more.
    upgrade_url: Option<String>,
    limits: BTreeMap<String, u64>,
    features: BTreeMap<String, bool>,
    /// The names of what else is kept with it; the values are not shown.
    extra: BTreeMap<String, String>,
    /// How many tenants have it.
    tenants: u64,
    created_at: String,
    updated_at: String,
}

impl PlanView {
    fn of(tenants: &Tenants, plan: Plan) -> Result<Self, Error> {
        Ok(Self {
            extra: names(tenants.plan_extra(&plan)?),
            limits: limits(&plan.overrides),
            features: features(&plan.overrides),
            id: plan.id,
            name: plan.name,
            upgrade_url: plan.upgrade_url,
            tenants: plan.tenants,
            created_at: plan.created_at.to_rfc3339(),
            updated_at: plan.updated_at.to_rfc3339(),
        })
    }
}

impl Example for PlanView {
    fn example() -> Self {
        Self {
            id: "small".to_owned(),
            name: "Small".to_owned(),
            upgrade_url: Some("https://host.example/upgrade".to_owned()),
            limits: BTreeMap::from([("max_files".to_owned(), 500)]),
            features: BTreeMap::from([("guests".to_owned(), false)]),
            extra: BTreeMap::new(),
            tenants: 12,
            created_at: "2026-01-31T09:30:00.000Z".to_owned(),
            updated_at: "2026-01-31T09:30:00.000Z".to_owned(),
        }
    }
}

#[derive(Object)]
#[oai(example = true)]
struct PlanList {
    items: Vec<PlanView>,
}

impl Example for PlanList {
    fn example() -> Self {
        Self { items: vec![PlanView::example()] }
    }
}

#[derive(Object)]
#[oai(example = true)]
struct PlanRequest {
    /// 1 to 32 of `a-z`, `0-9`, `-` and `_`. It never changes.
    id: String,
    /// The id, without it.
    name: Option<String>,
    upgrade_url: Option<String>,
    /// Limits by their names.
    limits: Option<Settings>,
    /// Features by their names: whether they are on.
    features: Option<Settings>,
}

impl Example for PlanRequest {
    fn example() -> Self {
        Self {
            id: "small".to_owned(),
            name: Some("Small".to_owned()),
            upgrade_url: Some("https://host.example/upgrade".to_owned()),
            limits: None,
            features: None,
        }
    }
}

#[derive(Object)]
#[oai(example = true)]
struct PlanPatch {
    name: Option<String>,
    upgrade_url: MaybeUndefined<String>,
    /// Limits by their names; `null` takes one away.
    limits: Option<Settings>,
    /// Features by their names; `null` takes one away.
    features: Option<Settings>,
}

impl Example for PlanPatch {
    fn example() -> Self {
        Self {
            name: Some("Small and cheap".to_owned()),
            upgrade_url: MaybeUndefined::Null,
            limits: None,
            features: None,
        }
    }
}

#[derive(ApiResponse)]
enum PlanCreated {
    /// The plan is there.
    #[oai(status = 201)]
    Created(Json<PlanView>),
}

#[derive(ApiResponse)]
enum PlanDeleted {
    /// The plan is gone.
    #[oai(status = 204)]
    Done,
}
