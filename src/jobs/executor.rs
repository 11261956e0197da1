//! Does the jobs of all sites: as many at once as the settings allow, and the sites by turns. What
//! a kind of job does it is told by a [`Work`].

use super::{
    Kind, Run, Step, Weight,
    lines::{Line, Lines},
    turn::Place,
};
use crate::{
    base::{Result, ids::TenantId},
    tenancy::{Attendance, Tenants},
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep},
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
/// How long to wait where the end of a run cannot be written down.
pub(super) const UNWRITTEN: Duration = Duration::from_secs(5);

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
pub(super) async fn told_to_stop(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Where jobs are done.
pub(super) struct Hall<W> {
    pub tenants: Arc<Tenants>,
    pub work: Arc<W>,
    pub options: Options,
    pub me: Arc<Attendance>,
    lines: Mutex<Lines>,
    /// Told when a turn is over, or when more could be begun.
    pub freed: Notify,
    pub stopped: watch::Receiver<bool>,
}

impl<W: Work> Hall<W> {
    pub(super) fn lines(&self) -> MutexGuard<'_, Lines> {
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

    pub(super) fn is_stopping(&self) -> bool {
        *self.stopped.borrow()
    }
}
