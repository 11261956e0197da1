//! The names that provisioning scripts of Chevereto use for limits and switches, and ours.
//!
//! There, numbers and switches are texts as often as not, 0 means no limit, and sizes may end in
//! `K`, `M` or `G`. What has no counterpart here is kept with the site and told apart.

use crate::tenancy::limits::{Feature, Limit, Overrides};
use serde_json::{Map, Value};

const LIMITS: &[(&str, Limit)] = &[
    ("CHEVERETO_MAX_ADMINS", Limit::MaxAdmins),
    ("CHEVERETO_MAX_ALBUMS", Limit::MaxAlbums),
    ("CHEVERETO_MAX_CATEGORIES", Limit::MaxCategories),
    ("CHEVERETO_MAX_FILES", Limit::MaxFiles),
    ("CHEVERETO_MAX_LISTING_ITEMS_PER_PAGE", Limit::MaxItemsPerPage),
    ("CHEVERETO_MAX_MANAGERS", Limit::MaxManagers),
    ("CHEVERETO_MAX_PAGES", Limit::MaxPages),
    ("CHEVERETO_MAX_STORAGES", Limit::MaxStorages),
    ("CHEVERETO_MAX_TAGS", Limit::MaxTags),
    ("CHEVERETO_MAX_TAGS_PER_FILE", Limit::MaxTagsPerItem),
    ("CHEVERETO_MAX_UPLOAD_FILE_SIZE", Limit::MaxUploadBytes),
    ("CHEVERETO_MAX_USERS", Limit::MaxUsers),
];
const FEATURES: &[(&str, Feature)] = &[
    ("CHEVERETO_ENABLE_API_USER", Feature::Api),
    ("CHEVERETO_ENABLE_GUESTS", Feature::Guests),
    ("CHEVERETO_ENABLE_LIKES", Feature::Social),
    ("CHEVERETO_ENABLE_LOCAL_STORAGE", Feature::LocalStorage),
    ("CHEVERETO_ENABLE_UPLOAD_URL", Feature::UrlUpload),
    ("CHEVERETO_ENABLE_USERS", Feature::SignUp),
];

/// What a map of theirs comes to.
#[derive(Debug, Default)]
pub(super) struct Translated {
    /// JSON Merge Patches of our limits and features.
    pub limits: Map<String, Value>,
    pub features: Map<String, Value>,
    /// Names that mean nothing here.
    pub unknown: Vec<String>,
    /// Names that mean something, with a value that does not.
    pub wrong: Vec<String>,
}

/// Translates the entries of `limits` or `env`.
pub(super) fn translate(theirs: &Map<String, Value>, into: &mut Translated) {
    for (name, value) in theirs {
        if let Some((_, limit)) = LIMITS.iter().find(|(n, _)| n == name) {
            match size(value) {
                Some(0) => drop(into.limits.insert(limit.as_str().to_owned(), Value::Null)),
                Some(n) => drop(into.limits.insert(limit.as_str().to_owned(), n.into())),
                None => into.wrong.push(name.clone()),
            }
        } else if let Some((_, feature)) = FEATURES.iter().find(|(n, _)| n == name) {
            match switch(value) {
                Some(on) => drop(into.features.insert(feature.as_str().to_owned(), on.into())),
                None => into.wrong.push(name.clone()),
            }
        } else {
            into.unknown.push(name.clone());
        }
    }
}

/// Takes back what the entries of an earlier map came to.
pub(super) fn take_back(theirs: &Map<String, Value>, into: &mut Translated) {
    for name in theirs.keys() {
        if let Some((_, limit)) = LIMITS.iter().find(|(n, _)| n == name) {
            into.limits.insert(limit.as_str().to_owned(), Value::Null);
        } else if let Some((_, feature)) = FEATURES.iter().find(|(n, _)| n == name) {
            into.features.insert(feature.as_str().to_owned(), Value::Null);
        }
    }
}

/// Our limits under their names, beside those of theirs that mean nothing here.
pub(super) fn their_limits(ours: &Overrides, kept: &Map<String, Value>) -> Map<String, Value> {
    let is_known = |name: &str| LIMITS.iter().any(|(n, _)| *n == name);
    let mut all: Map<String, Value> =
        kept.iter().filter(|(n, _)| !is_known(n)).map(|(n, v)| (n.clone(), v.clone())).collect();
    for (name, limit) in LIMITS {
        if let Some(value) = ours.limits.get(limit) {
            all.insert((*name).to_owned(), (*value).into());
        }
    }
    all
}

/// A number, also one that is written as text or as `64M`.
fn size(value: &Value) -> Option<u64> {
    if let Some(n) = value.as_u64() {
        return Some(n);
    }
    let text = value.as_str()?.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor: u64 = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "K" | "KB" => 1 << 10,
        "M" | "MB" => 1 << 20,
        "G" | "GB" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

fn switch(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(on) => Some(*on),
        Value::Number(n) => n.as_u64().filter(|n| *n < 2).map(|n| n == 1),
        Value::String(text) => match text.as_str() {
            "1" | "true" => Some(true),
            "0" | "false" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn their_words_become_ours_and_the_rest_is_told_apart() {
        let mut all = Translated::default();
        let theirs = json!({
            "CHEVERETO_MAX_USERS": "5", "CHEVERETO_MAX_FILES": 0,
            "CHEVERETO_MAX_UPLOAD_FILE_SIZE": "64M", "CHEVERETO_MAX_ADMINS": "many",
            "CHEVERETO_ENABLE_GUESTS": "0", "CHEVERETO_ENABLE_UPLOAD_URL": 1,
            "CHEVERETO_MAX_CACHE_TTL": 3600, "ASSET_STORAGE_URL": "https://cdn.example",
        });
        translate(&map(theirs.clone()), &mut all);
        let limits = json!({ "max_users": 5, "max_files": null, "max_upload_bytes": 64 << 20 });
        assert_eq!(Value::from(all.limits), limits);
        assert_eq!(Value::from(all.features), json!({ "guests": false, "url_upload": true }));
        assert_eq!(all.unknown, ["ASSET_STORAGE_URL", "CHEVERETO_MAX_CACHE_TTL"]);
        assert_eq!(all.wrong, ["CHEVERETO_MAX_ADMINS"]);
        let mut back = Translated::default();
        take_back(&map(theirs), &mut back);
        assert!(back.limits.values().chain(back.features.values()).all(Value::is_null));
        assert_eq!((back.limits.len(), back.features.len()), (4, 2));
    }

    #[test]
    fn sizes_are_read_as_they_write_them() {
        for (text, bytes) in [("16M", 16 << 20), ("2g", 2 << 30), ("10KB", 10 << 10), ("7", 7)] {
            assert_eq!(size(&json!(text)), Some(bytes));
        }
        for text in ["", "M", "-1", "1T", "1.5M", "99999999999G"] {
            assert_eq!(size(&json!(text)), None, "{text}");
        }
    }
}
