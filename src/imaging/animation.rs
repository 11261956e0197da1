//! Smaller animations: every frame is decoded, reduced and encoded by itself, only the part of
//! it that changed is kept, and all are put together as animated WebP. The layout of the file is
//! that of the WebP container specification.

use std::path::Path;
use std::time::{Duration, Instant};

use image::metadata::LoopCount;
use image::{Delay, RgbaImage, imageops};
use webpx::{EncoderConfig, Unstoppable};

use super::facts::Probe;
use super::geometry::Plan;
use super::render::{Original, Rendition, upright};
use super::watermark::Stamp;
use super::{Error, Format, Output, color, decode};

/// All frames of the result together may have so many pixels; larger animations stand still.
const MOST_PIXELS: u64 = 200_000_000;
/// Whoever uploads waits no longer than this for an animation to move.
const PATIENCE: Duration = Duration::from_secs(10);
/// Browsers play frames that claim to be as short as this at a tenth of a second.
const TOO_SHORT_MS: u32 = 10;
const SLOWED_MS: u32 = 100;
/// Durations have 24 bits.
const LONGEST_MS: u32 = (1 << 24) - 1;

/// A finished animation.
pub(super) struct Animation {
    width: u32,
    height: u32,
    bytes: Vec<u8>,
}

impl Animation {
    pub(super) fn into_rendition(self, name: &str) -> Rendition {
        let Self { width, height, bytes } = self;
        Rendition { name: name.to_owned(), format: Format::Webp, width, height, bytes }
    }
}

/// Whether an animation comes out of this picture and this output at all.
pub(super) fn is_possible(probe: &Probe, plan: &Plan, output: Output) -> bool {
    let pixels = u64::from(plan.to.0) * u64::from(plan.to.1) * u64::from(probe.frames);
    let is_read = matches!(probe.format, Format::Gif | Format::Webp | Format::Png);
    let is_written = matches!(output, Output::Auto | Output::Webp);
    probe.is_animated && is_read && is_written && pixels <= MOST_PIXELS
}

/// The animation in the size of the plan; nothing where it takes too long, or where a frame
/// cannot be decoded, so that the picture is shown as a still one.
pub(super) fn render(
    path: &Path,
    probe: &Probe,
    plan: &Plan,
    quality: u8,
    stamp: Option<&Stamp>,
) -> Result<Option<Animation>, Error> {
    let began = Instant::now();
    let profile = color::profile(path, probe);
    let (frames, loops) = decode::frames(path, probe)?;
    let mut made: Option<Film> = None;
    for frame in frames.take(probe.frames as usize) {
        let Ok(frame) = frame else { return Ok(None) };
        if began.elapsed() > PATIENCE {
            return Ok(None);
        }
        let duration_ms = shown_ms(frame.delay());
        let stored = (probe.width, probe.height);
        let original = Original::new(frame.into_buffer().into(), profile.clone(), stored)?;
        let mut picture = upright(&original.variant(plan, &[])?, probe).into_owned();
        if let Some(stamp) = stamp {
            stamp.press(&mut picture)?;
        }
        let picture = picture.into_rgba8();
        match &mut made {
            None => made = Some(Film::begin(picture, duration_ms, quality)?),
            Some(film) => film.add(picture, duration_ms)?,
        }
    }
    Ok(made.map(|film| film.finish(loops)))
}

fn shown_ms(delay: Delay) -> u32 {
    let (over, under) = delay.numer_denom_ms();
    let ms = over.checked_div(under).unwrap_or(0);
    if ms <= TOO_SHORT_MS { SLOWED_MS } else { ms.min(LONGEST_MS) }
}

/// An animation as far as it is made.
struct Film {
    shown: RgbaImage,
    frames: Vec<Frame>,
    is_transparent: bool,
    config: EncoderConfig,
}

struct Frame {
    at: (u32, u32),
    size: (u32, u32),
    duration_ms: u32,
    /// The chunks `ALPH`, `VP8 ` and `VP8L`.
    chunks: Vec<u8>,
}

impl Film {
    fn begin(picture: RgbaImage, duration_ms: u32, quality: u8) -> Result<Self, Error> {
        // A third of the time of the usual method, for a tenth more bytes.
        let config = EncoderConfig::new().quality(f32::from(quality.clamp(1, 100))).method(2);
        let (width, height) = picture.dimensions();
        let mut film = Self { shown: picture, frames: Vec::new(), is_transparent: false, config };
        film.push((0, 0), (width, height), duration_ms)?;
        Ok(film)
    }

    fn add(&mut self, picture: RgbaImage, duration_ms: u32) -> Result<(), Error> {
        let changed = changed(&self.shown, &picture);
        self.shown = picture;
        match (changed, self.frames.last_mut()) {
            (None, Some(last)) if last.duration_ms + duration_ms <= LONGEST_MS => {
                last.duration_ms += duration_ms;
                Ok(())
            }
            // Nothing changed, and the last frame lasts as long as it can: one pixel will do.
            (None, _) => self.push((0, 0), (1, 1), duration_ms),
            (Some((at, size)), _) => self.push(at, size, duration_ms),
        }
    }

