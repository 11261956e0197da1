//! What the API document says about settings: their names, their types and what each is for. What
//! they may be is decided in `settings.rs`.

use super::settings::Settings;
use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef, Registry},
    types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// All settings of a site, as the API shows them.
pub(super) struct SettingsView(pub Settings);

/// Settings by their names, as a JSON Merge Patch changes them.
pub(super) struct SettingsPatch(pub Map<String, Value>);

macro_rules! documented {
    ($type:ident, $name:literal, $description:literal, $is_whole:literal) => {
        impl Type for $type {
            const IS_REQUIRED: bool = true;
            type RawValueType = Self;
            type RawElementValueType = Self;

            fn name() -> Cow<'static, str> {
                $name.into()
            }

            fn schema_ref() -> MetaSchemaRef {
                MetaSchemaRef::Reference($name.to_owned())
            }

            fn register(registry: &mut Registry) {
                registry.schemas.entry($name.to_owned()).or_insert_with(|| MetaSchema {
                    title: Some($name.to_owned()),
                    description: Some($description),
                    ..schema($is_whole)
                });
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }

            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
                Box::new(std::iter::once(self))
            }
        }
    };
}

documented!(SettingsView, "Settings", "Every setting of the site.", true);
documented!(SettingsPatch, "SettingsPatch", "Settings to change; `null` is the default.", false);

impl ToJSON for SettingsView {
    fn to_json(&self) -> Option<Value> {
        Some(self.0.to_json().into())
    }
}

impl ParseFromJSON for SettingsPatch {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        match value {
            Some(Value::Object(changes)) => Ok(Self(changes)),
            other => Err(ParseError::expected_type(other.unwrap_or_default())),
        }
    }
}

fn schema(is_whole: bool) -> MetaSchema {
    let defaults = Settings::default().to_json();
    let property = |(name, purpose): &(&'static str, &'static str)| {
        let schema = schema_of(defaults.get(*name).unwrap_or(&Value::Null));
        let schema = MetaSchema { description: Some(purpose.trim()), ..schema };
        (*name, MetaSchemaRef::Inline(Box::new(schema)))
    };
    let mut example = defaults.clone();
    example.retain(|name, _| is_whole || matches!(&**name, "name" | "trash_days"));
    MetaSchema {
        properties: Settings::ALL.iter().map(property).collect(),
        required: Settings::ALL.iter().map(|(name, _)| *name).filter(|_| is_whole).collect(),
        example: Some(example.into()),
        ..MetaSchema::new("object")
    }
}

/// The schema of everything that is of the same type as `value`.
fn schema_of(value: &Value) -> MetaSchema {
    match value {
        Value::String(_) => MetaSchema::new("string"),
        Value::Bool(_) => MetaSchema::new("boolean"),
        Value::Number(_) => MetaSchema { format: Some("uint64"), ..MetaSchema::new("integer") },
        Value::Array(list) => {
            let item = list.first().map_or(MetaSchema::ANY, schema_of);
            let items = Some(Box::new(MetaSchemaRef::Inline(Box::new(item))));
            MetaSchema { items, ..MetaSchema::new("array") }
        }
        Value::Object(_) | Value::Null => MetaSchema::ANY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_has_its_type() {
        let schema = schema(true);
        assert_eq!(schema.required.len(), Settings::ALL.len());
        let kind = |name: &str| {
            let property = schema.properties.iter().find(|(n, _)| *n == name).unwrap();
            let MetaSchemaRef::Inline(property) = &property.1 else { panic!("{name}") };
            assert!(property.description.is_some_and(|text| !text.is_empty()), "{name}");
            property.ty
        };
        assert_eq!(kind("name"), "string");
        assert_eq!(kind("max_pixels"), "integer");
        assert_eq!(kind("resize_urls"), "boolean");
        assert_eq!(kind("watermark_roles"), "array");
    }
}
