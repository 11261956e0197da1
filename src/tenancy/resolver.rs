//! Host → site, from memory: two bounded caches, filled by one request where many ask at once,
//! with Redis behind them where several processes share one, and the control file behind that.

use super::{
    Control,
    hostname::Hostname,
    record::Record,
    sql::{hosts, tenants},
};
use crate::{base::Result, cache::Shared, db::Db};
use mini_moka::sync::Cache;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::OnceCell;

/// Enough for every name of a large appliance; names that nobody has compete for it as well.
const HOSTS: u64 = 100_000;
const RECORDS: u64 = 20_000;
/// Changes are heard of within a second; this is for those that are not.
const TTL: Duration = Duration::from_secs(60);

pub(super) struct Resolver {
    hosts: Remembered<Option<String>>,
    records: Remembered<Option<Arc<Record>>>,
    control: Arc<Db<Control>>,
    shared: Shared,
    /// The latest change that is taken into account.
    seen: AtomicI64,
}

impl Resolver {
    pub(super) fn new(control: Arc<Db<Control>>, shared: Shared, seen: i64) -> Self {
        let (hosts, records) = (Remembered::new(HOSTS), Remembered::new(RECORDS));
        Self { hosts, records, control, shared, seen: AtomicI64::new(seen) }
    }

    /// Whose host this is, by id.
    pub(super) async fn owner(&self, host: &str) -> Result<Option<String>> {
        let key = Hostname::key(host);
        self.hosts
            .get(key, || async {
                let name = key.to_owned();
                self.through(format!("host/{name}"), move |db| hosts::owner(db, &name)).await
            })
            .await
    }

    pub(super) async fn record(&self, id: &str) -> Result<Option<Arc<Record>>> {
        self.records
            .get(id, || async {
                let name = id.to_owned();
                let get = move |db: &crate::db::Read<Control>| tenants::get(db, &name);
                Ok(self.through(format!("tenant/{id}"), get).await?.map(Arc::new))
            })
            .await
    }

    /// Asks Redis first, where there is one. What lies there is named after the latest change, so
    /// nothing that is older than this process knows is ever believed.
    async fn through<T: Serialize + DeserializeOwned + Send + 'static>(
        &self,
        key: String,
        read: impl FnOnce(&crate::db::Read<Control>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let key = format!("{key}@{}", self.seen.load(Ordering::Acquire));
        if let Some(text) = self.shared.get(&key).await
            && let Ok(value) = serde_json::from_str(&text)
        {
            return Ok(value);
        }
        let value = self.control.read(read).await?;
        if let Ok(text) = serde_json::to_string(&value) {
            self.shared.put(&key, &text, TTL).await;
        }
        Ok(value)
    }

    /// Forgets what changed since the last call. Returns which sites that were, or `None` where it
    /// may have been any.
    pub(super) async fn catch_up(&self) -> Result<Option<Vec<String>>> {
        let seen = self.seen.load(Ordering::Acquire);
        let (changes, latest) = self
            .control
            .read(move |db| Ok((tenants::changes_since(db, seen)?, tenants::revision(db)?)))
            .await?;
        let latest = match &changes {
            Some(changes) => changes.last().map_or(seen, |c| c.revision),
            None => latest,
        };
        self.seen.fetch_max(latest, Ordering::AcqRel);
        let Some(changes) = changes else {
            self.hosts.forget_all();
            self.records.forget_all();
            return Ok(None);
        };
        let mut sites = Vec::new();
        for change in changes {
            if let Some(host) = &change.host {
                self.hosts.forget(host);
            }
            match &change.tenant {
                Some(id) => self.records.forget(id),
                None => self.records.forget_all(),
            }
            sites.extend(change.tenant);
        }
        Ok(Some(sites))
    }

    pub(super) fn forget_all(&self) {
        self.hosts.forget_all();
        self.records.forget_all();
    }
}

/// A cache in which a value that many miss at once is loaded once.
struct Remembered<V> {
    cache: Cache<String, V>,
    loading: Mutex<HashMap<String, Arc<OnceCell<V>>>>,
    /// Moves with everything that is forgotten: what was read before must not be remembered after.
    forgotten: AtomicU64,
}

impl<V: Clone + Send + Sync + 'static> Remembered<V> {
    fn new(most: u64) -> Self {
        let cache = Cache::builder().max_capacity(most).time_to_live(TTL).build();
        Self { cache, loading: Mutex::default(), forgotten: AtomicU64::new(0) }
    }

    async fn get<F, L>(&self, key: &str, load: F) -> Result<V>
    where
        F: FnOnce() -> L,
        L: Future<Output = Result<V>>,
    {
        if let Some(value) = self.cache.get(&key.to_owned()) {
            return Ok(value);
        }
        // Before the cell: it may hold what was read before something was forgotten.
        let before = self.forgotten.load(Ordering::Acquire);
        let cell = self.loading().entry(key.to_owned()).or_default().clone();
        let loaded = cell.get_or_try_init(load).await.cloned();
        self.loading().remove(key);
        if let Ok(value) = &loaded {
            self.cache.insert(key.to_owned(), value.clone());
            if self.forgotten.load(Ordering::Acquire) != before {
                self.cache.invalidate(&key.to_owned());
            }
        }
        loaded
    }

    fn loading(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<OnceCell<V>>>> {
        self.loading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self, key: &str) {
        self.forgotten.fetch_add(1, Ordering::AcqRel);
        // A load that began before this moment is nobody's to wait for any more.
        self.loading().remove(key);
        self.cache.invalidate(&key.to_owned());
    }

    fn forget_all(&self) {
        self.forgotten.fetch_add(1, Ordering::AcqRel);
        self.loading().clear();
        self.cache.invalidate_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Error;
    use std::sync::atomic::AtomicU32;

    #[tokio::test]
    async fn what_many_miss_at_once_is_loaded_once() {
        let remembered = Arc::new(Remembered::<u32>::new(10));
        let loads = Arc::new(AtomicU32::new(0));
        let asks: Vec<_> = (0..50)
            .map(|_| {
                let (remembered, loads) = (remembered.clone(), loads.clone());
                tokio::spawn(async move {
                    let load = || async {
                        loads.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        Ok(7)
                    };
                    remembered.get("a", load).await.unwrap()
                })
            })
            .collect();
        for ask in asks {
            assert_eq!(ask.await.unwrap(), 7);
        }
        assert_eq!(loads.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn what_is_forgotten_while_it_is_loaded_is_not_remembered() {
        let remembered = Remembered::<u32>::new(10);
        let load = || async {
            remembered.forget("a");
            Ok(1)
        };
        assert_eq!(remembered.get("a", load).await.unwrap(), 1);
        assert_eq!(remembered.get("a", || async { Ok(2) }).await.unwrap(), 2);
        assert_eq!(remembered.get("a", || async { Ok(3) }).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn a_failure_is_not_remembered() {
        let remembered = Remembered::<u32>::new(10);
        let failed = remembered.get("a", || async { Err(Error::NotFound("site")) }).await;
        assert!(failed.is_err());
        assert_eq!(remembered.get("a", || async { Ok(2) }).await.unwrap(), 2);
    }
}
