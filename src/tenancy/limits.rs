//! What a site may have: limits, which are numbers, and features, which are switches. Which value
//! counts is decided here and nowhere else: enforced > trial > tenant > plan > default. Pure.

use crate::base::{Clock, Error, Result, clock::Millis};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Items,
    Bytes,
    PerMonth,
    BytesPerMonth,
    PerMinute,
}

impl Unit {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Items => "items",
            Self::Bytes => "bytes",
            Self::PerMonth => "per month",
            Self::BytesPerMonth => "bytes per month",
            Self::PerMinute => "per minute",
        }
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $kind:ident;
     $($(#[doc = $text:literal])* $name:ident = $word:literal;)*) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $kind {
            $($(#[doc = $text])* $name,)*
        }

        impl $kind {
            pub const ALL: &[Self] = &[$(Self::$name),*];

            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            /// What it means, for people.
            pub fn doc(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($text),*).trim_ascii(),)*
                }
            }

            pub fn find(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == word)
            }
        }
    };
}

words! {
    /// A number that bounds a site. Absent means unbounded.
    Limit;
    /// People with an account.
    MaxUsers = "max_users";
    /// People with the role `admin`.
    MaxAdmins = "max_admins";
    /// People with the role `manager`.
    MaxManagers = "max_managers";
    /// Uploaded items, those in the trash included.
    MaxFiles = "max_files";
    /// Albums.
    MaxAlbums = "max_albums";
    /// Different tags in use.
    MaxTags = "max_tags";
    /// Tags on one item.
    MaxTagsPerItem = "max_tags_per_item";
    /// Categories.
    MaxCategories = "max_categories";
    /// Pages of the site's own.
    MaxPages = "max_pages";
    /// Places where bytes are kept.
    MaxStorages = "max_storages";
    /// Bytes of all items with their variants, those in the trash included.
    MaxBytesStored = "max_bytes_stored";
    /// Bytes of files handed out, in a calendar month of UTC.
    MaxBytesServedMonth = "max_bytes_served_month";
    /// Variants made, in a calendar month of UTC.
    MaxVariantsRenderedMonth = "max_variants_rendered_month";
    /// Bytes of one uploaded file. The site's own setting may be lower.
    MaxUploadBytes = "max_upload_bytes";
    /// Items on one page of a list.
    MaxItemsPerPage = "max_items_per_page";
    /// Requests with an API token.
    MaxApiRequestsMinute = "max_api_requests_minute";
}

words! {
    /// A switch that a site can be denied. On, unless something says otherwise.
    Feature;
    /// Programs may use the API with a token.
    Api = "api";
    /// People who are not signed in may upload, where the site lets them.
    Guests = "guests";
    /// People may make themselves an account, where the site lets them.
    SignUp = "sign_up";
    /// Files may be uploaded by naming a URL.
    UrlUpload = "url_upload";
    /// Files may be kept on the server's own disk.
    LocalStorage = "local_storage";
    /// Likes and follows.
    Social = "social";
    /// The site's own style sheets and scripts.
    CustomCode = "custom_code";
}

impl Limit {
    pub fn unit(self) -> Unit {
        match self {
            Self::MaxBytesStored | Self::MaxUploadBytes => Unit::Bytes,
            Self::MaxBytesServedMonth => Unit::BytesPerMonth,
            Self::MaxVariantsRenderedMonth => Unit::PerMonth,
            Self::MaxApiRequestsMinute => Unit::PerMinute,
            _ => Unit::Items,
        }
    }

    /// The name of the counter that the limit bounds, where one is kept.
    pub fn counter(self) -> Option<&'static str> {
        let counted = matches!(
            self,
            Self::MaxUsers
                | Self::MaxAdmins
                | Self::MaxManagers
                | Self::MaxFiles
                | Self::MaxAlbums
                | Self::MaxTags
                | Self::MaxBytesStored
                | Self::MaxBytesServedMonth
                | Self::MaxVariantsRenderedMonth
        );
        counted.then(|| self.as_str().trim_start_matches("max_"))
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The operator's configuration, which nothing overrides.
    Enforced,
    Trial,
    Tenant,
    Plan,
    Default,
}

