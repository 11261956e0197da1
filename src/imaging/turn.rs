//! A JPEG turned upright without loss: its blocks of coefficients change places, and no pixel is
//! decoded. What cannot be turned exactly is left as it is.

use std::path::Path;

use super::facts::Probe;
use super::{Error, Format};

/// The public bytes of a JPEG, turned upright: what [`strip`](super::strip) would write, but for
/// the orientation, which is needed no more.
///
/// Nothing where nothing is to turn, and where it cannot be done without
/// loss: in builds without the feature `codecs`, if a side that would be the first is no multiple
/// of the blocks that colours are coded in, if a strict reader finds fault with the file, or if
/// the picture has more pixels than may be held in memory as a whole.
///
/// `path` may be the probed file or its stripped copy. Takes up to a second for the largest.
///
/// # Errors
/// [`Error::Io`], or [`Error::Damaged`] if the file is not the one that was probed.
pub fn turn_losslessly(path: &Path, probe: &Probe) -> Result<Option<Vec<u8>>, Error> {
    turn_fresh(path, &probe.again(path)?)
}

/// As [`turn_losslessly`], for a file that has been probed just now.
pub(super) fn turn_fresh(path: &Path, probe: &Probe) -> Result<Option<Vec<u8>>, Error> {
    if !is_turnable(probe) {
        return Ok(None);
    }
    turn(path, probe)
}

/// Whether there is anything to turn, and anybody to do it.
pub(super) fn is_turnable(probe: &Probe) -> bool {
    cfg!(feature = "codecs")
        && probe.format == Format::Jpeg
        && !probe.orientation.is_upright()
        && probe.pixels() <= probe.inside.limits.max_progressive_pixels
}

#[cfg(feature = "codecs")]
fn turn(path: &Path, probe: &Probe) -> Result<Option<Vec<u8>>, Error> {
    use super::facts::Decoding;
    use turbojpeg::Transform;

    let Some(public) = without_orientation(probe.parts().read(path)?, probe) else {
        return Ok(None);
    };
    let mut transform = Transform::op(operation(probe));
    transform.perfect = true;
    transform.progressive =
        matches!(probe.inside.decoding, Decoding::Jpeg { is_progressive: true, .. });
    transform.optimize = !transform.progressive;
    match turbojpeg::transform(&transform, &public) {
        Ok(turned) => Ok(Some(turned.to_vec())),
        Err(cause) => {
            tracing::debug!(%cause, "a JPEG cannot be turned without loss");
            Ok(None)
        }
    }
}

#[cfg(not(feature = "codecs"))]
fn turn(_: &Path, _: &Probe) -> Result<Option<Vec<u8>>, Error> {
    Ok(None)
}

/// What the Exif values ask for (CIPA DC-008, tag 0112h).
#[cfg(feature = "codecs")]
fn operation(probe: &Probe) -> turbojpeg::TransformOp {
    use turbojpeg::TransformOp;

    match probe.orientation.exif() {
        2 => TransformOp::Hflip,
        3 => TransformOp::Rot180,
        4 => TransformOp::Vflip,
        5 => TransformOp::Transpose,
        6 => TransformOp::Rot90,
        7 => TransformOp::Transverse,
        8 => TransformOp::Rot270,
        _ => TransformOp::None,
    }
}

/// Public bytes without the segment near their start that tells how to turn them.
#[cfg(feature = "codecs")]
fn without_orientation(mut public: Vec<u8>, probe: &Probe) -> Option<Vec<u8>> {
    let told = super::formats::orientation_segment(probe.orientation);
    let at = public.windows(told.len()).take(64).position(|window| window == told)?;
    public.drain(at..at + told.len());
    Some(public)
}
