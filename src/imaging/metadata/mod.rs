//! What a file tells about its picture: read from Exif, XMP and IPTC, and made one. Nothing here
//! is trusted: every text is somebody's input. All of it leaves a file before the file is public.

mod exif;
mod iptc;
mod words;
mod xmp;

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::facts::Probe;
use super::source::{Source, Span};

/// Facts about a picture and how it was taken. What the file does not say, or says wrongly, is
/// absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Metadata {
    pub title: Option<String>,
    pub description: Option<String>,
    /// At most 50 of at most 100 characters each, none twice.
    pub tags: Vec<String>,
    pub camera_make: Option<String>,
    pub camera_model: Option<String>,
    pub lens_make: Option<String>,
    pub lens: Option<String>,
    /// Seconds, as a fraction where it is less than one: `1/200`.
    pub exposure_time: Option<String>,
    pub f_number: Option<f64>,
    pub iso: Option<u32>,
    pub focal_length_mm: Option<f64>,
    /// The focal length that shows as much on 35 mm film.
    pub focal_length_35mm: Option<u32>,
    /// By how many stops the picture was meant to be lighter, or darker where negative.
    pub exposure_bias: Option<f64>,
    /// `manual`, `normal`, `aperture_priority`, `shutter_priority`, `creative`, `action`,
    /// `portrait` or `landscape`.
    pub exposure_program: Option<String>,
    /// `average`, `center_weighted`, `spot`, `multi_spot`, `pattern` or `partial`.
    pub metering: Option<String>,
    /// Whether the flash fired.
    pub flash: Option<bool>,
    /// `auto` or `manual`.
    pub white_balance: Option<String>,
    /// RFC 3339 if the camera knew its offset from UTC, otherwise the same without an offset:
    /// the camera's local time. Midnight where only the day is known.
    pub taken_at: Option<String>,
    pub gps: Option<Gps>,
    pub city: Option<String>,
    pub country: Option<String>,
    pub software: Option<String>,
    pub artist: Option<String>,
    pub copyright: Option<String>,
    /// How a picture of all around was laid flat.
    pub projection: Option<Projection>,
}

/// A place on earth, WGS 84, in degrees; north and east are positive.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Gps {
    pub latitude: f64,
    pub longitude: f64,
    /// Above sea level, or below it where negative.
    pub altitude_m: Option<f64>,
}

/// How a sphere became a rectangle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Projection {
    /// Degrees of longitude across, of latitude down, all of one size.
    Equirectangular,
}

impl Projection {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equirectangular => "equirectangular",
        }
    }
}

/// Reads what there is. A file that cannot be read any more, or makes no sense, has none.
pub fn read_metadata(path: &Path, probe: &Probe) -> Metadata {
    let Ok(mut source) = Source::open(path) else {
        return Metadata::default();
    };
    let mut block = |span: Option<Span>| source.read(span?).ok();
    let blocks = probe.inside.blocks;
    let exif = block(blocks.exif).and_then(|block| exif::read(&block)).unwrap_or_default();
    let xmp = block(blocks.xmp).map(|block| xmp::read(&block)).unwrap_or_default();
    let iptc = block(blocks.iptc).and_then(|block| iptc::read(&block)).unwrap_or_default();
    let mut metadata = merged(exif, xmp, iptc);
    if metadata.projection.is_none() && is_sphere(&metadata, probe.upright()) {
        metadata.projection = Some(Projection::Equirectangular);
    }
    metadata
}

/// Facts as the camera wrote them first, and words as people wrote them last.
fn merged(exif: Metadata, xmp: Metadata, iptc: Metadata) -> Metadata {
    let words = xmp.clone().or(iptc.clone()).or(exif.clone());
    let facts = exif.or(xmp).or(iptc);
    Metadata { title: words.title, description: words.description, tags: words.tags, ..facts }
}

impl Metadata {
    /// Whether the picture shows all around and wants a viewer that turns.
    pub fn is_360(&self) -> bool {
        self.projection.is_some()
    }

    /// Every fact of this, and of the other what this does not know.
    fn or(self, other: Self) -> Self {
        Self {
            title: self.title.or(other.title),
            description: self.description.or(other.description),
            tags: if self.tags.is_empty() { other.tags } else { self.tags },
            camera_make: self.camera_make.or(other.camera_make),
            camera_model: self.camera_model.or(other.camera_model),
            lens_make: self.lens_make.or(other.lens_make),
            lens: self.lens.or(other.lens),
            exposure_time: self.exposure_time.or(other.exposure_time),
            f_number: self.f_number.or(other.f_number),
            iso: self.iso.or(other.iso),
            focal_length_mm: self.focal_length_mm.or(other.focal_length_mm),
            focal_length_35mm: self.focal_length_35mm.or(other.focal_length_35mm),
            exposure_bias: self.exposure_bias.or(other.exposure_bias),
            exposure_program: self.exposure_program.or(other.exposure_program),
            metering: self.metering.or(other.metering),
            flash: self.flash.or(other.flash),
            white_balance: self.white_balance.or(other.white_balance),
            taken_at: self.taken_at.or(other.taken_at),
            gps: self.gps.or(other.gps),
            city: self.city.or(other.city),
            country: self.country.or(other.country),
            software: self.software.or(other.software),
            artist: self.artist.or(other.artist),
            copyright: self.copyright.or(other.copyright),
            projection: self.projection.or(other.projection),
        }
    }
}

