//! Does the jobs of all sites: as many at once as the settings allow, and the sites by turns. What
//! a kind of job does it is told by a [`Work`].

use super::{
    Kind, Run, Step, Weight, claim,
    end::{self, Ended, Told},
    lines::{Line, Lines},
};
use crate::{
    base::{Clock, Error, Result, ids::TenantId},
    tenancy::{Attendance, Tenant, Tenants},
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    sync::{Notify, watch},
    task::{JoinHandle, JoinSet},
    time::{MissedTickBehavior, interval, interval_at, sleep, sleep_until},
};

/// The functions that do the work.
pub trait Work: Send + Sync + 'static {
    /// Does what a job is about, or a part of it.
    fn run(self: Arc<Self>, kind: Kind, run: Arc<Run>)
    -> impl Future<Output = Result<Step>> + Send;
}

/// How much is done at once, and how patiently.
#[derive(Debug, Clone)]
pub struct Options {
    pub light: usize,
    pub heavy: usize,
    /// How long to wait after a first failure, in milliseconds.
    pub first_wait_ms: i64,
    /// How long to wait before looking whether other processes made jobs.
    pub look_every: Duration,
}

impl Default for Options {
    fn default() -> Self {
        let look_every = Duration::from_secs(5);
        Self { light: 4, heavy: 1, first_wait_ms: 10_000, look_every }
    }
}

/// How many light jobs a site does at once while others wait.
const LIGHT_EACH: usize = 2;
/// The same for heavy ones.
const HEAVY_EACH: usize = 1;
/// How long a site does one short job after the other before it goes to the end of the line: long
/// enough to be worth the opening of its files.
const QUANTUM: Duration = Duration::from_millis(20);
/// How often it is written down how far a run has come, and asked whether it is to end.
const BEAT: Duration = Duration::from_secs(1);
/// How long a run that is told to end may take for it.
const GRACE: Duration = Duration::from_secs(5);
/// How long a site that is closed, or cannot be opened, is left alone, in milliseconds.
const LEFT_ALONE_MS: i64 = 60_000;
/// How long to wait where the end of a run cannot be written down.
const UNWRITTEN: Duration = Duration::from_secs(5);

/// Does jobs until it is told to stop, and returns when those that run have ended or are put back.
pub async fn serve<W: Work>(
    tenants: Arc<Tenants>,
    work: Arc<W>,
    options: Options,
    mut stopped: watch::Receiver<bool>,
) {
    let me = loop {
        match tenants.attend().await {
            Ok(me) => break me,
            Err(error) => tracing::error!(error = %error.in_full(), "no jobs can be done"),
        }
        tokio::select! {
            () = sleep(UNWRITTEN) => {}
            () = told_to_stop(&mut stopped) => return,
        }
    };
    let mut look = interval(options.look_every);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let light = Line::new(options.light, LIGHT_EACH);
    let lines = Mutex::new(Lines { light, heavy: Line::new(options.heavy, HEAVY_EACH) });
    let (me, freed, stop) = (Arc::new(me), Notify::new(), stopped.clone());
    let hall = Arc::new(Hall { tenants, work, options, me, lines, freed, stopped: stop });
    let mut turns = JoinSet::new();
    loop {
        hall.begin_turns(&mut turns);
        tokio::select! {
            () = hall.freed.notified() => {}
            rung = hall.tenants.hear_of_work() => hall.join(rung),
            _ = look.tick() => match hall.look().await {
                Ok(found) => hall.join(found),
                Err(error) => tracing::error!(error = %error.in_full(), "no look for jobs"),
            },
            () = told_to_stop(&mut stopped) => break,
        }
        while turns.try_join_next().is_some() {}
    }
    while turns.join_next().await.is_some() {}
}

