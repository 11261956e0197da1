//! Arguments and environment in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    vitrina::cli::run(std::env::args_os().collect(), std::env::vars().collect())
}
