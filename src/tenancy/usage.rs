//! What a site uses, and whether it may use more: asked where the thing is made, inside the same
//! transaction, so that no number of requests at once passes a limit together.

use super::{Site, Tenant, limits::Limit, record::Allowance, sql::usage};
use crate::{
    base::{Clock, Result, clock::Millis},
    db::{Read, Write},
};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// What a site held at some moment: counters by their names.
#[derive(Debug, Clone)]
pub struct Stats {
    pub amounts: BTreeMap<String, u64>,
    /// The month of the monthly ones among them, as in `2026-01`.
    pub month: String,
    pub refreshed_at: Millis,
}

impl Stats {
    /// A counter as of now: those of a month that is over stand at nothing.
    pub fn amount(&self, name: &str) -> u64 {
        let is_stale = name.ends_with("_month") && self.month != month();
        if is_stale { 0 } else { self.amounts.get(name).copied().unwrap_or(0) }
    }
}

/// This month in UTC, as in `2026-01`.
fn month() -> String {
    Clock::now().timestamp().strftime("%Y-%m").to_string()
}

impl Allowance {
    /// Whether there may be so many more of what the limit counts.
    ///
    /// # Errors
    /// `LimitReached` where there may not.
    pub fn check_in(&self, db: &Read<Site>, limit: Limit, more: u64) -> Result<()> {
        match self.limit(limit) {
            Some(_) => self.check(limit, used(db, limit)?, more),
            None => Ok(()),
        }
    }

    /// Whether what a change added is within the limit; one that adds nothing always is.
    ///
    /// # Errors
    /// `LimitReached` where it is not.
    pub fn check_growth(&self, db: &Read<Site>, limit: Limit, before: u64) -> Result<()> {
        let now = used(db, limit)?;
        if now > before { self.check(limit, now, 0) } else { Ok(()) }
    }
}

/// How many there are of what the limit counts.
pub fn used(db: &Read<Site>, limit: Limit) -> Result<u64> {
    match limit.counter().map(|counter| (counter, counter.strip_suffix("_month"))) {
        None => Ok(0),
        Some((_, Some(name))) => usage::of_month(db, &month(), name),
        Some((counter, None)) => usage::amount(db, counter),
    }
}

/// Counts variants that were made this month.
pub fn count_rendered(db: &Write<Site>, variants: u64) -> Result<()> {
    usage::add_to_month(db, &month(), "variants_rendered", variants)
}

/// The counters of a site as they stand.
pub fn stats(db: &Read<Site>) -> Result<Stats> {
    let month = month();
    let amounts = usage::amounts(db, &month)?.into_iter().collect();
    Ok(Stats { amounts, month, refreshed_at: Clock::now() })
}

/// Keeps bytes whose rows go away where they are until then: somebody copies them.
pub fn hold(db: &Write<Site>, name: &str, until: Millis) -> Result<()> {
    usage::hold(db, name, until)
}

pub fn release_hold(db: &Write<Site>, name: &str) -> Result<()> {
    usage::release(db, name)
}

/// Until when bytes must stay, if they must.
pub fn held(db: &Read<Site>) -> Result<Option<Millis>> {
    usage::held(db)
}

/// A counter that was wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mended {
    pub name: String,
    /// Nothing, where there was no such counter.
    pub was: Option<i64>,
    pub is: i64,
}

/// Counts anew what triggers count, and mends what is wrong. Returns what was.
pub fn recount(db: &Write<Site>) -> Result<Vec<Mended>> {
    let mut mended = Vec::new();
    usage::recount_storages(db)?;
    usage::recount_albums(db)?;
    for (name, is) in usage::counted(db)? {
        let was = usage::stands_at(db, &name)?;
        if was != Some(is) {
            usage::mend(db, &name, is)?;
            mended.push(Mended { name, was, is });
        }
    }
    Ok(mended)
}

/// What a recount has found, in words.
pub fn told(mended: &[Mended]) -> String {
    if mended.is_empty() {
        return "every counter was right".to_owned();
    }
    let number = |was: Option<i64>| was.map_or_else(|| "nothing".to_owned(), |n| n.to_string());
    let words = mended.iter().map(|m| format!("{}: {} is now {}", m.name, number(m.was), m.is));
    words.collect::<Vec<_>>().join(", ")
}

/// Bytes handed out, counted in memory and written down now and then.
#[derive(Default)]
pub(super) struct Meter(Mutex<Count>);

#[derive(Default)]
struct Count {
    month: String,
    /// As of the last time it was written down, by all processes.
    known: u64,
    /// By this process since then.
    more: u64,
    /// What is being written down at this moment.
    writing: u64,
}

impl Meter {
    pub(super) fn open(db: &Read<Site>) -> Result<Self> {
        let month = month();
        let known = usage::of_month(db, &month, "bytes_served")?;
        Ok(Self(Mutex::new(Count { month, known, more: 0, writing: 0 })))
    }

    fn count(&self) -> MutexGuard<'_, Count> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tenant {
    /// Counts bytes that are about to be handed out.
    ///
    /// # Errors
    /// `LimitReached` where the month's bytes are used up; nothing is counted then.
    pub fn serve(&self, bytes: u64) -> Result<()> {
        let allowance = self.allowance();
        let now = month();
        let mut count = self.meter.count();
        if count.month != now {
            // What is not written down yet is written to the month it is noticed in.
            *count = Count { month: now, known: 0, ..std::mem::take(&mut *count) };
        }
        let used = count.known.saturating_add(count.writing).saturating_add(count.more);
        allowance.check(Limit::MaxBytesServedMonth, used, bytes)?;
        count.more = count.more.saturating_add(bytes);
        Ok(())
    }

    /// Writes down what was counted in memory.
    pub async fn flush(&self) -> Result<()> {
        let more = {
            let mut count = self.meter.count();
            let more = std::mem::take(&mut count.more);
            count.writing += more;
            more
        };
        if more == 0 {
            return Ok(());
        }
        let written = self.write(move |db| {
            let month = month();
            usage::add_to_month(db, &month, "bytes_served", more)?;
            let known = usage::of_month(db, &month, "bytes_served")?;
            Ok((month, known))
        });
        let written = written.await;
        let mut count = self.meter.count();
        count.writing -= more;
        match &written {
            // Two of these may come back in another order than they were written in.
            Ok((month, known)) if *month == count.month => count.known = count.known.max(*known),
            Ok(_) => {}
            Err(_) => count.more += more,
        }
        written.map(drop)
    }
}
