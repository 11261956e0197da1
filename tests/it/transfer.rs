//! Whole sites: saved, made again, doubled and written out, and compared byte by byte.

use crate::kit::{Client, TestServer, files_under, pictures};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use vitrina::{
    accounts::Role,
    base::{Error, ids::TenantId, secret::Key},
    tenancy::{Tenants, audit::By, plan::PlanEdit, usage},
    transfer::{Listener, backup, clone, export, restore},
};

pub(crate) fn id(text: &str) -> TenantId {
    TenantId::parse(text).unwrap()
}

/// Some of everything: kinds of files, people, settings, a private item, tags, one in the trash.
pub(crate) async fn furnish(ana: &Client, bob: &Client) -> Value {
    ana.upload_with(pictures::photo_jpeg(400, 300, 1), "a.jpg", &[("tags", "sea,sun")]).await;
    ana.upload(pictures::png(64, 48, true), "b.png").await;
    bob.upload(pictures::gif(3), "c.gif").await;
    let trashed = bob.upload(pictures::photo_jpeg(120, 90, 2), "d.jpg").await;
    bob.delete(&format!("/api/v2/media/{}", trashed["id"].as_str().unwrap())).await;
    ana.patch("/api/v2/site/settings", json!({ "name": "Harbour", "medium_side": 900 })).await;
    let fields = [("visibility", "private"), ("title", "Mine")];
    bob.upload_with(pictures::photo_jpeg(90, 60, 3), "e.jpg", &fields)
        .await
        .expect(StatusCode::CREATED)
        .json()
}

/// Every row of every table, those apart that belong to one place or moment.
pub(crate) fn rows(database: &Path) -> BTreeMap<String, Vec<String>> {
    let db =
        rusqlite::Connection::open_with_flags(database, rusqlite::OpenFlags::default()).unwrap();
    let mut tables =
        db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").unwrap();
    let names: Vec<String> =
        tables.query_map([], |r| r.get(0)).unwrap().map(Result::unwrap).collect();
    let passing = ["sessions", "login_links", "holds", "purges", "schema_steps", "setup"];
    let lasting = names.into_iter().filter(|name| !passing.contains(&&**name));
    lasting
        .map(|name| {
            let mut all = db.prepare(&format!("SELECT * FROM {name} ORDER BY 1, 2")).unwrap();
            let columns = all.column_count();
            let row = |r: &rusqlite::Row| {
                let values = (0..columns).map(|n| format!("{:?}", r.get_ref(n).unwrap()));
                Ok(values.collect::<Vec<_>>().join("|"))
            };
            (name, all.query_map([], row).unwrap().map(Result::unwrap).collect())
        })
        .collect()
}

/// Every file below a folder with its bytes.
pub(crate) fn bytes(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = files_under(folder).into_iter();
    files
        .map(|f| (f.strip_prefix(folder).unwrap().to_owned(), std::fs::read(&f).unwrap()))
        .collect()
}

fn assert_same(data: &Path, one: &str, other: &str) {
    let of = |id: &str| data.join("tenants").join(id);
    assert_eq!(rows(&of(one).join("site.sqlite")), rows(&of(other).join("site.sqlite")));
    assert_eq!(bytes(&of(one).join("media")), bytes(&of(other).join("media")));
}

/// Fetches every file of every item that the person may see, and says how many items there are.
async fn fetch_all(person: &Client) -> usize {
    let mut items = Vec::new();
    for owner in ["owner=me&", ""] {
        let list = format!("/api/v2/media?{owner}limit=100");
        let page = person.get(&list).await.expect(StatusCode::OK).json();
        items.extend(page["items"].as_array().unwrap().clone());
    }
    for item in &items {
        for url in item["urls"].as_object().unwrap().values().filter_map(Value::as_str) {
            let Some(at) = url.find("/f/") else { continue };
            let bytes = person.get(&url[at..]).await.expect(StatusCode::OK).body;
            assert!(!bytes.is_empty());
        }
    }
    items.len()
}