impl Origin {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enforced => "enforced",
            Self::Trial => "trial",
            Self::Tenant => "tenant",
            Self::Plan => "plan",
            Self::Default => "default",
        }
    }
}

/// What one source says; of what it does not name, it says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overrides {
    pub limits: BTreeMap<Limit, u64>,
    pub features: BTreeMap<Feature, bool>,
}

/// Overrides that fall away by themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    pub ends_at: i64,
    pub overrides: Overrides,
}

impl Trial {
    pub fn is_over(&self) -> bool {
        Millis(self.ends_at) <= Clock::now()
    }
}

/// The largest number that a limit may be: what JSON and SQLite both hold exactly.
const MOST: u64 = (1 << 53) - 1;

impl Overrides {
    /// Applies a JSON Merge Patch (RFC 7396) for the limits and one for the features.
    ///
    /// # Errors
    /// `Invalid` for a name that does not exist or a value that is none.
    pub fn patch(
        &mut self,
        limits: &Map<String, Value>,
        features: &Map<String, Value>,
    ) -> Result<()> {
        for (name, value) in limits {
            let limit = Limit::find(name).ok_or_else(|| unknown("limits", name))?;
            match value {
                Value::Null => drop(self.limits.remove(&limit)),
                value => drop(self.limits.insert(limit, number(name, value)?)),
            }
        }
        for (name, value) in features {
            let feature = Feature::find(name).ok_or_else(|| unknown("features", name))?;
            match value {
                Value::Null => drop(self.features.remove(&feature)),
                Value::Bool(on) => drop(self.features.insert(feature, *on)),
                _ => {
                    return Err(Error::invalid(
                        "features",
                        format!("`{name}` must be true or false"),
                    ));
                }
            }
        }
        Ok(())
    }

    /// Reads `name=value` words, as on a command line: numbers for limits, `on` and `off` for
    /// features; `-` takes an override away.
    pub fn words<'a>(words: impl Iterator<Item = &'a str>) -> [Map<String, Value>; 2] {
        let (mut limits, mut features) = (Map::new(), Map::new());
        for word in words.map(str::trim).filter(|w| !w.is_empty()) {
            let (name, text) = word.split_once('=').unwrap_or((word, ""));
            let (name, text) = (name.trim(), text.trim());
            let known = Limit::find(name).is_some();
            let value = match text {
                "-" => Value::Null,
                "on" | "true" => Value::Bool(true),
                "off" | "false" => Value::Bool(false),
                text => {
                    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
                }
            };
            let into =
                if known || Feature::find(name).is_none() { &mut limits } else { &mut features };
            into.insert(name.to_owned(), value);
        }
        [limits, features]
    }

    pub fn limits_json(&self) -> Map<String, Value> {
        self.limits.iter().map(|(k, v)| (k.as_str().to_owned(), Value::from(*v))).collect()
    }

    pub fn features_json(&self) -> Map<String, Value> {
        self.features.iter().map(|(k, v)| (k.as_str().to_owned(), Value::from(*v))).collect()
    }

    /// Reads back what was stored; what this version does not know is passed over.
    pub fn stored(limits: &str, features: &str) -> Result<Self> {
        let limits: Map<String, Value> = serde_json::from_str(limits)?;
        let features: Map<String, Value> = serde_json::from_str(features)?;
        let limits = limits.iter().filter_map(|(k, v)| Some((Limit::find(k)?, v.as_u64()?)));
        let features = features.iter().filter_map(|(k, v)| Some((Feature::find(k)?, v.as_bool()?)));
        Ok(Self { limits: limits.collect(), features: features.collect() })
    }
}

fn unknown(field: &'static str, name: &str) -> Error {
    let name: String = name.chars().take(64).collect();
    Error::invalid(field, format!("has no `{name}`"))
}

fn number(name: &str, value: &Value) -> Result<u64> {
    value.as_u64().filter(|n| *n <= MOST).ok_or_else(|| {
        Error::invalid("limits", format!("`{name}` must be a whole number from 0 to {MOST}"))
    })
}

