//! Helping the people of a site: the first admin, a new password, a way in.

use super::At;
use crate::{
    accounts::{link, setup, users},
    base::{Error, Result, ids::TenantId, secret::Secret},
    cli::{
        table::{Table, answer},
        user::read_password,
    },
    tenancy::audit::By,
};
use clap::{Args, Subcommand};
use serde_json::json;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Make the first admin of a site
    Install(Install),
    /// Make a link that signs somebody in, once and for a few minutes
    LoginLink {
        id: String,
        /// Whom; the first admin, without it
        #[arg(long, value_name = "USERNAME")]
        user: Option<String>,
    },
    /// Give somebody a new password and end all their sessions
    PasswordReset {
        id: String,
        #[arg(long, value_name = "USERNAME")]
        user: String,
        /// Read the password from the first line of standard input. Without it, one is drawn by
        /// lot and printed, this once
        #[arg(long)]
        password_stdin: bool,
    },
    /// Make a new link to set the site up with; the one before is not good any more
    SetupLink { id: String },
}

#[derive(Args)]
pub(super) struct Install {
    id: String,
    /// 3 to 32 letters, digits, `_`, `-` or `.`
    #[arg(long)]
    username: String,
    #[arg(long)]
    email: String,
    /// Read the password from the first line of standard input
    #[arg(long, required = true)]
    password_stdin: bool,
    /// What the site calls itself
    #[arg(long)]
    site_name: Option<String>,
}

pub(super) async fn run(verb: Verb, at: &At<'_>) -> Result<()> {
    match verb {
        Verb::Install(install) => self::install(at, install).await,
        Verb::LoginLink { id, user } => login_link(at, &id, user.as_deref()).await,
        Verb::PasswordReset { id, user, password_stdin } => {
            reset_password(at, &id, &user, password_stdin).await
        }
        Verb::SetupLink { id } => {
            let (id, record) = at.record(&id).await?;
            let link = setup_link(at, &id, &at.origin(&record)?).await?;
            let link = link.ok_or(Error::Conflict {
                code: "already_set_up",
                reason: "this site has its admin already: make a login link instead",
            })?;
            at.tenants.note(&by(), "tenant.setup_link", Some(id.as_str()), json!({})).await?;
            let url = link.expose();
            answer(at.json, &json!({ "url": url }), || {
                Table::of_pairs([("set it up at", url.to_owned())])
            });
            Ok(())
        }
    }
}

fn by() -> By {
    By::command_line()
}

/// A new link to set the site up with, where it has no admin yet.
pub(super) async fn setup_link(at: &At<'_>, id: &TenantId, origin: &str) -> Result<Option<Secret>> {
    let secret = setup::issue_link(&*at.tenants.get(id).await?).await?;
    Ok(secret.map(|secret| Secret::new(format!("{origin}/setup?token={}", secret.expose()))))
}

async fn install(at: &At<'_>, install: Install) -> Result<()> {
    let (id, _) = at.record(&install.id).await?;
    let tenant = at.tenants.get(&id).await?;
    let password = tokio::task::spawn_blocking(read_password).await??;
    let admin =
        setup::FirstAdmin::by_operator(&tenant, &install.username, &install.email, password);
    let user = crate::site::setup::complete(&tenant, admin.await?, install.site_name).await?;
    let detail = json!({ "username": user.username });
    at.tenants.note(&by(), "tenant.install", Some(id.as_str()), detail).await?;
    let document = json!({
        "username": user.username,
        "email": user.email,
        "role": user.role.as_str(),
        "created_at": user.created_at.to_rfc3339(),
    });
    answer(at.json, &document, || super::view::pairs(&document));
    Ok(())
}

async fn login_link(at: &At<'_>, id: &str, user: Option<&str>) -> Result<()> {
    let (id, record) = at.record(id).await?;
    let origin = at.origin(&record)?;
    let link = link::issue(&*at.tenants.get(&id).await?, user).await?;
    let detail = json!({ "username": link.user.username });
    at.tenants.note(&by(), "tenant.login_link", Some(id.as_str()), detail).await?;
    let document = json!({
        "url": format!("{origin}/sign-in/link?token={}", link.secret.expose()),
        "username": link.user.username,
        "expires_at": link.expires_at.to_rfc3339(),
    });
    answer(at.json, &document, || super::view::pairs(&document));
    Ok(())
}

async fn reset_password(at: &At<'_>, id: &str, user: &str, given: bool) -> Result<()> {
    let (id, _) = at.record(id).await?;
    let tenant = at.tenants.get(&id).await?;
    let password = match given {
        true => tokio::task::spawn_blocking(read_password).await??,
        false => generated()?,
    };
    let user = users::reset_password(&tenant, user, password.clone()).await?;
    let detail = json!({ "username": user.username });
    at.tenants.note(&by(), "tenant.password_reset", Some(id.as_str()), detail).await?;
    let mut document = json!({ "username": user.username });
    if !given {
        document["password"] = json!(password.expose());
    }
    answer(at.json, &document, || super::view::pairs(&document));
    Ok(())
}

/// A password of 16 characters, over 90 bits of chance.
fn generated() -> Result<Secret> {
    let random = Secret::random("")?;
    Ok(Secret::new(random.expose().chars().skip(8).take(16).collect::<String>()))
}
