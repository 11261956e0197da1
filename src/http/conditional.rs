//! Which of its bytes a request gets, if any: the preconditions and ranges of RFC 9110, decided
//! from headers alone. No byte is read here.

use http_range_header::{EndPosition, StartPosition, SyntacticallyCorrectRange};
use poem::http::header::{
    HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE,
};
use poem::http::{HeaderMap, Method};
use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Bytes that do not change, and what is known about them without reading them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// A strong entity tag with its quotes: the same tag promises the same bytes.
    pub etag: String,
    /// When the bytes came into being. Used to the second.
    pub modified: SystemTime,
    /// In bytes.
    pub length: u64,
    /// The type that the content was recognised as, never one that somebody claimed.
    pub mime: String,
    /// The value of `Cache-Control`.
    pub cache_control: String,
    /// The value of `Content-Disposition`, see [`super::disposition`].
    pub disposition: Option<String>,
}

/// What to answer with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// 304: the client has it already.
    NotModified,
    /// 412: the client wanted another version, or none.
    PreconditionFailed,
    /// 416: no byte of what was asked for exists.
    NotSatisfiable,
    /// 200: everything.
    Whole,
    /// 206: these, at least one, none empty and none touching another.
    Parts(Vec<Range<u64>>),
}

/// Parts that one answer may have. A player or a PDF viewer asks for a handful; more is cheaper
/// answered in full.
const MOST_PARTS: usize = 16;

/// Ranges that are looked at at all: a header of thousands is an attack, or nonsense.
const MOST_ASKED: usize = 256;

/// Weighs the headers in the order of RFC 9110, section 13.2.2. Headers that cannot be read count
/// as absent, as the standard asks.
pub fn decide(method: &Method, headers: &HeaderMap, entity: &Entity) -> Answer {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let modified = whole_seconds(entity.modified);

    if headers.contains_key(IF_MATCH) {
        if !names_etag(headers, &IF_MATCH, &entity.etag, Comparison::Strong) {
            return Answer::PreconditionFailed;
        }
    } else if date(headers, &IF_UNMODIFIED_SINCE).is_some_and(|limit| modified > limit) {
        return Answer::PreconditionFailed;
    }

    if headers.contains_key(IF_NONE_MATCH) {
        if names_etag(headers, &IF_NONE_MATCH, &entity.etag, Comparison::Weak) {
            return if reads { Answer::NotModified } else { Answer::PreconditionFailed };
        }
    } else if reads && date(headers, &IF_MODIFIED_SINCE).is_some_and(|since| modified <= since) {
        return Answer::NotModified;
    }

    if *method == Method::GET && range_still_holds(headers, entity) {
        return parts(headers, entity.length);
    }
    Answer::Whole
}

/// Whether the bytes that the client wants to continue are still the same ones. A weak tag proves
/// nothing about bytes, and a date must be the very one that was handed out.
fn range_still_holds(headers: &HeaderMap, entity: &Entity) -> bool {
    let Some(value) = headers.get(IF_RANGE) else { return true };
    let Ok(text) = value.to_str() else { return false };
    if text.starts_with('"') || text.starts_with("W/") {
        return text.trim_end() == entity.etag;
    }
    date(headers, &IF_RANGE) == Some(whole_seconds(entity.modified))
}

fn parts(headers: &HeaderMap, length: u64) -> Answer {
    let mut values = headers.get_all(RANGE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Answer::Whole };
    let parsed = value.to_str().ok().and_then(|v| http_range_header::parse_range_header(v).ok());
    let Some(asked) = parsed.map(|parsed| parsed.ranges) else { return Answer::Whole };
    if length == 0 || asked.len() > MOST_ASKED || asked.iter().any(is_reversed) {
        return Answer::Whole;
    }
    let wanted = asked.iter().filter_map(|range| within(range, length));
    let parts = coalesce(wanted);
    match parts.len() {
        0 => Answer::NotSatisfiable,
        1..=MOST_PARTS => Answer::Parts(parts),
        _ => Answer::Whole,
    }
}

/// `5-2` makes the whole header invalid, wherever in it.
fn is_reversed(range: &SyntacticallyCorrectRange) -> bool {
    matches!(
        (range.start, range.end),
        (StartPosition::Index(first), EndPosition::Index(last)) if first > last
    )
}

/// The bytes that exist of what was asked for.
fn within(range: &SyntacticallyCorrectRange, length: u64) -> Option<Range<u64>> {
    let start = match range.start {
        StartPosition::Index(first) => first,
        StartPosition::FromLast(count) => length.saturating_sub(count),
    };
    let end = match range.end {
        EndPosition::Index(last) => last.saturating_add(1).min(length),
        EndPosition::LastByte => length,
    };
    (start < end).then_some(start..end)
}

