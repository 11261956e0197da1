//! Settings about whom a site's API is open to: clients of other products, and pages of others.

use crate::base::{Error, Result};
use serde::Serialize;
use serde_json::Value;

/// A product whose API is answered here too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientApi {
    Chevereto,
    Imgbb,
    Lsky,
    Zipline,
}

impl ClientApi {
    pub const ALL: [Self; 4] = [Self::Chevereto, Self::Imgbb, Self::Lsky, Self::Zipline];

    fn find(word: &str) -> Option<Self> {
        match word {
            "chevereto" => Some(Self::Chevereto),
            "imgbb" => Some(Self::Imgbb),
            "lsky" => Some(Self::Lsky),
            "zipline" => Some(Self::Zipline),
            _ => None,
        }
    }
}

pub(super) fn client_apis(key: &'static str, value: &Value) -> Result<Vec<ClientApi>> {
    let apis = || value.as_array()?.iter().map(|w| ClientApi::find(w.as_str()?)).collect();
    let apis: Option<Vec<ClientApi>> = apis();
    let wrong = || Error::invalid(key, "must be a list of chevereto, imgbb, lsky and zipline");
    let mut apis = apis.ok_or_else(wrong)?;
    apis.sort_unstable();
    apis.dedup();
    Ok(apis)
}

/// Origins as browsers send them, `null` among them; `*` is everybody.
pub(super) fn origins(key: &'static str, value: &Value) -> Result<Vec<String>> {
    let list = value.as_array().filter(|list| list.len() <= 100);
    let list = list.ok_or_else(|| Error::invalid(key, "must be a list of at most 100 origins"))?;
    let origin = |value: &Value| {
        let text = value.as_str().unwrap_or_default().to_ascii_lowercase();
        is_origin(&text).then_some(text).ok_or_else(|| {
            Error::invalid(key, "must name origins like https://forum.example, null or *")
        })
    };
    list.iter().map(origin).collect()
}

fn is_origin(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b".-_:[]".contains(&b);
    let is_address = text.split_once("://").is_some_and(|(scheme, host)| {
        let is_scheme = |b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b);
        !scheme.is_empty()
            && scheme.bytes().all(is_scheme)
            && !host.is_empty()
            && host.len() <= 255
            && host.bytes().all(plain)
    });
    matches!(text, "*" | "null") || is_address
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn apis_are_named_once() {
        use ClientApi::{Imgbb, Lsky};
        assert_eq!(client_apis("x", &json!(["lsky", "imgbb", "lsky"])).unwrap(), [Imgbb, Lsky]);
        assert_eq!(client_apis("x", &json!([])).unwrap(), []);
        for wrong in [json!("lsky"), json!(["other"]), json!([1]), json!(null)] {
            assert!(client_apis("x", &wrong).is_err(), "{wrong}");
        }
        for api in ClientApi::ALL {
            let word = json!([api]);
            assert_eq!(client_apis("x", &word).unwrap(), [api]);
        }
    }

    #[test]
    fn origins_have_no_path() {
        let sound =
            json!(["https://Forum.example", "app://obsidian.md", "null", "*", "http://[::1]:8080"]);
        assert_eq!(origins("x", &sound).unwrap()[0], "https://forum.example");
        for wrong in ["", "forum.example", "https://", "https://a/b", "https://a b", "://a"] {
            assert!(origins("x", &json!([wrong])).is_err(), "{wrong}");
        }
    }
}
