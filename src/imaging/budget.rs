//! How much picture work may happen at once. Holds no queue and no policy about whose turn it is:
//! whoever asks first is served first.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tracing::Span;

use super::Error;

const MIB: u64 = 1024 * 1024;

/// A share of memory that decoders may use together, in permits of one MiB.
#[derive(Debug, Clone)]
pub struct Budget {
    permits: Arc<Semaphore>,
    /// The same few threads for all work: each thread keeps some of the memory it has freed.
    threads: Arc<rayon::ThreadPool>,
    whole: u32,
    least: u32,
}

impl Budget {
    /// At most `bytes` of estimated memory and at most `parallel` jobs at once.
    ///
    /// # Errors
    /// [`Error::Stopped`] where the system has no threads to give.
    pub fn new(bytes: u64, parallel: usize) -> Result<Self, Error> {
        let whole = u32::try_from(bytes / MIB).unwrap_or(u32::MAX).clamp(1, MAX_PERMITS);
        let parallel = u32::try_from(parallel).unwrap_or(u32::MAX).clamp(1, whole);
        // A multiple of `parallel`, so that one job more never fits into a remainder.
        let least = whole / parallel;
        let whole = least * parallel;
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(parallel as usize)
            .thread_name(|n| format!("imaging-{n}"))
            .build()
            .map_err(|_| Error::Stopped)?;
        let permits = Arc::new(Semaphore::new(whole as usize));
        Ok(Self { permits, threads: Arc::new(threads), whole, least })
    }

    /// Waits until `cost_bytes` of the budget are free, and holds them until the share is dropped.
    ///
    /// Every job takes at least its fair share, so no more than `parallel` ever run; one that
    /// asks for more than there is waits for the whole and runs alone.
    ///
    /// # Errors
    /// [`Error::Stopped`] once there is no budget any more.
    pub(super) async fn share(&self, cost_bytes: u64) -> Result<OwnedSemaphorePermit, Error> {
        let wanted = u32::try_from(cost_bytes.div_ceil(MIB)).unwrap_or(u32::MAX);
        let share = wanted.max(self.least).min(self.whole);
        self.permits.clone().acquire_many_owned(share).await.map_err(|_| Error::Stopped)
    }

    /// Runs `work` on a thread of its own kind as soon as `cost_bytes` of the budget are free.
    ///
    /// Decoders cannot be interrupted here, so `probe` keeps their input small enough to end by
    /// itself. If the caller goes away, work that has begun still holds its share.
    ///
    /// A panic inside a codec is the picture's fault and comes back as [`Error::Damaged`].
    pub async fn run<T, F>(&self, cost_bytes: u64, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Error> + Send + 'static,
    {
        let permit = self.share(cost_bytes).await?;
        let span = Span::current();
        let (done, outcome) = oneshot::channel();
        self.threads.spawn(move || {
            let _held = permit;
            // The asker may have gone away; what was made is dropped then.
            let _ = done.send(catch_unwind(AssertUnwindSafe(|| span.in_scope(work))));
        });
        match outcome.await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => {
                tracing::warn!("a codec panicked; the picture is refused");
                Err(Error::Damaged("its decoder gave up".into()))
            }
            Err(_) => Err(Error::Stopped),
        }
    }
}

/// The semaphore takes far more; this is 1 TiB and keeps the arithmetic in `u32`.
const MAX_PERMITS: u32 = 1 << 20;
