//! `checksums.json`: the files of an archive in their order, each with its length and hash. It
//! touches no file system.

use super::MEDIA;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use std::{
    cmp::Ordering,
    fmt,
    io::{self, BufReader, Read, Write},
};

/// A longer list is neither written nor read. It is enough for some 1.5 million files.
pub(super) const MAX_LIST: u64 = 256 << 20;
/// What an entry adds to the list besides its path, at most.
const ENTRY_TEXT: u64 = 128;

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Listed {
    pub path: String,
    pub bytes: u64,
    #[serde(serialize_with = "to_hex", deserialize_with = "from_hex")]
    pub sha256: [u8; 32],
}

#[derive(Default, Serialize)]
pub(super) struct List {
    files: Vec<Listed>,
    /// An upper bound for the length of this list as JSON.
    #[serde(skip)]
    text: u64,
}

impl List {
    /// Says why a media file may not stand here, if so: the order leaves room for every name once,
    /// and for no file that is also a folder.
    pub(super) fn admits(&self, path: &str) -> Result<(), String> {
        if self.text + ENTRY_TEXT + path.len() as u64 > MAX_LIST {
            return Err(format!("there are too many files, from `{path}` on"));
        }
        let Some(last) = self.files.last().filter(|last| last.path.starts_with(MEDIA)) else {
            return Ok(());
        };
        match last.path.split('/').cmp(path.split('/')) {
            Ordering::Equal => Err(format!("`{path}` is there twice")),
            Ordering::Greater => Err(format!("`{path}` is there twice, or not in its order")),
            Ordering::Less if is_below(path, &last.path) => {
                Err(format!("`{path}` lies in `{}`, which is a file", last.path))
            }
            Ordering::Less => Ok(()),
        }
    }

    pub(super) fn push(&mut self, listed: Listed) {
        self.text += ENTRY_TEXT + listed.path.len() as u64;
        self.files.push(listed);
    }

    pub(super) fn write(&self, to: impl Write) -> serde_json::Result<()> {
        serde_json::to_writer(to, self)
    }

    /// The length of what [`write`](Self::write) writes.
    pub(super) fn length(&self) -> serde_json::Result<u64> {
        let mut length = Length(0);
        self.write(&mut length)?;
        Ok(length.0)
    }

    /// Reads a list to its end and says where it first differs from this one. The other list is
    /// never in memory as a whole.
    pub(super) fn compare(&self, other: impl Read) -> serde_json::Result<Option<String>> {
        let mut comparison = Comparison { found: &self.files, at: 0, wrong: None };
        let mut json = serde_json::Deserializer::from_reader(BufReader::new(other));
        Document(&mut comparison).deserialize(&mut json)?;
        json.end()?;
        Ok(comparison.end())
    }
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

struct Length(u64);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Holds what a list says against what was found in the archive, entry by entry.
struct Comparison<'a> {
    found: &'a [Listed],
    at: usize,
    wrong: Option<String>,
}

impl Comparison<'_> {
    fn next(&mut self, listed: &Listed) {
        if self.wrong.is_some() {
            return;
        }
        self.wrong = match self.found.get(self.at) {
            Some(found) if found == listed => None,
            Some(found) if found.path == listed.path => {
                Some(format!("`{}` is not what it was when it was packed", found.path))
            }
            // Both lists are in order, so the smaller name is the one the other list lacks.
            Some(found) if found.path.split('/').lt(listed.path.split('/')) => {
                Some(format!("`{}` is not listed", found.path))
            }
            _ => Some(format!("{} is listed and not there", shown(&listed.path))),
        };
        self.at += 1;
    }

    fn end(self) -> Option<String> {
        self.wrong.or_else(|| {
            self.found.get(self.at).map(|found| format!("`{}` is not listed", found.path))
        })
    }
}

/// A name from the list, which may be anything, as it can be shown.
fn shown(name: &str) -> String {
    let start: String = name.chars().take(200).collect();
    format!("`{}`", start.escape_debug())
}

/// The object around the list.
struct Document<'a, 'b>(&'a mut Comparison<'b>);

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a list of files")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = false;
        while let Some(key) = map.next_key::<String>()? {
            if key != "files" {
                map.next_value::<IgnoredAny>()?;
            } else if std::mem::replace(&mut seen, true) {
                return Err(de::Error::duplicate_field("files"));
            } else {
                map.next_value_seed(Files(&mut *self.0))?;
            }
        }
        if seen { Ok(()) } else { Err(de::Error::missing_field("files")) }
    }
}

/// The list itself.
struct Files<'a, 'b>(&'a mut Comparison<'b>);

impl<'de> DeserializeSeed<'de> for Files<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Files<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of files")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut files: A) -> Result<(), A::Error> {
        while let Some(listed) = files.next_element::<Listed>()? {
            self.0.next(&listed);
        }
        Ok(())
    }
}

fn to_hex<S: Serializer>(bytes: &[u8; 32], json: S) -> Result<S::Ok, S::Error> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value & 15)]);
    let text: String = bytes.iter().flat_map(|b| [digit(b >> 4), digit(*b)]).collect();
    json.serialize_str(&text)
}

fn from_hex<'de, D: Deserializer<'de>>(json: D) -> Result<[u8; 32], D::Error> {
    let text = String::deserialize(json)?;
    parse_hex(&text).ok_or_else(|| de::Error::custom("a hash has 64 hexadecimal digits"))
}

fn parse_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    if pairs.len() != bytes.len() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        let digit = |d: u8| char::from(d).to_digit(16).and_then(|d| u8::try_from(d).ok());
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}
