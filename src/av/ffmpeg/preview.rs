//! Small pictures of a whole film, side by side in one: what a player shows while somebody seeks.

use std::fmt::Write;
use std::path::Path;

use super::super::{Error, Kind, Probe};
use super::run::{Folder, Task};
use super::{Tool, seconds};

/// At most so many pictures.
const MOST: u64 = 100;
/// At least so long from one to the next, in milliseconds.
const LEAST_MS: u64 = 1_000;
/// Pictures in a row.
const ROW: u64 = 10;
/// The longer side of each, in pixels.
const SIDE: u32 = 160;

const PICTURE: &str = "preview.jpg";

/// Which pictures there are, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preview {
    /// Of each, in pixels.
    pub width: u32,
    pub height: u32,
    pub count: u64,
    /// From one to the next.
    pub step_ms: u64,
    /// How long the film is.
    pub duration_ms: u64,
}

impl Preview {
    /// The pictures of a film; none of one that is too short, or of which nobody knows how long it
    /// is.
    pub fn of(probe: &Probe) -> Option<Self> {
        let duration_ms = probe.duration_ms.filter(|ms| *ms >= 2 * LEAST_MS)?;
        let step_ms = duration_ms.div_ceil(MOST).max(LEAST_MS);
        let longer = u64::from(probe.width.max(probe.height).max(1));
        let side = |side: u32| {
            let scaled = u64::from(side) * u64::from(SIDE) / longer;
            u32::try_from(scaled).unwrap_or(SIDE).next_multiple_of(2).max(2)
        };
        let (width, height) = (side(probe.width), side(probe.height));
        Some(Self { width, height, count: duration_ms.div_ceil(step_ms), step_ms, duration_ms })
    }

    fn rows(&self) -> u64 {
        self.count.div_ceil(ROW)
    }

    fn columns(&self) -> u64 {
        self.count.min(ROW)
    }

    /// The size of all together.
    pub fn size(&self) -> (u32, u32) {
        let times = |side: u32, count: u64| side * u32::try_from(count).unwrap_or(1);
        (times(self.width, self.columns()), times(self.height, self.rows()))
    }

    /// A list of times in WebVTT, of which each names its part of the picture called `file`.
    pub fn track(&self, file: &str) -> String {
        let mut text = String::from("WEBVTT\n");
        for n in 0..self.count {
            let from = n * self.step_ms;
            let to = (from + self.step_ms).min(self.duration_ms);
            let x = n % ROW * u64::from(self.width);
            let y = n / ROW * u64::from(self.height);
            let (from, to, width, height) = (clock(from), clock(to), self.width, self.height);
            let _ = write!(text, "\n{from} --> {to}\n{file}#xywh={x},{y},{width},{height}\n");
        }
        text
    }
}

/// A time as WebVTT writes it.
fn clock(ms: u64) -> String {
    let (s, ms) = (ms / 1000, ms % 1000);
    format!("{:02}:{:02}:{:02}.{ms:03}", s / 3600, s / 60 % 60, s % 60)
}

impl Tool {
    /// Writes the pictures to `to`, as one JPEG.
    ///
    /// `folder` must not be there yet, and is gone in the end.
    ///
    /// # Errors
    /// [`Error::NoTool`]; [`Error::Tool`] if the film cannot be decoded, or not in time.
    pub async fn preview(
        &self,
        (film, probe): (&Path, &Probe),
        preview: &Preview,
        (folder, to): (&Path, &Path),
        heard: impl FnMut(u64) + Send,
    ) -> Result<(), Error> {
        self.found()?;
        if probe.kind != Kind::Video {
            return Err(Error::Unsupported { name: "sound", reason: "it shows no pictures" });
        }
        let folder = Folder::around(folder, film)?;
        let pictures = format!(
            // The last one stands until the end: a film may have a single picture of that kind.
            "tpad=stop_mode=clone:stop_duration={},fps=1/{},scale={}:{},setsar=1,\
             format=yuvj420p,tile={}x{}",
            seconds(preview.duration_ms),
            seconds(preview.step_ms),
            preview.width,
            preview.height,
            preview.columns(),
            preview.rows()
        );
        let after = ["-map", "0:v:0", "-an", "-sn", "-dn", "-vf", &pictures, "-frames:v", "1"];
        let to_file =
            ["-map_metadata", "-1", "-q:v", "4", "-update", "1", "-f", "image2", "-y", PICTURE];
        let task = Task {
            container: probe.container,
            // Only pictures that stand for themselves: the others cost as much as playing it all.
            before: ["-skip_frame", "nokey"].map(str::to_owned).to_vec(),
            after: after.into_iter().chain(to_file).map(str::to_owned).collect(),
        };
        self.run(&folder, &task, |found| &found.heavy, heard).await?;
        let made = folder.path().join(PICTURE);
        if !made.exists() {
            return Err(Error::Tool("it shows no picture"));
        }
        Ok(std::fs::rename(made, to)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_places_go_together() {
        let preview =
            Preview { width: 160, height: 90, count: 12, step_ms: 1_000, duration_ms: 11_500 };
        let track = preview.track("a.jpg");
        assert!(
            track.starts_with("WEBVTT\n\n00:00:00.000 --> 00:00:01.000\na.jpg#xywh=0,0,160,90\n")
        );
        assert!(track.ends_with("00:00:11.000 --> 00:00:11.500\na.jpg#xywh=160,90,160,90\n"));
        assert_eq!(preview.size(), (1600, 180));
        assert_eq!(clock(3_661_001), "01:01:01.001");
    }
}
