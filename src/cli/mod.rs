//! The command line: what an operator does from a shell. Commands work on the data directory
//! itself, beside a running server or without one, and need nobody's leave.

mod config;
mod key;
mod logging;
mod operator_key;
mod plan;
mod site;
mod table;
mod tenant;
mod token;
mod upload;
mod user;
mod whole;
mod words;

use crate::{
    base::{Error, Result, ids::TenantId},
    config::{Config, ConfigError, Given, SETTINGS, Shown},
    http::document::Version,
    tenancy::Tenant,
};
use clap::{Arg, ArgMatches, Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::{ffi::OsString, path::PathBuf, process::ExitCode, sync::Arc};

/// The settings or the arguments are at fault, as opposed to the world.
const USAGE: u8 = 2;

/// Media hosting in one binary.
#[derive(Parser)]
#[command(version, name = "vitrina")]
struct Cli {
    #[command(subcommand)]
    command: Option<Verb>,
    /// The configuration file; `vitrina.toml` where there is one.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Settings")]
    config: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Verb {
    /// Serve (the default)
    Serve,
    /// Show the settings of the process
    #[command(subcommand)]
    Config(config::Verb),
    /// Add people
    #[command(subcommand)]
    User(user::Verb),
    /// Make API tokens
    #[command(subcommand)]
    Token(token::Verb),
    /// Read and change the settings of a site
    #[command(subcommand)]
    Site(site::Verb),
    /// Make and remove keys of the operator API
    #[command(subcommand)]
    OperatorKey(operator_key::Verb),
    /// Host sites for others: make, change, close and look after them
    Tenant(tenant::Command),
    /// Name sets of limits and features that sites are sold with
    Plan(plan::Command),
    /// Look after the key that secrets are sealed with
    #[command(subcommand)]
    Key(key::Verb),
    /// Decode pictures for a server, which starts this itself
    #[command(hide = true)]
    Worker,
    /// Become another program within limits, for a server, which starts this itself
    #[command(hide = true)]
    Confine {
        /// The limits, and the program with its arguments
        #[arg(last = true, required = true)]
        words: Vec<OsString>,
    },
    /// Upload files to a server, from wherever they are
    Upload(upload::Command),
    /// Print the API document
    Openapi {
        /// That of the operator API
        #[arg(long)]
        operator: bool,
        /// The version of OpenAPI that it is in
        #[arg(long, value_parser = ["3.0", "3.1"], default_value = "3.1")]
        version: String,
    },
}

/// Which site a command is about.
#[derive(Args)]
struct OfTenant {
    /// The site's id
    #[arg(long, default_value = "main", value_name = "ID")]
    tenant: String,
}

impl OfTenant {
    async fn open(&self, config: &Config) -> Result<Arc<Tenant>> {
        let id = TenantId::parse(&self.tenant)?;
        crate::app::open_tenants(config).await?.get(&id).await
    }
}

/// Runs the command that the arguments name.
pub fn run(args: Vec<OsString>, env: Vec<(String, String)>) -> ExitCode {
    let matches = match command().try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { USAGE } else { 0 });
        }
    };
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    if let Some(Verb::Upload(command)) = cli.command {
        return outcome(wait(upload::run(command, &env)));
    }
    let settings = match cli.command {
        // Its jobs say all that it needs to know.
        Some(Verb::Worker | Verb::Confine { .. }) => Config::load(&Given::default()),
        _ => settings(&cli, &matches, env),
    };
    match settings {
        Ok((config, shown)) => act(cli, &config, &shown),
        Err(error) => {
            complain(&error.to_string());
            ExitCode::from(USAGE)
        }
    }
}

/// The command tree, with a flag for each setting.
fn command() -> Command {
    SETTINGS.iter().filter(|s| !s.is_secret).fold(Cli::command(), |command, setting| {
        let default = match setting.default {
            "" => String::new(),
            text => format!(" [default: {text}]"),
        };
        let arg = Arg::new(setting.key)
            .long(setting.key.replace('_', "-"))
            .global(true)
            .value_name("VALUE")
            .help_heading("Settings")
            .help(format!("{}{default}", setting.doc));
        command.arg(match setting.is_switch() {
            true => arg.num_args(0..=1).require_equals(true).default_missing_value("true"),
            false => arg,
        })
    })
}

fn settings(
    cli: &Cli,
    matches: &ArgMatches,
    env: Vec<(String, String)>,
) -> Result<(Config, Vec<Shown>), ConfigError> {
    let flags = SETTINGS.iter().filter(|s| !s.is_secret).filter_map(|s| {
        let text = matches.get_one::<String>(s.key)?;
        Some((s.key.to_owned(), text.clone()))
    });
    let named = cli.config.clone().or_else(|| {
        env.iter().find(|(name, _)| name == "VITRINA_CONFIG").map(|(_, path)| path.into())
    });
    let usual = PathBuf::from("vitrina.toml");
    let path = named.or_else(|| usual.exists().then_some(usual));
    let file = path.map(|path| match std::fs::read_to_string(&path) {
        Ok(text) => Ok((path, text)),
        Err(e) => Err(ConfigError::File(format!("{}: {e}", path.display()))),
    });
    Config::load(&Given { flags: flags.collect(), env, file: file.transpose()? })
}

fn act(cli: Cli, config: &Config, shown: &[Shown]) -> ExitCode {
    let verb = cli.command.unwrap_or(Verb::Serve);
    let _log = match logging::start(config, matches!(verb, Verb::Serve)) {
        Ok(log) => log,
        Err(reason) => {
            complain(&format!("`log_level` {reason}"));
            return ExitCode::from(USAGE);
        }
    };
    let done = match verb {
        Verb::Serve => wait(crate::server::serve(config, say)),
        Verb::Config(verb) => {
            config::run(&verb, shown);
            Ok(())
        }
        Verb::User(verb) => wait(user::run(verb, config)),
        Verb::Token(verb) => wait(token::run(verb, config)),
        Verb::Site(verb) => wait(site::run(verb, config)),
        Verb::OperatorKey(verb) => wait(operator_key::run(verb, config)),
        Verb::Tenant(command) => wait(tenant::run(command, config)),
        Verb::Plan(command) => wait(plan::run(command, config)),
        Verb::Key(verb) => wait(key::run(verb, config)),
        // Done before the settings are read, which are a server's.
        Verb::Upload(_) => Ok(()),
        Verb::Worker => crate::imaging::worker::serve().map_err(Error::from),
        Verb::Confine { words } => crate::av::confine::become_other(&words).map_err(Error::from),
        Verb::Openapi { operator, version } => {
            let documents = match operator {
                true => crate::operator::documents(),
                false => crate::api::documents(),
            };
            let version = if version == "3.0" { Version::V3_0 } else { Version::V3_1 };
            say(documents.text(version).trim_end());
            Ok(())
        }
    };
    outcome(done)
}

fn outcome(done: Result<()>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.in_full());
            ExitCode::from(if matches!(error, Error::Invalid { .. }) { USAGE } else { 1 })
        }
    }
}

fn wait(work: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(work);
    // Whatever still writes to the database gets to finish; nothing may wait for ever.
    runtime.shutdown_timeout(std::time::Duration::from_secs(10));
    done
}

/// The one place that writes to standard output. A reader that went away is nobody's fault.
fn say(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn complain(message: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "error: {message}");
}
