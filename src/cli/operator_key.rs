//! `vitrina operator-key`: the keys of the operator API.

use super::say;
use crate::{
    base::{Clock, Error, Result},
    config::Config,
    operator::keys::{self, NewKey, Scope},
    tenancy::audit::By,
};
use clap::Subcommand;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Make a key and print it, this once
    Create {
        /// What it is for; it stands in the audit trail
        #[arg(long)]
        name: String,
        /// What it may do; may be repeated. Everything, without it
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
        /// From where it is taken, as in 10.0.0.0/8; may be repeated. From everywhere, without it
        #[arg(long = "network", value_name = "CIDR")]
        networks: Vec<String>,
        /// How long it is good for, as in 30d, 12h or 45m. For ever, without it
        #[arg(long, value_name = "TIME")]
        expires_in: Option<String>,
    },
    /// List the keys
    List {
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// Make a key good for nothing
    Delete {
        /// As `list` shows it
        id: String,
    },
}

pub(super) async fn run(verb: Verb, config: &Config) -> Result<()> {
    let tenants = crate::app::open_tenants(config).await?;
    let by = By::command_line();
    match verb {
        Verb::Create { name, scopes, networks, expires_in } => {
            let scopes = match scopes.as_slice() {
                [] => Scope::ALL.to_vec(),
                words => words.iter().map(|word| Scope::parse(word)).collect::<Result<_>>()?,
            };
            let lasts_ms = expires_in.as_deref().map(duration_ms).transpose()?;
            let expires_at = lasts_ms.map(|ms| Clock::now().plus_ms(ms));
            let new = NewKey { name, scopes, networks, expires_at };
            let (_, secret) = keys::create(&tenants, &by, new).await?;
            say(secret.expose());
        }
        Verb::List { json } => {
            let keys = keys::list(&tenants).await?;
            if json {
                say(&serde_json::Value::from_iter(keys.iter().map(as_json)).to_string());
            } else {
                keys.iter().for_each(|key| say(&line(key)));
            }
        }
        Verb::Delete { id } => {
            keys::delete(&tenants, &by, &id).await?;
            say(&format!("the key {id} is good for nothing any more"));
        }
    }
    Ok(())
}

fn as_json(key: &keys::Key) -> serde_json::Value {
    serde_json::json!({
        "id": key.id.as_str(),
        "name": key.name,
        "scopes": key.scopes.iter().map(|s| s.as_str()).collect::<Vec<_>>(),
        "networks": key.networks.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "created_at": key.created_at.to_rfc3339(),
        "last_used_at": key.last_used_at.map(|at| at.to_rfc3339()),
        "expires_at": key.expires_at.map(|at| at.to_rfc3339()),
    })
}

fn line(key: &keys::Key) -> String {
    let scopes: Vec<_> = key.scopes.iter().map(|s| s.as_str()).collect();
    let networks: Vec<_> = key.networks.iter().map(ToString::to_string).collect();
    let networks = if networks.is_empty() { "everywhere".to_owned() } else { networks.join(",") };
    let used = key.last_used_at.map_or_else(|| "never".to_owned(), |at| at.to_rfc3339());
    let ends = key.expires_at.map_or_else(|| "never".to_owned(), |at| at.to_rfc3339());
    let (id, name) = (&key.id, &key.name);
    format!("{id}  {name}  {}  from {networks}  used {used}  expires {ends}", scopes.join(","))
}

/// A number of days, hours or minutes, in milliseconds.
fn duration_ms(text: &str) -> Result<i64> {
    let units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000)];
    let read = |(unit, ms): &(&str, i64)| {
        let number: i64 = text.trim().strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(*ms).filter(|ms| *ms > 0)
    };
    let found = units.iter().find_map(read);
    found.ok_or_else(|| Error::invalid("expires_in", "must be a time like 30d, 12h or 45m"))
}

#[cfg(test)]
mod tests {
    use super::duration_ms;

    #[test]
    fn times_have_a_number_and_a_unit() {
        assert_eq!(duration_ms("30d").unwrap(), 30 * 86_400_000);
        assert_eq!(duration_ms("45m").unwrap(), 45 * 60_000);
        for text in ["", "d", "30", "0d", "-1h", "1.5h", "30w", "9223372036854775807d"] {
            assert!(duration_ms(text).is_err(), "{text}");
        }
    }
}
