//! The tenants API of Chevereto 4 (`/_/api/4`), for provisioning scripts that speak it: same
//! paths, bodies and statuses, mapped to our own verbs. Keys are operator keys.

use super::{
    answers::{self, Failure, plan_view, tenant_view},
    guard::{Call, Calls},
    words::{Translated, take_back, translate},
};
use crate::{
    accounts::{setup::FirstAdmin, users},
    base::{
        Error,
        ids::TenantId,
        secret::{Secret, random_bytes},
    },
    operator::keys::Scope,
    site::setup,
    tenancy::{
        Filter, HostChanges, Tenants, lifecycle::TenantEdit, plan::PlanEdit, provision::NewTenant,
        record::Status,
    },
};
use poem::{
    Endpoint, EndpointExt, IntoResponse, Request, Response, Route,
    endpoint::make,
    http::{Method, StatusCode},
};
use serde_json::{Map, Value, json};
use std::sync::Arc;

type Answer = Result<Response, Failure>;

/// Everything below `/_/api/4`. `secret` is what bodies must be signed with, where it is given.
pub fn routes(tenants: Arc<Tenants>, secret: Option<Secret>) -> impl Endpoint<Output = Response> {
    let calls = Arc::new(Calls { tenants, secret });
    let at = |path: &'static str| {
        let calls = calls.clone();
        make(move |req: Request| {
            let calls = calls.clone();
            async move {
                Ok::<_, poem::Error>(match calls.open(req).await {
                    Ok(call) => dispatch(path, &call).await.unwrap_or_else(Failure::into_response),
                    Err(failure) => failure.into_response(),
                })
            }
        })
    };
    Route::new()
        .at("/auth/verify", at("auth/verify"))
        .at("/tenants", at("tenants"))
        .at("/tenants/:id", at("tenant"))
        .at("/tenants/:id/install", at("install"))
        .at("/tenants/:id/user-password-reset", at("password"))
        .at("/tenants-plans", at("plans"))
        .at("/tenants-plans/:id", at("plan"))
        .map_to_response()
}