async fn take(tenants: &Tenants, to: &Path) -> backup::Report {
    let (by, none) = (By::command_line(), Listener::none());
    backup::backup(tenants, &by, &id("main"), to, false, &none).await.unwrap()
}

async fn make(tenants: &Tenants, from: &Path, as_id: &str, host: &str) -> restore::Report {
    let order = restore::Order { id: as_id.into(), hostnames: vec![host.into()], source_key: None };
    let (by, none) = (By::command_line(), Listener::none());
    restore::restore(tenants, &by, from, order, &none).await.unwrap()
}

#[tokio::test]
async fn a_restored_site_is_the_same_in_every_row_and_byte() {
    let server = TestServer::start().await;
    let (ana, bob) = (server.admin().await, server.person("bob", Role::User).await);
    let private = furnish(&ana, &bob).await;
    let tenants = &server.running.tenants;
    let file = server.data().join("main.tar");
    let taken = take(tenants, &file).await;
    let checked = backup::verify(&file, &Listener::none()).await.unwrap();
    assert_eq!((checked.sha256, checked.files), (taken.sha256, taken.files));
    let made = make(tenants, &file, "copy", "copy.example").await;
    assert!(made.signed_addresses_kept && made.files == taken.files, "{made:?}");
    assert_same(&server.data(), "main", "copy");

    let at_copy = |client: &Client| client.with_header("host", "copy.example");
    assert_eq!(fetch_all(&at_copy(&ana)).await, fetch_all(&ana).await);
    let site = at_copy(&server.guest()).get("/api/v2/site").await.json();
    assert_eq!(site["name"], "Harbour");
    let login = json!({ "login": "bob", "password": "correct horse" });
    let signed_in = at_copy(&server.guest()).post("/api/v2/session", login).await;
    signed_in.expect(StatusCode::CREATED);
    let signing = format!("/api/v2/media/{}/signed-url", private["id"].as_str().unwrap());
    let signed = bob.post(&signing, json!({ "variant": "original" })).await.json();
    let url = signed["url"].as_str().unwrap();
    let path = &url[url.find("/f/").unwrap()..];
    at_copy(&server.guest()).get(path).await.expect(StatusCode::OK);

    // What happens in one of them is nothing to the other.
    at_copy(&ana).upload(pictures::png(32, 32, false), "more.png").await;
    assert_ne!(fetch_all(&at_copy(&ana)).await, fetch_all(&ana).await);

    let by = By::command_line();
    let hosts = vec!["twin.example".to_owned()];
    clone::clone(tenants, &by, &id("main"), "twin", hosts, &Listener::none()).await.unwrap();
    assert_same(&server.data(), "main", "twin");
    let twin = server.guest().with_header("host", "twin.example");
    twin.get(path).await.problem(403, "bad_signature");
    let folders = std::fs::read_dir(server.data().join("tenants")).unwrap();
    let mut folders: Vec<_> = folders.map(|f| f.unwrap().file_name()).collect();
    folders.sort();
    assert_eq!(folders, ["copy", "main", "twin"]);
}

#[tokio::test]
async fn a_backup_is_sound_while_people_upload_and_delete() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let is_over = AtomicBool::new(false);
    let busy = async {
        let mut last: Option<String> = None;
        for n in 0.. {
            let media = ana.upload(pictures::photo_jpeg(200, 150, n), "x.jpg").await;
            if let Some(id) = last.take().filter(|_| n % 2 == 0) {
                let path = format!("/api/v2/media/{id}?permanent=true");
                ana.delete(&path).await.expect(StatusCode::NO_CONTENT);
            }
            last = media["id"].as_str().map(str::to_owned);
            if is_over.load(Ordering::Relaxed) {
                break;
            }
        }
    };
    let saving = async {
        for n in 0..3 {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let file = server.data().join(format!("{n}.tar"));
            take(&server.running.tenants, &file).await;
            let host = format!("s{n}.example");
            // It checks that every file that a row names is there.
            make(&server.running.tenants, &file, &format!("s{n}"), &host).await;
            fetch_all(&ana.with_header("host", &host)).await;
        }
        is_over.store(true, Ordering::Relaxed);
    };
    tokio::join!(busy, saving);
}

