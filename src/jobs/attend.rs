//! One job while it is done: watched over, told to end where it must, and its end written down.

use super::{
    Kind, Step, claim,
    end::{self, Ended, Told},
    executor::{UNWRITTEN, Work, told_to_stop},
    run::Run,
    turn::Place,
};
use crate::base::{Error, Result};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    task::JoinHandle,
    time::{MissedTickBehavior, interval_at, sleep, sleep_until, timeout},
};

/// How often it is written down how far a run has come, and asked whether it is to end.
const BEAT: Duration = Duration::from_secs(1);
/// How long a run that is told to end may take for it.
const GRACE: Duration = Duration::from_secs(5);

/// The work of a run, which ends with whoever waits for it.
struct Doing(JoinHandle<Result<Step>>);

impl Drop for Doing {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<W: Work> Place<W> {
    /// Does a job, and writes down what came of it. Returns whether it was told to end.
    pub(super) async fn do_job(&self, run: Run) -> bool {
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
                    doing.0.abort();
                    // It ends where it waits next, and should be gone before it is begun again.
                    let _ = timeout(GRACE, &mut doing.0).await;
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
}
