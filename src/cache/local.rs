//! Counters of this process, for when there is no Redis. They know nothing of other processes.

use mini_moka::sync::Cache;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Enough for an attack from a large network, and some ten megabytes at most.
const REMEMBERED: u64 = 50_000;

/// When there are too many counters, those that are asked for most often tend to stay. The lock
/// makes reading a counter and writing its new sum one step.
pub(super) struct Local(Mutex<Cache<String, Counter>>);

#[derive(Clone, Copy)]
struct Counter {
    sum: u64,
    /// None is later than any clock can tell.
    ends: Option<Instant>,
}

impl Counter {
    fn is_over(self, now: Instant) -> bool {
        self.ends.is_some_and(|ends| ends <= now)
    }
}

impl Default for Local {
    fn default() -> Self {
        Self(Mutex::new(Cache::new(REMEMBERED)))
    }
}

impl Local {
    pub(super) fn count(&self, key: &str, by: u64, window: Duration) -> u64 {
        let now = Instant::now();
        let key = key.to_owned();
        let counters = self.lock();
        let counter = match counters.get(&key) {
            Some(old) if !old.is_over(now) => Counter { sum: old.sum.saturating_add(by), ..old },
            _ => Counter { sum: by, ends: now.checked_add(window) },
        };
        counters.insert(key, counter);
        counter.sum
    }

    pub(super) fn counted(&self, key: &str) -> u64 {
        let now = Instant::now();
        self.lock()
            .get(&key.to_owned())
            .filter(|counter| !counter.is_over(now))
            .map_or(0, |c| c.sum)
    }

    pub(super) fn forget(&self, key: &str) {
        self.lock().invalidate(&key.to_owned());
    }

    /// A counter is replaced whole, so a poisoned lock is as good as any.
    fn lock(&self) -> MutexGuard<'_, Cache<String, Counter>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mini_moka::sync::ConcurrentCacheExt;

    #[test]
    fn a_window_begins_with_the_first_count_and_ends() {
        let local = Local::default();
        let window = Duration::from_millis(60);
        assert_eq!(local.count("a", 1, window), 1);
        std::thread::sleep(window / 2);
        assert_eq!(local.count("b", 1, window), 1);
        std::thread::sleep(window / 2);
        assert_eq!(local.counted("a"), 0);
        assert_eq!(local.count("a", 7, window), 7);
    }

    #[test]
    fn neither_a_huge_sum_nor_a_huge_window_overflows() {
        let local = Local::default();
        assert_eq!(local.count("a", u64::MAX, Duration::MAX), u64::MAX);
        assert_eq!(local.count("a", 2, Duration::MAX), u64::MAX);
        assert_eq!(local.count("zero", 1, Duration::ZERO), 1);
        assert_eq!(local.counted("zero"), 0);
    }

    #[test]
    fn counts_of_many_threads_add_up() {
        let local = Local::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    (0..1000).for_each(|_| {
                        local.count("a", 1, Duration::MAX);
                    });
                });
            }
        });
        assert_eq!(local.counted("a"), 4000);
    }

    #[test]
    fn a_flood_of_keys_is_bounded_and_leaves_a_busy_counter_alone() {
        let local = Local::default();
        let flood = |keys: std::ops::Range<u64>| {
            keys.for_each(|i| {
                local.count(&i.to_string(), 1, Duration::MAX);
            });
        };
        flood(0..REMEMBERED / 2);
        (0..10).for_each(|_| {
            local.count("busy", 1, Duration::MAX);
        });
        flood(REMEMBERED / 2..REMEMBERED * 3);
        local.lock().sync();
        assert!(local.lock().entry_count() <= REMEMBERED);
        assert_eq!(local.counted("busy"), 10);
    }
}
