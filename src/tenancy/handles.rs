//! The open sites: a bounded number of them, the least used closed first, never one that somebody
//! works with, and each closed before another one takes its place.

use super::{Record, Tenant};
use crate::base::{Error, Result};
use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Sites that are opened or closed at the same moment must not be the same one: each has one of
/// these locks.
const LOCKS: usize = 64;
/// How long to wait for a place while every open site is at work.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Handles {
    open: Mutex<Open>,
    at_most: usize,
    locks: Vec<tokio::sync::Mutex<()>>,
    hasher: RandomState,
}

#[derive(Default)]
struct Open {
    by_id: HashMap<String, Slot>,
    /// Places that are taken by a site that is being opened or closed at this moment.
    moving: usize,
    /// Moves with every use.
    now: u64,
}

struct Slot {
    tenant: Arc<Tenant>,
    used: u64,
    used_at: Instant,
}

impl Slot {
    /// Whether this is the record's site, and not one that had the same id before it.
    fn is_of(&self, record: &Record) -> bool {
        self.tenant.record().created_at == record.created_at
    }
}

/// Closing a database writes to the disk.
async fn drop_aside<T: Send + 'static>(what: T) {
    let _ = tokio::task::spawn_blocking(move || drop(what)).await;
}

/// A place among the open sites, until a site stands in it or nobody wants it.
struct Place<'a>(&'a Handles);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.open().moving -= 1;
    }
}

impl Handles {
    pub(super) fn new(at_most: usize) -> Self {
        let locks = (0..LOCKS).map(|_| tokio::sync::Mutex::default()).collect();
        let at_most = at_most.max(1);
        Self { open: Mutex::default(), at_most, locks, hasher: RandomState::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.open().by_id.len()
    }

    pub(super) fn ids(&self) -> Vec<String> {
        self.open().by_id.keys().cloned().collect()
    }

    /// A site if it is open, which does not count as a use of it.
    pub(super) fn peek(&self, id: &str) -> Option<Arc<Tenant>> {
        self.open().by_id.get(id).map(|slot| slot.tenant.clone())
    }

    /// The open site, or the one that `open` makes; either knows its newest record then.
    pub(super) async fn get<F, T>(&self, record: Arc<Record>, open: F) -> Result<Arc<Tenant>>
    where
        F: FnOnce(Arc<Record>) -> T,
        T: Future<Output = Result<Tenant>>,
    {
        if let Some(tenant) = self.find(&record) {
            return Ok(tenant);
        }
        let own = self.lock_of(&record.id);
        let _opening = self.locks[own].lock().await;
        if let Some(tenant) = self.find(&record) {
            return Ok(tenant);
        }
        self.close_namesake(&record).await;
        let _place = self.make_room(own).await?;
        let id = record.id.clone();
        let tenant = Arc::new(open(record).await?);
        self.keep(id, tenant.clone());
        Ok(tenant)
    }

    fn find(&self, record: &Arc<Record>) -> Option<Arc<Tenant>> {
        let mut open = self.open();
        open.now += 1;
        let now = open.now;
        let slot = open.by_id.get_mut(&record.id).filter(|slot| slot.is_of(record))?;
        slot.used = now;
        slot.used_at = Instant::now();
        let tenant = slot.tenant.clone();
        drop(open);
        tenant.set_record(record);
        Some(tenant)
    }

    /// Closes what nobody works with until there is a place. Whoever asks holds the lock `own`.
    async fn make_room(&self, own: usize) -> Result<Place<'_>> {
        let began = Instant::now();
        loop {
            if let Some(place) = self.free_place() {
                return Ok(place);
            }
            if let Some(id) = self.least_used() {
                let other = self.lock_of(&id);
                let closing = self.locks[other].try_lock();
                if (other == own || closing.is_ok())
                    && let Some(place) = self.close(&id).await
                {
                    return Ok(place);
                }
            }
            if began.elapsed() > PATIENCE {
                return Err(Error::Unavailable("too many sites are at work: try again"));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    fn free_place(&self) -> Option<Place<'_>> {
        let mut open = self.open();
        if open.by_id.len() + open.moving >= self.at_most {
            return None;
        }
        open.moving += 1;
        Some(Place(self))
    }

    fn least_used(&self) -> Option<String> {
        let open = self.open();
        let idle = open.by_id.iter().filter(|(_, slot)| Arc::strong_count(&slot.tenant) == 1);
        idle.min_by_key(|(_, slot)| slot.used).map(|(id, _)| id.clone())
    }

    /// Closes a site if nobody works with it, and hands back its place: its counters are written
    /// down, its files closed.
    async fn close(&self, id: &str) -> Option<Place<'_>> {
        let tenant = self.idle(id)?;
        if let Err(error) = tenant.flush().await {
            tracing::error!(tenant = id, error = %error.in_full(), "counters are lost");
        }
        let (slot, place) = self.take_out(id, |slot| {
            // Two hold it, unless somebody came for it meanwhile: this caller and the table.
            Arc::ptr_eq(&slot.tenant, &tenant) && Arc::strong_count(&slot.tenant) <= 2
        })?;
        drop_aside((slot, tenant)).await;
        Some(place)
    }

    /// Closes what was open under the id before its site was removed and another one made, as
    /// another process may have done. Nothing of it may be shown as the new one's.
    async fn close_namesake(&self, record: &Record) {
        let gone = self.take_out(&record.id, |slot| !slot.is_of(record));
        if let Some((slot, _place)) = gone {
            drop_aside(slot).await;
        }
    }

    fn keep(&self, id: String, tenant: Arc<Tenant>) {
        let mut open = self.open();
        let used = open.now;
        open.by_id.insert(id, Slot { tenant, used, used_at: Instant::now() });
    }

    /// Takes a site out if `may` says so; its place stays taken while it is closed.
    fn take_out(&self, id: &str, may: impl FnOnce(&Slot) -> bool) -> Option<(Slot, Place<'_>)> {
        let mut open = self.open();
        open.by_id.get(id).filter(|slot| may(slot))?;
        let slot = open.by_id.remove(id)?;
        open.moving += 1;
        Some((slot, Place(self)))
    }

    fn idle(&self, id: &str) -> Option<Arc<Tenant>> {
        let open = self.open();
        let slot = open.by_id.get(id)?;
        (Arc::strong_count(&slot.tenant) == 1).then(|| slot.tenant.clone())
    }

    /// Closes a site that nobody works with; who comes at this moment opens it again.
    pub(super) async fn put_away(&self, id: &str) {
        let _closing = self.locks[self.lock_of(id)].lock().await;
        self.close(id).await;
    }

    /// Closes every site that nobody came to for so long.
    pub(super) async fn close_unused(&self, since: Duration) {
        let unused: Vec<_> = {
            let open = self.open();
            let unused = open.by_id.iter().filter(|(_, slot)| slot.used_at.elapsed() >= since);
            unused.map(|(id, _)| id.clone()).collect()
        };
        for id in unused {
            self.put_away(&id).await;
        }
    }

    /// Takes a site out, waiting a little for whoever works with it. For one that is removed.
    pub(super) async fn remove(&self, id: &str) {
        let _closing = self.locks[self.lock_of(id)].lock().await;
        let Some((slot, _place)) = self.take_out(id, |_| true) else { return };
        let began = Instant::now();
        while Arc::strong_count(&slot.tenant) > 1 && began.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        drop_aside(slot).await;
    }

    fn lock_of(&self, id: &str) -> usize {
        usize::try_from(self.hasher.hash_one(id) % LOCKS as u64).unwrap_or(0)
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
