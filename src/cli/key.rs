//! `vitrina key`: the key of the appliance, which all sealed secrets depend on.

use super::table::{Table, answer};
use crate::{
    base::{
        Error, Result,
        secret::{Key, Secret},
    },
    config::Config,
    tenancy::{DataDir, parse_key, rotate_key},
};
use clap::Subcommand;
use serde_json::json;
use std::io::BufRead;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Seal every secret anew under another key; the server must be stopped
    Rotate {
        /// Read the new key from the first line of standard input: 64 hexadecimal digits. Without
        /// it, a key is drawn by lot
        #[arg(long)]
        new_key_stdin: bool,
        /// Print one JSON document, for programs
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(verb: Verb, config: &Config) -> Result<()> {
    let Verb::Rotate { new_key_stdin, json } = verb;
    let is_setting = config.secret_key.is_some();
    if is_setting && !new_key_stdin {
        return Err(Error::invalid(
            "new_key",
            "must come on standard input, with --new-key-stdin: the present key is a setting \
             (`secret_key`), which this command cannot change",
        ));
    }
    let config = config.clone();
    let rotated = tokio::task::spawn_blocking(move || {
        let new = if new_key_stdin { read_key()? } else { Key::random()? };
        let data = DataDir::open(&config.data, config.secret_key.as_ref())?;
        let lock = data.lock()?;
        Ok::<_, Error>((rotate_key(data.clone(), &lock, &new)?, data.key_file()))
    });
    let (sealed, file) = rotated.await??;
    let (place, next) = match is_setting {
        true => ("setting", "set `secret_key` to the new key before the next start".to_owned()),
        false => ("file", format!("keep a copy of {} with your backups", file.display())),
    };
    answer(json, &json!({ "tenants": sealed, "key": place, "next": next }), || {
        Table::of_pairs([
            ("tenants sealed anew", sealed.to_string()),
            ("what to do now", next.clone()),
        ])
    });
    Ok(())
}

fn read_key() -> Result<Key> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    parse_key(&Secret::new(line)).map_err(|error| match error {
        Error::Invalid { reason, .. } => Error::Invalid { field: "new_key", reason },
        other => other,
    })
}
