//! Films made of films: one file that every browser plays from its first bytes on, and the same cut
//! for HLS (RFC 8216), where a player chooses among qualities as it goes.

use std::path::Path;

use super::super::{Error, Kind, Probe};
use super::Tool;
use super::run::{Folder, Task};

/// Sides of films that a ladder has, by the shorter one, in pixels.
const RUNGS: [u32; 4] = [240, 480, 720, 1080];

/// How long the pieces are between which a player may change, in seconds.
const PIECE_S: u32 = 4;

/// The codecs as playlists name them: what [`encoding`] asks for.
pub const HLS_CODECS: [&str; 2] = ["avc1.4d4032", "mp4a.40.2"];

/// How large a film is to be, with even numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub width: u32,
    pub height: u32,
}

impl Size {
    /// The size of which the shorter side is no longer than this.
    pub fn within(probe: &Probe, shorter: u32) -> Self {
        let (width, height) = (probe.width.max(2), probe.height.max(2));
        let own = width.min(height);
        let most = own.min(shorter.max(2));
        let side = |side: u32| {
            let scaled = (u64::from(side) * u64::from(most)).div_ceil(u64::from(own));
            u32::try_from(scaled).unwrap_or(most).next_multiple_of(2)
        };
        Self { width: side(width), height: side(height) }
    }

    /// The rungs of a ladder, the smallest first; one at least, and none larger than the film.
    pub fn ladder(probe: &Probe, shorter: u32) -> Vec<Self> {
        let own = probe.width.min(probe.height).min(shorter);
        let mut rungs: Vec<u32> = RUNGS.into_iter().filter(|rung| *rung <= own).collect();
        if rungs.is_empty() {
            rungs.push(own);
        }
        rungs.into_iter().map(|rung| Self::within(probe, rung)).collect()
    }

    fn shorter(self) -> u32 {
        self.width.min(self.height)
    }

    /// The most that a second may take, in thousands of bits: players count on it.
    fn most_kbits(self) -> u32 {
        match self.shorter() {
            0..=240 => 500,
            241..=480 => 1_500,
            481..=720 => 3_500,
            721..=1080 => 6_500,
            _ => 16_000,
        }
    }
}

impl Tool {
    /// Writes the film to `to` as MP4 with H.264 and AAC, its table of contents in front. `heard` is
    /// told how many milliseconds are done.
    ///
    /// `folder` must not be there yet, and is gone in the end.
    ///
    /// # Errors
    /// [`Error::NoTool`]; [`Error::Tool`] if the film cannot be decoded, or not in time.
    pub async fn rendition(
        &self,
        (film, probe): (&Path, &Probe),
        size: Size,
        (folder, to): (&Path, &Path),
        heard: impl FnMut(u64) + Send,
    ) -> Result<(), Error> {
        let words = ["-movflags", "+faststart", "-f", "mp4", "film.mp4"];
        let folder = self.film((film, probe), size, folder, &words, heard).await?;
        Ok(std::fs::rename(folder.path().join("film.mp4"), to)?)
    }

    /// Writes the film to `to` in pieces for HLS, all in one file. Returns the playlist, in which
    /// that file is called `piece.mp4`.
    ///
    /// # Errors
    /// As [`Tool::rendition`].
    pub async fn rung(
        &self,
        (film, probe): (&Path, &Probe),
        size: Size,
        (folder, to): (&Path, &Path),
        heard: impl FnMut(u64) + Send,
    ) -> Result<String, Error> {
        let (piece, keys) = (PIECE_S.to_string(), format!("expr:gte(t,n_forced*{PIECE_S})"));
        let words = [
            "-force_key_frames",
            &*keys,
            "-f",
            "hls",
            "-hls_time",
            &piece,
            "-hls_playlist_type",
            "vod",
            "-hls_segment_type",
            "fmp4",
            "-hls_flags",
            "single_file+independent_segments",
            "-hls_segment_filename",
            PIECES,
            "list.m3u8",
        ];
        let folder = self.film((film, probe), size, folder, &words, heard).await?;
        let list = std::fs::read_to_string(folder.path().join("list.m3u8"))?;
        std::fs::rename(folder.path().join(PIECES), to)?;
        Ok(list)
    }

    async fn film(
        &self,
        (film, probe): (&Path, &Probe),
        size: Size,
        folder: &Path,
        words: &[&str],
        heard: impl FnMut(u64) + Send,
    ) -> Result<Folder, Error> {
        self.found()?;
        if probe.kind != Kind::Video {
            return Err(Error::Unsupported { name: "sound", reason: "it shows no pictures" });
        }
        let folder = Folder::around(folder, film)?;
        let after = encoding(size).into_iter().chain(words.iter().map(|word| (*word).to_owned()));
        let task = Task {
            container: probe.container,
            before: Vec::new(),
            after: after.chain(["-y".to_owned()]).collect(),
        };
        self.run(&folder, &task, |found| &found.heavy, heard).await?;
        Ok(folder)
    }
}

/// The name of the file with all pieces in it.
pub const PIECES: &str = "piece.mp4";

/// What every film is encoded with: what any player of the last ten years decodes.
fn encoding(size: Size) -> Vec<String> {
    let Size { width, height } = size;
    let (most, buffer) = (size.most_kbits(), size.most_kbits() * 2);
    let text = format!(
        "-map 0:v:0 -map 0:a:0? -sn -dn -map_metadata -1 -map_chapters -1 \
         -vf scale={width}:{height},setsar=1 -pix_fmt yuv420p \
         -c:v libx264 -preset veryfast -profile:v main -level:v 5.0 -crf 23 \
         -maxrate {most}k -bufsize {buffer}k -c:a aac -b:a 128k -ac 2 -ar 48000"
    );
    text.split_whitespace().map(str::to_owned).collect()
}
