//! Drawings: cleaned when they are looked at, and drawn within bounds.

use image::GenericImageView;
use vitrina::imaging::{Error, Format, clean_svg, render, resize};

use super::{assert_upright, is_near, probed, stripped, usual};
use crate::kit::pictures as p;

fn medium(bytes: &[u8]) -> (Format, Vec<u8>) {
    let (file, probe) = probed(bytes).unwrap();
    let mut made = render(file.path(), &probe, &usual()).unwrap();
    let medium = made.renditions.remove(1);
    (medium.format, medium.bytes)
}

#[test]
fn drawings_are_drawn_and_small_ones_larger_than_they_are() {
    assert_upright("svg", &medium(&p::svg()).1);
    let (file, probe) = probed(&p::svg_of((24, 12), "<circle cx='2' cy='2' r='2'/>")).unwrap();
    assert_eq!((probe.width, probe.height), (512, 256));
    assert!(!probe.format.is_shown_everywhere());
    let smaller = resize(file.path(), &probe, 20, 90, None).unwrap();
    assert_eq!((smaller.format, smaller.width, smaller.height), (Format::Png, 20, 10));
    let corner = image::load_from_memory(&smaller.bytes).unwrap().get_pixel(0, 0).0;
    assert!(corner[3] < 16, "what is not drawn on stays clear: {corner:?}");
    assert_eq!(medium(&p::svg_of((24, 12), "<g/>")).0, Format::Webp);
    let (_, huge) = probed(&p::svg_of((u32::MAX, 1 << 31), "<g/>")).unwrap();
    assert_eq!((huge.width, huge.height), (2048, 1024));
}

#[test]
fn pictures_inside_are_drawn_and_those_elsewhere_are_not() {
    use base64::{Engine, engine::general_purpose::STANDARD};

    let dir = tempfile::tempdir().unwrap();
    let elsewhere = dir.path().join("a.png");
    std::fs::write(&elsewhere, p::png(64, 48, false)).unwrap();
    let inside = format!("data:image/png;base64,{}", STANDARD.encode(p::png(64, 48, false)));
    for (address, is_drawn) in [(inside, true), (elsewhere.display().to_string(), false)] {
        let picture =
            format!("<image href='{address}' width='4' height='4' preserveAspectRatio='none'/>");
        let (format, bytes) = medium(&p::svg_of((64, 48), &picture));
        if is_drawn {
            assert_upright("inside", &bytes);
        } else {
            assert_eq!(format, Format::Webp, "{address}");
        }
    }
}

#[test]
fn text_is_drawn_or_left_out_and_never_in_the_way() {
    let text =
        "<rect width='4' height='4' fill='rgb(210,40,40)'/><text y='4' font-size='1'>a</text>";
    let image = image::load_from_memory(&medium(&p::svg_of((600, 450), text)).1).unwrap();
    assert!(is_near(image.get_pixel(16, 2).0, p::RED));
}

#[test]
fn harm_is_taken_out_and_the_drawing_stays() {
    for (name, bytes) in p::svgs_that_do_harm() {
        let public = String::from_utf8(stripped(&bytes)).unwrap();
        for word in ["evil", "script", "alert", "passwd", "@import", "ENTITY", "<?", "<!", "onload"]
        {
            assert!(!public.contains(word), "{name} still has {word}: {public}");
        }
        assert_eq!(clean_svg(public.as_bytes()).unwrap(), public, "{name}");
        assert_upright(name, &medium(&bytes).1);
    }
}

#[test]
fn what_is_too_deep_or_no_drawing_is_refused() {
    let refused = |bytes: &[u8]| probed(bytes).map(|(_, probe)| probe).unwrap_err();
    let deep = ["<g>".repeat(5_000), "</g>".repeat(5_000)].concat();
    assert!(matches!(refused(&p::svg_of((9, 9), &deep)), Error::Damaged(_)));
    let many = "<g/>".repeat(200_000);
    assert!(matches!(refused(&p::svg_of((9, 9), &many)), Error::Damaged(_)));
    let long = format!("<path d='{}'/>", "M0 0".repeat(3_000_000));
    assert!(matches!(refused(&p::svg_of((9, 9), &long)), Error::MetadataTooLarge { .. }));
    assert!(matches!(refused(b"<html><svg></svg></html>"), Error::Unknown));
    assert!(matches!(refused(&p::svg_of((0, 9), "")), Error::Damaged(_)));
}

#[test]
fn pieces_and_broken_bytes_never_panic() {
    let bytes = p::svg();
    for at in 0..bytes.len() {
        let mut broken = bytes.clone();
        broken[at] ^= 0x15;
        let _ = clean_svg(&broken);
        let _ = clean_svg(&bytes[..at]);
    }
}
