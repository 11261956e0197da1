//! The parts of the benchmark that must be Rust. `tests/bench/run` puts them beside others.
//!
//! Each command prints one JSON object with medians; none asserts anything.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

#[path = "../it/kit"]
#[allow(dead_code, unused_imports, reason = "the tests make more kinds of pictures")]
mod kit {
    pub(crate) mod pictures;
}

mod engine;
mod jobs;
mod tenants;

use kit::pictures;
use serde_json::json;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use vitrina::{
    base::ids::TenantId,
    config::{Config, Given},
};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["photo", width, height, path] => photo(width, height, path),
        ["resident", program, picture, folder] => {
            engine::reside(Path::new(program), Path::new(picture), Path::new(folder));
        }
        ["upload", url, token, clients, count, width, height] => {
            upload(url, token, [clients, count, width, height].map(|n| n.parse().unwrap()));
        }
        ["provision", data, count] => tenants::provision(Path::new(data), count.parse().unwrap()),
        ["resolve", data, count] => tenants::resolve(Path::new(data), count.parse().unwrap()),
        ["spread", url, sites, seconds] => {
            tenants::spread(url, sites.parse().unwrap(), seconds.parse().unwrap());
        }
        ["jobs", data, sites, count] => {
            jobs::rate(Path::new(data), sites.parse().unwrap(), count.parse().unwrap());
        }
        ["wait", data, weight, ms] => jobs::wait(Path::new(data), weight, ms.parse().unwrap()),
        ["list", rows] => list(rows.parse().unwrap()),
        _ => println!("run tests/bench/run, which knows what to ask for"),
    }
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e3
}

fn photo(width: &str, height: &str, path: &str) {
    let bytes = pictures::photo_jpeg(width.parse().unwrap(), height.parse().unwrap(), 1);
    std::fs::write(path, bytes).unwrap();
}

/// The appliance sets up TLS before anything else; so must whoever uses its HTTP client.
fn http() -> reqwest::Client {
    static TLS: std::sync::Once = std::sync::Once::new();
    TLS.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// Uploads `count` different pictures over HTTP with so many clients at once.
fn upload(url: &str, token: &str, [clients, count, width, height]: [u64; 4]) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let base = pictures::photo_jpeg(width as u32, height as u32, 1);
    let next = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    runtime.block_on(async {
        let workers = (0..clients).map(|_| {
            let (next, base) = (next.clone(), base.clone());
            let (url, token) = (format!("{url}/api/v2/media?n"), token.to_owned());
            tokio::spawn(async move {
                let http = http();
                while next.fetch_add(1, Ordering::Relaxed) < count {
                    let part = reqwest::multipart::Part::bytes(base.clone()).file_name("a.jpg");
                    let form = reqwest::multipart::Form::new()
                        .text("allow_duplicate", "true")
                        .part("file", part);
                    let sent = http.post(&url).bearer_auth(&token).multipart(form).send().await;
                    assert_eq!(sent.unwrap().status(), 201);
                }
            })
        });
        for worker in workers.collect::<Vec<_>>() {
            worker.await.unwrap();
        }
    });
    let seconds = started.elapsed().as_secs_f64();
    println!("{}", json!({ "per_second": count as f64 / seconds, "file_bytes": base.len() }));
}

/// The first page, and one from the middle, of a listing of so many items.
fn list(rows: i64) {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().display().to_string();
    let given = Given { flags: vec![("data".to_owned(), data)], ..Given::default() };
    let config = Config::load(&given).unwrap().0;
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let tenants = runtime.block_on(vitrina::app::open_tenants(&config)).unwrap();
    let tenant = runtime.block_on(tenants.get(&TenantId::main())).unwrap();
    fill(&dir.path().join("tenants/main/site.sqlite"), rows);
    let page = |after: Option<i64>| {
        use vitrina::{
            accounts::Actor,
            base::page::{Ask, Cursor},
            media::listing,
        };
        let after = after.map(|key| Cursor(key).encode());
        let ask = Ask::parse(Some(24), after.as_deref(), None).unwrap();
        let started = Instant::now();
        let wanted = listing::Wanted::parse(None, false, None, None).unwrap();
        let listed = listing::list(&tenant, &Actor::Guest, wanted, ask);
        assert_eq!(runtime.block_on(listed).unwrap().items.len(), 24);
        started.elapsed()
    };
    let times = |after: Option<i64>| median((0..201).map(|_| page(after)).collect());
    println!("{}", json!({ "first_ms": times(None), "middle_ms": times(Some(rows / 2)) }));
}

fn fill(file: &Path, rows: i64) {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE;
    let db = rusqlite::Connection::open_with_flags(file, flags).unwrap();
    db.execute_batch(&format!(
        "INSERT INTO users (username, email, password_hash, role, created_at, updated_at)
             VALUES ('ana', 'ana@example.org', '', 'admin', 0, 0);
         WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
         INSERT INTO media (public_id, owner_id, kind, filename, folder, file, mime, bytes, width,
             height, frames, is_animated, sha256, placeholder, color, metadata, nsfw, visibility,
             delete_hash, created_at, updated_at)
         SELECT replace(printf('a%09d', i), '0', 'z'), 1, 'image', 'a.jpg', 'f' || i, 'a.jpg', 'image/jpeg', 1, 1, 1,
             1, 0, randomblob(32), randomblob(24), 0, '{{}}', 0, 'public', randomblob(32), i, i FROM n;
         INSERT INTO variants SELECT id, 'medium', 'b.jpg', 'image/jpeg', 1, 1, 1 FROM media;
         INSERT INTO variants SELECT id, 'thumb', 'c.jpg', 'image/jpeg', 1, 1, 1 FROM media;"
    ))
    .unwrap();
}