async fn dispatch(path: &str, call: &Call) -> Answer {
    match (path, &call.method) {
        ("auth/verify", &Method::POST) => Ok(StatusCode::OK.into_response()),
        ("tenants", &Method::GET) => list_tenants(call).await,
        ("tenants", &Method::POST) => create_tenant(call).await,
        ("tenant", &Method::GET) => get_tenant(call).await,
        ("tenant", &Method::PATCH) => edit_tenant(call).await,
        ("tenant", &Method::DELETE) => delete_tenant(call).await,
        ("install", &Method::POST) => install(call).await,
        ("password", &Method::PATCH) => reset_password(call).await,
        ("plans", &Method::GET) => list_plans(call).await,
        ("plans", &Method::POST) => create_plan(call).await,
        ("plan", &Method::GET) => get_plan(call).await,
        ("plan", &Method::PATCH) => edit_plan(call).await,
        ("plan", &Method::DELETE) => delete_plan(call).await,
        _ => Err(Failure::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed")),
    }
}

async fn list_tenants(call: &Call) -> Answer {
    call.need(Scope::TenantsRead)?;
    let (mut all, mut filter) = (Vec::new(), Filter::default());
    loop {
        let page = call.tenants.list(filter.clone(), 500).await?;
        let Some(last) = page.last() else { return Ok(answers::json(StatusCode::OK, &all.into())) };
        filter.after = Some(last.id.clone());
        for record in &page {
            all.push(tenant_view(&call.tenants, record).await?);
        }
    }
}

/// The site that the path names, by an id that may be none.
async fn asked(call: &Call) -> Result<TenantId, Failure> {
    let missing = || Failure::new(StatusCode::NOT_FOUND, "Tenant not found");
    let id = TenantId::parse(&call.id).map_err(|_| missing())?;
    match call.tenants.record(&id).await {
        Ok(_) => Ok(id),
        Err(Error::NotFound(_)) => Err(missing()),
        Err(error) => Err(error.into()),
    }
}

async fn get_tenant(call: &Call) -> Answer {
    call.need(Scope::TenantsRead)?;
    let record = call.tenants.record(&asked(call).await?).await?;
    Ok(answers::json(StatusCode::OK, &tenant_view(&call.tenants, &record).await?))
}

/// What `limits` and `env` of a body come to, and what is kept of them as it came.
fn terms(call: &Call, kept: &mut Map<String, Value>) -> Result<Translated, Failure> {
    let mut ours = Translated::default();
    for field in ["limits", "env"] {
        let Some(theirs) = call.object(field)? else { continue };
        if let Some(Value::Object(before)) = kept.get(field) {
            take_back(before, &mut ours);
        }
        translate(&theirs, &mut ours);
        kept.insert(field.to_owned(), theirs.into());
    }
    match ours.wrong.first() {
        Some(name) => Err(Failure::bad(format!("Invalid value for {name}"))),
        None => Ok(ours),
    }
}

async fn create_tenant(call: &Call) -> Answer {
    call.need(Scope::TenantsWrite)?;
    let (id, hostname) = (call.required("id")?, call.required("hostname")?);
    let is_enabled = call.switch("is_enabled")?;
    let is_enabled = is_enabled.ok_or_else(|| Failure::bad("Missing argument is_enabled"))?;
    let mut extra = Map::new();
    let ours = terms(call, &mut extra)?;
    let new = NewTenant {
        id: id.clone(),
        hostnames: vec![hostname],
        plan: call.text("plan_id").filter(|plan| !plan.is_empty()),
        limits: ours.limits,
        features: ours.features,
        suspended: (!is_enabled).then(String::new),
        extra,
        ..NewTenant::default()
    };
    let record = call.tenants.create(&call.by, new).await?;
    let view = tenant_view(&call.tenants, &record).await?;
    Ok(answers::with_unknown(answers::json(StatusCode::CREATED, &view), &ours.unknown))
}

async fn edit_tenant(call: &Call) -> Answer {
    call.need(Scope::TenantsWrite)?;
    let id = asked(call).await?;
    if !["is_enabled", "hostname", "plan_id", "limits", "env"].iter().any(|f| call.has(f)) {
        return Err(Failure::bad("Nothing to change"));
    }
    let mut extra = call.tenants.extra(&id).await?;
    let ours = terms(call, &mut extra)?;
    let before = call.tenants.record(&id).await?;
    let edit = TenantEdit {
        hosts: new_hostname(before.canonical(), call.text("hostname")),
        plan: call.text("plan_id").map(|plan| Some(plan).filter(|p| !p.is_empty())),
        limits: ours.limits,
        features: ours.features,
        ..TenantEdit::default()
    };
    let is_enabled = call.switch("is_enabled")?;
    let record = call.tenants.edit(&call.by, &id, edit).await?;
    call.tenants.set_extra(&id, &extra).await?;
    match (is_enabled, record.status) {
        (Some(true), Status::Suspended) => drop(call.tenants.resume(&call.by, &id).await?),
        (Some(false), Status::Active) => drop(call.tenants.suspend(&call.by, &id, "").await?),
        _ => {}
    }
    Ok(answers::with_unknown(StatusCode::NO_CONTENT.into_response(), &ours.unknown))
}

/// Their sites have one name: the new one takes the old one's place.
fn new_hostname(before: Option<&str>, host: Option<String>) -> HostChanges {
    match host.filter(|host| Some(host.as_str()) != before) {
        None => HostChanges::default(),
        Some(host) => HostChanges {
            add: vec![host.clone()],
            canonical: Some(host),
            remove: before.map(str::to_owned).into_iter().collect(),
        },
    }
}

async fn delete_tenant(call: &Call) -> Answer {
    call.need(Scope::TenantsWrite)?;
    let id = asked(call).await?;
    match call.switch("drop_tables")? {
        Some(true) => call.tenants.purge(&call.by, &id).await?,
        _ => drop(call.tenants.delete(&call.by, &id).await?),
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn install(call: &Call) -> Answer {
    call.need(Scope::TenantsWrite)?;
    let id = asked(call).await?;
    let (username, email) = (call.required("username")?, call.required("email")?);
    let password = Secret::new(call.required("password")?);
    let tenant = call.tenants.get(&id).await?;
    let admin = FirstAdmin::by_operator(&tenant, &username, &email, password).await?;
    let user = setup::complete(&tenant, admin, None).await?;
    let detail = json!({ "username": user.username });
    call.tenants.note(&call.by, "tenant.install", Some(id.as_str()), detail).await?;
    let view = json!({ "username": user.username, "email": user.email });
    Ok(answers::json(StatusCode::CREATED, &view))
}

async fn reset_password(call: &Call) -> Answer {
    call.need(Scope::Support)?;
    let id = asked(call).await?;
    let username = call.required("username")?;
    let password = match call.text("password").filter(|p| !p.is_empty()) {
        Some(given) => given,
        None => bs58::encode(random_bytes::<12>()?).into_string(),
    };
    let tenant = call.tenants.get(&id).await?;
    let user = users::reset_password(&tenant, &username, Secret::new(&*password)).await?;
    let detail = json!({ "username": user.username });
    call.tenants.note(&call.by, "user.password-reset", Some(id.as_str()), detail).await?;
    let view = json!({ "username": user.username, "password": password });
    Ok(answers::json(StatusCode::OK, &view))
}

async fn list_plans(call: &Call) -> Answer {
    call.need(Scope::TenantsRead)?;
    let plans = call.tenants.plans().await?;
    let views: Result<Vec<Value>, Failure> =
        plans.iter().map(|plan| Ok(plan_view(&call.tenants, plan)?)).collect();
    Ok(answers::json(StatusCode::OK, &views?.into()))
}

async fn get_plan(call: &Call) -> Answer {
    call.need(Scope::TenantsRead)?;
    let plan = call.tenants.plan(&call.id).await?;
    Ok(answers::json(StatusCode::OK, &plan_view(&call.tenants, &plan)?))
}

async fn create_plan(call: &Call) -> Answer {
    call.need(Scope::PlansWrite)?;
    let id = call.required("id")?;
    let mut extra = Map::new();
    let ours = terms(call, &mut extra)?;
    let edit = PlanEdit {
        name: call.text("name"),
        limits: ours.limits,
        features: ours.features,
        extra: Some(extra),
        ..PlanEdit::default()
    };
    let plan = call.tenants.create_plan(&call.by, &id, edit).await?;
    let answer = answers::json(StatusCode::CREATED, &plan_view(&call.tenants, &plan)?);
    Ok(answers::with_unknown(answer, &ours.unknown))
}

async fn edit_plan(call: &Call) -> Answer {
    call.need(Scope::PlansWrite)?;
    let plan = call.tenants.plan(&call.id).await?;
    let mut extra = call.tenants.plan_extra(&plan)?;
    let ours = terms(call, &mut extra)?;
    let edit = PlanEdit {
        limits: ours.limits,
        features: ours.features,
        extra: Some(extra),
        ..PlanEdit::default()
    };
    call.tenants.edit_plan(&call.by, &plan.id, edit).await?;
    Ok(answers::with_unknown(StatusCode::NO_CONTENT.into_response(), &ours.unknown))
}

async fn delete_plan(call: &Call) -> Answer {
    call.need(Scope::PlansWrite)?;
    call.tenants.delete_plan(&call.by, &call.id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
