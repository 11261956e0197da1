//! Sites are open while they are used, a bounded number of them; one that is broken fails alone;
//! and a site is made whole or not at all.

use crate::kit::{Client, TestServer, TestTenant, database, files_under, path_of, pictures};
use reqwest::{Method, StatusCode, multipart};
use serde_json::{Map, json};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use vitrina::{
    base::{Clock, Error},
    tenancy::{audit::By, lifecycle::TrialSpec, provision::NewTenant},
};

const BY: fn() -> By = By::command_line;

fn new(id: &str, hosts: &[&str]) -> NewTenant {
    let hostnames = hosts.iter().map(|h| (*h).to_owned()).collect();
    NewTenant { id: id.to_owned(), hostnames, ..NewTenant::default() }
}

/// How many files of sites' databases this process has open.
fn open_files(data: &Path) -> usize {
    let data = data.canonicalize().unwrap().join("tenants");
    let open = std::fs::read_dir("/proc/self/fd").unwrap();
    let targets = open.filter_map(|fd| std::fs::read_link(fd.ok()?.path()).ok());
    targets.filter(|t| t.starts_with(&data) && t.to_string_lossy().contains("site.sqlite")).count()
}

async fn many(server: &TestServer, count: usize) -> Vec<TestTenant> {
    let mut sites = Vec::new();
    for n in 0..count {
        sites.push(server.tenant(&format!("s{n}"), &format!("s{n}.example")).await);
    }
    sites
}

