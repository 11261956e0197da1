//! What a camera writes: Exif (CIPA DC-008) and the few fields that Windows adds to it. Finds
//! facts in directories; how bytes become values is for `tiff.rs`.

use super::super::tiff::{Directory, Tiff};
use super::words::{caption, exposure, fraction, is_offset, rounded, tags, tidy};
use super::{Gps, Metadata};

/// What makers put where a description belongs, whatever the picture shows.
const BOILERPLATE: &[&str] = &[
    "DCF 1.0",
    "DIGITAL CAMERA",
    "DIGITAL IMAGE",
    "KODAK DIGITAL STILL CAMERA",
    "KONICA MINOLTA DIGITAL CAMERA",
    "MINOLTA DIGITAL CAMERA",
    "OLYMPUS DIGITAL CAMERA",
    "SAMSUNG",
    "SONY DSC",
];

pub(super) fn read(block: &[u8]) -> Option<Metadata> {
    let main = Tiff::parse(block)?;
    let mut metadata = Metadata {
        title: main.wide_text(0x9c9b).and_then(tidy),
        tags: tags(main.wide_text(0x9c9e).unwrap_or_default().split(';')),
        camera_make: main.text(0x010f).and_then(tidy),
        camera_model: main.text(0x0110).and_then(tidy),
        software: main.text(0x0131).and_then(tidy),
        artist: main.text(0x013b).and_then(tidy),
        copyright: main.text(0x8298).and_then(tidy),
        description: main.text(0x010e).and_then(caption).filter(|text| !is_boilerplate(text)),
        gps: main.directory(0x8825).and_then(|place| gps(&place)),
        ..Metadata::default()
    };
    let taken = main.directory(0x8769);
    if let Some(taken) = &taken {
        exposed(&mut metadata, taken);
    }
    let original = taken.as_ref().and_then(|taken| taken.text(0x9003));
    let offset = taken.as_ref().and_then(|taken| taken.text(0x9011));
    metadata.taken_at =
        original.or_else(|| main.text(0x0132)).and_then(|at| moment(&at, offset.as_deref()));
    Some(metadata)
}

/// How the picture was taken.
fn exposed(metadata: &mut Metadata, taken: &Directory<'_>) {
    metadata.lens_make = taken.text(0xa433).and_then(tidy);
    metadata.lens = taken.text(0xa434).and_then(tidy);
    metadata.exposure_time = taken.fraction(0x829a).and_then(fraction).and_then(exposure);
    metadata.f_number = taken.fraction(0x829d).and_then(fraction).map(rounded);
    metadata.iso = taken.number(0x8827).filter(|iso| *iso > 0);
    metadata.focal_length_mm = taken.fraction(0x920a).and_then(fraction).map(rounded);
    metadata.focal_length_35mm = taken.number(0xa405).filter(|length| *length > 0);
    metadata.exposure_bias = taken
        .signed_fraction(0x9204)
        .filter(|(_, under)| *under != 0)
        .map(|(over, under)| rounded(f64::from(over) / f64::from(under)));
    metadata.exposure_program = taken.number(0x8822).and_then(program);
    metadata.metering = taken.number(0x9207).and_then(metering);
    metadata.flash = taken.number(0x9209).map(|bits| bits & 1 == 1);
    metadata.white_balance = match taken.number(0xa403) {
        Some(0) => Some("auto".to_owned()),
        Some(1) => Some("manual".to_owned()),
        _ => None,
    };
}

fn program(value: u32) -> Option<String> {
    let word = match value {
        1 => "manual",
        2 => "normal",
        3 => "aperture_priority",
        4 => "shutter_priority",
        5 => "creative",
        6 => "action",
        7 => "portrait",
        8 => "landscape",
        _ => return None,
    };
    Some(word.to_owned())
}

fn metering(value: u32) -> Option<String> {
    let word = match value {
        1 => "average",
        2 => "center_weighted",
        3 => "spot",
        4 => "multi_spot",
        5 => "pattern",
        6 => "partial",
        _ => return None,
    };
    Some(word.to_owned())
}

fn is_boilerplate(text: &str) -> bool {
    BOILERPLATE.iter().any(|usual| text.eq_ignore_ascii_case(usual))
}

/// Exif writes `2024:05:01 10:00:00`, and the offset apart, as `+02:00`.
fn moment(text: &str, offset: Option<&str>) -> Option<String> {
    let at = jiff::civil::DateTime::strptime("%Y:%m:%d %H:%M:%S", text.trim()).ok()?;
    let local = at.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let offset = offset.map(str::trim).filter(|offset| is_offset(offset)).unwrap_or_default();
    Some(local + offset)
}

fn gps(place: &Directory<'_>) -> Option<Gps> {
    let latitude = degrees(place, 2)? * sign(place, 1, 'S');
    let longitude = degrees(place, 4)? * sign(place, 3, 'W');
    let below = place.number(5) == Some(1);
    let altitude_m = place
        .fraction(6)
        .filter(|(_, under)| *under != 0)
        .map(|(over, under)| rounded(f64::from(over) / f64::from(under)))
        .map(|height| if below { -height } else { height });
    Gps { latitude, longitude, altitude_m }.checked()
}

fn sign(place: &Directory<'_>, tag: u16, negative: char) -> f64 {
    let reference = place.text(tag).unwrap_or_default();
    if reference.trim().eq_ignore_ascii_case(&negative.to_string()) { -1.0 } else { 1.0 }
}

/// Degrees, minutes and seconds as one number, to about a tenth of a metre.
fn degrees(place: &Directory<'_>, tag: u16) -> Option<f64> {
    let mut parts = place.fractions(tag)?;
    let mut next = || match parts.next() {
        Some((_, 0)) | None => None,
        Some((over, under)) => Some(f64::from(over) / f64::from(under)),
    };
    let whole = next()?;
    let degrees = whole + next().unwrap_or(0.0) / 60.0 + next().unwrap_or(0.0) / 3600.0;
    Some((degrees * 1e6).round() / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_checked() {
        let taken = |at, offset| moment(at, offset);
        assert_eq!(taken("2024:05:01 10:00:00", None).as_deref(), Some("2024-05-01T10:00:00"));
        let with = taken("2024:05:01 10:00:00", Some("-03:30"));
        assert_eq!(with.as_deref(), Some("2024-05-01T10:00:00-03:30"));
        let odd = taken("2024:05:01 10:00:00", Some("Z\"<b>"));
        assert_eq!(odd.as_deref(), Some("2024-05-01T10:00:00"));
        assert_eq!(taken("0000:00:00 00:00:00", None), None);
        assert_eq!(taken("2024:13:01 10:00:00", None), None);
    }

    #[test]
    fn a_broken_block_says_nothing() {
        for block in [&b"II*\0\xff\xff\xff\xff"[..], b"MM\0*\0\0\0\x08\xff\xff", b"II*\0", b""] {
            assert_eq!(read(block), None);
        }
    }

    #[test]
    fn what_every_picture_of_a_camera_says_is_no_description() {
        for usual in ["OLYMPUS DIGITAL CAMERA", "SONY DSC", "samsung", "Digital Image"] {
            assert!(is_boilerplate(usual), "{usual}");
        }
        assert!(!is_boilerplate("My new digital camera"));
    }
}
