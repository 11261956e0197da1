//! The log: for people on a terminal, as JSON for everything else. It goes to standard error.

mod json;
mod lines;

use crate::config::{Config, LogFormat};
use lines::Lines;
use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, fmt};

/// Starts the log. Commands other than `serve` speak only when something is wrong. What it holds
/// back for a moment is written when the result is dropped.
///
/// # Errors
/// Says why the level cannot be used.
pub(super) fn start(config: &Config, is_server: bool) -> Result<Rest, String> {
    let level = if is_server { &*config.log_level } else { "warn" };
    let filter = EnvFilter::builder()
        .parse(level)
        .map_err(|e| format!("must be a level or a filter: {e}"))?;
    let is_human = match config.log_format {
        LogFormat::Human => true,
        LogFormat::Json => false,
        LogFormat::Auto => std::io::stderr().is_terminal(),
    };
    let log = fmt().with_env_filter(filter);
    let started = if is_human {
        let log = log.with_writer(std::io::stderr).with_target(false);
        log.with_ansi(std::io::stderr().is_terminal()).try_init()
    } else {
        let lines = Lines::start().map_err(|e| format!("cannot be served: {e}"))?;
        log.fmt_fields(json::Members).event_format(json::Line).with_writer(lines).try_init()
    };
    started.map(|()| Rest).map_err(|e| e.to_string())
}

/// The rest of the log, written when this is dropped.
pub(super) struct Rest;

impl Drop for Rest {
    fn drop(&mut self) {
        lines::write_rest();
    }
}
