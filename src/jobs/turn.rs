//! The turn of a site: its jobs one after the other, until others should have theirs.

use super::{
    Weight, claim,
    executor::{Hall, Work},
    run::Run,
};
use crate::{
    base::{Clock, Error, Result, ids::TenantId},
    tenancy::Tenant,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How long a site does one short job after the other before it goes to the end of the line: long
/// enough to be worth the opening of its files.
const QUANTUM: Duration = Duration::from_millis(20);
/// How long a site that is closed is left alone, in milliseconds.
const CLOSED_MS: i64 = 60_000;
/// The same for one that cannot be opened.
const BROKEN_MS: i64 = 15_000;

/// A place that is taken, until it is dropped.
pub(super) struct Place<W: Work> {
    pub hall: Arc<Hall<W>>,
    pub tenant: TenantId,
    pub weight: Weight,
}

impl<W: Work> Drop for Place<W> {
    fn drop(&mut self) {
        self.hall.lines().of(self.weight).leave(&self.tenant);
        self.hall.freed.notify_one();
    }
}

impl<W: Work> Place<W> {
    /// Does jobs of the site until others should have their turn, or there are none.
    pub(super) async fn take_turn(self) {
        let (tenants, id, weight) = (&self.hall.tenants, &self.tenant, self.weight);
        let done = tenants.visit(id, |tenant| self.do_jobs(tenant)).await;
        let left_alone_ms = match done {
            Ok(true) | Err(Error::NotFound(_)) => return,
            Ok(false) => CLOSED_MS,
            Err(error) => {
                tracing::error!(tenant = %id, error = %error.in_full(), "its jobs wait");
                BROKEN_MS
            }
        };
        if let Err(error) = tenants.put_off_work(id, weight, left_alone_ms).await {
            tracing::error!(tenant = %id, error = %error.in_full(), "it is looked at again soon");
        }
    }

    /// Returns whether the site is open, and so may have jobs done.
    async fn do_jobs(&self, tenant: Arc<Tenant>) -> Result<bool> {
        let (hall, weight, began) = (&self.hall, self.weight, Instant::now());
        if !tenant.is_open() {
            return Ok(false);
        }
        claim::take_back(&tenant, &hall.me, weight).await?;
        loop {
            let Some(claimed) = claim::next(&tenant, weight, hall.me.name()).await? else {
                match self.settle(&tenant).await? {
                    true => return Ok(true),
                    false => continue,
                }
            };
            if claimed.is_more_due {
                // Another place may do it meanwhile.
                hall.lines().of(weight).join(&self.tenant);
                hall.freed.notify_one();
            }
            let was_stopped = self.do_job(Run::new(tenant.clone(), claimed.job)).await;
            if was_stopped && !self.is_site_open().await {
                return Ok(false);
            }
            if hall.is_stopping() {
                // What was put back is for whoever comes next.
                tenant.work_at(weight, Clock::now()).await?;
                return Ok(true);
            }
            let is_turn_over = began.elapsed() >= QUANTUM;
            if is_turn_over && hall.lines().of(weight).others_wait(&self.tenant) {
                hall.lines().of(weight).join(&self.tenant);
                return Ok(true);
            }
        }
    }

    /// Nothing was due: notes when to come back, unless something is due now. A job that is made
    /// meanwhile moves the stamp, and nothing is noted then.
    async fn settle(&self, tenant: &Tenant) -> Result<bool> {
        let (tenants, id, weight) = (&self.hall.tenants, &self.tenant, self.weight);
        let stamp = tenants.work_stamp(id, weight).await?;
        let next = claim::when(tenant, weight).await?;
        if next.is_some_and(|at| at <= Clock::now()) {
            return Ok(false);
        }
        if let Some(stamp) = stamp {
            tenants.settle_work(id, weight, stamp, next).await?;
        }
        Ok(true)
    }

    /// Whether the site is still served: nothing more is done for one that was closed meanwhile.
    pub(super) async fn is_site_open(&self) -> bool {
        match self.hall.tenants.record(&self.tenant).await {
            Ok(record) => record.check_open().is_ok(),
            Err(Error::NotFound(_)) => false,
            Err(_) => true,
        }
    }
}
