//! Films and recordings over HTTP, as they are taken in without any other program.

use crate::kit::{TestServer, films as f, path_of, pictures as p};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use vitrina::accounts::Role;

/// A server that has no `ffmpeg`, wherever it runs.
async fn bare() -> TestServer {
    TestServer::with(&[("ffmpeg", "off")]).await
}

fn cover() -> Vec<u8> {
    p::photo_jpeg(300, 300, 4)
}

#[tokio::test]
async fn a_film_becomes_an_item_with_a_neutral_poster() {
    let server = bare().await;
    let ana = server.admin().await;
    let media = ana.upload(f::told_mp4(), "My Film.avi").await;
    assert_eq!((&media["kind"], &media["mime"]), (&json!("video"), &json!("video/quicktime")));
    assert_eq!((&media["width"], &media["height"]), (&json!(360), &json!(640)));
    assert_eq!((&media["duration_ms"], &media["is_animated"]), (&json!(10_000), &json!(false)));
    assert_eq!(media["filename"], "My Film.mov");
    let av = &media["av"];
    assert_eq!((&av["video_codec"], &av["audio_codec"]), (&json!("h264"), &json!("aac")));
    assert_eq!((&av["frame_rate"], &av["poster"]), (&json!(25.0), &json!("neutral")));
    assert_eq!(media["metadata"]["camera_make"], "Lumen");
    assert_eq!(media["taken_at"], "2024-01-31T09:30:00Z");

    // Every picture that items have is there, in the proportions of the film.
    for (name, size) in [("poster", (720, 1280)), ("medium", (675, 1200)), ("thumb", (320, 320))] {
        let picture = server.guest().get(&path_of(&media["urls"][name])).await;
        let picture = picture.expect(StatusCode::OK);
        assert!(picture.header("content-type").starts_with("image/"), "{name}");
        let picture = image::load_from_memory(&picture.body).unwrap();
        assert_eq!((picture.width(), picture.height()), size, "{name}");
    }
    assert!(!media["placeholder"].as_str().unwrap().is_empty());
    assert!(media["variants"].as_array().unwrap().iter().all(|v| v["name"] != "poster"));

    // The bytes go out in pieces, for a player, and tell nothing.
    let original = path_of(&media["urls"]["original"]);
    let part = server.guest().with_header("range", "bytes=4-7").get(&original).await;
    assert_eq!((part.status.as_u16(), &*part.body), (206, &b"ftyp"[..]));
    let whole = server.guest().get(&original).await.expect(StatusCode::OK);
    assert!(whole.header("content-disposition").starts_with("inline"));
    assert_eq!(whole.header("x-content-type-options"), "nosniff");
    assert!(!whole.body.windows(p::SECRET.len()).any(|run| run == p::SECRET));
    assert_eq!(server.leftovers(), 0);
}

#[tokio::test]
async fn every_kind_is_taken_by_its_content() {
    let server = bare().await;
    let ana = server.admin().await;
    for (bytes, name, kind, mime) in [
        (f::mp4(), "a.mp3", "video", "video/mp4"),
        (f::webm(), "b", "video", "video/webm"),
        (f::mkv(), "c.txt", "video", "video/matroska"),
        (f::m4a(&cover()), "d.mp4", "audio", "audio/mp4"),
        (f::mp3(&cover()), "e.jpg", "audio", "audio/mpeg"),
        (f::wav(&cover()), "f.exe", "audio", "audio/wav"),
        (f::flac(&cover()), "g.html", "audio", "audio/flac"),
        (f::ogg(), "h.svg", "audio", "audio/ogg"),
    ] {
        let media = ana.upload(bytes, name).await;
        assert_eq!((&media["kind"], &media["mime"]), (&json!(kind), &json!(mime)), "{name}");
        let file = server.guest().get(&path_of(&media["urls"]["original"])).await;
        assert_eq!(file.expect(StatusCode::OK).header("content-type"), mime);
        if kind == "audio" {
            assert_eq!(media["title"], "A song", "{name}");
            assert_eq!((&media["av"]["artist"], &media["av"]["channels"]).0, "Ana", "{name}");
            let expected = if name == "h.svg" { "neutral" } else { "cover" };
            assert_eq!(media["av"]["poster"], expected, "{name}");
        }
    }
    let site = server.guest().get("/api/v2/site").await.json();
    let formats = site["formats"].as_array().unwrap();
    for mime in ["image/jpeg", "video/mp4", "audio/flac"] {
        assert!(formats.contains(&json!(mime)), "{mime}");
    }
}

