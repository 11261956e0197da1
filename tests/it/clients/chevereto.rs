//! Chevereto's API v1: where the key stands, what the answer says, and what becomes of the item.

use super::{CHEVERETO, File, Text, image, post_form, post_pairs, refused, set};
use crate::kit::{TestServer, films, path_of, pictures};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[tokio::test]
async fn the_key_may_stand_anywhere() {
    let server = TestServer::start().await;
    let (ana, guest) = (server.admin().await, server.guest());
    let (key, pictures) =
        (ana.token(), [1, 2, 3, 4].map(|seed| pictures::photo_jpeg(60, 40, seed)));
    let file = |at: usize| File("source", "beach.jpg", &pictures[at]);
    // As ShareX has it, and the other way round.
    let parts = [Text("key", key), Text("format", "json"), file(0)];
    image(&post_form(&guest, CHEVERETO, &parts).await);
    let parts = [file(1), Text("action", "upload"), Text("format", "json"), Text("key", key)];
    image(&post_form(&guest, CHEVERETO, &parts).await);
    let with_header = guest.with_header("x-api-key", key);
    image(&post_form(&with_header, CHEVERETO, &[file(2)]).await);
    // In the query, behind a slash, as a forum has it.
    let path = format!("{CHEVERETO}/?key={key}");
    let shown = image(&post_form(&guest, &path, &[file(3)]).await);
    assert_eq!(shown["name"], "beach");
    assert_eq!(server.stored_originals(".jpg"), 4);
    assert_eq!(server.leftovers(), 0);
}

#[tokio::test]
async fn the_answer_says_what_is_true_of_the_item() {
    let server = TestServer::start().await;
    let (ana, guest) = (server.admin().await, server.guest());
    let photo = pictures::photo_jpeg(2000, 1500, 7);
    let parts = [
        Text("key", ana.token()),
        File("source", "At the sea.jpg", &photo),
        Text("title", "Low <tide>"),
        Text("description", "Sand"),
        Text("tags", "sea, sun"),
        Text("nsfw", "1"),
        Text("category_id", "3"),
        Text("auth_token", "unknown fields say nothing"),
    ];
    let image = image(&post_form(&guest, CHEVERETO, &parts).await);
    let missing: BTreeSet<&str> =
        KEYS.split_whitespace().filter(|key| image.get(*key).is_none()).collect();
    assert!(missing.is_empty(), "{missing:?} in {image}");
    let id = image["id_encoded"].as_str().unwrap();
    let item = guest.get(&format!("/api/v2/media/{id}")).await.expect(StatusCode::OK).json();
    assert_eq!(image["url"], item["urls"]["original"]);
    assert_eq!(image["url_viewer"], item["urls"]["view"]);
    assert_eq!((&image["size"], &image["width"]), (&item["bytes"], &json!(2000)));
    assert_eq!((&image["title"], &image["nsfw"]), (&json!("Low <tide>"), &json!(1)));
    assert_eq!(image["title_truncated_html"], "Low &lt;tide&gt;");
    assert_eq!(
        (&image["tags"], &image["tags_string"]),
        (&json!(["sea", "sun"]), &json!("sea,sun"))
    );
    assert_eq!(image["original_filename"], "At the sea.jpg");
    assert_eq!((&image["chain"], &image["is_approved"]), (&json!(7), &json!(1)));
    assert_eq!(image["checksum"], item["checksum"]);
    assert_eq!(image["display_url"], image["medium"]["url"]);
    for file in ["image", "thumb", "medium"] {
        let bytes = guest.get(&path_of(&image[file]["url"])).await.expect(StatusCode::OK);
        assert_eq!(bytes.body.len() as u64, image[file]["size"], "{file}");
        assert_eq!(bytes.header("content-type"), image[file]["mime"]);
    }
}

const KEYS: &str = "name extension size width height date date_gmt title tags description nsfw \
    storage_mode md5 source_md5 original_filename original_exifdata views category_id chain \
    thumb_size medium_size frame_size expiration_date_gmt likes is_animated is_approved is_360 \
    duration type tags_string file id_encoded filename mime url ratio size_formatted frame image \
    thumb medium url_frame duration_time url_viewer path_viewer url_short display_url \
    display_width display_height views_label likes_label how_long_ago date_fixed_peer \
    title_truncated title_truncated_html is_use_loader display_title delete_url";

