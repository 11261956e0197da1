//! Which sites have jobs to do: an index in the control file for all processes, and a bell for
//! this one. What the jobs are is for the room `jobs` to know.

use super::{
    Attendance, Tenant, Tenants,
    sql::{due, work},
};
use crate::base::{Clock, Error, Result, clock::Millis, ids::TenantId};
use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// The furthest ahead that a site is looked at next, in milliseconds: whatever lies beyond twice
/// that was set before the clock was set back.
const FURTHEST_MS: i64 = 30 * 60_000;

/// What a job takes: those of one weight never wait for those of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Weight {
    /// Seconds, or turns of seconds.
    Light,
    /// Minutes or hours of a processor, as for video.
    Heavy,
}

impl Weight {
    pub const ALL: [Self; 2] = [Self::Light, Self::Heavy];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Heavy => "heavy",
        }
    }

    /// # Errors
    /// `Invalid` for any other word.
    pub fn parse(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|weight| weight.as_str() == text);
        found.ok_or_else(|| Error::invalid("weight", "must be light or heavy"))
    }
}

/// Tells this process at once what it would find in the index a little later.
#[derive(Default)]
pub(super) struct Bell {
    rung: Mutex<HashSet<(TenantId, Weight)>>,
    heard: Notify,
}

impl Bell {
    fn rung(&self) -> MutexGuard<'_, HashSet<(TenantId, Weight)>> {
        self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tenant {
    /// Whether the site is served, and not closed or on its way out.
    pub fn is_open(&self) -> bool {
        self.record().check_open().is_ok()
    }

    /// Has workers look for a job of this weight, at this moment or before. For after the commit
    /// that made the job; where the process ends between the two, housekeeping comes by and asks.
    pub async fn work_at(&self, weight: Weight, at: Millis) -> Result<()> {
        let id = self.id.clone();
        self.common.control.write(move |db| work::mark(db, &id, weight, at)).await?;
        if at <= Clock::now() {
            self.common.bell.rung().insert((self.id.clone(), weight));
            self.common.bell.heard.notify_one();
        }
        Ok(())
    }
}

impl Tenants {
    /// The sites in which a job of this process may be started at once, once there are any.
    pub async fn hear_of_work(&self) -> HashSet<(TenantId, Weight)> {
        loop {
            let rung = std::mem::take(&mut *self.common.bell.rung());
            if !rung.is_empty() {
                return rung;
            }
            self.common.bell.heard.notified().await;
        }
    }

    /// The sites in which some process made a job that may be started.
    pub async fn with_work(&self) -> Result<Vec<(TenantId, Weight)>> {
        let furthest = Clock::now().plus_ms(2 * FURTHEST_MS);
        self.control().read(move |db| work::now(db, furthest)).await
    }

    /// What to settle a site by; to be asked before it is looked at.
    pub async fn work_stamp(&self, id: &TenantId, weight: Weight) -> Result<Option<i64>> {
        let id = id.clone();
        self.control().read(move |db| work::stamp(db, &id, weight)).await
    }

    /// Nothing can be started in a site before that moment, or at all.
    pub async fn settle_work(
        &self,
        id: &TenantId,
        weight: Weight,
        stamp: i64,
        next: Option<Millis>,
    ) -> Result<()> {
        let (id, furthest) = (id.clone(), Clock::now().plus_ms(FURTHEST_MS));
        let next = next.map(|at| at.min(furthest));
        self.control().write(move |db| work::settle(db, &id, weight, stamp, next)).await
    }

    /// The sites that had jobs when they were last looked after: each with a state and how many.
    pub async fn jobs_by_state(&self) -> Result<Vec<(String, String, i64)>> {
        self.control().read(due::jobs).await
    }

    /// Leaves a site alone for a while.
    pub async fn put_off_work(&self, id: &TenantId, weight: Weight, ms: i64) -> Result<()> {
        let (id, until) = (id.clone(), Clock::now().plus_ms(ms));
        self.control().write(move |db| work::put_off(db, &id, weight, until)).await
    }

    /// Has the other processes know that this one does jobs, until the answer is dropped.
    pub async fn attend(&self) -> Result<Attendance> {
        let data = self.data.clone();
        tokio::task::spawn_blocking(move || data.attend()).await?
    }

    /// Has every site with jobs looked at: a process that held some is gone.
    pub async fn recall_work(&self) -> Result<()> {
        self.control().write(work::mark_all).await
    }
}
