//! `ffmpeg`, where there is one: found, started within bounds, listened to, and ended when it takes
//! too long or nobody waits any more. What it is to do is said in the files below.
//!
//! It runs in a folder of its own with an empty environment, reads one file whose kind is known,
//! has no network, and is never told a name that came from a user.

mod film;
mod frame;
mod preview;
mod run;

pub use film::{HLS_CODECS, PIECES, Size};
pub use frame::Frame;
pub use preview::Preview;
pub use run::Bounds;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::{Container, Error};

/// How `ffmpeg` is found and what it may take.
#[derive(Debug, Clone)]
pub struct Options {
    /// `auto` seeks it where programs are, `off` does without, and all else is its path.
    pub ffmpeg: String,
    /// This program, which bounds itself and becomes `ffmpeg`. Without one, `ffmpeg` is not used.
    pub program: Option<PathBuf>,
    /// Films at once, apart from what somebody waits for.
    pub parallel: usize,
    pub memory_bytes: u64,
    pub threads: u64,
    /// What whole films are made within.
    pub heavy: Bounds,
    /// What somebody waits for.
    pub light: Bounds,
}

/// The tool for everything that takes decoding. Clones share everything.
#[derive(Debug, Clone)]
pub struct Tool {
    found: Result<Arc<Found>, &'static str>,
}

#[derive(Debug)]
struct Found {
    ffmpeg: PathBuf,
    program: PathBuf,
    memory_bytes: u64,
    threads: u64,
    heavy: Lane,
    light: Lane,
}

/// Work of one weight: it waits for others of its kind alone.
#[derive(Debug)]
struct Lane {
    bounds: Bounds,
    turns: Semaphore,
}

/// How much work that somebody waits for is done at once.
const LIGHT: usize = 2;

impl Lane {
    fn new(bounds: Bounds, parallel: usize) -> Self {
        Self { bounds, turns: Semaphore::new(parallel.clamp(1, 64)) }
    }
}

impl Tool {
    /// Looks for it, once.
    pub fn find(options: Options) -> Self {
        let found = look(&options);
        match &found {
            Ok(found) => tracing::info!(ffmpeg = %found.ffmpeg.display(), "films can be worked on"),
            Err(reason) => tracing::info!("films are taken as they are: {reason}"),
        }
        Self { found: found.map(Arc::new) }
    }

    /// Where it is.
    ///
    /// # Errors
    /// Why there is none, for people.
    pub fn state(&self) -> Result<&Path, &'static str> {
        self.found.as_ref().map(|found| &*found.ffmpeg).map_err(|reason| *reason)
    }

    fn found(&self) -> Result<&Arc<Found>, Error> {
        self.found.as_ref().map_err(|_| Error::NoTool)
    }
}

fn look(options: &Options) -> Result<Found, &'static str> {
    let ffmpeg = match options.ffmpeg.trim() {
        "off" => return Err("`ffmpeg` is switched off"),
        "" | "auto" => on_path("ffmpeg").ok_or("`ffmpeg` is not installed")?,
        path => Some(PathBuf::from(path))
            .filter(|path| path.is_absolute() && is_program(path))
            .ok_or("what `ffmpeg` is set to is no program")?,
    };
    let program =
        options.program.clone().ok_or("the system does not tell where this program is")?;
    let (memory_bytes, threads) = (options.memory_bytes, options.threads.clamp(1, 64));
    let heavy = Lane::new(options.heavy, options.parallel);
    let light = Lane::new(options.light, LIGHT);
    Ok(Found { ffmpeg, program, memory_bytes, threads, heavy, light })
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let places = std::env::split_paths(&path).filter(|folder| folder.is_absolute());
    places.map(|folder| folder.join(name)).find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    let metadata = path.metadata();
    metadata.is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

/// Seconds as `ffmpeg` reads them.
fn seconds(ms: u64) -> String {
    Duration::from_millis(ms).as_secs_f64().to_string()
}

/// The one reader that `ffmpeg` may use for a file: playlists and the like, which name other files,
/// are none of them.
fn reader(container: Container) -> &'static str {
    match container {
        Container::Mp4 | Container::Mov | Container::ThreeGp => "mov",
        Container::Webm | Container::Matroska => "matroska",
        Container::Mp3 => "mp3",
        Container::Ogg => "ogg",
        Container::Flac => "flac",
        Container::Wav => "wav",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(ffmpeg: &str) -> Tool {
        let program = Some(PathBuf::from("/proc/self/exe"));
        let ffmpeg = ffmpeg.to_owned();
        let none = Bounds { time: Duration::ZERO, file_bytes: 0 };
        let (heavy, light) = (none, none);
        Tool::find(Options {
            ffmpeg,
            program,
            parallel: 0,
            memory_bytes: 1,
            threads: 0,
            heavy,
            light,
        })
    }

    #[test]
    fn doing_without_is_a_state() {
        assert_eq!(found("off").state(), Err("`ffmpeg` is switched off"));
        for path in ["/nowhere/ffmpeg", "ffmpeg", "/etc", "../ffmpeg"] {
            assert_eq!(found(path).state(), Err("what `ffmpeg` is set to is no program"), "{path}");
        }
        assert!(matches!(found("off").found(), Err(Error::NoTool)));
        assert_eq!(found("/bin/sh").state(), Ok(Path::new("/bin/sh")));
    }

    #[test]
    fn times_are_written_in_seconds() {
        assert_eq!((seconds(0), seconds(1_250)), ("0".to_owned(), "1.25".to_owned()));
    }
}
