//! Colours over HTTP: what is uploaded in any range of colours is shown in sRGB as it was meant.
//! What is expected is worked out here, from the definitions of those ranges.

use crate::kit::{Client, TestServer, path_of, pictures as p};
use image::GenericImageView;
use jpeg_encoder::ColorType;
use moxcms::ColorProfile;

type Matrix = [[f64; 3]; 3];

/// From linear Display P3 and Adobe RGB (1998) to linear sRGB, all of white D65.
const DISPLAY_P3: Matrix = [
    [1.224_940, -0.224_940, 0.0],
    [-0.042_057, 1.042_057, 0.0],
    [-0.019_638, -0.078_636, 1.098_274],
];
const ADOBE_RGB: Matrix =
    [[1.398_283, -0.398_283, 0.0], [0.0, 1.0, 0.0], [0.0, -0.042_938, 1.042_938]];

/// sRGB's own curve (IEC 61966-2-1), which Display P3 shares.
fn linear(value: u8) -> f64 {
    let value = f64::from(value) / 255.0;
    if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

fn curved(light: f64) -> u8 {
    let light = light.clamp(0.0, 1.0);
    let value =
        if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
    (value * 255.0).round() as u8
}

fn converted(color: [u8; 3], matrix: &Matrix, linear: fn(u8) -> f64) -> [u8; 3] {
    let light = color.map(linear);
    matrix.map(|row| curved(row.iter().zip(light).map(|(a, b)| a * b).sum()))
}

fn adobe(value: u8) -> f64 {
    (f64::from(value) / 255.0).powf(563.0 / 256.0)
}

/// The middle of the `medium` of an upload.
async fn shown(client: &Client, bytes: Vec<u8>) -> [u8; 3] {
    let media = client.upload(bytes, "a").await;
    let medium = client.get(&path_of(&media["urls"]["medium"])).await;
    let medium = image::load_from_memory(&medium.body).unwrap();
    let [r, g, b, _] = medium.get_pixel(medium.width() / 2, medium.height() / 2).0;
    [r, g, b]
}

#[track_caller]
fn assert_near(name: &str, found: [u8; 3], expected: [u8; 3]) {
    let is_near = found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 6);
    assert!(is_near, "{name}: {found:?} is not {expected:?}");
}

/// Within every one of the ranges.
const COLORS: [[u8; 3]; 3] = [[180, 90, 70], [80, 160, 110], [128, 128, 128]];

#[tokio::test(flavor = "multi_thread")]
async fn wide_ranges_are_shown_as_they_were_meant() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let p3 = ColorProfile::new_display_p3().encode().unwrap();
    let adobe_rgb = ColorProfile::new_adobe_rgb().encode().unwrap();
    for color in COLORS {
        let in_p3 = converted(color, &DISPLAY_P3, linear);
        let in_adobe = converted(color, &ADOBE_RGB, adobe);
        let jpeg = |profile: &[u8]| p::flat_jpeg(&color, ColorType::Rgb, Some(profile));
        assert_near("P3 JPEG", shown(&ana, jpeg(&p3)).await, in_p3);
        assert_near("P3 PNG", shown(&ana, p::flat_png(color, &p3)).await, in_p3);
        assert_near("Adobe RGB JPEG", shown(&ana, jpeg(&adobe_rgb)).await, in_adobe);
        assert_near("plain", shown(&ana, p::flat_jpeg(&color, ColorType::Rgb, None)).await, color);
    }
    let gray = ColorProfile::new_gray_with_gamma(1.8).encode().unwrap();
    for level in [60, 128, 200] {
        let light = (f64::from(level) / 255.0).powf(1.8);
        let bytes = p::flat_jpeg(&[level], ColorType::Luma, Some(&gray));
        assert_near("gray", shown(&ana, bytes).await, [curved(light); 3]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn inks_are_shown_as_light() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    for [c, m, y, k] in [[0, 200, 180, 20], [180, 30, 60, 0], [0, 0, 0, 128]] {
        let light = |ink: u8| ((255 - u16::from(ink)) * (255 - u16::from(k)) / 255) as u8;
        let expected = [light(c), light(m), light(y)];
        for (name, kind) in [("CMYK", ColorType::Cmyk), ("YCCK", ColorType::CmykAsYcck)] {
            let bytes = p::flat_jpeg(&[c, m, y, k], kind, None);
            assert_near(name, shown(&ana, bytes).await, expected);
        }
    }
}

#[cfg(feature = "codecs")]
#[tokio::test(flavor = "multi_thread")]
async fn an_avif_that_names_a_wide_range_is_shown_as_it_was_meant() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let top_left = async |bytes: Vec<u8>| {
        let media = ana.upload(bytes, "a.avif").await;
        let medium = ana.get(&path_of(&media["urls"]["medium"])).await;
        let [r, g, b, _] = image::load_from_memory(&medium.body).unwrap().get_pixel(16, 12).0;
        [r, g, b]
    };
    let plain = top_left(p::avif()).await;
    let in_p3 = top_left(p::avif_named(12, 13)).await;
    assert_near("P3", in_p3, converted(plain, &DISPLAY_P3, linear));
    assert!(in_p3[0] > plain[0] + 8, "{in_p3:?} is no redder than {plain:?}");
    let wider = top_left(p::avif_named(9, 1)).await;
    assert!(wider[0] >= in_p3[0], "{wider:?} is no redder than {in_p3:?}");
    // High dynamic range, and numbers that mean nothing.
    for (primaries, curve) in [(1, 13), (9, 16), (0, 0), (255, 255)] {
        assert_near("as it is", top_left(p::avif_named(primaries, curve)).await, plain);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn orientations_that_mean_nothing_count_as_upright() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let size = async |bytes: Vec<u8>| {
        let again = [("allow_duplicate", "true")];
        let media = ana.upload_with(bytes, "a.jpg", &again).await.json();
        (media["width"].as_u64().unwrap(), media["height"].as_u64().unwrap())
    };
    let stored = p::photo_jpeg(96, 64, 1);
    for orientation in 0..=9 {
        let expected = if (5..=8).contains(&orientation) { (64, 96) } else { (96, 64) };
        let told = p::with_orientation(&stored, orientation);
        assert_eq!(size(told).await, expected, "{orientation}");
    }
    assert_eq!(size(p::with_orientation(&stored, 255)).await, (96, 64));
    assert_eq!(size(p::with_segment(&stored, 0xe1, b"Exif\0\0II*\0")).await, (96, 64));
    assert_eq!(size(p::with_segment(&stored, 0xe1, b"Exif\0\0")).await, (96, 64));
}
