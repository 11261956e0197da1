//! Paths as clients send them, taken apart and checked before anything else looks at them.

use crate::base::{Error, Result};
use percent_encoding::percent_decode_str;

/// Where the folders begin.
pub(super) const PREFIX: &str = "/dav";
/// Bytes in one name, as file systems have it, and names in one path.
const LONGEST_NAME: usize = 255;
const DEEPEST: usize = 32;

/// The names on the way to a folder or a file; none for the outermost folder.
pub(super) type Way = Vec<String>;

/// The way in the path of an address.
///
/// # Errors
/// `Malformed` for what could lead elsewhere, or nowhere.
pub(super) fn parse(path: &str) -> Result<Way> {
    let inside = path.strip_prefix(PREFIX).filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let inside = inside.ok_or_else(|| Error::Malformed(format!("paths begin with {PREFIX}/")))?;
    let names = inside.split('/').filter(|name| !name.is_empty());
    let way = names.map(name).collect::<Result<Way>>()?;
    if way.len() > DEEPEST {
        return Err(Error::Malformed("the path is too deep".to_owned()));
    }
    Ok(way)
}

/// The way in a `Destination` header: an address, or the path of one. Which host it names makes no
/// difference, as proxies may know this one by another name; it does not lead out of the site.
///
/// # Errors
/// Those of [`parse`].
pub(super) fn destination(text: &str) -> Result<Way> {
    let path = match text.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default(),
        None => text,
    };
    parse(path.split(['?', '#']).next().unwrap_or_default())
}

fn name(encoded: &str) -> Result<String> {
    let malformed = |reason: &str| Error::Malformed(format!("a name in the path {reason}"));
    let name = percent_decode_str(encoded).decode_utf8();
    let name = name.map_err(|_| malformed("is no UTF-8"))?.into_owned();
    if name.len() > LONGEST_NAME {
        return Err(malformed("is longer than 255 bytes"));
    }
    if name == "." || name == ".." || name.contains('/') || name.chars().any(char::is_control) {
        return Err(malformed("cannot be one"));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_apart() {
        for (path, way) in [
            ("/dav", vec![]),
            ("/dav/", vec![]),
            ("/dav/Sea%20side/a%2Bb.jpg", vec!["Sea side", "a+b.jpg"]),
            ("/dav//a//b/", vec!["a", "b"]),
            ("/dav/%C3%A9t%C3%A9.png", vec!["été.png"]),
        ] {
            assert_eq!(parse(path).unwrap(), way, "{path}");
        }
    }

    #[test]
    fn what_leads_elsewhere_is_no_path() {
        let long = format!("/dav/{}", "a".repeat(256));
        let deep = format!("/dav{}", "/a".repeat(33));
        for path in [
            "",
            "/",
            "/davx",
            "/media/a",
            "/dav/..",
            "/dav/a/../b",
            "/dav/%2e%2e/b",
            "/dav/.",
            "/dav/a%2fb",
            "/dav/a%00b",
            "/dav/a%0ab",
            "/dav/%ff",
            &long,
            &deep,
        ] {
            assert!(matches!(parse(path), Err(Error::Malformed(_))), "{path}");
        }
    }

    #[test]
    fn destinations_are_addresses_or_paths() {
        for text in ["http://media.example:8080/dav/a/b", "/dav/a/b", "https://x/dav/a/b?c#d"] {
            assert_eq!(destination(text).unwrap(), ["a", "b"], "{text}");
        }
        for text in ["http://media.example", "http://media.example/f/x", "a/b", "//dav/a", ""] {
            assert!(destination(text).is_err(), "{text}");
        }
    }
}
