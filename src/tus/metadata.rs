//! What the sender of an upload says about it: the header `Upload-Metadata`, pairs of a key and a
//! base64 value. The keys are the fields of every other upload.

use crate::{
    base::{Error, Result, text::Filename},
    media::{Fields, upload::Details},
};
use base64::{Engine, engine::general_purpose::STANDARD};

/// The longest header that is kept, in bytes.
const LONGEST: usize = 32 * 1024;

/// Keys that clients send by themselves and that say nothing which is not found out anyway.
const IGNORED: &[&str] =
    &["filetype", "type", "relativePath", "contentType", "size", "lastModified"];

/// Reads the header.
///
/// # Errors
/// `Invalid` for what cannot be read, and for a value that no upload takes.
pub(super) fn parse(text: &str) -> Result<(Filename, Details)> {
    if text.len() > LONGEST {
        return Err(invalid("is too long"));
    }
    let (mut fields, mut filename) = (Fields::default(), String::new());
    for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
        let value = STANDARD.decode(value.trim()).ok().and_then(|v| String::from_utf8(v).ok());
        let value = value.ok_or_else(|| invalid("has a value that is no base64 of text"))?;
        match key {
            "filename" => filename = value,
            "name" if filename.is_empty() => filename = value,
            "name" => {}
            _ if IGNORED.contains(&key) => {}
            _ => fields.set(key, &value)?,
        }
    }
    Ok((Filename::from_client(&filename), fields.details()?))
}

fn invalid(reason: &str) -> Error {
    Error::invalid("Upload-Metadata", reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(pairs: &[(&str, &str)]) -> String {
        let pair = |(key, value): &(&str, &str)| format!("{key} {}", STANDARD.encode(value));
        pairs.iter().map(pair).collect::<Vec<_>>().join(",")
    }

    #[test]
    fn it_says_what_every_upload_may_say() {
        let text = header(&[
            ("filename", "übung.jpg"),
            ("filetype", "image/jpeg"),
            ("title", "At sea"),
            ("tags", "sea,sun"),
            ("nsfw", "true"),
        ]);
        let (filename, details) = parse(&text).unwrap();
        assert_eq!(filename.as_str(), "übung.jpg");
        assert_eq!(details.title.unwrap().as_str(), "At sea");
        assert_eq!((details.tags.len(), details.nsfw), (2, true));
        assert_eq!(parse(&header(&[("name", "a.png")])).unwrap().0.as_str(), "a.png");
        assert_eq!(parse("").unwrap().0.as_str(), "file");
        assert!(parse("filename").is_ok(), "a key may be without a value");
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in [
            "filename not-base64!".to_owned(),
            header(&[("visibilty", "private")]),
            header(&[("visibility", "secret")]),
            format!("title {}", STANDARD.encode([0xff, 0xfe])),
            format!("title {}", STANDARD.encode("x".repeat(LONGEST))),
        ] {
            assert!(matches!(parse(&text), Err(Error::Invalid { .. })), "{text:.40}");
        }
    }
}
