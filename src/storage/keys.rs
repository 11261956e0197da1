//! What stored things are called. Names are made from a template, a date, an id and checked words;
//! nothing that a client said gets in unchecked.

use crate::base::{Error, Result, clock::Millis, ids::PublicId};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use std::fmt;

/// Where the files of one item lie: `2026/01/31/beach-8fKq2ZtP12`.
///
/// Made from a [`Template`], or read back from the database. In the site's own folder it is a folder; elsewhere it is how the
/// keys of all files begin.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Folder(String);

impl Folder {
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |part: &str| {
            let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
            !part.is_empty() && part.bytes().all(is_plain)
        };
        (!text.is_empty() && text.split('/').all(plain)).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key of one of its files: that of `beach.thumb.jpg` is
    /// `2026/01/31/beach-8fKq2ZtP12.thumb.jpg`.
    pub fn key(&self, file: &str) -> String {
        let ending = file.split_once('.').map_or(file, |(_, ending)| ending);
        format!("{}.{ending}", self.0)
    }
}

impl ToSql for Folder {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for Folder {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::parse(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}

/// How keys are made, as in `{yyyy}/{mm}/{dd}/{name}-{id}.{ext}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(String);

const ENDING: &str = ".{ext}";
const WORDS: [&str; 5] = ["{yyyy}", "{mm}", "{dd}", "{name}", "{id}"];
const LONGEST: usize = 200;

impl Template {
    /// # Errors
    /// `Invalid` where keys made of it would not tell items apart, or would be no plain names.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |reason: &str| Error::invalid("template", reason);
        let Some(stem) = text.strip_suffix(ENDING) else {
            return Err(wrong("must end with `.{ext}`"));
        };
        if !stem.contains("{id}") {
            return Err(wrong("must contain `{id}`, which tells items apart"));
        }
        let plain = WORDS.iter().fold(stem.to_owned(), |text, word| text.replace(word, "x"));
        if text.len() > LONGEST || Folder::parse(&plain).is_none() {
            return Err(wrong(
                "may have letters, digits, `-`, `_` and `/` beside `{yyyy}`, `{mm}`, `{dd}`, \
                 `{name}` and `{id}`",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where a new item goes. `name` is a slug.
    pub fn folder(&self, created: Millis, id: &PublicId, name: &str) -> Folder {
        let date = created.timestamp();
        let name = if name == id.as_str() || Folder::parse(name).is_none() { "file" } else { name };
        let stem = self.0.trim_end_matches(ENDING);
        let text = stem
            .replace("{yyyy}", &date.strftime("%Y").to_string())
            .replace("{mm}", &date.strftime("%m").to_string())
            .replace("{dd}", &date.strftime("%d").to_string())
            .replace("{name}", name)
            .replace("{id}", id.as_str());
        Folder(text)
    }
}

impl Default for Template {
    fn default() -> Self {
        Self("{yyyy}/{mm}/{dd}/{name}-{id}.{ext}".to_owned())
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> PublicId {
        PublicId::parse("8fKq2ZtP12").unwrap()
    }

    #[test]
    fn keys_are_readable() {
        let folder = Template::default().folder(Millis(0), &id(), "beach");
        assert_eq!(folder.as_str(), "1970/01/01/beach-8fKq2ZtP12");
        assert_eq!(folder.key("beach.jpg"), "1970/01/01/beach-8fKq2ZtP12.jpg");
        assert_eq!(folder.key("beach.thumb-2.jpg"), "1970/01/01/beach-8fKq2ZtP12.thumb-2.jpg");
        assert_eq!(Folder::parse(folder.as_str()), Some(folder));
        let hidden = Template::default().folder(Millis(0), &id(), "8fKq2ZtP12");
        assert_eq!(hidden.as_str(), "1970/01/01/file-8fKq2ZtP12");
    }

    #[test]
    fn a_template_tells_items_apart_and_stays_in_its_place() {
        for good in ["{id}.{ext}", "a_b/{name}/{yyyy}{id}.{ext}", "{id}/{name}.{ext}"] {
            assert!(Template::parse(good).is_ok(), "{good}");
        }
        let long = format!("{{id}}{}.{{ext}}", "x".repeat(200));
        for bad in [
            "",
            ".{ext}",
            "{name}.{ext}",
            "{id}",
            "/{id}.{ext}",
            "../{id}.{ext}",
            "a//{id}.{ext}",
            "{id}.x.{ext}",
            "{id}{owner}.{ext}",
            "{id} .{ext}",
            "é{id}.{ext}",
            &long,
        ] {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_no_plain_name_is_no_folder() {
        for bad in ["", "/", "a//b", "../a", "a/.", "a b", "a.b", "a\0"] {
            assert!(Folder::parse(bad).is_none(), "{bad}");
        }
    }
}