#[tokio::test]
async fn a_cover_is_the_picture_of_a_song_and_tells_nothing_itself() {
    let server = bare().await;
    let ana = server.admin().await;
    let told = p::jpeg_with_exif(64, 48, 1, true);
    let media = ana.upload(f::mp3(&told), "song.mp3").await;
    assert_eq!(media["av"]["poster"], "cover");
    let poster = server.guest().get(&path_of(&media["urls"]["poster"])).await;
    let poster = poster.expect(StatusCode::OK);
    assert_eq!(poster.header("content-type"), "image/jpeg");
    assert!(!poster.body.windows(p::SECRET.len()).any(|run| run == p::SECRET));
    let song = server.guest().get(&path_of(&media["urls"]["original"])).await.body;
    assert!(!song.windows(p::SECRET.len()).any(|run| run == p::SECRET));
    assert!(song.windows(3).any(|run| run == [0xff, 0xd8, 0xff]), "it lost its cover");
    // What cannot be shown is no reason to refuse the song.
    for cover in [b"no picture".to_vec(), p::jpeg_bomb_baseline_65500(), p::truncated(&cover())] {
        let fields = [("allow_duplicate", "true")];
        let media = ana.upload_with(f::mp3(&cover), "song.mp3", &fields).await;
        assert_eq!(media.expect(StatusCode::CREATED).json()["av"]["poster"], "neutral");
    }
}

#[tokio::test]
async fn sites_say_what_they_take() {
    let server = bare().await;
    let ana = server.admin().await;
    let set = async |settings: Value| {
        ana.patch("/api/v2/site/settings", settings).await.expect(StatusCode::OK);
    };
    set(json!({ "kinds": ["video"] })).await;
    ana.upload_with(f::mp3(&cover()), "a.mp3", &[]).await.problem(415, "unsupported_media");
    ana.upload_with(p::png(20, 10, false), "a.png", &[]).await.problem(415, "unsupported_media");
    ana.upload(f::mp4(), "a.mp4").await;
    let film = f::webm();
    for (settings, status, code) in [
        (json!({ "max_video_bytes": 1024 }), 413, "too_large"),
        (json!({ "max_video_bytes": null, "max_play_seconds": 9 }), 422, "too_long"),
        (json!({ "max_play_seconds": null, "max_tracks": 1 }), 422, "too_many_tracks"),
        (json!({ "max_tracks": null, "max_bit_rate": 1000 }), 422, "bit_rate_too_high"),
    ] {
        set(settings).await;
        let film = match code {
            "too_large" => [&*film, &[0; 2000]].concat(),
            "bit_rate_too_high" => f::mp4(),
            _ => film.clone(),
        };
        let answer = ana.upload_with(film, "a.webm", &[]).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
        assert_eq!(answer.json()["code"], code);
    }
    set(json!({ "kinds": ["image", "audio"], "max_bit_rate": null })).await;
    ana.upload_with(film, "a.webm", &[]).await.problem(415, "unsupported_media");
    let answer = ana.patch("/api/v2/site/settings", json!({ "kinds": ["films"] })).await;
    answer.names_field(422, "kinds");
    assert_eq!((server.leftovers(), server.stored_files()), (0, 4));
}

