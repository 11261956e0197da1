//! What the camera wrote, as a client sees it.

use crate::imaging::{Gps, Metadata};
use poem_openapi::Object;

/// What the camera wrote into the file.
#[derive(Object)]
#[oai(rename = "Metadata", skip_serializing_if_is_none)]
pub(super) struct MetadataView {
    camera_make: Option<String>,
    camera_model: Option<String>,
    lens: Option<String>,
    /// In seconds, as a fraction where it is less than one: `1/200`.
    exposure_time: Option<String>,
    f_number: Option<f64>,
    iso: Option<u32>,
    focal_length_mm: Option<f64>,
    gps: Option<GpsView>,
    software: Option<String>,
    artist: Option<String>,
    copyright: Option<String>,
    description: Option<String>,
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
    /// `None` where the camera wrote nothing.
    pub(super) fn new(metadata: &Metadata) -> Option<Self> {
        if *metadata == Metadata::default() {
            return None;
        }
        let all = metadata.clone();
        Some(Self {
            camera_make: all.camera_make,
            camera_model: all.camera_model,
            lens: all.lens,
            exposure_time: all.exposure_time,
            f_number: all.f_number,
            iso: all.iso,
            focal_length_mm: all.focal_length_mm,
            gps: all.gps.map(GpsView::new),
            software: all.software,
            artist: all.artist,
            copyright: all.copyright,
            description: all.description,
        })
    }
}

impl GpsView {
    fn new(gps: Gps) -> Self {
        Self { latitude: gps.latitude, longitude: gps.longitude, altitude_m: gps.altitude_m }
    }
}
