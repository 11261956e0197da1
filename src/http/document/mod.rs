//! The API document: what the framework knows of the operations, made whole, true and valid in the
//! two versions of OpenAPI that tools read. It knows no operation by itself.

mod allowed;
mod modern;
mod problems;
mod schemas;
mod tidy;

pub use allowed::Allowed;

use poem::{Response, http::header};
use serde_json::{Map, Value};

/// A version of OpenAPI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// For tools that read no other.
    V3_0,
    /// The one that is served as `openapi.json`.
    V3_1,
}

/// One API document in both versions. They say the same.
#[derive(Debug)]
pub struct Document {
    v3_0: (Value, String),
    v3_1: (Value, String),
}

impl Document {
    /// Makes the framework's document whole.
    pub fn complete(spec: &str) -> Self {
        // The text comes from the framework's own serialiser.
        let mut v3_0: Value = serde_json::from_str(spec).unwrap_or_default();
        each_operation(&mut v3_0, problems::add);
        tidy::tidy(&mut v3_0);
        let v3_1 = modern::translate(v3_0.clone());
        let with_text = |document: Value| {
            let text = format!("{document:#}\n");
            (document, text)
        };
        Self { v3_0: with_text(v3_0), v3_1: with_text(v3_1) }
    }

    pub fn get(&self, version: Version) -> &Value {
        &self.both(version).0
    }

    /// As it is served, printed and kept in `schema/`.
    pub fn text(&self, version: Version) -> &str {
        &self.both(version).1
    }

    /// The answer to those who ask for it.
    pub fn served(&'static self, version: Version) -> Response {
        Response::builder()
            .content_type("application/json")
            .header(header::CACHE_CONTROL, "no-cache")
            .body(self.text(version))
    }

    fn both(&self, version: Version) -> &(Value, String) {
        match version {
            Version::V3_0 => &self.v3_0,
            Version::V3_1 => &self.v3_1,
        }
    }
}

/// The objects below `parent`, as in a map of properties or responses.
fn children(parent: Option<&mut Value>) -> impl Iterator<Item = &mut Value> {
    parent.and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut)
}

/// The members of the list `parent`.
fn members(parent: Option<&mut Value>) -> impl Iterator<Item = &mut Value> {
    parent.and_then(Value::as_array_mut).into_iter().flatten()
}

fn each_operation(document: &mut Value, mut change: impl FnMut(&mut Value)) {
    for operations in children(document.get_mut("paths")) {
        children(Some(operations)).for_each(&mut change);
    }
}
