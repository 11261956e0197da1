//! Keyset paging: a page is asked for by the key it starts after, so that page one thousand costs
//! what page one costs, and nothing is ever counted.

use super::{Error, Result};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// How many items a page may have: 1 to 100.
#[derive(Debug, Clone, Copy)]
pub struct Limit(u32);

impl Limit {
    pub const DEFAULT: u32 = 24;
    pub const MOST: u32 = 100;

    pub fn parse(asked: Option<u32>) -> Result<Self> {
        match asked.unwrap_or(Self::DEFAULT) {
            n @ 1..=Self::MOST => Ok(Self(n)),
            _ => Err(Error::invalid("limit", format!("must be 1 to {}", Self::MOST))),
        }
    }

    pub fn get(self) -> usize {
        self.0 as usize
    }
}

/// Where a page starts. Outside it is opaque text; its meaning may change between versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(pub i64);

impl Cursor {
    pub fn encode(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.to_be_bytes())
    }

    pub fn parse(field: &'static str, text: &str) -> Result<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|b| <[u8; 8]>::try_from(b).ok());
        let key = bytes.map(i64::from_be_bytes).filter(|key| *key > 0);
        key.map(Self).ok_or_else(|| Error::invalid(field, "is no cursor of this list"))
    }
}

/// From where, in which direction. Lists run from the newest to the oldest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    Start,
    /// Older than this one.
    After(Cursor),
    /// Newer than this one.
    Before(Cursor),
}

/// The part of a list that a caller asked for.
#[derive(Debug, Clone, Copy)]
pub struct Ask {
    pub from: From,
    pub limit: Limit,
}

impl Ask {
    pub fn parse(limit: Option<u32>, after: Option<&str>, before: Option<&str>) -> Result<Self> {
        let from = match (after, before) {
            (None, None) => From::Start,
            (Some(after), None) => From::After(Cursor::parse("after", after)?),
            (None, Some(before)) => From::Before(Cursor::parse("before", before)?),
            (Some(_), Some(_)) => {
                return Err(Error::invalid("before", "cannot be combined with `after`"));
            }
        };
        Ok(Self { from, limit: Limit::parse(limit)? })
    }

    /// The same for a page of no more than so many.
    pub fn at_most(mut self, most: Option<u64>) -> Self {
        let most = most.map_or(u32::MAX, |n| u32::try_from(n.max(1)).unwrap_or(u32::MAX));
        self.limit = Limit(self.limit.0.min(most));
        self
    }

    /// One more than the page holds: whether there is a next page is then known without counting.
    pub fn rows(&self) -> i64 {
        self.limit.get() as i64 + 1
    }
}

/// A page, newest first, and how to get to its neighbours.
#[derive(Debug, Clone)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<Cursor>,
    pub prev: Option<Cursor>,
}

impl<T> Page<T> {
    /// Makes a page of the rows read for `ask`: up to [`Ask::rows`] of them, nearest first.
    pub fn of(ask: &Ask, mut rows: Vec<T>, key: impl Fn(&T) -> i64) -> Self {
        let more = rows.len() > ask.limit.get();
        rows.truncate(ask.limit.get());
        let backwards = matches!(ask.from, From::Before(_));
        if backwards {
            rows.reverse();
        }
        let at = |item: Option<&T>| item.map(|i| Cursor(key(i)));
        let (first, last) = (at(rows.first()), at(rows.last()));
        let (next, prev) = match ask.from {
            From::Start => (more.then_some(last).flatten(), None),
            From::After(_) => (more.then_some(last).flatten(), first),
            From::Before(_) => (last, more.then_some(first).flatten()),
        };
        Self { items: rows, next, prev }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(limit: u32, from: From, rows: &[i64]) -> Page<i64> {
        Page::of(&Ask { from, limit: Limit::parse(Some(limit)).unwrap() }, rows.to_vec(), |n| *n)
    }

    #[test]
    fn a_cursor_is_read_back_and_nothing_else_is() {
        assert_eq!(Cursor::parse("after", &Cursor(42).encode()).unwrap(), Cursor(42));
        for bad in ["", "42", "AAAAAAAAAAA", "_________w8", "!"] {
            assert!(Cursor::parse("after", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn neighbours_are_known_without_counting() {
        let first = page(2, From::Start, &[9, 8, 7]);
        assert_eq!((first.items, first.next, first.prev), (vec![9, 8], Some(Cursor(8)), None));
        let last = page(2, From::After(Cursor(8)), &[7]);
        assert_eq!((last.items, last.next, last.prev), (vec![7], None, Some(Cursor(7))));
        let back = page(2, From::Before(Cursor(7)), &[8, 9]);
        assert_eq!((back.items, back.next, back.prev), (vec![9, 8], Some(Cursor(8)), None));
    }
}
