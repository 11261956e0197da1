//! Storages: set up, filled, read from, failing, and let go.

use crate::kit::{
    Answer, Client, TestServer, path_of, pictures,
    s3::{BUCKET, Fault, S3, SECRET},
};
use poem::http::Method;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;

const STORAGES: &str = "/api/v2/storages";

pub(crate) async fn server() -> (TestServer, Client) {
    server_with(&[]).await
}

/// A server that may reach this machine, with more settings of the process.
pub(crate) async fn server_with(more: &[(&str, &str)]) -> (TestServer, Client) {
    let here = "127.0.0.0/8";
    let settings = [&[("storage_allow", here), ("fetch_allow", here)], more].concat();
    let server = TestServer::with(&settings).await;
    let ana = server.admin().await;
    (server, ana)
}

/// A server whose new items go to an S3 server.
pub(crate) async fn with_s3() -> (TestServer, Client, S3, Value) {
    let (server, ana) = server().await;
    let s3 = S3::start().await;
    let made = ana.post(STORAGES, s3.storage("Bucket", "")).await.expect(StatusCode::CREATED);
    let made = made.json();
    (server, ana, s3, made)
}

pub(crate) fn at(storage: &Value) -> String {
    format!("{STORAGES}/{}", storage["id"].as_str().unwrap())
}

fn plain(width: u32, height: u32, seed: u8) -> Vec<u8> {
    pictures::plain_png(width, height, [seed, 100, 200])
}

/// A picture that no codec makes small.
fn noise(width: u32, height: u32) -> Vec<u8> {
    let mut state = 1u32;
    let picture = image::RgbImage::from_fn(width, height, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [_, r, g, b] = state.to_le_bytes();
        image::Rgb([r, g, b])
    });
    let mut file = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut file, image::ImageFormat::Png).unwrap();
    file.into_inner()
}

async fn original(client: &Client, media: &Value) -> Answer {
    client.get(&path_of(&media["urls"]["original"])).await
}

async fn local(ana: &Client) -> Value {
    let all = ana.get(STORAGES).await.expect(StatusCode::OK).json();
    let all = all["items"].as_array().unwrap();
    all.iter().find(|storage| storage["kind"] == "local").unwrap().clone()
}

#[tokio::test]
async fn a_storage_is_tried_before_it_is_kept() {
    let (_server, ana) = server().await;
    let s3 = S3::start().await;
    let refused = |changes: Value| {
        let mut request = s3.storage("Bucket", "");
        for (key, value) in changes.as_object().unwrap() {
            for (inner, value) in value.as_object().into_iter().flatten() {
                request[key][inner] = value.clone();
            }
            if !value.is_object() {
                request[key] = value.clone();
            }
        }
        let ana = ana.clone();
        async move { ana.post(STORAGES, request).await.problem(422, "invalid") }
    };
    for (changes, field) in [
        (json!({ "secrets": { "secret": "wrong" } }), "place"),
        (json!({ "place": { "bucket": null } }), "place.bucket"),
        (json!({ "place": { "endpoint": "http://127.0.0.1:1" } }), "place"),
        (json!({ "place": { "endpoint": "ftp://127.0.0.1" } }), "place.endpoint"),
        (json!({ "place": { "endpoint": "http://a:b@127.0.0.1" } }), "place.endpoint"),
        (json!({ "place": { "prefix": "../up" } }), "place.prefix"),
        (json!({ "kind": "ftp" }), "kind"),
        (json!({ "template": "{name}.{ext}" }), "template"),
        (json!({ "delivery": "post" }), "delivery"),
        (json!({ "delivery": "public" }), "public_url"),
        (json!({ "takes": [] }), "takes"),
        (json!({ "weight": 0 }), "weight"),
    ] {
        let problem = refused(changes.clone()).await;
        assert_eq!(problem["errors"][0]["field"], field, "{changes} {problem}");
        assert!(!problem.to_string().contains(SECRET));
    }
    assert_eq!(s3.keys(), [""; 0], "probes are removed");
    s3.fail(|method, _| (method == Method::GET).then_some(Fault::Status(500)));
    refused(json!({})).await;
    s3.heal();
    ana.post(STORAGES, s3.storage("Bucket", "")).await.expect(StatusCode::CREATED);
    let taken = ana.post(STORAGES, s3.storage("Bucket", "other")).await;
    assert_eq!(taken.problem(422, "invalid")["errors"][0]["field"], "name");
}

#[tokio::test]
async fn private_networks_are_the_operators_to_permit() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let s3 = S3::start().await;
    let refused = ana.post(STORAGES, s3.storage("Bucket", "")).await;
    let refused = refused.problem(422, "invalid");
    assert!(refused.to_string().contains("storage_allow"), "{refused}");
    let named = s3.endpoint.replace("127.0.0.1", "localhost");
    let mut request = s3.storage("Bucket", "");
    request["place"]["endpoint"] = json!(named);
    ana.post(STORAGES, request).await.problem(422, "invalid");
    assert_eq!(s3.requests(), 0);
    let disk = json!({ "name": "Root", "kind": "disk", "place": { "folder": "/etc" } });
    let refused = ana.post(STORAGES, disk).await.problem(422, "invalid");
    assert_eq!(refused["errors"][0]["field"], "place.folder");
}

