//! JPEG XL: bare and in boxes, turned, grey, transparent, moving, and what lies about itself.

use image::GenericImageView;
use vitrina::imaging::{Error, Format, render, resize};

use super::{assert_upright, is_near, probed, stripped, usual};
use crate::kit::pictures as p;

fn medium(bytes: &[u8]) -> (Format, Vec<u8>) {
    let (file, probe) = probed(bytes).unwrap();
    let mut made = render(file.path(), &probe, &usual()).unwrap();
    let medium = made.renditions.remove(1);
    (medium.format, medium.bytes)
}

#[test]
fn pictures_are_decoded_and_made_smaller() {
    for bytes in [p::jxl(), p::jxl_with_exif(), p::jxl_animated(), p::jxl_turned(1)] {
        assert_upright("jxl", &medium(&bytes).1);
        assert!(medium(&stripped(&bytes)) == medium(&bytes));
        let (file, probe) = probed(&bytes).unwrap();
        assert!(!probe.format.is_shown_everywhere());
        let smaller = resize(file.path(), &probe, 20, 90, None);
        if probe.is_animated {
            assert!(bytes == p::jxl_animated() && matches!(smaller, Err(Error::AnimatedResize)));
            continue;
        }
        let smaller = smaller.unwrap();
        assert_eq!((smaller.format, smaller.width, smaller.height), (Format::Jpeg, 20, 15));
    }
}

#[test]
fn all_eight_orientations_come_out_upright() {
    for orientation in 1..=8 {
        let (_, bytes) = medium(&p::jxl_turned(orientation));
        let image = image::load_from_memory(&bytes).unwrap();
        assert_eq!(image.width() > image.height(), orientation < 5, "{orientation}");
        // Where red, the top left of what is stored, is seen, and green, the top right.
        let (red, green) = match orientation {
            1 => ((1, 1), (3, 1)),
            2 => ((3, 1), (1, 1)),
            3 => ((3, 3), (1, 3)),
            4 => ((1, 3), (3, 3)),
            5 => ((1, 1), (1, 3)),
            6 => ((3, 1), (3, 3)),
            7 => ((3, 3), (3, 1)),
            _ => ((1, 3), (1, 1)),
        };
        let at =
            |(x, y): (u32, u32)| image.get_pixel(image.width() * x / 4, image.height() * y / 4).0;
        assert!(is_near(at(red), p::RED), "{orientation}: {:?}", at(red));
        assert!(is_near(at(green), p::GREEN), "{orientation}: {:?}", at(green));
    }
}

#[test]
fn gray_and_transparent_pictures_are_understood() {
    let gray = image::load_from_memory(&medium(&p::jxl_gray()).1).unwrap();
    assert!(is_near(gray.get_pixel(8, 12).0, [200; 3]));
    assert!(is_near(gray.get_pixel(24, 12).0, [60; 3]));
    let (format, bytes) = medium(&p::jxl_alpha());
    assert_eq!(format, Format::Webp);
    let faint = image::load_from_memory(&bytes).unwrap().get_pixel(26, 5).0;
    assert!(is_near(faint, p::GREEN) && faint[3].abs_diff(128) < 10, "{faint:?}");
}

#[test]
fn pieces_and_broken_bytes_are_refused_or_decoded_and_never_a_panic() {
    for bytes in [p::jxl(), p::jxl_with_exif(), p::jxl_turned(6)] {
        for sixteenth in 0..16 {
            let Ok((file, probe)) = probed(&bytes[..bytes.len() * sixteenth / 16]) else {
                continue;
            };
            let made = render(file.path(), &probe, &usual());
            assert!(matches!(made, Err(Error::Damaged(_))), "{sixteenth}/16");
        }
        for at in (0..bytes.len()).step_by(5) {
            let mut broken = bytes.clone();
            broken[at] ^= 0x55;
            let Ok((file, probe)) = probed(&broken) else { continue };
            if u64::from(probe.width) * u64::from(probe.height) < 1_000_000 {
                let _ = render(file.path(), &probe, &usual());
            }
        }
    }
}
