//! Operator keys: `vk_op_` and 256 random bits, shown once, stored as a hash. What a key may do is
//! written in its scopes, from where it may come in its networks.

use super::sql;
use crate::{
    base::{Clock, Error, Result, clock::Millis, ids::PublicId, secret::Secret, text::Label},
    tenancy::{Tenants, audit::By},
};
use ipnet::IpNet;
use serde_json::json;
use std::{net::IpAddr, time::Duration};

/// What every operator key starts with.
const PREFIX: &str = "vk_op_";
/// `last_used_at` is kept to the minute, so that most requests write nothing.
const TOUCH_AFTER_MS: i64 = 60_000;
/// Wrong keys from one address, after which it has to wait. A right one is taken all the same:
/// nobody guesses 256 bits, and nobody may lock the operator out by trying.
const WRONG_KEYS: u64 = 50;
const WINDOW: Duration = Duration::from_secs(15 * 60);

macro_rules! scopes {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        /// One thing that an operator key may do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Scope {
            $($(#[$doc])* $name,)*
        }

        impl Scope {
            pub const ALL: &[Self] = &[$(Self::$name),*];

            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

scopes! {
    /// Looks at tenants, plans and figures.
    TenantsRead = "tenants:read";
    /// Makes, changes, closes and removes tenants.
    TenantsWrite = "tenants:write";
    /// Makes, changes and removes plans.
    PlansWrite = "plans:write";
    /// Lets people in: password resets, login links, setup links.
    Support = "support";
    /// Makes and removes operator keys.
    Keys = "keys";
    /// Reads the trail of what operators did.
    AuditRead = "audit:read";
}

impl Scope {
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|scope| scope.as_str() == word)
    }

    /// # Errors
    /// `Invalid` for a word that names no scope.
    pub fn parse(word: &str) -> Result<Self> {
        Self::find(word).ok_or_else(|| {
            let all: Vec<_> = Self::ALL.iter().map(|s| s.as_str()).collect();
            Error::invalid("scopes", format!("must be among {}", all.join(", ")))
        })
    }
}

/// An operator key as it is kept: everything but the secret.
#[derive(Debug, Clone)]
pub struct Key {
    pub id: PublicId,
    /// For people, unique: it stands in the audit trail.
    pub name: String,
    pub scopes: Vec<Scope>,
    /// From where it is taken; none means from everywhere.
    pub networks: Vec<IpNet>,
    pub created_at: Millis,
    /// To the minute.
    pub last_used_at: Option<Millis>,
    pub expires_at: Option<Millis>,
}

impl Key {
    /// # Errors
    /// `MissingScope` where the key was not made for this.
    pub fn need(&self, scope: Scope) -> Result<()> {
        match self.scopes.contains(&scope) {
            true => Ok(()),
            false => Err(Error::MissingScope(scope.as_str())),
        }
    }

    fn is_over(&self) -> bool {
        self.expires_at.is_some_and(|at| at <= Clock::now())
    }

    fn is_taken_from(&self, address: Option<IpAddr>) -> bool {
        let is_inside = |address: IpAddr| self.networks.iter().any(|net| net.contains(&address));
        self.networks.is_empty() || address.is_some_and(is_inside)
    }
}

/// A key to be made.
#[derive(Debug, Clone, Default)]
pub struct NewKey {
    pub name: String,
    pub scopes: Vec<Scope>,
    /// In CIDR notation; a single address stands for itself.
    pub networks: Vec<String>,
    pub expires_at: Option<Millis>,
}

fn network(text: &str) -> Result<IpNet> {
    let text = text.trim();
    let network = text.parse().or_else(|_| text.parse().map(|ip: IpAddr| ip.into()));
    network.map_err(|_| {
        let text: String = text.chars().take(64).collect();
        Error::invalid("networks", format!("has `{text}`, which is no network like 10.0.0.0/8"))
    })
}

/// Makes a key. The secret is told this once.
///
/// # Errors
/// `Conflict` with code `key_exists`; `Invalid` for what cannot be.
pub async fn create(tenants: &Tenants, by: &By, new: NewKey) -> Result<(Key, Secret)> {
    let name = Label::parse("name", &new.name)?.as_str().to_owned();
    if new.scopes.is_empty() {
        return Err(Error::invalid("scopes", "must have at least one scope"));
    }
    if new.expires_at.is_some_and(|at| at <= Clock::now()) {
        return Err(Error::invalid("expires_at", "must be in the future"));
    }
    let scopes = Scope::ALL.iter().copied().filter(|scope| new.scopes.contains(scope)).collect();
    let networks = new.networks.iter().map(|text| network(text)).collect::<Result<_>>()?;
    let secret = Secret::random(PREFIX)?;
    let key = Key {
        id: PublicId::random()?,
        name,
        scopes,
        networks,
        created_at: Clock::now(),
        last_used_at: None,
        expires_at: new.expires_at,
    };
    let (hash, kept) = (secret.hash(), key.clone());
    tenants.control().write(move |db| sql::insert(db, &kept, &hash)).await?;
    let scopes: Vec<_> = key.scopes.iter().map(|s| s.as_str()).collect();
    let detail = json!({ "id": key.id.as_str(), "name": key.name, "scopes": scopes });
    tenants.note(by, "key.create", None, detail).await?;
    Ok((key, secret))
}

/// Every key, the newest first.
pub async fn list(tenants: &Tenants) -> Result<Vec<Key>> {
    tenants.control().read(sql::list).await
}

/// # Errors
/// `NotFound` where there is none of this id.
pub async fn delete(tenants: &Tenants, by: &By, id: &str) -> Result<()> {
    let id = PublicId::parse(id).ok_or(Error::NotFound("key"))?;
    let gone = tenants.control().write(move |db| {
        let key = sql::by_id(db, &id)?.ok_or(Error::NotFound("key"))?;
        sql::delete(db, &id)?;
        Ok(key)
    });
    let key = gone.await?;
    let detail = json!({ "id": key.id.as_str(), "name": key.name });
    tenants.note(by, "key.delete", None, detail).await
}

/// The key behind a secret that somebody shows.
///
/// # Errors
/// `Unauthenticated` for a secret that is none of ours, or over; `Forbidden` from a network that
/// the key is not for; `TooMany` after too many wrong ones.
pub async fn present(tenants: &Tenants, secret: &Secret, from: Option<IpAddr>) -> Result<Key> {
    let hash = secret.hash();
    let known = match secret.expose().starts_with(PREFIX) {
        true => tenants.control().read(move |db| sql::by_hash(db, &hash)).await?,
        false => None,
    };
    let Some(key) = known else {
        let address = from.map(|a| a.to_string()).unwrap_or_default();
        if tenants.count(&format!("keys/{address}"), 1, WINDOW).await > WRONG_KEYS {
            return Err(Error::TooMany { retry_after_s: WINDOW.as_secs() });
        }
        return Err(Error::Unauthenticated);
    };
    if key.is_over() {
        return Err(Error::Unauthenticated);
    }
    if !key.is_taken_from(from) {
        return Err(Error::Forbidden("this key is not taken from your network"));
    }
    if key.last_used_at.is_none_or(|at| at.plus_ms(TOUCH_AFTER_MS) < Clock::now()) {
        let id = key.id.clone();
        tenants.control().write(move |db| sql::touch(db, &id)).await?;
    }
    Ok(key)
}
