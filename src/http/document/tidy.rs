//! What the framework writes in a way that is not valid, not true or of no use to generators, put
//! right for all operations at once.

use super::{children, each_operation, members, schemas};
use crate::base::{page::Limit, visibility::Visibility};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

pub(super) fn tidy(document: &mut Value) {
    document["openapi"] = json!("3.0.3");
    let licence = "https://www.apache.org/licenses/LICENSE-2.0";
    document["info"]["license"] = json!({ "name": "Apache-2.0", "url": licence });
    each_operation(document, |operation| {
        members(operation.get_mut("parameters")).for_each(parameter);
        children(operation.get_mut("responses")).for_each(response);
    });
    schemas::each(document, &mut |schema| {
        one_parent_each(schema);
        known_words(schema);
        if let Some(schema) = schema.as_object_mut() {
            known_format(schema);
        }
    });
    for (kind, change) in [
        ("application/json", null_is_absent as fn(&mut Value)),
        ("application/json", is_closed),
        ("multipart/form-data", is_closed),
    ] {
        let sent = sent_schemas(document, kind);
        let all = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut);
        let sent = all.into_iter().flatten().filter(|(name, _)| sent.contains(*name));
        sent.for_each(|(_, schema)| change(schema));
    }
    schemas::each(document, &mut true_example);
}

fn parameter(parameter: &mut Value) {
    strip_defaults(parameter);
    if parameter["name"] == "limit" && parameter["in"] == "query" {
        let schema = &mut parameter["schema"];
        schema["minimum"] = json!(1);
        schema["maximum"] = json!(Limit::MOST);
        schema["default"] = json!(Limit::DEFAULT);
    }
    if parameter["name"] == "visibility" {
        parameter["schema"]["enum"] = visibilities();
    }
}

fn response(response: &mut Value) {
    if response["description"] == "" {
        response["description"] = json!("Done.");
    }
    if let Some(contents) = response.get_mut("content").and_then(Value::as_object_mut) {
        let named = std::mem::take(contents).into_iter();
        // The character set of JSON is no part of its name (RFC 8259, 11).
        contents.extend(named.map(|(kind, content)| match kind.split_once(';') {
            Some((kind, _)) => (kind.to_owned(), content),
            None => (kind, content),
        }));
    }
    if let Some(headers) = response.get_mut("headers").and_then(Value::as_object_mut) {
        let named = std::mem::take(headers).into_iter();
        headers.extend(named.map(|(name, header)| (header_name(&name), header)));
        headers.values_mut().for_each(strip_defaults);
    }
}

fn strip_defaults(holder: &mut Value) {
    if holder["deprecated"] == false
        && let Some(holder) = holder.as_object_mut()
    {
        holder.remove("deprecated");
    }
}

/// `RETRY-AFTER` as people write it.
fn header_name(loud: &str) -> String {
    if loud.eq_ignore_ascii_case("etag") {
        return "ETag".to_owned();
    }
    let word = |word: &str| match word.split_at_checked(1) {
        Some((first, rest)) => first.to_ascii_uppercase() + &rest.to_ascii_lowercase(),
        None => String::new(),
    };
    loud.split('-').map(word).collect::<Vec<_>>().join("-")
}

/// A property that is an object of its own is `allOf` that object. The framework puts its
/// description in there as well, as a second schema, which generators take for a second parent.
fn one_parent_each(schema: &mut Value) {
    if let Some(parents) = schema.get_mut("allOf").and_then(Value::as_array_mut) {
        parents.retain(|parent| parent.get("$ref").is_some());
    }
}

/// Who may see a thing is said by the same three words everywhere.
fn known_words(schema: &mut Value) {
    for name in ["visibility", "default_visibility"] {
        if let Some(property) = schema.pointer_mut(&format!("/properties/{name}")) {
            property["enum"] = visibilities();
        }
    }
}

fn visibilities() -> Value {
    json!([Visibility::Public, Visibility::Unlisted, Visibility::Private])
}

/// Formats that everybody knows, with the bounds that the framework's own imply: whoever does not
/// know `uint64` takes it for a number of 32 bits.
fn known_format(schema: &mut Map<String, Value>) {
    let (format, most) = match schema.get("format").and_then(Value::as_str) {
        Some("uint64") => ("int64", None),
        Some("uint32") => ("int64", Some(u64::from(u32::MAX))),
        Some("uint16") => ("int32", Some(u64::from(u16::MAX))),
        Some("uint8") => ("int32", Some(u64::from(u8::MAX))),
        _ => return,
    };
    schema.insert("format".to_owned(), json!(format));
    schema.entry("minimum").or_insert(json!(0));
    if let Some(most) = most {
        schema.entry("maximum").or_insert(json!(most));
    }
}

