//! Pictures that look alike, and those that are blocked.

use crate::kit::{Client, TestServer, pictures};
use image::{DynamicImage, codecs::jpeg::JpegEncoder, imageops::FilterType};
use reqwest::StatusCode;
use serde_json::{Value, json};
use vitrina::accounts::Role;

const BLOCKED: &str = "/api/v2/blocked-pictures";

/// Twelve patches of colour, at places that the seed decides.
fn scene(seed: u32) -> DynamicImage {
    let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
    let mut random = move |below: u32| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state % below
    };
    let mut image = image::RgbImage::from_pixel(300, 200, image::Rgb([90, 120, 140]));
    for _ in 0..12 {
        let (left, top, width, height) =
            (random(260), random(170), 20 + random(100), 20 + random(80));
        let color = image::Rgb([random(256), random(256), random(256)].map(|n| n as u8));
        for y in top..(top + height).min(200) {
            for x in left..(left + width).min(300) {
                image.put_pixel(x, y, color);
            }
        }
    }
    image.into()
}

fn jpeg(image: &DynamicImage, quality: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(image).unwrap();
    bytes
}

fn id(media: &Value) -> String {
    media["id"].as_str().unwrap().to_owned()
}

async fn similar(client: &Client, media: &Value) -> Vec<String> {
    let path = format!("/api/v2/media/{}/similar", id(media));
    let found = client.get(&path).await.expect(StatusCode::OK).json();
    found["items"].as_array().unwrap().iter().map(|item| id(&item["media"])).collect()
}

#[tokio::test]
async fn the_same_picture_is_found_in_other_clothes() {
    let server = TestServer::start().await;
    let (ana, bob) = (server.admin().await, server.person("bob", Role::User).await);
    let whole = ana.upload(jpeg(&scene(1), 90), "a.jpg").await;
    let small = scene(1).resize(150, 100, FilterType::Triangle);
    let small = ana.upload(jpeg(&small, 60), "b.jpg").await;
    ana.upload(jpeg(&scene(2), 90), "c.jpg").await;
    let hidden = [("visibility", "private")];
    let private = jpeg(&scene(1).brighten(6), 80);
    let private = ana.upload_with(private, "d.jpg", &hidden).await.expect(StatusCode::CREATED);
    let private = private.json();
    let unlisted = jpeg(&scene(1).brighten(4), 80);
    let unlisted = ana.upload_with(unlisted, "e.jpg", &[("visibility", "unlisted")]).await.json();
    let plain = ana.upload(pictures::webp(40, 40, false), "f.webp").await;

    let mut own = similar(&ana, &whole).await;
    own.sort();
    let mut all = vec![id(&small), id(&private), id(&unlisted)];
    all.sort();
    assert_eq!(own, all);
    // Others find what they could find anyway.
    assert_eq!(similar(&bob, &whole).await, [id(&small)]);
    bob.get(&format!("/api/v2/media/{}/similar", id(&private))).await.problem(404, "not_found");
    assert!(similar(&ana, &plain).await.is_empty(), "too little structure to tell");
    let path = format!("/api/v2/media/{}/similar", id(&whole));
    ana.get(&format!("{path}?distance=21")).await.names_field(422, "distance");
    ana.get(&format!("{path}?limit=0")).await.names_field(422, "limit");
    let one = ana.get(&format!("{path}?limit=1")).await.json();
    assert_eq!(one["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_blocked_stays_out_also_in_other_clothes() {
    let server = TestServer::start().await;
    let (meg, bob) =
        (server.person("meg", Role::Manager).await, server.person("bob", Role::User).await);
    let media = bob.upload(jpeg(&scene(5), 90), "spam.jpg").await;
    let wanted = json!({ "media_id": id(&media), "reason": "spam" });
    let blocked = meg.post(BLOCKED, wanted.clone()).await.expect(StatusCode::CREATED).json();
    assert_eq!((&blocked["by_looks"], &blocked["blocked_by"]), (&json!(true), &json!("meg")));
    meg.delete(&format!("/api/v2/media/{}?permanent=true", id(&media)))
        .await
        .expect(StatusCode::NO_CONTENT);
    let files = server.stored_files();
    for (label, bytes) in [
        ("the same file", jpeg(&scene(5), 90)),
        ("encoded anew", jpeg(&scene(5), 50)),
        ("scaled", jpeg(&scene(5).resize(200, 200, FilterType::Triangle), 80)),
        ("a little lighter", jpeg(&scene(5).brighten(5), 85)),
    ] {
        let answer = bob.upload_with(bytes, "again.jpg", &[]).await;
        assert_eq!(answer.problem(422, "blocked")["errors"][0]["field"], "file", "{label}");
    }
    assert_eq!(server.stored_files(), files);
    assert_eq!(server.leftovers(), 0);
    bob.upload(jpeg(&scene(6), 90), "another.jpg").await;

    let list = meg.get(BLOCKED).await.expect(StatusCode::OK).json();
    assert_eq!(list["items"], json!([blocked]));
    let path = format!("{BLOCKED}/{}", id(&blocked));
    meg.delete(&path).await.expect(StatusCode::NO_CONTENT);
    meg.delete(&path).await.problem(404, "not_found");
    bob.upload(jpeg(&scene(5), 90), "spam.jpg").await;
}

#[tokio::test]
async fn pictures_without_structure_are_known_by_their_bytes() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let media = ana.upload(pictures::plain_png(20, 20, [200, 40, 40]), "a.png").await;
    let wanted = json!({ "media_id": id(&media) });
    let blocked = ana.post(BLOCKED, wanted.clone()).await.expect(StatusCode::CREATED).json();
    assert_eq!(blocked["by_looks"], false);
    // Blocked again, it is the same entry.
    let again = json!({ "media_id": id(&media), "reason": "because" });
    let again = ana.post(BLOCKED, again).await.expect(StatusCode::CREATED).json();
    assert_eq!((&again["id"], &again["reason"]), (&blocked["id"], &json!("because")));
    let same = [("allow_duplicate", "true")];
    let answer = ana.upload_with(pictures::plain_png(20, 20, [200, 40, 40]), "b.png", &same).await;
    answer.problem(422, "blocked");
    ana.upload(pictures::plain_png(21, 20, [200, 40, 40]), "c.png").await;
    let missing = json!({ "media_id": "4hTr7WqM2k" });
    ana.post(BLOCKED, missing).await.problem(404, "not_found");
}

#[tokio::test]
async fn items_from_before_are_looked_at_when_variants_are_made_anew() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let one = ana.upload(jpeg(&scene(3), 90), "a.jpg").await;
    let two = ana.upload(jpeg(&scene(3), 70), "b.jpg").await;
    let file = server.data().join("tenants/main/site.sqlite");
    crate::kit::database(&file).execute("UPDATE media SET looks = 0", []).unwrap();
    assert!(similar(&ana, &one).await.is_empty());
    ana.post("/api/v2/variants/regeneration", json!({})).await.expect(StatusCode::ACCEPTED);
    for _ in 0..300 {
        if similar(&ana, &one).await == [id(&two)] {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the items still look like nothing");
}
