//! `vitrina tenant backup` and its kin: whole sites, saved and moved, beside a running server or
//! without one.

use super::say;
use crate::{
    app,
    base::{
        Error, Result,
        ids::TenantId,
        secret::{Key, Secret},
    },
    config::Config,
    tenancy::{Tenants, audit::By, carry},
    transfer::{Listener, Progress, backup, clone, export, relocate, restore},
    worker,
};
use clap::Subcommand;
use serde::Serialize;
use std::{
    io::{IsTerminal, Read, Write},
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Save a site to one file, while it serves on
    Backup {
        id: String,
        /// The file to write
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        /// Replace the file where there is one
        #[arg(long)]
        overwrite: bool,
    },
    /// Make a site from a backup
    Restore {
        /// The id of the site to be made
        id: String,
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
        /// Its hostname, in place of those in the backup; may be repeated, the first is canonical
        #[arg(long = "host", value_name = "HOST")]
        hosts: Vec<String>,
        /// Read the secret key of the appliance that took the backup from standard input
        #[arg(long)]
        source_key_stdin: bool,
    },
    /// Check every byte of a backup
    Verify {
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
    },
    /// Double a site, while it serves on
    Clone {
        id: String,
        /// The id of the site to be made
        new_id: String,
        /// Its hostname; may be repeated, the first is canonical
        #[arg(long = "host", value_name = "HOST", required = true)]
        hosts: Vec<String>,
    },
    /// Write a site out in an open form: JSON, SQLite and originals
    Export {
        id: String,
        /// A folder to make, or a file whose name ends in .tar
        #[arg(long, value_name = "PATH")]
        to: PathBuf,
    },
    /// Move a site to another data directory; asked for again, goes on where it was cut short
    Move {
        id: String,
        /// The other data directory; it is made where it is missing
        #[arg(long, value_name = "DIR")]
        to_data: PathBuf,
        /// Read the other directory's secret key from standard input
        #[arg(long)]
        to_secret_key_stdin: bool,
    },
}

/// How a report is printed.
struct Answer {
    json: bool,
}

impl Answer {
    fn give(&self, report: &impl Serialize, lines: &[String]) -> Result<()> {
        match self.json {
            true => say(&serde_json::to_string_pretty(report)?),
            false => lines.iter().for_each(|line| say(line)),
        }
        Ok(())
    }
}

