//! What people see: bars where they sit before a terminal, and lines that programs can read.

use super::send::Done;
use crate::cli::{complain, say};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use std::{
    io::{IsTerminal, Write},
    path::Path,
};

pub(super) struct Show {
    bars: MultiProgress,
    as_json: bool,
}

/// How far one file has come.
#[derive(Clone)]
pub(super) struct Meter(ProgressBar);

impl Meter {
    pub(super) fn length(&self, bytes: u64) {
        self.0.set_length(bytes);
    }

    pub(super) fn at(&self, bytes: u64) {
        self.0.set_position(bytes);
    }

    pub(super) fn more(&self, bytes: u64) {
        self.0.inc(bytes);
    }

    pub(super) fn end(&self) {
        self.0.finish_and_clear();
    }
}

impl Show {
    pub(super) fn new(as_json: bool) -> Self {
        let target = match std::io::stderr().is_terminal() {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        Self { bars: MultiProgress::with_draw_target(target), as_json }
    }

    pub(super) fn begin(&self, path: &Path) -> Meter {
        let bar = self.bars.add(ProgressBar::new(0));
        let style = "{wide_msg} {bytes:>10} of {total_bytes:>10} {bytes_per_sec:>12} {bar:20}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        bar.set_message(name(path));
        Meter(bar)
    }

    pub(super) fn done(&self, path: &Path, done: &Done) {
        if self.as_json {
            let status = if done.is_known { "known" } else { "uploaded" };
            let file = path.to_string_lossy();
            self.line(&json!({ "file": file, "status": status, "media": done.media }).to_string());
            return;
        }
        if done.is_known {
            self.note(&format!("{} is there already", name(path)));
        }
        self.line(&done.link);
    }

    pub(super) fn failed(&self, path: &Path, reason: &str) {
        if self.as_json {
            let file = path.to_string_lossy();
            self.line(&json!({ "file": file, "status": "failed", "error": reason }).to_string());
        }
        self.bars.suspend(|| complain(&format!("{}: {reason}", path.display())));
    }

    /// A word to people, past what programs read.
    pub(super) fn note(&self, text: &str) {
        self.bars.suspend(|| {
            let _ = writeln!(std::io::stderr(), "{text}");
        });
    }

    /// Leaves a clean terminal.
    pub(super) fn end(&self) {
        let _ = self.bars.clear();
    }

    fn line(&self, text: &str) {
        self.bars.suspend(|| say(text));
    }
}

fn name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}
