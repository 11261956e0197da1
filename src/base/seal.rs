//! Secrets at rest: sealed with XChaCha20-Poly1305 under a key for one purpose, so that a copy of
//! a database gives none away and a changed byte is noticed.

use super::{
    Error, Result,
    secret::{Key, random_bytes},
};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};

const NONCE: usize = 24;

impl Key {
    /// Seals bytes for one place: `place` must be named again to open them, so that a sealed
    /// value that is moved elsewhere does not open there.
    ///
    /// # Errors
    /// `Internal` where the system has no randomness to give.
    pub fn seal(&self, place: &str, bytes: &[u8]) -> Result<Vec<u8>> {
        let nonce = random_bytes::<NONCE>()?;
        let payload = Payload { msg: bytes, aad: place.as_bytes() };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| Error::internal("too much to seal"))?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// Opens what [`seal`](Self::seal) made.
    ///
    /// # Errors
    /// `Conflict` with code `wrong_key` where another key sealed it, for another place, or it was
    /// changed since.
    pub fn unseal(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let opened = sealed.split_first_chunk::<NONCE>().and_then(|(nonce, rest)| {
            let payload = Payload { msg: rest, aad: place.as_bytes() };
            self.cipher().decrypt(&XNonce::from(*nonce), payload).ok()
        });
        opened.ok_or(Error::Conflict {
            code: "wrong_key",
            reason: "what is sealed here was sealed with another secret key: put the right \
                     `secret.key` back, or set `secret_key`",
        })
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.derive("seal").bytes().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_key_opens_it_in_the_right_place() {
        let key = Key::new([7; 32]);
        let sealed = key.seal("a", b"hush").unwrap();
        assert_eq!(key.unseal("a", &sealed).unwrap(), b"hush");
        assert_ne!(sealed, key.seal("a", b"hush").unwrap());
        assert!(!sealed.windows(4).any(|w| w == b"hush"));
        let is_refused = |key: &Key, place: &str, sealed: &[u8]| {
            matches!(key.unseal(place, sealed), Err(Error::Conflict { code: "wrong_key", .. }))
        };
        assert!(is_refused(&key, "b", &sealed));
        assert!(is_refused(&Key::new([8; 32]), "a", &sealed));
        assert!(is_refused(&key, "a", b"short"));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(is_refused(&key, "a", &changed));
        }
    }
}
