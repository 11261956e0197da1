//! What the API document says about the methods of a path.

use serde_json::{Map, Value};

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