#[tokio::test]
async fn a_poster_can_be_given_and_every_picture_follows() {
    let server = bare().await;
    let (ana, bob) = (server.admin().await, server.person("bob", Role::User).await);
    let media = ana.upload(f::mp4(), "a.mp4").await;
    let path = format!("/api/v2/media/{}/poster", media["id"].as_str().unwrap());
    let put = async |who: &crate::kit::Client, path: &str, bytes: Vec<u8>| {
        let request = who.request(Method::PUT, path).header("content-type", "image/png");
        who.send(request.body(bytes)).await
    };
    put(&bob, &path, p::plain_png(400, 300, p::RED)).await.problem(403, "forbidden");
    let before = server.stored_files();
    let new = put(&ana, &path, p::plain_png(400, 300, p::RED)).await.expect(StatusCode::OK).json();
    assert_eq!((&new["av"]["poster"], &new["width"]), (&json!("upload"), &json!(640)));
    assert_eq!(new["color"], "#d22828");
    assert_eq!(server.stored_files(), before);
    for name in ["poster", "medium", "thumb"] {
        assert_ne!(new["urls"][name], media["urls"][name]);
        server.guest().get(&path_of(&new["urls"][name])).await.expect(StatusCode::OK);
    }
    // The old address of a variant leads to the new one.
    let moved = server.guest().get(&path_of(&media["urls"]["thumb"])).await;
    assert_eq!(moved.status, StatusCode::FOUND);
    put(&ana, &path, b"no picture".to_vec()).await.problem(415, "unsupported_media");
    let at = ana.request(Method::PUT, &path).json(&json!({ "at_ms": 1000 }));
    ana.send(at).await.problem(503, "unavailable");
    let at = ana.request(Method::PUT, &path).json(&json!({ "at_ms": 10_001 }));
    ana.send(at).await.names_field(422, "at_ms");
    // A picture is its own poster.
    let picture = ana.upload(p::png(20, 10, false), "a.png").await;
    let path = format!("/api/v2/media/{}/poster", picture["id"].as_str().unwrap());
    put(&ana, &path, p::plain_png(40, 30, p::RED)).await.problem(409, "no_poster");
    // Of a song the poster is what there is to be seen.
    let song = ana.upload(f::ogg(), "a.ogg").await;
    let path = format!("/api/v2/media/{}/poster", song["id"].as_str().unwrap());
    let song = put(&ana, &path, p::plain_png(400, 300, p::RED)).await.json();
    assert_eq!((&song["width"], &song["height"]), (&json!(400), &json!(300)));
    assert_eq!(server.leftovers(), 0);
}

#[tokio::test]
async fn usage_counts_posters_and_deletion_takes_them_along() {
    let server = bare().await;
    let ana = server.admin().await;
    let media = ana.upload(f::mp4(), "a.mp4").await;
    let files = server.data().join("tenants/main/media");
    let on_disk = || -> u64 {
        let files = crate::kit::files_under(&files);
        files.iter().map(|file| file.metadata().unwrap().len()).sum()
    };
    let counted = || -> u64 {
        let db = crate::kit::database(&server.data().join("tenants/main/site.sqlite"));
        let amount = "SELECT amount FROM usage WHERE name = 'bytes_stored'";
        db.query_row(amount, [], |r| r.get::<_, i64>(0)).unwrap().unsigned_abs()
    };
    assert_eq!(on_disk(), counted());
    let path = format!("/api/v2/media/{}?permanent=true", media["id"].as_str().unwrap());
    ana.delete(&path).await.expect(StatusCode::NO_CONTENT);
    assert_eq!((on_disk(), counted()), (0, 0));
}

#[tokio::test]
async fn films_without_a_picture_of_their_own_are_not_alike() {
    let server = bare().await;
    let ana = server.admin().await;
    let first = ana.upload(f::mp4(), "a.mp4").await;
    let block = json!({ "media_id": first["id"] });
    ana.post("/api/v2/blocked-pictures", block).await.expect(StatusCode::CREATED);
    let fields = [("allow_duplicate", "true")];
    ana.upload_with(f::mp4(), "b.mp4", &fields).await.problem(422, "blocked");
    ana.upload(f::webm(), "c.webm").await;
}
