//! OpenAPI 3.0 in the words of 3.1, whose schemas are JSON Schema 2020-12. Nothing is added and
//! nothing is lost.

use super::schemas;
use serde_json::{Map, Value, json};

const LICENCE: &str = "Apache-2.0";

pub(super) fn translate(mut document: Value) -> Value {
    document["openapi"] = json!("3.1.0");
    // A name of the SPDX list, which 3.0 cannot say.
    document["info"]["license"] = json!({ "name": LICENCE, "identifier": LICENCE });
    schemas::each(&mut document, &mut |schema| {
        if let Some(schema) = schema.as_object_mut() {
            allow_null(schema);
            bound(schema, "minimum", "exclusiveMinimum");
            bound(schema, "maximum", "exclusiveMaximum");
            if let Some(example) = schema.remove("example") {
                schema.insert("examples".to_owned(), json!([example]));
            }
            // Generators go by `format`, which 3.1 leaves to them; what it says itself is this.
            if schema.get("format").is_some_and(|format| format == "binary") {
                schema.insert("contentMediaType".to_owned(), json!("application/octet-stream"));
            }
        }
    });
    document
}

/// `nullable` is a further type.
fn allow_null(schema: &mut Map<String, Value>) {
    if schema.remove("nullable") != Some(Value::Bool(true)) {
        return;
    }
    if let Some(kind) = schema.get_mut("type") {
        *kind = json!([kind.take(), "null"]);
    }
}

/// A bound that is not reached is a number of its own.
fn bound(schema: &mut Map<String, Value>, bound: &str, exclusive: &str) {
    if schema.get(exclusive).is_some_and(Value::is_boolean)
        && schema.remove(exclusive) == Some(Value::Bool(true))
        && let Some(number) = schema.remove(bound)
    {
        schema.insert(exclusive.to_owned(), number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(old: Value) -> Value {
        let document = json!({ "openapi": "3.0.3", "info": {},
            "components": { "schemas": { "One": old } } });
        translate(document)["components"]["schemas"]["One"].clone()
    }

    #[test]
    fn what_3_0_says_by_words_of_its_own_is_translated() {
        let old = json!({ "type": "object", "example": { "example": null }, "properties": {
            "example": { "type": "string", "nullable": true, "example": "x" },
            "word": { "type": "string", "nullable": true, "enum": ["a", null] },
            "never": { "type": "string", "nullable": false },
            "above": { "type": "integer", "minimum": 0, "exclusiveMinimum": true },
            "from": { "type": "integer", "minimum": 0, "exclusiveMinimum": false },
            "list": { "type": "array", "items": { "type": "string", "format": "binary" } },
        } });
        let new = json!({ "type": "object", "examples": [{ "example": null }], "properties": {
            "example": { "type": ["string", "null"], "examples": ["x"] },
            "word": { "type": ["string", "null"], "enum": ["a", null] },
            "never": { "type": "string" },
            "above": { "type": "integer", "exclusiveMinimum": 0 },
            "from": { "type": "integer", "minimum": 0 },
            "list": { "type": "array", "items": { "type": "string", "format": "binary",
                "contentMediaType": "application/octet-stream" } },
        } });
        assert_eq!(schema(old), new);
    }
}
