//! What a file tells about its picture, as its owner sees it.

use crate::imaging::{Gps, Metadata, Projection};
use poem_openapi::Object;

/// What the camera, and the programs after it, wrote into the file.
#[derive(Object)]
#[oai(rename = "Metadata", skip_serializing_if_is_none)]
pub(super) struct MetadataView {
    title: Option<String>,
    description: Option<String>,
    /// At most 50.
    tags: Option<Vec<String>>,
    camera_make: Option<String>,
    camera_model: Option<String>,
    lens_make: Option<String>,
    lens: Option<String>,
    /// In seconds, as a fraction where it is less than one: `1/200`.
    exposure_time: Option<String>,
    f_number: Option<f64>,
    iso: Option<u32>,
    focal_length_mm: Option<f64>,
    /// The focal length that shows as much on 35 mm film.
    focal_length_35mm: Option<u32>,
    /// In stops; negative where the picture was meant to be darker.
    exposure_bias: Option<f64>,
    /// `manual`, `normal`, `aperture_priority`, `shutter_priority`, `creative`, `action`,
    /// `portrait` or `landscape`.
    exposure_program: Option<String>,
    /// `average`, `center_weighted`, `spot`, `multi_spot`, `pattern` or `partial`.
    metering: Option<String>,
    /// Whether the flash fired.
    flash: Option<bool>,
    /// `auto` or `manual`.
    white_balance: Option<String>,
    gps: Option<GpsView>,
    city: Option<String>,
    country: Option<String>,
    software: Option<String>,
    artist: Option<String>,
    copyright: Option<String>,
    /// `equirectangular` if the picture shows all around; otherwise absent.
    projection: Option<String>,
}

/// A place on earth, WGS 84, in degrees; north and east are positive.
#[derive(Object)]
#[oai(rename = "Gps", skip_serializing_if_is_none)]
struct GpsView {
    latitude: f64,
    longitude: f64,
    /// Above sea level.
    altitude_m: Option<f64>,
}

impl MetadataView {
    /// `None` where nothing is told.
    pub(super) fn new(metadata: &Metadata) -> Option<Self> {
        if *metadata == Metadata::default() {
            return None;
        }
        let all = metadata.clone();
        Some(Self {
            title: all.title,
            description: all.description,
            tags: (!all.tags.is_empty()).then_some(all.tags),
            camera_make: all.camera_make,
            camera_model: all.camera_model,
            lens_make: all.lens_make,
            lens: all.lens,
            exposure_time: all.exposure_time,
            f_number: all.f_number,
            iso: all.iso,
            focal_length_mm: all.focal_length_mm,
            focal_length_35mm: all.focal_length_35mm,
            exposure_bias: all.exposure_bias,
            exposure_program: all.exposure_program,
            metering: all.metering,
            flash: all.flash,
            white_balance: all.white_balance,
            gps: all.gps.map(GpsView::new),
            city: all.city,
            country: all.country,
            software: all.software,
            artist: all.artist,
            copyright: all.copyright,
            projection: all.projection.map(Projection::as_str).map(str::to_owned),
        })
    }
}

impl GpsView {
    fn new(gps: Gps) -> Self {
        Self { latitude: gps.latitude, longitude: gps.longitude, altitude_m: gps.altitude_m }
    }
}
