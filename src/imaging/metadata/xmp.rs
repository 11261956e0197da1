//! What programs write: XMP (ISO 16684-1), a packet of RDF in XML. Knows the properties that are
//! listed here; a packet that breaks off tells what stands before the break.

use quick_xml::NsReader;
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};

use super::words::{caption, exposure, iso_moment, rounded, tags, tidy};
use super::{Gps, Metadata, Projection};

/// Bounds on how long a packet is looked at: elements, texts and attributes in all, and elements
/// inside one another. Honest packets are far below, but for histories of edits.
const MAX_STEPS: usize = 50_000;
const MAX_DEPTH: usize = 64;

/// Values that are kept, and bytes of each.
const MAX_VALUES: usize = 500;
const MAX_VALUE: usize = 8_000;

const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";

/// The schemas in which something is looked for.
const SCHEMAS: &[(&str, &str)] = &[
    ("http://purl.org/dc/elements/1.1/", "dc"),
    ("http://ns.adobe.com/photoshop/1.0/", "photoshop"),
    ("http://ns.adobe.com/xap/1.0/", "xmp"),
    ("http://ns.adobe.com/tiff/1.0/", "tiff"),
    ("http://ns.adobe.com/exif/1.0/", "exif"),
    ("http://cipa.jp/exif/1.0/", "exifEX"),
    ("http://ns.adobe.com/exif/1.0/aux/", "aux"),
    ("http://ns.google.com/photos/1.0/panorama/", "GPano"),
];

pub(super) fn read(packet: &[u8]) -> Metadata {
    let text = String::from_utf8_lossy(packet);
    let mut walk = Walk::default();
    let mut reader = NsReader::from_str(&text);
    while walk.steps < MAX_STEPS && walk.next(&mut reader).is_some() {}
    walk.found.metadata()
}

/// Properties by their usual names: `dc:title`.
#[derive(Default)]
struct Found(Vec<(String, String)>);

/// Where the walk stands. What a description's attributes and children say are properties.
#[derive(Default)]
struct Walk {
    found: Found,
    steps: usize,
    depth: usize,
    /// The depth of the description that is open.
    described: Option<usize>,
    /// The property that is open, nameless if nobody asks for it, and its depth.
    property: Option<(Option<String>, usize)>,
    /// The text of the property, or of the value of it that is open.
    text: String,
}

impl Walk {
    /// Takes in one event. Nothing at the end, where the packet is broken, and where it brings
    /// entities of its own.
    fn next(&mut self, reader: &mut NsReader<&[u8]>) -> Option<()> {
        self.steps += 1;
        match reader.read_event().ok()? {
            Event::Start(element) => self.open(reader, &element)?,
            Event::Empty(element) => {
                self.open(reader, &element)?;
                self.close();
            }
            Event::End(_) => self.close(),
            Event::Text(text) => self.add(&text.xml10_content()),
            Event::CData(text) => self.add(&text.xml10_content()),
            Event::GeneralRef(name) => match name.resolve_char_ref() {
                Ok(Some(letter)) => self.add(letter.encode_utf8(&mut [0; 4])),
                _ => self.add(resolve_predefined_entity(&name.into_inner()).unwrap_or_default()),
            },
            Event::DocType(_) | Event::Eof => return None,
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
        }
        Some(())
    }

