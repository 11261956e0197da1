//! Looking at sites: what they are, what they may have, what they hold, what was done to them.

use super::{At, view};
use crate::{
    base::{Error, Result, ids::TenantId},
    cli::{
        complain,
        table::{Table, answer},
    },
    tenancy::{
        Filter, Record, Stats,
        limits::{Feature, Limit},
        record::Status,
        usage,
    },
};
use clap::Subcommand;
use serde_json::{Value, json};

#[derive(Subcommand)]
pub(super) enum Verb {
    /// List sites in the order of their ids
    List {
        /// active, suspended or deleting
        #[arg(long)]
        status: Option<String>,
        #[arg(long, value_name = "ID")]
        plan: Option<String>,
        /// Part of an id, a name or a hostname
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
    },
    /// Show a site
    Get { id: String },
    /// Show what a site may have, and where each value comes from
    Effective { id: String },
    /// Show what a site holds, or each of them
    Stats {
        id: Option<String>,
        /// Count anew
        #[arg(long)]
        refresh: bool,
    },
    /// Show what operators did, the newest last
    Audit {
        id: Option<String>,
        /// How many entries at most
        #[arg(long, default_value_t = 50, value_name = "NUMBER",
              value_parser = clap::value_parser!(i64).range(1..=100_000))]
        last: i64,
    },
}

/// How many sites are read at once.
const PAGE: i64 = 500;

pub(super) async fn run(verb: Verb, at: &At<'_>) -> Result<()> {
    match verb {
        Verb::List { status, plan, search } => {
            let status = status.as_deref().map(Status::parse).transpose()?;
            let part = search.map(|text| text.trim().to_lowercase()).filter(|t| !t.is_empty());
            list(at, Filter { status, plan, part, after: None }).await
        }
        Verb::Get { id } => get(at, &id).await,
        Verb::Effective { id } => effective(at, &id).await,
        Verb::Stats { id: Some(id), refresh } => {
            let (id, record) = at.record(&id).await?;
            let stats = view::stats(&stats_of(at, &id, &record, refresh).await?);
            answer(at.json, &stats, || view::pairs(&stats));
            Ok(())
        }
        Verb::Stats { id: None, refresh } => stats_of_all(at, refresh).await,
        Verb::Audit { id, last } => audit(at, id, last).await,
    }
}