    /// Encodes a part of what is shown.
    fn push(&mut self, at: (u32, u32), size: (u32, u32), duration_ms: u32) -> Result<(), Error> {
        let part = imageops::crop_imm(&self.shown, at.0, at.1, size.0, size.1).to_image();
        let clear = part.pixels().any(|pixel| pixel.0[3] < 255);
        self.is_transparent |= clear;
        let encoded = if clear {
            self.config.encode_rgba(&part, size.0, size.1, Unstoppable)
        } else {
            let rgb = image::DynamicImage::from(part).into_rgb8();
            self.config.encode_rgb(&rgb, size.0, size.1, Unstoppable)
        };
        let encoded = encoded.map_err(|cause| Error::Encode(cause.to_string()))?;
        self.frames.push(Frame { at, size, duration_ms, chunks: picture_chunks(&encoded) });
        Ok(())
    }

    fn finish(self, loops: LoopCount) -> Animation {
        let (width, height) = self.shown.dimensions();
        let mut body = b"WEBP".to_vec();
        let flags = 0x02 | if self.is_transparent { 0x10 } else { 0 };
        let mut head = vec![flags, 0, 0, 0];
        head.extend(three(width - 1));
        head.extend(three(height - 1));
        chunk(&mut body, *b"VP8X", &head);
        let loops = match loops {
            LoopCount::Infinite => 0,
            LoopCount::Finite(times) => u16::try_from(times.get()).unwrap_or(0),
        };
        let mut animation = vec![0; 4];
        animation.extend(loops.to_le_bytes());
        chunk(&mut body, *b"ANIM", &animation);
        for frame in &self.frames {
            let mut data = Vec::with_capacity(frame.chunks.len() + 16);
            data.extend(three(frame.at.0 / 2));
            data.extend(three(frame.at.1 / 2));
            data.extend(three(frame.size.0 - 1));
            data.extend(three(frame.size.1 - 1));
            data.extend(three(frame.duration_ms));
            // What was there is replaced, also by what is transparent, and stays.
            data.push(0x02);
            data.extend(&frame.chunks);
            chunk(&mut body, *b"ANMF", &data);
        }
        let mut bytes = Vec::with_capacity(body.len() + 8);
        chunk(&mut bytes, *b"RIFF", &body);
        Animation { width, height, bytes }
    }
}

/// The smallest rectangle, from even coordinates, outside of which two pictures are the same.
fn changed(before: &RgbaImage, after: &RgbaImage) -> Option<((u32, u32), (u32, u32))> {
    if before.dimensions() != after.dimensions() {
        return Some(((0, 0), after.dimensions()));
    }
    let row_bytes = after.width() as usize * 4;
    let rows = before.chunks_exact(row_bytes).zip(after.chunks_exact(row_bytes)).zip(0u32..);
    let (mut left, mut right, mut top, mut bottom) = (u32::MAX, 0, u32::MAX, 0);
    for ((a, b), y) in rows.filter(|((a, b), _)| a != b) {
        let differs = |x: &u32| {
            let at = *x as usize * 4;
            a.get(at..at + 4) != b.get(at..at + 4)
        };
        left = left.min((0..after.width()).find(differs).unwrap_or(0));
        right = right.max((0..after.width()).rev().find(differs).unwrap_or(0));
        top = top.min(y);
        bottom = y;
    }
    if top == u32::MAX {
        return None;
    }
    let at = (left & !1, top & !1);
    Some((at, (right - at.0 + 1, bottom - at.1 + 1)))
}

/// What a still WebP file has of the picture itself.
fn picture_chunks(file: &[u8]) -> Vec<u8> {
    let mut chunks = Vec::with_capacity(file.len());
    let mut rest = file.get(12..).unwrap_or_default();
    while let Some((head, _)) = rest.split_first_chunk::<8>() {
        let [a, b, c, d, l0, l1, l2, l3] = *head;
        let len = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        let whole = (8 + len + len % 2).min(rest.len());
        let (this, others) = rest.split_at(whole);
        if matches!(&[a, b, c, d], b"ALPH" | b"VP8 " | b"VP8L") {
            chunks.extend(this);
        }
        rest = others;
    }
    chunks
}

fn chunk(to: &mut Vec<u8>, name: [u8; 4], data: &[u8]) {
    to.extend(name);
    to.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_le_bytes());
    to.extend(data);
    if data.len() % 2 == 1 {
        to.push(0);
    }
}

fn three(number: u32) -> [u8; 3] {
    let [a, b, c, _] = number.to_le_bytes();
    [a, b, c]
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgba;

    #[test]
    fn only_what_changed_is_kept() {
        let before = RgbaImage::from_pixel(20, 10, Rgba([9, 9, 9, 255]));
        assert_eq!(changed(&before, &before), None);
        let mut after = before.clone();
        after.put_pixel(7, 5, Rgba([0, 0, 0, 255]));
        assert_eq!(changed(&before, &after), Some(((6, 4), (2, 2))));
        after.put_pixel(19, 9, Rgba([9, 9, 9, 0]));
        assert_eq!(changed(&before, &after), Some(((6, 4), (14, 6))));
    }

    #[test]
    fn frames_last_as_browsers_play_them() {
        let ms = |ms| shown_ms(Delay::from_numer_denom_ms(ms, 1));
        assert_eq!((ms(0), ms(10), ms(20)), (100, 100, 20));
        assert_eq!(ms(u32::MAX), LONGEST_MS);
    }
}
