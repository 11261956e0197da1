//! JSON bodies: read within bounds, after the handler knows its caller, and checked against the
//! document first, so that a field that is missing or of a wrong type is named.

use super::{Problem, layers::read_body};
use crate::base::Error;
use poem::{Request, RequestBody, Result, http::header};
use poem_openapi::{
    error::ParseRequestPayloadError,
    impl_apirequest_for_payload,
    payload::{ParsePayload, Payload},
    registry::{MetaSchema, MetaSchemaRef, Registry},
    types::{ParseFromJSON, Type},
};
use serde_json::{Map, Value};

/// The largest JSON body there may be, in bytes.
const SMALL: u64 = 1024 * 1024;
/// The same for bodies that may carry a file: 33 MB of it, as base64.
pub const LARGE: u64 = 44 * 1024 * 1024;

/// A JSON body of up to a megabyte.
pub struct JsonBody<T>(pub T);
/// A JSON body that may carry a file.
pub struct LargeJsonBody<T>(pub T);

macro_rules! json_payload {
    ($name:ident, $most:expr) => {
        impl<T: Type> Payload for $name<T> {
            const CONTENT_TYPE: &'static str = "application/json";

            fn check_content_type(content_type: &str) -> bool {
                let kind = content_type.split(';').next().unwrap_or_default().trim();
                kind.eq_ignore_ascii_case("application/json")
            }

            fn schema_ref() -> MetaSchemaRef {
                T::schema_ref()
            }

            fn register(registry: &mut Registry) {
                T::register(registry);
            }
        }

        impl<T: ParseFromJSON> ParsePayload for $name<T> {
            const IS_REQUIRED: bool = true;

            async fn from_request(req: &Request, body: &mut RequestBody) -> Result<Self> {
                Ok(Self(parse(req, body, $most).await?))
            }
        }

        impl_apirequest_for_payload!($name<T>, T: ParseFromJSON);
    };
}

json_payload!(JsonBody, SMALL);
json_payload!(LargeJsonBody, LARGE);

async fn parse<T: ParseFromJSON>(req: &Request, body: &mut RequestBody, most: u64) -> Result<T> {
    let declared = req.header(header::CONTENT_LENGTH);
    let bytes = read_body(body.take()?, declared, most).await.map_err(Problem::from)?;
    let unreadable = |reason: String| ParseRequestPayloadError { reason };
    let value: Value = serde_json::from_slice(&bytes).map_err(|e| unreadable(e.to_string()))?;
    drop(bytes);
    if let Value::Object(fields) = &value {
        check_fields::<T>(fields).map_err(Problem::from)?;
    }
    Ok(T::parse_from_json(Some(value)).map_err(|e| unreadable(e.into_message()))?)
}

/// Compares the fields with what the document says of them.
fn check_fields<T: Type>(fields: &Map<String, Value>) -> Result<(), Error> {
    let MetaSchemaRef::Reference(name) = T::schema_ref() else { return Ok(()) };
    let mut registry = Registry::new();
    T::register(&mut registry);
    let Some(schema) = registry.schemas.get(&name) else { return Ok(()) };
    let is_null = |field: &str| fields.get(field).is_none_or(Value::is_null);
    if let Some(field) = schema.required.iter().find(|field| is_null(field)) {
        return Err(Error::invalid(field, "is missing"));
    }
    for (field, expected) in &schema.properties {
        let (Some(value), MetaSchemaRef::Inline(expected)) = (fields.get(*field), expected) else {
            continue;
        };
        if !value.is_null() && !is_of_type(value, expected) {
            return Err(Error::invalid(field, format!("must be of type {}", expected.ty)));
        }
    }
    let known = |field: &str| schema.properties.iter().any(|(name, _)| *name == field);
    let is_closed = !schema.properties.is_empty();
    match fields.keys().find(|field| is_closed && !known(field)) {
        Some(field) => {
            let field: String = field.chars().take(64).collect();
            Err(Error::invalid("body", format!("has the unknown field `{field}`")))
        }
        None => Ok(()),
    }
}

fn is_of_type(value: &Value, schema: &MetaSchema) -> bool {
    match schema.ty {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    }
}