async fn all(at: &At<'_>, mut filter: Filter) -> Result<Vec<Record>> {
    let mut records: Vec<Record> = Vec::new();
    loop {
        let page = at.tenants.list(filter.clone(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(records) };
        filter.after = Some(last.id.clone());
        records.extend(page);
    }
}

async fn list(at: &At<'_>, filter: Filter) -> Result<()> {
    let mut items = Vec::new();
    for record in all(at, filter).await? {
        items.push(view::tenant(at, &record).await?);
    }
    let document = json!({ "items": items, "next": null });
    answer(at.json, &document, || {
        let mut table =
            Table::new(&["id", "name", "status", "plan", "url", "users", "files", "bytes"]);
        for item in &items {
            let fields = ["id", "name", "status", "plan", "url"].map(|f| view::text(&item[f]));
            let stats = ["users", "files", "bytes_stored"].map(|f| view::text(&item["stats"][f]));
            table.row(fields.into_iter().chain(stats));
        }
        table
    });
    Ok(())
}

async fn get(at: &At<'_>, id: &str) -> Result<()> {
    let (id, record) = at.record(id).await?;
    let mut document = view::tenant(at, &record).await?;
    // A site that does not open is shown all the same.
    match setup_needed(at, &id).await {
        Ok(needed) => document["setup_needed"] = json!(needed),
        Err(error) => complain(&format!("the site does not open: {}", error.in_full())),
    }
    answer(at.json, &document, || view::table(&document));
    Ok(())
}

async fn setup_needed(at: &At<'_>, id: &TenantId) -> Result<bool> {
    crate::accounts::setup::is_needed(&*at.tenants.get(id).await?).await
}

async fn effective(at: &At<'_>, id: &str) -> Result<()> {
    let (_, record) = at.record(id).await?;
    let sources = record.sources(at.tenants.enforced());
    let limits = Limit::ALL.iter().map(|limit| {
        let (value, origin) = sources.limit(*limit);
        let mut item = json!({
            "name": limit.as_str(),
            "unit": limit.unit().as_str(),
            "doc": limit.doc(),
            "origin": origin.as_str(),
        });
        if let Some(value) = value {
            item["value"] = json!(value);
        }
        item
    });
    let features = Feature::ALL.iter().map(|feature| {
        let (on, origin) = sources.feature(*feature);
        json!({
            "name": feature.as_str(),
            "doc": feature.doc(),
            "value": on,
            "origin": origin.as_str(),
        })
    });
    let (limits, features): (Vec<_>, Vec<_>) = (limits.collect(), features.collect());
    answer(at.json, &json!({ "limits": limits, "features": features }), || {
        let mut table = Table::new(&["name", "value", "from", "unit", "meaning"]);
        for item in limits.iter().chain(&features) {
            let value = match &item["value"] {
                Value::Null => "unlimited".to_owned(),
                Value::Bool(on) => if *on { "on" } else { "off" }.to_owned(),
                value => value.to_string(),
            };
            let rest = ["origin", "unit", "doc"].map(|field| view::text(&item[field]));
            table.row([view::text(&item["name"]), value].into_iter().chain(rest));
        }
        table
    });
    Ok(())
}

/// What a site held when it was last counted; counted now where it never was.
async fn stats_of(at: &At<'_>, id: &TenantId, record: &Record, refresh: bool) -> Result<Stats> {
    let known = at.tenants.stats(&record.id).await?;
    if let Some(known) = known.filter(|_| !refresh) {
        return Ok(known);
    }
    let stats = at.tenants.get(id).await?.read(usage::stats).await?;
    at.tenants.set_stats(id, stats.clone()).await?;
    Ok(stats)
}

async fn stats_of_all(at: &At<'_>, refresh: bool) -> Result<()> {
    let (mut items, mut failed) = (Vec::new(), Vec::new());
    for record in all(at, Filter::default()).await? {
        match stats_of(at, &record.tenant_id()?, &record, refresh).await {
            Ok(stats) => items.push(json!({ "id": record.id, "stats": view::stats(&stats) })),
            Err(error) => failed.push(json!({ "tenant": record.id, "error": error.in_full() })),
        }
    }
    answer(at.json, &json!({ "items": items, "failed": failed }), || {
        let columns = view::STATS.iter().chain(&["refreshed_at"]);
        let headings: Vec<_> = ["id"].iter().chain(columns.clone()).copied().collect();
        let mut table = Table::new(&headings);
        for item in &items {
            let stats = columns.clone().map(|field| view::text(&item["stats"][*field]));
            table.row([view::text(&item["id"])].into_iter().chain(stats));
        }
        table
    });
    for failure in &failed {
        complain(&format!("{}: {}", view::text(&failure["tenant"]), view::text(&failure["error"])));
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(Error::Conflict {
            code: "some_failed",
            reason: "not every tenant could be counted",
        }),
    }
}

async fn audit(at: &At<'_>, id: Option<String>, last: i64) -> Result<()> {
    // Of a tenant that is gone the trail remains.
    let id = id.map(|id| super::parse(&id).map(|id| id.to_string())).transpose()?;
    let entries = at.tenants.audit(id, None, last).await?;
    let items = entries.iter().map(|entry| {
        let mut item = json!({
            "id": entry.id,
            "at": entry.at.to_rfc3339(),
            "actor": entry.actor,
            "action": entry.action,
            "detail": entry.detail,
        });
        view::set(&mut item, "tenant", entry.tenant.as_ref());
        view::set(&mut item, "address", entry.address.as_ref());
        item
    });
    let items: Vec<_> = items.collect();
    answer(at.json, &json!({ "items": items, "next": null }), || {
        let mut table = Table::new(&["at", "actor", "action", "tenant", "detail"]);
        for item in items.iter().rev() {
            let fields = ["at", "actor", "action", "tenant", "detail"];
            table.row(fields.map(|field| view::text(&item[field])));
        }
        table
    });
    Ok(())
}