/// An upload whose second half comes later than its first.
async fn slow_upload(admin: Client, n: u32) -> StatusCode {
    let bytes = pictures::photo_jpeg(160, 120, u64::from(n));
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let (first, second) = (first.to_vec(), second.to_vec());
    let body = futures_util::stream::unfold(0, move |step| {
        let part = if step == 0 { first.clone() } else { second.clone() };
        async move {
            if step == 1 {
                tokio::time::sleep(Duration::from_millis(700)).await;
            }
            (step < 2).then_some((Ok::<_, std::io::Error>(part), step + 1))
        }
    });
    let part = multipart::Part::stream(reqwest::Body::wrap_stream(body)).file_name("slow.jpg");
    let form = multipart::Form::new().part("file", part);
    admin.send(admin.request(Method::POST, "/api/v2/media").multipart(form)).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn forty_sites_take_turns_in_four_places() {
    let server = TestServer::with(&[("open_tenants", "4")]).await;
    let sites = many(&server, 40).await;
    let (mut slow, mut admins) = (Vec::new(), Vec::new());
    for site in &sites[..2] {
        admins.push(site.admin().await);
    }
    let (done, most, files) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicUsize::new(0)),
    );
    let sampling = {
        let (done, most, files) = (done.clone(), most.clone(), files.clone());
        let (tenants, data) = (server.running.tenants.clone(), server.data());
        tokio::spawn(async move {
            while !done.load(Ordering::Relaxed) {
                most.fetch_max(tenants.open_count(), Ordering::Relaxed);
                files.fetch_max(open_files(&data), Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
    };
    for (n, admin) in admins.into_iter().enumerate() {
        slow.push(tokio::spawn(slow_upload(admin, n as u32)));
    }
    let guests: Arc<Vec<Client>> = Arc::new(sites.iter().map(TestTenant::guest).collect());
    let clients = (0..16usize).map(|client| {
        let guests = guests.clone();
        tokio::spawn(async move {
            for turn in 0..40 {
                let guest = &guests[(client * 7 + turn * 11) % guests.len()];
                let path = if turn % 4 == 0 { "/api/v2/media" } else { "/api/v2/site" };
                guest.get(path).await.expect(StatusCode::OK);
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
    for upload in slow {
        assert_eq!(upload.await.unwrap(), StatusCode::CREATED);
    }
    done.store(true, Ordering::Relaxed);
    sampling.await.unwrap();
    let (most, files) = (most.load(Ordering::Relaxed), files.load(Ordering::Relaxed));
    assert!((2..=4).contains(&most), "{most} were open");
    // A writer and four readers, each with a file and its log, and an index; and as many again
    // that are being closed.
    assert!(files <= 4 * 11 * 2, "{files} files");
    for site in &sites[..2] {
        assert_eq!((site.usage().await["files"], site.files().len()), (1, 3));
    }
}

#[tokio::test]
async fn a_broken_site_fails_alone() {
    let server = TestServer::with(&[("open_tenants", "4")]).await;
    let sites = many(&server, 4).await;
    let folders: Vec<_> = sites.iter().map(|site| site.folder().to_owned()).collect();
    let hosts: Vec<_> = sites.into_iter().map(|s| (s.id.to_string(), s.host)).collect();
    let mut server = server
        .restart_after(|_| {
            let garbage = b"this is no database".repeat(300);
            std::fs::write(folders[0].join("site.sqlite"), garbage).unwrap();
            let newer = database(&folders[1].join("site.sqlite"));
            newer.pragma_update(None, "user_version", 999).unwrap();
            std::fs::remove_dir_all(&folders[2]).unwrap();
            // Uploads that were cut short there must not keep the server from starting.
            std::fs::create_dir_all(folders[0].join("incoming/x")).unwrap();
        })
        .await;
    for start in 0..2 {
        if start == 1 {
            server = server.restart().await;
        }
        for (n, statuses) in [(0, [500, 500]), (1, [409, 500]), (2, [500, 500])] {
            let guest = server.existing(&hosts[n].0, &hosts[n].1).guest();
            let answer = guest.get("/api/v2/site").await;
            assert!(statuses.contains(&answer.status.as_u16()), "{n}: {}", answer.text());
            assert_eq!(answer.header("content-type"), "application/problem+json");
            assert!(!answer.text().contains(server.data().to_str().unwrap()), "{}", answer.text());
            assert!(guest.get("/").await.status.as_u16() >= 400);
        }
        let sound = server.existing("s3", "s3.example").guest();
        sound.get("/api/v2/site").await.expect(StatusCode::OK);
        vitrina::worker::visit_due(&server.running.tenants).await.unwrap();
        sound.get("/api/v2/site").await.expect(StatusCode::OK);
    }
    assert!(!folders[2].join("site.sqlite").exists(), "nothing is made up for what is lost");
}

#[tokio::test]
async fn a_site_that_nobody_uses_is_closed() {
    let server = TestServer::start().await;
    let sites = many(&server, 3).await;
    let tenants = &server.running.tenants;
    // Housekeeping may be at work in one of them.
    for _ in 0..200 {
        tenants.close_unused(Duration::ZERO).await;
        if (tenants.open_count(), open_files(&server.data())) == (0, 0) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!((tenants.open_count(), open_files(&server.data())), (0, 0));

    // Unless the server's own housekeeping comes by at the same moment.
    let mut open = usize::MAX;
    for _ in 0..5 {
        for site in &sites {
            tenants.visit_soon(&site.id).await.unwrap();
        }
        vitrina::worker::visit_due(tenants).await.unwrap();
        open = open.min(tenants.open_count());
        tenants.close_unused(Duration::ZERO).await;
    }
    assert_eq!(open, 0, "a visit leaves a site closed that was");

    sites[0].guest().get("/api/v2/site").await.expect(StatusCode::OK);
    tenants.close_unused(Duration::from_secs(60)).await;
    assert_eq!(tenants.open_count(), 1, "one that is in use stays open");
}

#[tokio::test]
async fn what_was_handed_out_is_known_after_a_site_was_closed() {
    let server = TestServer::with(&[("open_tenants", "1")]).await;
    let sites = many(&server, 3).await;
    let media = sites[0].admin().await.upload(pictures::png(30, 20, false), "a.png").await;
    let (size, file) = (media["bytes"].as_u64().unwrap(), path_of(&media["urls"]["original"]));
    for _ in 0..3 {
        sites[0].guest().get(&file).await.expect(StatusCode::OK);
        for other in &sites[1..] {
            other.guest().get("/api/v2/site").await.expect(StatusCode::OK);
        }
        assert_eq!(server.running.tenants.open_count(), 1);
    }
    assert_eq!(sites[0].usage().await["bytes_served_month"], 3 * size);
    sites[0].guest().get(&file).await.expect(StatusCode::OK);
    let server = server.restart().await;
    let site = server.existing("s0", "s0.example");
    assert_eq!(site.usage().await["bytes_served_month"], 4 * size);
}

#[tokio::test]
async fn bad_input_is_named_and_leaves_nothing() {
    let server = TestServer::start().await;
    server.tenant("alice", "alice.example").await;
    let tenants = &server.running.tenants;
    let limits = |name: &str, value| Map::from_iter([(name.to_owned(), value)]);
    let base = || new("bob", &["bob.example"]);
    let cases = [
        (new("Bob", &[]), "id"),
        (new("", &[]), "id"),
        (new("..", &[]), "id"),
        (new("seventeen-letters", &[]), "id"),
        (new("bob", &["bob example"]), "hostnames"),
        (new("bob", &["bob.example", "http://x"]), "hostnames"),
        (NewTenant { plan: Some("none".into()), ..base() }, "plan"),
        (NewTenant { limits: limits("max_files", json!(-1)), ..base() }, "limits"),
        (NewTenant { limits: limits("max_dreams", json!(1)), ..base() }, "limits"),
        (NewTenant { features: limits("api", json!("on")), ..base() }, "features"),
        (NewTenant { trial: Some(TrialSpec::default()), ..base() }, "trial"),
        (NewTenant { name: Some("x".repeat(1000)), ..base() }, "name"),
    ];
    for (new, wrong) in cases {
        match tenants.create(&BY(), new.clone()).await {
            Err(Error::Invalid { field, .. }) => assert_eq!(field, wrong, "{new:?}"),
            other => panic!("{new:?}: {other:?}"),
        }
    }
    let ends_at = Some(Clock::now().plus_days(1));
    let trial = Some(TrialSpec { ends_at, ..TrialSpec::default() });
    for (new, wrong) in [
        (new("alice", &[]), "tenant_exists"),
        (NewTenant { trial, ..new("bob", &["bob.example", "Alice.example."]) }, "hostname_taken"),
    ] {
        match tenants.create(&BY(), new).await {
            Err(Error::Conflict { code, .. }) => assert_eq!(code, wrong),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(tenants.ids().await.unwrap().len(), 2);
    assert_eq!(folders(&server), ["alice", "main"]);
    assert!(!tenants.host_pairs().await.unwrap().iter().any(|(host, _)| host == "bob.example"));
}

fn folders(server: &TestServer) -> Vec<String> {
    let entries = std::fs::read_dir(server.data().join("tenants")).unwrap();
    let mut names: Vec<_> =
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_crashes_left_is_settled_at_the_next_start() {
    let server = TestServer::start().await;
    let alice = server.tenant("alice", "alice.example").await;
    let folder = server.data().join("tenants");
    let make = |name: &str, files: &[&str]| {
        std::fs::create_dir_all(folder.join(name).join("media")).unwrap();
        for file in files {
            std::fs::write(folder.join(name).join(file), b"x").unwrap();
        }
    };
    make(".making-bob-abc", &[".unconfirmed", "site.sqlite"]);
    make(".making-eve-abc", &[]);
    // Without a marker, and too old for somebody who is about to write one.
    let unmarked = std::fs::File::open(folder.join(".making-eve-abc")).unwrap();
    unmarked.set_modified(std::time::UNIX_EPOCH).unwrap();
    make(".deleted-bob-abc", &["site.sqlite", "media/a.png"]);
    make("bob", &[".unconfirmed", "site.sqlite"]);
    make("stranger", &["site.sqlite"]);
    // Its row was committed, and the crash came before the marker went.
    std::fs::write(alice.folder().join(".unconfirmed"), b"").unwrap();
    // Somebody makes a site at this very moment, in another process.
    make(".making-live-abc", &[".unconfirmed"]);
    let held = std::fs::File::open(folder.join(".making-live-abc/.unconfirmed")).unwrap();
    held.lock().unwrap();
    let server = server.restart().await;
    assert_eq!(folders(&server), [".making-live-abc", "alice", "main", "stranger"]);
    assert!(!server.data().join("tenants/alice/.unconfirmed").exists());
    let alice = server.existing("alice", "alice.example");
    alice.guest().get("/api/v2/site").await.expect(StatusCode::OK);
    // A folder that belongs to no site is nobody's to overwrite.
    match server.running.tenants.create(&BY(), new("stranger", &[])).await {
        Err(Error::Conflict { code, .. }) => assert_eq!(code, "folder_exists"),
        other => panic!("{other:?}"),
    }
    server.tenant("bob", "bob.example").await.guest().get("/").await;
    assert!(files_under(&server.data().join("tenants/bob/media")).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_thirty_equal_sites_one_is_made() {
    let server = TestServer::start().await;
    let race = async |make: fn(usize) -> NewTenant, code: &str| {
        let tasks: Vec<_> = (0..30)
            .map(|n| {
                let tenants = server.running.tenants.clone();
                tokio::spawn(async move { tenants.create(&BY(), make(n)).await })
            })
            .collect();
        let mut won = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                Ok(record) => won.push(record.id),
                Err(Error::Conflict { code: found, .. }) => assert_eq!(found, code),
                Err(error) => panic!("{}", error.in_full()),
            }
        }
        assert_eq!(won.len(), 1, "{won:?}");
        won.remove(0)
    };
    race(|n| new("alice", &[&format!("a{n}.example")]), "tenant_exists").await;
    let winner = race(|n| new(&format!("b{n}"), &["shop.example"]), "hostname_taken").await;
    let mut expected = vec!["alice".to_owned(), "main".to_owned(), winner.clone()];
    expected.sort();
    assert_eq!(folders(&server), expected);
    let pairs = server.running.tenants.host_pairs().await.unwrap();
    assert_eq!(pairs.len(), 2, "{pairs:?}");
    let site = server.existing(&winner, "shop.example");
    site.guest().get("/api/v2/site").await.expect(StatusCode::OK);
    assert!(!site.folder().join(".unconfirmed").exists());
}
