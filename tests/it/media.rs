//! Changing, throwing away, fetching back, signing and expiring.

use crate::kit::{TestServer, pictures};
use reqwest::StatusCode;
use serde_json::{Value, json};
use vitrina::{accounts::Role, base::ids::TenantId};

fn path(media: &Value) -> String {
    format!("/api/v2/media/{}", media["id"].as_str().unwrap())
}

fn url<'a>(media: &'a Value, name: &str) -> &'a str {
    media["urls"][name].as_str().unwrap()
}

#[tokio::test]
async fn an_edit_changes_what_it_names_and_null_takes_away() {
    let server = TestServer::start().await;
    let bob = server.person("bob", Role::User).await;
    let fields = [("title", "Old"), ("description", "Long ago"), ("tags", "a,b")];
    let media = bob.upload_with(pictures::png(9, 9, false), "a.png", &fields).await.json();
    let change = json!({ "title": "New", "description": null, "visibility": "private" });
    let changed = bob.patch(&path(&media), change).await.expect(StatusCode::OK).json();
    assert_eq!(changed["title"], "New");
    assert!(changed.get("description").is_none());
    assert_eq!((&changed["tags"], &changed["visibility"]), (&json!(["a", "b"]), &json!("private")));
    let more = json!({ "tags": ["C", "d"], "nsfw": true, "title": null });
    let changed = bob.patch(&path(&media), more).await.json();
    assert_eq!((&changed["tags"], &changed["nsfw"]), (&json!(["c", "d"]), &json!(true)));
    assert!(changed.get("title").is_none());
}

#[tokio::test]
async fn a_change_against_an_older_state_is_refused() {
    let server = TestServer::start().await;
    let bob = server.person("bob", Role::User).await;
    let media = bob.upload(pictures::png(9, 9, false), "a.png").await;
    let etag = bob.get(&path(&media)).await.header("etag").to_owned();
    let careful = bob.with_header("if-match", &etag);
    let first = careful.patch(&path(&media), json!({ "title": "A" })).await.expect(StatusCode::OK);
    assert_ne!(first.header("etag"), etag);
    careful.patch(&path(&media), json!({ "title": "B" })).await.problem(412, "stale");
}

#[tokio::test]
async fn bad_edits_name_the_field() {
    let server = TestServer::start().await;
    let bob = server.person("bob", Role::User).await;
    let media = bob.upload(pictures::png(9, 9, false), "a.png").await;
    let cases = [
        (json!({ "title": "x".repeat(201) }), "title"),
        (json!({ "visibility": "secret" }), "visibility"),
        (json!({ "tags": ["a".repeat(65)] }), "tags"),
        (json!({ "expires_at": "tomorrow" }), "expires_at"),
        (json!({ "expires_at": "2001-01-01T00:00:00Z" }), "expires_at"),
    ];
    for (body, field) in cases {
        bob.patch(&path(&media), body).await.names_field(422, field);
    }
    let unknown = bob.patch(&path(&media), json!({ "owner": "eve" })).await;
    unknown.names_field(422, "body");
}

#[tokio::test]
async fn the_trash_gives_back_until_it_is_emptied() {
    let server = TestServer::start().await;
    let bob = server.person("bob", Role::User).await;
    let media = bob.upload(pictures::photo_jpeg(90, 60, 1), "a.jpg").await;
    bob.delete(&path(&media)).await.expect(StatusCode::NO_CONTENT);
    server.guest().get(&path(&media)).await.problem(404, "not_found");
    server.guest().get(url(&media, "thumb")).await.problem(404, "not_found");
    assert_eq!(bob.get(&path(&media)).await.json()["status"], "trashed");
    bob.get(url(&media, "thumb")).await.expect(StatusCode::OK);

    let back =
        bob.post(&format!("{}/restore", path(&media)), json!({})).await.expect(StatusCode::OK);
    assert_eq!(back.json()["status"], "active");
    server.guest().get(url(&media, "original")).await.expect(StatusCode::OK);

    bob.delete(&format!("{}?permanent=true", path(&media))).await.expect(StatusCode::NO_CONTENT);
    bob.get(&path(&media)).await.problem(404, "not_found");
    assert_eq!(server.stored_files(), 0);
}

#[tokio::test]
async fn the_trash_empties_itself_after_its_days() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let media = ana.upload(pictures::png(9, 9, false), "a.png").await;
    ana.delete(&path(&media)).await.expect(StatusCode::NO_CONTENT);
    let tenant = server.running.tenants.get(&TenantId::main()).await.unwrap();
    vitrina::media::sweep::sweep(&tenant).await.unwrap();
    ana.get(&path(&media)).await.expect(StatusCode::OK);

    let soon = json!({ "trash_days": 0 });
    ana.patch("/api/v2/site/settings", soon).await.expect(StatusCode::OK);
    vitrina::media::sweep::sweep(&tenant).await.unwrap();
    ana.get(&path(&media)).await.problem(404, "not_found");
    assert_eq!(server.stored_files(), 0);
}

