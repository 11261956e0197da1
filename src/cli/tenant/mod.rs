//! `vitrina tenant`: the sites of the appliance, from above them. The verbs work on the data
//! directory, and a running server follows within a second.

mod leftovers;
mod look;
mod manage;
mod migrate;
mod people;
pub(super) mod view;

use super::whole;
use crate::{
    base::{Error, Result, ids::TenantId},
    config::Config,
    tenancy::{Record, Tenants},
};
use clap::{Args, Subcommand};

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
    #[command(flatten)]
    Manage(manage::Verb),
    #[command(flatten)]
    Leftovers(leftovers::Verb),
    #[command(flatten)]
    Look(look::Verb),
    #[command(flatten)]
    People(people::Verb),
    #[command(flatten)]
    Migrate(migrate::Verb),
    #[command(flatten)]
    Whole(whole::Verb),
}

pub(super) async fn run(command: Command, config: &Config) -> Result<()> {
    let json = command.json;
    match command.verb {
        Verb::Manage(verb) => Box::pin(manage::run(verb, &At::open(config, json).await?)).await,
        Verb::Leftovers(verb) => leftovers::run(verb, &At::open(config, json).await?).await,
        Verb::Look(verb) => Box::pin(look::run(verb, &At::open(config, json).await?)).await,
        Verb::People(verb) => Box::pin(people::run(verb, &At::open(config, json).await?)).await,
        Verb::Migrate(verb) => Box::pin(migrate::run(verb, &At::open(config, json).await?)).await,
        // These open what they need, which may be another data directory or none.
        Verb::Whole(verb) => Box::pin(whole::run(verb, config, json)).await,
    }
}

/// What every verb works on.
struct At<'a> {
    tenants: Tenants,
    config: &'a Config,
    json: bool,
}

impl<'a> At<'a> {
    async fn open(config: &'a Config, json: bool) -> Result<Self> {
        Ok(Self { tenants: crate::app::open_tenants(config).await?, config, json })
    }

    async fn record(&self, id: &str) -> Result<(TenantId, Record)> {
        let id = parse(id)?;
        let record = self.tenants.record(&id).await?;
        Ok((id, record))
    }

    /// What links to the site start with.
    fn origin(&self, record: &Record) -> Result<String> {
        let is_default = self.tenants.default_tenant().is_some_and(|id| id.as_str() == record.id);
        match self.tenants.origin(record) {
            Some(origin) => Ok(origin),
            // It answers to every name that reaches this machine.
            None if is_default => Ok(format!("http://localhost:{}", self.config.listen.port())),
            None => Err(Error::Conflict {
                code: "no_hostname",
                reason: "this tenant has no hostname that a link could start with: add one first \
                         (tenant edit ID --add-host HOST)",
            }),
        }
    }
}

fn parse(id: &str) -> Result<TenantId> {
    TenantId::parse(id).map_err(|_| {
        Error::invalid("id", "must be 1 to 16 of a-z, 0-9 and -, and not start with -")
    })
}
