//! Whatever bytes are taken for a drawing: they are refused, or cleaned to XML that cleaning leaves
//! as it is, and that can neither run anything nor reach outside.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use vitrina::imaging::clean_svg;

/// What must not come through, by name.
const FORBIDDEN: &[&str] = &[
    "script",
    "foreignobject",
    "iframe",
    "a",
    "animate",
    "set",
    "animatetransform",
    "animatemotion",
    "handler",
    "embed",
    "object",
    "audio",
    "video",
    "link",
    "meta",
];

fn check(element: &BytesStart<'_>) {
    let name = element.name().as_ref().to_ascii_lowercase();
    assert!(!FORBIDDEN.contains(&&*name) && !name.contains(':'), "{name}");
    for attribute in element.attributes() {
        let attribute = attribute.expect("an attribute");
        let name = attribute.key.as_ref().to_ascii_lowercase();
        assert!(!name.starts_with("on"), "{name}");
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).expect("a value");
        if name == "href" {
            assert!(value.starts_with('#') || value.starts_with("data:image/"), "{value}");
            // What follows is base64, in which any letters may come together.
            let kind = value.split(',').next().unwrap_or_default().to_ascii_lowercase();
            assert!(!kind.contains("svg"), "{value}");
        } else if name != "xmlns" {
            check_style(&value);
        }
    }
}

fn check_style(text: &str) {
    let text = text.to_ascii_lowercase();
    for (at, _) in text.match_indices("url(") {
        let inside = text[at + 4..].trim_start().trim_start_matches(['"', '\'']);
        assert!(inside.starts_with('#'), "{text}");
    }
    assert!(!text.contains('\\') && !text.contains("@import"), "{text}");
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(cleaned) = clean_svg(bytes) else { return };
    assert_eq!(clean_svg(cleaned.as_bytes()).expect("a drawing stays a drawing"), cleaned);
    let mut reader = Reader::from_str(&cleaned);
    let mut is_style = false;
    loop {
        match reader.read_event().expect("XML") {
            Event::Start(element) => {
                check(&element);
                is_style = element.name().as_ref() == "style";
            }
            Event::Text(text) if is_style => check_style(&text.xml10_content()),
            Event::End(_) => is_style = false,
            Event::Text(_) | Event::GeneralRef(_) => {}
            Event::Eof => return,
            other => panic!("{other:?}"),
        }
    }
});
