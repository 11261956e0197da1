//! The log: for people on a terminal, as JSON for everything else. It goes to standard error.

use crate::config::{Config, LogFormat};
use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, fmt};

/// Starts the log. Commands other than `serve` speak only when something is wrong.
///
/// # Errors
/// Says why the level cannot be used.
pub(super) fn start(config: &Config, is_server: bool) -> Result<(), String> {
    let level = if is_server { &*config.log_level } else { "warn" };
    let filter = EnvFilter::builder()
        .parse(level)
        .map_err(|e| format!("must be a level or a filter: {e}"))?;
    let is_human = match config.log_format {
        LogFormat::Human => true,
        LogFormat::Json => false,
        LogFormat::Auto => std::io::stderr().is_terminal(),
    };
    let log = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let started = if is_human {
        log.with_ansi(std::io::stderr().is_terminal()).try_init()
    } else {
        log.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
    };
    started.map_err(|e| e.to_string())
}
