//! A new job: made in the transaction of whoever asks for it, so that there is no job for what
//! was rolled back and none is missing for what was committed.

use super::{Job, Kind, listing, sql};
use crate::{
    base::{
        Clock, Error, Result,
        clock::Millis,
        ids::{PublicId, UserId},
    },
    db::Write,
    tenancy::{Site, Tenant},
};
use serde::Serialize;

/// How often a job is tried where its maker does not say.
const MOST_ATTEMPTS: u32 = 5;
/// The largest payload, in bytes.
const LARGEST_PAYLOAD: usize = 64 * 1024;
/// A job that is to run at once.
const AT_ONCE: Millis = Millis(0);
/// The furthest ahead that a job is put off, in milliseconds: whatever lies beyond was set before
/// the clock was set back.
pub(super) const FURTHEST_MS: i64 = 6 * 60 * 60_000;

/// A job that is to be made.
#[derive(Debug, Clone)]
pub struct NewJob {
    pub(super) kind: Kind,
    pub(super) payload: String,
    pub(super) key: Option<String>,
    pub(super) owner: Option<UserId>,
    pub(super) media: Option<PublicId>,
    pub(super) max_attempts: u32,
    pub(super) run_at: Millis,
}

impl NewJob {
    /// A job that is to run at once, and is about nothing in particular.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            payload: "null".to_owned(),
            key: None,
            owner: None,
            media: None,
            max_attempts: MOST_ATTEMPTS,
            run_at: AT_ONCE,
        }
    }

    /// What the job needs to know. Everybody with the site's file can read it: no secrets.
    ///
    /// # Errors
    /// `Invalid` for more than 64 KB.
    pub fn payload(mut self, payload: &impl Serialize) -> Result<Self> {
        self.payload = serde_json::to_string(payload)?;
        if self.payload.len() > LARGEST_PAYLOAD {
            return Err(Error::invalid("payload", "is too large for a job"));
        }
        Ok(self)
    }

    /// Of this kind and key one waits at most: another one only gives it its payload. One that
    /// runs already is no reason not to wait, as it may have passed what this one is for; the two
    /// do not run at once.
    pub fn once(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Who may see it.
    pub fn owner(mut self, owner: UserId) -> Self {
        self.owner = Some(owner);
        self
    }

    /// The item that it is about.
    pub fn media(mut self, media: PublicId) -> Self {
        self.media = Some(media);
        self
    }

    /// How often it is tried before it is given up.
    pub fn attempts(mut self, most: u32) -> Self {
        self.max_attempts = most.max(1);
        self
    }

    /// Not before so many milliseconds are over; six hours at most.
    pub fn after_ms(mut self, ms: i64) -> Self {
        self.run_at = Clock::now().plus_ms(ms.clamp(0, FURTHEST_MS));
        self
    }
}

/// Makes a job, or gives its payload to the one that waits under the same key. [`wake`] is to be
/// called after the commit.
pub fn enqueue(db: &Write<Site>, new: &NewJob) -> Result<PublicId> {
    sql::insert(db, new, &PublicId::random()?)
}

/// Has the jobs of this kind begun: for after the commit that made them.
pub async fn wake(tenant: &Tenant, kind: Kind) -> Result<()> {
    tenant.work_at(kind.weight(), Clock::now()).await
}

/// [`enqueue`] in a transaction of its own, and [`wake`].
pub async fn add(tenant: &Tenant, new: NewJob) -> Result<Job> {
    let kind = new.kind;
    let made = tenant.write(move |db| {
        let id = enqueue(db, &new)?;
        listing::get(db, &id)?.ok_or(Error::NotFound("job"))
    });
    let job = made.await?;
    wake(tenant, kind).await?;
    Ok(job)
}
