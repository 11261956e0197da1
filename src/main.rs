//! Arguments and environment in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    // A variable that is no text is none of ours, or is refused by the check of its value.
    let text = |part: std::ffi::OsString| part.to_string_lossy().into_owned();
    let env = std::env::vars_os().map(|(name, value)| (text(name), text(value)));
    vitrina::cli::run(std::env::args_os().collect(), env.collect())
}
