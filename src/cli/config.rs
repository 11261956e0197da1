//! `vitrina config`: what the process would run with.

use super::say;
use crate::config::{Shown, example};
use clap::Subcommand;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Show every setting, its value and where that came from
    Show,
    /// Print a configuration file with every setting at its default
    Example,
}

pub(super) fn run(verb: &Verb, shown: &[Shown]) {
    match verb {
        Verb::Example => say(example().trim_end()),
        Verb::Show => {
            let width = |f: fn(&Shown) -> &str| {
                shown.iter().map(|s| f(s).chars().count()).max().unwrap_or_default()
            };
            let (keys, values) = (width(|s| s.key), width(|s| &s.value));
            for Shown { key, value, origin } in shown {
                say(&format!("{key:keys$}  {value:values$}  ({origin})"));
            }
        }
    }
}
