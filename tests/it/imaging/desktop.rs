//! What desktops and scanners write: TIFF of all kinds, and icons. They become PNG without loss.

use image::GenericImageView;
use vitrina::imaging::{Error, Limits, probe, render, to_png};

use super::{assert_upright, file, is_near, probed, stripped, usual};
use crate::kit::pictures as p;

fn as_png(name: &str, bytes: &[u8]) -> image::DynamicImage {
    let (file, probe) = probed(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    let png = to_png(file.path(), &probe).unwrap_or_else(|error| panic!("{name}: {error}"));
    image::load_from_memory(&png).unwrap()
}

fn quarters() -> Vec<(&'static str, Vec<u8>)> {
    let big = |mut page: p::TiffPage| {
        page.is_big_endian = true;
        page.file()
    };
    vec![
        ("plain", p::tiff(63, 48, 1)),
        ("sixteen bits", p::tiff_sixteen_bit(63, 48)),
        ("inks", p::tiff_cmyk(64, 48)),
        ("palette", p::tiff_palette(63, 48)),
        ("jpeg", p::tiff_jpeg(64, 40)),
        ("lzw", p::tiff_lzw(64, 48)),
        ("tiles", p::TiffPage::rgb(70, 50, 1).tiled().file()),
        ("tiles, deflated", big(p::TiffPage::rgb(70, 50, 1).tiled().deflated())),
        ("planes", p::TiffPage::rgb(64, 48, 1).planar().deflated().file()),
        ("strips", big(p::TiffPage::rgb(64, 48, 1).cut(64 * 3, 5))),
        ("icon of png", p::ico_with_png()),
    ]
}

#[test]
fn every_kind_of_tiff_and_icon_becomes_png_with_the_right_colours() {
    for (name, bytes) in quarters() {
        let image = as_png(name, &bytes);
        let mut png = std::io::Cursor::new(Vec::new());
        image.write_to(&mut png, image::ImageFormat::Png).unwrap();
        assert_upright(name, png.get_ref());
        assert_upright(name, &std::fs::read(shown(&bytes).path()).unwrap());
        let again = as_png(name, &stripped(&bytes));
        assert!(again == image, "{name} looks different when stripped");
    }
    let deep = as_png("sixteen bits", &p::tiff_sixteen_bit(63, 48));
    assert_eq!(deep.color(), image::ColorType::Rgb16);
}

/// The `medium` of a picture.
fn shown(bytes: &[u8]) -> tempfile::NamedTempFile {
    let (told, probe) = probed(bytes).unwrap();
    file(&render(told.path(), &probe, &usual()).unwrap().renditions[1].bytes)
}

#[test]
fn a_tiff_is_turned_upright() {
    for orientation in 1..=8 {
        let bytes = p::tiff(96, 64, orientation);
        let (_, probe) = probed(&bytes).unwrap();
        assert_eq!((probe.orientation.exif(), probe.upright()), (orientation, (96, 64)));
        let image = as_png("turned", &bytes);
        assert_eq!(image.dimensions(), (96, 64), "{orientation}");
        assert!(is_near(image.get_pixel(10, 10).0, p::RED), "{orientation}");
        assert!(is_near(image.get_pixel(80, 10).0, p::GREEN), "{orientation}");
        assert_eq!(probed(&stripped(&bytes)).unwrap().1.orientation.exif(), orientation);
    }
}

#[test]
fn transparency_scans_and_masks_are_understood() {
    let faint = as_png("alpha", &p::tiff_alpha(64, 48)).get_pixel(48, 10).0;
    assert!(is_near(faint, p::GREEN) && faint[3] == 128, "{faint:?}");
    let scan = as_png("one bit", &p::tiff_one_bit(60, 48));
    assert_eq!((scan.get_pixel(29, 5).0[0], scan.get_pixel(30, 5).0[0]), (255, 0));
    let icon = as_png("icon", &p::ico());
    assert_eq!(icon.dimensions(), (48, 48));
    assert!(is_near(icon.get_pixel(5, 5).0, p::RED));
    assert_eq!(icon.get_pixel(5, 47).0[3], 0, "the mask hides the lowest row");
}

#[test]
fn the_profile_of_a_tiff_is_kept_and_that_of_inks_is_not() {
    let p3 = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    let bytes = p::tiff_with_profile(64, 48, &p3);
    let (told, found) = probed(&bytes).unwrap();
    let png = to_png(told.path(), &found).unwrap();
    assert!(png.windows(4).any(|window| window == b"iCCP"));
    let medium = render(told.path(), &found, &usual()).unwrap().renditions[1].bytes.clone();
    let red = image::load_from_memory(&medium).unwrap().get_pixel(5, 5).0;
    assert!(red[0] > p::RED[0] + 8, "{red:?}");
    let mut inks = p::TiffPage::new((8, 8), 5, &[8; 4], vec![0; 256]);
    inks.set(34_675, &[1; 200]);
    let (told, found) = probed(&inks.file()).unwrap();
    assert!(!to_png(told.path(), &found).unwrap().windows(4).any(|window| window == b"iCCP"));
}

#[test]
fn pieces_of_files_are_refused_and_never_a_panic() {
    for (name, bytes) in quarters() {
        for sixteenth in 0..16 {
            let cut = &bytes[..bytes.len() * sixteenth / 16];
            let Ok((file, probe)) = probed(cut) else { continue };
            let made = render(file.path(), &probe, &usual());
            assert!(matches!(made, Err(Error::Damaged(_))), "{name} {sixteenth}/16");
        }
    }
}

fn refused(page: p::TiffPage) -> Error {
    probed(&page.file()).map(|(_, probe)| probe).unwrap_err()
}

#[test]
fn tiffs_that_lie_are_refused_before_decoding() {
    let changed = |tag: u16, values: &[u64]| {
        let mut page = p::TiffPage::rgb(64, 48, 1);
        page.set(tag, values);
        refused(page)
    };
    assert!(matches!(changed(256, &[60_000]), Error::Damaged(_)), "wider than its bytes");
    let mut huge = p::TiffPage::rgb(64, 48, 1).deflated();
    huge.set(256, &[60_000]);
    huge.set(257, &[60_000]);
    assert!(matches!(refused(huge), Error::TooManyPixels { .. }));
    for (tag, values) in [
        (278, vec![1]),
        (278, vec![0]),
        (279, vec![u64::from(u32::MAX)]),
        (273, vec![u64::from(u32::MAX)]),
        (273, vec![8; 60_000]),
        (258, vec![8; 5]),
        (257, vec![0]),
    ] {
        assert!(matches!(changed(tag, &values), Error::Damaged(_)), "{tag} {}", values.len());
    }
    for (tag, values) in [
        (262, vec![8]),
        (259, vec![6]),
        (259, vec![34_712]),
        (339, vec![3, 3, 3]),
        (266, vec![2]),
        (50_706, vec![1]),
    ] {
        assert!(matches!(changed(tag, &values), Error::Unsupported { .. }), "{tag} {values:?}");
    }
    let mut tiles = p::TiffPage::rgb(64, 48, 1).tiled();
    tiles.set(322, &[60_000]);
    tiles.set(323, &[60_000]);
    assert!(matches!(refused(tiles), Error::Damaged(_)));
    let mut overlap = p::TiffPage::rgb(64, 48, 1).cut(64 * 3, 1);
    overlap.set(273, &[8; 48]);
    overlap.set(279, &[9_000; 48]);
    assert!(matches!(refused(overlap), Error::Damaged(_)));
}

#[test]
fn jpegs_inside_a_tiff_must_be_as_large_as_their_strips() {
    let mut page = p::TiffPage::rgb(64, 48, 1);
    page.set(259, &[7]);
    page.chunks = vec![p::photo_jpeg(640, 480, 1)];
    assert!(matches!(refused(page), Error::Damaged(_)));
    let mut page = p::TiffPage::rgb(64, 48, 1);
    page.set(259, &[7]);
    page.chunks = vec![p::photo_jpeg(64, 48, 1)];
    let frame: Vec<u64> =
        b"\xff\xd8\xff\xc0\0\x11\x08\xff\xff\xff\xff\x03\x01\x11\0\x02\x11\0\x03\x11\0\xff\xd9"
            .iter()
            .map(|byte| u64::from(*byte))
            .collect();
    page.set(347, &frame);
    assert!(matches!(refused(page), Error::Damaged(_)), "tables with a frame of their own");
}

#[test]
fn a_tiff_that_passed_is_rewritten_to_one_that_passes() {
    // The first table claims to have no length at all; behind it is a sound one.
    let table = |length: u8| [&b"\xff\xd8\xff\xdb\0"[..], &[length, 0], &[1; 64]].concat();
    for (length, passes) in [(67, true), (0, false), (1, false)] {
        let mut page = p::TiffPage::rgb(64, 48, 1);
        page.set(259, &[7]);
        page.chunks = vec![p::photo_jpeg(64, 48, 1)];
        let tables = [table(length), b"\xff\xc4\0\x02\xff\xd9".to_vec()].concat();
        let tables: Vec<u64> = tables.into_iter().map(u64::from).collect();
        page.set(347, &tables);
        let bytes = page.file();
        if passes {
            let public = stripped(&bytes);
            assert_eq!(stripped(&public), public);
        } else {
            assert!(matches!(probed(&bytes), Err(Error::Damaged(_))), "{length}");
        }
    }
}

#[test]
fn only_the_first_page_counts_and_chains_may_loop() {
    let mut bytes = p::TiffPage::rgb(64, 48, 1).file();
    // The link to the next directory, behind the last entry, points at the first one.
    let first = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
    let count = u16::from_le_bytes([bytes[first as usize], bytes[first as usize + 1]]);
    let link = first as usize + 2 + usize::from(count) * 12;
    bytes[link..link + 4].copy_from_slice(&first.to_le_bytes());
    let (_, probe) = probed(&bytes).unwrap();
    assert_eq!(probe.frames, 1);
    as_png("loop", &bytes);
}

#[test]
fn icons_that_lie_are_refused() {
    let refused = |bytes: &[u8]| probed(bytes).map(|(_, probe)| probe).unwrap_err();
    let mut tall = p::bitmap(16);
    tall[4..8].copy_from_slice(&60_000u32.to_le_bytes());
    tall[8..12].copy_from_slice(&120_000u32.to_le_bytes());
    assert!(matches!(refused(&p::ico_of(&[(16, 32, tall)])), Error::TooManyPixels { .. }));
    let mut wide = p::bitmap(16);
    wide[4..8].copy_from_slice(&17u32.to_le_bytes());
    wide.truncate(40 + 16 * 16 * 4);
    assert!(matches!(refused(&p::ico_of(&[(16, 32, wide)])), Error::Damaged(_)));
    assert!(matches!(
        refused(&p::ico_of(&[(64, 32, p::png_bomb_30000())])),
        Error::TooManyPixels { .. }
    ));
    assert!(matches!(
        refused(&p::ico_of(&[(64, 32, p::png_icc_bomb())])),
        Error::MetadataTooLarge { .. }
    ));
    let small = Limits { max_pixels: 100, ..Limits::default() };
    assert!(matches!(probe(file(&p::ico()).path(), &small), Err(Error::TooManyPixels { .. })));
}
