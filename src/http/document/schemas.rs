//! The way to every schema of a document: those with a name, and those inside operations.

use super::{children, each_operation, members};
use serde_json::Value;

/// Changes every schema, the inner ones before those that hold them.
pub(super) fn each(document: &mut Value, change: &mut dyn FnMut(&mut Value)) {
    children(document.pointer_mut("/components/schemas")).for_each(|schema| visit(schema, change));
    each_operation(document, |operation| {
        for parameter in members(operation.get_mut("parameters")) {
            in_schema_of(parameter, change);
        }
        in_contents(operation.get_mut("requestBody"), change);
        for response in children(operation.get_mut("responses")) {
            children(response.get_mut("headers")).for_each(|header| in_schema_of(header, change));
            in_contents(Some(response), change);
        }
    });
}

fn in_contents(body: Option<&mut Value>, change: &mut dyn FnMut(&mut Value)) {
    let contents = body.and_then(|body| body.get_mut("content"));
    children(contents).for_each(|content| in_schema_of(content, change));
}

fn in_schema_of(holder: &mut Value, change: &mut dyn FnMut(&mut Value)) {
    if let Some(schema) = holder.get_mut("schema") {
        visit(schema, change);
    }
}

fn visit(schema: &mut Value, change: &mut dyn FnMut(&mut Value)) {
    children(schema.get_mut("properties")).for_each(|property| visit(property, change));
    for list in ["allOf", "anyOf", "oneOf"] {
        members(schema.get_mut(list)).for_each(|member| visit(member, change));
    }
    for inner in ["items", "additionalProperties", "not"] {
        if let Some(inner) = schema.get_mut(inner).filter(|inner| inner.is_object()) {
            visit(inner, change);
        }
    }
    change(schema);
}
