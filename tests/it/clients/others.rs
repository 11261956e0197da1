//! The APIs of imgBB, Lsky Pro and Zipline.

use super::{File, Text, post_form, post_pairs, refused};
use crate::kit::{TestServer, path_of, pictures};
use reqwest::StatusCode;
use serde_json::json;
use vitrina::accounts::Role;

#[tokio::test]
async fn imgbb_takes_a_file_and_gives_an_address() {
    let server = TestServer::start().await;
    let (ana, guest) = (server.admin().await, server.guest());
    let photo = pictures::photo_jpeg(600, 400, 1);
    let path = format!("/1/upload?key={}", ana.token());
    let answer = post_form(&guest, &path, &[File("image", "sea.jpg", &photo)]).await;
    let body = answer.expect(StatusCode::OK).json();
    assert_eq!((&body["success"], &body["status"]), (&json!(true), &json!(200)));
    let data = &body["data"];
    assert_eq!((&data["title"], &data["expiration"]), (&json!("sea"), &json!(0)));
    assert_eq!((&data["width"], &data["image"]["filename"]), (&json!(600), &json!("sea.jpg")));
    for url in [&data["url"], &data["display_url"], &data["thumb"]["url"]] {
        guest.get(&path_of(url)).await.expect(StatusCode::OK);
    }
    assert!(data["delete_url"].as_str().unwrap().contains("/delete/"));
    refused(&post_pairs(&guest, "/1/upload", &[("image", "aGVsbG8=")]).await, 400, 100);
    refused(&post_pairs(&guest, &path, &[("image", "aGVsbG8=")]).await, 400, 612);
}