/// Joins what overlaps or touches, so that no byte is sent twice; otherwise keeps the order in
/// which the client asked.
fn coalesce(ranges: impl Iterator<Item = Range<u64>>) -> Vec<Range<u64>> {
    let mut kept: Vec<Range<u64>> = Vec::new();
    for mut range in ranges {
        let touches = |other: &Range<u64>, range: &Range<u64>| {
            other.start <= range.end && range.start <= other.end
        };
        // Asked again after each union: having grown, it may touch one more.
        while let Some(at) = kept.iter().position(|other| touches(other, &range)) {
            let other = kept.remove(at);
            range = range.start.min(other.start)..range.end.max(other.end);
        }
        kept.push(range);
    }
    kept
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    /// Both tags promise the very same bytes.
    Strong,
    /// Good enough for "I have it": `W/` is overlooked.
    Weak,
}

/// Whether a list of entity tags names ours; `*` names any.
fn names_etag(headers: &HeaderMap, name: &HeaderName, ours: &str, how: Comparison) -> bool {
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).any(|list| {
        list.trim() == "*"
            || etags(list).any(|(weak, tag)| tag == ours && (how == Comparison::Weak || !weak))
    })
}

/// The tags of a list, each with its quotes and whether it was marked as weak. Ends at the first
/// thing that is no tag. Commas may stand inside the quotes, so the list cannot simply be split.
fn etags(list: &str) -> impl Iterator<Item = (bool, &str)> {
    let mut rest = list;
    std::iter::from_fn(move || {
        let text = rest.trim_start_matches([',', ' ', '\t']);
        let (weak, text) = text.strip_prefix("W/").map_or((false, text), |text| (true, text));
        let inside = text.strip_prefix('"')?;
        let end = inside.find('"')?;
        let (tag, after) = text.split_at_checked(end.checked_add(2)?)?;
        rest = after;
        Some((weak, tag))
    })
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?.trim()).ok()
}

