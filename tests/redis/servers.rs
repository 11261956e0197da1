//! Two servers on one data directory and one Redis: they count together and hear of each other,
//! and go on alone while Redis is away.

use super::{SOON, redis_server::RedisServer};
use reqwest::StatusCode;
use serde_json::json;
use std::{
    path::Path,
    time::{Duration, Instant},
};
use vitrina::{
    accounts::{Role, users},
    base::{ids::TenantId, secret::Secret},
    cache::State,
    config::{Config, Given},
    server::Running,
    tenancy::{audit::By, provision::NewTenant},
};

async fn start(data: &Path, redis: &str) -> Running {
    let given = [
        ("data", &*data.display().to_string()),
        ("listen", "127.0.0.1:0"),
        ("operator_listen", "127.0.0.1:0"),
        ("shutdown_grace_s", "1"),
        ("decode_program", env!("CARGO_BIN_EXE_vitrina")),
        ("shared", "true"),
        ("default_tenant", ""),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()));
    // A secret, and therefore not taken from flags.
    let env = vec![("VITRINA_REDIS_URL".to_owned(), redis.to_owned())];
    let given = Given { flags: given.to_vec(), env, ..Given::default() };
    let running = Running::start(&Config::load(&given).unwrap().0).await.unwrap();
    reaches(&running, State::Up).await;
    running
}

async fn reaches(server: &Running, state: State) {
    let began = Instant::now();
    while server.tenants.redis() != state {
        assert!(began.elapsed() < SOON, "Redis is not {state:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn site(server: &Running, host: &str) -> StatusCode {
    let url = format!("{}/api/v2/site", server.public_url);
    reqwest::Client::new().get(url).header("host", host).send().await.unwrap().status()
}

async fn sign_in(server: &Running, host: &str, password: &str) -> StatusCode {
    let url = format!("{}/api/v2/session", server.public_url);
    let body = json!({ "login": "ana", "password": password });
    let request = reqwest::Client::new().post(url).header("host", host).json(&body);
    request.send().await.unwrap().status()
}

/// A new site with somebody in it, made by one of the servers.
async fn make(server: &Running, id: &str) -> String {
    let host = format!("{id}.example");
    let new =
        NewTenant { id: id.to_owned(), hostnames: vec![host.clone()], ..NewTenant::default() };
    server.tenants.create(&By::command_line(), new).await.unwrap();
    let tenant = server.tenants.get(&TenantId::parse(id).unwrap()).await.unwrap();
    let password = Secret::new("correct horse");
    let ana = users::NewUser::parse("ana", "ana@example.org", password, Role::Admin);
    users::create(&tenant, ana.await.unwrap()).await.unwrap();
    host
}

async fn answers(server: &Running, host: &str, status: StatusCode) {
    let began = Instant::now();
    while site(server, host).await != status {
        assert!(began.elapsed() < Duration::from_secs(3), "{host} is not {status}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_count_together_and_outlive_their_redis() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let dir = tempfile::tempdir().unwrap();
    let mut redis = RedisServer::start("secret-7");
    let a = start(&dir.path().join("data"), &redis.url()).await;
    let b = start(&dir.path().join("data"), &redis.url()).await;
    assert_eq!(site(&b, "alice.example").await, StatusCode::NOT_FOUND);
    let alice = make(&a, "alice").await;
    answers(&b, &alice, StatusCode::OK).await;
    for n in 0..10 {
        let server = if n % 2 == 0 { &a } else { &b };
        assert_eq!(sign_in(server, &alice, "wrong").await, StatusCode::UNAUTHORIZED);
    }
    for server in [&a, &b] {
        let locked = sign_in(server, &alice, "correct horse").await;
        assert_eq!(locked, StatusCode::TOO_MANY_REQUESTS);
    }
    // Another site's guesses are its own.
    let bob = make(&b, "bob").await;
    answers(&a, &bob, StatusCode::OK).await;
    assert_eq!(sign_in(&a, &bob, "correct horse").await, StatusCode::CREATED);

    redis.kill();
    for server in [&a, &b] {
        reaches(server, State::Down).await;
        assert_eq!(sign_in(server, &bob, "correct horse").await, StatusCode::CREATED);
    }
    // Changes are heard of all the same.
    let id = TenantId::parse("bob").unwrap();
    a.tenants.suspend(&By::command_line(), &id, "late").await.unwrap();
    answers(&a, &bob, StatusCode::FORBIDDEN).await;
    answers(&b, &bob, StatusCode::FORBIDDEN).await;

    redis.start_again();
    for server in [&a, &b] {
        reaches(server, State::Up).await;
    }
    b.tenants.resume(&By::command_line(), &id).await.unwrap();
    answers(&a, &bob, StatusCode::OK).await;
    for server in [&a, &b] {
        assert_eq!(sign_in(server, &bob, "wrong").await, StatusCode::UNAUTHORIZED);
    }
    a.stop().await.unwrap();
    b.stop().await.unwrap();
}
