//! The `meta` box of HEIF files (ISO/IEC 23008-12): which items there are, where their bytes lie,
//! and their properties. Knows nothing of any codec.

use super::super::source::Span;
use super::boxes::Cut;

/// More than any honest file has.
const MAX_ITEMS: usize = 2_000;
const MAX_EXTENTS: usize = 8_000;

#[derive(Debug, Default)]
pub(super) struct Item {
    pub id: u64,
    pub kind: [u8; 4],
    /// In the file.
    pub extents: Vec<Span>,
    /// Indices into [`Meta::properties`], in the order in which they apply.
    pub properties: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct Property {
    pub kind: [u8; 4],
    pub value: Vec<u8>,
    /// Of the value, in the file.
    pub span: Span,
}

#[derive(Debug, Default)]
pub(super) struct Meta {
    pub items: Vec<Item>,
    pub properties: Vec<Property>,
    primary: u64,
    /// Items that others are derived from: of which, and from which, in order.
    inputs: Vec<(u64, Vec<u64>)>,
    /// The body of `idat`, in the file.
    pub data: Option<Span>,
}

impl Meta {
    /// Reads the body of a `meta` box that lies at `at` in its file.
    pub(super) fn parse(body: &[u8], at: u64) -> Option<Self> {
        let mut meta = Self::default();
        let mut rest = Cut(body);
        rest.version()?;
        let mut locations = None;
        while let Some((kind, inner)) = rest.next() {
            let inner_at = at + (body.len() - rest.0.len() - inner.0.len()) as u64;
            match &kind {
                b"pitm" => meta.primary = primary(inner)?,
                b"iinf" => meta.items = infos(inner)?,
                b"iloc" => locations = Some(inner),
                b"idat" => meta.data = Some(Span::new(inner_at, inner.0.len() as u64)),
                b"iprp" => meta.properties(inner, inner_at)?,
                b"iref" => meta.inputs = inputs(inner)?,
                _ => {}
            }
        }
        // Whatever the order of the boxes, items are known by now.
        meta.locations(locations?)?;
        meta.associations(Cut(body))?;
        Some(meta)
    }

    pub(super) fn primary(&self) -> Option<&Item> {
        self.items.iter().find(|item| item.id == self.primary)
    }

