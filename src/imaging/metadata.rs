//! What a camera wrote about a picture, read from its Exif block. Nothing here is trusted: every
//! text is somebody's input. XMP and IPTC are not read.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::facts::Probe;
use super::source::Source;
use super::tiff::{Directory, Tiff};

/// A text may have this many characters; the rest is cut off.
const MAX_TEXT: usize = 500;

/// Facts about how a picture was taken. What the file does not say, or says wrongly, is absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Metadata {
    pub camera_make: Option<String>,
    pub camera_model: Option<String>,
    pub lens: Option<String>,
    /// Seconds, as a fraction where it is less than one: `1/200`.
    pub exposure_time: Option<String>,
    pub f_number: Option<f64>,
    pub iso: Option<u32>,
    pub focal_length_mm: Option<f64>,
    /// RFC 3339 if the camera knew its offset from UTC, otherwise the same without an offset:
    /// the camera's local time.
    pub taken_at: Option<String>,
    pub gps: Option<Gps>,
    pub software: Option<String>,
    pub artist: Option<String>,
    pub copyright: Option<String>,
    pub description: Option<String>,
}

/// A place on earth, WGS 84, in degrees; north and east are positive.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Gps {
    pub latitude: f64,
    pub longitude: f64,
    /// Above sea level, or below it where negative.
    pub altitude_m: Option<f64>,
}

/// Reads what there is. A file that cannot be read any more, or makes no sense, has none.
pub fn read_metadata(path: &Path, probe: &Probe) -> Metadata {
    let block = probe.exif().and_then(|span| Source::open(path).ok()?.read(span).ok());
    block.and_then(|block| Some(from_directory(&Tiff::parse(&block)?))).unwrap_or_default()
}

fn from_directory(main: &Directory<'_>) -> Metadata {
    let mut metadata = Metadata {
        camera_make: main.text(0x010f).and_then(tidy),
        camera_model: main.text(0x0110).and_then(tidy),
        software: main.text(0x0131).and_then(tidy),
        artist: main.text(0x013b).and_then(tidy),
        copyright: main.text(0x8298).and_then(tidy),
        description: main.text(0x010e).and_then(tidy),
        gps: main.directory(0x8825).and_then(|place| gps(&place)),
        ..Metadata::default()
    };
    let taken = main.directory(0x8769);
    if let Some(taken) = &taken {
        metadata.lens = taken.text(0xa434).and_then(tidy);
        metadata.exposure_time = taken.fraction(0x829a).and_then(exposure);
        metadata.f_number = taken.fraction(0x829d).and_then(ratio).map(rounded);
        metadata.iso = taken.number(0x8827).filter(|iso| *iso > 0);
        metadata.focal_length_mm = taken.fraction(0x920a).and_then(ratio).map(rounded);
    }
    let original = taken.as_ref().and_then(|taken| taken.text(0x9003));
    let offset = taken.as_ref().and_then(|taken| taken.text(0x9011));
    metadata.taken_at =
        original.or_else(|| main.text(0x0132)).and_then(|at| moment(&at, offset.as_deref()));
    metadata
}

/// One line without control characters, or nothing.
fn tidy(text: String) -> Option<String> {
    let visible: String = text.chars().filter(|c| !c.is_control()).take(MAX_TEXT * 2).collect();
    let short: String = visible.trim().chars().take(MAX_TEXT).collect();
    let short = short.trim_end();
    (!short.is_empty()).then(|| short.to_owned())
}

fn ratio((over, under): (u32, u32)) -> Option<f64> {
    let value = f64::from(over) / f64::from(under);
    (under != 0 && over != 0).then_some(value)
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn exposure(fraction: (u32, u32)) -> Option<String> {
    let seconds = ratio(fraction)?;
    Some(if seconds >= 0.4 {
        format!("{}", (seconds * 10.0).round() / 10.0)
    } else {
        format!("1/{}", (1.0 / seconds).round())
    })
}

/// Exif writes `2024:05:01 10:00:00`, and the offset apart, as `+02:00`.
fn moment(text: &str, offset: Option<&str>) -> Option<String> {
    let at = jiff::civil::DateTime::strptime("%Y:%m:%d %H:%M:%S", text.trim()).ok()?;
    let local = at.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let offset = offset.map(str::trim).filter(|offset| is_offset(offset)).unwrap_or_default();
    Some(local + offset)
}

fn is_offset(text: &str) -> bool {
    let [sign, h1, h2, b':', m1, m2] = text.as_bytes() else {
        return false;
    };
    let two = |a: &u8, b: &u8| (*a as char).to_digit(10).zip((*b as char).to_digit(10));
    let hours = two(h1, h2).is_some_and(|(tens, ones)| tens * 10 + ones <= 15);
    matches!(sign, b'+' | b'-') && hours && two(m1, m2).is_some_and(|(tens, _)| tens < 6)
}

fn gps(place: &Directory<'_>) -> Option<Gps> {
    let latitude = degrees(place, 2)? * sign(place, 1, 'S');
    let longitude = degrees(place, 4)? * sign(place, 3, 'W');
    // Cameras without a fix write zeros.
    let known = latitude != 0.0 || longitude != 0.0;
    if !known || latitude.abs() > 90.0 || longitude.abs() > 180.0 {
        return None;
    }
    let below = place.number(5) == Some(1);
    let altitude_m = place
        .fraction(6)
        .filter(|(_, under)| *under != 0)
        .map(|(over, under)| rounded(f64::from(over) / f64::from(under)))
        .map(|height| if below { -height } else { height });
    Some(Gps { latitude, longitude, altitude_m })
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
    fn texts_are_one_clean_line() {
        assert_eq!(tidy(" a\u{7}b\n ".into()).as_deref(), Some("ab"));
        assert_eq!(tidy("\u{0}\u{1b} ".into()), None);
        assert_eq!(tidy("é".repeat(900)).map(|text| text.chars().count()), Some(MAX_TEXT));
    }

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
    fn exposures_read_like_on_a_camera() {
        assert_eq!(exposure((10, 2000)).as_deref(), Some("1/200"));
        assert_eq!(exposure((5, 2)).as_deref(), Some("2.5"));
        assert_eq!(exposure((1, 0)), None);
        assert_eq!(exposure((0, 7)), None);
    }

    #[test]
    fn a_broken_block_says_nothing() {
        for block in [&b"II*\0\xff\xff\xff\xff"[..], b"MM\0*\0\0\0\x08\xff\xff", b"II*\0", b""] {
            assert!(Tiff::parse(block).is_none());
        }
    }
}
