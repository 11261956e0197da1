//! Work that nobody waits for: the jobs of all sites, each kind with the function that does it;
//! and housekeeping, which visits a site when something in it is due, and only then.
//!
//! A visit is short; what takes longer is a job. Of several processes that serve the same data,
//! one does the housekeeping at a time, and all do jobs.

mod clearing;

pub use clearing::clear_due;

use crate::{
    accounts::session,
    base::{Clock, Result, clock::Millis, ids::TenantId},
    jobs::{
        self, Kind, Run, Step,
        executor::{self, Options},
        recount,
    },
    media::{self, forget, hiding, moving, regenerate, transcode, upload::Uploads},
    tenancy::{Stats, Tenant, Tenants, audit::By, record::Status, usage},
    tus,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::watch, time::sleep};

/// How long to wait before looking again whether something is due.
const EVERY: Duration = Duration::from_secs(5);
/// How long this process does the work before it must say so again.
const LEASE_MS: i64 = 30_000;
/// How long it works before it says so.
const PROLONG: Duration = Duration::from_secs(10);
/// How many sites are asked for at once.
const AT_ONCE: i64 = 50;
/// After a failure: not at once, and not never.
const RETRY_MS: i64 = 5 * 60_000;
/// How often the counters in memory are written down, and unused sites closed.
const FLUSH_EVERY: Duration = Duration::from_secs(60);
/// A site that nobody came to for so long is closed.
const UNUSED: Duration = Duration::from_secs(15 * 60);

/// What the jobs are done with.
struct Hands {
    uploads: Arc<Uploads>,
}

impl executor::Work for Hands {
    async fn run(self: Arc<Self>, kind: Kind, run: Arc<Run>) -> Result<Step> {
        match kind {
            Kind::Recount => recount::run(&run).await,
            Kind::Regenerate => regenerate::go_on(&run, &self.uploads).await,
            Kind::PurgeCache => forget::run(&run, &self.uploads.fetcher).await,
            Kind::HideMedia => hiding::run(&run).await,
            Kind::MoveMedia => moving::run(&run).await,
            Kind::Transcode => transcode::work(&run, &self.uploads).await,
        }
    }
}

/// Works until it is told to stop; the jobs that run then get a moment to end. One site's trouble
/// does not keep the others waiting.
pub async fn run(
    tenants: Arc<Tenants>,
    uploads: Arc<Uploads>,
    options: Options,
    stopped: watch::Receiver<bool>,
) {
    let jobs = executor::serve(tenants.clone(), Arc::new(Hands { uploads }), options, stopped);
    let visiting = async {
        loop {
            if let Err(error) = visit_due(&tenants).await {
                tracing::error!(error = %error.in_full(), "housekeeping failed");
            }
            sleep(EVERY).await;
        }
    };
    // Visits may take long where much is to be removed; this does not wait.
    let flushing = async {
        loop {
            sleep(FLUSH_EVERY).await;
            tenants.close_unused(UNUSED).await;
            tenants.flush().await;
        }
    };
    // Nor does any of them wait for storages elsewhere.
    let clearing = async {
        loop {
            if let Err(error) = clear_due(&tenants).await {
                tracing::error!(error = %error.in_full(), "storages cannot be cleared");
            }
            sleep(EVERY).await;
        }
    };
    tokio::select! {
        () = jobs => {}
        ((), (), ()) = async { tokio::join!(visiting, flushing, clearing) } => {}
    }
}

/// Visits every site that is due, if it is this process's turn. Returns how many it visited.
pub async fn visit_due(tenants: &Arc<Tenants>) -> Result<usize> {
    let mut visited = 0;
    if !tenants.lease("housekeeping", LEASE_MS).await? {
        return Ok(visited);
    }
    let mut leased = Instant::now();
    loop {
        let due = tenants.due(AT_ONCE).await?;
        if due.is_empty() {
            return Ok(visited);
        }
        for (id, stamp) in due {
            if leased.elapsed() > PROLONG {
                if !tenants.lease("housekeeping", LEASE_MS).await? {
                    return Ok(visited);
                }
                leased = Instant::now();
            }
            if let Err(error) = visit(tenants, &id, stamp).await {
                tracing::error!(tenant = %id, error = %error.in_full(), "a visit failed");
                let retry = Some(Clock::now().plus_ms(RETRY_MS));
                tenants.end_visit(&id, stamp, None, retry).await?;
            }
            visited += 1;
        }
    }
}

/// Looks after one site: what is over goes, what it holds is noted, and so is when to come back.
async fn visit(tenants: &Arc<Tenants>, id: &TenantId, stamp: i64) -> Result<()> {
    let record = tenants.record(id).await?;
    if record.status == Status::Deleting {
        return match record.delete_after().filter(|at| *at > Clock::now()) {
            Some(at) => tenants.end_visit(id, stamp, None, Some(at)).await,
            None => tenants.purge(&By::housekeeping(), id).await,
        };
    }
    let (stats, next) = tenants.visit(id, look_after).await?;
    tenants.end_visit(id, stamp, Some(stats), next).await
}

/// Removes what is over. Returns what the site holds then, and when something will be over next.
async fn look_after(tenant: Arc<Tenant>) -> Result<(Stats, Option<Millis>)> {
    media::sweep::sweep(&tenant).await?;
    session::sweep(&tenant).await?;
    tus::sweep::sweep(&tenant).await?;
    jobs::sweep::sweep(&tenant).await?;
    let dues = [
        media::sweep::next(&tenant).await?,
        session::next(&tenant).await?,
        tus::sweep::next(&tenant).await?,
        jobs::sweep::next(&tenant).await?,
    ];
    let stats = tenant.read(usage::stats).await?;
    Ok((stats, dues.into_iter().flatten().min()))
}
