//! Text that was checked once. A value of one of these types is the proof; there is no other way
//! to make one, so no path into the database skips the check.

use super::{Error, Result};

macro_rules! text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl rusqlite::ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
                self.0.to_sql()
            }
        }
    };
}

text!(/// How a person is named in addresses: 3 to 32 of `a-z`, `0-9`, `_`, `-` and `.`, lower-cased.
    Username);
text!(/// A postal address of the internet kind, lower-cased; it is not proven to exist.
    Email);
text!(/// A caption of up to 200 characters.
    Title);
text!(/// A text of up to 10,000 characters that may have lines.
    Description);
text!(/// A free word of up to 64 characters.
    Tag);
text!(/// A label that a person gives to a thing of theirs: 1 to 100 characters.
    Label);
text!(/// The name a file came with: no folders, no control characters, up to 200 characters.
    Filename);

impl Username {
    pub fn parse(text: &str) -> Result<Self> {
        let name = text.trim().to_lowercase();
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-.".contains(&b);
        let ends_well = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
        let bytes = name.as_bytes();
        if !(3..=32).contains(&bytes.len())
            || !bytes.iter().all(|b| plain(*b))
            || !ends_well(bytes.first())
            || !ends_well(bytes.last())
        {
            return Err(Error::invalid(
                "username",
                "must be 3 to 32 letters, digits, `_`, `-` or `.`, with a letter or digit at both ends",
            ));
        }
        Ok(Self(name))
    }
}

impl Email {
    pub fn parse(text: &str) -> Result<Self> {
        let address = text.trim().to_lowercase();
        let sound = address.len() <= 254
            && !address.chars().any(|c| c.is_whitespace() || c.is_control())
            && address.rsplit_once('@').is_some_and(|(user, host)| {
                !user.is_empty()
                    && user.len() <= 64
                    && !user.contains('@')
                    && !host.starts_with(['.', '-'])
                    && !host.ends_with(['.', '-'])
                    && host.chars().all(|c| c.is_alphanumeric() || c == '.' || c == '-')
                    && !host.is_empty()
            });
        if sound { Ok(Self(address)) } else { Err(Error::invalid("email", "is no e-mail address")) }
    }
}

impl Title {
    /// `None` where nothing is left after trimming.
    pub fn parse(text: &str) -> Result<Option<Self>> {
        Ok(line("title", text, 200)?.map(Self))
    }
}

impl Description {
    /// `None` where nothing is left after trimming.
    pub fn parse(text: &str) -> Result<Option<Self>> {
        let text: String =
            text.trim().chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
        if text.chars().count() > 10_000 {
            return Err(Error::invalid("description", "is over 10000 characters"));
        }
        Ok((!text.is_empty()).then_some(Self(text)))
    }
}

impl Tag {
    pub fn parse(text: &str) -> Result<Self> {
        let tag = line("tags", text.trim().trim_start_matches('#'), 64)?;
        let tag = tag.ok_or_else(|| Error::invalid("tags", "has an empty tag"))?;
        if tag.contains(',') {
            return Err(Error::invalid("tags", "has a tag with a comma in it"));
        }
        Ok(Self(tag.to_lowercase()))
    }

    /// Every tag once, in the order they came. Each text may hold several, parted by commas.
    pub fn parse_list<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Vec<Self>> {
        const MOST: usize = 50;
        let mut tags = Vec::new();
        for text in texts.into_iter().flat_map(|t| t.split(',')).filter(|t| !t.trim().is_empty()) {
            let tag = Self::parse(text)?;
            if !tags.contains(&tag) {
                tags.push(tag);
            }
            if tags.len() > MOST {
                return Err(Error::invalid("tags", format!("has more than {MOST} tags")));
            }
        }
        Ok(tags)
    }
}

impl Label {
    pub fn parse(field: &'static str, text: &str) -> Result<Self> {
        let label = line(field, text, 100)?;
        label.map(Self).ok_or_else(|| Error::invalid(field, "is empty"))
    }
}

impl Filename {
    /// What is left of the name when everything that could be a path or a trick is taken away;
    /// `file` where that is nothing. A name is no reason to refuse a picture.
    pub fn from_client(text: &str) -> Self {
        let last = text.rsplit(['/', '\\']).next().unwrap_or_default();
        let tidy: String =
            last.chars().filter(|c| !c.is_control() && !bidi(*c)).take(200).collect();
        let tidy = tidy.trim().trim_start_matches('.');
        Self(if tidy.is_empty() || tidy == "-" { "file".to_owned() } else { tidy.to_owned() })
    }