#[tokio::test]
async fn lsky_from_the_password_to_the_deletion() {
    let server = TestServer::start().await;
    server.admin().await;
    let (guest, bob) = (server.guest(), server.person("bob", Role::User).await);
    let wrong = json!({ "email": "ana@example.org", "password": "wrong" });
    let answer = guest.post("/api/v1/tokens", wrong).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["status"]), (401, &json!(false)));
    let right = json!({ "email": "ana@example.org", "password": "correct horse" });
    let token = guest.post("/api/v1/tokens", right).await.expect(StatusCode::OK).json();
    let ana = guest.with_token(token["data"]["token"].as_str().unwrap());
    // It can do what these clients do, and no more.
    ana.get("/api/v2/site/settings").await.problem(403, "missing_scope");

    let photo = pictures::photo_jpeg(600, 400, 1);
    let parts = [
        File("file", "sea.jpg", &photo),
        Text("strategy_id", "1"),
        Text("permission", "0"),
        Text("ssl", "true"),
    ];
    let answer = post_form(&ana, "/api/v1/upload", &parts).await.expect(StatusCode::OK).json();
    assert_eq!(answer["status"], true);
    let data = &answer["data"];
    for key in ["key", "name", "pathname", "origin_name", "mimetype", "extension", "md5", "sha1"] {
        assert!(data[key].is_string(), "{key}: {data}");
    }
    assert_eq!(data["md5"].as_str().unwrap().len(), 32);
    for link in ["url", "html", "bbcode", "markdown", "markdown_with_link", "thumbnail_url"] {
        assert!(data["links"][link].is_string(), "{link}: {data}");
    }
    guest.get(&path_of(&data["links"]["url"])).await.expect(StatusCode::OK);
    let key = data["key"].as_str().unwrap();
    let item = ana.get(&format!("/api/v2/media/{key}")).await.json();
    assert_eq!(item["visibility"], "unlisted");

    let profile = ana.get("/api/v1/profile").await.expect(StatusCode::OK).json();
    assert_eq!(
        (&profile["data"]["image_num"], &profile["data"]["name"]),
        (&json!(1), &json!("ana"))
    );
    let strategies = ana.get("/api/v1/strategies").await.expect(StatusCode::OK).json();
    assert_eq!(strategies["data"]["strategies"][0]["id"], 1);
    let list = ana.get("/api/v1/images?page=1&order=newest").await.expect(StatusCode::OK).json();
    assert_eq!((&list["data"]["total"], &list["data"]["data"][0]["key"]), (&json!(1), &json!(key)));
    let of_bob = bob.get("/api/v1/images").await.expect(StatusCode::OK).json();
    assert_eq!(of_bob["data"]["total"], 0);
    for wrong in ["page=0", "page=x", "keyword=sea", "order=utmost"] {
        let answer = ana.get(&format!("/api/v1/images?{wrong}")).await;
        assert_eq!(answer.status, 422, "{wrong}");
    }

    let album = ana.post("/api/v2/albums", json!({ "title": "Sea" })).await.json();
    let album = album["id"].as_str().unwrap();
    let second = pictures::photo_jpeg(60, 40, 2);
    let parts = [File("file", "b.jpg", &second), Text("album_id", album)];
    post_form(&ana, "/api/v1/upload", &parts).await.expect(StatusCode::OK);
    let albums = ana.get("/api/v1/albums").await.expect(StatusCode::OK).json();
    let listed = &albums["data"]["data"][0];
    assert_eq!((&listed["id"], &listed["image_num"]), (&json!(album), &json!(1)));
    assert_eq!(bob.delete(&format!("/api/v1/albums/{album}")).await.status, 403);
    ana.delete(&format!("/api/v1/albums/{album}")).await.expect(StatusCode::OK);
    assert_eq!(ana.get("/api/v1/albums").await.json()["data"]["total"], 0);

    let path = format!("/api/v1/images/{key}");
    assert_eq!(guest.delete(&path).await.status, 401);
    assert_eq!(bob.delete(&path).await.status, 403);
    assert_eq!(ana.delete(&path).await.expect(StatusCode::OK).json()["status"], true);
    guest.get(&path_of(&data["links"]["url"])).await.expect(StatusCode::NOT_FOUND);
    assert_eq!(ana.delete("/api/v1/images/nothing").await.status, 404);
    for path in ["profile", "strategies", "images", "albums"] {
        assert_eq!(guest.get(&format!("/api/v1/{path}")).await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn zipline_hears_its_headers() {
    let server = TestServer::start().await;
    let (ana, guest) = (server.admin().await, server.guest());
    let zipline = guest.with_header("authorization", ana.token());
    let (one, two) = (pictures::photo_jpeg(60, 40, 1), pictures::photo_jpeg(60, 40, 2));
    let plain = post_form(&zipline, "/api/upload", &[File("file", "sea.jpg", &one)]).await;
    let body = plain.expect(StatusCode::OK).json();
    let file = &body["files"][0];
    assert_eq!((&file["name"], &file["type"]), (&json!("sea.jpg"), &json!("image/jpeg")));
    guest.get(&path_of(&file["url"])).await.expect(StatusCode::OK);
    assert!(body.get("deletesAt").is_none());

    let parts = [File("file", "a.jpg", &one), File("file", "b.jpg", &two)];
    let text = zipline.with_header("x-zipline-no-json", "true");
    let text = post_form(&text, "/api/upload", &parts).await.expect(StatusCode::OK);
    assert!(text.header("content-type").starts_with("text/plain"));
    assert_eq!(text.text().split(',').count(), 2);

    let album = ana.post("/api/v2/albums", json!({ "title": "Sea" })).await.json();
    let three = pictures::photo_jpeg(60, 40, 3);
    let until = zipline
        .with_header("x-zipline-folder", album["id"].as_str().unwrap())
        .with_header("x-zipline-deletes-at", "1d")
        .with_header("x-zipline-filename", "Low tide.jpg")
        .with_header("x-zipline-format", "uuid");
    let answer = post_form(&until, "/api/upload", &[File("file", "c.jpg", &three)]).await;
    let body = answer.expect(StatusCode::OK).json();
    assert_eq!(body["files"][0]["name"], "low-tide.jpg");
    let id = body["files"][0]["id"].as_str().unwrap();
    let item = ana.get(&format!("/api/v2/media/{id}")).await.json();
    assert_eq!(
        (&item["album"]["title"], &item["filename"]),
        (&json!("Sea"), &json!("Low tide.jpg"))
    );
    let at: jiff::Timestamp = body["deletesAt"].as_str().unwrap().parse().unwrap();
    let hours = at.duration_since(jiff::Timestamp::now()).as_hours();
    assert!((23..=24).contains(&hours), "{hours}");

    let stored = server.stored_originals(".jpg");
    let four = pictures::photo_jpeg(60, 40, 4);
    for (name, value) in [
        ("x-zipline-password", "secret"),
        ("x-zipline-max-views", "3"),
        ("x-zipline-folder", "nothing"),
        ("content-range", "bytes 0-99/1000"),
        ("x-zipline-deletes-at", "yesterday"),
    ] {
        let asking = zipline.with_header(name, value);
        let answer = post_form(&asking, "/api/upload", &[File("file", "d.jpg", &four)]).await;
        assert!(answer.status.is_client_error(), "{name}: {}", answer.text());
        assert!(answer.json()["error"].is_string());
    }
    assert_eq!(server.stored_originals(".jpg"), stored);
    assert_eq!(server.leftovers(), 0);
}
