//! What each person may keep: counted for each, bounded inside the transaction that adds to it.

use crate::kit::{Answer, Client, TestServer, database, pictures};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use vitrina::{accounts::Role, base::ids::TenantId, tenancy::usage};

async fn set(ana: &Client, settings: Value) {
    ana.patch("/api/v2/site/settings", settings).await.expect(StatusCode::OK);
}

async fn upload(client: &Client, n: u64) -> Answer {
    client.upload_with(pictures::photo_jpeg(300, 200, n), "a.jpg", &[]).await
}

async fn quota(client: &Client) -> Value {
    client.get("/api/v2/quota").await.expect(StatusCode::OK).json()
}

#[track_caller]
fn is_over(answer: &Answer, limit: &str, allowed: u64) {
    let problem = answer.problem(403, "quota_reached");
    assert_eq!((&problem["limit"], &problem["allowed"]), (&json!(limit), &json!(allowed)));
}

#[tokio::test]
async fn everybody_has_a_bound_of_their_own_but_admins() {
    let server = TestServer::start().await;
    let (ana, bob) = (server.admin().await, server.person("bob", Role::User).await);
    let carl = server.person("carl", Role::Manager).await;
    assert_eq!(quota(&bob).await, json!({ "files": 0, "bytes": 0 }));
    set(&ana, json!({ "max_files_per_user": 2 })).await;
    let first = upload(&bob, 1).await.expect(StatusCode::CREATED).json();
    upload(&bob, 2).await.expect(StatusCode::CREATED);
    is_over(&upload(&bob, 3).await, "max_files_per_user", 2);
    let now = quota(&bob).await;
    assert_eq!((&now["files"], &now["max_files"]), (&json!(2), &json!(2)));
    for n in 0..3 {
        upload(&ana, 10 + n).await.expect(StatusCode::CREATED);
    }
    assert!(quota(&ana).await["max_files"].is_null());
    upload(&carl, 20).await.expect(StatusCode::CREATED);
    // The trash is no room; what is gone is.
    let path = format!("/api/v2/media/{}", first["id"].as_str().unwrap());
    bob.delete(&path).await.expect(StatusCode::NO_CONTENT);
    is_over(&upload(&bob, 3).await, "max_files_per_user", 2);
    bob.delete(&format!("{path}?permanent=true")).await.expect(StatusCode::NO_CONTENT);
    upload(&bob, 3).await.expect(StatusCode::CREATED);
    assert_eq!(server.leftovers(), 0);
}

#[tokio::test]
async fn bytes_count_with_all_that_is_made_of_them() {
    let server = TestServer::start().await;
    let (ana, bob) = (server.admin().await, server.person("bob", Role::User).await);
    let media = upload(&bob, 1).await.expect(StatusCode::CREATED).json();
    let variants = media["variants"].as_array().unwrap();
    let made = variants.iter().map(|v| v["bytes"].as_u64().unwrap()).sum::<u64>();
    let bytes = media["bytes"].as_u64().unwrap() + made;
    assert_eq!(quota(&bob).await["bytes"], bytes);
    set(&ana, json!({ "max_bytes_per_user": bytes + 1_000 })).await;
    let files = server.stored_files();
    is_over(&upload(&bob, 2).await, "max_bytes_per_user", bytes + 1_000);
    assert_eq!((server.stored_files(), server.leftovers()), (files, 0));
    // Uploads in pieces are refused before the first byte.
    let begin = bob.request(Method::POST, "/api/v2/uploads").header("tus-resumable", "1.0.0");
    let begun = bob.send(begin.header("upload-length", "1001")).await;
    is_over(&begun, "max_bytes_per_user", bytes + 1_000);
    // Other variants are counted in place of these.
    set(&ana, json!({ "thumb_width": 50 })).await;
    crate::regeneration::all(&ana).await;
    let regenerated = quota(&bob).await["bytes"].as_u64().unwrap();
    assert!(regenerated < bytes, "{regenerated} of {bytes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_uploads_at_once_do_not_pass_it() {
    let server = TestServer::start().await;
    let (ana, bob) = (server.admin().await, server.person("bob", Role::User).await);
    set(&ana, json!({ "max_files_per_user": 4 })).await;
    let tasks: Vec<_> = (0..20)
        .map(|n| {
            let bob = bob.clone();
            tokio::spawn(async move { upload(&bob, n).await })
        })
        .collect();
    let mut taken = 0;
    for task in tasks {
        match task.await.unwrap() {
            answer if answer.status == StatusCode::CREATED => taken += 1,
            answer => is_over(&answer, "max_files_per_user", 4),
        }
    }
    assert_eq!((taken, server.stored_files(), server.leftovers()), (4, 12, 0));
}

#[tokio::test]
async fn a_counter_that_is_wrong_is_mended() {
    let server = TestServer::start().await;
    let (ana, bob) = (server.admin().await, server.person("bob", Role::User).await);
    for (client, n) in [(&ana, 1), (&bob, 2), (&bob, 3)] {
        upload(client, n).await.expect(StatusCode::CREATED);
    }
    let before = (quota(&ana).await, quota(&bob).await);
    let site = database(&server.data().join("tenants/main/site.sqlite"));
    site.execute("UPDATE user_usage SET files = files + 7, bytes = -5", []).unwrap();
    assert_ne!((quota(&ana).await, quota(&bob).await), before);
    let main = server.running.tenants.get(&TenantId::main()).await.unwrap();
    main.write(usage::recount).await.unwrap();
    assert_eq!((quota(&ana).await, quota(&bob).await), before);
}
