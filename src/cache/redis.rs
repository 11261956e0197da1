//! The connection to the operator's Redis, kept alive in the background. It counts nothing itself
//! and never waits long: who asks gets none where Redis does not answer.

use super::News;
use crate::base::{
    Error, Result,
    secret::{Secret, random_bytes},
};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, FromRedisValue, IntoConnectionInfo,
    ProtocolVersion, PushInfo, PushKind, RedisError, aio::MultiplexedConnection, cmd,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{broadcast, mpsc, watch},
    task::AbortHandle,
    time::{MissedTickBehavior, interval, sleep, timeout},
};

/// What a caller waits for an answer, at most.
const PATIENCE: Duration = Duration::from_millis(100);
/// Between two looks at the server, and between two attempts to reach it.
const PULSE: Duration = Duration::from_secs(1);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Redis takes no end that its clock cannot tell; nothing here is meant to last so long anyway.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
/// The largest number that a script passes on exactly.
const MOST: u64 = 1 << 53;

/// One step for the server, so that no counter is left without an end. `EXPIRE … NX` would do it
/// without a script, but is only known from Redis 7.0 on.
const COUNT: &str = "\
local sum = redis.call('INCRBY', KEYS[1], ARGV[1]) \
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end \
return sum";

type Pushes = mpsc::UnboundedReceiver<PushInfo>;
/// Why the server counts as away, for the log.
type Reason = String;

/// Ends its task in the background when it is dropped.
pub(super) struct Redis {
    link: Arc<Link>,
    keeper: AbortHandle,
}

struct Link {
    client: Client,
    prefix: String,
    /// Who speaks: a process does not listen to itself.
    id: String,
    /// None is the open circuit: nobody asks until the keeper has found the server well again.
    conn: watch::Sender<Option<MultiplexedConnection>>,
    /// How many words could not be announced; the others have yet to be told that there were any.
    unsaid: AtomicUsize,
    news: broadcast::Sender<News>,
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl Redis {
    pub(super) fn open(url: &Secret, prefix: &str, news: broadcast::Sender<News>) -> Result<Self> {
        let link = Arc::new(Link {
            client: client(url)?,
            prefix: prefix.to_owned(),
            id: bs58::encode(random_bytes::<16>()?).into_string(),
            conn: watch::Sender::new(None),
            unsaid: AtomicUsize::new(0),
            news,
        });
        let keeper = tokio::spawn(keep(Arc::clone(&link))).abort_handle();
        Ok(Self { link, keeper })
    }

    pub(super) fn is_up(&self) -> bool {
        self.link.conn.borrow().is_some()
    }

    pub(super) async fn until_up(&self, at_most: Duration) {
        let mut conn = self.link.conn.subscribe();
        // Whoever waited asks for the state then; running out of time says nothing more.
        let _ = timeout(at_most, conn.wait_for(Option::is_some)).await;
    }

    pub(super) async fn get(&self, key: &str) -> Option<String> {
        let found: Option<Option<String>> =
            self.link.ask(cmd("GET").arg(self.link.value(key))).await;
        found.flatten()
    }

    pub(super) async fn put(&self, key: &str, value: &str, ttl: Duration) {
        let mut set = cmd("SET");
        set.arg(self.link.value(key)).arg(value).arg("PX").arg(millis(ttl));
        self.link.ask::<()>(&set).await;
    }

    pub(super) async fn count(&self, key: &str, by: u64, window: Duration) -> Option<u64> {
        self.link.ask(&count(&self.link.counter(key), by, window)).await
    }

    pub(super) async fn counted(&self, key: &str) -> Option<u64> {
        let found: Option<Option<u64>> =
            self.link.ask(cmd("GET").arg(self.link.counter(key))).await;
        found.map(Option::unwrap_or_default)
    }

    pub(super) async fn forget(&self, key: &str) {
        let keys = [self.link.value(key), self.link.counter(key)];
        self.link.ask::<()>(cmd("DEL").arg(&keys)).await;
    }

    pub(super) async fn announce(&self, word: &str) {
        let said = self.link.ask::<()>(&self.link.publish(word)).await;
        if said.is_none() {
            self.link.unsaid.fetch_add(1, Ordering::AcqRel);
        }
    }
}

/// Speaks RESP3, because that is what brings announcements and answers over one connection.
fn client(url: &Secret) -> Result<Client> {
    // What the URL is wrong about is not passed on: it could be a part of the password.
    let refused = |_| Error::invalid("redis_url", "must read redis://[user:password@]host[:port]");
    let info = url.expose().into_connection_info().map_err(refused)?;
    if matches!(info.addr(), ConnectionAddr::TcpTls { insecure: true, .. }) {
        return Err(Error::invalid("redis_url", "cannot switch off the check of certificates"));
    }
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    Client::open(info.set_redis_settings(settings)).map_err(refused)
}

/// Connects, attends to the connection until it breaks, and begins anew, until it is aborted.
async fn keep(link: Arc<Link>) {
    let server = link.client.get_connection_info().addr().to_string();
    let mut is_known_to_be_away = false;
    loop {
        let reason = match link.connect().await {
            Ok((conn, pushes)) => {
                tracing::info!(%server, "Redis answers");
                is_known_to_be_away = false;
                link.attend(conn, pushes).await
            }
            Err(reason) => reason,
        };
        if !std::mem::replace(&mut is_known_to_be_away, true) {
            tracing::warn!(%server, reason, "Redis is away: this process goes on alone");
        }
        sleep(PULSE).await;
    }
}

impl Link {
    async fn connect(&self) -> Result<(MultiplexedConnection, Pushes), Reason> {
        let connecting = async {
            let (sender, pushes) = mpsc::unbounded_channel();
            // The keeper has time, and callers have limits of their own.
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(None)
                .set_response_timeout(None)
                .set_push_sender(sender);
            let mut conn =
                self.client.get_multiplexed_async_connection_with_config(&config).await?;
            conn.subscribe(self.channel()).await?;
            self.look_after(&mut conn).await?;
            Ok((conn, pushes))
        };
        match timeout(CONNECT_TIMEOUT, connecting).await {
            Ok(Ok(connected)) => Ok(connected),
            Ok(Err(e)) => Err(RedisError::to_string(&e)),
            Err(_) => Err(format!("no connection within {CONNECT_TIMEOUT:?}")),
        }
    }

