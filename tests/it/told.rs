//! What a file tells about itself: the words of the item, the names of its files, and which side
//! is up.

use crate::kit::{Client, TestServer, path_of, pictures};
use reqwest::StatusCode;
use serde_json::{Value, json};

const SETTINGS: &str = "/api/v2/site/settings";

/// A JPEG with a title, a description and tags in it.
fn worded(seed: u32) -> Vec<u8> {
    pictures::jpeg_with_exif(48 + 16 * seed, 48, 1, false)
}

async fn told(client: &Client, seed: u32, fields: &[(&str, &str)]) -> Value {
    let answer = client.upload_with(worded(seed), "IMG_1.jpg", fields).await;
    answer.expect(StatusCode::CREATED).json()
}

#[tokio::test]
async fn words_of_the_file_become_those_of_the_item() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let media = told(&ana, 1, &[]).await;
    for (word, own) in [("title", &media["title"]), ("description", &media["description"])] {
        assert!(own.as_str().is_some_and(|text| !text.is_empty()), "{word}: {media}");
        assert_eq!(own, &media["metadata"][word]);
    }
    let lower = |tags: &Value| -> Vec<String> {
        tags.as_array().unwrap().iter().map(|t| t.as_str().unwrap().to_lowercase()).collect()
    };
    assert!(!lower(&media["tags"]).is_empty());
    assert_eq!(lower(&media["tags"]), lower(&media["metadata"]["tags"]));

    let own = told(&ana, 2, &[("title", "Mine"), ("tags", "own")]).await;
    assert_eq!((&own["title"], &own["tags"]), (&json!("Mine"), &json!(["own"])));
    assert_eq!(own["description"], media["description"]);

    ana.patch(SETTINGS, json!({ "words_from_files": false })).await.expect(StatusCode::OK);
    let silent = told(&ana, 3, &[]).await;
    assert!(silent.get("title").is_none() && silent.get("description").is_none(), "{silent}");
    assert_eq!(silent["tags"], json!([]));
}

#[tokio::test]
async fn tags_of_the_file_never_break_a_limit() {
    let server = TestServer::with(&[("enforce", "max_tags=1")]).await;
    let ana = server.admin().await;
    assert_eq!(told(&ana, 1, &[]).await["tags"].as_array().unwrap().len(), 1);
    assert_eq!(told(&ana, 2, &[]).await["tags"], json!([]));
    let asked = ana.upload_with(worded(3), "a.jpg", &[("tags", "another")]).await;
    asked.problem(403, "limit_reached");
}

#[tokio::test]
async fn hidden_file_names_leak_nowhere() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let all = json!({ "hide_file_names": true, "keep_uploads": "always" });
    ana.patch(SETTINGS, all).await.expect(StatusCode::OK);
    let photo = pictures::jpeg_with_exif(64, 48, 6, true);
    let media = ana.upload(photo, "jane-doe-passport.jpg").await;
    let id = media["id"].as_str().unwrap();
    assert_eq!(media["filename"], format!("{id}.jpg"));
    assert!(!media.to_string().contains("passport"), "{media}");
    for kind in ["original", "medium", "thumb", "source"] {
        let file = ana.get(&path_of(&media["urls"][kind])).await.expect(StatusCode::OK);
        let name = file.header("content-disposition").to_lowercase();
        assert!(name.contains(&id.to_lowercase()) && !name.contains("passport"), "{name}");
    }
}

#[cfg(feature = "codecs")]
#[tokio::test]
async fn photographs_are_turned_upright_without_loss() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let stored = pictures::photo_jpeg(160, 96, 7);
    let orientation_of = |bytes: &[u8]| bytes.windows(4).position(|w| w == b"Exif").map(|_| ());
    let media = ana.upload(pictures::with_orientation(&stored, 6), "a.jpg").await;
    assert_eq!((&media["width"], &media["height"]), (&json!(96), &json!(160)));
    let public = ana.get(&path_of(&media["urls"]["original"])).await.body;
    assert_eq!(orientation_of(&public), None, "nothing is left to turn");
    let shown = image::load_from_memory(&public).unwrap();
    let expected = image::load_from_memory(&stored).unwrap().rotate90();
    let pairs = shown.as_bytes().iter().zip(expected.as_bytes());
    assert!(pairs.map(|(a, b)| a.abs_diff(*b)).max() <= Some(3));

    // What cannot be turned exactly stays as it is, and says how it is meant.
    let odd = ana.upload(pictures::with_orientation(&pictures::photo_jpeg(90, 70, 1), 6), "b.jpg");
    let odd = odd.await;
    assert_eq!((&odd["width"], &odd["height"]), (&json!(70), &json!(90)));
    assert!(orientation_of(&ana.get(&path_of(&odd["urls"]["original"])).await.body).is_some());

    ana.patch(SETTINGS, json!({ "turn_upright": false })).await.expect(StatusCode::OK);
    let left = pictures::with_orientation(&pictures::photo_jpeg(160, 96, 8), 6);
    let left = ana.upload(left, "c.jpg").await;
    assert!(orientation_of(&ana.get(&path_of(&left["urls"]["original"])).await.body).is_some());
}

#[tokio::test]
async fn pictures_of_all_around_are_told_to_everybody() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let sphere = ana.upload(pictures::jpeg_of_a_sphere(400, 200), "a.jpg").await;
    let plain = ana.upload(pictures::photo_jpeg(400, 200, 1), "b.jpg").await;
    for (media, is_360) in [(sphere, true), (plain, false)] {
        let path = format!("/api/v2/media/{}", media["id"].as_str().unwrap());
        assert_eq!(server.guest().get(&path).await.json()["is_360"], is_360);
    }
}
