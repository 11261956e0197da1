//! Every operation of the API, tried by everybody: what nobody thought of is refused.

use crate::kit::{Client, TestServer, films, pictures};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use vitrina::{
    accounts::{Role, users},
    base::ids::TenantId,
    jobs::{self, Kind, NewJob},
};

/// Who may do what. `+` may, `-` may not; in the order of `WHO`. The item is bob's and private.
const WHO: [&str; 6] = ["guest", "stranger", "bob", "manager", "admin", "another site's admin"];
const TABLE: &[(&str, &str)] = &[
    ("get_site", "+++++-"),
    ("get_settings", "----+-"),
    ("update_settings", "----+-"),
    // Open to whoever has the setup link, which nobody here has.
    ("create_setup", "------"),
    ("create_session", "+++++-"),
    // Open to whoever has a login link, which nobody here has.
    ("create_session_with_link", "------"),
    ("get_session", "-++++-"),
    // Everybody here came with a token, which has no session to end.
    ("delete_session", "------"),
    ("list_tokens", "-++++-"),
    ("create_token", "-++++-"),
    // The token is bob's.
    ("delete_token", "--+---"),
    ("upload_media", "-++++-"),
    ("get_quota", "-++++-"),
    ("upload_media_bytes", "-++++-"),
    ("list_media", "+++++-"),
    ("list_albums", "+++++-"),
    ("create_album", "-++++-"),
    ("get_album", "--+++-"),
    ("update_album", "--+++-"),
    ("delete_album", "--+++-"),
    ("get_media", "--+++-"),
    ("update_media", "--+++-"),
    ("delete_media", "--+++-"),
    ("restore_media", "--+++-"),
    ("delete_media_with_key", "------"),
    ("create_signed_url", "--+++-"),
    ("create_rendering_url", "--+++-"),
    ("create_variant_regeneration", "----+-"),
    ("get_variant_regeneration", "----+-"),
    ("delete_variant_regeneration", "----+-"),
    ("get_upload_protocol", "+++++-"),
    ("create_upload", "-++++-"),
    // An upload is its sender's alone.
    ("get_upload", "--+---"),
    ("get_upload_offset", "--+---"),
    ("update_upload", "--+---"),
    ("delete_upload", "--+---"),
    ("list_similar_media", "--+++-"),
    ("list_blocked_pictures", "---++-"),
    ("create_blocked_picture", "---++-"),
    // The first to come finds it.
    ("delete_blocked_picture", "---++-"),
    ("update_watermark", "----+-"),
    ("get_watermark", "----+-"),
    ("delete_watermark", "----+-"),
    ("list_embeds", "--+++-"),
    ("get_oembed", "--+++-"),
    ("get_sharex_uploader", "-++++-"),
    ("get_upload_script", "-++++-"),
    ("list_storages", "----+-"),
    ("create_storage", "----+-"),
    ("get_storage", "----+-"),
    ("update_storage", "----+-"),
    ("delete_storage", "----+-"),
    ("create_storage_check", "----+-"),
    ("create_storage_migration", "----+-"),
    ("update_poster", "--+++-"),
    // For films alone, and the item is none.
    ("create_transcoding", "------"),
    // Everybody their own; the job in question is bob's.
    ("list_jobs", "-++++-"),
    ("get_job", "--+-+-"),
    ("create_job_cancellation", "----+-"),
    ("create_job_retry", "----+-"),
    ("create_usage_recount", "----+-"),
];

/// A body that the operation would take from somebody who may.
fn body(operation: &str, n: usize, id: &str, drive: &str) -> Value {
    let png = |n| {
        use base64::{Engine, engine::general_purpose::STANDARD};
        STANDARD.encode(pictures::png(20 + n, 10, false))
    };
    match operation {
        "update_settings" => json!({ "medium_side": 900 }),
        "create_setup" => {
            json!({ "token": "x", "username": "eve", "email": "e@e.org", "password": "correct horse" })
        }
        "create_session" => json!({ "login": "bob", "password": "correct horse" }),
        "create_session_with_link" => json!({ "token": "guessed" }),
        "create_token" => json!({ "name": "x", "scopes": ["media:read"] }),
        "upload_media" => json!({ "base64": png(n as u32) }),
        "update_media" | "update_album" => json!({ "title": "changed" }),
        "create_album" => json!({ "title": "Sea" }),
        "create_rendering_url" => json!({ "width": 100 }),
        "create_blocked_picture" => json!({ "media_id": id }),
        "create_storage" => storage(drive),
        "update_storage" => json!({ "is_read_only": true }),
        "create_storage_migration" => json!({ "to": "1111111111" }),
        "delete_media_with_key" => json!({ "key": "guessed" }),
        _ => json!({}),
    }
}

