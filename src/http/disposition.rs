//! The `Content-Disposition` header: whether a file is shown or saved, and under which name.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What a browser should do with a file that it is handed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// Show it in place.
    Inline,
    /// Save it.
    Attachment,
}

/// What RFC 8187 lets stand as it is (`attr-char`).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// The value of the header (RFC 6266) for a file of any name: a plain ASCII `filename`, and beside
/// it the true one as `filename*` (RFC 8187) where ASCII cannot spell it.
pub fn content_disposition(kind: Disposition, filename: &str) -> String {
    let kind = match kind {
        Disposition::Inline => "inline",
        Disposition::Attachment => "attachment",
    };
    let name = harmless(filename);
    // Browsers disagree on backslashes and percent signs inside the quotes, so neither is used.
    let fallback: String = name
        .chars()
        .map(|c| if c.is_ascii() && !matches!(c, '"' | '\\' | '%') { c } else { '_' })
        .collect();
    if fallback == name {
        return format!("{kind}; filename=\"{name}\"");
    }
    let encoded = utf8_percent_encode(&name, ENCODED);
    format!("{kind}; filename=\"{fallback}\"; filename*=UTF-8''{encoded}")
}

/// The name without folders, without control characters, and without the marks that turn the
/// writing direction, which can make `gpj.exe` look like `exe.jpg`.
fn harmless(filename: &str) -> String {
    let turns = |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let kept = filename.chars().filter(|c| !c.is_control() && !turns(*c));
    let name: String = kept.map(|c| if matches!(c, '/' | '\\') { '_' } else { c }).collect();
    let name = name.trim();
    if matches!(name, "" | "." | "..") { "file".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spelled_so_that_every_browser_reads_them() {
        for (name, header) in [
            ("a b.jpg", r#"inline; filename="a b.jpg""#),
            ("", r#"inline; filename="file""#),
            ("..", r#"inline; filename="file""#),
            ("../../etc/passwd", r#"inline; filename=".._.._etc_passwd""#),
            ("C:\\a.jpg", r#"inline; filename="C:_a.jpg""#),
            ("a\r\nSet-Cookie: x\0.jpg", r#"inline; filename="aSet-Cookie: x.jpg""#),
            ("\u{202e}gpj.exe", r#"inline; filename="gpj.exe""#),
            (
                "a\";x=\"b.jpg",
                r#"inline; filename="a_;x=_b.jpg"; filename*=UTF-8''a%22%3Bx%3D%22b.jpg"#,
            ),
            ("100%.jpg", r#"inline; filename="100_.jpg"; filename*=UTF-8''100%25.jpg"#),
            (
                "Größe €.jpg",
                r#"inline; filename="Gr__e _.jpg"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%E2%82%AC.jpg"#,
            ),
        ] {
            assert_eq!(content_disposition(Disposition::Inline, name), header, "{name}");
        }
    }

    #[test]
    fn an_attachment_says_so() {
        let header = content_disposition(Disposition::Attachment, "a.jpg");
        assert_eq!(header, r#"attachment; filename="a.jpg""#);
    }
}