#[tokio::test]
async fn bytes_that_are_being_copied_stay_until_the_copy_is_done() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let doomed = ana.upload(pictures::photo_jpeg(300, 200, 1), "a.jpg").await;
    let doomed = format!("/api/v2/media/{}?permanent=true", doomed["id"].as_str().unwrap());
    let (tenants, file) = (server.running.tenants.clone(), server.data().join("main.tar"));
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let (began, mut has_begun) = tokio::sync::mpsc::unbounded_channel();
    let wait = std::sync::Mutex::new(wait);
    let listener = Listener::new(move |p| {
        if began.send(p.files).is_ok() {
            let _ = wait.lock().unwrap().recv_timeout(Duration::from_secs(5));
        }
        true
    });
    let saving = tokio::spawn(async move {
        let by = By::command_line();
        backup::backup(&tenants, &by, &id("main"), &file, false, &listener).await.unwrap()
    });
    has_begun.recv().await.unwrap();
    let before = server.stored_files();
    ana.delete(&doomed).await.expect(StatusCode::NO_CONTENT);
    vitrina::worker::visit_due(&server.running.tenants).await.unwrap();
    assert_eq!(server.stored_files(), before);
    has_begun.close();
    go_on.send(()).unwrap();
    drop(go_on);
    assert_eq!(saving.await.unwrap().files, 2 + before as u64);
    for _ in 0..100 {
        if server.stored_files() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(server.stored_files(), 0);
    let main = server.running.tenants.get(&id("main")).await.unwrap();
    assert!(main.read(usage::held).await.unwrap().is_none());
}

#[tokio::test]
async fn what_is_wrong_with_a_backup_leaves_nothing() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    ana.upload(pictures::photo_jpeg(300, 200, 1), "a.jpg").await;
    let (tenants, dir) = (&server.running.tenants, server.data());
    take(tenants, &dir.join("good.tar")).await;
    let good = std::fs::read(dir.join("good.tar")).unwrap();
    let (by, none) = (By::command_line(), Listener::none());
    let try_it = async |bytes: &[u8], key: Option<Key>| {
        std::fs::write(dir.join("bad.tar"), bytes).unwrap();
        let order = restore::Order { id: "bad".into(), source_key: key, ..Default::default() };
        let failed = restore::restore(tenants, &by, &dir.join("bad.tar"), order, &none).await;
        let tenants_dir = std::fs::read_dir(dir.join("tenants")).unwrap();
        assert_eq!(tenants_dir.count(), 1);
        failed.unwrap_err()
    };
    for at in [1600, good.len() / 2, good.len() - 3000] {
        let mut flipped = good.clone();
        flipped[at] ^= 1;
        let error = try_it(&flipped, None).await;
        assert!(matches!(error, Error::Rejected { code: "bad_archive", .. }), "{at}: {error}");
    }
    for length in [0, 700, good.len() / 2, good.len() - 1024] {
        let error = try_it(&good[..length], None).await;
        assert!(matches!(error, Error::Rejected { code: "bad_archive", .. }), "{error}");
    }
    let error = try_it(&good, Some(Key::new([1; 32]))).await;
    assert!(matches!(error, Error::Conflict { code: "wrong_key", .. }), "{error}");
    let (main, file) = (id("main"), dir.join("good.tar"));
    let again = backup::backup(tenants, &by, &main, &file, false, &none).await;
    assert!(matches!(again, Err(Error::Conflict { code: "archive_exists", .. })));
}