    fn open(&mut self, reader: &NsReader<&[u8]>, element: &BytesStart<'_>) -> Option<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        match (self.described, &self.property) {
            (None, _) => {
                let (schema, name) = reader.resolver().resolve_element(element.name());
                let is_rdf = matches!(schema, ResolveResult::Bound(Namespace(RDF)));
                if is_rdf && name.as_ref() == "Description" {
                    self.described = Some(self.depth);
                    self.attributes(reader, element);
                }
            }
            (Some(_), None) => {
                let (schema, name) = reader.resolver().resolve_element(element.name());
                self.property = Some((property(&schema, name.as_ref()), self.depth));
                self.text.clear();
            }
            // One value of several begins.
            (Some(_), Some((_, at))) if self.depth == at + 2 => self.text.clear(),
            _ => {}
        }
        Some(())
    }

    fn attributes(&mut self, reader: &NsReader<&[u8]>, element: &BytesStart<'_>) {
        // Without the reader's own check that no name comes twice, which nobody needs here.
        for attribute in element.attributes().with_checks(false) {
            self.steps += 1;
            let Ok(attribute) = attribute else { return };
            if self.steps > MAX_STEPS {
                return;
            }
            let (schema, name) = reader.resolver().resolve_attribute(attribute.key);
            if let Some(name) = property(&schema, name.as_ref())
                && let Ok(value) = attribute.normalized_value(XmlVersion::Implicit1_0)
            {
                self.found.keep(&name, &value);
            }
        }
    }

    fn close(&mut self) {
        if let Some((name, at)) = &self.property {
            let ends = self.depth == *at;
            if ends || self.depth == at + 2 {
                if let Some(name) = name {
                    self.found.keep(name, &self.text);
                }
                self.text.clear();
            }
            if ends {
                self.property = None;
            }
        }
        if self.described == Some(self.depth) {
            self.described = None;
        }
        self.depth = self.depth.saturating_sub(1);
    }

    fn add(&mut self, text: &str) {
        let is_value =
            |(_, at): &(Option<String>, usize)| self.depth == *at || self.depth == at + 2;
        if self.property.as_ref().is_some_and(is_value) {
            let room = MAX_VALUE.saturating_sub(self.text.len());
            self.text.push_str(&text[..text.floor_char_boundary(room)]);
        }
    }
}

/// The usual name of a property in one of the schemas.
fn property(schema: &ResolveResult<'_>, name: &str) -> Option<String> {
    let ResolveResult::Bound(Namespace(schema)) = schema else {
        return None;
    };
    let (_, short) = SCHEMAS.iter().find(|(long, _)| long == schema)?;
    Some(format!("{short}:{name}"))
}

impl Found {
    fn keep(&mut self, name: &str, value: &str) {
        if self.0.len() < MAX_VALUES && !value.trim().is_empty() {
            let value = &value[..value.floor_char_boundary(MAX_VALUE)];
            self.0.push((name.to_owned(), value.to_owned()));
        }
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |found| found.0 == name).map(|found| found.1.as_str())
    }

    /// The first value of the first of these properties that has any.
    fn text(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.all(name).find_map(tidy))
    }

    fn fraction(&self, name: &str) -> Option<f64> {
        self.all(name).next().and_then(number)
    }

    fn whole(&self, names: &[&str]) -> Option<u32> {
        let number: u32 = self.text(names)?.parse().ok()?;
        (number > 0).then_some(number)
    }

    fn metadata(&self) -> Metadata {
        let moments = ["exif:DateTimeOriginal", "photoshop:DateCreated", "xmp:CreateDate"];
        let sphere = |kind: &str| kind.trim().eq_ignore_ascii_case("equirectangular");
        let lens = self.text(&["exifEX:LensModel", "aux:Lens"]);
        Metadata {
            title: self.text(&["dc:title", "photoshop:Headline"]),
            description: self.all("dc:description").find_map(caption),
            tags: tags(self.all("dc:subject")),
            camera_make: self.text(&["tiff:Make"]),
            camera_model: self.text(&["tiff:Model"]),
            lens_make: self.text(&["exifEX:LensMake"]),
            lens,
            exposure_time: self.fraction("exif:ExposureTime").and_then(exposure),
            f_number: self.fraction("exif:FNumber").filter(|number| *number > 0.0).map(rounded),
            iso: self.whole(&["exifEX:PhotographicSensitivity", "exif:ISOSpeedRatings"]),
            focal_length_mm: self.fraction("exif:FocalLength").filter(|mm| *mm > 0.0).map(rounded),
            focal_length_35mm: self.whole(&["exif:FocalLengthIn35mmFilm"]),
            exposure_bias: self.fraction("exif:ExposureBiasValue").map(rounded),
            taken_at: moments.iter().find_map(|name| self.all(name).find_map(iso_moment)),
            gps: self.gps(),
            city: self.text(&["photoshop:City"]),
            country: self.text(&["photoshop:Country"]),
            software: self.text(&["xmp:CreatorTool"]),
            artist: self.text(&["dc:creator"]),
            copyright: self.text(&["dc:rights"]),
            projection: (self.all("GPano:ProjectionType").any(sphere))
                .then_some(Projection::Equirectangular),
            ..Metadata::default()
        }
    }

    fn gps(&self) -> Option<Gps> {
        let degrees = |name: &str| self.all(name).next().and_then(degrees);
        let below = self.all("exif:GPSAltitudeRef").next().is_some_and(|side| side.trim() == "1");
        let height = self.fraction("exif:GPSAltitude").map(rounded);
        Gps {
            latitude: degrees("exif:GPSLatitude")?,
            longitude: degrees("exif:GPSLongitude")?,
            altitude_m: height.map(|height| if below { -height } else { height }),
        }
        .checked()
    }
}

