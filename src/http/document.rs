//! Makes the API document whole: what the framework cannot know about every operation.

use poem_openapi::types::{Example, ToJSON};
use serde_json::{Map, Value, json};

/// Which problems an operation can answer with, by what it takes.
const ALWAYS: &[(&str, &str)] = &[("422", "A parameter or a field cannot be accepted.")];
const WITH_CALLER: &[(&str, &str)] = &[
    ("401", "The caller is not signed in, or what proves it is not valid."),
    ("403", "The caller may not do this."),
];
const WITH_ID: &[(&str, &str)] = &[
    ("404", "There is no such thing, or the caller may not know of it."),
    ("410", "It has expired."),
];
const WITH_BODY: &[(&str, &str)] = &[
    ("400", "The body cannot be read."),
    ("413", "The body is too large."),
    ("415", "The body is of a type that is not taken."),
];

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
    document
}

fn add_problems(operation: &mut Value) {
    let has_body = operation.get("requestBody").is_some();
    let has_security = operation.get("security").is_some();
    let has_id = operation["parameters"]
        .as_array()
        .is_some_and(|all| all.iter().any(|parameter| parameter["in"] == "path"));
    let conflicts = match operation["operationId"].as_str() {
        Some("create_setup") => &[("409", "The site has its admin already.")][..],
        Some("update_media") => &[("412", "Somebody else changed it since.")][..],
        _ => &[],
    };
    let kinds = [
        (true, ALWAYS),
        (has_security, WITH_CALLER),
        (has_id, WITH_ID),
        (has_body, WITH_BODY),
        (true, conflicts),
    ];
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
        return;
    };
    for (status, description) in kinds.iter().filter(|(has, _)| *has).flat_map(|(_, all)| *all) {
        responses.entry(*status).or_insert_with(|| problem(description));
    }
}

fn problem(description: &str) -> Value {
    let example = super::problem::Body::example().to_json();
    json!({
        "description": description,
        "content": { "application/problem+json": {
            "schema": { "$ref": "#/components/schemas/Problem" },
            "example": example,
        } },
    })
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