    pub(super) fn properties_of<'a>(
        &'a self,
        item: &'a Item,
    ) -> impl Iterator<Item = &'a Property> {
        item.properties.iter().filter_map(|index| self.properties.get(*index))
    }

    /// The items that one is derived from. One that is named twice comes twice.
    pub(super) fn inputs_of(&self, item: &Item) -> impl Iterator<Item = &Item> {
        let named = self.inputs.iter().filter(|(of, _)| *of == item.id).flat_map(|(_, from)| from);
        named.filter_map(|id| self.items.iter().find(|item| item.id == *id))
    }

    /// Width and height that the boxes claim for an item.
    pub(super) fn size_of(&self, item: &Item) -> Option<(u32, u32)> {
        self.properties_of(item).find(|property| &property.kind == b"ispe").and_then(size)
    }

    fn properties(&mut self, inner: Cut<'_>, at: u64) -> Option<()> {
        let whole = inner.0.len();
        let mut rest = inner;
        while let Some((kind, mut list)) = rest.next() {
            if &kind != b"ipco" {
                continue;
            }
            let end = at + (whole - rest.0.len()) as u64;
            while let Some((kind, value)) = list.next() {
                if self.properties.len() >= MAX_ITEMS {
                    return None;
                }
                let len = value.0.len() as u64;
                let span = Span::new(end - list.0.len() as u64 - len, len);
                self.properties.push(Property { kind, value: value.0.to_vec(), span });
            }
        }
        Some(())
    }

    fn locations(&mut self, mut list: Cut<'_>) -> Option<()> {
        let version = list.version()?;
        let sizes = list.number(2)?;
        let size = |shift: u32| (sizes >> shift & 15) as usize;
        let (offset, length, base, index) = (size(12), size(8), size(4), size(0));
        let wide = if version < 2 { 2 } else { 4 };
        let mut extents = 0;
        for _ in 0..count(list.number(wide)?)? {
            let id = list.number(wide)?;
            let method = if version == 0 { 0 } else { list.number(2)? & 15 };
            let elsewhere = list.number(2)? != 0;
            let base = list.number(base)?;
            let start = match method {
                0 => base,
                1 => base.checked_add(self.data?.at)?,
                _ => return None,
            };
            let item = self.items.iter_mut().find(|item| item.id == id);
            let mut found = Vec::new();
            for _ in 0..list.number(2)? {
                list.number(if version == 0 { 0 } else { index })?;
                let at = start.checked_add(list.number(offset)?)?;
                found.push(Span::new(at, list.number(length)?));
                extents += 1;
            }
            if elsewhere || extents > MAX_EXTENTS {
                return None;
            }
            if let Some(item) = item {
                item.extents = found;
            }
        }
        Some(())
    }

    fn associations(&mut self, mut meta: Cut<'_>) -> Option<()> {
        meta.version()?;
        let mut list = meta.find(b"iprp")?.find(b"ipma")?;
        let head = list.number(4)?;
        let wide = if head >> 24 == 0 { 2 } else { 4 };
        for _ in 0..count(list.number(4)?)? {
            let id = list.number(wide)?;
            let mut properties = Vec::new();
            for _ in 0..list.number(1)? {
                let index =
                    if head & 1 == 0 { list.number(1)? & 0x7f } else { list.number(2)? & 0x7fff };
                // Counted from one; zero stands for none.
                properties.extend((index as usize).checked_sub(1));
            }
            if let Some(item) = self.items.iter_mut().find(|item| item.id == id) {
                item.properties = properties;
            }
        }
        Some(())
    }
}

/// So many entries, if it is not too many.
fn count(entries: u64) -> Option<u64> {
    (entries <= MAX_ITEMS as u64).then_some(entries)
}

/// The value of an `ispe` property.
pub(super) fn size(property: &Property) -> Option<(u32, u32)> {
    let mut value = Cut(&property.value);
    value.version()?;
    Some((value.number(4)? as u32, value.number(4)? as u32))
}

fn primary(mut body: Cut<'_>) -> Option<u64> {
    let wide = if body.version()? == 0 { 2 } else { 4 };
    body.number(wide)
}

/// The references of the kind `dimg`.
fn inputs(mut body: Cut<'_>) -> Option<Vec<(u64, Vec<u64>)>> {
    let wide = if body.version()? == 0 { 2 } else { 4 };
    let mut inputs = Vec::new();
    let mut total = 0;
    while let Some((kind, mut list)) = body.next() {
        let of = list.number(wide)?;
        let count = list.number(2)?;
        total += count;
        if total > MAX_EXTENTS as u64 {
            return None;
        }
        let from = (0..count).map(|_| list.number(wide)).collect::<Option<_>>()?;
        if &kind == b"dimg" {
            inputs.push((of, from));
        }
    }
    Some(inputs)
}

fn infos(mut body: Cut<'_>) -> Option<Vec<Item>> {
    let wide = if body.version()? == 0 { 2 } else { 4 };
    body.number(wide)?;
    let mut items = Vec::new();
    while let Some((kind, mut entry)) = body.next() {
        if &kind != b"infe" {
            continue;
        }
        let wide = match entry.version()? {
            2 => 2,
            3 => 4,
            _ => return None,
        };
        let id = entry.number(wide)?;
        entry.number(2)?;
        let kind = *entry.take(4)?.first_chunk()?;
        if items.len() >= MAX_ITEMS {
            return None;
        }
        items.push(Item { id, kind, ..Item::default() });
    }
    Some(items)
}
