//! The problems that every operation can answer with, which the framework cannot know.

use serde_json::{Value, json};

/// A problem that an operation can answer with: status, code and when.
type Kind = (&'static str, &'static str, &'static str);

const ALWAYS: &[Kind] = &[("422", "invalid", "A parameter or a field cannot be accepted.")];
const WITH_CALLER: &[Kind] = &[
    ("401", "unauthenticated", "The caller is not signed in, or what proves it is not valid."),
    ("403", "forbidden", "The caller may not do this."),
];
const WITH_ID: &[Kind] = &[
    ("404", "not_found", "There is no such thing, or the caller may not know of it."),
    ("410", "gone", "It has expired."),
];
const WITH_BODY: &[Kind] = &[
    ("400", "malformed", "The body cannot be read."),
    ("413", "too_large", "The body is too large."),
    ("415", "unsupported_media", "The body is of a type that is not taken."),
];
const SETUP: &[Kind] = &[("409", "already_set_up", "The site has its admin already.")];
const CONFLICT: &[Kind] = &[("409", "conflict", "The state of things does not allow it.")];
const SIGN_IN: &[Kind] = &[("429", "too_many_requests", "Too many wrong passwords.")];
const UPDATE: &[Kind] = &[("412", "stale", "Somebody else changed it since.")];

/// Adds to an operation the problems that it can answer with.
pub(super) fn add(operation: &mut Value) {
    let has_body = operation.get("requestBody").is_some();
    let has_security = operation.get("security").is_some();
    let has_id = operation["parameters"]
        .as_array()
        .is_some_and(|all| all.iter().any(|parameter| parameter["in"] == "path"));
    let own = match operation["operationId"].as_str() {
        Some("create_setup" | "create_first_admin" | "create_setup_link") => SETUP,
        Some(
            "create_tenant" | "create_hostname" | "delete_hostname" | "create_plan" | "delete_plan"
            | "create_key" | "suspend_tenant" | "create_login_link",
        ) => CONFLICT,
        Some("create_session") => SIGN_IN,
        Some("update_media") => UPDATE,
        _ => &[],
    };
    let kinds = [
        (true, ALWAYS),
        (has_security, WITH_CALLER),
        (has_id, WITH_ID),
        (has_body, WITH_BODY),
        (true, own),
    ];
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
        return;
    };
    for (status, code, when) in kinds.iter().filter(|(has, _)| *has).flat_map(|(_, all)| *all) {
        responses.entry(*status).or_insert_with(|| problem(status, code, when));
    }
}

fn problem(status: &str, code: &str, when: &str) -> Value {
    json!({
        "description": when,
        "content": { "application/problem+json": {
            "schema": { "$ref": "#/components/schemas/Problem" },
            "example": {
                "type": format!("urn:vitrina:problem:{code}"),
                "title": status.parse().ok().and_then(title).unwrap_or_default(),
                "status": status.parse::<u16>().unwrap_or_default(),
                "code": code,
                "detail": when,
                "request_id": "3dg2te1ULWaJ5czLE",
            },
        } },
    })
}

fn title(status: u16) -> Option<&'static str> {
    poem::http::StatusCode::from_u16(status).ok()?.canonical_reason()
}