/// All that bears on one site, the strongest first.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    pub enforced: &'a Overrides,
    pub trial: Option<&'a Trial>,
    pub tenant: &'a Overrides,
    pub plan: &'a Overrides,
}

impl Sources<'_> {
    /// The number that counts, if any does.
    pub fn limit(&self, limit: Limit) -> (Option<u64>, Origin) {
        let found = self.first(|o| o.limits.get(&limit).copied());
        found.map_or((None, Origin::Default), |(value, origin)| (Some(value), origin))
    }

    pub fn feature(&self, feature: Feature) -> (bool, Origin) {
        self.first(|o| o.features.get(&feature).copied()).unwrap_or((true, Origin::Default))
    }

    fn first<T>(&self, find: impl Fn(&Overrides) -> Option<T>) -> Option<(T, Origin)> {
        let trial = self.trial.filter(|trial| !trial.is_over()).map(|trial| &trial.overrides);
        let sources = [
            (Some(self.enforced), Origin::Enforced),
            (trial, Origin::Trial),
            (Some(self.tenant), Origin::Tenant),
            (Some(self.plan), Origin::Plan),
        ];
        sources.into_iter().find_map(|(source, origin)| Some((find(source?)?, origin)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn overrides(words: &str) -> Overrides {
        let [limits, features] = Overrides::words(words.split(','));
        let mut overrides = Overrides::default();
        overrides.patch(&limits, &features).unwrap();
        overrides
    }

    #[test]
    fn the_strongest_source_that_says_anything_counts() {
        let enforced = overrides("max_users=9");
        let tenant = overrides("max_users=5,max_files=7,api=on");
        let plan = overrides("max_files=2,max_tags=3,api=off,social=off");
        let now = Clock::now();
        let mut trial = Trial { ends_at: now.plus_days(1).0, overrides: overrides("max_files=50") };
        let ask = |trial: &Trial, limit| {
            let (enforced, tenant, plan) = (&enforced, &tenant, &plan);
            Sources { enforced, trial: Some(trial), tenant, plan }.limit(limit)
        };
        assert_eq!(ask(&trial, Limit::MaxUsers), (Some(9), Origin::Enforced));
        assert_eq!(ask(&trial, Limit::MaxFiles), (Some(50), Origin::Trial));
        assert_eq!(ask(&trial, Limit::MaxTags), (Some(3), Origin::Plan));
        assert_eq!(ask(&trial, Limit::MaxAdmins), (None, Origin::Default));
        trial.ends_at = now.plus_ms(-1).0;
        assert_eq!(ask(&trial, Limit::MaxFiles), (Some(7), Origin::Tenant));
        let sources = Sources { enforced: &enforced, trial: None, tenant: &tenant, plan: &plan };
        assert_eq!(sources.feature(Feature::Api), (true, Origin::Tenant));
        assert_eq!(sources.feature(Feature::Social), (false, Origin::Plan));
        assert_eq!(sources.feature(Feature::Guests), (true, Origin::Default));
    }

    #[test]
    fn what_is_no_limit_and_no_number_is_named() {
        let mut all = Overrides::default();
        let none = Map::new();
        for (name, value) in [
            ("max_dreams", json!(1)),
            ("max_users", json!(-1)),
            ("max_users", json!("many")),
            ("max_users", json!(1.5)),
            ("max_users", json!(u64::MAX)),
        ] {
            let patch = Map::from_iter([(name.to_owned(), value)]);
            let error = all.patch(&patch, &none).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
        let patch = Map::from_iter([("api".to_owned(), json!(1))]);
        assert!(all.patch(&none, &patch).is_err());
        assert_eq!(all, Overrides::default());
    }

    #[test]
    fn overrides_are_stored_and_taken_away_again() {
        let mut all = overrides("max_users=5,max_bytes_stored=1000,guests=off");
        let stored = Overrides::stored(
            &Value::from(all.limits_json()).to_string(),
            &Value::from(all.features_json()).to_string(),
        );
        assert_eq!(stored.unwrap(), all);
        let [limits, features] = Overrides::words(["max_users=-", "guests=-"].into_iter());
        all.patch(&limits, &features).unwrap();
        assert_eq!(all, overrides("max_bytes_stored=1000"));
    }
}
