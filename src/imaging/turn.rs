//! A JPEG turned upright without loss: its blocks of coefficients change places, and no pixel is
//! decoded. What cannot be turned exactly is left as it is.

use std::fs::File;
use std::path::Path;

use super::facts::Probe;
use super::{Error, Format};

/// Writes the public bytes of a JPEG, turned upright, to the end of `to`: what
/// [`strip`](super::strip) would write, but for the orientation, which is needed no more.
///
/// `false`, and nothing is written, where nothing is to turn, and where it cannot be done without
/// loss: in builds without the feature `codecs`, if a side that would be the first is no multiple
/// of the blocks that colours are coded in, if a strict reader finds fault with the file, or if
/// the picture has more pixels than may be held in memory as a whole.
///
/// `path` may be the probed file or its stripped copy. Takes up to a second for the largest.
///
/// # Errors
/// [`Error::Io`], or [`Error::Damaged`] if the file is not the one that was probed.
pub fn turn_losslessly(path: &Path, probe: &Probe, to: &mut File) -> Result<bool, Error> {
    let is_too_large = probe.pixels() > probe.inside.limits.max_progressive_pixels;
    if probe.format != Format::Jpeg || probe.orientation.is_upright() || is_too_large {
        return Ok(false);
    }
    turn(path, &probe.again(path)?, to)
}

#[cfg(feature = "codecs")]
fn turn(path: &Path, probe: &Probe, to: &mut File) -> Result<bool, Error> {
    use std::io::Write;

    use super::facts::Decoding;
    use turbojpeg::Transform;

    let Some(public) = without_orientation(probe.parts().read(path)?, probe) else {
        return Ok(false);
    };
    let mut transform = Transform::op(operation(probe));
    transform.perfect = true;
    transform.progressive =
        matches!(probe.inside.decoding, Decoding::Jpeg { is_progressive: true, .. });
    transform.optimize = !transform.progressive;
    match turbojpeg::transform(&transform, &public) {
        Ok(turned) => {
            to.write_all(&turned)?;
            Ok(true)
        }
        Err(cause) => {
            tracing::debug!(%cause, "a JPEG cannot be turned without loss");
            Ok(false)
        }
    }
}

#[cfg(not(feature = "codecs"))]
fn turn(_: &Path, _: &Probe, _: &mut File) -> Result<bool, Error> {
    Ok(false)
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
