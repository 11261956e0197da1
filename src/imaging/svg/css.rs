//! Style sheets and values of drawings: which of them stay inside the drawing. Whatever is not
//! plainly harmless is left out; escapes and at-rules are never understood.

use super::words;

/// Functions that a value may call, besides `url` with a place inside the drawing.
const FUNCTIONS: &[&str] = &[
    "rgb",
    "rgba",
    "hsl",
    "hsla",
    "matrix",
    "translate",
    "translatex",
    "translatey",
    "scale",
    "scalex",
    "scaley",
    "rotate",
    "skewx",
    "skewy",
    "rect",
    "blur",
    "brightness",
    "contrast",
    "drop-shadow",
    "grayscale",
    "hue-rotate",
    "invert",
    "opacity",
    "saturate",
    "sepia",
];

/// Pictures that may lie inside a drawing.
const PICTURES: &[&str] = &["png", "jpeg", "jpg", "gif", "webp"];

/// A name inside the drawing.
pub(super) fn is_id(id: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
    !id.is_empty() && id.chars().all(is_plain)
}

/// The address of a picture that is itself the picture, as it is usually written.
pub(super) fn picture(address: &str) -> Option<String> {
    let (head, data) = address.split_once(',')?;
    let kind = head.to_ascii_lowercase();
    let kind = kind.strip_prefix("data:image/")?.strip_suffix(";base64")?;
    let kind = PICTURES.iter().find(|known| **known == kind)?;
    let is_code = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    let data: String = data.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    data.chars().all(is_code).then(|| format!("data:image/{kind};base64,{data}"))
}

/// Whether a value calls nothing but what is known, and names nothing outside.
pub(super) fn is_harmless(value: &str) -> bool {
    if value.contains(['\\', '@', '{', '}']) || value.contains("/*") {
        return false;
    }
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('(') {
        let before = before.trim_end();
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let from = before.rfind(|c| !is_part(c)).map_or(0, |at| at + 1);
        // What ends in a letter beyond ASCII is the name of no function.
        let Some(name) = before.get(from..) else { return false };
        rest = if name.eq_ignore_ascii_case("url") {
            match local(after) {
                Some(rest) => rest,
                None => return false,
            }
        } else if FUNCTIONS.iter().any(|known| name.eq_ignore_ascii_case(known)) {
            after
        } else {
            return false;
        };
    }
    true
}

/// What follows behind `#name)`, with or without quotes.
fn local(text: &str) -> Option<&str> {
    let (inside, rest) = text.split_once(')')?;
    let inside = inside.trim();
    let quote = inside.chars().next().filter(|c| matches!(c, '"' | '\''));
    let inside = match quote {
        Some(quote) => inside.strip_prefix(quote)?.strip_suffix(quote)?,
        None => inside,
    };
    is_id(inside.strip_prefix('#')?).then_some(rest)
}

/// Declarations as they stand in `style="…"`, in the usual form.
pub(super) fn declarations(text: &str) -> String {
    let text = without_comments(text);
    let kept: Vec<String> = text.split(';').filter_map(declaration).collect();
    kept.join(";")
}

fn declaration(text: &str) -> Option<String> {
    let (name, value) = text.split_once(':')?;
    let name = name.trim().to_ascii_lowercase();
    let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_plain = |c: char| c.is_alphanumeric() || " .,-+%#()/'\"!_*".contains(c);
    let is_whole = |quote: char| value.matches(quote).count() % 2 == 0;
    let is_sound = !value.is_empty()
        && value.chars().all(is_plain)
        && is_whole('"')
        && is_whole('\'')
        && value.matches('(').count() == value.matches(')').count()
        && is_harmless(&value);
    (is_sound && words::is_property(&name)).then(|| format!("{name}:{value}"))
}

/// The rules of a style sheet, in the usual form.
pub(super) fn sheet(text: &str) -> String {
    let text = without_comments(text);
    let mut rest = text.trim_start();
    let mut out = String::new();
    while let Some(at) = rest.find(['{', ';', '}']) {
        let (head, tail) = rest.split_at(at);
        if !tail.starts_with('{') {
            // The end of a statement such as `@import`, or of nothing.
            rest = &tail[1..];
            continue;
        }
        let Some((body, behind)) = block(&tail[1..]) else { break };
        rest = behind;
        let selector = head.split_whitespace().collect::<Vec<_>>().join(" ");
        let is_plain = |c: char| c.is_alphanumeric() || " .,-_#*>+~:".contains(c);
        let body = if body.contains('{') { String::new() } else { declarations(body) };
        if !body.is_empty() && !selector.is_empty() && selector.chars().all(is_plain) {
            out.push_str(&selector);
            out.push('{');
            out.push_str(&body);
            out.push('}');
        }
    }
    out
}

/// What stands before the brace that ends a block, and what behind it.
fn block(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0usize;
    for (at, brace) in text.match_indices(['{', '}']) {
        match (brace, depth) {
            ("{", _) => depth += 1,
            (_, 0) => return Some((&text[..at], &text[at + 1..])),
            _ => depth -= 1,
        }
    }
    None
}

/// A space for each comment, so that nothing new comes together.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, comment)) = rest.split_once("/*") {
        out.push_str(before);
        out.push(' ');
        rest = comment.split_once("*/").map_or("", |(_, behind)| behind);
    }
    out.push_str(rest);
    out
}
