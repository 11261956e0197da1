//! WebP of every kind, made smaller: decoded at the size that is needed, and never seen to be.

use image::RgbaImage;
use vitrina::imaging::{Fit, Output, Purpose, VariantSpec, render, to_png};

use super::{probed, spec};
use crate::kit::pictures as p;

fn small() -> [VariantSpec; 1] {
    let spec = spec("medium", Fit::Contain { longer_side: 100 });
    [VariantSpec { output: Output::Png, ..spec }]
}

fn medium(bytes: &[u8]) -> RgbaImage {
    let (file, probe) = probed(bytes).unwrap();
    let made = render(file.path(), &probe, &small()).unwrap();
    image::load_from_memory(&made.renditions[0].bytes).unwrap().into_rgba8()
}

/// The same pixels in a format that is always decoded in full.
fn as_png(bytes: &[u8]) -> Vec<u8> {
    let (file, probe) = probed(bytes).unwrap();
    to_png(file.path(), &probe).unwrap()
}

/// How far two pictures are apart on black, where nobody sees the colours of what is transparent.
fn farthest(a: &RgbaImage, b: &RgbaImage) -> u8 {
    assert_eq!(a.dimensions(), b.dimensions());
    let seen = |pixel: &image::Rgba<u8>| {
        let [r, g, b, alpha] = pixel.0.map(u16::from);
        [r * alpha / 255, g * alpha / 255, b * alpha / 255, alpha].map(|value| value as u8)
    };
    let differences = a.pixels().zip(b.pixels()).flat_map(|(a, b)| {
        let (a, b) = (seen(a), seen(b));
        [0, 1, 2, 3].map(|at: usize| a[at].abs_diff(b[at]))
    });
    differences.max().unwrap()
}

#[test]
fn every_kind_looks_the_same_as_decoded_in_full() {
    // Hard edges tell filters apart. Where a side of a lossy picture is odd, the decoder spreads
    // half as many samples of colour over it, rounded up, and ends up one stored pixel off.
    for (name, is_lossy, is_transparent, most, most_odd) in [
        ("lossy", true, false, 10, 40),
        ("lossy with alpha", true, true, 0, 0),
        ("lossless", false, false, 10, 10),
        ("lossless with alpha", false, true, 10, 10),
    ] {
        let sizes = [(900, 600, most), (640, 960, most), (901, 603, most_odd), (1600, 3, most_odd)];
        for (width, height, most) in sizes {
            let bytes = p::webp_disc(width, height, is_lossy, is_transparent);
            let far = farthest(&medium(&bytes), &medium(&as_png(&bytes)));
            assert!(far <= most, "{name}, {width} × {height}: {far}");
        }
    }
}

#[test]
fn what_is_not_decoded_is_not_paid_for() {
    let cost = |is_lossy, is_transparent| {
        let (_file, probe) = probed(&p::webp_disc(1600, 1200, is_lossy, is_transparent)).unwrap();
        let of = |purpose| probe.cost_bytes(purpose) - (16 << 20);
        (of(Purpose::Render(&small())), of(Purpose::Resize { width: 1600 }))
    };
    let pixels = 1600 * 1200;
    let (small, whole) = cost(true, false);
    assert!(small < pixels && whole > pixels * 3);
    for (small, whole) in [cost(false, false), cost(false, true)] {
        assert!(small > pixels * 4 && small < whole - pixels * 7);
    }
    let (small, _) = cost(true, true);
    assert!(small > pixels * 5);
}
