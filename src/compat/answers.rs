//! What the inherited tenants API answers: its objects, and its way to say that something failed.

use super::words::their_limits;
use crate::{
    base::{Error, Result, clock::Millis},
    http::Problem,
    tenancy::{Record, Stats, Tenants, limits::Overrides, plan::Plan, record::Status},
};
use poem::{
    IntoResponse, Response,
    http::{HeaderValue, StatusCode},
    web::Json,
};
use serde_json::{Map, Value, json};

/// A refusal in the inherited form.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    message: String,
}

impl Failure {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn into_response(self) -> Response {
        let code = self.status.as_u16();
        let body = json!({
            "status": { "code": code, "message": self.message },
            "error": { "code": code, "list": [self.message] },
        });
        json(self.status, &body)
    }
}

impl From<Error> for Failure {
    /// The status of our own problem, except that what cannot be accepted is 400 there.
    fn from(error: Error) -> Self {
        let message = error.to_string();
        let status = match Problem::from(error) {
            Problem::Client(StatusCode::UNPROCESSABLE_ENTITY, ..) => StatusCode::BAD_REQUEST,
            Problem::Client(status, ..) | Problem::Server(status, _) => status,
        };
        Self { status, message }
    }
}

pub(super) fn json(status: StatusCode, body: &Value) -> Response {
    Json(body).with_status(status).into_response()
}

/// Says which names of the request mean nothing here; they are kept all the same.
pub(super) fn with_unknown(mut answer: Response, unknown: &[String]) -> Response {
    let plain = |name: &&String| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let names: Vec<&str> = unknown.iter().filter(plain).map(String::as_str).collect();
    if let Ok(value) = HeaderValue::from_str(&names.join(", "))
        && !names.is_empty()
    {
        answer.headers_mut().insert("x-vitrina-kept", value);
    }
    answer
}

pub(super) async fn tenant_view(tenants: &Tenants, record: &Record) -> Result<Value> {
    let extra = tenants.extra(&record.tenant_id()?).await?;
    let stats = tenants.stats(&record.id).await?;
    Ok(json!({
        "id": record.id,
        "hostname": record.canonical(),
        "is_enabled": record.status == Status::Active,
        "created_at": time(Millis(record.created_at)),
        "updated_at": time(Millis(record.updated_at)),
        "plan_id": record.plan,
        "limits": limits(&record.own, &extra),
        "env": object(&extra, "env"),
        "stats": stats.as_ref().map_or_else(|| json!({}), stats_view),
        "last_job_at": stats.map(|s| time(s.refreshed_at)),
    }))
}

pub(super) fn plan_view(tenants: &Tenants, plan: &Plan) -> Result<Value> {
    let extra = tenants.plan_extra(plan)?;
    Ok(json!({
        "id": plan.id,
        "limits": limits(&plan.overrides, &extra),
        "env": object(&extra, "env"),
        "created_at": time(plan.created_at),
        "updated_at": time(plan.updated_at),
    }))
}

fn limits(ours: &Overrides, extra: &Map<String, Value>) -> Value {
    their_limits(ours, &object(extra, "limits")).into()
}

fn object(extra: &Map<String, Value>, name: &str) -> Map<String, Value> {
    extra.get(name).and_then(Value::as_object).cloned().unwrap_or_default()
}

/// What of their counters there is here; the rest of them counts nothing yet, and says so.
fn stats_view(stats: &Stats) -> Value {
    json!({
        "tags": stats.amount("tags"),
        "files": stats.amount("files"),
        "users": stats.amount("users"),
        "admins": stats.amount("admins"),
        "managers": stats.amount("managers"),
        "storage_used": stats.amount("bytes_stored"),
    })
}

/// As in `2026-01-31 09:30:00`, in UTC.
fn time(at: Millis) -> String {
    at.timestamp().strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_speak_their_dialect() {
        let status = |error: Error| Failure::from(error).status.as_u16();
        assert_eq!(status(Error::invalid("id", "is wrong")), 400);
        assert_eq!(status(Error::NotFound("tenant")), 404);
        assert_eq!(status(Error::Conflict { code: "tenant_exists", reason: "" }), 409);
        assert_eq!(status(Error::MissingScope("support")), 403);
        assert!(time(Millis(0)).len() == 19);
    }
}
