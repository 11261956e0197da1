//! SVG (version 2, and what is left of 1.1) written anew from the parts that only draw. Whatever
//! is not on the lists of `words.rs` is left out, and nobody is told. Draws nothing itself.

mod css;
mod size;
mod words;

use std::borrow::Cow;

use quick_xml::NsReader;
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};

use super::Error;
use words::Kind;

/// The longest drawing that is looked at, in bytes.
pub(super) const MAX_BYTES: u64 = 8 * 1024 * 1024;

/// Elements in all, inside one another, and steps of filters.
const MAX_ELEMENTS: usize = 100_000;
const MAX_DEPTH: usize = 100;
const MAX_FILTERS: usize = 500;

/// Attributes of one element, and namespaces declared by the elements that are open.
const MAX_ATTRIBUTES: usize = 150;
const MAX_NAMESPACES: usize = 200;

const SVG: &str = "http://www.w3.org/2000/svg";
const XLINK: &str = "http://www.w3.org/1999/xlink";
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// A drawing that only draws.
#[derive(Debug)]
pub(super) struct Drawing {
    pub text: String,
    /// As its author wants it, in CSS pixels.
    pub size: (f64, f64),
}

/// Whether a file may be a drawing, by its first bytes.
pub(super) fn begins(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let text = text.trim_start_matches('\u{feff}').trim_start();
    text.starts_with('<') && ["<svg", ":svg", "<!doctype svg"].iter().any(|w| text.contains(w))
}

/// The same drawing without anything that does more than draw: no scripts, no handlers, no
/// animation, no foreign content, no links, and nothing that is fetched from elsewhere. Cleaning
/// what has been cleaned gives the same text again.
///
/// # Errors
/// [`Error::Unknown`] if it is not SVG; [`Error::Damaged`] if it is no XML, and beyond the bounds
/// on depth and number.
pub(super) fn clean(bytes: &[u8]) -> Result<Drawing, Error> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::damaged("it is not in UTF-8"))?;
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = NsReader::from_str(text);
    let mut walk = Walk::default();
    while !walk.next(&mut reader)? {}
    let size = walk.root.size().ok_or_else(|| Error::damaged("it has no size"))?;
    if walk.out.len() as u64 > MAX_BYTES {
        return Err(too_much());
    }
    Ok(Drawing { text: walk.out, size })
}

fn broken() -> Error {
    Error::damaged("it is not well-formed")
}

fn too_much() -> Error {
    Error::damaged("it has too many parts")
}

/// An element that is open.
struct Open {
    /// Nothing where only what is inside is kept.
    name: Option<&'static str>,
    namespaces: usize,
}

/// Where the walk stands.
#[derive(Default)]
struct Walk {
    out: String,
    root: size::Root,
    open: Vec<Open>,
    /// Elements inside one that is left out, with itself.
    skipped: usize,
    /// The text of a style sheet that is open.
    sheet: String,
    elements: usize,
    filters: usize,
    namespaces: usize,
}

impl Walk {
    /// Takes in one event, and tells whether the drawing is at its end.
    fn next(&mut self, reader: &mut NsReader<&[u8]>) -> Result<bool, Error> {
        match reader.read_event().map_err(|_| broken())? {
            Event::Start(element) => self.begin(reader, &element)?,
            Event::Empty(element) => {
                self.begin(reader, &element)?;
                return Ok(self.end());
            }
            Event::End(_) => return Ok(self.end()),
            Event::Text(text) => self.add(&text.xml10_content()),
            Event::CData(text) => self.add(&text.xml10_content()),
            Event::GeneralRef(name) => match name.resolve_char_ref() {
                Ok(Some(letter)) => self.add(letter.encode_utf8(&mut [0; 4])),
                _ => self.add(resolve_predefined_entity(&name.into_inner()).unwrap_or_default()),
            },
            Event::Eof => return Err(Error::damaged("it ends in the middle")),
            Event::DocType(_) | Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
        }
        Ok(false)
    }

    fn begin(&mut self, reader: &NsReader<&[u8]>, element: &BytesStart<'_>) -> Result<(), Error> {
        if self.skipped > 0 {
            self.skipped += 1;
            return Ok(());
        }
        let (space, name) = reader.resolver().resolve_element(element.name());
        let is_svg = match space {
            ResolveResult::Bound(Namespace(space)) => space == SVG,
            // Many a program forgets to say it.
            ResolveResult::Unbound => true,
            ResolveResult::Unknown(_) => false,
        };
        let kind = if is_svg { words::element(name.as_ref()) } else { Kind::Dropped };
        if self.open.is_empty() && !matches!(kind, Kind::Kept("svg")) {
            return Err(Error::Unknown);
        }
        if self.is_sheet() {
            self.skipped = 1;
            return Ok(());
        }
        let name = match kind {
            Kind::Dropped => {
                self.skipped = 1;
                return Ok(());
            }
            Kind::Inside => None,
            Kind::Kept(name) => Some(name),
        };
        self.elements += 1;
        self.filters += usize::from(name.is_some_and(|name| name.starts_with("fe")));
        if self.open.len() >= MAX_DEPTH {
            return Err(Error::damaged("it is nested too deeply"));
        }
        if self.elements > MAX_ELEMENTS || self.filters > MAX_FILTERS {
            return Err(too_much());
        }
        let namespaces = self.write_begin(reader, element, name)?;
        self.namespaces += namespaces;
        if self.namespaces > MAX_NAMESPACES {
            return Err(too_much());
        }
        self.open.push(Open { name, namespaces });
        Ok(())
    }

