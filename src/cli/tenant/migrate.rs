//! Bringing the files of sites up to date ahead of their first use.

use super::At;
use crate::{
    base::{Error, Result},
    cli::{
        complain,
        table::{Table, answer},
    },
};
use clap::Subcommand;
use serde_json::json;
use std::io::Write;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Bring the files of sites up to date, ahead of their first use; one that is broken does not
    /// stop the rest
    Migrate {
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        id: Option<String>,
        /// Every site there is
        #[arg(long)]
        all: bool,
    },
}

pub(super) async fn run(verb: Verb, at: &At<'_>) -> Result<()> {
    let Verb::Migrate { id, all: _ } = verb;
    let ids = match id {
        Some(id) => vec![at.record(&id).await?.0],
        None => at.tenants.ids().await?,
    };
    let (mut migrated, mut current, mut failed) = (Vec::new(), 0_u64, Vec::new());
    for (n, id) in ids.iter().enumerate() {
        let word = match at.tenants.migrate(id).await {
            Ok(true) => {
                migrated.push(id.to_string());
                "migrated".to_owned()
            }
            Ok(false) => {
                current += 1;
                "up to date".to_owned()
            }
            Err(error) => {
                let error = error.in_full();
                failed.push((id.to_string(), error.clone()));
                format!("failed: {error}")
            }
        };
        let _ = writeln!(std::io::stderr(), "{}/{} {id}: {word}", n + 1, ids.len());
    }
    let failures: Vec<_> =
        failed.iter().map(|(id, error)| json!({ "tenant": id, "error": error })).collect();
    let document = json!({ "migrated": migrated, "up_to_date": current, "failed": failures });
    answer(at.json, &document, || {
        Table::of_pairs([
            ("migrated", migrated.len().to_string()),
            ("up to date", current.to_string()),
            ("failed", failed.len().to_string()),
        ])
    });
    for (id, error) in &failed {
        complain(&format!("{id}: {error}"));
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(Error::Conflict {
            code: "some_failed",
            reason: "not every tenant could be migrated",
        }),
    }
}
