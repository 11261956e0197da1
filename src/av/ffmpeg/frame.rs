//! One picture of a film.

use std::path::Path;

use super::super::{Error, Kind, Probe};
use super::run::{Folder, Task};
use super::{Tool, seconds};

/// The file that it writes.
const PICTURE: &str = "frame.jpg";

/// Which picture is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    pub at_ms: u64,
    /// The longer side is made no longer than this, in pixels.
    pub max_side: u32,
}

impl Frame {
    /// How large the picture becomes: as a viewer sees the film, and with even numbers.
    fn size(self, probe: &Probe) -> (u32, u32) {
        let (width, height) = (probe.width.max(1), probe.height.max(1));
        let longer = width.max(height);
        let most = longer.min(self.max_side.max(16));
        let side = |side: u32| {
            let scaled = u64::from(side) * u64::from(most) / u64::from(longer);
            u32::try_from(scaled).unwrap_or(most).next_multiple_of(2).max(2)
        };
        (side(width), side(height))
    }
}

impl Tool {
    /// The picture that a film shows at a time, or its first one where it shows none then; as JPEG.
    ///
    /// `folder` must not be there yet, and is gone in the end.
    ///
    /// # Errors
    /// [`Error::NoTool`]; [`Error::Tool`] if the film cannot be decoded, or not in time.
    pub async fn frame(
        &self,
        film: &Path,
        probe: &Probe,
        frame: Frame,
        folder: &Path,
    ) -> Result<Vec<u8>, Error> {
        self.found()?;
        if probe.kind != Kind::Video {
            return Err(Error::Unsupported { name: "sound", reason: "it shows no pictures" });
        }
        let folder = Folder::around(folder, film)?;
        for at_ms in [frame.at_ms, 0] {
            let task = task(probe, Frame { at_ms, ..frame });
            self.run(&folder, &task, |found| &found.light, |_| ()).await?;
            match tokio::fs::read(folder.path().join(PICTURE)).await {
                Ok(bytes) if !bytes.is_empty() => return Ok(bytes),
                _ => {}
            }
        }
        Err(Error::Tool("it shows no picture"))
    }
}

fn task(probe: &Probe, frame: Frame) -> Task {
    let (width, height) = frame.size(probe);
    let scale = format!("scale={width}:{height},setsar=1,format=yuvj420p");
    let after =
        ["-map", "0:v:0", "-an", "-sn", "-dn", "-frames:v", "1", "-vf", &scale, "-q:v", "2"];
    let to = ["-map_metadata", "-1", "-update", "1", "-f", "image2", "-y", PICTURE];
    Task {
        container: probe.container,
        before: vec!["-ss".to_owned(), seconds(frame.at_ms)],
        after: after.into_iter().chain(to).map(str::to_owned).collect(),
    }
}
