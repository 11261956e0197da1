//! The end of a run: what becomes of its job is decided here, and nowhere else.

use super::{Job, State, backoff_ms, is_final, shortened, sql};
use crate::{
    base::{Clock, Error, Result, clock::Millis, secret::random_bytes},
    db::Write,
    tenancy::Site,
};

/// How a run ended.
#[derive(Debug)]
pub(super) enum Ended {
    Done,
    /// There is more to do.
    GoOn,
    Failed(Error),
    /// It panicked.
    Broken,
    /// It was told to: its job was called off, the process stops, or the site was closed.
    Stopped,
}

/// What a run leaves behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub done: u64,
    pub total: Option<u64>,
    pub message: Option<String>,
}

/// At once, but behind those that have not begun.
const BEHIND: Millis = Millis(1);

/// Writes down how a run ended. Nothing happens to a job that is not in this run any more.
pub(super) fn end(
    db: &Write<Site>,
    job: &Job,
    holder: &str,
    ended: &Ended,
    told: &Told,
    first_wait_ms: i64,
) -> Result<()> {
    let Some(is_cancelled) = sql::held(db, job, holder)? else { return Ok(()) };
    sql::tell(db, job.id, told)?;
    match ended {
        Ended::Done => sql::finish(db, job.id, State::Done, None),
        _ if is_cancelled => sql::finish(db, job.id, State::Cancelled, None),
        Ended::GoOn => put_back(db, job, BEHIND, 0, None),
        Ended::Stopped => put_back(db, job, job.run_at, job.attempts.saturating_sub(1), None),
        Ended::Failed(error) => {
            let text = shortened(&error.to_string());
            failed(db, job, &text, is_final(error), first_wait_ms)
        }
        Ended::Broken => failed(db, job, "it broke off", false, first_wait_ms),
    }
}

/// The process of a run is gone. The attempt counts: the job may be what ended it.
pub(super) fn left_behind(db: &Write<Site>, job: &Job) -> Result<()> {
    if job.is_cancelled {
        return sql::finish(db, job.id, State::Cancelled, None);
    }
    failed(db, job, "the process that ran it is gone", false, 0)
}

fn failed(db: &Write<Site>, job: &Job, error: &str, is_final: bool, wait_ms: i64) -> Result<()> {
    if is_final || job.attempts >= job.max_attempts {
        return sql::finish(db, job.id, State::Failed, Some(error));
    }
    let wait_ms = match wait_ms {
        0 => return put_back(db, job, BEHIND, job.attempts, Some(error)),
        ms => backoff_ms(job.attempts, ms, u16::from_be_bytes(random_bytes()?)),
    };
    put_back(db, job, Clock::now().plus_ms(wait_ms), job.attempts, Some(error))
}

/// Has a job wait again, unless another one of its key took its place meanwhile: that one knows
/// more.
fn put_back(
    db: &Write<Site>,
    job: &Job,
    run_at: Millis,
    attempts: u32,
    error: Option<&str>,
) -> Result<()> {
    if sql::has_twin(db, job.id)? {
        return sql::finish(db, job.id, State::Cancelled, error);
    }
    sql::put_back(db, job.id, run_at, attempts, error)
}