/// HTTP dates know no fractions: without this, an unchanged file looks newer than its own date.
pub(super) fn whole_seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH + Duration::from_secs(since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODIFIED: &str = "Sat, 31 Jan 2026 09:30:00 GMT";
    const BEFORE: &str = "Sat, 31 Jan 2026 09:29:59 GMT";
    const AFTER: &str = "Sat, 31 Jan 2026 09:30:01 GMT";

    fn entity(length: u64) -> Entity {
        Entity {
            etag: "\"a,b\"".to_owned(),
            modified: httpdate::parse_http_date(MODIFIED).unwrap() + Duration::from_millis(250),
            length,
            mime: "image/png".to_owned(),
            cache_control: "private".to_owned(),
            disposition: None,
        }
    }

    fn asked(method: Method, headers: &[(HeaderName, &str)]) -> Answer {
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap()));
        let mut map = HeaderMap::new();
        headers.for_each(|(name, value)| {
            map.append(name, value);
        });
        decide(&method, &map, &entity(1_000))
    }

    fn get(headers: &[(HeaderName, &str)]) -> Answer {
        asked(Method::GET, headers)
    }

    fn range(text: &str) -> Answer {
        get(&[(RANGE, text)])
    }

    fn one(range: Range<u64>) -> Answer {
        Answer::Parts(vec![range])
    }

    #[test]
    fn without_conditions_everything_is_sent() {
        assert_eq!(get(&[]), Answer::Whole);
        assert_eq!(asked(Method::HEAD, &[]), Answer::Whole);
    }

    #[test]
    fn if_none_match_compares_weakly() {
        for list in
            ["\"a,b\"", "W/\"a,b\"", "\"x\", \"a,b\"", "\"x\",W/\"a,b\" , \"y\"", "*", " * "]
        {
            assert_eq!(get(&[(IF_NONE_MATCH, list)]), Answer::NotModified, "{list}");
            let put = asked(Method::PUT, &[(IF_NONE_MATCH, list)]);
            assert_eq!(put, Answer::PreconditionFailed, "{list}");
        }
        for list in ["\"a\"", "\"b\"", "a,b", "", "\"a,b", "w/\"a,b\"", "\"\""] {
            assert_eq!(get(&[(IF_NONE_MATCH, list)]), Answer::Whole, "{list}");
        }
        let two_lines = [(IF_NONE_MATCH, "\"x\""), (IF_NONE_MATCH, "\"a,b\"")];
        assert_eq!(get(&two_lines), Answer::NotModified);
    }

    #[test]
    fn if_match_compares_strongly() {
        for list in ["\"a,b\"", "\"x\", \"a,b\"", "*"] {
            assert_eq!(get(&[(IF_MATCH, list)]), Answer::Whole, "{list}");
        }
        for list in ["W/\"a,b\"", "\"x\"", ""] {
            assert_eq!(get(&[(IF_MATCH, list)]), Answer::PreconditionFailed, "{list}");
        }
    }

    #[test]
    fn dates_are_compared_in_whole_seconds() {
        for (since, answer) in [
            (BEFORE, Answer::Whole),
            (MODIFIED, Answer::NotModified),
            (AFTER, Answer::NotModified),
            ("yesterday", Answer::Whole),
        ] {
            assert_eq!(get(&[(IF_MODIFIED_SINCE, since)]), answer, "{since}");
            assert_eq!(asked(Method::HEAD, &[(IF_MODIFIED_SINCE, since)]), answer, "{since}");
            assert_eq!(asked(Method::PUT, &[(IF_MODIFIED_SINCE, since)]), Answer::Whole);
        }
        for (limit, answer) in [
            (BEFORE, Answer::PreconditionFailed),
            (MODIFIED, Answer::Whole),
            (AFTER, Answer::Whole),
            ("tomorrow", Answer::Whole),
        ] {
            assert_eq!(get(&[(IF_UNMODIFIED_SINCE, limit)]), answer, "{limit}");
        }
    }

    #[test]
    fn tags_outrank_dates_and_preconditions_outrank_freshness() {
        let stale_date = [(IF_NONE_MATCH, "\"x\""), (IF_MODIFIED_SINCE, AFTER)];
        assert_eq!(get(&stale_date), Answer::Whole);
        let same_tag = [(IF_MATCH, "\"a,b\""), (IF_UNMODIFIED_SINCE, BEFORE)];
        assert_eq!(get(&same_tag), Answer::Whole);
        let both = [(IF_MATCH, "\"x\""), (IF_NONE_MATCH, "\"a,b\"")];
        assert_eq!(get(&both), Answer::PreconditionFailed);
        let fresh = [(IF_NONE_MATCH, "\"a,b\""), (RANGE, "bytes=0-1")];
        assert_eq!(get(&fresh), Answer::NotModified);
    }

    #[test]
    fn a_range_is_cut_to_what_exists() {
        assert_eq!(range("bytes=0-0"), one(0..1));
        assert_eq!(range("bytes=10-19"), one(10..20));
        assert_eq!(range("bytes=990-"), one(990..1_000));
        assert_eq!(range("bytes=990-5000"), one(990..1_000));
        assert_eq!(range("bytes=-10"), one(990..1_000));
        assert_eq!(range("bytes=-5000"), one(0..1_000));
        assert_eq!(range(&format!("bytes=0-{}", u64::MAX)), one(0..1_000));
    }

    #[test]
    fn ranges_beyond_the_end_cannot_be_satisfied() {
        assert_eq!(range("bytes=1000-"), Answer::NotSatisfiable);
        assert_eq!(range("bytes=1000-2000, 5000-"), Answer::NotSatisfiable);
        assert_eq!(range("bytes=1000-, 0-1"), one(0..2));
    }

    #[test]
    fn a_malformed_range_is_ignored() {
        for text in [
            "",
            "bytes",
            "bytes=",
            "bytes=a-b",
            "bytes=5-2",
            "bytes=0-1,5-2",
            "bytes=--1",
            "bytes=-",
            "bytes=0-1,x",
            "items=0-1",
            "bytes=99999999999999999999999-",
            "0-1",
        ] {
            assert_eq!(range(text), Answer::Whole, "{text}");
        }
        assert_eq!(get(&[(RANGE, "bytes=0-1"), (RANGE, "bytes=2-3")]), Answer::Whole);
    }

    #[test]
    fn ranges_are_for_get_and_for_things_that_have_bytes() {
        assert_eq!(asked(Method::HEAD, &[(RANGE, "bytes=0-1")]), Answer::Whole);
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, "bytes=0-1".parse().unwrap());
        assert_eq!(decide(&Method::GET, &headers, &entity(0)), Answer::Whole);
    }

    #[test]
    fn several_ranges_are_joined_where_they_touch() {
        assert_eq!(range("bytes=100-199, 0-9"), Answer::Parts(vec![100..200, 0..10]));
        assert_eq!(range("bytes=0-9, 10-19"), one(0..20));
        assert_eq!(range("bytes=0-9, 20-29, 5-24"), one(0..30));
        assert_eq!(range("bytes=0-, 0-, 0-"), one(0..1_000));
    }

    #[test]
    fn too_many_ranges_get_everything() {
        let spread = |count: usize| {
            let ranges: Vec<_> = (0..count).map(|n| format!("{}-{}", n * 3, n * 3)).collect();
            range(&format!("bytes={}", ranges.join(",")))
        };
        assert!(matches!(spread(MOST_PARTS), Answer::Parts(parts) if parts.len() == MOST_PARTS));
        assert_eq!(spread(MOST_PARTS + 1), Answer::Whole);
        assert_eq!(range(&format!("bytes={}0-0", "0-0,".repeat(MOST_ASKED))), Answer::Whole);
    }

    #[test]
    fn if_range_continues_only_the_same_bytes() {
        for (validator, answer) in [
            ("\"a,b\"", one(0..2)),
            ("W/\"a,b\"", Answer::Whole),
            ("\"x\"", Answer::Whole),
            (MODIFIED, one(0..2)),
            (BEFORE, Answer::Whole),
            (AFTER, Answer::Whole),
            ("nonsense", Answer::Whole),
        ] {
            let answered = get(&[(RANGE, "bytes=0-1"), (IF_RANGE, validator)]);
            assert_eq!(answered, answer, "{validator}");
        }
        assert_eq!(get(&[(IF_RANGE, "\"a,b\"")]), Answer::Whole);
    }
}
