//! The elements of EBML (RFC 8794), which Matroska and WebM are. Knows how elements nest and not
//! what they mean.

use super::Error;
use super::source::{Source, Span};

/// An element inside a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element {
    pub id: u32,
    pub whole: Span,
    pub body: Span,
    /// Its length is not told: it ends where its parent does, or something begins that cannot be
    /// inside it.
    pub is_open: bool,
}

const VOID: u8 = 0xec;
const CRC: u32 = 0xbf;

/// The longest head: four bytes of an id and eight of a length.
const HEAD: u64 = 12;

fn broken() -> Error {
    Error::Damaged("one of its elements makes no sense")
}

/// The element that begins at a place inside `of`.
pub(super) fn at(source: &mut Source, at: u64, of: Span) -> Result<Element, Error> {
    let head = source.peek(at, HEAD)?;
    let id_len = head.first().map_or(9, |byte| byte.leading_zeros() as usize + 1);
    let (id, rest) = head.split_at_checked(id_len).filter(|_| id_len <= 4).ok_or_else(broken)?;
    let id = id.iter().fold(0u32, |sum, byte| sum << 8 | u32::from(*byte));
    let size_len = rest.first().map_or(9, |byte| byte.leading_zeros() as usize + 1);
    let size = rest.get(..size_len).filter(|_| size_len <= 8).ok_or_else(broken)?;
    let mask = (1u64 << (7 * size_len)) - 1;
    let size = size.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte)) & mask;
    let head_len = (id_len + size_len) as u64;
    let left = of.end().saturating_sub(at).saturating_sub(head_len);
    let is_open = size == mask;
    let len = if is_open { left } else { size };
    if len > left {
        return Err(Error::Damaged("one of its elements ends in the middle"));
    }
    let (whole, body) = (Span::new(at, head_len + len), Span::new(at + head_len, len));
    Ok(Element { id, whole, body, is_open })
}

/// Everything that lies in a run of bytes, in its order.
pub(super) fn children(source: &mut Source, of: Span) -> Result<Vec<Element>, Error> {
    /// As many as any honest element has.
    const MOST: usize = 100_000;
    let mut found = Vec::new();
    let mut next = of.at;
    while next < of.end() {
        let element = at(source, next, of)?;
        next = element.whole.end();
        if found.len() >= MOST {
            return Err(Error::Damaged("it is cut into too many pieces"));
        }
        found.push(element);
    }
    Ok(found)
}

/// The start of an element that says nothing, and takes exactly so many bytes with its zeros.
pub(super) fn void(len: u64) -> Option<Vec<u8>> {
    let body = len.checked_sub(2)?;
    if body < 0x7f {
        return Some(vec![VOID, 0x80 | body as u8]);
    }
    let mut head = vec![VOID];
    head.extend((len.checked_sub(9)? | 1 << 56).to_be_bytes());
    Some(head)
}

/// Whether the element is the checksum of its neighbours, which are about to change.
pub(super) fn is_checksum(element: &Element) -> bool {
    element.id == CRC
}

impl Element {
    pub(super) fn number(&self, source: &mut Source) -> Result<u64, Error> {
        let bytes = source.read(self.body.first(8))?;
        Ok(bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    /// A number with a fraction, if it is a sound one.
    pub(super) fn float(&self, source: &mut Source) -> Result<Option<f64>, Error> {
        let bytes = source.read(self.body.first(8))?;
        let number = match (<[u8; 4]>::try_from(&*bytes), <[u8; 8]>::try_from(&*bytes)) {
            (Ok(short), _) => f64::from(f32::from_be_bytes(short)),
            (_, Ok(long)) => f64::from_be_bytes(long),
            _ => return Ok(None),
        };
        Ok(Some(number).filter(|number| number.is_finite()))
    }

    pub(super) fn text(&self, source: &mut Source) -> Result<String, Error> {
        let bytes = source.read(self.body.first(16 * 1024))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_takes_as_much_as_what_was_there() {
        assert_eq!(void(2).unwrap(), [0xec, 0x80]);
        assert_eq!(void(100).unwrap(), [0xec, 0x80 | 98]);
        assert_eq!(void(129).unwrap(), [0xec, 1, 0, 0, 0, 0, 0, 0, 120]);
        assert!(void(1).is_none() && void(0).is_none());
    }
}
