//! The names that a site answers to.

use crate::base::{Error, Result};
use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

/// A host as it is looked up: lower case, punycode (RFC 5891), no port, no dot at the end.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hostname(String);

impl Hostname {
    /// Reads a name as an operator writes it: `Fotos.Example`, `bücher.example`, maybe with a
    /// port, which is passed over.
    ///
    /// # Errors
    /// `Invalid` for what is no name of a host.
    pub fn parse(field: &'static str, text: &str) -> Result<Self> {
        let wrong = || Error::invalid(field, "must be a hostname, as in `photos.example`");
        let text = text.trim();
        let bare = without_port(text).trim_end_matches('.');
        if bare.is_empty() || text.contains(|c: char| c.is_whitespace() || "/@?#%\\".contains(c)) {
            return Err(wrong());
        }
        if bare.parse::<Ipv4Addr>().is_ok() {
            return Ok(Self(bare.to_owned()));
        }
        // As it stands in a URL, and so in `Host`.
        if let Ok(ip) = bare.trim_start_matches('[').trim_end_matches(']').parse::<Ipv6Addr>() {
            return Ok(Self(format!("[{ip}]")));
        }
        let ascii = idna::domain_to_ascii_strict(bare).map_err(|_| wrong())?;
        let sound = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        if ascii.len() > 253 || !ascii.split('.').all(sound) {
            return Err(wrong());
        }
        Ok(Self(ascii))
    }

    /// The key under which the host of a request is looked up. Whatever a client says is only
    /// ever compared, never joined to anything.
    pub fn key(host: &str) -> &str {
        without_port(host).trim_end_matches('.')
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Hostname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn without_port(host: &str) -> &str {
    if host.starts_with('[') {
        return host.find(']').map_or(host, |end| &host[..=end]);
    }
    match host.rsplit_once(':') {
        // Two colons are an IPv6 address.
        Some((name, _)) if !name.contains(':') => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_spelled_in_one_way_only() {
        for (text, name) in [
            ("Photos.Example", "photos.example"),
            ("photos.example:8080", "photos.example"),
            ("photos.example.", "photos.example"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
            ("localhost", "localhost"),
            ("192.0.2.7:80", "192.0.2.7"),
            ("[::1]:8080", "[::1]"),
            ("2001:DB8::1", "[2001:db8::1]"),
        ] {
            assert_eq!(Hostname::parse("host", text).unwrap().as_str(), name);
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in
            ["", " ", "a b", "a/b", "a@b", "http://a.example", "-a.example", "a..b", "a_b.c", "[x"]
        {
            assert!(Hostname::parse("host", text).is_err(), "{text}");
        }
        assert!(Hostname::parse("host", &"a".repeat(64)).is_err());
    }

    #[test]
    fn a_request_names_its_host_with_a_port() {
        assert_eq!(Hostname::key("photos.example:8080"), "photos.example");
        assert_eq!(Hostname::key("photos.example."), "photos.example");
        assert_eq!(Hostname::key("[::1]:8080"), "[::1]");
    }
}
