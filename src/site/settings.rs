//! What a site's admin may set: every setting, its default and what it may be. Settings of the
//! process are another thing and live in `config.rs`.

use super::{
    open_to::{self, ClientApi},
    sql,
    variants::{self, NamedVariant},
    words::{self, Duplicates, KeepUploads, Kinds, Renditions, Roles},
};
use crate::{
    accounts::{Actor, Role},
    base::{Error, Result, text::Label, visibility::Visibility},
    db::{Read, Write},
    imaging::{Output, Place},
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
    /// The largest file of any kind that may be uploaded, in bytes.
    max_upload_bytes: u64 = 2_000_000_000, |k, v| number(k, v, 1024, 1 << 40);
    /// How many bytes each person may keep, variants and the trash included; 0: any number. Admins
    /// have no bound.
    max_bytes_per_user: u64 = 0, |k, v| number(k, v, 0, 1 << 50);
    /// How many items each person may keep, the trash included; 0: any number. Admins have no
    /// bound.
    max_files_per_user: u64 = 0, |k, v| number(k, v, 0, 1 << 50);
    /// What may be uploaded: a list of `image`, `video` and `audio`.
    kinds: Kinds = Kinds::all(), words::kinds;
    /// The largest picture, in bytes.
    max_image_bytes: u64 = 100_000_000, |k, v| number(k, v, 1024, 1 << 40);
    /// The largest film, in bytes.
    max_video_bytes: u64 = 1 << 40, |k, v| number(k, v, 1024, 1 << 40);
    /// Whether small pictures of films are made, to seek by. Takes `ffmpeg` on the server.
    video_preview: bool = true, flag;
    /// Which encodings that every browser plays are made of films: `off`, `mp4`, or `hls`, where
    /// players choose among qualities. Takes `ffmpeg` on the server, and much time.
    video_rendition: Renditions = Renditions::Off, words::renditions;
    /// The shorter side that these have at most, in pixels.
    video_max_lines: u64 = 1_080, |k, v| number(k, v, 120, 4_320);
    /// The largest recording of sound, in bytes.
    max_audio_bytes: u64 = 500_000_000, |k, v| number(k, v, 1024, 1 << 40);
    /// How long a film or a recording may play, in seconds.
    max_play_seconds: u64 = 21_600, |k, v| number(k, v, 1, 864_000);
    /// The most tracks that a film or a recording may have.
    max_tracks: u64 = 16, |k, v| number(k, v, 1, 1_000);
    /// The most bits that a film or a recording may have in each second.
    max_bit_rate: u64 = 200_000_000, |k, v| number(k, v, 1_000, 10_000_000_000);
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
    variant_format: Output = Output::Auto, words::output;
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
    /// Whether JPEGs that lie on their side are turned upright, where no pixel is lost by it. Only
    /// while `strip_metadata` is on.
    turn_upright: bool = true, flag;
    /// Whether title, description and tags are taken from the file where the uploader gives none.
    words_from_files: bool = true, flag;
    /// Whether uploads lose their names: their files are called after the item.
    hide_file_names: bool = false, flag;
    /// Which uploads are kept as they came, for their owner: `never`, `marked` (those that get a
    /// watermark) or `always`.
    keep_uploads: KeepUploads = KeepUploads::Marked, words::keep;
    /// Whether uploads get the watermark, once there is one.
    watermark_enabled: bool = false, flag;
    /// Where it goes: `top_left`, `top`, `top_right`, `left`, `center`, `right`, `bottom_left`,
    /// `bottom` or `bottom_right`.
    watermark_place: Place = Place::BottomRight, words::place;
    /// How much of a picture's width and height it may take, in percent.
    watermark_scale: u64 = 20, |k, v| number(k, v, 1, 100);
    /// Its distance to the edges, in percent of a picture's shorter side.
    watermark_margin: u64 = 2, |k, v| number(k, v, 0, 40);
    /// How much it hides of what is behind it, in percent.
    watermark_opacity: u64 = 50, |k, v| number(k, v, 1, 100);
    /// Whose uploads get it: a list of roles.
    watermark_roles: Roles = Roles::all(), words::roles;
    /// The least width of a picture that gets it, in pixels.
    watermark_min_width: u64 = 100, |k, v| number(k, v, 1, 65_500);
    /// The least height of a picture that gets it, in pixels.
    watermark_min_height: u64 = 100, |k, v| number(k, v, 1, 65_500);
    /// Whether animations get it too, where they are not too large for that. They become animated
    /// WebP.
    watermark_animated: bool = false, flag;
    /// The sites whose pages the upload window hands links to: a list of origins such as
    /// `https://forum.example`, or `*` for all.
    popup_origins: Vec<String> = Vec::new(), open_to::origins;
    /// In how many of 64 features a picture may differ from a blocked one and still be refused.
    blocklist_distance: u64 = 6, |k, v| number(k, v, 0, 12);
    /// What an upload comes to that its uploader has here already: `existing` (the item there is,
    /// unless they ask for a second copy) or `reject` (nothing).
    duplicates: Duplicates = Duplicates::Existing, words::duplicates;
    /// Whose APIs are answered too, so that clients made for them can upload: a list of
    /// `chevereto`, `imgbb`, `lsky` and `zipline`.
    client_apis: Vec<ClientApi> = ClientApi::ALL.to_vec(), open_to::client_apis;
    /// Which other sites' pages may use the API in a browser, with a token and never with a
    /// cookie: a list of origins such as `https://forum.example`, or `*` for all.
    cors_origins: Vec<String> = vec!["*".to_owned()], open_to::origins;
    /// Whether people may reach their own albums and items as folders, over WebDAV.
    webdav: bool = true, flag;
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
            ("keep_uploads", json!("sometimes")),
            ("watermark_place", json!("middle")),
            ("watermark_roles", json!(["guest"])),
            ("watermark_roles", json!("user")),
            ("watermark_opacity", json!(0)),
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