pub(super) async fn run(verb: Verb, config: &Config, json: bool) -> Result<()> {
    let (listener, answer) = (listener(), Answer { json });
    match verb {
        Verb::Backup { id, to, overwrite } => {
            let (id, tenants) = (TenantId::parse(&id)?, open(config).await?);
            let by = By::command_line();
            let r = backup::backup(&tenants, &by, &id, &to, overwrite, &listener).await?;
            let (path, bytes) = (r.path.display(), in_units(r.bytes));
            let done = format!("{id} was saved to {path}: {} files, {bytes}", r.files);
            answer.give(&r, &[done, format!("sha256 {}", r.sha256)])
        }
        Verb::Restore { id, from, hosts: hostnames, source_key_stdin } => {
            let source_key = read_key(source_key_stdin).await?;
            let order = restore::Order { id, hostnames, source_key };
            let (by, tenants) = (By::command_line(), open(config).await?);
            let r = restore::restore(&tenants, &by, &from, order, &listener).await?;
            let bytes = in_units(r.bytes);
            let done = format!("{} was made from {}: {} files, {bytes}", r.id, r.from, r.files);
            let mut lines = vec![done, format!("hostnames: {}", listed(&r.hostnames))];
            lines.extend(r.notes());
            answer.give(&r, &lines)
        }
        Verb::Verify { from } => {
            let v = backup::verify(&from, &listener).await?;
            let (id, at, bytes) = (&v.manifest.id, &v.manifest.taken_at, in_units(v.bytes));
            let done = format!("a sound backup of {id}, taken at {at}: {} files, {bytes}", v.files);
            answer.give(&v, &[done, format!("sha256 {}", v.sha256)])
        }
        Verb::Clone { id, new_id, hosts } => {
            let (id, tenants) = (TenantId::parse(&id)?, open(config).await?);
            let by = By::command_line();
            let r = clone::clone(&tenants, &by, &id, &new_id, hosts, &listener).await?;
            let bytes = in_units(r.bytes);
            let done = format!("{} was made from {id}: {} files, {bytes}", r.id, r.files);
            answer.give(&r, &[done, format!("hostnames: {}", listed(&r.hostnames))])
        }
        Verb::Export { id, to } => {
            let (id, tenants) = (TenantId::parse(&id)?, open(config).await?);
            let r = export::export(&tenants, &By::command_line(), &id, &to, &listener).await?;
            let (path, bytes) = (r.path.display(), in_units(r.bytes));
            answer.give(&r, &[format!("{id} was exported to {path}: {} items, {bytes}", r.media)])
        }
        Verb::Move { id, to_data, to_secret_key_stdin } => {
            let id = TenantId::parse(&id)?;
            let key = read_key(to_secret_key_stdin).await?;
            let from = open(config).await?;
            let to = open(&elsewhere(config, to_data, key)).await?;
            let r = relocate::relocate(&from, &to, &By::command_line(), &id, &listener).await?;
            // What it had in storages elsewhere came along.
            worker::clear_due(&from).await?;
            let mut lines = vec![format!("{id} was moved to {}", r.to.display())];
            if r.was_begun {
                lines.push("it was there already: an earlier move had copied it".to_owned());
            }
            if r.plan_copied {
                lines.push("its plan was copied as well".to_owned());
            }
            answer.give(&r, &lines)
        }
    }
}

/// Opens the data directory, and makes no first site where there is none: that may be the one to
/// be restored, or have been moved away.
async fn open(config: &Config) -> Result<Tenants> {
    app::open_tenants(&Config { default_tenant: String::new(), ..config.clone() }).await
}

/// The settings for another data directory, which has its own key.
fn elsewhere(config: &Config, data: PathBuf, key: Option<Key>) -> Config {
    let hex = |key: Key| key.bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let secret_key = key.map(|key| Secret::new(hex(key)));
    Config { data, secret_key, default_tenant: String::new(), redis_url: None, ..config.clone() }
}

async fn read_key(is_given: bool) -> Result<Option<Key>> {
    if !is_given {
        return Ok(None);
    }
    let read = tokio::task::spawn_blocking(|| {
        let mut bytes = Vec::new();
        std::io::stdin().lock().take(4096).read_to_end(&mut bytes)?;
        Ok::<_, Error>(bytes)
    });
    carry::appliance_key(&read.await??).map(Some)
}

/// Shows on standard error how far it has come, and ends it cleanly on Ctrl-C.
fn listener() -> Listener {
    let stopped = Arc::new(AtomicBool::new(false));
    let stop = stopped.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stop.store(true, Ordering::Relaxed);
        }
    });
    let is_terminal = std::io::stderr().is_terminal();
    let told = Mutex::new(Instant::now());
    Listener::new(move |progress| {
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        if is_terminal || told.elapsed() >= Duration::from_secs(1) {
            *told = Instant::now();
            show(&progress, is_terminal);
        }
        !stopped.load(Ordering::Relaxed)
    })
}

fn show(progress: &Progress, is_terminal: bool) {
    let Progress { step, files, bytes, of_bytes } = *progress;
    let of = match of_bytes {
        Some(all) => format!(" of about {}", in_units(all)),
        None => String::new(),
    };
    let line = format!("{step}: {files} files, {}{of}", in_units(bytes));
    let mut out = std::io::stderr();
    // A terminal shows one line that changes, cleared before anything else is written.
    let _ = match is_terminal {
        true => write!(out, "\r\x1b[K{line}\r").and_then(|()| out.flush()),
        false => writeln!(out, "{line}"),
    };
}

fn in_units(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
