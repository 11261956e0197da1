//! `vitrina plan`: named sets of limits and features that sites are sold with.

use super::{
    table::{Table, answer},
    tenant::view::names,
    words::Overriding,
};
use crate::{
    base::Result,
    config::Config,
    tenancy::{
        Tenants,
        audit::By,
        limits::Overrides,
        plan::{Plan, PlanEdit},
    },
};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

#[derive(Args)]
pub(super) struct Command {
    #[command(subcommand)]
    verb: Verb,
    /// Print one JSON document, for programs
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Verb {
    /// Make a plan
    Create {
        /// 1 to 32 of a-z, 0-9, - and _
        id: String,
        /// What people call it
        #[arg(long)]
        name: Option<String>,
        /// Where a customer goes who needs more
        #[arg(long, value_name = "URL")]
        upgrade_url: Option<String>,
        #[command(flatten)]
        overriding: Overriding,
    },
    /// List every plan
    List,
    /// Show a plan
    Get { id: String },
    /// Change a plan; every site that has it follows at once
    Edit {
        id: String,
        #[arg(long)]
        name: Option<String>,
        #[arg(long, value_name = "URL", conflicts_with = "no_upgrade_url")]
        upgrade_url: Option<String>,
        /// Take the upgrade link away
        #[arg(long)]
        no_upgrade_url: bool,
        #[command(flatten)]
        overriding: Overriding,
    },
    /// Delete a plan that no site has
    Delete { id: String },
}

pub(super) async fn run(command: Command, config: &Config) -> Result<()> {
    let json = command.json;
    let tenants = crate::app::open_tenants(config).await?;
    let by = By::command_line();
    match command.verb {
        Verb::Create { id, name, upgrade_url, overriding } => {
            let edit = edit(name, upgrade_url.map(Some), &overriding)?;
            show(json, &tenants, &tenants.create_plan(&by, &id, edit).await?)
        }
        Verb::List => list(json, &tenants).await,
        Verb::Get { id } => show(json, &tenants, &tenants.plan(&id).await?),
        Verb::Edit { id, name, upgrade_url, no_upgrade_url, overriding } => {
            let upgrade_url = if no_upgrade_url { Some(None) } else { upgrade_url.map(Some) };
            let edit = edit(name, upgrade_url, &overriding)?;
            show(json, &tenants, &tenants.edit_plan(&by, &id, edit).await?)
        }
        Verb::Delete { id } => {
            tenants.delete_plan(&by, &id).await?;
            let deleted = || Table::of_pairs([("deleted", id.clone())]);
            answer(json, &json!({ "deleted": id }), deleted);
            Ok(())
        }
    }
}

fn edit(
    name: Option<String>,
    upgrade_url: Option<Option<String>>,
    overriding: &Overriding,
) -> Result<PlanEdit> {
    let (limits, features) = (overriding.limits()?, overriding.features()?);
    Ok(PlanEdit { name, upgrade_url, limits, features, extra: None })
}

async fn list(json: bool, tenants: &Tenants) -> Result<()> {
    let plans = tenants.plans().await?;
    let items = plans.iter().map(|plan| view(tenants, plan)).collect::<Result<Vec<_>>>()?;
    answer(json, &json!({ "items": items }), || {
        let mut table = Table::new(&["id", "name", "tenants", "limits and features"]);
        for plan in plans {
            let says = overrides(&plan.overrides);
            table.row([plan.id, plan.name, plan.tenants.to_string(), says]);
        }
        table
    });
    Ok(())
}

fn show(json: bool, tenants: &Tenants, plan: &Plan) -> Result<()> {
    answer(json, &view(tenants, plan)?, || {
        Table::of_pairs([
            ("id", plan.id.clone()),
            ("name", plan.name.clone()),
            ("upgrade link", plan.upgrade_url.clone().unwrap_or_default()),
            ("limits and features", overrides(&plan.overrides)),
            ("tenants", plan.tenants.to_string()),
            ("changed", plan.updated_at.to_rfc3339()),
        ])
    });
    Ok(())
}

/// A plan as the operator API shows it.
fn view(tenants: &Tenants, plan: &Plan) -> Result<Value> {
    let mut view = json!({
        "id": plan.id,
        "name": plan.name,
        "limits": plan.overrides.limits_json(),
        "features": plan.overrides.features_json(),
        "extra": names(tenants.plan_extra(plan)?),
        "tenants": plan.tenants,
        "created_at": plan.created_at.to_rfc3339(),
        "updated_at": plan.updated_at.to_rfc3339(),
    });
    if let Some(url) = &plan.upgrade_url {
        view["upgrade_url"] = json!(url);
    }
    Ok(view)
}

/// Overrides in one cell, as they would be written on the command line.
pub(super) fn overrides(of: &Overrides) -> String {
    let limits = of.limits.iter().map(|(limit, value)| format!("{}={value}", limit.as_str()));
    let on = |on: &bool| if *on { "on" } else { "off" };
    let features = of.features.iter().map(|(f, value)| format!("{}={}", f.as_str(), on(value)));
    limits.chain(features).collect::<Vec<_>>().join(" ")
}
