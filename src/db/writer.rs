//! One connection and the queue before it. It borrows a blocking thread while there is work and
//! holds none while there is not: a thousand idle tenants cost no threads.

use rusqlite::Connection;
use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub(super) type Job = Box<dyn FnOnce(&mut Connection) + Send>;

pub(super) struct Writer {
    queue: Mutex<Queue>,
    conn: Mutex<Connection>,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    draining: bool,
}

impl Writer {
    pub(super) fn new(conn: Connection) -> Self {
        Self { queue: Mutex::default(), conn: Mutex::new(conn) }
    }

    pub(super) fn push(self: Arc<Self>, job: Job) {
        let mut queue = lock(&self.queue);
        queue.jobs.push_back(job);
        if !std::mem::replace(&mut queue.draining, true) {
            drop(queue);
            tokio::task::spawn_blocking(move || self.drain());
        }
    }

    fn drain(&self) {
        let mut conn = lock(&self.conn);
        while let Some(job) = self.next() {
            // A job that panics rolls back as its transaction drops; its asker gets an error.
            if catch_unwind(AssertUnwindSafe(|| job(&mut conn))).is_err() {
                tracing::error!("a database write panicked and was rolled back");
            }
        }
    }

    fn next(&self) -> Option<Job> {
        let mut queue = lock(&self.queue);
        let job = queue.jobs.pop_front();
        queue.draining = job.is_some();
        job
    }
}

/// Nothing here is left half-done by a panic, so a poisoned lock is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
