//! Items that move between storages, copies of sites that have some elsewhere, and being killed
//! on the way.

use crate::{
    cli::{Serving, create_user},
    kit::{
        Client, path_of, pictures,
        s3::{Fault, S3},
    },
    storages::{at, server, with_s3},
};
use poem::{Request, Server, endpoint::make, listener::TcpAcceptor};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};
use tokio::sync::mpsc;
use vitrina::accounts::Role;

const STORAGES: &str = "/api/v2/storages";

/// Waits until a job is over, and says how it went.
pub(crate) async fn ended(ana: &Client, job: &Value) -> Value {
    let path = format!("/api/v2/jobs/{}", job["id"].as_str().unwrap());
    for _ in 0..600 {
        let job = ana.get(&path).await.expect(StatusCode::OK).json();
        let state = job["state"].as_str().unwrap();
        if !matches!(state, "waiting" | "running") || job["last_error"].is_string() {
            return job;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the job does not end");
}

pub(crate) async fn all(ana: &Client) -> BTreeMap<String, Value> {
    let all = ana.get(STORAGES).await.expect(StatusCode::OK).json();
    let all = all["items"].as_array().unwrap().clone();
    all.into_iter().map(|one| (one["name"].as_str().unwrap().to_owned(), one)).collect()
}

pub(crate) async fn migrate(ana: &Client, from: &str, to: &str) -> Value {
    let all = all(ana).await;
    let path = format!("{}/migration", at(&all[from]));
    let started = ana.post(&path, json!({ "to": all[to]["id"] })).await;
    ended(ana, &started.expect(StatusCode::ACCEPTED).json()).await
}

/// Every file that an item's addresses lead to.
pub(crate) async fn files(client: &Client, items: &[Value]) -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    for item in items {
        for kind in ["original", "medium", "thumb"] {
            let answer = client.get(&path_of(&item["urls"][kind])).await;
            files.push(answer.expect(StatusCode::OK).body);
        }
    }
    files
}

async fn some_items(ana: &Client, bob: &Client) -> Vec<Value> {
    let same = pictures::photo_jpeg(700, 500, 1);
    vec![
        ana.upload(same.clone(), "one.jpg").await,
        bob.upload(same, "the same.jpg").await,
        ana.upload(pictures::photo_jpeg(640, 480, 2), "two.jpg").await,
        ana.upload(pictures::plain_png(100, 80, [1, 2, 3]), "three.png").await,
    ]
}

#[tokio::test]
async fn items_move_there_and_back() {
    let (server, ana) = server().await;
    let bob = server.person("bob", Role::User).await;
    let items = some_items(&ana, &bob).await;
    let before = files(&server.guest(), &items).await;
    let s3 = S3::start().await;
    for name in ["a", "b"] {
        let mut wanted = s3.storage(name, name);
        wanted["priority"] = json!(200);
        ana.post(STORAGES, wanted).await.expect(StatusCode::CREATED);
    }
    for (from, to) in [("This server", "a"), ("a", "b"), ("b", "a"), ("a", "This server")] {
        let job = migrate(&ana, from, to).await;
        assert_eq!((&job["state"], &job["done"]), (&json!("done"), &json!(4)), "{job}");
        assert_eq!(files(&server.guest(), &items).await, before, "{from} to {to}");
        let all = all(&ana).await;
        assert_eq!((&all[from]["items"], &all[from]["bytes"]), (&json!(0), &json!(0)));
        assert_eq!(all[to]["items"], 4);
        let prefix = format!("{to}/");
        let is_at_s3 = to != "This server";
        assert_eq!(server.stored_files() == 0, is_at_s3, "{to}");
        assert!(s3.keys().iter().all(|key| key.starts_with(&prefix)), "{:?}", s3.keys());
        assert_eq!(s3.keys().is_empty(), !is_at_s3);
    }
    assert_eq!(server.stored_originals("jpg"), 2, "the same bytes are kept once");
    assert_eq!(server.leftovers(), 0);
}

#[tokio::test]
async fn what_cannot_be_moved_stays_where_it_is() {
    let (server, ana) = server().await;
    let bob = server.person("bob", Role::User).await;
    let items = some_items(&ana, &bob).await;
    let before = files(&server.guest(), &items).await;
    let s3 = S3::start().await;
    let mut wanted = s3.storage("a", "");
    wanted["priority"] = json!(200);
    ana.post(STORAGES, wanted).await.expect(StatusCode::CREATED);
    // It takes everything, and gives back something else or nothing.
    for fault in [Fault::Truncated, Fault::Status(500)] {
        s3.fail(move |method, path| {
            (method == Method::GET && path.contains("two")).then_some(fault)
        });
        let job = migrate(&ana, "This server", "a").await;
        assert!(job["last_error"].is_string(), "{job}");
        let all = all(&ana).await;
        assert_eq!((&all["This server"]["items"], &all["a"]["items"]), (&json!(1), &json!(3)));
        s3.heal();
        assert_eq!(files(&server.guest(), &items).await, before);
        let path = format!("/api/v2/jobs/{}/cancellation", job["id"].as_str().unwrap());
        ana.post(&path, json!({})).await;
    }
    server.make_removals_due();
    server.look_after_now().await;
    assert!(!s3.keys().iter().any(|key| key.contains("two")), "{:?}", s3.keys());
    let job = migrate(&ana, "This server", "a").await;
    assert_eq!(job["state"], "done", "{job}");
    let to_itself = format!("{}/migration", at(&all(&ana).await["a"]));
    let itself = json!({ "to": all(&ana).await["a"]["id"] });
    ana.post(&to_itself, itself).await.problem(422, "invalid");
}

/// A web server that is told things, and what it was told.
pub(crate) async fn listener() -> (String, mpsc::UnboundedReceiver<Value>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (tell, told) = mpsc::unbounded_channel();
    let answer = make(move |mut request: Request| {
        let tell = tell.clone();
        async move {
            let body = request.take_body().into_vec().await?;
            tell.send(serde_json::from_slice(&body).unwrap()).unwrap();
            Ok::<_, poem::Error>("thanks")
        }
    });
    let acceptor = TcpAcceptor::from_tokio(listener).unwrap();
    tokio::spawn(Server::new_with_acceptor(acceptor).run(answer));
    (url, told)
}

#[tokio::test]
async fn whoever_keeps_copies_is_told_what_is_gone() {
    let (_server, ana, s3, storage) = with_s3().await;
    let (told, mut heard) = listener().await;
    let settings = json!({ "delivery": "public", "public_url": "https://cdn.example.org",
        "purge_url": told });
    ana.patch(&at(&storage), settings).await.expect(StatusCode::OK);
    let media = ana.upload(pictures::photo_jpeg(300, 200, 1), "a.jpg").await;
    let keys = s3.keys();
    let item = format!("/api/v2/media/{}", media["id"].as_str().unwrap());
    ana.patch(&item, json!({ "visibility": "unlisted" })).await.expect(StatusCode::OK);
    let heard = heard.recv().await.unwrap();
    let mut urls: Vec<String> = serde_json::from_value(heard["urls"].clone()).unwrap();
    urls.sort();
    let expected = keys.iter().map(|key| format!("https://cdn.example.org/{key}"));
    assert_eq!(urls, expected.collect::<Vec<_>>());
}

#[test]
fn killing_the_server_while_it_moves_and_removes_loses_nothing() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (data, drive) = (dir.path().join("data"), dir.path().join("drive"));
    std::fs::create_dir(&drive).unwrap();
    let token = create_user(&data, "ana");
    let start = || {
        let drive = drive.to_str().unwrap();
        Serving::start_set(&data, &[("VITRINA_STORAGE_FOLDERS", drive)])
    };
    let server = start();
    let url = server.url.clone();
    let client = move |url: &str| Client::new(url).with_token(&token);
    let (items, before) = runtime.block_on(async {
        let ana = client(&url);
        let mut items = Vec::new();
        for n in 0..30 {
            items.push(ana.upload(pictures::photo_jpeg(400, 300, n), "a.jpg").await);
        }
        let disk = json!({ "name": "Drive", "kind": "disk", "priority": 200,
            "place": { "folder": drive } });
        ana.post(STORAGES, disk).await.expect(StatusCode::CREATED);
        (items.clone(), files(&ana, &items).await)
    });
    let mut server = Some(server);
    let (mut from, mut to) = ("This server", "Drive");
    for round in 0..6 {
        let running = server.take().unwrap_or_else(start);
        runtime.block_on(async {
            let ana = client(&running.url);
            let all = all(&ana).await;
            let path = format!("{}/migration", at(&all[from]));
            let body = json!({ "to": all[to]["id"] });
            ana.post(&path, body).await.expect(StatusCode::ACCEPTED);
            tokio::time::sleep(Duration::from_millis(40 + 90 * round)).await;
        });
        drop(running); // Killed.
        if round % 2 == 1 {
            (from, to) = (to, from);
        }
    }
    let running = start();
    runtime.block_on(async {
        let ana = client(&running.url);
        // Waits for what the last ones began, either way.
        migrate(&ana, "This server", "Drive").await;
        let job = migrate(&ana, "Drive", "This server").await;
        assert_eq!(job["state"], "done", "{job}");
        migrate(&ana, "This server", "Drive").await;
        assert_eq!(files(&ana, &items).await, before);
        let all = all(&ana).await;
        assert_eq!((&all["This server"]["items"], &all["Drive"]["items"]), (&json!(0), &json!(30)));
        let left = || crate::kit::files_under(&data.join("tenants/main/media")).len();
        for _ in 0..200 {
            if left() == 0 && crate::kit::files_under(&drive).len() == 90 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let there = crate::kit::files_under(&drive);
        assert_eq!((left(), there.len()), (0, 90), "{there:#?}");
        assert!(crate::kit::files_under(&data.join("tenants/main/incoming")).is_empty());
    });
}