    /// Lets callers use `conn`, passes on what comes in, and returns when it is of no more use.
    async fn attend(&self, mut conn: MultiplexedConnection, mut pushes: Pushes) -> Reason {
        let mut given_up = self.conn.subscribe();
        self.conn.send_replace(Some(conn.clone()));
        self.tell(News::Missed);
        let mut pulse = interval(PULSE);
        pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Only the next line sees a caller that gave up before it; `changed` sees all later ones.
        let mut is_up = given_up.borrow_and_update().is_some();
        let mut reason = None;
        while is_up && reason.is_none() {
            tokio::select! {
                push = pushes.recv() => match push {
                    Some(push) => self.hear(&push),
                    None => reason = Some("the connection was closed".to_owned()),
                },
                _ = given_up.changed() => is_up = false,
                _ = pulse.tick() => {
                    reason = match timeout(PULSE, self.look_after(&mut conn)).await {
                        Ok(Ok(())) => None,
                        Ok(Err(e)) => Some(e.to_string()),
                        Err(_) => Some(format!("no answer within {PULSE:?}")),
                    };
                }
            }
        }
        self.give_up();
        reason.unwrap_or_else(|| format!("a call failed or was not answered within {PATIENCE:?}"))
    }

    /// Does what callers will want to do, so that a server that answers and refuses every write,
    /// as a replica or a full one does, is no use either. Then says what was left unsaid.
    async fn look_after(&self, conn: &mut MultiplexedConnection) -> Result<(), RedisError> {
        count(&format!("{}pulse", self.prefix), 1, 10 * PULSE).exec_async(conn).await?;
        let unsaid = self.unsaid.load(Ordering::Acquire);
        if unsaid > 0 {
            self.publish("").exec_async(conn).await?;
            // Not before, or they would be lost where this is broken off.
            self.unsaid.fetch_sub(unsaid, Ordering::AcqRel);
        }
        Ok(())
    }

    /// None where the server is away, does not answer in time or refuses.
    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Option<T> {
        let mut conn = self.conn.borrow().clone()?;
        match timeout(PATIENCE, command.query_async(&mut conn)).await {
            Ok(Ok(answer)) => return Some(answer),
            // The connection is fine; if the server refuses everything, the keeper notices.
            Ok(Err(e)) if !e.is_io_error() => tracing::debug!(error = %e, "Redis refused"),
            Ok(Err(_)) | Err(_) => self.give_up(),
        }
        None
    }

    fn give_up(&self) {
        self.conn.send_if_modified(|conn| conn.take().is_some());
    }

    fn hear(&self, push: &PushInfo) {
        if push.kind != PushKind::Message {
            return;
        }
        let Some(message) = push.data.get(1).and_then(|m| String::from_redis_value_ref(m).ok())
        else {
            return;
        };
        match message.split_once('\n') {
            Some((speaker, _)) if speaker == self.id => {}
            Some((_, word)) if !word.is_empty() => self.tell(News::Word(word.to_owned())),
            _ => self.tell(News::Missed),
        }
    }

    fn tell(&self, news: News) {
        // An error only means that nobody listens.
        let _ = self.news.send(news);
    }

    /// An empty word stands for all that could not be said.
    fn publish(&self, word: &str) -> Cmd {
        let mut publish = cmd("PUBLISH");
        publish.arg(self.channel()).arg(format!("{}\n{word}", self.id));
        publish
    }

    fn channel(&self) -> String {
        format!("{}words", self.prefix)
    }

    fn value(&self, key: &str) -> String {
        format!("{}value:{key}", self.prefix)
    }

    fn counter(&self, key: &str) -> String {
        format!("{}count:{key}", self.prefix)
    }
}

fn count(key: &str, by: u64, window: Duration) -> Cmd {
    let mut eval = cmd("EVAL");
    eval.arg(COUNT).arg(1).arg(key).arg(by.min(MOST)).arg(millis(window));
    eval
}

/// Whole milliseconds, at least one: Redis knows no time to live of zero.
fn millis(time: Duration) -> u64 {
    u64::try_from(time.min(LONGEST).as_millis()).unwrap_or(u64::MAX).max(1)
}
