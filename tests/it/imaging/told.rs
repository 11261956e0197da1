//! What files tell besides their pixels: read from Exif, XMP and IPTC of every format, kept from
//! the public, and hashed by looks.

use image::RgbImage;
use vitrina::imaging::{Metadata, Projection, phash, read_metadata, render};

use super::{holds_secret, p, probed, stripped, usual};

fn told(bytes: &[u8]) -> Metadata {
    let (file, probe) = probed(bytes).unwrap();
    read_metadata(file.path(), &probe)
}

#[test]
fn cameras_tell_how_they_were_set() {
    let found = told(&p::jpeg_with_exif(64, 48, 1, true));
    assert_eq!(found.lens_make.as_deref(), Some("Lumen Glass"));
    assert_eq!(found.focal_length_35mm, Some(52));
    assert_eq!(found.exposure_bias, Some(-0.33));
    assert_eq!(found.metering.as_deref(), Some("pattern"));
    assert_eq!((found.flash, found.white_balance.as_deref()), (Some(true), Some("manual")));
}

#[test]
fn words_are_found_wherever_a_format_has_a_place_for_them() {
    let mut all = vec![
        ("jpeg", p::jpeg_with_exif(64, 48, 1, true)),
        ("png", p::png_with_text()),
        ("webp", p::webp_with_exif(64, 48, 1)),
        ("gif", p::gif_with_comments()),
    ];
    if cfg!(feature = "codecs") {
        all.push(("avif", p::avif_with_exif()));
    }
    if cfg!(feature = "heic") {
        all.push(("heic", p::heic_from_telephone()));
    }
    if cfg!(feature = "jxl") {
        all.push(("jxl", p::jxl_with_exif()));
    }
    for (name, bytes) in all {
        let found = told(&bytes);
        assert_eq!(found.title.as_deref(), Some("Spring & rain"), "{name}");
        assert_eq!(found.tags, ["street", "rain"], "{name}");
        assert_eq!(found.city.as_deref(), Some("SECRET-PLACE"), "{name}");
        // The camera's own word about itself counts.
        let model = if name == "gif" { "Not the camera" } else { "Lumen X100" };
        assert_eq!(found.camera_model.as_deref(), Some(model), "{name}");

        let public = stripped(&bytes);
        assert!(!holds_secret(&public), "{name}");
        assert_eq!(told(&public), Metadata::default(), "{name}");
    }
}

#[test]
fn captions_of_agencies_fill_what_others_left_out() {
    let found = told(&p::jpeg_with_exif(64, 48, 1, true));
    assert_eq!(found.country.as_deref(), Some("Côte d'Ivoire"));
    // IPTC before Exif, where people wrote it.
    assert_eq!(found.description.as_deref(), Some("SECRET-PLACE"));
    assert_eq!(found.title.as_deref(), Some("Spring & rain"));
}

#[test]
fn a_tiff_tells_in_tags_of_its_own_and_nothing_in_public() {
    let plain = told(&p::TiffPage::rgb(64, 48, 1).file());
    assert_eq!(plain, Metadata::default());
    for is_big_endian in [false, true] {
        let bytes = p::tiff_told(is_big_endian);
        let found = told(&bytes);
        assert_eq!(found.title.as_deref(), Some("Spring & rain"));
        assert_eq!(found.tags, ["street", "rain"]);
        assert_eq!(found.country.as_deref(), Some("Côte d'Ivoire"));
        let public = stripped(&bytes);
        assert!(holds_secret(&bytes) && !holds_secret(&public));
        assert_eq!(told(&public), Metadata::default());
    }
}

#[test]
fn pictures_of_all_around_are_known_and_say_so_in_no_public_byte() {
    let bytes = p::jpeg_of_a_sphere(64, 32);
    let found = told(&bytes);
    assert!(found.is_360());
    assert_eq!(found.projection, Some(Projection::Equirectangular));
    let public = stripped(&bytes);
    assert!(!holds_secret(&public));
    for word in [&b"GPano"[..], b"xmpmeta", b"8BIM"] {
        assert!(!public.windows(word.len()).any(|window| window == word));
    }
    assert!(!told(&p::photo_jpeg(64, 32, 1)).is_360());
}

#[test]
fn a_block_that_is_too_large_or_in_pieces_is_passed_over() {
    let name = b"http://ns.adobe.com/xap/1.0/\0";
    let plain = p::photo_jpeg(64, 48, 1);
    let more = p::with_segment(&plain, 0xe1, b"http://ns.adobe.com/xmp/extension/\0GUID");
    assert_eq!(told(&more), Metadata::default());
    let empty = p::with_segment(&plain, 0xe1, name);
    assert_eq!(told(&empty), Metadata::default());
    let short = p::with_segment(&plain, 0xed, b"Photoshop 3.0");
    assert_eq!(told(&p::with_segment(&short, 0xe1, &name[..20])), Metadata::default());
    let twice = p::with_segment(&p::jpeg_of_a_sphere(64, 32), 0xe1, &[&name[..], b"<x"].concat());
    assert!(!told(&twice).is_360());
}

#[test]
fn every_cut_of_a_block_is_survived() {
    let whole = p::jpeg_with_exif(64, 48, 1, true);
    let noisy = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        bytes
    };
    for at in (2..whole.len().min(6_000)).step_by(3) {
        if let Ok((file, probe)) = probed(&noisy(at)) {
            let _ = read_metadata(file.path(), &probe);
        }
    }
}

fn looks(bytes: &[u8]) -> u64 {
    let (file, probe) = probed(bytes).unwrap();
    render(file.path(), &probe, &usual()).unwrap().phash
}

#[test]
fn a_picture_is_known_by_its_looks_in_every_format() {
    let rgb = p::photo_rgb(600, 400, 1);
    let image = image::DynamicImage::from(RgbImage::from_raw(600, 400, rgb).unwrap());
    let known = looks(&p::photo_jpeg(600, 400, 1));
    assert_ne!(known, 0);
    let mut png = Vec::new();
    let half = image.resize(300, 200, image::imageops::FilterType::Triangle);
    half.write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png).unwrap();
    assert!(phash::distance(known, looks(&png)) <= 10, "half as large");
    let mut poor = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut poor, 50);
    encoder.encode_image(&image).unwrap();
    assert!(phash::distance(known, looks(&poor)) <= 10, "encoded again");
    assert!(phash::distance(known, looks(&p::png(300, 200, false))) > 16);
    assert_eq!(looks(&p::gif(1)), 0, "one colour");
    // However it is stored, it is the upright picture that counts.
    let looks_of = |orientation| looks(&p::jpeg_with_exif(480, 320, orientation, false));
    for orientation in 2..=8 {
        assert!(phash::distance(looks_of(1), looks_of(orientation)) <= 4, "{orientation}");
    }
}
