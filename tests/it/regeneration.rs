//! Making the variants of all items anew.

use crate::kit::{Client, TestServer, path_of, pictures};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;
use vitrina::accounts::Role;

const PATH: &str = "/api/v2/variants/regeneration";

/// Waits until it has ended.
async fn ended(ana: &Client) -> Value {
    for _ in 0..300 {
        let state = ana.get(PATH).await.expect(StatusCode::OK).json();
        if state["status"] != "running" {
            return state;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it does not end");
}

#[tokio::test]
async fn all_items_get_what_the_settings_say_now() {
    let server = TestServer::start().await;
    let (ana, guest) = (server.admin().await, server.guest());
    assert_eq!(ana.get(PATH).await.json()["status"], "never");
    let mut items = Vec::new();
    for n in 0..4 {
        items.push(ana.upload(pictures::photo_jpeg(600, 400, n), "a.jpg").await);
    }
    let trashed = format!("/api/v2/media/{}", items[3]["id"].as_str().unwrap());
    ana.delete(&trashed).await.expect(StatusCode::NO_CONTENT);
    let files = server.stored_files();
    let settings = json!({ "medium_side": 300, "variant_format": "webp",
        "more_variants": [{ "name": "tiny", "width": 40 }] });
    ana.patch("/api/v2/site/settings", settings).await.expect(StatusCode::OK);
    let state = ana.post(PATH, json!({})).await.expect(StatusCode::ACCEPTED).json();
    assert_eq!((&state["total"], &state["done"]), (&json!(4), &json!(0)));
    let state = ended(&ana).await;
    assert_eq!((&state["done"], &state["failed"]), (&json!(4), &json!(0)), "{state}");
    assert_eq!(server.stored_files(), files + 4, "the old files are gone");
    for before in &items[..3] {
        let path = format!("/api/v2/media/{}", before["id"].as_str().unwrap());
        let now = guest.get(&path).await.expect(StatusCode::OK).json();
        assert_eq!(now["urls"]["original"], before["urls"]["original"]);
        assert_eq!(now["variants"].as_array().unwrap().len(), 3);
        assert_ne!(now["urls"]["medium"], before["urls"]["medium"]);
        let medium = guest.get(&path_of(&now["urls"]["medium"])).await.expect(StatusCode::OK);
        assert_eq!(medium.header("content-type"), "image/webp");
        assert_eq!(image::load_from_memory(&medium.body).unwrap().width(), 300);
        // Addresses that stand in other people's pages lead to what there is now.
        let old = guest.get(&path_of(&before["urls"]["medium"])).await.expect(StatusCode::FOUND);
        assert_eq!(old.header("location"), path_of(&now["urls"]["medium"]));
    }
    let restored = ana.post(&format!("{trashed}/restore"), json!({})).await.json();
    assert_eq!(restored["variants"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn old_addresses_tell_nothing_about_private_items() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let fields = [("visibility", "private")];
    let photo = pictures::photo_jpeg(600, 400, 1);
    let media = ana.upload_with(photo, "a.jpg", &fields).await.expect(StatusCode::CREATED).json();
    ana.post(PATH, json!({})).await.expect(StatusCode::ACCEPTED);
    ended(&ana).await;
    let old = path_of(&media["urls"]["medium"]);
    server.guest().get(&old).await.problem(404, "not_found");
    ana.get(&old).await.expect(StatusCode::FOUND);
}

#[tokio::test]
async fn one_item_that_cannot_be_made_does_not_stop_the_others() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let lost = ana.upload(pictures::photo_jpeg(600, 400, 1), "lost.jpg").await;
    let sound = ana.upload(pictures::photo_jpeg(600, 400, 2), "sound.jpg").await;
    let folder = server.data().join("tenants/main/media");
    for file in crate::kit::files_under(&folder) {
        if file.ends_with("lost.jpg") {
            std::fs::write(file, b"no picture").unwrap();
        }
    }
    ana.post(PATH, json!({})).await.expect(StatusCode::ACCEPTED);
    let state = ended(&ana).await;
    assert_eq!((&state["done"], &state["failed"]), (&json!(2), &json!(1)), "{state}");
    let item = |media: &Value| format!("/api/v2/media/{}", media["id"].as_str().unwrap());
    let kept = ana.get(&item(&lost)).await.json();
    assert_eq!(kept["variants"], lost["variants"]);
    ana.get(&path_of(&kept["urls"]["medium"])).await.expect(StatusCode::OK);
    assert_ne!(ana.get(&item(&sound)).await.json()["variants"], sound["variants"]);
}

#[tokio::test]
async fn it_ends_where_the_site_may_make_no_more() {
    let server = TestServer::with(&[("enforce", "max_variants_rendered_month=5")]).await;
    let ana = server.admin().await;
    for n in 0..2 {
        ana.upload(pictures::photo_jpeg(60, 40, n), "a.jpg").await;
    }
    ana.post(PATH, json!({})).await.expect(StatusCode::ACCEPTED);
    let state = ended(&ana).await;
    assert_eq!(state["status"], "limit_reached");
    assert_eq!(server.leftovers(), 0);
}

#[tokio::test]
async fn it_is_called_off() {
    // Nothing is done here, so that there is something to call off.
    let server = TestServer::with(&[("jobs_light", "0")]).await;
    let ana = server.admin().await;
    ana.upload(pictures::photo_jpeg(60, 40, 1), "a.jpg").await;
    ana.post(PATH, json!({})).await.expect(StatusCode::ACCEPTED);
    assert_eq!(ana.get(PATH).await.json()["status"], "running");
    ana.delete(PATH).await.expect(StatusCode::NO_CONTENT);
    assert_eq!(ana.get(PATH).await.json()["status"], "cancelled");

    ana.post(PATH, json!({})).await.expect(StatusCode::ACCEPTED);
    assert_eq!(ana.get(PATH).await.json()["status"], "running");
    let jobs = ana.get("/api/v2/jobs?kind=regenerate").await.json();
    let path = format!("/api/v2/jobs/{}/cancellation", jobs["items"][0]["id"].as_str().unwrap());
    ana.post(&path, json!({})).await.expect(StatusCode::ACCEPTED);
    let state = ana.get(PATH).await.json();
    assert_eq!(state["status"], "cancelled");
    assert!(state["finished_at"].is_string(), "{state}");
}

#[tokio::test]
async fn only_admins_ask_for_it() {
    let server = TestServer::start().await;
    let manager = server.person("manager", Role::Manager).await;
    manager.post(PATH, json!({})).await.problem(403, "forbidden");
    manager.get(PATH).await.problem(403, "forbidden");
    server.guest().post(PATH, json!({})).await.problem(401, "unauthenticated");
}
