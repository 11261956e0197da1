//! Exif, XMP and IPTC blocks, written by hand. Not a library: it writes what the pictures here
//! need.

use super::SECRET;

/// One entry of a TIFF directory: tag, type, and its value as bytes.
struct Entry(u16, u16, u32, Vec<u8>);

fn ascii(tag: u16, text: &str) -> Entry {
    let mut value = text.as_bytes().to_vec();
    value.push(0);
    Entry(tag, 2, value.len() as u32, value)
}

fn short(tag: u16, value: u16) -> Entry {
    Entry(tag, 3, 1, value.to_le_bytes().to_vec())
}

fn long(tag: u16, value: u32) -> Entry {
    Entry(tag, 4, 1, value.to_le_bytes().to_vec())
}

fn rational(tag: u16, parts: &[(u32, u32)]) -> Entry {
    let value = parts.iter().flat_map(|(n, d)| [n.to_le_bytes(), d.to_le_bytes()]).flatten();
    Entry(tag, 5, parts.len() as u32, value.collect())
}

fn directory(at: u32, entries: Vec<Entry>) -> Vec<u8> {
    let mut table = (entries.len() as u16).to_le_bytes().to_vec();
    let mut beyond = Vec::new();
    let beyond_at = at + 2 + entries.len() as u32 * 12 + 4;
    for Entry(tag, kind, count, mut value) in entries {
        table.extend(tag.to_le_bytes());
        table.extend(kind.to_le_bytes());
        table.extend(count.to_le_bytes());
        if value.len() <= 4 {
            value.resize(4, 0);
            table.extend(value);
        } else {
            table.extend((beyond_at + beyond.len() as u32).to_le_bytes());
            beyond.extend(value);
        }
    }
    table.extend([0; 4]);
    table.extend(beyond);
    table
}

/// A camera's Exif block without the leading `Exif\0\0`: little-endian, taken in Paris.
pub(crate) fn block(orientation: u8, gps: bool) -> Vec<u8> {
    const FIRST: u32 = 8;
    const CAMERA: u32 = 1024;
    const GPS: u32 = 2048;
    let secret = String::from_utf8_lossy(SECRET);
    let mut first = vec![
        ascii(0x010e, "A street\u{7} in spring "),
        ascii(0x010f, "Lumen"),
        ascii(0x0110, "Lumen X100"),
        short(0x0112, u16::from(orientation)),
        ascii(0x0131, "Darkroom 4.2"),
        ascii(0x013b, &format!("Ada of {secret}")),
        ascii(0x8298, "All rights reserved"),
        long(0x8769, CAMERA),
    ];
    if gps {
        first.push(long(0x8825, GPS));
    }
    let camera = vec![
        rational(0x829a, &[(10, 2000)]),
        rational(0x829d, &[(28, 10)]),
        short(0x8827, 400),
        ascii(0x9003, "2024:05:01 10:00:00"),
        ascii(0x9011, "+02:00"),
        Entry(0x9204, 10, 1, [(-1i32).to_le_bytes(), 3i32.to_le_bytes()].concat()),
        short(0x9207, 5),
        short(0x9209, 0x19),
        rational(0x920a, &[(35, 1)]),
        short(0xa403, 1),
        short(0xa405, 52),
        ascii(0xa433, "Lumen Glass"),
        ascii(0xa434, "35mm f/2"),
    ];
    let place = vec![
        ascii(1, "N"),
        rational(2, &[(48, 1), (51, 1), (2960, 100)]),
        ascii(3, "E"),
        rational(4, &[(2, 1), (17, 1), (4020, 100)]),
        Entry(5, 1, 1, vec![0]),
        rational(6, &[(355, 10)]),
    ];
    let mut tiff = b"II*\0".to_vec();
    tiff.extend(FIRST.to_le_bytes());
    tiff.extend(directory(FIRST, first));
    tiff.resize(CAMERA as usize, 0);
    tiff.extend(directory(CAMERA, camera));
    if gps {
        tiff.resize(GPS as usize, 0);
        tiff.extend(directory(GPS, place));
    }
    tiff
}

/// A packet of a program that sorts pictures: a title, tags, and the secret place as its city.
pub(crate) fn xmp() -> Vec<u8> {
    let secret = String::from_utf8_lossy(SECRET);
    packet(
        &format!("photoshop:City=\"{secret}\" tiff:Model=\"Not the camera\""),
        "<dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">Spring &amp; rain</rdf:li></rdf:Alt>\
         </dc:title><dc:subject><rdf:Bag><rdf:li>street</rdf:li><rdf:li>rain</rdf:li></rdf:Bag>\
         </dc:subject>",
    )
}

/// A packet that says that the picture shows all around.
pub(crate) fn xmp_of_a_sphere() -> Vec<u8> {
    let secret = String::from_utf8_lossy(SECRET);
    packet("GPano:ProjectionType=\"equirectangular\"", &format!("<dc:title>{secret}</dc:title>"))
}

fn packet(attributes: &str, properties: &str) -> Vec<u8> {
    let packet = format!(
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\
         <x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\
         <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
         <rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" \
         xmlns:photoshop=\"http://ns.adobe.com/photoshop/1.0/\" \
         xmlns:tiff=\"http://ns.adobe.com/tiff/1.0/\" \
         xmlns:GPano=\"http://ns.google.com/photos/1.0/panorama/\" {attributes}>{properties}\
         </rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end=\"w\"?>"
    );
    packet.into_bytes()
}

/// The resources of Photoshop with an agency's caption, as Latin-1; the place is secret.
pub(crate) fn iptc() -> Vec<u8> {
    let texts: [(u8, &[u8]); 6] = [
        (5, b"Not the title"),
        (25, b"agency"),
        (90, b"Not the city"),
        (92, SECRET),
        (101, b"C\xf4te d'Ivoire"),
        (120, SECRET),
    ];
    let mut values = Vec::new();
    for (number, text) in texts {
        values.extend([0x1c, 2, number, 0, text.len() as u8]);
        values.extend(text);
    }
    let size = (values.len() as u32).to_be_bytes();
    [&b"8BIM\x04\x04\0\0"[..], &size, &values].concat()
}
