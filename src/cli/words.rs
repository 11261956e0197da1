//! Words of the command line that stand for limits, features and moments.

use crate::{
    base::{Clock, Error, Result, clock::Millis},
    tenancy::lifecycle::TrialSpec,
};
use clap::Args;
use serde_json::{Map, Value};

#[derive(Args)]
pub(super) struct Overriding {
    /// A limit, as in `max_files=100`; `max_files=-` takes it away. May be repeated
    #[arg(long = "limit", value_name = "NAME=NUMBER")]
    limits: Vec<String>,
    /// A feature, as in `guests=off`; `guests=-` takes it away. May be repeated
    #[arg(long = "feature", value_name = "NAME=on|off")]
    features: Vec<String>,
}

impl Overriding {
    pub(super) fn limits(&self) -> Result<Map<String, Value>> {
        limits(&self.limits)
    }

    pub(super) fn features(&self) -> Result<Map<String, Value>> {
        features(&self.features)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.limits.is_empty() && self.features.is_empty()
    }
}

#[derive(Args)]
pub(super) struct Trial {
    /// When the trial ends: an RFC 3339 time, or from now on as in `30d` or `12h`
    #[arg(long, value_name = "TIME")]
    trial_until: Option<String>,
    /// A limit that counts during the trial. May be repeated
    #[arg(long = "trial-limit", value_name = "NAME=NUMBER")]
    trial_limits: Vec<String>,
    /// A feature that counts during the trial. May be repeated
    #[arg(long = "trial-feature", value_name = "NAME=on|off")]
    trial_features: Vec<String>,
}

impl Trial {
    /// The trial, where one is asked for.
    pub(super) fn spec(&self) -> Result<Option<TrialSpec>> {
        let asked = self.trial_until.is_some()
            || !self.trial_limits.is_empty()
            || !self.trial_features.is_empty();
        if !asked {
            return Ok(None);
        }
        let ends_at = self.trial_until.as_deref().map(|text| moment("trial_until", text));
        Ok(Some(TrialSpec {
            ends_at: ends_at.transpose()?,
            limits: limits(&self.trial_limits)?,
            features: features(&self.trial_features)?,
        }))
    }
}

/// A JSON Merge Patch (RFC 7396) of limits. Whether there are such is for the domain to say.
fn limits(words: &[String]) -> Result<Map<String, Value>> {
    let value = |text: &str| match text {
        "-" => Value::Null,
        text => text.parse::<u64>().map_or_else(|_| Value::from(text), Value::from),
    };
    words.iter().map(|word| split("limit", word, value)).collect()
}

fn features(words: &[String]) -> Result<Map<String, Value>> {
    let value = |text: &str| match text {
        "-" => Value::Null,
        "on" | "true" => Value::Bool(true),
        "off" | "false" => Value::Bool(false),
        text => Value::from(text),
    };
    words.iter().map(|word| split("feature", word, value)).collect()
}

fn split(
    field: &'static str,
    word: &str,
    value: impl Fn(&str) -> Value,
) -> Result<(String, Value)> {
    let (name, text) = word
        .split_once('=')
        .ok_or_else(|| Error::invalid(field, format!("has `{word}`, which is not NAME=VALUE")))?;
    Ok((name.trim().to_owned(), value(text.trim())))
}

/// A moment as it is written on a command line.
pub(super) fn moment(field: &'static str, text: &str) -> Result<Millis> {
    let text = text.trim();
    let from_now = |number: &str, ms: i64| {
        let number: i64 = number.parse::<u32>().ok()?.into();
        Some(Clock::now().plus_ms(number.saturating_mul(ms)))
    };
    let found = match (text.strip_suffix('d'), text.strip_suffix('h')) {
        (Some(days), _) => from_now(days, 86_400_000),
        (_, Some(hours)) => from_now(hours, 3_600_000),
        _ => text.parse::<jiff::Timestamp>().ok().map(|at| Millis(at.as_millisecond())),
    };
    found.ok_or_else(|| {
        Error::invalid(field, "must be an RFC 3339 time, or from now on as in `30d` or `12h`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_or_a_while_from_now() {
        assert_eq!(moment("at", "1970-01-01T00:00:01Z").unwrap(), Millis(1_000));
        let day = moment("at", "1d").unwrap().0 - Clock::now().0;
        assert!((86_390_000..=86_400_000).contains(&day), "{day}");
        let hours = moment("at", "12h").unwrap().0 - Clock::now().0;
        assert!((43_190_000..=43_200_000).contains(&hours), "{hours}");
        for bad in ["", "d", "soon", "-1d", "1.5h", "2026-01-31", "99999999999d"] {
            assert!(moment("at", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn words_become_patches() {
        let words = ["max_files=2".to_owned(), "max_users=-".to_owned(), "max_tags=x".to_owned()];
        let patch = Value::from(limits(&words).unwrap());
        let expected = serde_json::json!({ "max_files": 2, "max_users": null, "max_tags": "x" });
        assert_eq!(patch, expected);
        assert!(limits(&["max_files".to_owned()]).is_err());
        let patch = Value::from(features(&["api=off".to_owned(), "guests=on".to_owned()]).unwrap());
        assert_eq!(patch, serde_json::json!({ "api": false, "guests": true }));
    }
}
