//! One run of `ffmpeg`: its folder, its limits, what it says, and its end.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::super::confine::Confines;
use super::super::{Container, Error};
use super::{Found, Lane, Tool, reader};

/// What one run may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// On the wall.
    pub time: Duration,
    /// Of each file that it writes.
    pub file_bytes: u64,
}

/// How much of what it complains about is kept, in bytes.
const COMPLAINTS: usize = 4 * 1024;

/// The name by which it knows the file that it works on.
const INPUT: &str = "input";

/// What is wrong with a run that did not end well.
const GAVE_UP: &str = "ffmpeg gave up on it";
const TOO_SLOW: &str = "it takes too long";

/// A folder that is gone when this is dropped, with all that is in it.
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes the folder, which must not be there yet, and gives it a name for the file.
    pub(super) fn around(path: &Path, file: &Path) -> Result<Self, Error> {
        std::fs::create_dir(path)?;
        let folder = Self(path.to_owned());
        std::os::unix::fs::symlink(std::path::absolute(file)?, path.join(INPUT))?;
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A process with all that it may have started, which die when this is dropped.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        // Its number is its own as long as nobody has asked how it ended.
        if let Some(id) = self.0.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
        {
            let _ = kill_process_group(id, Signal::KILL);
        }
    }
}

/// What is to be done, as arguments around the file that it is about.
pub(super) struct Task {
    pub container: Container,
    /// Before the file is named.
    pub before: Vec<String>,
    /// After it.
    pub after: Vec<String>,
}

impl Tool {
    /// Runs `ffmpeg` in a folder once it is this one's turn in its lane, and tells `heard` now and then how many
    /// milliseconds of its work are done.
    ///
    /// If the future is dropped, it is killed with all that it may have started.
    pub(super) async fn run(
        &self,
        folder: &Folder,
        task: &Task,
        lane: fn(&Found) -> &Lane,
        heard: impl FnMut(u64) + Send,
    ) -> Result<(), Error> {
        let found = self.found()?;
        let Lane { bounds, turns } = lane(found);
        let (bounds, stopped) = (*bounds, |_| Error::Tool("the server is stopping"));
        let _turn = turns.acquire().await.map_err(stopped)?;
        let mut group = Group(start(found, folder.path(), task, bounds)?);
        let (said, complaints) = (group.0.stdout.take(), group.0.stderr.take());
        let work = async {
            let listen = follow(said, heard);
            let (_, complaints) = tokio::join!(listen, end_of(complaints));
            (group.0.wait().await, complaints)
        };
        let outcome = timeout(bounds.time, work).await;
        match outcome {
            Ok((Ok(status), _)) if status.success() => Ok(()),
            Ok((Ok(status), complaints)) => {
                let complaints = String::from_utf8_lossy(&complaints);
                tracing::info!(%status, complaints = complaints.trim(), "{GAVE_UP}");
                Err(Error::Tool(GAVE_UP))
            }
            Ok((Err(cause), _)) => Err(cause.into()),
            Err(_) => {
                tracing::info!(seconds = bounds.time.as_secs(), "ffmpeg is ended: {TOO_SLOW}");
                Err(Error::Tool(TOO_SLOW))
            }
        }
    }
}

fn start(found: &Found, folder: &Path, task: &Task, bounds: Bounds) -> Result<Child, Error> {
    let confines = Confines {
        memory_bytes: found.memory_bytes,
        // As many processors as threads, for all of the time.
        cpu_seconds: bounds.time.as_secs().saturating_mul(found.threads).max(1),
        file_bytes: bounds.file_bytes,
    };
    let mut arguments: Vec<OsString> = vec!["confine".into(), "--".into()];
    arguments.extend(confines.words().map(OsString::from));
    arguments.push(found.ffmpeg.clone().into());
    let always = "-hide_banner -nostdin -nostats -v error -progress pipe:1 -protocol_whitelist \
                  file,pipe -threads";
    arguments.extend(always.split_whitespace().map(OsString::from));
    arguments.push(found.threads.to_string().into());
    arguments.extend(["-f", reader(task.container)].map(OsString::from));
    arguments.extend(task.before.iter().map(OsString::from));
    arguments.extend(["-i", INPUT].map(OsString::from));
    arguments.extend(task.after.iter().map(OsString::from));
    let child = Command::new(&found.program)
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        // A heap for each thread would use up address space.
        .env("MALLOC_ARENA_MAX", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn();
    Ok(child?)
}

/// Listens how far it has come: lines such as `out_time_us=1500000`.
async fn follow(from: Option<impl AsyncRead + Unpin>, mut heard: impl FnMut(u64)) {
    let Some(from) = from else { return };
    // No line is longer; what is after the end is nobody's loss.
    let mut lines = BufReader::new(from.take(64 * 1024 * 1024)).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(time) = line.strip_prefix("out_time_us=").and_then(|us| us.parse::<u64>().ok())
        {
            heard(time / 1000);
        }
    }
}

/// Reads everything and keeps the end of it.
async fn end_of(from: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut kept = Vec::new();
    let Some(mut from) = from else { return kept };
    let mut buffer = [0; 1024];
    while let Ok(n @ 1..) = from.read(&mut buffer).await {
        kept.extend_from_slice(&buffer[..n]);
        let surplus = kept.len().saturating_sub(COMPLAINTS);
        kept.drain(..surplus);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn progress_is_heard_and_nothing_else() {
        let said = b"frame=1\nout_time_us=1500000\nout_time_us=N/A\nout_time_us=-5\nprogress=end\n";
        let mut times = Vec::new();
        follow(Some(&said[..]), |ms| times.push(ms)).await;
        assert_eq!(times, [1500]);
    }

    #[tokio::test]
    async fn of_complaints_the_end_is_kept() {
        let text = "x".repeat(10_000) + "end";
        let kept = end_of(Some(text.as_bytes())).await;
        assert_eq!(kept.len(), COMPLAINTS);
        assert!(kept.ends_with(b"xend"));
    }
}
