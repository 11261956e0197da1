//! Base64 in pieces: a text that is a whole file becomes its bytes while it arrives.

use crate::base::{Error, Result};
use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// Strict about everything but the padding, which many clients leave out: what is decoded and
/// encoded again must be the same text.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// Without padding, as all but the end is.
const MIDDLE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// Takes text and gives bytes.
#[derive(Default)]
pub(super) struct Decoder {
    held: Vec<u8>,
}

impl Decoder {
    /// The bytes of all of the text that is not its end, as far as it is known.
    ///
    /// # Errors
    /// `Invalid` for what is not base64.
    pub(super) fn push(&mut self, text: &[u8]) -> Result<Vec<u8>> {
        self.held.extend(text.iter().filter(|b| !b.is_ascii_whitespace()));
        // The last four characters may be the end, which alone may have padding.
        let sure = self.held.len().saturating_sub(4) / 4 * 4;
        let bytes = MIDDLE.decode(self.held.get(..sure).unwrap_or_default());
        self.held.drain(..sure);
        bytes.map_err(|_| invalid())
    }

    /// The bytes of the end.
    pub(super) fn finish(self) -> Result<Vec<u8>> {
        BASE64.decode(self.held).map_err(|_| invalid())
    }
}

fn invalid() -> Error {
    Error::invalid("base64", "is not base64")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &str, size: usize) -> Result<Vec<u8>> {
        let (mut decoder, mut bytes) = (Decoder::default(), Vec::new());
        for piece in text.as_bytes().chunks(size) {
            bytes.extend(decoder.push(piece)?);
        }
        bytes.extend(decoder.finish()?);
        Ok(bytes)
    }

    #[test]
    fn pieces_of_any_size_give_the_same_bytes() {
        let bytes: Vec<u8> = (0..=255).collect();
        for length in [0, 1, 2, 3, 4, 5, 6, 100, 255] {
            let text = BASE64.encode(&bytes[..length]);
            for size in [1, 2, 3, 4, 5, 7, 1000] {
                assert_eq!(decode(&text, size).unwrap(), &bytes[..length]);
                assert_eq!(decode(text.trim_end_matches('='), size).unwrap(), &bytes[..length]);
            }
        }
        assert_eq!(decode("aGVs\r\nbG8=\n", 3).unwrap(), b"hello");
    }

    #[test]
    fn what_does_not_come_out_again_is_refused() {
        // A bit too many in the last letter, padding in the middle, other alphabets, a torn end.
        for bad in ["aGVsbG9=", "aGVsbG8=aGVsbG8=", "aGV_bG8=", "{input}", "aGVsb"] {
            for size in [1, 4, 100] {
                assert!(decode(bad, size).is_err(), "{bad}");
            }
        }
    }
}
