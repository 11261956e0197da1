//! A site as the operator API shows it, and the same in lines for people.

use super::At;
use crate::{
    base::{Result, clock::Millis},
    cli::table::Table,
    tenancy::{
        Record, Stats,
        limits::{Limit, Trial},
    },
};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// The counters of a site, in the order in which they are shown.
pub(super) const STATS: &[&str] = &[
    "users",
    "admins",
    "managers",
    "files",
    "tags",
    "bytes_stored",
    "bytes_served_month",
    "variants_rendered_month",
];

/// A field that is there only where it is set.
pub(super) fn set<T: Serialize>(document: &mut Value, name: &str, value: Option<T>) {
    if let Some(value) = value {
        document[name] = json!(value);
    }
}

pub(super) async fn tenant(at: &At<'_>, record: &Record) -> Result<Value> {
    let id = record.tenant_id()?;
    let mut view = json!({
        "id": record.id,
        "name": record.name,
        "status": record.status.as_str(),
        "hostnames": record.hostnames,
        "limits": record.own.limits_json(),
        "features": record.own.features_json(),
        "extra": names(at.tenants.extra(&id).await?),
        "created_at": Millis(record.created_at).to_rfc3339(),
        "updated_at": Millis(record.updated_at).to_rfc3339(),
    });
    set(&mut view, "reason", record.reason.as_ref());
    set(&mut view, "plan", record.plan.as_ref());
    set(&mut view, "url", at.tenants.origin(record));
    set(&mut view, "trial", record.trial.as_ref().map(trial));
    set(&mut view, "delete_after", record.delete_after().map(Millis::to_rfc3339));
    if let Some(known) = at.tenants.stats(&record.id).await? {
        view["usage"] = usage(at, record, &known);
        view["stats"] = stats(&known);
    }
    Ok(view)
}

/// The names of what is kept for others to read; the values may be secrets.
pub(in crate::cli) fn names(extra: Map<String, Value>) -> Map<String, Value> {
    extra.into_iter().map(|(name, _)| (name, Value::from("•••"))).collect()
}

fn trial(trial: &Trial) -> Value {
    json!({
        "ends_at": Millis(trial.ends_at).to_rfc3339(),
        "limits": trial.overrides.limits_json(),
        "features": trial.overrides.features_json(),
        "is_over": trial.is_over(),
    })
}

/// What is used of each limit that something is counted for.
fn usage(at: &At<'_>, record: &Record, stats: &Stats) -> Value {
    let sources = record.sources(at.tenants.enforced());
    let counted = Limit::ALL.iter().filter_map(|limit| Some((*limit, limit.counter()?)));
    let items = counted.map(|(limit, counter)| {
        let mut item = json!({ "limit": limit.as_str(), "used": stats.amount(counter) });
        set(&mut item, "allowed", sources.limit(limit).0);
        item
    });
    items.collect()
}

pub(super) fn stats(stats: &Stats) -> Value {
    let mut view = json!({});
    for name in STATS {
        view[*name] = json!(stats.amount(name));
    }
    view["refreshed_at"] = json!(stats.refreshed_at.to_rfc3339());
    view
}

/// A value in a cell: nothing where there is none, text without its quotes.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Every field of a flat document on a line of its own.
pub(super) fn pairs(document: &Value) -> Table {
    let fields = document.as_object().into_iter().flatten();
    Table::of_pairs(fields.map(|(name, value)| (name.as_str(), text(value))))
}

/// What [`tenant`] shows, in lines.
pub(super) fn table(view: &Value) -> Table {
    let plain = ["id", "name", "status", "reason", "plan", "url"];
    let mut pairs: Vec<(&str, String)> = Vec::new();
    for name in plain.into_iter().filter(|name| !view[name].is_null()) {
        pairs.push((name, text(&view[name])));
    }
    let hosts = view["hostnames"].as_array().into_iter().flatten().map(|h| text(&h["host"]));
    pairs.push(("hostnames", hosts.collect::<Vec<_>>().join(" ")));
    let own = [words(&view["limits"]), words(&view["features"])].concat();
    pairs.push(("own overrides", own.join(" ")));
    if !view["trial"].is_null() {
        let trial = &view["trial"];
        let until = if trial["is_over"] == true { "over since" } else { "until" };
        let says = [words(&trial["limits"]), words(&trial["features"])].concat().join(" ");
        pairs.push(("trial", format!("{until} {} {says}", text(&trial["ends_at"]))));
    }
    for item in view["usage"].as_array().into_iter().flatten() {
        let name = item["limit"].as_str().unwrap_or_default().trim_start_matches("max_");
        let allowed = match &item["allowed"] {
            Value::Null => String::new(),
            allowed => format!(" of {allowed}"),
        };
        pairs.push((name, format!("{}{allowed}", item["used"])));
    }
    for name in ["setup_needed", "delete_after", "created_at", "updated_at"] {
        if !view[name].is_null() {
            pairs.push((name, text(&view[name])));
        }
    }
    Table::of_pairs(pairs)
}

/// The overrides of a document, as they would be written on the command line.
fn words(overrides: &Value) -> Vec<String> {
    let word = |(name, value): (&String, &Value)| match value {
        Value::Bool(on) => format!("{name}={}", if *on { "on" } else { "off" }),
        value => format!("{name}={value}"),
    };
    overrides.as_object().into_iter().flatten().map(word).collect()
}
