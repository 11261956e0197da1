//! The TIFF directories inside an Exif block (CIPA DC-008), read without trusting an offset.
//! Finds values by tag; what they mean is for `metadata/exif.rs`.

#[derive(Clone, Copy)]
pub(super) struct Tiff<'a> {
    data: &'a [u8],
    little: bool,
}

/// One table of entries, twelve bytes each.
#[derive(Clone, Copy)]
pub(super) struct Directory<'a> {
    tiff: Tiff<'a>,
    entries: &'a [[u8; 12]],
}

/// The bytes of one value and how to read them.
struct Value<'a> {
    tiff: Tiff<'a>,
    kind: u16,
    bytes: &'a [u8],
}

impl<'a> Tiff<'a> {
    /// Takes the block with or without the marker `Exif\0\0` before it.
    pub(super) fn parse(block: &'a [u8]) -> Option<Directory<'a>> {
        let data = block.strip_prefix(b"Exif\0\0").unwrap_or(block);
        let little = match data.get(..4)? {
            b"II*\0" => true,
            b"MM\0*" => false,
            _ => return None,
        };
        let tiff = Tiff { data, little };
        tiff.directory(tiff.u32(data.get(4..8)?)?)
    }

    fn directory(self, at: u32) -> Option<Directory<'a>> {
        let rest = self.data.get(usize::try_from(at).ok()?..)?;
        let count = usize::from(self.u16(rest.get(..2)?)?);
        let (entries, _) = rest.get(2..2 + count * 12)?.as_chunks();
        Some(Directory { tiff: self, entries })
    }

    fn u16(self, bytes: &[u8]) -> Option<u16> {
        let bytes = *bytes.first_chunk()?;
        Some(if self.little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    }

    fn u32(self, bytes: &[u8]) -> Option<u32> {
        let bytes = *bytes.first_chunk()?;
        Some(if self.little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }
}

impl<'a> Directory<'a> {
    fn value(&self, tag: u16) -> Option<Value<'a>> {
        let tiff = self.tiff;
        let entry = self.entries.iter().find(|entry| tiff.u16(*entry) == Some(tag))?;
        let kind = tiff.u16(&entry[2..])?;
        let size = match kind {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 => 4,
            5 | 10 => 8,
            _ => return None,
        };
        let len = usize::try_from(tiff.u32(&entry[4..])?).ok()?.checked_mul(size)?;
        let bytes = if len <= 4 {
            &entry[8..8 + len]
        } else {
            let at = usize::try_from(tiff.u32(&entry[8..])?).ok()?;
            tiff.data.get(at..at.checked_add(len)?)?
        };
        // The entry borrows from the block, so the value may outlive this directory.
        Some(Value { tiff, kind, bytes })
    }

    /// A text, up to its first zero byte. What is not UTF-8 is replaced.
    pub(super) fn text(&self, tag: u16) -> Option<String> {
        let value = self.value(tag).filter(|value| value.kind == 2)?;
        let text = value.bytes.split(|byte| *byte == 0).next()?;
        Some(String::from_utf8_lossy(text).into_owned())
    }

    pub(super) fn number(&self, tag: u16) -> Option<u32> {
        let value = self.value(tag)?;
        match value.kind {
            1 => value.bytes.first().map(|byte| u32::from(*byte)),
            3 => value.tiff.u16(value.bytes).map(u32::from),
            4 => value.tiff.u32(value.bytes),
            _ => None,
        }
    }

    /// The first fraction of a value, as numerator and denominator.
    pub(super) fn fraction(&self, tag: u16) -> Option<(u32, u32)> {
        self.fractions(tag)?.next()
    }

    /// The first fraction of a value whose parts may be negative.
    pub(super) fn signed_fraction(&self, tag: u16) -> Option<(i32, i32)> {
        let value = self.value(tag).filter(|value| value.kind == 10)?;
        let (over, under) = value.bytes.split_at_checked(4)?;
        let signed = |bytes| value.tiff.u32(bytes).map(u32::cast_signed);
        Some((signed(over)?, signed(under)?))
    }

    /// A text of two bytes for each letter, in a field of plain bytes, as Windows writes it.
    pub(super) fn wide_text(&self, tag: u16) -> Option<String> {
        let value = self.value(tag).filter(|value| value.kind == 1)?;
        let (letters, _) = value.bytes.as_chunks();
        let letters = letters.iter().map(|pair| u16::from_le_bytes(*pair));
        let text = char::decode_utf16(letters.take_while(|letter| *letter != 0));
        Some(text.map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
    }

    /// All fractions of a value. Signed ones count as absent.
    pub(super) fn fractions(&self, tag: u16) -> Option<impl Iterator<Item = (u32, u32)> + 'a> {
        let Value { tiff, kind, bytes } = self.value(tag)?;
        let pair = move |pair: &[u8; 8]| Some((tiff.u32(pair)?, tiff.u32(&pair[4..])?));
        (kind == 5).then(|| bytes.as_chunks().0.iter().filter_map(pair))
    }

    /// The directory that the value of this tag points at.
    pub(super) fn directory(&self, tag: u16) -> Option<Self> {
        self.tiff.directory(self.number(tag)?)
    }
}