/// Returns at the end, also where whoever could say so is gone.
async fn told_to_stop(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Where jobs are done.
struct Hall<W> {
    tenants: Arc<Tenants>,
    work: Arc<W>,
    options: Options,
    me: Arc<Attendance>,
    lines: Mutex<Lines>,
    /// Told when a turn is over, or when more could be begun.
    freed: Notify,
    stopped: watch::Receiver<bool>,
}

/// A place that is taken, until it is dropped.
struct Place<W: Work> {
    hall: Arc<Hall<W>>,
    tenant: TenantId,
    weight: Weight,
}

impl<W: Work> Drop for Place<W> {
    fn drop(&mut self) {
        self.hall.lines().of(self.weight).leave(&self.tenant);
        self.hall.freed.notify_one();
    }
}

/// The work of a run, which ends with whoever waits for it.
struct Doing(JoinHandle<Result<Step>>);

impl Drop for Doing {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<W: Work> Hall<W> {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn join(&self, tenants: impl IntoIterator<Item = (TenantId, Weight)>) {
        let mut lines = self.lines();
        for (tenant, weight) in tenants {
            lines.of(weight).join(&tenant);
        }
    }

    /// The sites that have work, as the index knows; those of processes that are gone included.
    async fn look(&self) -> Result<Vec<(TenantId, Weight)>> {
        let me = self.me.clone();
        let gone = tokio::task::spawn_blocking(move || me.gone()).await??;
        if !gone.is_empty() {
            // In this order: where this process ends in between, the next one does it again.
            self.tenants.recall_work().await?;
            let me = self.me.clone();
            tokio::task::spawn_blocking(move || me.forget(&gone)).await??;
        }
        self.tenants.with_work().await
    }

    fn begin_turns(self: &Arc<Self>, turns: &mut JoinSet<()>) {
        for weight in Weight::ALL {
            loop {
                let Some(tenant) = self.lines().of(weight).call() else { break };
                let place = Place { hall: self.clone(), tenant, weight };
                turns.spawn(async move { place.take_turn().await });
            }
        }
    }

    fn is_stopping(&self) -> bool {
        *self.stopped.borrow()
    }
}

impl<W: Work> Place<W> {
    /// Does jobs of the site until others should have their turn, or there are none.
    async fn take_turn(self) {
        let (tenants, id, weight) = (&self.hall.tenants, &self.tenant, self.weight);
        let done = tenants.visit(id, |tenant| self.do_jobs(tenant)).await;
        let left_alone = match done {
            Ok(is_open) => !is_open,
            Err(Error::NotFound(_)) => false,
            Err(error) => {
                tracing::error!(tenant = %id, error = %error.in_full(), "its jobs wait");
                true
            }
        };
        if left_alone && let Err(error) = tenants.put_off_work(id, weight, LEFT_ALONE_MS).await {
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

    /// Does a job, and writes down what came of it. Returns whether it was told to end.
    async fn do_job(&self, run: Run) -> bool {
        let run = Arc::new(run);
        let ended = match Kind::parse(&run.job.kind) {
            Some(kind) => self.attend_to(kind, &run).await,
            None => Ended::Failed(Error::Unsupported("this version cannot do it".to_owned())),
        };
        let (tenant, job, kind) = (&run.tenant.id, &run.job.public_id, &run.job.kind);
        match &ended {
            Ended::Failed(error) => {
                tracing::warn!(%tenant, %job, kind, error = %error.in_full(), "a job failed");
            }
            Ended::Broken => tracing::error!(%tenant, %job, kind, "a job panicked"),
            _ => {}
        }
        let ended = Arc::new(ended);
        while let Err(error) = self.write_down(&run, ended.clone()).await {
            let (tenant, job) = (&run.tenant.id, &run.job.public_id);
            tracing::error!(%tenant, %job, error = %error.in_full(), "its end is not written down");
            if self.hall.is_stopping() {
                // Whoever comes next finds that this process is gone.
                break;
            }
            sleep(UNWRITTEN).await;
        }
        matches!(*ended, Ended::Stopped)
    }

    async fn write_down(&self, run: &Arc<Run>, ended: Arc<Ended>) -> Result<()> {
        let (of, holder) = (run.clone(), self.hall.me.name().to_owned());
        let first_wait_ms = self.hall.options.first_wait_ms;
        let write = run
            .tenant
            .write(move |db| end::end(db, &of.job, &holder, &ended, &of.told(), first_wait_ms));
        write.await
    }

    /// Does the work in a task of its own, so that a panic is the end of nothing else.
    async fn attend_to(&self, kind: Kind, run: &Arc<Run>) -> Ended {
        let mut doing = Doing(tokio::spawn(self.hall.work.clone().run(kind, run.clone())));
        let mut beat = interval_at((Instant::now() + BEAT).into(), BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stopped = self.hall.stopped.clone();
        let (mut written, mut until) = (run.told(), None::<Instant>);
        loop {
            tokio::select! {
                biased;
                ended = &mut doing.0 => return match ended {
                    Ok(Ok(Step::Done)) => Ended::Done,
                    Ok(Ok(Step::GoOn)) => Ended::GoOn,
                    Ok(Err(_)) if run.is_stopped() => Ended::Stopped,
                    Ok(Err(error)) => Ended::Failed(error),
                    Err(_) => Ended::Broken,
                },
                () = told_to_stop(&mut stopped), if until.is_none() => {
                    run.tell_to_stop();
                    until = Some(Instant::now() + GRACE);
                }
                () = sleep_until(until.unwrap_or_else(Instant::now).into()), if until.is_some() => {
                    return Ended::Stopped;
                }
                _ = beat.tick() => {
                    if !self.beat(run, &mut written).await && until.is_none() {
                        run.tell_to_stop();
                        until = Some(Instant::now() + GRACE);
                    }
                }
            }
        }
    }

    /// Writes down how far a run has come. Returns whether it is to go on.
    async fn beat(&self, run: &Run, written: &mut Told) -> bool {
        let told = run.told();
        let is_news = told != *written;
        let (job, holder, now) = (run.job.clone(), self.hall.me.name().to_owned(), told.clone());
        let asked = match is_news {
            true => run.tenant.tidy(move |db| claim::beat(db, &job, &holder, &now)).await,
            false => run.tenant.read(move |db| claim::is_wanted(db, &job, &holder)).await,
        };
        match asked {
            Ok(is_wanted) => {
                *written = told;
                is_wanted && self.is_site_open().await
            }
            Err(error) => {
                let (tenant, job) = (&run.tenant.id, &run.job.public_id);
                tracing::warn!(%tenant, %job, error = %error.in_full(), "progress is not known");
                true
            }
        }
    }

    /// Whether the site is still served: nothing more is done for one that was closed meanwhile.
    async fn is_site_open(&self) -> bool {
        match self.hall.tenants.record(&self.tenant).await {
            Ok(record) => record.check_open().is_ok(),
            Err(Error::NotFound(_)) => false,
            Err(_) => true,
        }
    }
}
