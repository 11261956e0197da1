//! JPEG files of every kind that cameras and editors write.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::{SECRET, exif, photo_rgb, quarters};

fn encode(
    pixels: &[u8],
    (width, height): (u32, u32),
    color: ColorType,
    set: impl FnOnce(&mut Encoder<&mut Vec<u8>>),
) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 90);
    encoder.set_sampling_factor(SamplingFactor::R_4_2_0);
    set(&mut encoder);
    encoder.encode(pixels, width as u16, height as u16, color).unwrap();
    file
}

/// A photograph, more or less: baseline, 4:2:0, quality 90, no metadata.
pub(crate) fn photo_jpeg(width: u32, height: u32, seed: u64) -> Vec<u8> {
    encode(&photo_rgb(width, height, seed), (width, height), ColorType::Rgb, |_| {})
}

pub(crate) fn progressive_jpeg(width: u32, height: u32) -> Vec<u8> {
    encode(&photo_rgb(width, height, 3), (width, height), ColorType::Rgb, |encoder| {
        encoder.set_progressive(true);
    })
}

pub(crate) fn gray_jpeg(width: u32, height: u32) -> Vec<u8> {
    let luma: Vec<u8> = photo_rgb(width, height, 4).chunks(3).map(|p| p[1]).collect();
    encode(&luma, (width, height), ColorType::Luma, |_| {})
}

/// Four inks, as print shops deliver them.
pub(crate) fn cmyk_jpeg(width: u32, height: u32) -> Vec<u8> {
    let (rgb, ..) = quarters(width, height, 1);
    let cmyk: Vec<u8> =
        rgb.chunks(3).flat_map(|p| [255 - p[0], 255 - p[1], 255 - p[2], 0]).collect();
    encode(&cmyk, (width, height), ColorType::Cmyk, |encoder| {
        encoder.set_sampling_factor(SamplingFactor::R_4_4_4);
    })
}

/// A photograph with the given ICC profile embedded.
pub(crate) fn jpeg_with_profile(width: u32, height: u32, profile: &[u8]) -> Vec<u8> {
    let (rgb, ..) = quarters(width, height, 1);
    encode(&rgb, (width, height), ColorType::Rgb, |encoder| {
        encoder.add_icc_profile(profile).unwrap();
    })
}

/// A picture of all around, as its XMP says, which the public shall not read.
pub(crate) fn jpeg_of_a_sphere(width: u32, height: u32) -> Vec<u8> {
    encode(&photo_rgb(width, height, 5), (width, height), ColorType::Rgb, |encoder| {
        let xmp = [b"http://ns.adobe.com/xap/1.0/\0", exif::xmp_of_a_sphere().as_slice()].concat();
        encoder.add_app_segment(1, xmp).unwrap();
    })
}

/// The same file with one more segment at its start, of the kind of this marker.
pub(crate) fn with_segment(jpeg: &[u8], marker: u8, body: &[u8]) -> Vec<u8> {
    let len = (body.len() as u16 + 2).to_be_bytes();
    [&jpeg[..2], &[0xff, marker], &len, body, &jpeg[2..]].concat()
}

/// The same file, to be turned as an Exif block of one entry says.
pub(crate) fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let entry = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0";
    let value = [orientation, 0, 0, 0, 0, 0, 0, 0];
    with_segment(jpeg, 0xe1, &[&entry[..], &value].concat())
}

/// Four quarters from a camera: upright `width` × `height`, stored as `orientation` says, with
/// Exif, XMP, IPTC, a second picture's index (MPF), a comment, and bytes after the end, all of
/// which tell the secret place.
pub(crate) fn jpeg_with_exif(width: u32, height: u32, orientation: u8, gps: bool) -> Vec<u8> {
    let (rgb, stored_w, stored_h) = quarters(width, height, orientation);
    let with_name = |name: &[u8], rest: &[u8]| [name, rest].concat();
    let plain = encode(&rgb, (stored_w, stored_h), ColorType::Rgb, |encoder| {
        let camera = exif::block(orientation, gps);
        encoder.add_app_segment(1, with_name(b"Exif\0\0", &camera)).unwrap();
        let xmp = with_name(b"http://ns.adobe.com/xap/1.0/\0", &exif::xmp());
        encoder.add_app_segment(1, xmp).unwrap();
        encoder.add_app_segment(2, with_name(b"MPF\0", SECRET)).unwrap();
        encoder.add_app_segment(13, with_name(b"Photoshop 3.0\0", &exif::iptc())).unwrap();
    });
    let mut file = plain[..2].to_vec();
    file.extend([0xff, 0xfe, 0, 2 + SECRET.len() as u8]);
    file.extend(SECRET);
    file.extend(&plain[2..]);
    // A motion photo keeps its film after the picture.
    file.extend(b"\0\0\0\x20ftypisom");
    file.extend(SECRET);
    file
}
