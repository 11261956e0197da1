//! How often a password may be guessed.

use crate::base::{Error, Result};
use mini_moka::sync::Cache;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

/// Wrong guesses at one account from one address, and at all accounts from one address.
const PER_ACCOUNT: u32 = 10;
const PER_ADDRESS: u32 = 50;
const WINDOW: Duration = Duration::from_secs(15 * 60);
/// Enough for an attack from a large network, and some ten megabytes at most.
const REMEMBERED: u64 = 50_000;

/// Remembers wrong guesses, for all sites of the appliance.
pub struct Guesses(Cache<String, Arc<AtomicU32>>);

impl Default for Guesses {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(REMEMBERED).time_to_live(WINDOW).build())
    }
}

/// Who guesses, at what.
pub struct Guess {
    account: String,
    address: String,
}

impl Guess {
    pub fn new(tenant: &str, login: &str, address: Option<&str>) -> Self {
        let address = format!("{tenant}\n{}", address.unwrap_or_default());
        let login: String = login.chars().take(254).collect();
        Self { account: format!("{address}\n{login}"), address }
    }
}

impl Guesses {
    /// # Errors
    /// `TooMany` after too many wrong guesses.
    pub fn check(&self, guess: &Guess) -> Result<()> {
        let count = |key: &String| self.0.get(key).map_or(0, |n| n.load(Ordering::Relaxed));
        if count(&guess.account) >= PER_ACCOUNT || count(&guess.address) >= PER_ADDRESS {
            return Err(Error::TooMany { retry_after_s: WINDOW.as_secs() });
        }
        Ok(())
    }

    pub fn was_wrong(&self, guess: &Guess) {
        for key in [&guess.account, &guess.address] {
            match self.0.get(key) {
                Some(count) => {
                    count.fetch_add(1, Ordering::Relaxed);
                }
                None => self.0.insert(key.clone(), Arc::new(AtomicU32::new(1))),
            }
        }
    }

    /// Whoever knows the password has guessed enough.
    pub fn was_right(&self, guess: &Guess) {
        self.0.invalidate(&guess.account);
    }
}
