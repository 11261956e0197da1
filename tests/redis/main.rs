//! What processes share through Redis, against a real `redis-server`. These tests fail where the
//! program is not installed; they are a step of their own, so that `cargo test` does without.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod redis_server;
mod servers;

use redis_server::RedisServer;
use std::{
    cell::RefCell,
    future::Future,
    io::Write,
    time::{Duration, Instant},
};
use vitrina::{
    base::secret::Secret,
    cache::{Listener, News, Shared, State},
};

const MINUTE: Duration = Duration::from_secs(60);
/// Two pulses and time to spare on a busy machine.
const SOON: Duration = Duration::from_secs(5);

fn open(url: &str, prefix: &str) -> Shared {
    Shared::redis(&Secret::new(url), prefix).unwrap()
}

async fn up(url: &str, prefix: &str) -> Shared {
    let shared = open(url, prefix);
    assert_eq!(shared.ready(SOON).await, State::Up);
    shared
}

async fn becomes(shared: &Shared, state: State) {
    let started = Instant::now();
    while shared.state() != state {
        assert!(started.elapsed() < SOON, "is {:?}, not {state:?}", shared.state());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn hear(listener: &mut Listener, within: Duration) -> Option<News> {
    tokio::time::timeout(within, listener.next()).await.ok().flatten()
}

async fn hear_word(listener: &mut Listener, word: &str) {
    let word = News::Word(word.to_owned());
    loop {
        match hear(listener, Duration::from_secs(1)).await {
            Some(News::Missed) => {}
            heard => break assert_eq!(heard, Some(word)),
        }
    }
}

/// 100 ms is the promise; the rest is for a busy machine.
async fn quickly<T>(call: impl Future<Output = T>) -> T {
    let started = Instant::now();
    let answer = call.await;
    assert!(started.elapsed() < Duration::from_millis(160), "took {:?}", started.elapsed());
    answer
}

#[tokio::test]
async fn values_and_counters_are_shared() {
    let server = RedisServer::start("");
    let (a, b) = (up(&server.url(), "t:").await, up(&server.url(), "t:").await);
    a.put("site", "Größe", MINUTE).await;
    assert_eq!(b.get("site").await.as_deref(), Some("Größe"));
    assert_eq!(b.get("none").await, None);
    a.put("short", "x", Duration::from_millis(80)).await;
    a.put("shortest", "x", Duration::ZERO).await;
    tokio::time::sleep(Duration::from_millis(120)).await;
    assert_eq!((b.get("short").await, b.get("shortest").await), (None, None));

    assert_eq!(a.count("n", 1, MINUTE).await, 1);
    assert_eq!(b.count("n", 4, MINUTE).await, 5);
    assert_eq!(a.counted("n").await, 5);
    assert_eq!(a.counted("none").await, 0);
    a.put("n", "a value beside the counter", MINUTE).await;
    assert_eq!(b.counted("n").await, 5);
    b.forget("n").await;
    assert_eq!((a.counted("n").await, a.get("n").await), (0, None));
    assert_eq!(a.count("wide", u64::MAX, Duration::MAX).await, 1 << 53);
}

#[tokio::test]
async fn a_window_begins_with_the_first_count() {
    let server = RedisServer::start("");
    let shared = up(&server.url(), "t:").await;
    let window = Duration::from_millis(400);
    assert_eq!(shared.count("n", 1, window).await, 1);
    tokio::time::sleep(window / 2).await;
    assert_eq!(shared.count("n", 1, window).await, 2);
    tokio::time::sleep(window / 2 + Duration::from_millis(50)).await;
    assert_eq!(shared.count("n", 1, window).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_of_many_callers_add_up() {
    let server = RedisServer::start("");
    let (a, b) = (up(&server.url(), "t:").await, up(&server.url(), "t:").await);
    let callers: Vec<_> = (0..200)
        .map(|i| {
            let shared = if i % 2 == 0 { a.clone() } else { b.clone() };
            tokio::spawn(async move { shared.count("n", 1, MINUTE).await })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(a.counted("n").await, 200);
}

#[tokio::test]
async fn an_announcement_reaches_the_others_and_not_oneself() {
    let server = RedisServer::start("");
    let a = open(&server.url(), "t:");
    let (mut at_a, b) = (a.listen(), open(&server.url(), "t:"));
    let mut at_b = b.listen();
    let stranger = open(&server.url(), "other:");
    let mut at_stranger = stranger.listen();
    for listener in [&mut at_a, &mut at_b, &mut at_stranger] {
        assert_eq!(hear(listener, SOON).await, Some(News::Missed), "the first connection");
    }
    a.announce("site:7\nsettings").await;
    let heard = hear(&mut at_b, Duration::from_secs(1)).await;
    assert_eq!(heard, Some(News::Word("site:7\nsettings".to_owned())));
    assert_eq!(hear(&mut at_a, Duration::from_millis(50)).await, None);
    assert_eq!(hear(&mut at_stranger, Duration::from_millis(50)).await, None);

    drop(b);
    assert_eq!(hear(&mut at_b, Duration::from_secs(1)).await, None, "gone, not waiting");
    assert!(at_b.next().await.is_none());
}

#[tokio::test]
async fn a_server_that_dies_is_done_without_and_found_again() {
    let mut server = RedisServer::start("");
    let (a, b) = (up(&server.url(), "t:").await, up(&server.url(), "t:").await);
    assert_eq!(a.count("n", 10, MINUTE).await, 10);

    server.kill();
    assert_eq!(quickly(a.count("n", 1, MINUTE)).await, 1, "counted in this process");
    becomes(&a, State::Down).await;
    becomes(&b, State::Down).await;
    assert_eq!(quickly(a.count("n", 1, MINUTE)).await, 2);
    assert_eq!(quickly(a.counted("n")).await, 2);
    assert_eq!(quickly(b.counted("n")).await, 0);
    quickly(a.put("k", "v", MINUTE)).await;
    assert_eq!(quickly(a.get("k")).await, None);

    let mut at_b = b.listen();
    server.start_again();
    becomes(&a, State::Up).await;
    becomes(&b, State::Up).await;
    assert_eq!(hear(&mut at_b, SOON).await, Some(News::Missed), "a new connection");
    a.announce("back").await;
    hear_word(&mut at_b, "back").await;
    assert_eq!(a.count("n", 1, MINUTE).await, 1);
    assert_eq!(b.count("n", 1, MINUTE).await, 2);
}

#[tokio::test]
async fn a_server_that_hangs_holds_nobody_up() {
    let server = RedisServer::start("");
    let shared = up(&server.url(), "t:").await;
    server.freeze();
    assert_eq!(quickly(shared.count("n", 1, MINUTE)).await, 1);
    assert_eq!(shared.state(), State::Down);
    let started = Instant::now();
    for _ in 0..1000 {
        shared.count("n", 1, MINUTE).await;
    }
    assert!(started.elapsed() < Duration::from_millis(100));
    server.thaw();
    becomes(&shared, State::Up).await;
}

#[tokio::test]
async fn a_hang_is_noticed_without_a_call() {
    let server = RedisServer::start("");
    let shared = up(&server.url(), "t:").await;
    server.freeze();
    becomes(&shared, State::Down).await;
    server.thaw();
    becomes(&shared, State::Up).await;
}

#[tokio::test]
async fn what_one_process_could_not_say_the_others_learn_later() {
    let server = RedisServer::start("");
    let b = up(&server.url(), "t:").await;
    let a = open(&server.url(), "t:");
    let mut at_b = b.listen();
    // Nobody is connected at this moment: nothing ran since `open`.
    a.announce("too early").await;
    assert_eq!(hear(&mut at_b, SOON).await, Some(News::Missed));
}

#[tokio::test]
async fn a_wrong_password_leaves_the_process_on_its_own() {
    let mut server = RedisServer::start("secret-7");
    let right = up(&server.url(), "t:").await;
    assert_eq!(right.count("n", 1, MINUTE).await, 1);
    for url in [server.url().replace("secret-7", "wrong"), server.url().replace(":secret-7@", "")] {
        let wrong = open(&url, "t:");
        assert_eq!(wrong.ready(Duration::from_millis(1500)).await, State::Down);
        assert_eq!(quickly(wrong.count("n", 5, MINUTE)).await, 5);
        assert_eq!(quickly(wrong.get("n")).await, None);
    }
    assert_eq!(right.counted("n").await, 1);
    server.kill();
}

#[tokio::test]
async fn user_database_and_prefix_are_honoured() {
    let server = RedisServer::start("admin");
    // What the product needs to be allowed to do, and no more.
    let made = server.say(
        "ACL SETUSER vitrina on >p@ss resetkeys ~my:* resetchannels &my:* -@all \
         +get +set +del +incrby +pttl +pexpire +eval +publish +subscribe +select",
    );
    assert!(made.unwrap().contains("+OK\r\n+OK"));
    let url = server.url().replace(":admin@", "vitrina:p%40ss@") + "/3";
    let (shared, other) = (up(&url, "my:").await, up(&url, "my:").await);
    let mut listener = other.listen();
    shared.put("k", "v", MINUTE).await;
    shared.count("n", 1, MINUTE).await;
    shared.announce("word").await;
    hear_word(&mut listener, "word").await;
    assert_eq!(server.say("DBSIZE").unwrap(), "+OK\r\n:0\r\n+OK\r\n");
    let keys = server.say("SELECT 3\r\nKEYS *").unwrap();
    let mut keys: Vec<_> = keys.lines().filter(|line| line.contains(':')).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["my:count:n", "my:pulse", "my:value:k"]);

    assert_eq!(open(&url, "not-allowed:").ready(Duration::from_millis(500)).await, State::Down);
}

#[tokio::test]
async fn a_server_that_refuses_to_write_counts_as_away() {
    let server = RedisServer::start("");
    let shared = up(&server.url(), "t:").await;
    assert_eq!(shared.count("n", 3, MINUTE).await, 3);
    // Redis counts from here on for itself: it is a replica of a server that is not there.
    server.say("REPLICAOF 127.0.0.1 1");
    assert_eq!(quickly(shared.count("n", 1, MINUTE)).await, 1, "counted in this process");
    becomes(&shared, State::Down).await;
    server.say("REPLICAOF NO ONE");
    becomes(&shared, State::Up).await;
    assert_eq!(shared.count("n", 1, MINUTE).await, 4);
}

#[tokio::test]
async fn an_answer_of_the_wrong_kind_breaks_nothing() {
    let server = RedisServer::start("");
    let shared = up(&server.url(), "t:").await;
    server.say("LPUSH t:count:n x");
    server.say("SET t:value:k \"\\xff\\xfe\"");
    server.say("PUBLISH t:words garbage");
    assert_eq!(shared.count("n", 2, MINUTE).await, 2);
    assert_eq!(shared.counted("n").await, 2);
    assert_eq!(shared.get("k").await, None);
    assert_eq!(shared.state(), State::Up);
}

#[tokio::test]
async fn tls_towards_a_server_that_has_none_is_just_down() {
    let server = RedisServer::start("");
    let shared = open(&server.url().replace("redis:", "rediss:"), "t:");
    assert_eq!(shared.ready(Duration::from_millis(500)).await, State::Down);
    assert_eq!(quickly(shared.count("n", 2, MINUTE)).await, 2);
}

thread_local! {
    /// What this test logged: its runtime has one thread, and no other test has the same.
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct Log;

impl Log {
    fn lines_with(word: &str) -> usize {
        let text = LOG.with_borrow(|log| String::from_utf8(log.clone()).unwrap());
        text.lines().filter(|line| line.contains(word)).count()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.with_borrow_mut(|log| log.write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn each_change_is_logged_once_and_no_password_with_it() {
    let settings = tracing_subscriber::fmt().with_ansi(false).with_writer(|| Log);
    settings.with_max_level(tracing::Level::TRACE).init();

    let mut server = RedisServer::start("hush-hush");
    let wrong = open(&server.url().replace("hush-hush", "hush-wrong"), "t:");
    assert_eq!(wrong.ready(Duration::from_millis(2500)).await, State::Down);
    assert_eq!((Log::lines_with(" WARN "), Log::lines_with(" INFO ")), (1, 0));
    drop(wrong);

    let shared = up(&server.url(), "t:").await;
    server.kill();
    for _ in 0..50 {
        shared.count("n", 1, MINUTE).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!((Log::lines_with(" WARN "), Log::lines_with(" INFO ")), (2, 1));
    server.start_again();
    becomes(&shared, State::Up).await;
    assert_eq!((Log::lines_with(" WARN "), Log::lines_with(" INFO ")), (2, 2));
    assert_eq!(Log::lines_with("hush"), 0);
}
