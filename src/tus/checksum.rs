//! The checksum of one piece: the header `Upload-Checksum`.

use crate::base::{Error, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// What is understood, in the order of preference.
pub(super) const ALGORITHMS: &str = "sha256,sha1";

/// A checksum on its way to be compared.
pub(super) enum Checksum {
    Sha1(Sha1, Vec<u8>),
    Sha256(Sha256, Vec<u8>),
}

impl Checksum {
    /// # Errors
    /// `Malformed` for what cannot be read, or an algorithm that is not known.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let (name, value) = text.split_once(' ').unwrap_or((text, ""));
        let expected = STANDARD.decode(value.trim());
        let expected = expected.map_err(|_| malformed("is no base64"))?;
        match name.to_ascii_lowercase().as_str() {
            "sha1" => Ok(Self::Sha1(Sha1::new(), expected)),
            "sha256" => Ok(Self::Sha256(Sha256::new(), expected)),
            _ => Err(malformed("names an algorithm other than sha256 and sha1")),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(hash, _) => hash.update(bytes),
            Self::Sha256(hash, _) => hash.update(bytes),
        }
    }

    pub(super) fn matches(self) -> bool {
        match self {
            Self::Sha1(hash, expected) => hash.finalize()[..] == expected[..],
            Self::Sha256(hash, expected) => hash.finalize()[..] == expected[..],
        }
    }
}

fn malformed(reason: &str) -> Error {
    Error::Malformed(format!("the header Upload-Checksum {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_compared() {
        for (sum, is_right) in [
            ("sha1 qvTGHdzF6KLavt4PO0gs2a6pQ00=", true),
            ("SHA1 qvTGHdzF6KLavt4PO0gs2a6pQ00=", true),
            ("sha256 LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=", true),
            ("sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA=", false),
            ("sha256 ", false),
        ] {
            let mut checksum = Checksum::parse(sum).unwrap();
            checksum.update(b"hel");
            checksum.update(b"lo");
            assert_eq!(checksum.matches(), is_right, "{sum}");
        }
        assert!(Checksum::parse("md5 XUFAKrxLKna5cZ2REBfFkg==").is_err());
        assert!(Checksum::parse("sha1 !").is_err());
    }
}
