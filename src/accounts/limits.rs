//! How often a password may be guessed: counted per site, and by all processes together where
//! they share a Redis.

use crate::{
    base::{Error, Result},
    tenancy::Tenant,
};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// Wrong guesses at one account from one address, and at all accounts from one address.
const PER_ACCOUNT: u64 = 10;
const PER_ADDRESS: u64 = 50;
const WINDOW: Duration = Duration::from_secs(15 * 60);

/// Who guesses, at what.
pub struct Guess {
    account: String,
    address: String,
}

impl Guess {
    pub fn new(login: &str, address: Option<&str>) -> Self {
        let address = address.unwrap_or_default();
        // A hash keeps the key short, and what people type out of places that others can read.
        let account = Sha256::digest(format!("{address}\n{login}").as_bytes());
        Self {
            account: format!("guesses/account/{}", bs58::encode(account).into_string()),
            address: format!("guesses/address/{address}"),
        }
    }

    /// # Errors
    /// `TooMany` after too many wrong guesses.
    pub async fn check(&self, tenant: &Tenant) -> Result<()> {
        if tenant.counted(&self.account).await >= PER_ACCOUNT
            || tenant.counted(&self.address).await >= PER_ADDRESS
        {
            return Err(Error::TooMany { retry_after_s: WINDOW.as_secs() });
        }
        Ok(())
    }

    pub async fn was_wrong(&self, tenant: &Tenant) {
        for key in [&self.account, &self.address] {
            tenant.count(key, 1, WINDOW).await;
        }
    }

    /// Whoever knows the password has guessed enough.
    pub async fn was_right(&self, tenant: &Tenant) {
        tenant.forget_count(&self.account).await;
    }
}