/// The names of the schemas that clients send as this media type, and of those inside them.
fn sent_schemas(document: &Value, kind: &str) -> BTreeSet<String> {
    let operations = document["paths"].as_object().into_iter().flat_map(Map::values);
    let operations = operations.filter_map(Value::as_object).flat_map(Map::values);
    let mut names = BTreeSet::new();
    for operation in operations {
        add_names(&operation["requestBody"]["content"][kind], &mut names);
    }
    let mut left: Vec<String> = names.iter().cloned().collect();
    while let Some(name) = left.pop() {
        let mut inner = BTreeSet::new();
        add_names(&document["components"]["schemas"][&name], &mut inner);
        left.extend(inner.iter().filter(|name| names.insert((*name).clone())).cloned());
    }
    names
}

/// The names that `value` refers to.
fn add_names(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            let named = fields.get("$ref").and_then(Value::as_str);
            names.extend(named.and_then(|path| path.rsplit('/').next()).map(str::to_owned));
            fields.values().for_each(|field| add_names(field, names));
        }
        Value::Array(list) => list.iter().for_each(|member| add_names(member, names)),
        _ => {}
    }
}

/// In what is sent, a field that need not be there may be `null` instead.
fn null_is_absent(schema: &mut Value) {
    let required = schema["required"].clone();
    let is_required =
        |name: &str| required.as_array().is_some_and(|all| all.contains(&json!(name)));
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (name, property) in properties.into_iter().flatten() {
        let has_own_null = property.get("default").is_some() || property.get("type").is_none();
        if !is_required(name) && !has_own_null {
            property["nullable"] = json!(true);
            // A word of a list is `null` only where the list says so.
            if let Some(words) = property.get_mut("enum").and_then(Value::as_array_mut) {
                words.push(Value::Null);
            }
        }
    }
}

/// Nothing is taken that is not understood.
fn is_closed(schema: &mut Value) {
    if schema["type"] == "object"
        && let Some(schema) = schema.as_object_mut()
    {
        schema.entry("additionalProperties").or_insert(json!(false));
    }
}

/// The framework's examples name what is not set as `null`, whether or not it may be that.
fn true_example(schema: &mut Value) {
    let properties = schema["properties"].clone();
    if let Some(example) = schema.get_mut("example").and_then(Value::as_object_mut) {
        example.retain(|name, value| !value.is_null() || properties[name]["nullable"] == true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_written_as_people_do() {
        for name in ["Retry-After", "ETag", "Link", "Set-Cookie", "Upload-Offset"] {
            assert_eq!(header_name(&name.to_uppercase()), name);
        }
    }

    #[test]
    fn only_what_is_sent_may_be_null() {
        let mut document = json!({
            "paths": { "/x": { "post": { "requestBody": { "content": { "application/json": {
                "schema": { "$ref": "#/components/schemas/Sent" } } } } } } },
            "components": { "schemas": {
                "Sent": { "type": "object", "required": ["must"], "properties": {
                    "must": { "type": "string" }, "may": { "type": "integer", "format": "uint64" },
                    "inner": { "$ref": "#/components/schemas/Inner" } } },
                "Inner": { "type": "object", "properties": { "may": { "type": "string" } } },
                "Told": { "type": "object", "properties": { "may": { "type": "string" } } } } },
        });
        tidy(&mut document);
        let schemas = &document["components"]["schemas"];
        let may = json!({ "type": "integer", "format": "int64", "minimum": 0, "nullable": true });
        assert_eq!(schemas["Sent"]["properties"]["may"], may);
        assert_eq!(schemas["Sent"]["properties"]["must"], json!({ "type": "string" }));
        assert_eq!(schemas["Inner"]["properties"]["may"]["nullable"], true);
        assert_eq!(schemas["Sent"]["additionalProperties"], false);
        assert_eq!(schemas["Told"]["properties"]["may"], json!({ "type": "string" }));
        assert!(schemas["Told"].get("additionalProperties").is_none());
    }
}
