//! JPEGs turned upright without loss, and those that are left as they are.

use vitrina::imaging::{Purpose, turn_losslessly};

use super::{p, probed};

/// The turned file, where there is one.
fn turned(bytes: &[u8]) -> Option<Vec<u8>> {
    let (file, probe) = probed(bytes).unwrap();
    turn_losslessly(file.path(), &probe).unwrap()
}

#[test]
fn what_cannot_be_turned_exactly_is_left_alone() {
    // No multiple of 16 on the side that would come first.
    assert_eq!(turned(&p::with_orientation(&p::photo_jpeg(90, 70, 1), 3)), None);
    assert_eq!(turned(&p::with_orientation(&p::photo_jpeg(96, 70, 1), 6)), None);
    assert_eq!(turned(&p::photo_jpeg(96, 64, 1)), None);
    assert_eq!(turned(&p::png_turned(96, 64, 6)), None);
}

#[test]
fn turning_has_a_price() {
    let cost = |bytes: &[u8]| probed(bytes).unwrap().1.cost_bytes(Purpose::Turn);
    let upright = p::photo_jpeg(1600, 1200, 1);
    let coefficients = 1600 * 1200 * 3;
    assert!(cost(&p::with_orientation(&upright, 6)) > 2 * coefficients);
    assert!(cost(&upright) < coefficients && cost(&p::gif(1)) < coefficients);
}

#[cfg(not(feature = "codecs"))]
#[test]
fn a_build_without_codecs_turns_nothing() {
    assert_eq!(turned(&p::with_orientation(&p::photo_jpeg(96, 64, 1), 6)), None);
}

#[cfg(feature = "codecs")]
mod with_codecs {
    use image::DynamicImage;
    use image::metadata::Orientation;
    use vitrina::imaging::{Limits, probe, read_metadata};

    use super::super::{file, holds_secret, stripped};
    use super::*;

    fn decoded(bytes: &[u8]) -> DynamicImage {
        image::load_from_memory(bytes).unwrap()
    }

    #[test]
    fn all_eight_orientations_become_upright() {
        for orientation in 1..=8 {
            let stored = p::photo_jpeg(160, 96, 7);
            let Some(upright) = turned(&p::with_orientation(&stored, orientation)) else {
                assert_eq!(orientation, 1, "{orientation} is not turned");
                continue;
            };
            let mut expected = decoded(&stored);
            expected.apply_orientation(Orientation::from_exif(orientation).unwrap());
            let found = decoded(&upright);
            assert_eq!((found.width(), found.height()), (expected.width(), expected.height()));
            // The same coefficients: only the rounding of their sums may differ.
            let pairs = found.as_bytes().iter().zip(expected.as_bytes());
            let most = pairs.map(|(a, b)| a.abs_diff(*b)).max();
            assert!(most <= Some(3), "{orientation}: {most:?}");

            let (_, probe) = probed(&upright).unwrap();
            assert!(probe.orientation.is_upright(), "{orientation}");
            assert_eq!(stripped(&upright), upright, "{orientation} is public");

            // Turned back, it is the stored picture again, bit for bit.
            let back = [0, 1, 2, 3, 4, 5, 8, 7, 6][usize::from(orientation)];
            let again = turned(&p::with_orientation(&upright, back)).unwrap();
            assert_eq!(decoded(&again), decoded(&stored), "{orientation} and back");
        }
    }

    #[test]
    fn colours_and_passes_are_kept() {
        let p3 = moxcms::ColorProfile::new_display_p3().encode().unwrap();
        let told = p::with_orientation(&p::jpeg_with_profile(64, 64, &p3), 6);
        let upright = turned(&told).unwrap();
        assert!(upright.windows(11).any(|window| window == b"ICC_PROFILE"));
        assert!(upright.windows(p3.len()).any(|window| window == p3));

        let slow = p::with_orientation(&p::progressive_jpeg(160, 96), 8);
        let is_progressive = |bytes: &[u8]| bytes.windows(2).any(|pair| pair == [0xff, 0xc2]);
        assert!(is_progressive(&turned(&slow).unwrap()));
        assert!(!is_progressive(&turned(&told).unwrap()));

        for stored in [p::cmyk_jpeg(64, 48), p::gray_jpeg(64, 48)] {
            let upright = turned(&p::with_orientation(&stored, 3)).unwrap();
            assert_eq!(decoded(&upright).rotate180(), decoded(&stored));
        }
    }

    #[test]
    fn nothing_is_told_afterwards() {
        let upright = turned(&p::jpeg_with_exif(96, 64, 6, true)).unwrap();
        assert!(!holds_secret(&upright));
        let (file, probe) = probed(&upright).unwrap();
        assert_eq!(read_metadata(file.path(), &probe), Default::default());
        assert_eq!((probe.width, probe.height), (96, 64));
    }

    #[test]
    fn limits_hold_and_damage_is_survived() {
        let told = p::with_orientation(&p::photo_jpeg(160, 96, 1), 6);
        let held = file(&told);
        let limits = Limits { max_progressive_pixels: 10_000, ..Limits::default() };
        let found = probe(held.path(), &limits).unwrap();
        assert_eq!(turn_losslessly(held.path(), &found).unwrap(), None);
        for at in (told.len() / 8..told.len()).step_by(told.len() / 50) {
            let mut damaged = told.clone();
            damaged[at] ^= 0xa5;
            if probed(&damaged).is_ok() {
                turned(&damaged);
            }
        }
    }
}
