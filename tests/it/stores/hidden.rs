//! Items in a public place that are not for everybody any more: their files get keys that nobody
//! knows.

use super::{item, original};
use crate::{
    kit::{Client, pictures, s3::Fault},
    moving::listener,
    storages::{at, with_s3},
};
use poem::http::Method;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;
use vitrina::accounts::Role;

fn photo(seed: u64) -> Vec<u8> {
    pictures::photo_jpeg(400, 300, seed)
}

/// Says that everybody finds the storage's objects at an address of its own.
async fn open_up(ana: &Client, storage: &Value, purge_url: &str) {
    let public = json!({ "delivery": "public", "public_url": "https://cdn.example.org",
        "purge_url": purge_url });
    ana.patch(&at(storage), public).await.expect(StatusCode::OK);
}

async fn set(client: &Client, media: &Value, visibility: &str) {
    let change = json!({ "visibility": visibility });
    client.patch(&item(media), change).await.expect(StatusCode::OK);
}

/// Waits until the keys are as they should be.
async fn until(what: impl Fn() -> bool) {
    for _ in 0..400 {
        if what() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it does not come to that");
}

#[tokio::test]
async fn a_private_item_gets_keys_that_nobody_knows() {
    let (server, ana, s3, storage) = with_s3().await;
    let (told, mut heard) = listener().await;
    open_up(&ana, &storage, &told).await;
    let media = ana.upload(photo(1), "a.jpg").await;
    let id = media["id"].as_str().unwrap();
    let (before, whole) = (s3.keys(), std::fs::read(s3.bucket().join(&s3.keys()[0])).unwrap());
    assert!(before.iter().all(|key| key.contains(id)), "{before:?}");
    // Whoever has the link still sees it, and the files stay.
    set(&ana, &media, "unlisted").await;
    set(&ana, &media, "public").await;
    assert_eq!(s3.keys(), before);
    set(&ana, &media, "private").await;
    until(|| s3.keys().len() == 3 && !s3.keys().iter().any(|key| before.contains(key))).await;
    let hidden = s3.keys();
    assert!(hidden.iter().all(|key| !key.contains(id)), "{hidden:?}");
    assert!(hidden.iter().any(|key| std::fs::read(s3.bucket().join(key)).unwrap() == whole));
    original(&server.guest(), &media).await.problem(404, "not_found");
    let own = original(&ana, &media).await.expect(StatusCode::OK);
    assert_eq!(own.body.len() as u64, media["bytes"].as_u64().unwrap());
    // At once, and again when the bytes are gone: somebody may have asked in between.
    for _ in 0..3 {
        let told = heard.recv().await.unwrap();
        let urls: Vec<String> = serde_json::from_value(told["urls"].clone()).unwrap();
        let is_old = |url: &String| before.iter().any(|key| url.ends_with(key));
        assert!(urls.len() == 3 && urls.iter().all(is_old), "{urls:?}");
    }
    set(&ana, &media, "public").await;
    let answer = original(&server.guest(), &media).await.expect(StatusCode::FOUND);
    let known = answer.header("location").strip_prefix("https://cdn.example.org/").unwrap();
    assert!(hidden.iter().any(|key| key == known), "{known}");
    assert_eq!(server.leftovers(), 0);
}

#[tokio::test]
async fn what_is_private_shares_no_bytes_in_a_public_place() {
    let (server, ana, s3, storage) = with_s3().await;
    open_up(&ana, &storage, "https://127.0.0.1:1/").await;
    let bob = server.person("bob", Role::User).await;
    let carl = server.person("carl", Role::User).await;
    let originals = || {
        let is_one = |key: &&String| key.matches('.').count() == 1;
        s3.keys().iter().filter(is_one).cloned().collect::<Vec<_>>()
    };
    let first = ana.upload(photo(1), "first.jpg").await;
    let second = bob.upload(photo(1), "second.jpg").await;
    let shared = originals();
    assert_eq!(shared.len(), 1);
    set(&ana, &first, "private").await;
    until(|| originals().len() == 2).await;
    let own = originals().into_iter().find(|key| !shared.contains(key)).unwrap();
    // The next one shares what is public.
    let third = carl.upload(photo(1), "third.jpg").await;
    assert_eq!(originals().len(), 2);
    for (client, media) in [(&bob, &second), (&carl, &third)] {
        client.delete(&format!("{}?permanent=true", item(media))).await;
    }
    assert_eq!(originals(), [own]);
    original(&ana, &first).await.expect(StatusCode::OK);
    // And where all that there is is private, nothing is shared.
    let fourth = bob.upload(photo(1), "fourth.jpg").await;
    assert_eq!(originals().len(), 2);
    ana.delete(&format!("{}?permanent=true", item(&first))).await;
    original(&server.guest(), &fourth).await.expect(StatusCode::FOUND);
}

#[tokio::test]
async fn what_begins_in_private_or_ends_in_the_trash_is_hidden_too() {
    let (_server, ana, s3, storage) = with_s3().await;
    open_up(&ana, &storage, "https://127.0.0.1:1/").await;
    let sent = ana.upload_with(photo(1), "a.jpg", &[("visibility", "private")]).await;
    let media = sent.expect(StatusCode::CREATED).json();
    let id = media["id"].as_str().unwrap().to_owned();
    assert!(s3.keys().iter().all(|key| !key.contains(&id)), "{:?}", s3.keys());
    ana.delete(&format!("{}?permanent=true", item(&media))).await;

    let media = ana.upload(photo(2), "b.jpg").await;
    let before = s3.keys();
    ana.delete(&item(&media)).await.expect(StatusCode::NO_CONTENT);
    until(|| s3.keys().len() == 3 && !s3.keys().iter().any(|key| before.contains(key))).await;
    ana.post(&format!("{}/restore", item(&media)), json!({})).await.expect(StatusCode::OK);
    assert_eq!(original(&ana, &media).await.status, StatusCode::FOUND);
}

#[tokio::test]
async fn a_storage_that_fails_meanwhile_loses_nothing() {
    let (server, ana, s3, storage) = with_s3().await;
    open_up(&ana, &storage, "https://127.0.0.1:1/").await;
    let media = ana.upload(photo(1), "a.jpg").await;
    let before = s3.keys();
    s3.fail(|method, path| {
        (method == Method::PUT && path.contains("medium")).then_some(Fault::Status(403))
    });
    set(&ana, &media, "private").await;
    let jobs = "/api/v2/jobs?kind=hide_media";
    let failed = async || ana.get(jobs).await.json()["items"][0]["last_error"].is_string();
    for _ in 0..200 {
        if failed().await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert!(failed().await);
    s3.heal();
    server.make_removals_due();
    server.look_after_now().await;
    assert_eq!(s3.keys(), before);
    original(&ana, &media).await.expect(StatusCode::OK);
    original(&server.guest(), &media).await.problem(404, "not_found");
}
