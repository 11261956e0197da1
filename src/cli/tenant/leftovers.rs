//! What removed sites left behind in storages elsewhere: shown, and given up.

use super::At;
use crate::{
    base::Result,
    cli::table::{Table, answer},
    tenancy::{audit::By, leftovers::Leftover},
    worker,
};
use clap::Subcommand;
use serde_json::{Value, json};

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Show what removed sites still have in storages elsewhere, once it was tried to remove it
    Leftovers,
    /// Leave what a removed site has in storages elsewhere where it is
    Leave {
        /// As `leftovers` shows it
        id: String,
    },
}

pub(super) async fn run(verb: Verb, at: &At<'_>) -> Result<()> {
    match verb {
        Verb::Leftovers => {
            worker::clear_due(&at.tenants).await?;
            let items: Vec<_> = at.tenants.leftovers().await?.iter().map(document).collect();
            answer(at.json, &json!({ "items": items }), || table(&items));
        }
        Verb::Leave { id } => {
            let left = at.tenants.forget_leftover(&By::command_line(), &id).await?;
            let items = [document(&left)];
            answer(at.json, &items[0], || table(&items));
        }
    }
    Ok(())
}

fn document(leftover: &Leftover) -> Value {
    json!({
        "id": leftover.id.as_str(),
        "tenant": leftover.tenant,
        "removed_at": leftover.removed_at.to_rfc3339(),
        "files": leftover.left.files,
        "places": leftover.left.places,
        "problem": leftover.left.problem,
        "next_at": leftover.left.next_at.to_rfc3339(),
    })
}

fn table(items: &[Value]) -> Table {
    const FIELDS: [&str; 6] = ["id", "tenant", "removed_at", "files", "places", "problem"];
    let mut table = Table::new(&FIELDS);
    for item in items {
        table.row(FIELDS.map(|field| super::view::text(&item[field])));
    }
    table
}