#[tokio::test]
async fn clients_of_imgbb_find_what_they_read() {
    let server = TestServer::start().await;
    let (ana, guest) = (server.admin().await, server.guest());
    let path = format!("{CHEVERETO}?key={}", ana.token());
    let photo = pictures::photo_jpeg(60, 40, 1);
    let answer = post_form(&guest, &path, &[File("image", "blob", &photo)]).await;
    let body = answer.expect(StatusCode::OK).json();
    assert_eq!((&body["status"], &body["status_code"]), (&json!(200), &json!(200)));
    assert!(body["success"].is_object() && body.get("image").is_none(), "{body}");
    assert_eq!(body["data"]["id"], body["data"]["id_encoded"]);
    assert!(body["data"]["display_url"].is_string() && body["data"]["delete_url"].is_string());
}

#[tokio::test]
async fn a_lifetime_is_seconds_or_a_duration() {
    let server = TestServer::start().await;
    let (ana, guest) = (server.admin().await, server.guest());
    for (seed, text) in [(1, "600"), (2, "PT10M")] {
        let photo = pictures::photo_jpeg(60, 40, seed);
        let parts =
            [Text("key", ana.token()), File("source", "a.jpg", &photo), Text("expiration", text)];
        let shown = image(&post_form(&guest, CHEVERETO, &parts).await);
        let id = shown["id_encoded"].as_str().unwrap();
        let item = guest.get(&format!("/api/v2/media/{id}")).await.json();
        let of = |name: &str| item[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        let lives = of("expires_at").duration_since(of("created_at"));
        assert_eq!(lives.as_secs(), 600, "{text}");
        let told = shown["expiration_date_gmt"].as_str().unwrap();
        assert_eq!(told, of("expires_at").strftime("%Y-%m-%d %H:%M:%S").to_string());
    }
}

#[tokio::test]
async fn an_answer_may_be_a_text_or_a_redirect() {
    let server = TestServer::start().await;
    let (ana, guest) = (server.admin().await, server.guest());
    let photo = pictures::photo_jpeg(60, 40, 1);
    let send = async |format: &str, key: &str| {
        let parts = [Text("format", format), Text("key", key), File("source", "a.jpg", &photo)];
        post_form(&guest, CHEVERETO, &parts).await
    };
    let text = send("txt", ana.token()).await.expect(StatusCode::OK);
    assert_eq!(text.header("content-type"), "text/plain; charset=UTF-8");
    guest.get(&path_of(&json!(text.text()))).await.expect(StatusCode::OK);
    let moved = send("redirect", ana.token()).await.expect(StatusCode::FOUND);
    assert!(moved.header("location").starts_with("/m/"));
    guest.get(moved.header("location")).await.expect(StatusCode::OK);
    for format in ["txt", "redirect"] {
        let refused = send(format, "vk_wrong").await.expect(StatusCode::BAD_REQUEST);
        assert_eq!(refused.text(), "No API key, or an invalid one.");
    }
}

#[tokio::test]
async fn a_duplicate_is_the_item_there_is_or_a_refusal() {
    let server = TestServer::start().await;
    let (ana, guest) = (server.admin().await, server.guest());
    let photo = pictures::photo_jpeg(60, 40, 1);
    let parts = [Text("key", ana.token()), File("source", "a.jpg", &photo)];
    let first = image(&post_form(&guest, CHEVERETO, &parts).await);
    let again = image(&post_form(&guest, CHEVERETO, &parts).await);
    assert_eq!(first["url"], again["url"]);
    // Its delete link was shown once, and is not known here any more.
    assert!(again.get("delete_url").is_none());
    set(&ana, json!({ "duplicates": "reject" })).await;
    refused(&post_form(&guest, CHEVERETO, &parts).await, 400, 101);
    let ours = ana.upload_with(photo.clone(), "a.jpg", &[("allow_duplicate", "true")]).await;
    ours.problem(409, "duplicate");
    assert_eq!(server.stored_originals(".jpg"), 1);
    assert_eq!(server.leftovers(), 0);
}

#[tokio::test]
async fn a_film_says_so_and_has_a_frame() {
    let server = TestServer::start().await;
    let (ana, guest) = (server.admin().await, server.guest());
    let film = films::mp4();
    let parts = [Text("key", ana.token()), File("source", "waves.mp4", &film)];
    let shown = image(&post_form(&guest, CHEVERETO, &parts).await);
    assert_eq!((&shown["type"], &shown["extension"]), (&json!("video"), &json!("mp4")));
    assert_eq!(shown["chain"].as_u64().unwrap() & 16, 16);
    assert_eq!(shown["frame"]["url"], shown["url_frame"]);
    let frame = guest.get(&path_of(&shown["frame"]["url"])).await.expect(StatusCode::OK);
    assert!(frame.header("content-type").starts_with("image/"));
}

#[tokio::test]
async fn ten_at_once_are_ten_items() {
    let server = TestServer::start().await;
    let (ana, guest) = (server.admin().await, server.guest());
    let sending = (0..10).map(|seed| {
        let (guest, key) = (guest.clone(), ana.token().to_owned());
        async move {
            let photo = pictures::photo_jpeg(200, 150, seed);
            // The key comes last: all of them are kept aside at once.
            let parts = [File("source", "a.jpg", &photo), Text("key", &key)];
            post_form(&guest, CHEVERETO, &parts).await
        }
    });
    let answers = futures_util::future::join_all(sending).await;
    let urls: BTreeSet<String> = answers.iter().map(|a| image(a)["url"].to_string()).collect();
    assert_eq!(urls.len(), 10);
    assert_eq!(server.leftovers(), 0);
}

#[tokio::test]
async fn a_delete_link_asks_before_it_deletes() {
    let server = TestServer::start().await;
    let (ana, guest) = (server.admin().await, server.guest());
    let mut links: Vec<(String, Value)> = Vec::new();
    for (seed, title) in [(1, "Sea"), (2, "")] {
        let photo = pictures::photo_jpeg(60, 40, seed);
        let parts =
            [Text("key", ana.token()), Text("title", title), File("source", "a.jpg", &photo)];
        let shown = image(&post_form(&guest, CHEVERETO, &parts).await);
        let link = path_of(&shown["delete_url"]);
        assert!(link.starts_with(&format!("{}/delete/", shown["path_viewer"].as_str().unwrap())));
        links.push((link, shown["url"].clone()));
    }
    for ((link, url), method) in links.iter().zip([Method::POST, Method::DELETE]) {
        let page = guest.get(link).await.expect(StatusCode::OK);
        assert!(page.text().contains("Delete this picture?"));
        guest.get(&path_of(url)).await.expect(StatusCode::OK);
        guest.send(guest.request(Method::POST, &format!("{link}x"))).await;
        guest.get(&path_of(url)).await.expect(StatusCode::OK);
        guest.send(guest.request(method, link)).await.expect(StatusCode::OK);
        guest.get(&path_of(url)).await.expect(StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn an_album_must_be_ones_own() {
    let server = TestServer::start().await;
    let (ana, guest) = (server.admin().await, server.guest());
    let bob = server.person("bob", vitrina::accounts::Role::User).await;
    let album = ana.post("/api/v2/albums", json!({ "title": "Sea" })).await.json();
    let id = album["id"].as_str().unwrap();
    let photo = pictures::photo_jpeg(60, 40, 1);
    let send = async |key: &str| {
        let parts = [Text("key", key), Text("album_id", id), File("source", "a.jpg", &photo)];
        post_form(&guest, CHEVERETO, &parts).await
    };
    refused(&send(bob.token()).await, 400, 400);
    assert_eq!((server.stored_files(), server.leftovers()), (0, 0));
    let shown = image(&send(ana.token()).await);
    let item = ana.get(&format!("/api/v2/media/{}", shown["id_encoded"].as_str().unwrap())).await;
    assert_eq!(item.json()["album"]["title"], "Sea");
}

#[tokio::test]
async fn an_api_that_is_switched_off_is_not_there() {
    let server = TestServer::start().await;
    let (ana, guest) = (server.admin().await, server.guest());
    set(&ana, json!({ "client_apis": ["imgbb"] })).await;
    let path = format!("{CHEVERETO}?key={}", ana.token());
    post_pairs(&guest, &path, &[("source", "aGVsbG8=")]).await.problem(404, "not_found");
    for path in ["/api/upload", "/api/v1/upload", "/api/v1/tokens"] {
        post_pairs(&ana, path, &[]).await.problem(404, "not_found");
    }
    let photo = pictures::photo_jpeg(60, 40, 1);
    let path = format!("/1/upload?key={}", ana.token());
    post_form(&guest, &path, &[File("image", "a", &photo)]).await.expect(StatusCode::OK);
}
