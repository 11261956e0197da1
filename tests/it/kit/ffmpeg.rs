//! `ffmpeg`, which makes films out of nothing for tests, and programs that take its place.
//!
//! Where it is missing the tests that need it say so and do nothing, unless `NEED_FFMPEG` is set, as
//! `tests/run` does.

use serde_json::Value;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

/// Whether it is here, as is said aloud where it is not.
#[expect(clippy::print_stderr, reason = "what is left out is said aloud")]
pub(crate) fn is_here() -> bool {
    let found = Command::new("ffmpeg").arg("-version").output().is_ok();
    if !found {
        assert!(std::env::var_os("NEED_FFMPEG").is_none(), "ffmpeg is needed and not here");
        eprintln!("skipped: ffmpeg is not here");
    }
    found
}

/// Lets `ffmpeg` make a file out of nothing.
pub(crate) fn make(dir: &Path, name: &str, arguments: &str) -> PathBuf {
    let path = dir.join(name);
    let words = arguments.split_whitespace();
    let output =
        Command::new("ffmpeg").args(["-v", "error", "-y"]).args(words).arg(&path).output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    path
}

/// What `ffprobe` says of the whole.
pub(crate) fn asked(path: &Path) -> Value {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-show_format", "-show_streams", "-of", "json"])
        .arg(path)
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

pub(crate) const PICTURE: &str = "-f lavfi -i testsrc=s=320x180:r=25:d=4";
pub(crate) const SOUND: &str = "-f lavfi -i sine=440:d=4 -shortest";

/// A program in place of `ffmpeg`, which leaves notes beside itself.
pub(crate) fn impostor(dir: &Path, script: &str) -> String {
    let path = dir.join("impostor");
    let (draft, text) = (dir.join("draft"), format!("#!/bin/sh\n{script}\n"));
    fs::write(&draft, text).unwrap();
    fs::set_permissions(&draft, fs::Permissions::from_mode(0o755)).unwrap();
    // Copied by another process: no process may have it open for writing while it is run.
    assert!(Command::new("cp").args([&draft, &path]).status().unwrap().success());
    path.display().to_string()
}

pub(crate) fn is_running(pid: &str) -> bool {
    let state = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    !state.is_empty() && !state.contains(") Z ")
}
