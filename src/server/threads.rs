//! Threads that each look after their own connections, from the first byte to the last: none of
//! them waits for another one or wakes it up. What is said on a connection is not their business.

use crate::base::{Error, Result};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};
use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
};

/// How long work that was left behind may take to end, as databases are written to.
const REST: Duration = Duration::from_secs(10);

/// They end when this is dropped.
pub(super) struct Threads {
    handles: Vec<Handle>,
    next: AtomicUsize,
    running: Vec<(oneshot::Sender<()>, thread::JoinHandle<()>)>,
}

impl Threads {
    /// As many as there are processors.
    ///
    /// # Errors
    /// `Internal` where the system gives none.
    pub(super) fn start() -> Result<Self> {
        let count = thread::available_parallelism().map_or(1, usize::from);
        let mut threads =
            Self { handles: Vec::new(), next: AtomicUsize::new(0), running: Vec::new() };
        for _ in 0..count {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            threads.handles.push(runtime.handle().clone());
            let (stop, stopped) = oneshot::channel();
            let running = thread::Builder::new().name("connections".to_owned()).spawn(move || {
                // Also when the other end is gone.
                let _ = runtime.block_on(stopped);
                runtime.shutdown_timeout(REST);
            });
            threads.running.push((stop, running.map_err(Error::internal)?));
        }
        Ok(threads)
    }

    /// Ends them, and waits until they have.
    pub(super) async fn end(self) {
        let waiting = tokio::task::spawn_blocking(move || {
            let (stops, threads): (Vec<_>, Vec<_>) = self.running.into_iter().unzip();
            drop(stops);
            threads.into_iter().for_each(|thread| drop(thread.join()));
        });
        let _ = waiting.await;
    }

    /// Each in turn.
    pub(super) fn next(&self) -> Handle {
        let place = self.next.fetch_add(1, Ordering::Relaxed) % self.handles.len().max(1);
        self.handles.get(place).cloned().unwrap_or_else(Handle::current)
    }
}
