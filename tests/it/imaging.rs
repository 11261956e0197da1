//! Pictures from one end to the other: what is recognised, what becomes public, what is made of
//! it, and what is refused before anything is decoded.

mod desktop;
#[cfg(feature = "heic")]
mod heic;
mod honest;
#[cfg(feature = "jxl")]
mod jxl;
mod refusals;
#[cfg(feature = "svg")]
mod svg;
mod told;
mod turned;
mod webp;

use std::io::Write;
use std::time::Duration;

use image::GenericImageView;
use tempfile::NamedTempFile;
use vitrina::imaging::{
    Budget, Error, Fit, Format, Limits, Metadata, Output, Probe, Purpose, VariantSpec, probe,
    read_metadata, render, resize, strip, to_png,
};

use crate::kit::pictures as p;
use honest::honest;

fn file(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn probed(bytes: &[u8]) -> Result<(NamedTempFile, Probe), Error> {
    let file = file(bytes);
    let probe = probe(file.path(), &Limits::default())?;
    Ok((file, probe))
}

fn stripped(bytes: &[u8]) -> Vec<u8> {
    let (file, probe) = probed(bytes).unwrap();
    let to = NamedTempFile::new().unwrap();
    strip(file.path(), &probe, &mut to.reopen().unwrap()).unwrap();
    std::fs::read(to.path()).unwrap()
}

fn spec(name: &str, fit: Fit) -> VariantSpec {
    VariantSpec { name: name.into(), fit, quality: 90, output: Output::Auto, animate: false }
}

fn usual() -> [VariantSpec; 2] {
    [
        spec("thumb", Fit::Cover { width: 16, height: 16 }),
        spec("medium", Fit::Contain { longer_side: 32 }),
    ]
}

fn holds_secret(bytes: &[u8]) -> bool {
    bytes.windows(p::SECRET.len()).any(|window| window == p::SECRET)
}

fn is_near(pixel: [u8; 4], color: [u8; 3]) -> bool {
    pixel.iter().zip(color).all(|(a, b)| a.abs_diff(b) < 30)
}

/// Red and green above, blue and yellow below.
fn assert_upright(name: &str, bytes: &[u8]) {
    let image = image::load_from_memory(bytes).unwrap();
    let (width, height) = image.dimensions();
    let at = |x: u32, y: u32| image.get_pixel(width * x / 4, height * y / 4).0;
    for (pixel, color) in
        [(at(1, 1), p::RED), (at(3, 1), p::GREEN), (at(1, 3), p::BLUE), (at(3, 3), p::YELLOW)]
    {
        assert!(is_near(pixel, color), "{name}: {pixel:?} is not {color:?}");
    }
}

#[test]
fn every_format_is_known_by_its_content() {
    for (name, bytes, format, size) in honest() {
        let (file, probe) = probed(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((probe.format, probe.upright()), (format, size), "{name}");
        let rendered =
            render(file.path(), &probe, &usual()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(rendered.renditions.len(), 2, "{name}");
        for made in &rendered.renditions {
            let expected = match made.name.as_str() {
                "thumb" => (size.0.min(size.1).min(16), size.0.min(size.1).min(16)),
                _ => {
                    let longer = size.0.max(size.1);
                    let scale = f64::from(longer.min(32)) / f64::from(longer);
                    let side = |length| (f64::from(length) * scale).round() as u32;
                    (side(size.0), side(size.1))
                }
            };
            assert_eq!((made.width, made.height), expected, "{name}");
            let (_, again) = probed(&made.bytes).unwrap();
            assert_eq!((again.format, again.upright()), (made.format, expected), "{name}");
            assert!(matches!(made.format, Format::Jpeg | Format::Webp), "{name}");
        }
        assert!(rendered.placeholder.len() > 4, "{name}");
        assert!(probe.cost_bytes(Purpose::Render(&usual())) > 1 << 20, "{name}");
    }
}

#[test]
fn animations_are_counted_and_timed() {
    for (bytes, frames, duration_ms) in
        [(p::gif(3), 3, 300), (p::apng(4), 4, 320), (p::animated_webp(5), 5, 250)]
    {
        let (file, probe) = probed(&bytes).unwrap();
        assert!(probe.is_animated);
        assert_eq!((probe.frames, probe.duration_ms), (frames, Some(duration_ms)));
        let refused = resize(file.path(), &probe, 10, 80, None).unwrap_err();
        assert!(matches!(refused, Error::AnimatedResize));
    }
    let (_, probe) = probed(&p::gif(1)).unwrap();
    assert_eq!((probe.frames, probe.is_animated, probe.duration_ms), (1, false, None));
    if cfg!(feature = "codecs") {
        let (_, probe) = probed(&p::avif_animated()).unwrap();
        assert_eq!((probe.frames, probe.duration_ms), (3, Some(300)));
    }
}

#[test]
fn all_eight_orientations_come_out_upright() {
    for orientation in 1..=8 {
        for (name, bytes) in [
            ("jpeg", p::jpeg_with_exif(96, 64, orientation, false)),
            ("png", p::png_turned(96, 64, orientation)),
            ("webp", p::webp_with_exif(96, 64, orientation)),
        ] {
            let name = format!("{name} {orientation}");
            let (file, probe) = probed(&bytes).unwrap();
            assert_eq!(probe.orientation.exif(), orientation, "{name}");
            assert_eq!(probe.upright(), (96, 64), "{name}");
            let specs = [
                spec("square", Fit::Cover { width: 40, height: 40 }),
                spec("medium", Fit::Contain { longer_side: 60 }),
                spec("narrow", Fit::Width(30)),
            ];
            let rendered = render(file.path(), &probe, &specs).unwrap();
            let sizes: Vec<_> = rendered.renditions.iter().map(|r| (r.width, r.height)).collect();
            assert_eq!(sizes, [(40, 40), (60, 40), (30, 20)], "{name}");
            rendered.renditions.iter().for_each(|made| assert_upright(&name, &made.bytes));
            let smaller = resize(file.path(), &probe, 48, 90, None).unwrap();
            assert_eq!((smaller.format, smaller.width, smaller.height), (probe.format, 48, 32));
            assert_upright(&name, &smaller.bytes);
            let public = file_orientation(&stripped(&bytes));
            assert_eq!(public, orientation, "{name} keeps its orientation in public");
        }
    }
}

fn file_orientation(bytes: &[u8]) -> u8 {
    probed(bytes).unwrap().1.orientation.exif()
}

#[test]
fn public_bytes_have_no_secrets_and_the_same_pixels() {
    for (name, bytes, format, _) in honest() {
        let public = stripped(&bytes);
        assert!(!holds_secret(&public), "{name} tells the secret place");
        assert_eq!(stripped(&public), public, "{name} is stripped twice");
        let is_read_by_crate = !matches!(
            format,
            Format::Avif | Format::Heic | Format::Jxl | Format::Tiff | Format::Ico | Format::Svg
        );
        if is_read_by_crate {
            let pixels = |bytes: &[u8]| image::load_from_memory(bytes).unwrap().into_bytes();
            // The full decoder gives up on texts that unfold too far, so it only sees the rest.
            if name != "png text bomb" {
                assert_eq!(pixels(&public), pixels(&bytes), "{name}");
            }
        }
        let (file, probe) = probed(&public).unwrap();
        assert_eq!(read_metadata(file.path(), &probe), Metadata::default(), "{name}");
        render(file.path(), &probe, &usual()).unwrap();
    }
    for told in [p::jpeg_with_exif(64, 48, 6, true), p::png_with_text(), p::gif_with_comments()] {
        assert!(holds_secret(&told));
    }
}

#[test]
fn metadata_is_read_from_every_format_that_has_it() {
    let mut all = vec![
        p::jpeg_with_exif(64, 48, 1, true),
        p::png_turned(64, 48, 1),
        p::webp_with_exif(64, 48, 1),
    ];
    if cfg!(feature = "codecs") {
        all.push(p::avif_with_exif());
    }
    if cfg!(feature = "heic") {
        all.push(p::heic_from_telephone());
    }
    if cfg!(feature = "jxl") {
        all.push(p::jxl_with_exif());
    }
    for bytes in all {
        let (file, probe) = probed(&bytes).unwrap();
        let found = read_metadata(file.path(), &probe);
        assert_eq!(found.camera_make.as_deref(), Some("Lumen"));
        assert_eq!(found.camera_model.as_deref(), Some("Lumen X100"));
        assert_eq!(found.lens.as_deref(), Some("35mm f/2"));
        assert_eq!(found.exposure_time.as_deref(), Some("1/200"));
        assert_eq!((found.f_number, found.iso), (Some(2.8), Some(400)));
        assert_eq!(found.focal_length_mm, Some(35.0));
        assert_eq!(found.taken_at.as_deref(), Some("2024-05-01T10:00:00+02:00"));
        assert_eq!(found.software.as_deref(), Some("Darkroom 4.2"));
        let gps = found.gps.unwrap();
        assert_eq!((gps.latitude, gps.longitude), (48.858_222, 2.294_5));
        assert_eq!(gps.altitude_m, Some(35.5));
    }
    let (file, probe) = probed(&p::jpeg_with_exif(64, 48, 1, false)).unwrap();
    assert_eq!(read_metadata(file.path(), &probe).gps, None);
    let (file, probe) = probed(&p::png_turned(64, 48, 1)).unwrap();
    let described = read_metadata(file.path(), &probe).description;
    assert_eq!(described.as_deref(), Some("A street in spring"));
}

#[test]
fn transparency_decides_the_format() {
    let made = |bytes: &[u8]| {
        let (file, probe) = probed(bytes).unwrap();
        render(file.path(), &probe, &usual()).unwrap()
    };
    assert_eq!(made(&p::png(64, 48, true)).renditions[1].format, Format::Webp);
    assert_eq!(made(&p::png_palette(64, 48)).renditions[1].format, Format::Webp);
    assert_eq!(made(&p::webp(64, 48, true)).renditions[1].format, Format::Webp);
    assert_eq!(made(&p::png(64, 48, false)).renditions[1].format, Format::Jpeg);
    assert_eq!(made(&p::animated_webp(2)).renditions[1].format, Format::Jpeg);

    let rendered = made(&p::png(64, 48, true));
    let medium = image::load_from_memory(&rendered.renditions[1].bytes).unwrap();
    assert!(is_near(medium.get_pixel(4, 4).0, p::RED));
    let faint = medium.get_pixel(28, 4).0;
    assert!(is_near(faint, p::GREEN) && faint[3].abs_diff(128) < 10, "{faint:?}");
    assert_eq!(medium.get_pixel(4, 22).0[3], 0);
}

#[test]
fn four_inks_and_deep_colours_look_right() {
    for bytes in [p::cmyk_jpeg(64, 48), p::png_sixteen_bit(64, 48), p::webp_lossy(64, 48)] {
        let (file, probe) = probed(&bytes).unwrap();
        let rendered = render(file.path(), &probe, &usual()).unwrap();
        assert_upright("medium", &rendered.renditions[1].bytes);
    }
}

#[cfg(feature = "codecs")]
#[test]
fn avif_is_decoded_and_turned() {
    let (file, probe) = probed(&p::avif()).unwrap();
    let rendered = render(file.path(), &probe, &usual()).unwrap();
    assert_upright("avif", &rendered.renditions[1].bytes);
    let (file, probe) = probed(&p::avif_rotated()).unwrap();
    let rendered = render(file.path(), &probe, &usual()).unwrap();
    let turned = image::load_from_memory(&rendered.renditions[1].bytes).unwrap();
    assert!(is_near(turned.get_pixel(4, 4).0, p::GREEN));
    assert!(is_near(turned.get_pixel(4, 28).0, p::RED));
    let smaller = resize(file.path(), &probe, 20, 90, None).unwrap();
    assert_eq!((smaller.format, smaller.width), (Format::Jpeg, 20));
}

#[cfg(feature = "codecs")]
#[test]
fn avif_is_written_where_it_is_asked_for() {
    let made = |bytes: &[u8], quality| {
        let (file, probe) = probed(bytes).unwrap();
        let fit = Fit::Contain { longer_side: 64 };
        let spec = VariantSpec { output: Output::Avif, quality, ..spec("small", fit) };
        render(file.path(), &probe, &[spec]).unwrap().renditions.remove(0)
    };
    // Decoded again by the other codec, as PNG without loss.
    let decoded = |bytes: &[u8]| {
        let (file, probe) = probed(bytes).unwrap();
        image::load_from_memory(&to_png(file.path(), &probe).unwrap()).unwrap()
    };
    let opaque = made(&p::jpeg_with_exif(64, 48, 6, false), 82);
    assert_eq!((opaque.format, opaque.width, opaque.height), (Format::Avif, 64, 48));
    let image = decoded(&opaque.bytes);
    for (x, y, color) in [(16, 12, p::RED), (48, 12, p::GREEN), (16, 36, p::BLUE)] {
        let found = image.get_pixel(x, y).0;
        assert!(found.iter().zip(color).all(|(a, b)| a.abs_diff(b) < 8), "{found:?} {color:?}");
    }
    let clear = decoded(&made(&p::png(64, 48, true), 82).bytes);
    let faint = clear.get_pixel(56, 8).0;
    assert!(is_near(faint, p::GREEN) && faint[3].abs_diff(128) < 10, "{faint:?}");
    assert_eq!(clear.get_pixel(8, 44).0[3], 0);
    let photo = p::photo_jpeg(64, 64, 3);
    let lengths = [20, 60, 82, 100].map(|quality| made(&photo, quality).bytes.len());
    assert!(lengths.is_sorted(), "{lengths:?}");
}

#[test]
fn a_build_says_which_formats_it_can_write() {
    for word in ["auto", "jpeg", "png", "webp"] {
        assert_eq!(Output::parse(word).unwrap().as_str(), word);
    }
    match Output::parse("avif") {
        Ok(found) => assert!(cfg!(feature = "codecs") && found == Output::Avif),
        Err(why) => assert!(!cfg!(feature = "codecs") && why.contains("feature `codecs`")),
    }
    assert!(Output::parse("gif").unwrap_err().contains("avif"));
}

#[test]
fn profiles_are_applied_to_what_is_made() {
    let p3 = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    let color = |profile: &[u8]| {
        let (file, probe) = probed(&p::jpeg_with_profile(64, 64, profile)).unwrap();
        let rendered = render(file.path(), &probe, &usual()).unwrap();
        let medium = image::load_from_memory(&rendered.renditions[1].bytes).unwrap();
        medium.get_pixel(6, 6).0
    };
    let (wide, plain) = (color(&p3), color(b"not a profile at all"));
    assert!(is_near(plain, p::RED), "{plain:?}");
    assert!(wide[0] > plain[0] + 8, "{wide:?} is no redder than {plain:?}");
    // The profile belongs to the pixels, so the public bytes keep it.
    let public = stripped(&p::jpeg_with_profile(64, 64, &p3));
    assert!(public.windows(11).any(|window| window == b"ICC_PROFILE"));
}

#[test]
fn small_pictures_are_never_enlarged() {
    let (file, probe) = probed(&p::png(5, 3, false)).unwrap();
    let specs = [spec("cover", Fit::Cover { width: 160, height: 160 }), usual()[1].clone()];
    let rendered = render(file.path(), &probe, &specs).unwrap();
    let sizes: Vec<_> = rendered.renditions.iter().map(|r| (r.width, r.height)).collect();
    assert_eq!(sizes, [(3, 3), (5, 3)]);
    assert_eq!(resize(file.path(), &probe, 900, 80, None).unwrap().width, 5);
}

#[test]
fn bmp_becomes_png_without_loss() {
    let bytes = p::bmp(63, 48);
    let (file, probe) = probed(&bytes).unwrap();
    let png = to_png(file.path(), &probe).unwrap();
    let pixels = |bytes: &[u8]| image::load_from_memory(bytes).unwrap().to_rgb8();
    assert_eq!(pixels(&png), pixels(&bytes));
    assert_eq!(resize(file.path(), &probe, 20, 80, None).unwrap().format, Format::Png);
}

#[test]
fn a_probe_is_good_for_its_own_picture_only() {
    let bytes = p::jpeg_with_exif(64, 48, 6, true);
    let (told, probe) = probed(&bytes).unwrap();
    let public = file(&stripped(&bytes));
    let variants =
        |path| render(path, &probe, &usual()).map(|made| made.renditions[1].bytes.clone());
    assert_eq!(variants(public.path()).unwrap(), variants(told.path()).unwrap());

    let other = file(&p::photo_jpeg(64, 48, 2));
    assert!(matches!(variants(other.path()), Err(Error::Damaged(_))));
    let mut to = NamedTempFile::new().unwrap().into_file();
    assert!(matches!(strip(other.path(), &probe, &mut to), Err(Error::Damaged(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_budget_bounds_what_runs_at_once() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    let budget = Budget::new(64 << 20, 2).unwrap();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let jobs = (0..8u64).map(|cost| {
        let (budget, now, most) = (budget.clone(), now.clone(), most.clone());
        tokio::spawn(async move {
            let work = move || {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(10));
                now.fetch_sub(1, Ordering::SeqCst);
                Ok(cost)
            };
            budget.run((cost << 20) * 4, work).await
        })
    });
    for (cost, job) in jobs.collect::<Vec<_>>().into_iter().enumerate() {
        assert_eq!(job.await.unwrap().unwrap(), cost as u64);
    }
    assert_eq!(most.load(Ordering::SeqCst), 2);
    let panicked = budget.run(1, || -> Result<(), Error> { panic!("a codec") }).await;
    assert!(matches!(panicked, Err(Error::Damaged(_))));
}
