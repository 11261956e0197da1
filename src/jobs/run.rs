//! A run of a job as the function sees it that does the work: what it is about, how to say how
//! far it has come, and when to stop.

use super::{Job, end::Told, shortened};
use crate::{
    base::{Error, Result},
    tenancy::Tenant,
};
use serde::de::DeserializeOwned;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// How long a light job works before it lets others go first.
const TURN: Duration = Duration::from_secs(2);

/// One run of one job.
pub struct Run {
    pub tenant: Arc<Tenant>,
    pub job: Job,
    began: Instant,
    told: Mutex<Told>,
    stop: watch::Sender<bool>,
}

impl Run {
    pub(super) fn new(tenant: Arc<Tenant>, job: Job) -> Self {
        let told = Told { done: job.done, total: job.total, message: job.message.clone() };
        let (stop, _) = watch::channel(false);
        Self { tenant, job, began: Instant::now(), told: Mutex::new(told), stop }
    }

    /// What the job is about.
    ///
    /// # Errors
    /// `Invalid` where it is something else; trying again does not help then.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.job.payload)
            .map_err(|e| Error::invalid("payload", format!("cannot be read: {e}")))
    }

    /// Says how far it has come, in whatever unit. Cheap: it is written down once a second.
    pub fn progress(&self, done: u64, total: Option<u64>) {
        let mut told = self.told_now();
        (told.done, told.total) = (done, total);
    }

    /// Says in a few words how it goes, for people. No secrets.
    pub fn say(&self, message: &str) {
        self.told_now().message = Some(shortened(message));
    }

    /// Whether to end: the job was called off, or the process stops. What is returned then does
    /// not matter, unless the work is done.
    pub fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// Waits until the work has to end. After a few seconds the work is dropped wherever it waits;
    /// what it has on a blocking thread must look at [`is_stopped`](Self::is_stopped) by itself.
    pub async fn stopped(&self) {
        let mut stop = self.stop.subscribe();
        // The sender is here: it cannot be gone.
        let _ = stop.wait_for(|stop| *stop).await;
    }

    /// Whether a light job has worked for so long that it should keep what it has, and return
    /// [`Step::GoOn`](super::Step::GoOn). It goes on behind those that wait.
    pub fn is_turn_over(&self) -> bool {
        self.began.elapsed() >= TURN
    }

    pub(super) fn tell_to_stop(&self) {
        self.stop.send_replace(true);
    }

    pub(super) fn told(&self) -> Told {
        self.told_now().clone()
    }

    fn told_now(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