#[tokio::test]
async fn what_expires_is_gone_at_once_and_swept_later() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let fields = [("expires_in", "2500")];
    let media = ana.upload_with(pictures::png(9, 9, false), "a.png", &fields).await.json();
    let fresh = server.guest().get(url(&media, "original")).await.expect(StatusCode::OK);
    let cache = fresh.header("cache-control");
    assert!(
        ["public, max-age=0", "public, max-age=1", "public, max-age=2"].contains(&cache),
        "{cache}"
    );
    tokio::time::sleep(std::time::Duration::from_millis(2600)).await;
    for who in [server.guest(), ana.clone()] {
        who.get(&path(&media)).await.problem(410, "gone");
        who.get(url(&media, "original")).await.problem(410, "gone");
        assert_eq!(who.get(url(&media, "view")).await.status, StatusCode::GONE);
    }
    let tenant = server.running.tenants.get(&TenantId::main()).await.unwrap();
    vitrina::media::sweep::sweep(&tenant).await.unwrap();
    assert_eq!(server.stored_files(), 0);
}

#[tokio::test]
async fn private_bytes_need_the_owner_a_manager_or_a_signature() {
    let server = TestServer::start().await;
    let bob = server.person("bob", Role::User).await;
    let (eve, boss) =
        (server.person("eve", Role::User).await, server.person("boss", Role::Manager).await);
    let fields = [("visibility", "private")];
    let media = bob.upload_with(pictures::photo_jpeg(90, 60, 1), "a.jpg", &fields).await.json();
    for name in ["original", "medium", "thumb"] {
        for stranger in [&server.guest(), &eve] {
            stranger.get(url(&media, name)).await.problem(404, "not_found");
        }
        for keeper in [&bob, &boss] {
            let bytes = keeper.get(url(&media, name)).await.expect(StatusCode::OK);
            assert_eq!(bytes.header("cache-control"), "private, no-cache");
        }
    }
    let sign = json!({ "variant": "thumb", "expires_in": 5000 });
    let signing = format!("{}/signed-url", path(&media));
    eve.post(&signing, sign.clone()).await.problem(404, "not_found");
    let signed = bob.post(&signing, sign).await.expect(StatusCode::CREATED).json();
    let address = signed["url"].as_str().unwrap();
    let bytes = server.guest().get(address).await.expect(StatusCode::OK);
    assert_eq!(bytes.header("cache-control"), "private, no-cache");
    // A signature is for one file, one moment, and nobody's to change.
    let for_original = address.replace(".thumb.", ".");
    let (start, signature) = address.split_once("signature=").unwrap();
    let expires = start.split("expires=").nth(1).unwrap().trim_end_matches('&');
    let later = address.replace(expires, &format!("{}", expires.parse::<i64>().unwrap() + 60));
    let turned: String = signature.chars().rev().collect();
    for forged in
        [for_original, later, format!("{start}signature={turned}"), format!("{start}signature=")]
    {
        server.guest().get(&forged).await.problem(403, "bad_signature");
    }
    tokio::time::sleep(std::time::Duration::from_millis(5100)).await;
    server.guest().get(address).await.problem(403, "bad_signature");
    for (body, field) in
        [(json!({ "variant": "poster" }), "variant"), (json!({ "expires_in": 5 }), "expires_in")]
    {
        bob.post(&signing, body).await.names_field(422, field);
    }
}

#[tokio::test]
async fn the_delete_link_trashes_its_own_item_and_no_other() {
    let server = TestServer::start().await;
    let bob = server.person("bob", Role::User).await;
    let first = bob.upload(pictures::png(9, 9, false), "a.png").await;
    let second = bob.upload(pictures::png(10, 9, false), "b.png").await;
    let key = |m: &Value| m["delete_url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let to = |m: &Value| format!("{}/delete-with-key", path(m));
    let guest = server.guest();
    let wrong = guest.post(&to(&second), json!({ "key": key(&first) })).await;
    wrong.problem(403, "bad_signature");
    let right = guest.post(&to(&first), json!({ "key": key(&first) })).await;
    right.expect(StatusCode::NO_CONTENT);
    assert_eq!(bob.get(&path(&first)).await.json()["status"], "trashed");
    assert_eq!(bob.get(&path(&second)).await.json()["status"], "active");
}

#[tokio::test]
async fn embed_codes_escape_what_people_write() {
    let server = TestServer::start().await;
    let bob = server.person("bob", Role::User).await;
    let fields = [("title", "\"><script>alert(1)</script>](x)")];
    let media = bob.upload_with(pictures::png(9, 9, false), "a.png", &fields).await.json();
    let codes = server.guest().get(&format!("{}/embeds", path(&media))).await.json();
    let code = |name: &str| {
        let all = codes["items"].as_array().unwrap();
        all.iter().find(|c| c["name"] == name).unwrap()["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(code("viewer_link"), url(&media, "view"));
    assert_eq!(code("thumb_link"), url(&media, "thumb"));
    assert!(
        code("html_medium_linked").starts_with(&format!("<a href=\"{}\">", url(&media, "view")))
    );
    assert!(!code("html_original").contains("<script>"));
    assert!(code("markdown_original").starts_with("![\"\\>\\<script\\>"));
    assert_eq!(code("bbcode_original"), format!("[img]{}[/img]", url(&media, "original")));
}

#[tokio::test]
async fn links_start_with_the_sites_own_address() {
    let server = TestServer::with(&[("public_url", "https://media.example")]).await;
    let ana = server.admin().await.with_header("host", "evil.example");
    let media = ana.upload(pictures::png(9, 9, false), "a.png").await;
    for address in media["urls"].as_object().unwrap().values() {
        assert!(address.as_str().unwrap().starts_with("https://media.example/"), "{address}");
    }
    assert!(media["delete_url"].as_str().unwrap().starts_with("https://media.example/"));
}
