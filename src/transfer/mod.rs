//! Whole sites: saved to a file, made from one, doubled, handed out in an open form, and moved to
//! another data directory. Each verb is done wholly or leaves nothing. No HTTP here.

pub mod backup;
pub mod clone;
pub mod export;
mod fill;
mod gather;
mod manifest;
pub mod relocate;
pub mod restore;
mod same;
mod sink;
mod snapshot;
mod sql;

pub use manifest::Manifest;

use crate::{
    archive,
    base::{Error, Result},
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How far a verb has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What it is at, as in `packing`.
    pub step: &'static str,
    pub files: u64,
    pub bytes: u64,
    /// What the bytes will come to, more or less, where that is known.
    pub of_bytes: Option<u64>,
}

type Tell = dyn Fn(Progress) -> bool + Send + Sync;

/// Whoever wants to know how far a verb has come, and answers whether to go on.
#[derive(Clone)]
pub struct Listener(Arc<Tell>);

const REPORT_EVERY: Duration = Duration::from_millis(200);

impl Listener {
    pub fn new(tell: impl Fn(Progress) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// Nobody, who lets everything go on.
    pub fn none() -> Self {
        Self::new(|_| true)
    }

    fn archive(
        &self,
        step: &'static str,
        of_bytes: Option<u64>,
    ) -> impl FnMut(archive::Progress) -> bool + use<> {
        let tell = self.0.clone();
        move |p| tell(Progress { step, files: p.files, bytes: p.bytes, of_bytes })
    }

    fn meter(&self, step: &'static str, of_bytes: Option<u64>) -> Meter {
        let done = Progress { step, files: 0, bytes: 0, of_bytes };
        Meter { tell: self.0.clone(), state: Mutex::new((done, Instant::now())) }
    }
}

/// Counts what one step has done and tells it now and then.
struct Meter {
    tell: Arc<Tell>,
    state: Mutex<(Progress, Instant)>,
}

impl Meter {
    /// # Errors
    /// `Conflict` with code `cancelled` where the listener wants no more.
    fn add(&self, files: u64, bytes: u64) -> Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (done, told) = &mut *state;
        done.files += files;
        done.bytes += bytes;
        if told.elapsed() < REPORT_EVERY && done.files > 1 {
            return Ok(());
        }
        *told = Instant::now();
        let done = *done;
        drop(state);
        if (self.tell)(done) {
            return Ok(());
        }
        Err(Error::Conflict { code: "cancelled", reason: "this was cancelled" })
    }

    fn done(&self) -> Progress {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0
    }
}
