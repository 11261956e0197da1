//! What several processes of one appliance share: short values, counters and words to each other.
//! It is a convenience, never the place where something is kept: all of it may be lost at any time.

mod local;
mod redis;

use self::{local::Local, redis::Redis};
use crate::base::{Result, secret::Secret};
use std::{sync::Arc, time::Duration};
use tokio::sync::broadcast::{self, error::RecvError};

/// How many words a slow listener may fall behind before it is told [`News::Missed`] instead.
const BACKLOG: usize = 256;

/// What is shared, for all sites of the appliance: callers put the site's id into their keys.
///
/// With Redis it is shared between processes, as long as Redis answers. Without it, or while it is
/// away, counters are counted in this process, values are not found and words reach nobody. No
/// call fails, and none takes longer than 100 ms.
#[derive(Clone)]
pub struct Shared(Arc<Inner>);

struct Inner {
    local: Local,
    redis: Option<Redis>,
    news: broadcast::Sender<News>,
}

/// Whether anything is shared at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No Redis is configured.
    Off,
    /// Redis answers, and can be written to.
    Up,
    /// Redis is configured and does not answer: this process is on its own until it does.
    Down,
}

/// What a [`Listener`] hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Another process announced this word.
    Word(String),
    /// Words may have been missed: whatever could have been announced may have happened.
    Missed,
}

impl Shared {
    /// Everything stays in this process.
    pub fn local() -> Self {
        let news = broadcast::Sender::new(BACKLOG);
        Self(Arc::new(Inner { local: Local::default(), redis: None, news }))
    }

    /// Shares through the Redis server at `url` (6.2 or newer, or Valkey): `redis://` or, with TLS,
    /// `rediss://`, with user, password and number of the database where needed. All keys and
    /// channels begin with `prefix`.
    ///
    /// It returns at once and connects in the background for as long as a clone of it lives, so it
    /// needs a tokio runtime around it. A server that cannot be reached is no error.
    ///
    /// # Errors
    /// `Invalid` where `url` is no URL of a Redis server, `Internal` where the system has no
    /// randomness to give.
    pub fn redis(url: &Secret, prefix: &str) -> Result<Self> {
        let news = broadcast::Sender::new(BACKLOG);
        let redis = Some(Redis::open(url, prefix, news.clone())?);
        Ok(Self(Arc::new(Inner { local: Local::default(), redis, news })))
    }

    /// Costs next to nothing, and never waits.
    pub fn state(&self) -> State {
        match &self.0.redis {
            None => State::Off,
            Some(redis) if redis.is_up() => State::Up,
            Some(_) => State::Down,
        }
    }

    /// Waits for a first connection, `at_most` so long, and tells how things stand then. A process
    /// that only lives for one announcement does so first; a server need not.
    pub async fn ready(&self, at_most: Duration) -> State {
        if let Some(redis) = &self.0.redis {
            redis.until_up(at_most).await;
        }
        self.state()
    }

    /// The value that was put under `key`; none where there is no Redis.
    pub async fn get(&self, key: &str) -> Option<String> {
        self.0.redis.as_ref()?.get(key).await
    }

    /// Keeps `value` under `key` for `ttl`, if there is Redis to keep it: a caller that wants it
    /// back in any case has a cache of its own.
    pub async fn put(&self, key: &str, value: &str, ttl: Duration) {
        if let Some(redis) = &self.0.redis {
            redis.put(key, value, ttl).await;
        }
    }

    /// Adds `by` to the counter `key` and returns the sum. The counter falls away `window` after it
    /// was first added to; adding more does not prolong it.
    pub async fn count(&self, key: &str, by: u64, window: Duration) -> u64 {
        if let Some(redis) = &self.0.redis
            && let Some(sum) = redis.count(key, by, window).await
        {
            return sum;
        }
        self.0.local.count(key, by, window)
    }

    /// What [`count`](Self::count) has summed up so far; zero for a counter that is not there.
    pub async fn counted(&self, key: &str) -> u64 {
        if let Some(redis) = &self.0.redis
            && let Some(sum) = redis.counted(key).await
        {
            return sum;
        }
        self.0.local.counted(key)
    }

    /// Forgets the value and the counter under `key`. While Redis is away only this process does,
    /// and what is kept there comes back with it, for the rest of its time.
    pub async fn forget(&self, key: &str) {
        self.0.local.forget(key);
        if let Some(redis) = &self.0.redis {
            redis.forget(key).await;
        }
    }

    /// Tells the other processes `word`. What cannot be said now, because Redis is away, becomes
    /// [`News::Missed`] for the others as soon as it is back.
    pub async fn announce(&self, word: &str) {
        if let Some(redis) = &self.0.redis {
            redis.announce(word).await;
        }
    }

    /// Listens to what the other processes announce from now on, but not to this one's own words.
    pub fn listen(&self) -> Listener {
        Listener(self.0.news.subscribe())
    }
}

/// Hears what other processes announce.
pub struct Listener(broadcast::Receiver<News>);

impl Listener {
    /// Waits for the next news, for ever where there is no Redis. Every connection to Redis, the
    /// first one too, begins with [`News::Missed`]. None after the last [`Shared`] is gone.
    ///
    /// Nothing is lost where the wait is broken off.
    pub async fn next(&mut self) -> Option<News> {
        match self.0.recv().await {
            Ok(news) => Some(news),
            Err(RecvError::Lagged(_)) => Some(News::Missed),
            Err(RecvError::Closed) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn without_redis_counters_count_and_the_rest_is_silent() {
        let shared = Shared::local();
        assert_eq!(shared.state(), State::Off);
        assert_eq!(shared.ready(MINUTE).await, State::Off);
        assert_eq!(shared.count("a", 2, MINUTE).await, 2);
        assert_eq!(shared.clone().count("a", 3, MINUTE).await, 5);
        shared.forget("a").await;
        assert_eq!(shared.counted("a").await, 0);

        shared.put("a", "value", MINUTE).await;
        assert_eq!(shared.get("a").await, None);

        let mut listener = shared.listen();
        shared.announce("word").await;
        let heard = tokio::time::timeout(Duration::from_millis(20), listener.next()).await;
        assert!(heard.is_err());
        drop(shared);
        assert_eq!(listener.next().await, None);
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_slows_nothing_down() {
        // Port 1 of the own machine refuses; the address of TEST-NET-1 (RFC 5737) swallows.
        for url in ["redis://127.0.0.1:1", "redis://192.0.2.1:6379", "rediss://127.0.0.1:1"] {
            let shared = Shared::redis(&Secret::new(url), "test:").unwrap();
            let started = Instant::now();
            assert_eq!(shared.count("a", 1, MINUTE).await, 1);
            assert_eq!(shared.count("a", 1, MINUTE).await, 2);
            assert_eq!(shared.counted("a").await, 2);
            assert_eq!(shared.get("a").await, None);
            shared.announce("word").await;
            assert!(started.elapsed() < Duration::from_millis(100));
            assert_eq!(shared.ready(Duration::from_millis(20)).await, State::Down);
        }
    }

    #[tokio::test]
    async fn what_is_no_url_of_redis_is_refused_and_not_repeated() {
        for url in [
            "",
            "hush",
            "http://:hush@localhost",
            "redis://",
            "redis://:hush@localhost/zero",
            "redis://:hush@0.0.0.0",
            "rediss://:hush@localhost#insecure",
        ] {
            let error = Shared::redis(&Secret::new(url), "test:").err().unwrap().to_string();
            assert!(error.starts_with("redis_url "), "{url}: {error}");
            assert!(!error.contains("hush"), "{url}: {error}");
        }
    }
}
