//! How a value that a file tells becomes one that can be shown: cleaned, cut and rounded. Knows
//! no block and no tag.

/// A text may have this many characters, and a description more; the rest is cut off.
const MAX_TEXT: usize = 500;
const MAX_CAPTION: usize = 2_000;
const MAX_TAGS: usize = 50;
const MAX_TAG: usize = 100;

/// One line without control characters, or nothing.
pub(super) fn tidy(text: impl AsRef<str>) -> Option<String> {
    line(text.as_ref(), MAX_TEXT)
}

/// The same for what may be as long as a caption.
pub(super) fn caption(text: impl AsRef<str>) -> Option<String> {
    line(text.as_ref(), MAX_CAPTION)
}

fn line(text: &str, most: usize) -> Option<String> {
    let spaced = text.chars().map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c });
    let visible: String = spaced.filter(|c| !is_hidden(*c)).take(most * 2).collect();
    let short: String = visible.trim().chars().take(most).collect();
    let short = short.trim_end();
    (!short.is_empty()).then(|| short.to_owned())
}

/// Control characters, and those that make text read in another order than it is written.
fn is_hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Words to find a picture by: each once, in their order. What is too long for a tag is none.
pub(super) fn tags<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for tag in words.into_iter().take(MAX_TAGS * 4).filter_map(tidy) {
        let is_known = tags.iter().any(|known| known.to_lowercase() == tag.to_lowercase());
        if tags.len() < MAX_TAGS && tag.chars().count() <= MAX_TAG && !is_known {
            tags.push(tag);
        }
    }
    tags
}

/// What is worth a number: not zero, and not divided by it.
pub(super) fn fraction((over, under): (u32, u32)) -> Option<f64> {
    let value = f64::from(over) / f64::from(under);
    (under != 0 && over != 0).then_some(value)
}

/// To two digits.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// Seconds, as a camera shows them.
pub(super) fn exposure(seconds: f64) -> Option<String> {
    if !(1e-6..=1e6).contains(&seconds) {
        return None;
    }
    Some(if seconds >= 0.4 {
        format!("{}", (seconds * 10.0).round() / 10.0)
    } else {
        format!("1/{}", (1.0 / seconds).round())
    })
}

/// Whether this is a distance from UTC as RFC 3339 writes it: `+02:00`.
pub(super) fn is_offset(text: &str) -> bool {
    let [sign, h1, h2, b':', m1, m2] = text.as_bytes() else {
        return false;
    };
    let two = |a: &u8, b: &u8| (*a as char).to_digit(10).zip((*b as char).to_digit(10));
    let hours = two(h1, h2).is_some_and(|(tens, ones)| tens * 10 + ones <= 15);
    matches!(sign, b'+' | b'-') && hours && two(m1, m2).is_some_and(|(tens, _)| tens < 6)
}

/// A time as ISO 8601 writes it, with or without a clock, seconds, fractions and an offset. A
/// day without a clock begins at midnight.
pub(super) fn iso_moment(text: &str) -> Option<String> {
    let text = text.trim();
    let (local, offset) = match text.find('T').map(|at| (at, text[at..].find(['Z', '+', '-']))) {
        Some((at, Some(found))) => text.split_at(at + found),
        _ => (text, ""),
    };
    let at: jiff::civil::DateTime = local.parse().ok()?;
    let local = at.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let offset = if offset == "Z" { "+00:00" } else { offset };
    (0..=9999).contains(&at.year()).then(|| if is_offset(offset) { local + offset } else { local })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_one_clean_line() {
        assert_eq!(tidy(" a\u{7}b\n ").as_deref(), Some("ab"));
        assert_eq!(tidy("one\ntwo\u{202e}").as_deref(), Some("one two"));
        assert_eq!(tidy("\u{0}\u{1b} "), None);
        assert_eq!(tidy("é".repeat(900)).map(|text| text.chars().count()), Some(MAX_TEXT));
        assert_eq!(caption("é".repeat(900)).map(|text| text.chars().count()), Some(900));
    }

    #[test]
    fn tags_are_few_and_short() {
        let long = "x".repeat(MAX_TAG + 1);
        assert_eq!(tags(["sea", " Sea ", "", "Sun\0", &long]), ["sea", "Sun"]);
        let many: Vec<String> = (0..300).map(|n| n.to_string()).collect();
        assert_eq!(tags(many.iter().map(String::as_str)).len(), MAX_TAGS);
    }

    #[test]
    fn exposures_read_like_on_a_camera() {
        let shown = |parts| fraction(parts).and_then(exposure);
        assert_eq!(shown((10, 2000)).as_deref(), Some("1/200"));
        assert_eq!(shown((5, 2)).as_deref(), Some("2.5"));
        assert_eq!(shown((1, 0)), None);
        assert_eq!(shown((0, 7)), None);
        assert_eq!(exposure(f64::NAN), None);
    }

    #[test]
    fn times_come_in_many_lengths() {
        for (text, expected) in [
            ("2024-05-01T10:00:00+02:00", "2024-05-01T10:00:00+02:00"),
            ("2024-05-01T10:00:00.25Z", "2024-05-01T10:00:00+00:00"),
            ("2024-05-01T10:00", "2024-05-01T10:00:00"),
            ("1984-05-01", "1984-05-01T00:00:00"),
            ("2024-05-01T10:00:00-99:00", "2024-05-01T10:00:00"),
        ] {
            assert_eq!(iso_moment(text).as_deref(), Some(expected), "{text}");
        }
        for odd in ["", "T", "yesterday", "2024", "2024-13-01", "-0044-03-15", "2024-05-01Té"] {
            assert_eq!(iso_moment(odd), None, "{odd}");
        }
    }
}
