//! `vitrina token`: API tokens for people of a site.

use super::{OfTenant, say};
use crate::{
    accounts::{Scope, token, users},
    base::{Result, text::Label},
    config::Config,
};
use clap::Subcommand;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Make a token and print it, this once
    Create {
        #[command(flatten)]
        of: OfTenant,
        /// Whose token it is
        #[arg(long)]
        user: String,
        /// What it is for
        #[arg(long, default_value = "command line")]
        name: String,
        /// What it may do; may be repeated. Everything that its person may, without it
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
    },
}

pub(super) async fn run(verb: Verb, config: &Config) -> Result<()> {
    let Verb::Create { of, user, name, scopes } = verb;
    let name = Label::parse("name", &name)?;
    let scopes = match scopes.as_slice() {
        [] => Scope::ALL.to_vec(),
        words => words.iter().map(|word| Scope::parse(word)).collect::<Result<_>>()?,
    };
    let tenant = of.open(config).await?;
    let user = users::find(&tenant, &user).await?;
    let (_, secret) = token::issue(&tenant, user.id, name, scopes, None).await?;
    say(secret.expose());
    Ok(())
}
