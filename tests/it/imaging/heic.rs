//! What telephones write: turned, mirrored, in tiles, with a profile, and what lies about itself.

use image::GenericImageView;
use vitrina::imaging::{Error, Format, Orientation, Purpose, render, resize};

use super::{assert_upright, is_near, probed, stripped, usual};
use crate::kit::pictures::{self as p, Heic};

fn medium(bytes: &[u8]) -> image::DynamicImage {
    let (file, probe) = probed(bytes).unwrap();
    let made = render(file.path(), &probe, &usual()).unwrap();
    image::load_from_memory(&made.renditions[1].bytes).unwrap()
}

fn refused(heic: &Heic) -> Error {
    probed(&heic.file()).map(|(_, probe)| probe).unwrap_err()
}

#[test]
fn a_picture_is_decoded_and_made_smaller() {
    for brand in [b"heic", b"heix", b"mif1"] {
        let bytes = Heic { brand, ..Heic::default() }.file();
        let (file, probe) = probed(&bytes).unwrap();
        assert!(!probe.format.is_shown_everywhere());
        assert!(probe.cost_bytes(Purpose::Render(&usual())) > 16 << 20);
        let made = render(file.path(), &probe, &usual()).unwrap();
        made.renditions.iter().for_each(|made| assert_upright("heic", &made.bytes));
        let smaller = resize(file.path(), &probe, 20, 90, None).unwrap();
        assert_eq!((smaller.format, smaller.width), (Format::Jpeg, 20));
        assert!(medium(&stripped(&bytes)) == medium(&bytes));
    }
}

#[test]
fn turns_and_mirrors_are_those_of_the_boxes() {
    for (turn, mirror, exif) in [
        (None, None, 1),
        (None, Some(1), 2),
        (Some(2), None, 3),
        (None, Some(0), 4),
        (Some(1), Some(0), 5),
        (Some(3), None, 6),
        (Some(1), Some(1), 7),
        (Some(1), None, 8),
    ] {
        let bytes = Heic { turn, mirror, ..Heic::default() }.file();
        let (_, probe) = probed(&bytes).unwrap();
        assert_eq!(probe.orientation, Orientation::from_exif(exif));
        let image = medium(&bytes);
        // Where red, the top left of what is stored, is seen, and green, the top right.
        let (red, green) = match exif {
            1 => ((0, 0), (1, 0)),
            2 => ((1, 0), (0, 0)),
            3 => ((1, 1), (0, 1)),
            4 => ((0, 1), (1, 1)),
            5 => ((0, 0), (0, 1)),
            6 => ((1, 0), (1, 1)),
            7 => ((1, 1), (1, 0)),
            _ => ((0, 1), (0, 0)),
        };
        let at = |(x, y): (u32, u32)| image.get_pixel(8 + x * 16, 8 + y * 16).0;
        assert!(is_near(at(red), p::RED), "{exif}: {:?}", at(red));
        assert!(is_near(at(green), p::GREEN), "{exif}: {:?}", at(green));
    }
}

#[test]
fn tiles_are_put_together_and_cut_off() {
    // 96 × 64, turned with the clock: blue is at the top left, and begins anew two thirds down.
    let image = medium(&p::heic_from_telephone());
    assert_eq!(image.dimensions(), (21, 32));
    for ((x, y), color) in [
        ((5, 5), p::BLUE),
        ((16, 5), p::RED),
        ((5, 16), p::YELLOW),
        ((16, 16), p::GREEN),
        ((5, 27), p::BLUE),
        ((16, 27), p::RED),
    ] {
        let found = image.get_pixel(x, y).0;
        assert!(is_near(found, color), "{x}, {y}: {found:?}");
    }
}

#[test]
fn profiles_are_applied() {
    let profile = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    let wide = medium(&Heic { profile, ..Heic::default() }.file()).get_pixel(6, 6).0;
    let plain = medium(&p::heic()).get_pixel(6, 6).0;
    assert!(wide[0] > plain[0] + 8, "{wide:?} is no redder than {plain:?}");
}

#[test]
fn lies_are_refused_before_decoding() {
    let sized = |size| refused(&Heic { size, ..Heic::default() });
    assert!(matches!(sized((60_000, 60_000)), Error::TooManyPixels { .. }));
    assert!(matches!(sized((16, 16)), Error::Damaged(_)));
    assert!(matches!(sized((640, 640)), Error::Damaged(_)));
    let many = Heic { is_grid: true, columns: 200, ..Heic::default() };
    assert!(matches!(refused(&many), Error::Damaged(_)), "one tile shown two hundred times");
    let few = Heic { is_grid: true, columns: 1, ..Heic::default() };
    assert!(matches!(refused(&few), Error::Damaged(_)));
}

#[test]
fn pieces_and_broken_bytes_are_never_a_panic() {
    for bytes in [p::heic(), p::heic_from_telephone()] {
        for sixteenth in 0..16 {
            assert!(probed(&bytes[..bytes.len() * sixteenth / 16]).is_err(), "{sixteenth}/16");
        }
        for at in (0..bytes.len()).step_by(3) {
            let mut broken = bytes.clone();
            broken[at] ^= 0x55;
            let Ok((file, probe)) = probed(&broken) else { continue };
            let _ = render(file.path(), &probe, &usual());
        }
    }
}