/// A number, or one over another: `10/2000`.
fn number(text: &str) -> Option<f64> {
    let (over, under) = text.trim().split_once('/').unwrap_or((text.trim(), "1"));
    let (over, under): (f64, f64) = (over.parse().ok()?, under.parse().ok()?);
    let value = over / under;
    (under != 0.0 && value.abs() < 1e9).then_some(value)
}

/// Degrees, minutes and perhaps seconds, and a point of the compass: `48,51.4933N`.
fn degrees(text: &str) -> Option<f64> {
    let text = text.trim();
    let (parts, side) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let sign = match side {
        "N" | "E" => 1.0,
        "S" | "W" => -1.0,
        _ => return None,
    };
    let mut sum = 0.0;
    for (part, share) in parts.split(',').zip([1.0, 60.0, 3600.0]) {
        let part: f64 = part.trim().parse().ok()?;
        sum += part / share;
    }
    (0.0..=180.0).contains(&sum).then_some((sum * sign * 1e6).round() / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = r#"<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
        <x:xmpmeta xmlns:x="adobe:ns:meta/">
        <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">"#;
    const TAIL: &str = r#"</rdf:RDF></x:xmpmeta><?xpacket end="w"?>"#;

    fn packet(attributes: &str, children: &str) -> String {
        let names = SCHEMAS.iter().map(|(long, short)| format!(r#" xmlns:{short}="{long}""#));
        let names: String = names.collect();
        format!("{HEAD}<rdf:Description{names} {attributes}>{children}</rdf:Description>{TAIL}")
    }

    fn told(attributes: &str, children: &str) -> Metadata {
        read(packet(attributes, children).as_bytes())
    }

    #[test]
    fn properties_are_children_or_attributes() {
        let found = told(
            r#"photoshop:City="Lisboa" photoshop:Country="Portugal" xmp:CreatorTool="Darkroom &amp; Co"
               exif:FNumber="28/10" exif:ExposureTime="1/200" exif:ExposureBiasValue="-1/3"
               exif:GPSLatitude="48,51.4933N" exif:GPSLongitude="2,17,40.2W" exif:GPSAltitude="71/2""#,
            "<dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">A <![CDATA[<boat>]]></rdf:li>
             <rdf:li xml:lang=\"pt\">Um barco</rdf:li></rdf:Alt></dc:title>
             <dc:description><rdf:Alt><rdf:li>In the\nharbour &#x2014; &lt;b&gt;</rdf:li></rdf:Alt>
             </dc:description>
             <dc:subject><rdf:Bag><rdf:li>sea</rdf:li><rdf:li> </rdf:li><rdf:li>boat</rdf:li>
             </rdf:Bag></dc:subject>
             <dc:creator><rdf:Seq><rdf:li>Ada</rdf:li></rdf:Seq></dc:creator>
             <exif:ISOSpeedRatings><rdf:Seq><rdf:li>400</rdf:li></rdf:Seq></exif:ISOSpeedRatings>
             <xmp:CreateDate>2024-05-01T10:00:00+02:00</xmp:CreateDate>
             <aux:Lens>35mm f/2</aux:Lens><tiff:Make/>",
        );
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        assert_eq!(text(&found.title), "A <boat>");
        assert_eq!(text(&found.description), "In the harbour — <b>");
        assert_eq!(found.tags, ["sea", "boat"]);
        assert_eq!((text(&found.artist), text(&found.lens)), ("Ada".into(), "35mm f/2".into()));
        assert_eq!((text(&found.city), text(&found.country)), ("Lisboa".into(), "Portugal".into()));
        assert_eq!(text(&found.software), "Darkroom & Co");
        assert_eq!(text(&found.exposure_time), "1/200");
        assert_eq!((found.f_number, found.iso), (Some(2.8), Some(400)));
        assert_eq!(found.exposure_bias, Some(-0.33));
        assert_eq!(text(&found.taken_at), "2024-05-01T10:00:00+02:00");
        let gps = found.gps.unwrap();
        assert_eq!((gps.latitude, gps.longitude), (48.858_222, -2.294_5));
        assert_eq!((gps.altitude_m, found.camera_make), (Some(35.5), None));
    }

    #[test]
    fn a_sphere_says_so_in_either_form() {
        let attribute = told(r#"GPano:ProjectionType="equirectangular""#, "");
        let child = told("", "<GPano:ProjectionType>Equirectangular</GPano:ProjectionType>");
        assert!(attribute.is_360() && child.is_360());
        assert!(!told(r#"GPano:ProjectionType="cylindrical""#, "").is_360());
    }

    #[test]
    fn names_count_and_not_their_abbreviations() {
        let other = format!(
            r#"{HEAD}<rdf:Description xmlns:d="http://purl.org/dc/elements/1.1/"
               xmlns:dc="http://elsewhere.example/"><dc:title>No</dc:title><d:title>Yes</d:title>
               </rdf:Description>{TAIL}"#
        );
        assert_eq!(read(other.as_bytes()).title.as_deref(), Some("Yes"));
    }

    #[test]
    fn entities_of_its_own_end_a_packet() {
        let bomb = format!(
            "<!DOCTYPE x [<!ENTITY a \"{}\"><!ENTITY b \"&a;&a;&a;&a;\">]>{}",
            "x".repeat(10_000),
            packet("", "<dc:title>&b;&b;</dc:title>")
        );
        assert_eq!(read(bomb.as_bytes()), Metadata::default());
        assert_eq!(told("", "<dc:title>&unknown;</dc:title>").title, None);
    }

    #[test]
    fn no_packet_is_too_much() {
        let begun = std::time::Instant::now();
        let deep = "<dc:title>".repeat(100_000);
        let wide = "<dc:subject>x</dc:subject>".repeat(40_000);
        let long = format!("<dc:title>{}</dc:title>", "é".repeat(500_000));
        let names: String = (0..60_000).map(|n| format!(" a{n}=\"\"")).collect();
        let spaces: String = (0..30_000).map(|n| format!(" xmlns:a{n}=\"b{n}\"")).collect();
        assert_eq!(told("", &deep), Metadata::default());
        assert_eq!(told("", &wide).tags, ["x"]);
        assert!(told("", &long).title.is_some_and(|title| title.chars().count() == 500));
        told(&names, "");
        told(&spaces, "");
        assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
    }

    #[test]
    fn no_cut_makes_it_stumble() {
        let children = "<dc:title><rdf:Alt><rdf:li>é</rdf:li></rdf:Alt></dc:title>";
        let whole = packet(r#"photoshop:City="Lisboa""#, children);
        for len in 0..whole.len() {
            let _ = read(&whole.as_bytes()[..len]);
        }
        for odd in ["", "</a></b>", "<a", "\u{0}\u{1}", "&#1114112;&#0;", "<a b=></a>"] {
            assert_eq!(read(odd.as_bytes()), Metadata::default());
            let _ = told(odd, odd);
        }
        assert_eq!(degrees("é"), None);
        assert_eq!(degrees("91,0é"), None);
    }
}
