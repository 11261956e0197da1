//! Taking the next job of a site: in one transaction, so that nobody else takes the same one.

use super::{
    Job, LONGEST_WAIT_MS, Weight,
    end::{self, Told},
    enqueue::FURTHEST_MS,
    sql,
};
use crate::{
    base::{Clock, Result, clock::Millis},
    db::{Read, Write},
    tenancy::{Attendance, Site, Tenant},
};
use std::sync::Arc;

/// A job that is held from now on.
pub(super) struct Claimed {
    pub job: Job,
    /// Whether the next one could be taken as well.
    pub is_more_due: bool,
}

/// Takes the job whose turn it is, if one is due.
pub(super) async fn next(tenant: &Tenant, weight: Weight, holder: &str) -> Result<Option<Claimed>> {
    let holder = holder.to_owned();
    let claim = tenant.tidy(move |db| {
        let Some(job) = sql::claim(db, weight, &holder)? else { return Ok(None) };
        let next = sql::first_due(db, weight)?;
        let is_more_due = next.is_some_and(|at| at <= Clock::now());
        Ok(Some(Claimed { job, is_more_due }))
    });
    claim.await
}

/// Puts back what processes held that are gone.
pub(super) async fn take_back(tenant: &Tenant, me: &Arc<Attendance>, weight: Weight) -> Result<()> {
    let name = me.name().to_owned();
    let others = tenant.read(move |db| sql::other_holders(db, weight, &name)).await?;
    if others.is_empty() {
        return Ok(());
    }
    let me = me.clone();
    let gone = tokio::task::spawn_blocking(move || {
        let mut gone = Vec::new();
        for name in others {
            if !me.is_present(&name)? {
                gone.push(name);
            }
        }
        Ok::<_, crate::base::Error>(gone)
    });
    let gone = gone.await??;
    if gone.is_empty() {
        return Ok(());
    }
    let put_back = tenant.write(move |db| {
        let jobs = sql::held_by(db, weight, &gone)?;
        jobs.iter().try_for_each(|job| end::left_behind(db, job)).map(|()| jobs.len())
    });
    let jobs = put_back.await?;
    tracing::warn!(tenant = %tenant.id, jobs, "jobs of a process that is gone wait again");
    Ok(())
}

/// When the next job is due, if one waits; and far ahead where one runs, whose end may be that of
/// its process.
pub(super) async fn when(tenant: &Tenant, weight: Weight) -> Result<Option<Millis>> {
    let now = Clock::now();
    let (first, runs) =
        tenant.read(move |db| Ok((sql::first_due(db, weight)?, sql::runs(db, weight)?))).await?;
    let Some(first) = first else {
        return Ok(runs.then(|| now.plus_ms(LONGEST_WAIT_MS)));
    };
    let furthest = now.plus_ms(FURTHEST_MS);
    if first <= furthest {
        return Ok(Some(first));
    }
    // Nobody puts a job off that far: the clock was set back.
    tenant.tidy(move |db| sql::bring_forward(db, weight, furthest)).await?;
    Ok(Some(now))
}

/// Writes down how far a run has come. Returns whether it still has its job, and is not asked to
/// end.
pub(super) fn beat(db: &Write<Site>, job: &Job, holder: &str, told: &Told) -> Result<bool> {
    let is_wanted = is_wanted(db, job, holder)?;
    if is_wanted {
        sql::tell(db, job.id, told)?;
    }
    Ok(is_wanted)
}

/// Whether a run still has its job, and is not asked to end.
pub(super) fn is_wanted(db: &Read<Site>, job: &Job, holder: &str) -> Result<bool> {
    Ok(sql::held(db, job, holder)? == Some(false))
}
