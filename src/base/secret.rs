//! Secrets: made from the system's randomness, kept as hashes, compared in constant time, and
//! never shown by accident.

use super::{Error, Result};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;

/// A value that never reaches a log: its `Debug` is a row of dots, and it has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A fresh secret of 256 random bits, as base-58 text behind `prefix`.
    ///
    /// # Errors
    /// `Internal` where the system has no randomness to give.
    pub fn random(prefix: &str) -> Result<Self> {
        Ok(Self(format!("{prefix}{}", bs58::encode(random_bytes::<32>()?).into_string())))
    }

    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored in place of the secret. SHA-256 without salt is enough for 256 random bits;
    /// passwords, which people choose, go through argon2id instead.
    pub fn hash(&self) -> SecretHash {
        SecretHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("•••")
    }
}

/// The SHA-256 of a [`Secret`].
#[derive(Clone)]
pub struct SecretHash(pub [u8; 32]);

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("•••")
    }
}

impl PartialEq for SecretHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// # Errors
/// `Internal` where the system has no randomness to give.
pub fn random_bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| Error::internal(e.to_string()))?;
    Ok(bytes)
}

/// A key for one purpose of one tenant, derived from the appliance's key.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A fresh key.
    ///
    /// # Errors
    /// `Internal` where the system has no randomness to give.
    pub fn random() -> Result<Self> {
        Ok(Self(random_bytes()?))
    }

    /// The key itself, to be sealed or to seal with.
    pub fn bytes(&self) -> [u8; 32] {
        self.0
    }

    /// A key that tells nothing of this one, nor of one derived under another name.
    pub fn derive(&self, purpose: &str) -> Self {
        Self(self.mac(&[purpose.as_bytes()]))
    }

    /// HMAC-SHA256 (RFC 2104) over the parts, each preceded by its length so that no two lists
    /// of parts give the same bytes.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("any key length");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("•••")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_show_itself() {
        assert_eq!(format!("{:?}", Secret::new("hush")), "•••");
    }

    #[test]
    fn a_mac_depends_on_where_the_parts_end() {
        let key = Key::new([7; 32]);
        assert_ne!(key.mac(&[b"ab", b"c"]), key.mac(&[b"a", b"bc"]));
        assert_ne!(key.derive("a").mac(&[b"x"]), key.derive("b").mac(&[b"x"]));
    }
}
