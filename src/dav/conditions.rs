//! Headers that say under which conditions something is to be done, judged before the crate reads
//! them: it takes them to be well formed.

use crate::base::{Error, Result};
use poem::http::{HeaderMap, header};

/// # Errors
/// `Malformed` for conditions that are not as RFC 4918 (10.4) and RFC 9110 (13.1) have them, and
/// for a part of a file.
pub(super) fn check(headers: &HeaderMap) -> Result<()> {
    let malformed = |name: &str| Err(Error::Malformed(format!("the header `{name}` is malformed")));
    if headers.contains_key(header::CONTENT_RANGE) {
        return Err(Error::Malformed("files are written whole".to_owned()));
    }
    for name in [header::IF_MATCH, header::IF_NONE_MATCH] {
        let mut values = headers.get_all(&name).iter();
        let is_list = |text: &str| text.split(',').all(|tag| tag.trim() == "*" || is_tag(tag));
        if !values.all(|value| value.to_str().is_ok_and(is_list)) {
            return malformed(name.as_str());
        }
    }
    let mut values = headers.get_all("if").iter();
    if !values.all(|value| value.to_str().is_ok_and(are_closed)) {
        return malformed("if");
    }
    Ok(())
}

fn is_tag(text: &str) -> bool {
    let text = text.trim();
    let quoted = text.strip_prefix("W/").unwrap_or(text);
    quoted.len() >= 2 && quoted.starts_with('"') && quoted.ends_with('"')
}

/// Whether every `<` and `[` is closed, and what is between `[` and `]` is a tag.
fn are_closed(text: &str) -> bool {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(['<', '[']) {
        let opened = rest.as_bytes().get(rest.len() - after.len() - 1);
        let close = if opened == Some(&b'<') { '>' } else { ']' };
        let Some((inside, after)) = after.split_once(close) else { return false };
        let is_tagged = close == '>' || is_tag(inside);
        if !is_tagged || inside.matches('"').count() % 2 != 0 || inside.contains([' ', '\t']) {
            return false;
        }
        rest = after;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_fine(name: &'static str, value: &str) -> bool {
        let name = poem::http::HeaderName::from_static(name);
        check(&[(name, value.parse().unwrap())].into_iter().collect()).is_ok()
    }

    #[test]
    fn conditions_are_well_formed() {
        for value in ["*", "\"a\"", "W/\"a\", \"b\"", "\"\""] {
            assert!(is_fine("if-match", value) && is_fine("if-none-match", value), "{value}");
        }
        for value in ["\"", "W/\"", "\"a\", \"", "a", ""] {
            assert!(!is_fine("if-match", value) && !is_fine("if-none-match", value), "{value}");
        }
        for value in ["(<urn:x>)", "<http://x/> ([W/\"a\"] Not <DAV:no>)", "(urn:x)"] {
            assert!(is_fine("if", value), "{value}");
        }
        for value in
            ["(<urn:x)", "<", "([\"])", "([W/\"])", "([\"a)", "([a])", "(<a\">)", "(<a b>)"]
        {
            assert!(!is_fine("if", value), "{value}");
        }
        assert!(!is_fine("content-range", "bytes 0-3/20"));
    }
}
