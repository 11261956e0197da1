//! Several processes on one data directory, with the real binary: they share what must be shared,
//! and one takes over from another without a request lost.

use crate::{
    cli::{create_user, vitrina},
    kit::{Client, files_under, path_of, pictures},
};
use reqwest::{StatusCode, multipart};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;
use vitrina::{
    app,
    base::ids::TenantId,
    tenancy::{Tenants, audit::By, lifecycle::TenantEdit, provision::NewTenant},
};

const BY: fn() -> By = By::command_line;

/// A server of several, killed when it goes out of scope.
struct Process {
    child: Child,
    url: String,
}

impl Process {
    fn start(data: &Path, more: &[&str]) -> Self {
        let mut child = vitrina(data)
            .args(["serve", "--listen", "127.0.0.1:0", "--operator-listen", "127.0.0.1:0"])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let first = lines.next().expect("a line that says where it listens");
        lines.find(|line| line.ends_with("(operator)"));
        let url = first.strip_prefix("listening on ").unwrap().split(' ').next().unwrap();
        Self { url: url.to_owned(), child }
    }

    fn shared(data: &Path) -> Self {
        Self::start(data, &["--shared"])
    }

    fn at(&self, host: &str) -> Client {
        Client::new(&self.url).with_header("host", host)
    }

