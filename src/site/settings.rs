//! What a site's admin may set: every setting, its default and what it may be. Settings of the
//! process are another thing and live in `config.rs`.

use super::{
    sql,
    variants::{self, NamedVariant},
};
use crate::{
    accounts::{Actor, Role},
    base::{Error, Result, text::Label, visibility::Visibility},
    db::{Read, Write},
    imaging::Output,
    tenancy::{Site, Tenant},
};
use serde_json::{Map, Value, json};

macro_rules! settings {
    ($($(#[doc = $doc:literal])* $name:ident: $type:ty = $default:expr, $check:expr;)*) => {
        /// The settings of one site.
        #[derive(Debug, Clone, PartialEq)]
        pub struct Settings {
            $($(#[doc = $doc])* pub $name: $type,)*
        }

        impl Default for Settings {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        impl Settings {
            /// Every setting's name and what it is for.
            pub const ALL: &[(&'static str, &'static str)] =
                &[$((stringify!($name), concat!($($doc),*)),)*];

            fn set(&mut self, key: &str, value: &Value) -> Result<()> {
                match key {
                    $(stringify!($name) => self.$name = $check(stringify!($name), value)?,)*
                    _ => return Err(unknown(key)),
                }
                Ok(())
            }

            fn reset(&mut self, key: &str) -> Result<()> {
                match key {
                    $(stringify!($name) => self.$name = $default,)*
                    _ => return Err(unknown(key)),
                }
                Ok(())
            }

            /// All of them, as JSON.
            pub fn to_json(&self) -> Map<String, Value> {
                let mut all = Map::new();
                $(all.insert(stringify!($name).to_owned(), json!(&self.$name));)*
                all
            }
        }
    };
}

settings! {
    /// What the site is called.
    name: String = "Vitrina".to_owned(), name;
    /// Who sees an item when its uploader does not say: `public`, `unlisted` or `private`.
    default_visibility: Visibility = Visibility::Public, visibility;
    /// The largest file that may be uploaded, in bytes.
    max_upload_bytes: u64 = 100_000_000, |k, v| number(k, v, 1024, 1 << 40);
    /// The most pixels that a picture may have.
    max_pixels: u64 = 120_000_000, |k, v| number(k, v, 1, 1_000_000_000);
    /// The most frames that an animation may have.
    max_frames: u64 = 1_000, |k, v| number(k, v, 1, 100_000);
    /// How long an animation may play, in seconds.
    max_animation_seconds: u64 = 600, |k, v| number(k, v, 1, 86_400);
    /// The longer side of the variant `medium`, in pixels.
    medium_side: u64 = 1_200, |k, v| number(k, v, 16, 8_192);
    /// The width of the variant `thumb`, in pixels.
    thumb_width: u64 = 320, |k, v| number(k, v, 16, 2_048);
    /// The height of the variant `thumb`, in pixels.
    thumb_height: u64 = 320, |k, v| number(k, v, 16, 2_048);
    /// The quality of variants, from 1 to 100.
    variant_quality: u64 = 82, |k, v| number(k, v, 1, 100);
    /// How variants are encoded: `auto` (JPEG, or WebP where something is transparent), `jpeg`,
    /// `png`, `webp` or `avif`.
    variant_format: Output = Output::Auto, output;
    /// Variants beside `medium` and `thumb`: a list such as
    /// `[{"name": "large", "fit": "contain", "width": 2400, "quality": 85, "format": "webp"}]`.
    more_variants: Vec<NamedVariant> = Vec::new(), variants::parse;
    /// Whether pictures are made in other sizes on demand, for addresses that are signed.
    resize_urls: bool = true, flag;
    /// The longest side of such a picture, in pixels.
    resize_max_side: u64 = 4_096, |k, v| number(k, v, 16, 16_383);
    /// The sides that such a picture may have, in pixels; others become the next larger one.
    /// Empty: any.
    resize_steps: Vec<u64> = Vec::new(), steps;
    /// How many bytes of such pictures are kept; those that were not asked for the longest go.
    resize_cache_bytes: u64 = 1_000_000_000, |k, v| number(k, v, 0, 1 << 50);
    /// Whether what cameras write into files is taken out of the public bytes.
    strip_metadata: bool = true, flag;
    /// How long the trash is kept, in days; 0 purges at the next sweep.
    trash_days: u64 = 30, |k, v| number(k, v, 0, 3_650);
}

fn unknown(key: &str) -> Error {
    Error::invalid("settings", format!("has no `{key}`"))
}

fn name(key: &'static str, value: &Value) -> Result<String> {
    let text = value.as_str().ok_or_else(|| Error::invalid(key, "must be text"))?;
    Ok(Label::parse(key, text)?.as_str().to_owned())
}

fn visibility(key: &'static str, value: &Value) -> Result<Visibility> {
    Visibility::parse(key, value.as_str().unwrap_or_default())
}

fn number(key: &'static str, value: &Value, least: u64, most: u64) -> Result<u64> {
    let sound = value.as_u64().filter(|n| (least..=most).contains(n));
    sound.ok_or_else(|| {
        Error::invalid(key, format!("must be a whole number from {least} to {most}"))
    })
}

fn flag(key: &'static str, value: &Value) -> Result<bool> {
    value.as_bool().ok_or_else(|| Error::invalid(key, "must be true or false"))
}

fn output(key: &'static str, value: &Value) -> Result<Output> {
    Output::parse(value.as_str().unwrap_or_default()).map_err(|why| Error::invalid(key, why))
}

/// Growing sides of pictures.
fn steps(key: &'static str, value: &Value) -> Result<Vec<u64>> {
    let list = value.as_array().filter(|list| list.len() <= 50);
    let list = list.ok_or_else(|| Error::invalid(key, "must be a list of at most 50 numbers"))?;
    let mut steps: Vec<u64> =
        list.iter().map(|step| number(key, step, 1, 16_383)).collect::<Result<_>>()?;
    steps.sort_unstable();
    steps.dedup();
    Ok(steps)
}

/// The settings as they stand. A stored value that this version would refuse stands at its
/// default, and the log says so.
pub fn load(db: &Read<Site>) -> Result<Settings> {
    let mut settings = Settings::default();
    for (key, text) in sql::all(db)? {
        let value = serde_json::from_str(&text)?;
        if let Err(error) = settings.set(&key, &value) {
            tracing::warn!(key, %error, "a stored setting is not used");
        }
    }
    Ok(settings)
}

/// Changes settings; `null` puts one back to its default. All of the changes, or none.
///
/// # Errors
/// `Forbidden` for anybody but an admin; `Invalid` for an unknown key or a value out of bounds.
pub async fn change(
    tenant: &Tenant,
    actor: &Actor,
    changes: Map<String, Value>,
) -> Result<Settings> {
    if !actor.has_role(Role::Admin) {
        return Err(Error::Forbidden("only an admin may change the settings"));
    }
    change_as_operator(tenant, changes).await
}

/// [`change`] for the operator, who needs nobody's leave.
pub async fn change_as_operator(tenant: &Tenant, changes: Map<String, Value>) -> Result<Settings> {
    tenant.write(move |db| apply(db, &changes)).await
}

pub(super) fn apply(db: &Write<Site>, changes: &Map<String, Value>) -> Result<Settings> {
    let mut settings = load(db)?;
    for (key, value) in changes {
        if value.is_null() {
            settings.reset(key)?;
            sql::delete(db, key)?;
        } else {
            settings.set(key, value)?;
            sql::set(db, key, &value.to_string())?;
        }
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_checked_by_name() {
        let mut settings = Settings::default();
        settings.set("medium_side", &json!(800)).unwrap();
        assert_eq!(settings.medium_side, 800);
        for (key, value) in [
            ("medium_side", json!(0)),
            ("medium_side", json!("800")),
            ("name", json!("")),
            ("default_visibility", json!("secret")),
            ("strip_metadata", json!(1)),
        ] {
            let error = settings.set(key, &value).unwrap_err();
            assert!(matches!(error, Error::Invalid { field, .. } if field == key));
        }
        assert!(settings.set("nope", &json!(1)).unwrap_err().to_string().contains("nope"));
    }

    #[test]
    fn the_json_names_every_setting() {
        let json = Settings::default().to_json();
        assert_eq!(json.len(), Settings::ALL.len());
        assert_eq!(json["default_visibility"], "public");
    }
}
