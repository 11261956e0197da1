//! The sequence parameters of HEVC (ITU-T H.265, 7.3.2.2), inside the configuration that HEIC has
//! for each picture: how large it is and how its colours are stored. Reads no further.

use super::bits::Bits;
use super::boxes::Cut;

const SEQUENCE_PARAMETERS: u64 = 33;

/// What a decoder will go by, whatever the boxes around it say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sequence {
    /// As shown.
    pub width: u64,
    pub height: u64,
    /// As coded, a little larger.
    pub coded_pixels: u64,
    /// Half the number of samples for each pixel: 2 for grey, 3 for 4:2:0, 4 for 4:2:2, 6 for
    /// full colour.
    pub half_samples: u64,
}

/// The only sequence parameters in the value of an `hvcC` property (ISO/IEC 14496-15).
pub(super) fn sequence(configuration: &[u8]) -> Option<Sequence> {
    let mut rest = Cut(configuration);
    rest.take(22)?;
    let mut found = None;
    for _ in 0..rest.number(1)? {
        rest.number(1)?;
        for _ in 0..rest.number(2)? {
            let len = usize::try_from(rest.number(2)?).ok()?;
            let unit = rest.take(len)?;
            if u64::from(unit.first()? >> 1 & 63) == SEQUENCE_PARAMETERS {
                let sequence = parameters(&mut Bits::new(&without_guards(unit.get(2..)?)))?;
                if found.replace(sequence).is_some() {
                    return None;
                }
            }
        }
    }
    found
}

/// A unit guards itself against looking like a start code: a 3 behind two zeros is not its own.
fn without_guards(unit: &[u8]) -> Vec<u8> {
    let mut zeros = 0;
    let keeps = |byte: &&u8| {
        let is_guard = zeros >= 2 && **byte == 3;
        zeros = if **byte == 0 { zeros + 1 } else { 0 };
        !is_guard
    };
    unit.iter().filter(keeps).copied().collect()
}

fn parameters(bits: &mut Bits<'_>) -> Option<Sequence> {
    bits.take(4)?;
    let sub_layers = bits.take(3)?;
    bits.take(1)?;
    profile(bits, sub_layers)?;
    bits.golomb()?;
    let chroma = bits.golomb()?;
    let is_apart = chroma == 3 && bits.flag()?;
    let (width, height) = (bits.golomb()?, bits.golomb()?);
    // What is cut off at the edges is counted in samples of colour.
    let (across, down, half_samples) = match chroma {
        0 => (1, 1, 2),
        1 => (2, 2, 3),
        2 => (2, 1, 4),
        3 if !is_apart => (1, 1, 6),
        _ => return None,
    };
    let mut cut = [0; 4];
    if bits.flag()? {
        for side in &mut cut {
            *side = bits.golomb()?;
        }
    }
    let [left, right, top, bottom] = cut;
    Some(Sequence {
        width: width.checked_sub((left + right) * across)?,
        height: height.checked_sub((top + bottom) * down)?,
        coded_pixels: width * height,
        half_samples,
    })
}

/// Passes over profile and level, and those of the layers below.
fn profile(bits: &mut Bits<'_>, sub_layers: u64) -> Option<()> {
    bits.take(48)?;
    bits.take(48)?;
    let mut present = Vec::new();
    for _ in 0..sub_layers {
        present.push((bits.flag()?, bits.flag()?));
    }
    if sub_layers > 0 {
        bits.take((8 - sub_layers as u32) * 2)?;
    }
    for (has_profile, has_level) in present {
        if has_profile {
            bits.take(44)?;
            bits.take(44)?;
        }
        if has_level {
            bits.take(8)?;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a picture of 64 × 64, 4:2:0.
    const CONFIGURATION: &[u8] = &[
        0x01, 0x03, 0x70, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x1e, 0xf0, 0x00,
        0xfc, 0xfd, 0xf8, 0xf8, 0x00, 0x00, 0x0f, 0x03, 0x20, 0x00, 0x01, 0x00, 0x18, 0x40, 0x01,
        0x0c, 0x01, 0xff, 0xff, 0x03, 0x70, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00,
        0x00, 0x03, 0x00, 0x1e, 0xba, 0x02, 0x40, 0x21, 0x00, 0x01, 0x00, 0x2b, 0x42, 0x01, 0x01,
        0x03, 0x70, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00, 0x1e,
        0xa0, 0x20, 0x81, 0x05, 0x96, 0xea, 0x49, 0x29, 0xae, 0x6e, 0x04, 0x04, 0x0c, 0x08, 0x00,
        0x00, 0x03, 0x00, 0x08, 0x00, 0x00, 0x03, 0x00, 0x08, 0x40, 0x22, 0x00, 0x01, 0x00, 0x07,
        0x44, 0x01, 0xc1, 0x72, 0xb0, 0x22, 0x40,
    ];

    #[test]
    fn the_size_is_read() {
        let found = sequence(CONFIGURATION).unwrap();
        assert_eq!((found.width, found.height, found.half_samples), (64, 64, 3));
        assert_eq!(found.coded_pixels, 64 * 64);
    }

    #[test]
    fn a_cut_or_doubled_configuration_is_none() {
        for len in 0..CONFIGURATION.len() {
            assert_eq!(sequence(&CONFIGURATION[..len]), None, "{len}");
        }
        let mut doubled = CONFIGURATION.to_vec();
        doubled[22] *= 2;
        doubled.extend(&CONFIGURATION[23..]);
        assert_eq!(sequence(&doubled), None);
    }
}
