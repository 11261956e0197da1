//! Passwords: argon2id (RFC 9106) and what makes a password acceptable.

use crate::base::{Error, Result, secret::Secret};
use argon2::{Argon2, PasswordHasher, PasswordVerifier, password_hash::phc::PasswordHash};
use std::sync::LazyLock;
use tokio::sync::Semaphore;

const SHORTEST: usize = 8;
const LONGEST: usize = 256;

/// Each hash takes 19 MiB and a core for some 20 ms, so that a flood of sign-ins must queue.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// A hash to compare with where there is no account, so that both answers take the same time.
static NOBODY: LazyLock<Option<String>> = LazyLock::new(|| hash_now("nobody has this").ok());

/// # Errors
/// `Invalid` where the password is too short or too long.
pub fn check(password: &Secret) -> Result<()> {
    match password.expose().chars().count() {
        n if n < SHORTEST => {
            Err(Error::invalid("password", format!("must have at least {SHORTEST} characters")))
        }
        n if n > LONGEST => {
            Err(Error::invalid("password", format!("may have {LONGEST} characters at most")))
        }
        _ => Ok(()),
    }
}

/// The hash to store, in PHC string format, of a password that passed [`check`].
pub async fn hash(password: Secret) -> Result<String> {
    let _turn = AT_ONCE.acquire().await?;
    tokio::task::spawn_blocking(move || hash_now(password.expose())).await?
}

/// Whether the password is the one behind the hash. `None` stands for an account that does not
/// exist: the answer is no, and takes as long.
pub async fn verify(password: Secret, hash: Option<String>) -> Result<bool> {
    let _turn = AT_ONCE.acquire().await?;
    tokio::task::spawn_blocking(move || {
        let known = hash.is_some();
        let Some(hash) = hash.or_else(|| NOBODY.clone()) else { return Ok(false) };
        let parsed = PasswordHash::new(&hash).map_err(|e| Error::internal(e.to_string()))?;
        let right = Argon2::default().verify_password(password.expose().as_bytes(), &parsed);
        Ok(right.is_ok() && known)
    })
    .await?
}

fn hash_now(password: &str) -> Result<String> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|h| h.to_string()).map_err(|e| Error::internal(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_is_right() {
        let stored = hash(Secret::new("correct horse")).await.unwrap();
        assert!(stored.starts_with("$argon2id$"));
        assert!(verify(Secret::new("correct horse"), Some(stored.clone())).await.unwrap());
        assert!(!verify(Secret::new("wrong horse"), Some(stored)).await.unwrap());
        assert!(!verify(Secret::new("nobody has this"), None).await.unwrap());
    }

    #[test]
    fn short_and_endless_passwords_are_refused() {
        assert!(check(&Secret::new("1234567")).is_err());
        assert!(check(&Secret::new("ünïcödé!")).is_ok());
        assert!(check(&Secret::new("x".repeat(257))).is_err());
    }
}