impl Gps {
    /// The place if there is such a one. Cameras that do not know where they are write zeros.
    fn checked(self) -> Option<Self> {
        let is_known = self.latitude != 0.0 || self.longitude != 0.0;
        let is_on_earth = self.latitude.abs() <= 90.0 && self.longitude.abs() <= 180.0;
        (is_known && is_on_earth).then_some(self)
    }
}

/// Cameras that look all around, by what stands in their make and model, in lower case. They make
/// other pictures too, but only those of the whole sphere are twice as wide as high.
const ALL_AROUND: &[(&str, &str)] = &[
    ("gopro", "max"),
    ("gopro", "fusion"),
    ("insta360", ""),
    ("arashi vision", ""),
    ("ricoh", "theta"),
    ("samsung", "gear 360"),
    ("samsung", "sm-c200"),
    ("samsung", "sm-r210"),
];

/// A smaller picture of the whole sphere would be of no use.
const LEAST_SPHERE: u32 = 2048;

/// Whether a picture is most likely one of the whole sphere, though its file does not say so.
fn is_sphere(metadata: &Metadata, (width, height): (u32, u32)) -> bool {
    let word = |text: &Option<String>| text.as_deref().unwrap_or_default().to_lowercase();
    let (make, model) = (word(&metadata.camera_make), word(&metadata.camera_model));
    let is_made_for_it = |(maker, name): &(&str, &str)| {
        (make.contains(maker) || model.contains(maker)) && model.contains(name)
    };
    width >= LEAST_SPHERE
        && Some(width) == height.checked_mul(2)
        && ALL_AROUND.iter().any(is_made_for_it)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titled(title: &str, make: &str) -> Metadata {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Metadata { title: some(title), camera_make: some(make), ..Metadata::default() }
    }

    #[test]
    fn cameras_know_facts_and_people_know_words() {
        let xmp = Metadata { tags: vec!["sea".to_owned()], ..titled("Xmp", "Xmp") };
        let iptc = Metadata { tags: vec!["lake".to_owned()], ..titled("Iptc", "") };
        let all = merged(titled("Exif", "Exif"), xmp, iptc.clone());
        assert_eq!((all.title.as_deref(), all.camera_make.as_deref()), (Some("Xmp"), Some("Exif")));
        assert_eq!(all.tags, ["sea"]);
        let some = merged(titled("Exif", ""), titled("", "Xmp"), iptc);
        assert_eq!(
            (some.title.as_deref(), some.camera_make.as_deref()),
            (Some("Iptc"), Some("Xmp"))
        );
        assert_eq!(some.tags, ["lake"]);
    }

    #[test]
    fn what_was_stored_before_is_still_read() {
        let old = r#"{"camera_make":"Lumen","lens":null,"gps":{"latitude":1.5,"longitude":2.0,
            "altitude_m":null},"iso":400}"#;
        let read: Metadata = serde_json::from_str(old).unwrap();
        assert_eq!((read.camera_make.as_deref(), read.iso), (Some("Lumen"), Some(400)));
        assert!(!read.is_360() && read.tags.is_empty());
        let new = Metadata { projection: Some(Projection::Equirectangular), ..read };
        let text = serde_json::to_string(&new).unwrap();
        assert!(text.contains(r#""projection":"equirectangular""#), "{text}");
        assert_eq!(serde_json::from_str::<Metadata>(&text).unwrap(), new);
    }

    #[test]
    fn cameras_that_look_all_around_are_known() {
        let camera = |make: &str, model: &str| Metadata {
            camera_make: Some(make.to_owned()),
            camera_model: Some(model.to_owned()),
            ..Metadata::default()
        };
        for (make, model) in [
            ("GoPro", "GoPro Max"),
            ("GoPro", "FUSION"),
            ("Insta360", "Insta360 X3"),
            ("Arashi Vision", "Insta360 ONE X"),
            ("RICOH", "RICOH THETA V"),
            ("SAMSUNG", "SM-R210"),
        ] {
            assert!(is_sphere(&camera(make, model), (5760, 2880)), "{make} {model}");
        }
        assert!(!is_sphere(&camera("GoPro", "HERO9 Black"), (5760, 2880)));
        assert!(!is_sphere(&camera("GoPro", "GoPro Max"), (5760, 4320)));
        assert!(!is_sphere(&camera("GoPro", "GoPro Max"), (1000, 500)));
        assert!(!is_sphere(&Metadata::default(), (5760, 2880)));
    }
}
