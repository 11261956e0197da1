//! Making sites, changing them, closing them and removing them.

use super::{At, parse, people, view};
use crate::{
    base::{Error, Result},
    cli::{
        table::{Table, answer},
        words::{Overriding, Trial},
    },
    tenancy::{HostChanges, Record, audit::By, lifecycle::TenantEdit, provision::NewTenant},
    worker,
};
use clap::{Args, Subcommand};
use serde_json::{Map, json};
use std::io::{BufRead, IsTerminal, Write};

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Make a site
    Create(Create),
    /// Change a site: everything that is asked for, or nothing
    Edit(Edit),
    /// Close a site to its visitors; nothing is lost
    Suspend {
        id: String,
        /// What its visitors read
        #[arg(long)]
        reason: String,
    },
    /// Open a site again, also one that is being deleted
    Resume { id: String },
    /// Close a site, and remove it for good when its time of grace is over
    Delete {
        id: String,
        /// Remove it now, with all that it holds
        #[arg(long)]
        now: bool,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Args)]
pub(super) struct Create {
    /// 1 to 16 of a-z, 0-9 and -
    id: String,
    /// A hostname; links start with the first one. May be repeated
    #[arg(long = "host", value_name = "HOST")]
    hosts: Vec<String>,
    /// What people call it
    #[arg(long)]
    name: Option<String>,
    #[arg(long, value_name = "ID")]
    plan: Option<String>,
    #[command(flatten)]
    overriding: Overriding,
    #[command(flatten)]
    trial: Trial,
    /// Closed from the beginning, for this reason
    #[arg(long, value_name = "REASON")]
    suspended: Option<String>,
}

#[derive(Args)]
pub(super) struct Edit {
    id: String,
    #[arg(long)]
    name: Option<String>,
    #[arg(long, value_name = "ID", conflicts_with = "no_plan")]
    plan: Option<String>,
    /// Take the plan away
    #[arg(long)]
    no_plan: bool,
    #[command(flatten)]
    overriding: Overriding,
    /// May be repeated
    #[arg(long = "add-host", value_name = "HOST")]
    add_hosts: Vec<String>,
    /// May be repeated
    #[arg(long = "remove-host", value_name = "HOST")]
    remove_hosts: Vec<String>,
    /// The hostname that links start with
    #[arg(long, value_name = "HOST")]
    canonical_host: Option<String>,
    #[command(flatten)]
    trial: Trial,
    /// End the trial
    #[arg(long, conflicts_with_all = ["trial_until", "trial_limits", "trial_features"])]
    no_trial: bool,
}

pub(super) async fn run(verb: Verb, at: &At<'_>) -> Result<()> {
    let by = By::command_line();
    match verb {
        Verb::Create(create) => self::create(create, at).await,
        Verb::Edit(edit) => {
            let id = parse(&edit.id)?;
            let edited = at.tenants.edit(&by, &id, edit.parse()?).await?;
            show(at, edited).await
        }
        Verb::Suspend { id, reason } => {
            show(at, at.tenants.suspend(&by, &parse(&id)?, &reason).await?).await
        }
        Verb::Resume { id } => show(at, at.tenants.resume(&by, &parse(&id)?).await?).await,
        Verb::Delete { id, now, yes } => {
            let (id, _) = at.record(&id).await?;
            if !yes {
                let name = id.to_string();
                tokio::task::spawn_blocking(move || confirm(&name)).await??;
            }
            if !now {
                return show(at, at.tenants.delete(&by, &id).await?).await;
            }
            at.tenants.purge(&by, &id).await?;
            worker::clear_due(&at.tenants).await?;
            let deleted = || Table::of_pairs([("deleted", id.to_string())]);
            answer(at.json, &json!({ "deleted": id.as_str() }), deleted);
            Ok(())
        }
    }
}

async fn create(create: Create, at: &At<'_>) -> Result<()> {
    let is_open = create.suspended.is_none();
    let new = NewTenant {
        limits: create.overriding.limits()?,
        features: create.overriding.features()?,
        trial: create.trial.spec()?,
        id: create.id,
        name: create.name,
        hostnames: create.hosts,
        plan: create.plan,
        suspended: create.suspended,
        extra: Map::new(),
    };
    let record = at.tenants.create(&By::command_line(), new).await?;
    let link = match at.origin(&record) {
        Ok(origin) if is_open => people::setup_link(at, &record.tenant_id()?, &origin).await?,
        // Nobody could follow it.
        _ => None,
    };
    let mut document = view::tenant(at, &record).await?;
    if let Some(link) = &link {
        document["setup_url"] = json!(link.expose());
    }
    answer(at.json, &document, || {
        let url = at.origin(&record).unwrap_or_default();
        let mut pairs = vec![("id", record.id.clone()), ("url", url)];
        if let Some(link) = &link {
            pairs.push(("set it up at", link.expose().to_owned()));
        }
        Table::of_pairs(pairs)
    });
    Ok(())
}

impl Edit {
    fn parse(self) -> Result<TenantEdit> {
        let trial = if self.no_trial { Some(None) } else { self.trial.spec()?.map(Some) };
        let plan = if self.no_plan { Some(None) } else { self.plan.map(Some) };
        let hosts = HostChanges {
            add: self.add_hosts,
            canonical: self.canonical_host,
            remove: self.remove_hosts,
        };
        let names_hosts =
            !hosts.add.is_empty() || !hosts.remove.is_empty() || hosts.canonical.is_some();
        if self.name.is_none()
            && plan.is_none()
            && trial.is_none()
            && self.overriding.is_empty()
            && !names_hosts
        {
            return Err(Error::invalid("changes", "are missing: see `vitrina tenant edit --help`"));
        }
        Ok(TenantEdit {
            name: self.name,
            plan,
            limits: self.overriding.limits()?,
            features: self.overriding.features()?,
            trial,
            hosts,
        })
    }
}

/// Shows a site as it is after a change.
async fn show(at: &At<'_>, record: Record) -> Result<()> {
    let document = view::tenant(at, &record).await?;
    answer(at.json, &document, || view::table(&document));
    Ok(())
}

/// Has the id typed again by a person; nobody else can be asked.
fn confirm(id: &str) -> Result<()> {
    let unsure = |reason| Err(Error::invalid("yes", reason));
    if !std::io::stdin().is_terminal() {
        return unsure("must be given (--yes) where nobody can be asked");
    }
    let mut stderr = std::io::stderr();
    let _ = write!(stderr, "Type the id of the tenant to delete it: ");
    let _ = stderr.flush();
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    match line.trim() == id {
        true => Ok(()),
        false => unsure("is missing: what was typed is another id, and nothing was deleted"),
    }
}
