//! Work that outlives its request: made in the transaction that asks for it, done by whatever
//! process comes first, tried again after a failure, and never by two at once.
//!
//! What a kind of job does is not known here: `worker.rs` leads from the kind to the function.

pub mod api;
mod attend;
mod cancel;
mod claim;
mod end;
mod enqueue;
pub mod executor;
mod kind;
mod lines;
mod listing;
pub mod recount;
mod retry;
mod run;
mod sql;
pub mod sweep;
mod turn;

pub use api::JobView;
pub use cancel::cancel;
pub use enqueue::{NewJob, add, enqueue, wake};
pub use kind::Kind;
pub use listing::{Filter, find, last, list};
pub use retry::retry;
pub use run::Run;

pub use crate::tenancy::work::Weight;

use crate::{
    accounts::{Actor, Role, Scope},
    base::{
        Error, Result,
        clock::Millis,
        ids::{JobId, PublicId, UserId},
    },
};

/// How far a job has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Waiting,
    Running,
    Done,
    /// Given up after its last attempt. Somebody should look, and may have it tried again.
    Failed,
    Cancelled,
}

impl State {
    pub const ALL: [Self; 5] =
        [Self::Waiting, Self::Running, Self::Done, Self::Failed, Self::Cancelled];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// # Errors
    /// `Invalid` for any other word.
    pub fn parse(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or_else(|| {
            Error::invalid("state", "must be waiting, running, done, failed or cancelled")
        })
    }

    /// Whether nothing more will come of it by itself.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

/// One job.
#[derive(Debug, Clone)]
pub struct Job {
    pub id: JobId,
    pub public_id: PublicId,
    /// The word of a [`Kind`], or of one that another version knows.
    pub kind: String,
    pub state: State,
    /// What it is about, as JSON.
    pub payload: String,
    pub owner: Option<UserId>,
    /// The item that it is about.
    pub media: Option<PublicId>,
    /// How often it was begun, the run that lasts included; one that ends early with the process,
    /// or to let others go first, is not counted.
    pub attempts: u32,
    pub max_attempts: u32,
    /// Not before this moment.
    pub run_at: Millis,
    /// Whether the run is asked to end.
    pub is_cancelled: bool,
    pub done: u64,
    pub total: Option<u64>,
    /// What it has to say.
    pub message: Option<String>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    pub created_at: Millis,
    pub started_at: Option<Millis>,
    pub finished_at: Option<Millis>,
}

impl Job {
    /// Admins see all jobs, everybody else those that are about their own things.
    ///
    /// # Errors
    /// `NotFound` for everybody else.
    fn check_see(&self, actor: &Actor) -> Result<()> {
        let is_own = self.owner.is_some_and(|owner| actor.is(owner));
        if is_own || sees_all(actor) { Ok(()) } else { Err(Error::NotFound("job")) }
    }
}

/// Whether the actor looks after the whole site, and came with leave to.
fn sees_all(actor: &Actor) -> bool {
    actor.has_role(Role::Admin) && actor.need_scope(Scope::Admin).is_ok()
}

fn check_manage(actor: &Actor) -> Result<()> {
    if sees_all(actor) {
        return Ok(());
    }
    Err(Error::Forbidden("only an admin may change jobs"))
}

/// What came of a run that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Done,
    /// There is more to do, after others had their turn. What is done is kept.
    GoOn,
}

/// Whether trying again cannot mend it.
fn is_final(error: &Error) -> bool {
    use Error as E;
    matches!(
        error,
        E::NotFound(_)
            | E::Gone(_)
            | E::Forbidden(_)
            | E::Invalid { .. }
            | E::Malformed(_)
            | E::Unsupported(_)
            | E::Rejected { .. }
            | E::TooLarge { .. }
            | E::FeatureOff { .. }
    )
}

/// The longest wait before another attempt, in milliseconds.
const LONGEST_WAIT_MS: i64 = 60 * 60_000;
/// How long a message and an error may be, in characters.
const LONGEST_TEXT: usize = 300;

/// How long to wait before the next attempt, in milliseconds: four times longer after each one,
/// and up to a quarter more or less, so that what failed together does not come back together.
/// `dice` is any number.
fn backoff_ms(attempts: u32, first_ms: i64, dice: u16) -> i64 {
    let steps = attempts.saturating_sub(1).min(20);
    let wait = first_ms.saturating_mul(4i64.saturating_pow(steps)).min(LONGEST_WAIT_MS);
    let spread = wait / 2;
    wait - spread / 2 + spread * i64::from(dice) / i64::from(u16::MAX)
}

fn shortened(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_is_longer_than_the_one_before_and_none_endless() {
        let bounds =
            |attempts| (backoff_ms(attempts, 10_000, 0), backoff_ms(attempts, 10_000, u16::MAX));
        assert_eq!(bounds(1), (7_500, 12_500));
        assert_eq!(bounds(2), (30_000, 50_000));
        assert_eq!(bounds(3), (120_000, 200_000));
        let (least, most) = bounds(u32::MAX);
        assert_eq!((least, most), (2_700_000, 4_500_000));
        assert_eq!(backoff_ms(9, i64::MAX, 9), backoff_ms(9, LONGEST_WAIT_MS, 9));
        assert_eq!(backoff_ms(0, 1_000, 0), 750);
        assert_eq!(backoff_ms(5, 0, 7), 0);
    }

    #[test]
    fn words_are_read_back() {
        for state in State::ALL {
            assert_eq!(State::parse(state.as_str()).unwrap(), state);
        }
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(*kind));
        }
        assert_eq!(Kind::parse("x"), None);
        assert!(State::parse("Waiting").is_err());
    }

    #[test]
    fn a_long_text_is_cut_between_letters() {
        assert_eq!(shortened(&"é".repeat(1_000)).chars().count(), LONGEST_TEXT);
    }
}