#[tokio::test]
async fn a_storage_that_fails_is_left_out_until_it_works_again() {
    let (server, ana, s3, storage) = with_s3().await;
    for (n, fault) in
        [Fault::Status(500), Fault::Status(403), Fault::Swallowed].into_iter().enumerate()
    {
        s3.fail(move |method, _| (method == Method::PUT).then_some(fault));
        let media = ana.upload(plain(300, 200, n as u8), "a.png").await;
        original(&server.guest(), &media).await.expect(StatusCode::OK);
        assert_eq!(s3.keys(), [""; 0], "{fault:?}");
        let now = ana.get(&at(&storage)).await.json();
        assert_eq!((&now["is_up"], now["problem"].is_string()), (&json!(false), true), "{now}");
        s3.heal();
        let checked = ana.post(&format!("{}/check", at(&storage)), json!({})).await.json();
        assert_eq!((&checked["is_up"], &checked["failures"]), (&json!(true), &json!(0)));
    }
    ana.upload(plain(300, 200, 99), "a.png").await;
    assert!(!s3.keys().is_empty());
    assert_eq!(server.leftovers(), 0);
}

#[tokio::test]
async fn where_no_storage_takes_it_nothing_is_kept() {
    let (server, ana, s3, _) = with_s3().await;
    let own = local(&ana).await;
    ana.patch(&at(&own), json!({ "is_read_only": true })).await.expect(StatusCode::OK);
    s3.fail(|method, path| {
        (method == Method::PUT && path.contains("thumb")).then_some(Fault::Status(500))
    });
    let answer = ana.upload_with(plain(300, 200, 1), "a.png", &[]).await;
    answer.problem(503, "unavailable");
    let listed = ana.get("/api/v2/media").await.json();
    assert_eq!(listed["items"], json!([]));
    s3.heal();
    server.look_after_now().await;
    assert_eq!(s3.keys(), [""; 0]);
    assert_eq!((server.stored_files(), server.leftovers()), (0, 0));
}

