//! What of a site's secrets goes along when the site does: readable only where the appliance's key
//! is the same, or is given.

use super::Tenants;
use crate::base::{
    Error, Result,
    ids::TenantId,
    secret::{Key, Secret},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A site's own key, and what is kept with it for others to read.
pub struct Carried {
    pub key: Key,
    pub extra: Map<String, Value>,
}

/// As it is sealed.
#[derive(Serialize, Deserialize)]
struct Text {
    key: [u8; 32],
    extra: Map<String, Value>,
}

const PURPOSE: &str = "carried";

/// Tells one key of an appliance from another, and nothing about either.
pub fn fingerprint(key: &Key) -> String {
    let mac = key.derive("fingerprint").mac(&[]);
    mac.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Opens what [`Tenants::seal_carried`] sealed.
///
/// # Errors
/// `Conflict` with code `wrong_key` where this is not the key that it was sealed with.
pub fn unseal_carried(key: &Key, sealed: &[u8]) -> Result<Carried> {
    let text = key.derive(PURPOSE).unseal(PURPOSE, sealed)?;
    let Text { key, extra } = serde_json::from_slice(&text)?;
    Ok(Carried { key: Key::new(key), extra })
}

/// Reads an appliance's key: 64 hexadecimal digits, or the 32 bytes of its file.
///
/// # Errors
/// `Invalid` where it is neither.
pub fn appliance_key(bytes: &[u8]) -> Result<Key> {
    if let Ok(raw) = <[u8; 32]>::try_from(bytes) {
        return Ok(Key::new(raw));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| {
        Error::invalid("secret_key", "must be 64 hexadecimal digits, or the bytes of `secret.key`")
    })?;
    Ok(Key::new(super::data_dir::parse_key(&Secret::new(text))?))
}

impl Tenants {
    /// The key of this appliance.
    pub fn appliance_key(&self) -> &Key {
        &self.data.key
    }

    /// What goes along with a site.
    pub async fn carried(&self, id: &TenantId) -> Result<Carried> {
        Ok(Carried { key: self.tenant_key(id).await?, extra: self.extra(id).await? })
    }

    pub fn seal_carried(&self, carried: &Carried) -> Result<Vec<u8>> {
        let text = Text { key: carried.key.bytes(), extra: carried.extra.clone() };
        self.data.key.derive(PURPOSE).seal(PURPOSE, &serde_json::to_vec(&text)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_in_both_of_its_forms() {
        let key = Key::new([0xab; 32]);
        for text in [&[0xab; 32][..], "ab".repeat(32).as_bytes(), b"short"] {
            match appliance_key(text) {
                Ok(read) => assert_eq!(fingerprint(&read), fingerprint(&key)),
                Err(_) => assert_eq!(text, b"short"),
            }
        }
        assert_ne!(fingerprint(&key), fingerprint(&Key::new([1; 32])));
    }
}
