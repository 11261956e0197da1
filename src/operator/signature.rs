//! Signed requests: who signs shows that a request was made by the holder of the key, a moment
//! ago, and that nobody changed it or sends it twice. Whose key it is stands in `keys.rs`.

use super::{keys::Key, sql};
use crate::{
    base::{Clock, Error, Result, clock::Millis, secret::Secret},
    http::layers::read_body,
    tenancy::Tenants,
};
use hmac::{Hmac, KeyInit, Mac};
use poem::{
    Body, Request,
    http::{HeaderMap, header},
};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

const TIMESTAMP: &str = "x-vitrina-timestamp";
const NONCE: &str = "x-vitrina-nonce";
const SIGNATURE: &str = "x-vitrina-signature";

/// How far the clocks of both sides may be apart, in seconds.
const WINDOW_S: i64 = 5 * 60;
/// As long as a request could be taken a second time: the window, on either side of now.
const REMEMBER_MS: i64 = 2 * WINDOW_S * 1000;
/// The largest body that is signed, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// What a request says of its signature.
struct Signed {
    timestamp: i64,
    nonce: String,
    signature: String,
}

impl Signed {
    /// `None` where the request is not signed at all.
    fn read(headers: &HeaderMap) -> Result<Option<Self>> {
        let parts = [TIMESTAMP, NONCE, SIGNATURE].map(|name| headers.get(name));
        if parts.iter().all(Option::is_none) {
            return Ok(None);
        }
        let [timestamp, nonce, signature] =
            parts.map(|value| value.and_then(|v| v.to_str().ok()).unwrap_or_default());
        let timestamp = timestamp.parse().map_err(|_| Error::BadSignature)?;
        let plain = |b: u8| b.is_ascii_graphic();
        if !(16..=64).contains(&nonce.len()) || !nonce.bytes().all(plain) {
            return Err(Error::BadSignature);
        }
        let (nonce, signature) = (nonce.to_owned(), signature.to_owned());
        Ok(Some(Self { timestamp, nonce, signature }))
    }

    fn is_fresh(&self, now: Millis) -> bool {
        (now.0 / 1000).abs_diff(self.timestamp) <= WINDOW_S.unsigned_abs()
    }

    fn is_right(&self, key: &Secret, method: &str, path: &str, body: &[u8]) -> bool {
        let expected = sign(key, method, path, body, self.timestamp, &self.nonce);
        expected.as_bytes().ct_eq(self.signature.as_bytes()).into()
    }
}

/// The signature of a request: HMAC-SHA256 (RFC 2104), keyed with the SHA-256 of the operator key,
/// in lower-case hexadecimal digits. `path` is the path with its query.
pub fn sign(
    key: &Secret,
    method: &str,
    path: &str,
    body: &[u8],
    timestamp: i64,
    nonce: &str,
) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.hash().0).expect("any key length");
    let digest = hex(&Sha256::digest(body));
    mac.update(format!("{method}\n{path}\n{digest}\n{timestamp}\n{nonce}").as_bytes());
    hex(&mac.finalize().into_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Checks the signature of a request, where it has one; the body is put back.
///
/// # Errors
/// `SignatureRequired` where there must be one and is none; `BadSignature` for one that is wrong,
/// too old, too new, or was seen before.
pub(super) async fn check(
    tenants: &Tenants,
    req: &mut Request,
    key: &Key,
    secret: &Secret,
    is_required: bool,
) -> Result<()> {
    let Some(signed) = Signed::read(req.headers())? else {
        return if is_required { Err(Error::SignatureRequired) } else { Ok(()) };
    };
    if !signed.is_fresh(Clock::now()) {
        return Err(Error::BadSignature);
    }
    let declared = req.header(header::CONTENT_LENGTH).map(str::to_owned);
    let body = read_body(req.take_body(), declared.as_deref(), LARGEST).await?;
    let uri = req.original_uri();
    let path = uri.path_and_query().map_or_else(|| uri.path(), |path| path.as_str());
    if !signed.is_right(secret, req.method().as_str(), path, &body) {
        return Err(Error::BadSignature);
    }
    req.set_body(Body::from_bytes(body));
    // Only what was signed with a good key is remembered, so nobody else can fill the table.
    let nonce = format!("{}:{}", key.id, signed.nonce);
    let until = Clock::now().plus_ms(REMEMBER_MS);
    let is_new = tenants.control().write(move |db| sql::remember_nonce(db, &nonce, until)).await?;
    if is_new { Ok(()) } else { Err(Error::BadSignature) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: &str = "0123456789abcdef";
    /// Made with another implementation of HMAC-SHA256.
    const VECTOR: &str = "472e1e0a88d1ee8892f5f83ccacd075745ac7edc4108d782b85b4612c546a86a";

    fn signed(signature: &str) -> Signed {
        let (nonce, signature) = (NONCE.to_owned(), signature.to_owned());
        Signed { timestamp: 1_790_000_000, nonce, signature }
    }

    #[test]
    fn a_signature_is_what_others_make_of_the_same_words() {
        let key = Secret::new("vk_op_example");
        let body = br#"{"id":"alice"}"#;
        let path = "/api/operator/tenants?x=1";
        assert_eq!(sign(&key, "POST", path, body, 1_790_000_000, NONCE), VECTOR);
        let one = signed(VECTOR);
        assert!(one.is_right(&key, "POST", path, body));
        assert!(!one.is_right(&Secret::new("vk_op_other"), "POST", path, body));
        assert!(!one.is_right(&key, "PUT", path, body));
        assert!(!one.is_right(&key, "POST", "/api/operator/tenants?x=2", body));
        assert!(!one.is_right(&key, "POST", path, b"{}"));
        assert!(!signed(&VECTOR.to_uppercase()).is_right(&key, "POST", path, body));
        assert!(!signed("").is_right(&key, "POST", path, body));
    }

    #[test]
    fn a_request_is_good_for_five_minutes_both_ways() {
        let at = |s: i64| signed("").is_fresh(Millis((1_790_000_000 + s) * 1000));
        assert!(at(0) && at(300) && at(-300));
        assert!(!at(301) && !at(-301));
        let far = Signed { timestamp: i64::MIN, ..signed("") };
        assert!(!far.is_fresh(Clock::now()));
    }

    #[test]
    fn half_a_signature_is_none() {
        let headers = |all: &[(&'static str, &str)]| -> HeaderMap {
            let pairs = all.iter().map(|(name, value)| {
                (poem::http::HeaderName::from_static(name), value.parse().unwrap())
            });
            pairs.collect()
        };
        assert!(Signed::read(&headers(&[])).unwrap().is_none());
        let whole = [(TIMESTAMP, "1"), (super::NONCE, NONCE), (SIGNATURE, "ab")];
        assert!(Signed::read(&headers(&whole)).unwrap().is_some());
        assert!(
            Signed::read(&headers(&whole[..2])).unwrap().is_some_and(|s| s.signature.is_empty())
        );
        assert!(Signed::read(&headers(&whole[1..])).is_err());
        let short = [(TIMESTAMP, "1"), (super::NONCE, "short"), (SIGNATURE, "ab")];
        assert!(Signed::read(&headers(&short)).is_err());
    }
}