    /// The name with another ending, where it ends differently from what the bytes are.
    #[must_use]
    pub fn with_extension(&self, extension: &str) -> Self {
        let stem = self.stem();
        let current = self.0.get(stem.len()..).unwrap_or_default().trim_start_matches('.');
        let same = current.eq_ignore_ascii_case(extension)
            || (extension == "jpg" && current.eq_ignore_ascii_case("jpeg"));
        if same { self.clone() } else { Self(format!("{stem}.{extension}")) }
    }

    fn stem(&self) -> &str {
        match self.0.rsplit_once('.') {
            // An ending is short and plain; `Dr. Who at sea` has none.
            Some((stem, end))
                if !stem.is_empty()
                    && (1..=5).contains(&end.len())
                    && end.bytes().all(|b| b.is_ascii_alphanumeric()) =>
            {
                stem
            }
            _ => &self.0,
        }
    }

    /// The stem as a [`slug`], for addresses and for files on disk.
    pub fn slug(&self) -> String {
        let slug = slug(self.stem());
        if slug.is_empty() { "file".to_owned() } else { slug }
    }
}

/// Up to 60 of `a-z`, `0-9` and single hyphens: what an address can carry of a text. Empty where
/// nothing of it can be carried.
pub fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars() {
        if slug.len() >= 60 {
            break;
        }
        match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9') => slug.push(c),
            _ if slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// One line: trimmed, without control or direction-changing characters, not over `most`
/// characters; `None` where empty.
fn line(field: &'static str, text: &str, most: usize) -> Result<Option<String>> {
    let line: String = text.trim().chars().filter(|c| !c.is_control() && !bidi(*c)).collect();
    if line.chars().count() > most {
        return Err(Error::invalid(field, format!("is over {most} characters")));
    }
    Ok((!line.is_empty()).then_some(line))
}

/// Characters that turn the direction of text, so that `gpj.exe` reads as `exe.jpg`.
fn bidi(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_are_plain_and_lower_case() {
        assert_eq!(Username::parse(" Ana ").unwrap().as_str(), "ana");
        for bad in ["", "ab", "-ana", "ana.", "a b c", "ánna", &"x".repeat(33)] {
            assert!(Username::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_have_two_halves() {
        assert_eq!(Email::parse("Ana@Example.org").unwrap().as_str(), "ana@example.org");
        assert!(Email::parse("ana@localhost").is_ok());
        for bad in ["", "ana", "@x.org", "ana@", "a b@x.org", "a@b@c.org", "ana@.org"] {
            assert!(Email::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_file_name_keeps_nothing_of_its_path() {
        let name = |t| Filename::from_client(t).as_str().to_owned();
        assert_eq!(name("../../etc/passwd"), "passwd");
        assert_eq!(name(r"C:\fakepath\beach.jpg"), "beach.jpg");
        assert_eq!(name(""), "file");
        assert_eq!(name("-"), "file");
        assert_eq!(name(".."), "file");
        assert_eq!(name("a\r\nb\u{202e}gpj.exe"), "abgpj.exe");
    }

    #[test]
    fn a_wrong_ending_is_mended() {
        let mend = |t: &str, e| Filename::from_client(t).with_extension(e).as_str().to_owned();
        assert_eq!(mend("beach.png", "jpg"), "beach.jpg");
        assert_eq!(mend("beach.JPEG", "jpg"), "beach.JPEG");
        assert_eq!(mend("beach", "webp"), "beach.webp");
        assert_eq!(mend("Dr. Who at sea", "gif"), "Dr. Who at sea.gif");
    }

    #[test]
    fn slugs_are_safe_in_addresses() {
        assert_eq!(Filename::from_client("Été à la plage (1).jpg").slug(), "t-la-plage-1");
        assert_eq!(Filename::from_client("日本.jpg").slug(), "file");
        assert_eq!(slug("  Hello,  World!  "), "hello-world");
        assert!(slug(&"long ".repeat(100)).len() <= 60);
    }

    #[test]
    fn tags_are_parted_by_commas_and_kept_once() {
        let tags = Tag::parse_list(["Sea, #sun", "sea", ""]).unwrap();
        assert_eq!(tags.iter().map(Tag::as_str).collect::<Vec<_>>(), ["sea", "sun"]);
        assert!(Tag::parse_list([&*"x".repeat(65)]).is_err());
    }
}
