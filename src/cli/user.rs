//! `vitrina user`: people of a site.

use super::{OfTenant, say};
use crate::{
    accounts::{Role, users},
    base::{Error, Result, secret::Secret},
    config::Config,
};
use clap::Subcommand;
use std::io::BufRead;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Add a person; the first admin closes the setup
    Create {
        #[command(flatten)]
        of: OfTenant,
        /// 3 to 32 letters, digits, `_`, `-` or `.`
        #[arg(long)]
        username: String,
        #[arg(long)]
        email: String,
        /// user, manager or admin
        #[arg(long, default_value = "user")]
        role: String,
        /// Read the password from the first line of standard input
        #[arg(long, required = true)]
        password_stdin: bool,
    },
}

pub(super) async fn run(verb: Verb, config: &Config) -> Result<()> {
    let Verb::Create { of, username, email, role, password_stdin: _ } = verb;
    let role = Role::parse(&role)?;
    let tenant = of.open(config).await?;
    let password = tokio::task::spawn_blocking(read_password).await??;
    let new = users::NewUser::parse(&username, &email, password, role).await?;
    let user = users::create(&tenant, new).await?;
    say(&format!("{} ({}) was added to {}", user.username, user.role.as_str(), tenant.id));
    Ok(())
}

pub(super) fn read_password() -> Result<Secret> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    let password = line.trim_end_matches(['\n', '\r']);
    if password.is_empty() {
        return Err(Error::invalid("password", "is missing on standard input"));
    }
    Ok(Secret::new(password))
}
