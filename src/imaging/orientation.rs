//! Which way up a picture is. Turns pixels; knows nothing of where the answer was found.

use image::metadata::Orientation as Turn;
use serde::{Deserialize, Serialize};

/// How a stored picture must be turned and mirrored to be seen upright: the Exif values 1 to 8
/// (CIPA DC-008, tag 0112h).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "u32", into = "u32")]
pub struct Orientation(u8);

impl From<u32> for Orientation {
    fn from(value: u32) -> Self {
        Self::from_exif(value)
    }
}

impl From<Orientation> for u32 {
    fn from(orientation: Orientation) -> Self {
        orientation.0.into()
    }
}

impl Orientation {
    pub const UPRIGHT: Self = Self(1);

    /// Anything that is not 1 to 8 counts as upright.
    pub fn from_exif(value: u32) -> Self {
        match u8::try_from(value) {
            Ok(value @ 1..=8) => Self(value),
            _ => Self::UPRIGHT,
        }
    }

    pub fn exif(self) -> u8 {
        self.0
    }

    pub fn is_upright(self) -> bool {
        self == Self::UPRIGHT
    }

    /// Whether width and height change places.
    pub fn is_sideways(self) -> bool {
        self.0 >= 5
    }

    pub(super) fn turn(self) -> Turn {
        Turn::from_exif(self.0).unwrap_or(Turn::NoTransforms)
    }

    /// The smallest Exif block that says this and nothing else: a TIFF header and one entry.
    pub(super) fn block(self) -> [u8; 26] {
        let mut block = *b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x01\0\0\0\0\0\0\0";
        block[18] = self.0;
        block
    }
}

impl Default for Orientation {
    fn default() -> Self {
        Self::UPRIGHT
    }
}
