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
    /// Moves with every use.
    now: u64,
}

struct Slot {
    tenant: Arc<Tenant>,
    used: u64,
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

    pub(super) fn all(&self) -> Vec<Arc<Tenant>> {
        self.open().by_id.values().map(|slot| slot.tenant.clone()).collect()
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
        self.make_room(own).await?;
        let id = record.id.clone();
        let tenant = Arc::new(open(record).await?);
        self.keep(id, tenant.clone());
        Ok(tenant)
    }

    fn find(&self, record: &Arc<Record>) -> Option<Arc<Tenant>> {
        let mut open = self.open();
        open.now += 1;
        let now = open.now;
        let slot = open.by_id.get_mut(&record.id)?;
        slot.used = now;
        let tenant = slot.tenant.clone();
        drop(open);
        tenant.set_record(record);
        Some(tenant)
    }

    /// Closes what nobody works with until there is a place. Whoever asks holds the lock `own`.
    async fn make_room(&self, own: usize) -> Result<()> {
        let began = Instant::now();
        while self.len() >= self.at_most {
            match self.least_used() {
                Some(id) => {
                    let other = self.lock_of(&id);
                    if other == own {
                        self.close(&id).await;
                    } else if let Ok(_closing) = self.locks[other].try_lock() {
                        self.close(&id).await;
                    } else {
                        tokio::task::yield_now().await;
                    }
                }
                None if began.elapsed() > PATIENCE => {
                    return Err(Error::Unavailable("too many sites are at work: try again"));
                }
                None => tokio::time::sleep(Duration::from_millis(2)).await,
            }
        }
        Ok(())
    }

    fn least_used(&self) -> Option<String> {
        let open = self.open();
        let idle = open.by_id.iter().filter(|(_, slot)| Arc::strong_count(&slot.tenant) == 1);
        idle.min_by_key(|(_, slot)| slot.used).map(|(id, _)| id.clone())
    }

    /// Closes a site if nobody works with it: its counters are written down, its files closed.
    async fn close(&self, id: &str) {
        let Some(tenant) = self.idle(id) else { return };
        if let Err(error) = tenant.flush().await {
            tracing::error!(tenant = id, error = %error.in_full(), "counters are lost");
        }
        if self.take_out(id, &tenant) {
            // Closing a database writes to the disk.
            let _ = tokio::task::spawn_blocking(move || drop(tenant)).await;
        }
    }

    fn keep(&self, id: String, tenant: Arc<Tenant>) {
        let mut open = self.open();
        let used = open.now;
        open.by_id.insert(id, Slot { tenant, used });
    }

    /// Takes a site out unless somebody came for it meanwhile.
    fn take_out(&self, id: &str, tenant: &Arc<Tenant>) -> bool {
        let mut open = self.open();
        // Two hold it: this caller and the table.
        let is_idle = Arc::strong_count(tenant) <= 2;
        is_idle && open.by_id.remove(id).is_some()
    }

    fn idle(&self, id: &str) -> Option<Arc<Tenant>> {
        let open = self.open();
        let slot = open.by_id.get(id)?;
        (Arc::strong_count(&slot.tenant) == 1).then(|| slot.tenant.clone())
    }

    /// Takes a site out, waiting a little for whoever works with it. For one that is removed.
    pub(super) async fn remove(&self, id: &str) {
        let _closing = self.locks[self.lock_of(id)].lock().await;
        let slot = self.open().by_id.remove(id);
        let Some(slot) = slot else { return };
        let began = Instant::now();
        while Arc::strong_count(&slot.tenant) > 1 && began.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let _ = tokio::task::spawn_blocking(move || drop(slot)).await;
    }

    fn lock_of(&self, id: &str) -> usize {
        usize::try_from(self.hasher.hash_one(id) % LOCKS as u64).unwrap_or(0)
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