    /// Tells it to stop and waits until it has.
    fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Works on the data directory as the command line does.
async fn beside(data: &Path) -> Tenants {
    app::open_tenants(&crate::kit::config(data, &[])).await.unwrap()
}

fn alice() -> (TenantId, NewTenant) {
    let new = NewTenant {
        id: "alice".to_owned(),
        hostnames: vec!["alice.example".to_owned()],
        ..NewTenant::default()
    };
    (TenantId::parse("alice").unwrap(), new)
}

/// Waits until everybody gets this status. A change takes a second at most, and three where a
/// machine runs all the other tests at the same time.
async fn within_a_second(clients: &[Client], path: &str, status: u16) {
    let began = Instant::now();
    for client in clients {
        while client.get(path).await.status.as_u16() != status {
            assert!(began.elapsed() < Duration::from_secs(3), "{path} is not {status} yet");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[test]
fn two_processes_serve_one_directory_and_hear_of_every_change() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (a, b) = (Process::shared(&data), Process::shared(&data));
    let token = create_user(&data, "ana");
    Runtime::new().unwrap().block_on(async {
        let (at_a, at_b) = (Client::new(&a.url), Client::new(&b.url));
        let media = at_a.with_token(&token).upload(pictures::png(20, 20, false), "a.png").await;
        let path = format!("/api/v2/media/{}", media["id"].as_str().unwrap());
        at_b.get(&path).await.expect(StatusCode::OK);
        let file = path_of(&media["urls"]["thumb"]);
        let bytes = at_a.get(&file).await.expect(StatusCode::OK).body;
        assert_eq!(at_b.get(&file).await.expect(StatusCode::OK).body, bytes);

        let login = json!({ "login": "ana", "password": "correct horse" });
        let answer = at_a.post("/api/v2/session", login).await.expect(StatusCode::CREATED);
        let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
        let session = at_b.with_header("cookie", &cookie).get("/api/v2/session").await;
        assert_eq!(session.expect(StatusCode::OK).json()["user"]["username"], "ana");

        let tenants = beside(&data).await;
        let (id, new) = alice();
        let both = [a.at("alice.example"), b.at("alice.example")];
        let site = "/api/v2/site";
        // Both know by now that nobody has the name, and both answer for the default site.
        within_a_second(&both, site, 200).await;
        tenants
            .create(&BY(), NewTenant { suspended: Some("new".into()), ..new.clone() })
            .await
            .unwrap();
        within_a_second(&both, site, 403).await;
        tenants.resume(&BY(), &id).await.unwrap();
        within_a_second(&both, site, 200).await;
        let limits = serde_json::Map::from_iter([("max_bytes_served_month".to_owned(), json!(0))]);
        tenants.edit(&BY(), &id, TenantEdit { limits, ..TenantEdit::default() }).await.unwrap();
        tenants.suspend(&BY(), &id, "late").await.unwrap();
        within_a_second(&both, site, 403).await;
        tenants.delete(&BY(), &id).await.unwrap();
        within_a_second(&both, site, 410).await;
        tenants.resume(&BY(), &id).await.unwrap();
        within_a_second(&both, site, 200).await;

        // Removed, and another one made under the same id: nothing of the old one is shown.
        let old = tenants.get(&id).await.unwrap();
        let patch = |db: &vitrina::db::Write<vitrina::tenancy::Site>| {
            db.execute(
                "INSERT INTO settings (key, value, updated_at) VALUES ('name', '\"old\"', 0)",
                [],
            )
            .unwrap();
            Ok(())
        };
        old.write(patch).await.unwrap();
        drop(old);
        for client in &both {
            assert_eq!(client.get(site).await.json()["name"], "old");
        }
        tenants.purge(&BY(), &id).await.unwrap();
        tenants.create(&BY(), new).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        for client in &both {
            let shown = client.get(site).await.expect(StatusCode::OK).json();
            assert_eq!(shown["name"], "Vitrina", "{shown}");
        }
    });
}

#[test]
fn who_does_not_share_is_alone() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let refused = |more: &[&str]| {
        let serve = ["serve", "--listen", "127.0.0.1:0", "--operator-listen", "127.0.0.1:0"];
        let output = vitrina(&data).args(serve).args(more).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains("is using this data directory"), "{error}");
    };
    let shared = Process::shared(&data);
    refused(&[]);
    shared.stop();
    let alone = Process::start(&data, &[]);
    refused(&["--shared"]);
    refused(&[]);
    alone.stop();
    Process::shared(&data).stop();
}

#[test]
fn one_process_takes_over_from_another_and_no_request_fails() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let a = Process::shared(&data);
    let token = create_user(&data, "ana");
    let runtime = Runtime::new().unwrap();
    let address = Arc::new(Mutex::new(a.url.clone()));
    let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let moved: Arc<[AtomicBool; 6]> = Arc::default();
    let clients: Vec<_> = (0..6u64)
        .map(|n| {
            let (address, token) = (address.clone(), token.clone());
            let (stop, asked, moved) = (stop.clone(), asked.clone(), moved.clone());
            let first = a.url.clone();
            runtime.spawn(async move {
                for turn in 0u64.. {
                    if stop.load(Ordering::Relaxed) {
                        return turn;
                    }
                    // As a proxy does: the request goes to the process that is current now.
                    let url = address.lock().unwrap().clone();
                    moved[n as usize].store(url != first, Ordering::Relaxed);
                    let ana = Client::new(&url).with_token(&token);
                    if n < 4 {
                        ana.get("/api/v2/media").await.expect(StatusCode::OK);
                    } else {
                        let picture = pictures::photo_jpeg(60, 40, n * 1_000_000 + turn);
                        ana.upload(picture, "a.jpg").await;
                    }
                    asked.fetch_add(1, Ordering::Relaxed);
                }
                0
            })
        })
        .collect();
    let answered = |more: usize| {
        let (began, before) = (Instant::now(), asked.load(Ordering::Relaxed));
        while asked.load(Ordering::Relaxed) < before + more {
            assert!(began.elapsed() < Duration::from_secs(30), "the clients stand still");
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    answered(15);
    let b = Process::shared(&data);
    *address.lock().unwrap() = b.url.clone();
    let began = Instant::now();
    while !moved.iter().all(|moved| moved.load(Ordering::Relaxed)) {
        assert!(began.elapsed() < Duration::from_secs(10), "the clients do not move on");
        std::thread::sleep(Duration::from_millis(1));
    }
    a.stop();
    answered(15);
    stop.store(true, Ordering::Relaxed);
    let mut uploads = 0;
    for (n, client) in clients.into_iter().enumerate() {
        let turns = runtime.block_on(client).expect("no request fails");
        uploads += if n < 4 { 0 } else { turns };
    }
    assert!(uploads > 0);
    b.stop();
    let tenants = runtime.block_on(beside(&data));
    let main = runtime.block_on(tenants.get(&TenantId::main())).unwrap();
    let stats = runtime.block_on(main.read(vitrina::tenancy::usage::stats)).unwrap();
    assert_eq!(stats.amounts["files"], uploads);
    nothing_is_left(&data, uploads);
}

fn nothing_is_left(data: &Path, items: u64) {
    let files = files_under(&data.join("tenants/main/media"));
    assert_eq!(files.len() as u64, items * 3, "{files:?}");
    assert!(files_under(&data.join("tenants/main/incoming")).is_empty());
}

/// Uploads until the server is gone; what was acknowledged.
async fn upload_on(client: Client, seed: u64, until: Arc<AtomicBool>) -> Vec<Value> {
    let mut kept = Vec::new();
    for n in 0.. {
        if until.load(Ordering::Relaxed) {
            break;
        }
        let bytes = pictures::photo_jpeg(300, 200, seed + n);
        let part = multipart::Part::bytes(bytes).file_name("a.jpg");
        let form = multipart::Form::new().part("file", part);
        let request = client.request(reqwest::Method::POST, "/api/v2/media").multipart(form);
        let Ok(response) = request.send().await else { break };
        let Ok(media) = response.json::<Value>().await else { break };
        assert!(media["id"].is_string(), "{media}");
        kept.push(media);
    }
    kept
}

#[test]
fn one_that_is_killed_takes_nothing_of_the_other_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (a, b) = (Process::shared(&data), Process::shared(&data));
    let token = create_user(&data, "ana");
    let runtime = Runtime::new().unwrap();
    let (over, url_b) = (Arc::new(AtomicBool::new(false)), b.url.clone());
    let uploads: Vec<_> = [(&a.url, 3u64), (&b.url, 2)]
        .into_iter()
        .flat_map(|(url, n)| (0..n).map(move |i| (url.clone(), n * 1_000_000_000 + i * 1_000_000)))
        .map(|(url, seed)| {
            let client = Client::new(&url).with_token(&token);
            runtime.spawn(upload_on(client, seed, over.clone()))
        })
        .collect();
    std::thread::sleep(Duration::from_millis(1200));
    a.kill();
    std::thread::sleep(Duration::from_millis(500));
    let kept: Vec<Value> = runtime.block_on(async {
        let ana = Client::new(&url_b).with_token(&token);
        ana.upload(pictures::png(77, 7, false), "after.png").await;
        over.store(true, Ordering::Relaxed);
        let mut kept = Vec::new();
        for upload in uploads {
            kept.extend(upload.await.unwrap());
        }
        for media in &kept {
            let path = path_of(&media["urls"]["original"]);
            ana.get(&path).await.expect(StatusCode::OK);
        }
        kept
    });
    assert!(kept.len() > 3, "{}", kept.len());
    b.stop();
    // Alone again: whatever the killed one left is settled.
    let fresh = Process::shared(&data);
    runtime.block_on(async {
        let ana = Client::new(&fresh.url).with_token(&token);
        let (mut items, mut path) = (0, "/api/v2/media?limit=100".to_owned());
        loop {
            let page = ana.get(&path).await.expect(StatusCode::OK).json();
            items += page["items"].as_array().unwrap().len() as u64;
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/api/v2/media?limit=100&after={next}");
        }
        assert!(items > kept.len() as u64);
        nothing_is_left(&data, items);
    });
}
