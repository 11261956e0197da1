//! Watermarks, and the uploads that are kept as they came.

use crate::kit::{Answer, Client, TestServer, path_of, pictures};
use image::{DynamicImage, Rgba, RgbaImage};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::io::Cursor;
use vitrina::accounts::Role;

const PATH: &str = "/api/v2/site/watermark";
const SETTINGS: &str = "/api/v2/site/settings";
const BLUE: [u8; 3] = [20, 40, 200];

fn png(image: impl Into<DynamicImage>) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    image.into().write_to(&mut file, image::ImageFormat::Png).unwrap();
    file.into_inner()
}

/// A red mark, and a blue picture to put it on.
fn red() -> Vec<u8> {
    png(RgbaImage::from_pixel(40, 20, Rgba([255, 0, 0, 255])))
}

fn blue(width: u32, height: u32) -> Vec<u8> {
    pictures::plain_png(width, height, BLUE)
}

async fn put(client: &Client, bytes: Vec<u8>) -> Answer {
    let request = client.request(Method::PUT, PATH).header("content-type", "image/png");
    client.send(request.body(bytes)).await
}

/// A server whose uploads get the red mark, in the middle and opaque.
async fn marking(more: Value) -> (TestServer, Client) {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    put(&ana, red()).await.expect(StatusCode::OK);
    let mut settings = json!({ "watermark_enabled": true, "watermark_place": "center",
        "watermark_opacity": 100, "watermark_scale": 50 });
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    ana.patch(SETTINGS, settings).await.expect(StatusCode::OK);
    (server, ana)
}

async fn file(client: &Client, media: &Value, kind: &str) -> Answer {
    client.get(&path_of(&media["urls"][kind])).await.expect(StatusCode::OK)
}

#[track_caller]
fn shows(picture: &[u8], x: u32, y: u32, color: [u8; 3]) {
    let image = image::load_from_memory(picture).unwrap().into_rgb8();
    let found = image.get_pixel(x, y).0;
    assert!(found.iter().zip(color).all(|(a, b)| a.abs_diff(b) < 12), "{found:?} {color:?}");
}

const RED: [u8; 3] = [255, 0, 0];

#[tokio::test]
async fn everybody_sees_the_mark_and_the_owner_keeps_the_clean_file() {
    let (server, ana) = marking(json!({})).await;
    let uploaded = blue(400, 300);
    let media = ana.upload(uploaded.clone(), "sky.png").await;
    assert_eq!((&media["mime"], &media["width"]), (&json!("image/png"), &json!(400)));
    for kind in ["original", "medium"] {
        let shown = file(&server.guest(), &media, kind).await.body;
        shows(&shown, 200, 150, RED);
        shows(&shown, 10, 10, BLUE);
    }
    let shown = file(&server.guest(), &media, "thumb").await.body;
    shows(&shown, 150, 150, RED);

    let source = file(&ana, &media, "source").await;
    assert_eq!(source.body, uploaded);
    assert!(source.header("content-disposition").starts_with("attachment"));
    assert_eq!(source.header("cache-control"), "private, no-cache");
    assert_eq!(source.header("content-type"), "image/png");
}

#[tokio::test]
async fn nobody_else_learns_of_the_clean_file() {
    let (server, ana) = marking(json!({})).await;
    let bob = server.person("bob", Role::User).await;
    let media = bob.upload(blue(400, 300), "sky.png").await;
    let path = format!("/api/v2/media/{}", media["id"].as_str().unwrap());
    let source = path_of(&media["urls"]["source"]);
    for stranger in [server.guest(), server.person("eve", Role::User).await] {
        let seen = stranger.get(&path).await.expect(StatusCode::OK).json();
        assert!(seen["urls"].get("source").is_none(), "{seen}");
        stranger.get(&source).await.problem(404, "not_found");
        stranger.head(&source).await.expect(StatusCode::NOT_FOUND);
    }
    for keeper in [&bob, &ana] {
        keeper.get(&source).await.expect(StatusCode::OK);
        let part = keeper.with_header("range", "bytes=0-3").get(&source).await;
        assert_eq!(part.expect(StatusCode::PARTIAL_CONTENT).body, b"\x89PNG");
    }
    // It is a file of the item, and goes with it.
    let files = server.stored_files();
    bob.delete(&format!("{path}?permanent=true")).await.expect(StatusCode::NO_CONTENT);
    assert_eq!(server.stored_files(), files - 4);
}

#[tokio::test]
async fn the_clean_file_counts_as_stored() {
    let (server, ana) = marking(json!({})).await;
    let stored = || async {
        let tenant = server.running.tenants.get(&vitrina::base::ids::TenantId::main()).await;
        let read = tenant.unwrap().read(vitrina::tenancy::usage::stats).await.unwrap();
        read.amount("bytes_stored")
    };
    assert_eq!(stored().await, 0);
    let media = ana.upload(blue(400, 300), "sky.png").await;
    let bytes = |value: &Value| value["bytes"].as_u64().unwrap();
    let variants: u64 = media["variants"].as_array().unwrap().iter().map(bytes).sum();
    let source = file(&ana, &media, "source").await.body.len() as u64;
    assert_eq!(stored().await, bytes(&media) + variants + source);
    let path = format!("/api/v2/media/{}?permanent=true", media["id"].as_str().unwrap());
    ana.delete(&path).await.expect(StatusCode::NO_CONTENT);
    assert_eq!(stored().await, 0);
}