    /// Writes the tag of an element that is kept, and counts the namespaces that it declares.
    fn write_begin(
        &mut self,
        reader: &NsReader<&[u8]>,
        element: &BytesStart<'_>,
        name: Option<&'static str>,
    ) -> Result<usize, Error> {
        let mut seen: Vec<&'static str> = Vec::new();
        let mut namespaces = 0;
        if let Some(name) = name {
            self.out.push('<');
            self.out.push_str(name);
            if self.open.is_empty() {
                self.out.push_str(" xmlns=\"");
                self.out.push_str(SVG);
                self.out.push('"');
            }
        }
        for (count, attribute) in element.attributes().with_checks(false).enumerate() {
            let attribute = attribute.map_err(|_| broken())?;
            if count >= MAX_ATTRIBUTES {
                return Err(too_much());
            }
            namespaces += usize::from(attribute.key.as_ref().starts_with("xmlns"));
            let Some(element) = name else { continue };
            let (space, local) = reader.resolver().resolve_attribute(attribute.key);
            let known = match (space, local.as_ref()) {
                (ResolveResult::Unbound, local) => words::attribute(local),
                (ResolveResult::Bound(Namespace(XLINK)), "href") => Some("href"),
                (ResolveResult::Bound(Namespace(XML)), "space") => Some("xml:space"),
                _ => None,
            };
            let Some(known) = known.filter(|known| !seen.contains(known)) else { continue };
            // A value with entities of the document's own is left out.
            let Ok(value) = attribute.normalized_value(XmlVersion::Implicit1_0) else { continue };
            let value = plain(&value, true);
            if let Some(value) = cleaned(element, known, value.trim()) {
                seen.push(known);
                if self.open.is_empty() {
                    self.root.note(known, &value);
                }
                self.out.push(' ');
                self.out.push_str(known);
                self.out.push_str("=\"");
                escape(&mut self.out, &value);
                self.out.push('"');
            }
        }
        if name.is_some() {
            self.out.push('>');
        }
        Ok(namespaces)
    }

    /// Ends the innermost element; tells whether it was the drawing itself.
    fn end(&mut self) -> bool {
        if self.skipped > 0 {
            self.skipped -= 1;
            return false;
        }
        if self.is_sheet() {
            let sheet = css::sheet(&std::mem::take(&mut self.sheet));
            escape(&mut self.out, &sheet);
        }
        let Some(Open { name, namespaces }) = self.open.pop() else { return false };
        self.namespaces -= namespaces;
        if let Some(name) = name {
            self.out.push_str("</");
            self.out.push_str(name);
            self.out.push('>');
        }
        self.open.is_empty()
    }

    fn innermost(&self) -> Option<&'static str> {
        self.open.iter().rev().find_map(|open| open.name)
    }

    fn is_sheet(&self) -> bool {
        self.innermost() == Some("style")
    }

    fn add(&mut self, text: &str) {
        match self.innermost() {
            _ if self.skipped > 0 => {}
            Some("style") => self.sheet.push_str(&plain(text, false)),
            Some(name) if words::holds_text(name) => escape(&mut self.out, &plain(text, false)),
            _ => {}
        }
    }
}

/// A value without anything that reaches out of the drawing.
fn cleaned<'a>(element: &str, name: &str, value: &'a str) -> Option<Cow<'a, str>> {
    match name {
        "href" => match value.strip_prefix('#') {
            Some(id) => css::is_id(id).then_some(Cow::Borrowed(value)),
            None if element == "image" => css::picture(value).map(Cow::Owned),
            None => None,
        },
        "style" => Some(Cow::Owned(css::declarations(value)))
            .filter(|text: &Cow<'_, str>| !text.is_empty()),
        _ => css::is_harmless(value).then_some(Cow::Borrowed(value)),
    }
}

/// Text without what XML cannot hold. White space in values becomes spaces, as readers have it.
fn plain(text: &str, is_value: bool) -> String {
    let letter = |letter: char| match letter {
        '\t' | '\n' | '\r' if is_value => Some(' '),
        '\r' => Some('\n'),
        '\t' | '\n' => Some(letter),
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => None,
        _ => Some(letter),
    };
    text.chars().filter_map(letter).collect()
}

/// Writes text so that reading it gives the same.
fn escape(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(letter),
        }
    }
}

#[cfg(test)]
mod tests;
