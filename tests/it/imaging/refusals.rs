//! What is refused before anything is decoded: lies, bombs, pieces, and foreign files.

use std::time::{Duration, Instant};

use vitrina::imaging::{Error, Format, Limits, Metadata, probe, read_metadata};

use super::{honest, probed};
use crate::kit::pictures as p;

fn refusal(bytes: &[u8]) -> Error {
    let begun = Instant::now();
    let error = probed(bytes).map(|(_, probe)| probe).unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(2), "{error} took {:?}", begun.elapsed());
    error
}

#[test]
fn truncated_files_are_refused() {
    for (name, bytes, format, _) in honest() {
        // Without boxes, only decoding tells where the picture ends.
        if format == Format::Jxl && bytes.starts_with(&[0xff, 0x0a]) {
            continue;
        }
        let error = refusal(&p::truncated(&bytes));
        assert!(matches!(error, Error::Damaged(_)), "{name}: {error}");
    }
    let jpeg = p::photo_jpeg(64, 48, 1);
    assert!(matches!(refusal(&jpeg[..jpeg.len() - 2]), Error::Damaged(_)), "no end marker");
}

#[test]
fn hostile_sizes_are_refused_before_decoding() {
    for (name, bytes) in [
        ("png", p::png_bomb_30000()),
        ("progressive", p::jpeg_bomb_progressive_65500()),
        ("baseline", p::jpeg_bomb_baseline_65500()),
        ("webp", p::webp_bomb()),
        ("bmp", p::bmp_bomb()),
    ] {
        let error = refusal(&bytes);
        assert!(matches!(error, Error::TooManyPixels { .. }), "{name}: {error}");
    }
    for (name, bytes) in [("png", p::png_small_lie()), ("webp", p::webp_lying())] {
        let error = refusal(&bytes);
        assert!(matches!(error, Error::Damaged(_)), "{name}: {error}");
    }
    assert!(matches!(refusal(&p::gif_bomb(100_000)), Error::TooManyFrames { .. }));
    assert!(matches!(refusal(&p::jpeg_bomb_scans()), Error::TooSlow));
    if cfg!(feature = "jxl") {
        assert!(matches!(refusal(&p::jxl_bomb()), Error::TooManyPixels { .. }));
    }
    if cfg!(feature = "codecs") {
        assert!(matches!(refusal(&p::avif_bomb()), Error::TooManyPixels { .. }));
        assert!(matches!(refusal(&p::avif_lying()), Error::Damaged(_)));
        assert!(matches!(refusal(&p::avif_header_only(64, 48)), Error::Damaged(_)));
    }
}

#[test]
fn every_limit_of_the_gate_holds() {
    let bounded = |bytes: &[u8], limits: Limits| {
        let found = probe(super::file(bytes).path(), &limits);
        found.map(|_| ()).expect_err("it passed")
    };
    let usual = Limits::default;
    let error = bounded(&p::png(5, 3, false), Limits { max_pixels: 14, ..usual() });
    assert!(matches!(error, Error::TooManyPixels { allowed: 14, .. }), "{error}");
    let error = bounded(&p::png(5, 3, false), Limits { max_side: 4, ..usual() });
    assert!(matches!(error, Error::SideTooLong { longer: 5, allowed: 4 }), "{error}");
    let error =
        bounded(&p::progressive_jpeg(30, 20), Limits { max_progressive_pixels: 599, ..usual() });
    assert!(matches!(error, Error::TooManyPixels { allowed: 599, .. }), "{error}");
    for moving in [p::gif(3), p::apng(3), p::animated_webp(3)] {
        let error = bounded(&moving, Limits { max_frames: 2, ..usual() });
        assert!(matches!(error, Error::TooManyFrames { allowed: 2 }), "{error}");
        let error = bounded(&moving, Limits { max_duration_ms: 100, ..usual() });
        assert!(matches!(error, Error::AnimationTooLong { seconds: 1, .. }), "{error}");
    }
    // Ten times the pixels of a still picture, in all frames together.
    let error = bounded(&p::gif(11), Limits { max_pixels: 40 * 30, ..usual() });
    assert!(matches!(error, Error::AnimationTooLarge { allowed: 12_000, .. }), "{error}");
    // Metadata beyond a mebibyte is neither read nor a reason to refuse the picture.
    let mut page = p::TiffPage::rgb(64, 48, 1);
    page.set(700, &vec![u64::from(b'<'); (1 << 20) + 1]);
    let (told, found) = probed(&page.file()).unwrap();
    assert_eq!(read_metadata(told.path(), &found), Metadata::default());
}

#[test]
fn a_colour_profile_that_unfolds_to_a_gigabyte_is_refused() {
    let error = refusal(&p::png_icc_bomb());
    assert!(matches!(error, Error::MetadataTooLarge { .. }), "{error}");
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak_kb: u64 = peak.map_or(0, |text| text.trim().trim_end_matches(" kB").parse().unwrap());
    assert!(peak_kb < 700_000, "{peak_kb} kB");
}

#[test]
fn foreign_files_are_refused_by_name() {
    for (name, bytes) in [
        ("a packed file, such as SVGZ,", p::svgz()),
        ("layered HEIC", p::layered_heic_header()),
        ("MP4", p::mp4_header()),
        ("WebM", p::webm_header()),
        ("BigTIFF", p::big_tiff_header()),
        ("a cursor file", p::cursor_header()),
        ("a raw photograph", p::raw_photo_header()),
        ("PDF", p::pdf()),
    ] {
        let error = refusal(&bytes);
        assert!(
            matches!(&error, Error::Unsupported { name: found, .. } if *found == name),
            "{error}"
        );
    }
    assert!(matches!(refusal(b"hello"), Error::Unknown));
    assert!(matches!(refusal(b""), Error::Unknown));
}

#[cfg(not(any(feature = "codecs", feature = "heic", feature = "jxl", feature = "svg")))]
#[test]
fn what_the_build_cannot_decode_is_refused_by_name_and_with_a_reason() {
    for (bytes, name, feature) in [
        (p::avif(), "AVIF", "feature `codecs`"),
        (p::heic(), "HEIC", "feature `heic`"),
        (p::jxl(), "JPEG XL", "feature `jxl`"),
        (p::jxl_with_exif(), "JPEG XL", "feature `jxl`"),
        (p::svg(), "SVG", "feature `svg`"),
    ] {
        let error = refusal(&bytes).to_string();
        assert!(error.contains(name) && error.contains(feature), "{error}");
    }
}