#[tokio::test]
async fn every_operation_lets_in_those_it_is_for_and_nobody_else() {
    let drive = tempfile::tempdir().unwrap();
    let drive = drive.path().to_str().unwrap();
    let server = TestServer::with(&[("storage_folders", drive)]).await;
    let elsewhere = TestServer::start().await;
    let bob = server.person("bob", Role::User).await;
    let foreign = elsewhere.admin().await;
    let people: [Client; 6] = [
        server.guest(),
        server.person("stranger", Role::User).await,
        bob.clone(),
        server.person("manager", Role::Manager).await,
        server.admin().await,
        server.guest().with_token(foreign.token()),
    ];
    let table: BTreeMap<&str, &str> = TABLE.iter().copied().collect();
    let document = vitrina::api::document();
    let mut tried = 0;
    for (template, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            let may = *table.get(name).unwrap_or_else(|| panic!("{name} is not in the table"));
            assert_eq!(may.len(), WHO.len());
            for (n, person) in people.iter().enumerate() {
                let id = thing_of_bobs(&bob, template, n).await;
                let id = match &**template {
                    "/blocked-pictures/{id}" => blocked(&people[3], &id).await,
                    path if path.starts_with("/storages/") => {
                        let made = people[4].post("/api/v2/storages", storage(drive)).await;
                        made.json()["id"].as_str().unwrap().to_owned()
                    }
                    path if path.starts_with("/jobs/{id}") => {
                        job_of_bobs(&server, &people[4], path.ends_with("/retry")).await
                    }
                    _ => id,
                };
                if template == "/site/watermark" {
                    put_watermark(&people[4]).await;
                }
                let mut path = format!("/api/v2{}", template.replace("{id}", &id));
                if name == "get_oembed" {
                    let item = bob.get(&format!("/api/v2/media/{id}")).await.json();
                    path = format!("{path}?url={}", item["urls"]["view"].as_str().unwrap());
                }
                let method: Method = method.to_uppercase().parse().unwrap();
                let mut request = person.request(method.clone(), &path);
                let is_file = method == Method::PUT || name == "upload_media_bytes";
                if !is_file && (method == Method::POST || method == Method::PATCH) {
                    request = request.json(&body(name, n, &id, drive));
                }
                if template.starts_with("/uploads") && method != Method::OPTIONS {
                    let piece =
                        [("upload-length", "9"), ("upload-offset", "0"), ("content-type", PIECE)];
                    request = person.request(method.clone(), &path).body("some");
                    request =
                        piece.iter().fold(request, |r, (name, value)| r.header(*name, *value));
                }
                if is_file {
                    request =
                        request.body(pictures::png(30, 20, true)).header(PICTURE.0, PICTURE.1);
                }
                let status = person.send(request).await.status;
                let label = format!("{name} by {}: {status}", WHO[n]);
                if may.as_bytes()[n] == b'+' {
                    assert!(status.is_success(), "{label}");
                } else {
                    assert!(matches!(status.as_u16(), 401 | 403 | 404 | 409), "{label}");
                }
                tried += 1;
            }
        }
    }
    assert_eq!(tried, TABLE.len() * WHO.len(), "the table names an operation that is gone");
}

const PIECE: &str = "application/offset+octet-stream";
const PICTURE: (&str, &str) = ("content-type", "image/png");

async fn put_watermark(admin: &Client) {
    let request = admin.request(Method::PUT, "/api/v2/site/watermark");
    let request = request.body(pictures::png(30, 20, true)).header(PICTURE.0, PICTURE.1);
    admin.send(request).await.expect(reqwest::StatusCode::OK);
}

async fn blocked(manager: &Client, media: &str) -> String {
    let blocked = manager.post("/api/v2/blocked-pictures", json!({ "media_id": media })).await;
    blocked.json()["id"].as_str().unwrap().to_owned()
}

/// A storage in the operator's folder, of a new name.
fn storage(drive: &str) -> Value {
    static LAST: AtomicU32 = AtomicU32::new(0);
    let name = LAST.fetch_add(1, Ordering::Relaxed).to_string();
    json!({ "name": name, "kind": "disk", "is_read_only": true, "place": { "folder": drive } })
}

/// A job about something of bob's, which waits or was called off.
async fn job_of_bobs(server: &TestServer, admin: &Client, is_over: bool) -> String {
    let main = server.running.tenants.get(&TenantId::main()).await.unwrap();
    let bob = users::find(&main, "bob").await.unwrap().id;
    let new = NewJob::new(Kind::Recount).owner(bob).after_ms(3_600_000);
    let id = jobs::add(&main, new).await.unwrap().public_id.to_string();
    if is_over {
        let cancelled = admin.post(&format!("/api/v2/jobs/{id}/cancellation"), json!({})).await;
        cancelled.expect(reqwest::StatusCode::ACCEPTED);
    }
    id
}

/// A private item of bob's, or a token of his: fresh for every try.
async fn thing_of_bobs(bob: &Client, template: &str, n: usize) -> String {
    static LAST: AtomicU32 = AtomicU32::new(100);
    if template.starts_with("/blocked-pictures") {
        // Nobody can upload it again, nor anything like it, if it had any structure.
        let width = LAST.fetch_add(1, Ordering::Relaxed);
        let fields = [("visibility", "private")];
        let made = bob.upload_with(pictures::plain_png(width, 10, [90; 3]), "b.png", &fields).await;
        return made.json()["id"].as_str().unwrap().to_owned();
    }
    let is_the_admins = template.starts_with("/storages") || template.starts_with("/jobs");
    if !(template.contains("{id}") || template == "/oembed") || is_the_admins {
        return String::new();
    }
    if template.starts_with("/uploads") {
        let request = bob.request(Method::POST, "/api/v2/uploads").header("upload-length", "9");
        let begun = bob.send(request).await;
        return begun.header("location").rsplit('/').next().unwrap().to_owned();
    }
    let made = if template.starts_with("/albums") {
        bob.post("/api/v2/albums", json!({ "title": "x", "visibility": "private" })).await
    } else if template.starts_with("/tokens") {
        bob.post("/api/v2/tokens", json!({ "name": "x", "scopes": ["media:read"] })).await
    } else {
        let fields = [("visibility", "private"), ("allow_duplicate", "true")];
        // Some operations are for films and recordings alone.
        let bytes = match template.ends_with("/poster") {
            true => films::ogg(),
            false => pictures::png(10 + n as u32, 10, false),
        };
        bob.upload_with(bytes, "a.png", &fields).await
    };
    made.json()["id"].as_str().unwrap().to_owned()
}
