//! One directory of a TIFF file (TIFF 6.0, section 2): read from a file with care, and written
//! anew. Knows tags as numbers, and not what they mean.

use super::super::Error;
use super::super::source::{Source, Span};

/// More entries than any honest directory has.
const MAX_ENTRIES: u16 = 1_000;

/// The header of a file and its first directory's place.
const HEADER: usize = 8;

fn broken() -> Error {
    Error::damaged("its directory makes no sense")
}

/// One line of a directory.
#[derive(Debug, Clone, Copy)]
struct Entry {
    tag: u16,
    kind: u16,
    count: u64,
    /// Where the values lie, in the file.
    at: u64,
}

impl Entry {
    /// Bytes of one value of a kind of number without a sign; zero for all other kinds.
    fn width(self) -> usize {
        match self.kind {
            1 | 7 => 1,
            3 => 2,
            4 => 4,
            _ => 0,
        }
    }
}

/// The first directory of a file.
#[derive(Debug)]
pub(super) struct Directory {
    pub is_little: bool,
    entries: Vec<Entry>,
}

impl Directory {
    pub(super) fn first(source: &mut Source) -> Result<Self, Error> {
        let mut directory = match source.array()? {
            [b'I', b'I', 42, 0] => Self { is_little: true, entries: Vec::new() },
            [b'M', b'M', 0, 42] => Self { is_little: false, entries: Vec::new() },
            _ => return Err(broken()),
        };
        let at = directory.number_in(&source.array::<4>()?);
        source.seek(at)?;
        let count = directory.number_in(&source.array::<2>()?) as u16;
        if count > MAX_ENTRIES {
            return Err(broken());
        }
        for _ in 0..count {
            let [t0, t1, k0, k1, count @ .., v0, v1, v2, v3] = source.array::<12>()?;
            let mut entry = Entry {
                tag: directory.number_in(&[t0, t1]) as u16,
                kind: directory.number_in(&[k0, k1]) as u16,
                count: directory.number_in(&count),
                at: source.at() - 4,
            };
            if entry.count * entry.width() as u64 > 4 {
                entry.at = directory.number_in(&[v0, v1, v2, v3]);
            }
            directory.entries.push(entry);
        }
        Ok(directory)
    }

    /// A number of up to eight bytes in the byte order of the file.
    fn number_in(&self, bytes: &[u8]) -> u64 {
        let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        if self.is_little { bytes.iter().rev().fold(0, add) } else { bytes.iter().fold(0, add) }
    }

    pub(super) fn has(&self, tag: u16) -> bool {
        self.entries.iter().any(|entry| entry.tag == tag)
    }

    /// The numbers behind a tag, of which there may be `most`; none where the tag is absent.
    pub(super) fn numbers(
        &self,
        source: &mut Source,
        tag: u16,
        most: u64,
    ) -> Result<Vec<u64>, Error> {
        let Some(entry) = self.entries.iter().find(|entry| entry.tag == tag) else {
            return Ok(Vec::new());
        };
        let width = entry.width();
        if width == 0 || entry.count > most {
            return Err(broken());
        }
        let bytes = source.read(Span::new(entry.at, entry.count * width as u64))?;
        Ok(bytes.chunks(width).map(|bytes| self.number_in(bytes)).collect())
    }

    /// The only number behind a tag.
    pub(super) fn number(&self, source: &mut Source, tag: u16) -> Result<Option<u64>, Error> {
        match self.numbers(source, tag, 1)?[..] {
            [number] => Ok(Some(number)),
            _ if self.has(tag) => Err(broken()),
            _ => Ok(None),
        }
    }

    /// Where a block lies that some programs call bytes and others numbers.
    pub(super) fn block(&self, tag: u16) -> Option<Span> {
        let entry = self.entries.iter().find(|entry| entry.tag == tag && entry.width() > 0)?;
        Some(Span::new(entry.at, entry.count * entry.width() as u64))
    }

    /// Where the bytes behind a tag lie.
    pub(super) fn bytes(&self, tag: u16) -> Option<Span> {
        let is_bytes = |entry: &&Entry| entry.tag == tag && entry.width() == 1;
        self.entries.iter().find(is_bytes).map(|entry| Span::new(entry.at, entry.count))
    }
}

/// The head of a new file: its header, and a directory with all values behind it.
pub(super) struct Head {
    is_little: bool,
    /// Tag, kind, and the values as bytes, ordered by tag.
    entries: Vec<(u16, u16, Vec<u8>)>,
}

impl Head {
    pub(super) fn new(is_little: bool) -> Self {
        Self { is_little, entries: Vec::new() }
    }

    fn put(&self, to: &mut Vec<u8>, value: u64, width: usize) {
        let bytes = value.to_le_bytes();
        let bytes = &bytes[..width.min(8)];
        if self.is_little { to.extend(bytes) } else { to.extend(bytes.iter().rev()) }
    }

    /// Numbers of two bytes each. Tags must come in ascending order.
    pub(super) fn short(&mut self, tag: u16, numbers: &[u64]) {
        self.numbers(tag, 3, numbers);
    }

    /// Numbers of four bytes each.
    pub(super) fn long(&mut self, tag: u16, numbers: &[u64]) {
        self.numbers(tag, 4, numbers);
    }

    fn numbers(&mut self, tag: u16, kind: u16, numbers: &[u64]) {
        let mut bytes = Vec::with_capacity(numbers.len() * 4);
        numbers.iter().for_each(|n| self.put(&mut bytes, *n, if kind == 3 { 2 } else { 4 }));
        self.entries.push((tag, kind, bytes));
    }

    pub(super) fn bytes(&mut self, tag: u16, bytes: Vec<u8>) {
        self.entries.push((tag, 7, bytes));
    }

    /// Puts other numbers, and as many, in place of those behind a tag of four bytes each.
    pub(super) fn replace(&mut self, tag: u16, numbers: &[u64]) {
        let mut bytes = Vec::with_capacity(numbers.len() * 4);
        numbers.iter().for_each(|n| self.put(&mut bytes, *n, 4));
        if let Some(entry) = self.entries.iter_mut().find(|(of, ..)| *of == tag) {
            entry.2 = bytes;
        }
    }

    pub(super) fn len(&self) -> u64 {
        let beyond = |(.., bytes): &(u16, u16, Vec<u8>)| match bytes.len() {
            0..=4 => 0,
            len => len.next_multiple_of(2),
        };
        let values: usize = self.entries.iter().map(beyond).sum();
        (HEADER + 2 + self.entries.len() * 12 + 4 + values) as u64
    }

    pub(super) fn finish(self) -> Vec<u8> {
        let mut head = if self.is_little { b"II*\0".to_vec() } else { b"MM\0*".to_vec() };
        self.put(&mut head, HEADER as u64, 4);
        self.put(&mut head, self.entries.len() as u64, 2);
        let mut values = Vec::new();
        let values_at = HEADER + 2 + self.entries.len() * 12 + 4;
        for (tag, kind, bytes) in &self.entries {
            let width = match kind {
                3 => 2,
                4 => 4,
                _ => 1,
            };
            self.put(&mut head, u64::from(*tag), 2);
            self.put(&mut head, u64::from(*kind), 2);
            self.put(&mut head, (bytes.len() / width) as u64, 4);
            if bytes.len() <= 4 {
                head.extend(bytes);
                head.extend(&[0; 4][bytes.len()..]);
            } else {
                self.put(&mut head, (values_at + values.len()) as u64, 4);
                values.extend(bytes);
                values.resize(values.len().next_multiple_of(2), 0);
            }
        }
        head.extend([0; 4]);
        head.extend(values);
        head
    }
}
