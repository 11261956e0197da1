//! `vitrina site`: what the admin of a site can set, from the shell.

use super::{OfTenant, say};
use crate::{
    base::{Error, Result},
    config::Config,
    media::regenerate,
    site::settings::{self, Settings},
    tenancy::usage,
};
use clap::Subcommand;
use serde_json::{Map, Value};

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Show every setting of the site
    Get {
        #[command(flatten)]
        of: OfTenant,
    },
    /// Change settings; a running server follows at once
    Set {
        #[command(flatten)]
        of: OfTenant,
        /// As in `medium_side=1600`; nothing after the `=` puts the default back
        #[arg(required = true, value_name = "KEY=VALUE")]
        changes: Vec<String>,
    },
    /// Count anew what the site uses, and mend counters that are wrong
    Recount {
        #[command(flatten)]
        of: OfTenant,
    },
    /// Make the variants of all items anew, as the settings are now; a running server does it
    Regenerate {
        #[command(flatten)]
        of: OfTenant,
    },
}

pub(super) async fn run(verb: Verb, config: &Config) -> Result<()> {
    let settings = match verb {
        Verb::Get { of } => of.open(config).await?.read(settings::load).await?,
        Verb::Set { of, changes } => {
            let changes = changes.iter().map(|c| parse(c)).collect::<Result<Map<_, _>>>()?;
            settings::change_as_operator(&*of.open(config).await?, changes).await?
        }
        Verb::Recount { of } => {
            let mended = of.open(config).await?.write(usage::recount).await?;
            say(&usage::told(&mended));
            return Ok(());
        }
        Verb::Regenerate { of } => {
            let state = regenerate::start_as_operator(&*of.open(config).await?).await?;
            say(&format!("the variants of {} items will be made anew", state.total));
            return Ok(());
        }
    };
    for (key, value) in settings.to_json() {
        let doc = Settings::ALL.iter().find(|(k, _)| *k == key).map_or("", |(_, doc)| doc.trim());
        say(&format!("{key} = {value}  # {doc}"));
    }
    Ok(())
}

/// JSON where it is JSON, and text where it is not.
fn parse(change: &str) -> Result<(String, Value)> {
    let (key, text) = change.split_once('=').ok_or_else(|| {
        Error::invalid("changes", format!("has `{change}`, which is not KEY=VALUE"))
    })?;
    let value = match text.trim() {
        "" => Value::Null,
        text => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())),
    };
    Ok((key.trim().to_owned(), value))
}