#[tokio::test]
async fn another_appliance_makes_a_site_of_it_with_or_without_the_key() {
    let (server, other) = (TestServer::start().await, TestServer::start().await);
    let ana = server.admin().await;
    ana.upload(pictures::photo_jpeg(300, 200, 1), "a.jpg").await;
    let (by, none) = (By::command_line(), Listener::none());
    let tenants = &server.running.tenants;
    let limits = json!({ "max_files": 7, "max_users": 3 }).as_object().unwrap().clone();
    tenants.create_plan(&by, "small", PlanEdit { limits, ..PlanEdit::default() }).await.unwrap();
    let edit = vitrina::tenancy::lifecycle::TenantEdit {
        plan: Some(Some("small".into())),
        limits: json!({ "max_users": 9 }).as_object().unwrap().clone(),
        ..Default::default()
    };
    tenants.edit(&by, &id("main"), edit).await.unwrap();
    tenants.add_hostname(&by, &id("main"), "harbour.example", true).await.unwrap();
    let extra = json!({ "customer": "c1" }).as_object().unwrap().clone();
    tenants.set_extra(&id("main"), &extra).await.unwrap();
    let file = server.data().join("main.tar");
    take(tenants, &file).await;
    let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
    assert!(!text.contains("customer"), "secrets are sealed");

    let key =
        Key::new(std::fs::read(server.data().join("secret.key")).unwrap().try_into().unwrap());
    let there = &other.running.tenants;
    for (name, source_key) in [("without", None), ("with", Some(key))] {
        let is_with = source_key.is_some();
        let order = restore::Order { id: name.into(), source_key, ..Default::default() };
        let made = restore::restore(there, &by, &file, order, &none).await.unwrap();
        assert_eq!(made.signed_addresses_kept, is_with);
        assert_eq!(made.plan_missing.as_deref(), Some("small"));
        // The first one has the name by then.
        let expected = if is_with { &made.hostnames_taken } else { &made.hostnames };
        assert_eq!(expected, &["harbour.example"]);
        let record = there.record(&id(name)).await.unwrap();
        assert_eq!(Value::from(record.own.limits_json()), json!({"max_files": 7, "max_users": 9}));
        assert_eq!(there.extra(&id(name)).await.unwrap().is_empty(), !is_with);
    }
}

#[tokio::test]
async fn an_export_can_be_read_without_the_product() {
    let server = TestServer::start().await;
    let (ana, bob) = (server.admin().await, server.person("bob", Role::User).await);
    furnish(&ana, &bob).await;
    let (tenants, by, none) = (&server.running.tenants, By::command_line(), Listener::none());
    let (folder, file) = (server.data().join("out"), server.data().join("out.tar"));
    for to in [&folder, &file] {
        let report = export::export(tenants, &by, &id("main"), to, &none).await.unwrap();
        assert_eq!(report.media, 5);
        let again = export::export(tenants, &by, &id("main"), to, &none).await;
        assert!(matches!(again, Err(Error::Conflict { code: "export_exists", .. })));
    }
    let json = |name: &str| -> Value {
        serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
    };
    assert_eq!(json("site.json")["id"], "main");
    assert_eq!(json("settings.json")["name"], "Harbour");
    let users = json("users.json");
    assert_eq!(users.as_array().unwrap().len(), 2);
    assert!(!users.to_string().contains("argon2"));
    let media = json("media.json");
    assert_eq!(media[0]["tags"], json!(["sea", "sun"]));
    assert!(media.as_array().unwrap().iter().any(|m| m["trashed_at"].is_string()));
    for item in media.as_array().unwrap() {
        let original = std::fs::read(folder.join(item["original"].as_str().unwrap())).unwrap();
        assert_eq!(item["bytes"], original.len());
    }
    let check = |dir: &Path| {
        let sums = std::process::Command::new("sha256sum")
            .args(["--check", "--strict", "--quiet", "SHA256SUMS"])
            .current_dir(dir)
            .status();
        assert!(sums.unwrap().success());
        let listed = std::fs::read_to_string(dir.join("SHA256SUMS")).unwrap().lines().count();
        assert_eq!(listed + 1, files_under(dir).len());
    };
    check(&folder);
    let unpacked = server.data().join("unpacked");
    tar::Archive::new(std::fs::File::open(&file).unwrap()).unpack(&unpacked).unwrap();
    check(&unpacked);
    assert_eq!(files_under(&unpacked).len(), files_under(&folder).len());
}
