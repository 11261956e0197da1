//! One call of the inherited tenants API: who calls, whether the body is signed, and what it says.

use super::answers::Failure;
use crate::{
    base::{Error, secret::Secret},
    http::{Client, layers::read_body},
    operator::keys::{self, Scope},
    tenancy::{Tenants, audit::By},
};
use hmac::{Hmac, KeyInit, Mac};
use poem::{
    Request,
    http::{Method, StatusCode, header},
};
use serde_json::{Map, Value};
use sha2::Sha256;
use std::{collections::HashMap, sync::Arc};

const MOST: u64 = 1024 * 1024;

/// What every call needs.
pub(super) struct Calls {
    pub(super) tenants: Arc<Tenants>,
    pub(super) secret: Option<Secret>,
}

/// A call by somebody who may call.
pub(super) struct Call {
    pub(super) tenants: Arc<Tenants>,
    pub(super) method: Method,
    /// What the path names.
    pub(super) id: String,
    pub(super) by: By,
    scopes: Vec<Scope>,
    body: Map<String, Value>,
}

impl Calls {
    pub(super) async fn open(&self, mut req: Request) -> Result<Call, Failure> {
        let address = req.data::<Client>().and_then(|client| client.address);
        let denied = || Failure::new(StatusCode::UNAUTHORIZED, "Invalid API key");
        let secret = req.header("x-api-key").map(Secret::new).ok_or_else(denied)?;
        let key = match keys::present(&self.tenants, &secret, address).await {
            Ok(key) => key,
            Err(Error::Unauthenticated) => return Err(denied()),
            Err(error) => return Err(error.into()),
        };
        let (body, declared) = (req.take_body(), req.header(header::CONTENT_LENGTH));
        let bytes = read_body(body, declared, MOST).await?;
        if let Some(secret) = &self.secret {
            let signature = req.header("x-signature").unwrap_or_default();
            if !is_signed(secret, &bytes, signature) {
                return Err(Failure::new(StatusCode::UNAUTHORIZED, "Invalid signature"));
            }
        }
        let content_type = req.header(header::CONTENT_TYPE).unwrap_or_default();
        let id = req.path_params::<HashMap<String, String>>().ok();
        Ok(Call {
            tenants: self.tenants.clone(),
            method: req.method().clone(),
            id: id.and_then(|mut all| all.remove("id")).unwrap_or_default(),
            by: By { actor: format!("key {}", key.name), address: address.map(|a| a.to_string()) },
            scopes: key.scopes,
            body: parse(&bytes, content_type)?,
        })
    }
}

/// Whether the text is the HMAC-SHA256 of the body in hexadecimal.
fn is_signed(secret: &Secret, body: &[u8], signature: &str) -> bool {
    let digits = signature.trim().as_bytes();
    let claimed: Option<Vec<u8>> = digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else {
        return false;
    };
    mac.update(body);
    claimed.is_some_and(|claimed| mac.verify_slice(&claimed).is_ok())
}

/// A body as JSON or as a form, whose objects are JSON texts; empty where there is none.
fn parse(bytes: &[u8], content_type: &str) -> Result<Map<String, Value>, Failure> {
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    if content_type.starts_with("application/x-www-form-urlencoded") {
        let pairs = url::form_urlencoded::parse(bytes);
        return Ok(pairs.map(|(k, v)| (k.into_owned(), Value::String(v.into_owned()))).collect());
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(body)) => Ok(body),
        _ => Err(Failure::bad("The body must be a JSON object")),
    }
}

impl Call {
    pub(super) fn need(&self, scope: Scope) -> Result<(), Failure> {
        match self.scopes.contains(&scope) {
            true => Ok(()),
            false => Err(Error::MissingScope(scope.as_str()).into()),
        }
    }

    pub(super) fn has(&self, field: &str) -> bool {
        self.body.contains_key(field)
    }

    pub(super) fn text(&self, field: &str) -> Option<String> {
        match self.body.get(field)? {
            Value::String(text) => Some(text.trim().to_owned()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    pub(super) fn required(&self, field: &str) -> Result<String, Failure> {
        let text = self.text(field).filter(|text| !text.is_empty());
        text.ok_or_else(|| Failure::bad(format!("Missing argument {field}")))
    }

    pub(super) fn switch(&self, field: &str) -> Result<Option<bool>, Failure> {
        match self.body.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(on)) => Ok(Some(*on)),
            Some(other) => match other.to_string().trim_matches('"') {
                "1" | "true" => Ok(Some(true)),
                "0" | "false" | "" => Ok(Some(false)),
                _ => Err(Failure::bad(format!("Invalid value for {field}"))),
            },
        }
    }

    /// An object, also one that comes as JSON text; `""` and `[]` are how PHP writes an empty one.
    pub(super) fn object(&self, field: &str) -> Result<Option<Map<String, Value>>, Failure> {
        let wrong = || Failure::bad(format!("Invalid value for {field}"));
        match self.body.get(field) {
            None => Ok(None),
            Some(Value::Null) => Ok(Some(Map::new())),
            Some(Value::Array(items)) if items.is_empty() => Ok(Some(Map::new())),
            Some(Value::Object(map)) => Ok(Some(map.clone())),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(Some(Map::new())),
            Some(Value::String(text)) => serde_json::from_str(text).map(Some).map_err(|_| wrong()),
            Some(_) => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_signed_by_whoever_has_the_secret() {
        // Test case 2 of RFC 4231.
        let secret = Secret::new("Jefe");
        let signature = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert!(is_signed(&secret, b"what do ya want for nothing?", signature));
        assert!(!is_signed(&secret, b"what do ya want for nothing!", signature));
        for wrong in ["", "5b", "zz", &signature[2..]] {
            assert!(!is_signed(&secret, b"what do ya want for nothing?", wrong));
        }
    }

    #[test]
    fn a_body_is_read_in_either_dress() {
        let json = parse(br#"{"id":"a","limits":{}}"#, "application/json").ok().unwrap();
        assert_eq!(json["id"], "a");
        let form = parse(b"id=a&limits=%7B%7D", "application/x-www-form-urlencoded");
        assert_eq!(form.ok().unwrap()["limits"], "{}");
        assert!(parse(b"[1]", "application/json").is_err());
    }
}