#[tokio::test]
async fn the_settings_say_who_gets_it_and_on_what() {
    let more = json!({ "watermark_roles": ["user"], "watermark_min_width": 200 });
    let (server, ana) = marking(more).await;
    let bob = server.person("bob", Role::User).await;
    let is_marked = |media: &Value| media["urls"].get("source").is_some();
    assert!(is_marked(&bob.upload(blue(200, 150), "a.png").await));
    assert!(!is_marked(&bob.upload(blue(199, 150), "a.png").await), "too narrow");
    assert!(!is_marked(&bob.upload(blue(250, 99), "a.png").await), "too low");
    assert!(!is_marked(&ana.upload(blue(300, 200), "a.png").await), "another role");
    let sphere = pictures::jpeg_of_a_sphere(400, 200);
    assert!(!is_marked(&bob.upload(sphere, "a.jpg").await), "a picture of all around");
    ana.patch(SETTINGS, json!({ "watermark_enabled": false })).await.expect(StatusCode::OK);
    assert!(!is_marked(&bob.upload(blue(210, 150), "a.png").await), "switched off");
    ana.patch(SETTINGS, json!({ "watermark_enabled": true })).await.expect(StatusCode::OK);
    ana.delete(PATH).await.expect(StatusCode::NO_CONTENT);
    assert!(!is_marked(&bob.upload(blue(220, 150), "a.png").await), "there is none");
}

#[tokio::test]
async fn animations_are_marked_where_the_site_wants_it() {
    let (server, ana) =
        marking(json!({ "watermark_min_width": 1, "watermark_min_height": 1 })).await;
    let gif = pictures::gif(4);
    let media = ana.upload(gif.clone(), "a.gif").await;
    assert_eq!((&media["mime"], &media["frames"]), (&json!("image/gif"), &json!(4)));
    assert_eq!(file(&server.guest(), &media, "original").await.body.len(), gif.len());

    ana.patch(SETTINGS, json!({ "watermark_animated": true })).await.expect(StatusCode::OK);
    let fields = [("allow_duplicate", "true")];
    let media = ana.upload_with(gif.clone(), "a.gif", &fields).await.expect(StatusCode::CREATED);
    let media = media.json();
    assert_eq!((&media["mime"], &media["is_animated"]), (&json!("image/webp"), &json!(true)));
    assert_eq!(media["filename"], "a.webp");
    assert_eq!(file(&ana, &media, "source").await.body, gif);
    let marked = file(&server.guest(), &media, "original").await.body;
    let (x, y) = (media["width"].as_u64().unwrap() / 2, media["height"].as_u64().unwrap() / 2);
    shows(&marked, x as u32, y as u32, RED);
}

#[tokio::test]
async fn only_pictures_become_watermarks() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    ana.get(PATH).await.problem(404, "not_found");
    ana.delete(PATH).await.problem(404, "not_found");
    put(&ana, b"no picture at all".to_vec()).await.expect(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    put(&ana, pictures::png_bomb_30000()).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    put(&ana, vec![0; 1024 * 1024 + 1]).await.problem(413, "too_large");
    put(&ana, Vec::new()).await.expect(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    ana.get(PATH).await.problem(404, "not_found");

    let large = png(RgbaImage::from_pixel(3000, 300, Rgba([1, 2, 3, 128])));
    let kept = put(&ana, large).await.expect(StatusCode::OK).json();
    assert_eq!((&kept["width"], &kept["height"]), (&json!(1500), &json!(150)));
    let shown = ana.get(PATH).await.expect(StatusCode::OK);
    assert_eq!(shown.header("content-type"), "image/png");
    let shown = image::load_from_memory(&shown.body).unwrap().into_rgba8();
    assert_eq!(shown.get_pixel(700, 70).0[3], 128);
    assert_eq!(server.leftovers(), 0);
}

#[tokio::test]
async fn uploads_are_kept_as_the_site_says() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let keep = |word: &'static str| ana.patch(SETTINGS, json!({ "keep_uploads": word }));
    let told = |n: u32| pictures::jpeg_with_exif(64 + 16 * n, 48, 6, true);
    let media = ana.upload(told(0), "a.jpg").await;
    assert!(media["urls"].get("source").is_none(), "the default keeps what was marked alone");
    keep("always").await.expect(StatusCode::OK);
    let media = ana.upload(told(1), "a.jpg").await;
    assert_eq!(file(&ana, &media, "source").await.body, told(1));
    assert_ne!(file(&ana, &media, "original").await.body, told(1));
    // What is public as it came is not kept twice.
    let plain = file(&ana, &media, "original").await.body;
    let fields = [("allow_duplicate", "true")];
    let media = ana.upload_with(plain, "a.jpg", &fields).await.expect(StatusCode::CREATED).json();
    assert!(media["urls"].get("source").is_none());
    let media = ana.upload(pictures::bmp(31, 17), "a.bmp").await;
    assert_eq!(media["mime"], "image/png");
    assert_eq!(file(&ana, &media, "source").await.body, pictures::bmp(31, 17));
    assert_eq!(file(&ana, &media, "source").await.header("content-type"), "image/bmp");
    keep("never").await.expect(StatusCode::OK);
    put(&ana, red()).await.expect(StatusCode::OK);
    ana.patch(SETTINGS, json!({ "watermark_enabled": true })).await.expect(StatusCode::OK);
    let media = ana.upload(blue(300, 200), "a.png").await;
    assert!(media["urls"].get("source").is_none());
}