#[tokio::test]
async fn an_answer_is_never_passed_off_as_whole() {
    let (server, ana, s3, _) = with_s3().await;
    // Too large to be kept in memory.
    let media = ana.upload(noise(900, 900), "a.png").await;
    assert!(media["bytes"].as_u64().unwrap() > 600_000);
    s3.fail(|method, path| {
        (method == Method::GET && path.ends_with(".png")).then_some(Fault::Truncated)
    });
    let path = path_of(&media["urls"]["original"]);
    let request = server.guest().request(Method::GET, &path);
    let answer = request.timeout(Duration::from_secs(20)).send().await;
    let whole = match answer {
        Ok(answer) if answer.status().is_success() => answer.bytes().await.is_ok(),
        _ => false,
    };
    assert!(!whole);
    s3.fail(|method, _| (method == Method::GET).then_some(Fault::Status(500)));
    original(&server.guest(), &media).await.problem(503, "unavailable");
    s3.fail(|method, _| (method == Method::GET).then_some(Fault::WrongTag));
    original(&server.guest(), &media).await.expect(StatusCode::OK);
    s3.fail(|_, _| Some(Fault::Slow(Duration::from_millis(300))));
    original(&server.guest(), &media).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_deletion_is_tried_again() {
    let (server, ana, s3, storage) = with_s3().await;
    let media = ana.upload(plain(300, 200, 1), "a.png").await;
    s3.fail(|method, _| (method == Method::DELETE).then_some(Fault::Status(500)));
    let item = format!("/api/v2/media/{}?permanent=true", media["id"].as_str().unwrap());
    ana.delete(&item).await.expect(StatusCode::NO_CONTENT);
    assert!(!s3.keys().is_empty());
    let used = ana.delete(&at(&storage)).await;
    used.problem(409, "storage_in_use");
    s3.heal();
    server.make_removals_due();
    server.look_after_now().await;
    assert_eq!(s3.keys(), [""; 0]);
    ana.delete(&at(&storage)).await.expect(StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn files_are_fetched_where_the_storage_says() {
    let (server, ana, s3, storage) = with_s3().await;
    let media = ana.upload(plain(300, 200, 1), "a.png").await;
    let hidden = ana.upload(plain(300, 200, 2), "b.png").await;
    let item = format!("/api/v2/media/{}", hidden["id"].as_str().unwrap());
    ana.patch(&item, json!({ "visibility": "private" })).await.expect(StatusCode::OK);
    ana.patch(&at(&storage), json!({ "delivery": "redirect" })).await.expect(StatusCode::OK);

    let answer = original(&server.guest(), &media).await.expect(StatusCode::FOUND);
    assert!(answer.header("cache-control").starts_with("private"));
    let fetched = server.guest().get(answer.header("location")).await.expect(StatusCode::OK);
    assert_eq!(fetched.body.len() as u64, media["bytes"].as_u64().unwrap());
    assert_eq!(fetched.header("content-type"), "image/png");
    original(&server.guest(), &hidden).await.expect(StatusCode::NOT_FOUND);
    let answer = original(&ana, &hidden).await.expect(StatusCode::FOUND);
    let changed = answer.header("location").replace("X-Amz-Signature=", "X-Amz-Signature=0");
    assert!(!server.guest().get(&changed).await.status.is_success());

    let public = json!({ "delivery": "public", "public_url": "https://cdn.example.org/x/" });
    ana.patch(&at(&storage), public).await.expect(StatusCode::OK);
    let answer = original(&server.guest(), &media).await.expect(StatusCode::FOUND);
    let key = s3.keys().into_iter().find(|key| key.contains("/a-") && key.ends_with(".png"));
    let key = key.unwrap();
    assert_eq!(answer.header("location"), format!("https://cdn.example.org/x/{key}"));
    // What is not for everybody goes through this server.
    let answer = original(&ana, &hidden).await.expect(StatusCode::OK);
    assert_eq!(answer.header("cache-control"), "private, no-cache");
    let path = format!("{}?download", path_of(&media["urls"]["original"]));
    server.guest().get(&path).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn large_files_go_in_parts() {
    let (server, ana, s3, _) = with_s3().await;
    let sent = noise(2400, 2400);
    assert!(sent.len() > 12 * 1024 * 1024);
    let media = ana.upload(sent, "large.png").await;
    let whole = original(&server.guest(), &media).await.expect(StatusCode::OK).body;
    assert_eq!(whole.len() as u64, media["bytes"].as_u64().unwrap());
    let key = s3.keys().into_iter().find(|key| key.ends_with(".png")).unwrap();
    assert_eq!(std::fs::read(s3.bucket().join(key)).unwrap(), whole);
}

#[tokio::test]
async fn a_crash_on_the_way_leaves_nothing_behind() {
    let (server, ana, s3, _) = with_s3().await;
    let incoming = server.data().join("tenants/main/incoming");
    let key = s3.bucket().join("2026/01/01/lost-8fKq2ZtP12.png");
    let marker = json!({ "storage": 2, "folder": "2026/01/01/lost-8fKq2ZtP12",
        "files": ["lost.png", "lost.thumb.png"] });
    let media = ana.upload(plain(300, 200, 1), "kept.png").await;
    let kept = s3.keys();
    let server = server
        .restart_after(|_| {
            std::fs::create_dir_all(key.parent().unwrap()).unwrap();
            std::fs::write(&key, b"bytes that nobody vouches for").unwrap();
            std::fs::write(incoming.join("8fKq2ZtP12.landing"), marker.to_string()).unwrap();
        })
        .await;
    server.look_after_now().await;
    assert_eq!(s3.keys(), kept);
    assert_eq!(server.leftovers(), 0);
    original(&server.guest(), &media).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_folder_of_the_operators_is_a_storage_too() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().to_str().unwrap();
    let server = TestServer::with(&[("storage_folders", folder)]).await;
    let ana = server.admin().await;
    let disk = json!({ "name": "Drive", "kind": "disk", "place": { "folder": folder },
        "template": "{id}/{name}.{ext}", "takes": ["image"] });
    ana.post(STORAGES, disk).await.expect(StatusCode::CREATED);
    let media = ana.upload(plain(300, 200, 1), "a.png").await;
    let id = media["id"].as_str().unwrap();
    assert!(dir.path().join(format!("main/{id}/a.png")).exists());
    original(&server.guest(), &media).await.expect(StatusCode::OK);
    assert_eq!(server.stored_files(), 0);
    ana.delete(&format!("/api/v2/media/{id}?permanent=true")).await;
    original(&server.guest(), &media).await.expect(StatusCode::NOT_FOUND);
    assert!(!dir.path().join(format!("main/{id}/a.png")).exists());
}

#[tokio::test]
async fn what_is_full_or_not_for_it_is_passed_over() {
    let (server, ana, s3, storage) = with_s3().await;
    ana.patch(&at(&storage), json!({ "capacity": 1000 })).await.expect(StatusCode::OK);
    ana.upload(plain(300, 200, 1), "a.png").await;
    assert_eq!(s3.keys(), [""; 0]);
    ana.patch(&at(&storage), json!({ "capacity": null, "takes": ["video"] })).await;
    ana.upload(plain(300, 200, 2), "b.png").await;
    assert!(s3.keys().is_empty() && server.stored_files() > 0);
    ana.patch(&at(&storage), json!({ "takes": ["image"] })).await;
    ana.upload(plain(300, 200, 3), "c.png").await;
    assert!(!s3.keys().is_empty());
    let moved = json!({ "place": { "endpoint": s3.endpoint, "bucket": BUCKET, "prefix": "b" } });
    ana.patch(&at(&storage), moved).await.problem(409, "storage_in_use");
    let own = local(&ana).await;
    ana.delete(&at(&own)).await.problem(409, "storage_built_in");
}
