//! The name that a server gives to what it sends: a suggestion to a person, never a path.

use percent_encoding::percent_decode_str;
use reqwest::header::{CONTENT_DISPOSITION, HeaderMap};
use url::Url;

/// Bytes that a file name may have at most, as on most file systems.
const LONGEST: usize = 255;

/// The name from `Content-Disposition` (RFC 6266), or else the last part of the path.
pub(super) fn suggested(headers: &HeaderMap, url: &Url) -> Option<String> {
    let header = headers.get(CONTENT_DISPOSITION);
    // Browsers and servers alike send raw UTF-8 here, though the standard speaks of ASCII.
    let header = header.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    header.and_then(|text| from_disposition(&text)).or_else(|| from_path(url))
}

fn from_path(url: &Url) -> Option<String> {
    let last = url.path_segments()?.next_back()?;
    plain(&percent_decode_str(last).decode_utf8_lossy())
}

/// `filename*` where there is a readable one, since it can spell every name; else `filename`.
fn from_disposition(text: &str) -> Option<String> {
    let parameters = parameters(text);
    let find = |name: &str| {
        parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    };
    find("filename*")
        .and_then(|value| extended(value))
        .and_then(|name| plain(&name))
        .or_else(|| find("filename").and_then(|name| plain(name)))
}

/// A value in the form of RFC 8187: `UTF-8'language'percent-encoded`.
fn extended(value: &str) -> Option<String> {
    let (charset, rest) = value.split_once('\'')?;
    let (_language, encoded) = rest.split_once('\'')?;
    if !charset.eq_ignore_ascii_case("utf-8") {
        return None;
    }
    Some(percent_decode_str(encoded).decode_utf8().ok()?.into_owned())
}

/// The `name=value` pairs of a header, quotes and their backslashes taken off. What does not fit
/// the form is passed over.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut pair = (String::new(), None::<String>);
    let mut quoted = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (&mut pair.1, c) {
            (Some(value), '\\') if quoted => value.extend(chars.next()),
            (Some(_), '"') => quoted = !quoted,
            (Some(value), c) if quoted || c != ';' => value.push(c),
            (None, '=') => pair.1 = Some(String::new()),
            (None, c) if c != ';' => pair.0.push(c),
            _ => pairs.push(std::mem::take(&mut pair)),
        }
    }
    pairs.push(pair);
    pairs
        .into_iter()
        .filter_map(|(name, value)| Some((name.trim().to_owned(), value?.trim().to_owned())))
        .collect()
}

/// The name without folders and control characters, cut to a length that files can have.
fn plain(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let mut kept: String = last.chars().filter(|c| !c.is_control()).collect();
    kept.truncate(kept.floor_char_boundary(LONGEST));
    let kept = kept.trim();
    (!kept.is_empty() && kept != "." && kept != "..").then(|| kept.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(disposition: &str, url: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        if !disposition.is_empty() {
            headers.insert(CONTENT_DISPOSITION, disposition.parse().unwrap());
        }
        suggested(&headers, &Url::parse(url).unwrap())
    }

    #[test]
    fn the_header_is_asked_before_the_path() {
        let url = "http://example.org/path/p%C3%A4th.jpg?x=/y.png";
        for (header, name) in [
            ("", "päth.jpg"),
            ("inline", "päth.jpg"),
            ("attachment; filename=a.jpg", "a.jpg"),
            ("attachment; FileName = \"a; b.jpg\" ; x=y", "a; b.jpg"),
            (r#"attachment; filename="say \"hi\".jpg""#, "say \"hi\".jpg"),
            ("attachment; filename=\"x.jpg\"; filename*=UTF-8''%e2%82%ac.jpg", "€.jpg"),
            ("attachment; filename*=latin1''%e4.jpg; filename=y.jpg", "y.jpg"),
            ("attachment; filename*=UTF-8''%ff.jpg; filename=y.jpg", "y.jpg"),
            ("attachment; filename=\"ä.jpg\"", "ä.jpg"),
            ("attachment; filename=\"never closed", "never closed"),
            ("attachment; filename=", "päth.jpg"),
            (";;;===", "päth.jpg"),
        ] {
            assert_eq!(named(header, url).as_deref(), Some(name), "{header}");
        }
    }

    #[test]
    fn a_name_is_never_a_path() {
        for (header, name) in [
            ("attachment; filename=\"../../etc/passwd\"", Some("passwd")),
            (r#"attachment; filename="C:\\photos\\a.jpg""#, Some("a.jpg")),
            ("attachment; filename=\"..\"", None),
            ("attachment; filename*=UTF-8''%00%0a%2e%2e%2fa%0d.jpg", Some("a.jpg")),
        ] {
            assert_eq!(named(header, "http://example.org/").as_deref(), name, "{header}");
        }
        assert_eq!(named("", "http://example.org/a/..%2f%2e%2e"), None);
        let long = named("", &format!("http://example.org/{}", "%C3%A4".repeat(300))).unwrap();
        assert_eq!(long.len(), 254);
    }
}
