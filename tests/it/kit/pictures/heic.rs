//! HEIC files: one small picture, in as many boxes as the tests need.

use super::avif::{boxed, full};
use super::exif;

/// The parameters of a picture of 64 × 64, 4:2:0.
const CONFIGURATION: &[u8] = &[
    0x01, 0x03, 0x70, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x1e, 0xf0, 0x00, 0xfc,
    0xfd, 0xf8, 0xf8, 0x00, 0x00, 0x0f, 0x03, 0x20, 0x00, 0x01, 0x00, 0x18, 0x40, 0x01, 0x0c, 0x01,
    0xff, 0xff, 0x03, 0x70, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00,
    0x1e, 0xba, 0x02, 0x40, 0x21, 0x00, 0x01, 0x00, 0x2b, 0x42, 0x01, 0x01, 0x03, 0x70, 0x00, 0x00,
    0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00, 0x1e, 0xa0, 0x20, 0x81, 0x05, 0x96,
    0xea, 0x49, 0x29, 0xae, 0x6e, 0x04, 0x04, 0x0c, 0x08, 0x00, 0x00, 0x03, 0x00, 0x08, 0x00, 0x00,
    0x03, 0x00, 0x08, 0x40, 0x22, 0x00, 0x01, 0x00, 0x07, 0x44, 0x01, 0xc1, 0x72, 0xb0, 0x22, 0x40,
];

/// Four quarters, red and green above, blue and yellow below.
const FRAME: &[u8] = &[
    0x00, 0x00, 0x00, 0x37, 0x28, 0x01, 0xaf, 0x13, 0x80, 0xe5, 0x33, 0xc0, 0x9f, 0xff, 0xea, 0x2a,
    0x8f, 0xff, 0x75, 0xac, 0xf0, 0xfc, 0x1d, 0xd7, 0x29, 0x5b, 0xdf, 0x6b, 0xcf, 0xf3, 0x7a, 0xbf,
    0xfd, 0x58, 0x50, 0x49, 0xff, 0xe5, 0x1a, 0x08, 0xfc, 0x0d, 0xda, 0x7f, 0xe5, 0x82, 0x60, 0xe6,
    0xff, 0xf4, 0x0c, 0xed, 0xfe, 0xf0, 0x73, 0x0f, 0xa6, 0x4d, 0x60,
];

const SIDE: u32 = 64;

/// An item: its type, its bytes, and the numbers of its properties, counted from one.
type Item = (&'static [u8; 4], Vec<u8>, &'static [u8]);

/// What the boxes say.
pub(crate) struct Heic {
    pub size: (u32, u32),
    pub brand: &'static [u8; 4],
    /// Quarters of a turn against the clock, and an axis to mirror at, in the order of the file.
    pub turn: Option<u8>,
    pub mirror: Option<u8>,
    /// Two tiles side by side, of which 96 × 64 are shown.
    pub is_grid: bool,
    pub columns: u8,
    pub has_exif: bool,
    pub profile: Vec<u8>,
}

impl Default for Heic {
    fn default() -> Self {
        Self {
            size: (SIDE, SIDE),
            brand: b"heic",
            turn: None,
            mirror: None,
            is_grid: false,
            columns: 2,
            has_exif: false,
            profile: Vec::new(),
        }
    }
}

impl Heic {
    fn items(&self) -> Vec<Item> {
        let mut items: Vec<Item> = Vec::new();
        if self.is_grid {
            items.push((b"grid", vec![0, 0, 0, self.columns - 1, 0, 96, 0, 64], &[4, 5, 6, 7]));
            items.push((b"hvc1", FRAME.to_vec(), &[0x81, 2, 3]));
            items.push((b"hvc1", FRAME.to_vec(), &[0x81, 2, 3]));
        } else {
            items.push((b"hvc1", FRAME.to_vec(), &[0x81, 2, 3, 5, 6, 7]));
        }
        if self.has_exif {
            let camera = [&[0; 4][..], &exif::block(6, true)].concat();
            items.push((b"Exif", camera, &[]));
            items.push((b"mime", exif::xmp(), &[]));
        }
        items
    }

    fn properties(&self) -> Vec<u8> {
        let size =
            |(w, h): (u32, u32)| full(b"ispe", 0, &[w.to_be_bytes(), h.to_be_bytes()].concat());
        let profile = match &self.profile[..] {
            [] => b"nclx\0\x01\0\x0d\0\x06\x80".to_vec(),
            bytes => [b"prof", bytes].concat(),
        };
        [
            boxed(b"hvcC", CONFIGURATION),
            size(self.size),
            full(b"pixi", 0, &[3, 8, 8, 8]),
            size((96, 64)),
            boxed(b"colr", &profile),
            self.turn.map_or(boxed(b"free", &[]), |quarters| boxed(b"irot", &[quarters])),
            self.mirror.map_or(boxed(b"free", &[]), |axis| boxed(b"imir", &[axis])),
        ]
        .concat()
    }

    fn meta(&self, items: &[Item], data_at: usize) -> Vec<u8> {
        let count = items.len() as u8;
        let mut infos = vec![0, count];
        let mut locations = vec![0x44, 0, 0, count];
        let mut association = vec![0, 0, 0, count];
        let mut at = data_at as u32;
        for (index, (kind, bytes, properties)) in items.iter().enumerate() {
            let id = index as u8 + 1;
            let name: &[u8] = if *kind == b"mime" { b"\0application/rdf+xml\0" } else { b"\0" };
            infos.extend(full(b"infe", 2, &[&[0, id, 0, 0], &kind[..], name].concat()));
            locations.extend([0, id, 0, 0, 0, 1]);
            locations.extend(at.to_be_bytes());
            locations.extend((bytes.len() as u32).to_be_bytes());
            at += bytes.len() as u32;
            association.extend([0, id, properties.len() as u8]);
            association.extend(*properties);
        }
        let mut tiles = vec![0, 1, 0, self.columns];
        (0..self.columns).for_each(|at| tiles.extend([0, 2 + at % 2]));
        let references = if self.is_grid { boxed(b"dimg", &tiles) } else { Vec::new() };
        let body = [
            full(b"hdlr", 0, &[&[0; 4][..], b"pict", &[0; 13]].concat()),
            full(b"pitm", 0, &[0, 1]),
            full(b"iinf", 0, &infos),
            full(b"iref", 0, &references),
            boxed(
                b"iprp",
                &[boxed(b"ipco", &self.properties()), full(b"ipma", 0, &association)].concat(),
            ),
            full(b"iloc", 0, &locations),
        ]
        .concat();
        full(b"meta", 0, &body)
    }

    pub(crate) fn file(&self) -> Vec<u8> {
        let items = self.items();
        let head = boxed(b"ftyp", &[&self.brand[..], &[0; 4], b"mif1heic"].concat());
        let data_at = head.len() + self.meta(&items, 0).len() + 8;
        let data: Vec<u8> = items.iter().flat_map(|(_, bytes, _)| bytes.clone()).collect();
        [head, self.meta(&items, data_at), boxed(b"mdat", &data)].concat()
    }
}

/// Four quarters, 64 × 64.
pub(crate) fn heic() -> Vec<u8> {
    Heic::default().file()
}

/// A photograph of a telephone: two tiles, turned by 90° with the clock, with Exif and XMP that
/// tell the secret place.
pub(crate) fn heic_from_telephone() -> Vec<u8> {
    Heic { is_grid: true, turn: Some(3), has_exif: true, ..Heic::default() }.file()
}
