//! Makes the API document whole: what the framework cannot know about every operation.

use serde_json::{Map, Value, json};

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

/// Adds to the framework's document the problems that every operation can answer with.
pub fn complete(spec: &str) -> Value {
    // The text comes from the framework's own serialiser.
    let mut document: Value = serde_json::from_str(spec).unwrap_or_default();
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for operations in paths.into_iter().flat_map(Map::values_mut) {
        for operation in operations.as_object_mut().into_iter().flat_map(Map::values_mut) {
            add_problems(operation);
        }
    }
    let schemas = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut);
    schemas.into_iter().flat_map(Map::values_mut).for_each(describe_once);
    document
}

/// A property that is an object of its own is `allOf` that object. The framework puts its
/// description in there as well, as a second schema, which generators take for a second parent.
fn describe_once(schema: &mut Value) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(Map::values_mut) {
        let Some(parents) = property.get_mut("allOf").and_then(Value::as_array_mut) else {
            continue;
        };
        parents.retain(|parent| parent.get("$ref").is_some());
    }
}

fn add_problems(operation: &mut Value) {
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

/// Which methods each path has, for the `Allow` header (RFC 9110, 15.5.6).
pub struct Allowed(Vec<(Vec<String>, Vec<String>)>);

impl Allowed {
    pub fn read(document: &Value) -> Self {
        let paths = document["paths"].as_object();
        let read = |(path, operations): (&String, &Value)| {
            let methods = operations.as_object().into_iter().flat_map(Map::keys);
            let parts = path.split('/').map(str::to_owned).collect();
            (parts, methods.map(|m| m.to_ascii_uppercase()).collect())
        };
        Self(paths.into_iter().flatten().map(read).collect())
    }

    /// The methods of a path, or none where there is no such path.
    pub fn methods(&self, path: &str) -> Vec<String> {
        let asked: Vec<&str> = path.split('/').collect();
        let fits = |parts: &[String]| {
            parts.len() == asked.len()
                && parts.iter().zip(&asked).all(|(p, a)| p.starts_with('{') || p == a)
        };
        let found = self.0.iter().find(|(parts, _)| fits(parts));
        found.map(|(_, methods)| methods.clone()).unwrap_or_default()
    }
}
