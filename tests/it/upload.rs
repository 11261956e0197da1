//! Taking files in.

use crate::kit::{TestServer, pictures};
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::StatusCode;
use serde_json::{Value, json};
use vitrina::accounts::Role;

#[tokio::test]
async fn a_photo_becomes_an_item_with_variants_and_addresses_that_work() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let fields =
        [("title", "At the <sea>"), ("tags[]", "sea"), ("tags", "Sun, sea"), ("nsfw", "1")];
    let answer =
        ana.upload_with(pictures::photo_jpeg(2000, 1500, 1), "My Photo.JPG", &fields).await;
    let media = answer.json();
    assert_eq!(answer.status, StatusCode::CREATED, "{media}");
    let id = media["id"].as_str().unwrap();
    let path = format!("/api/v2/media/{id}");
    assert_eq!(answer.header("location"), format!("{}{path}", server.running.public_url));
    assert_eq!(media["title"], "At the <sea>");
    assert_eq!(media["tags"], json!(["sea", "sun"]));
    assert_eq!((&media["width"], &media["height"]), (&json!(2000), &json!(1500)));
    assert_eq!((&media["kind"], &media["mime"]), (&json!("image"), &json!("image/jpeg")));
    assert_eq!((&media["visibility"], &media["nsfw"]), (&json!("public"), &json!(true)));
    assert!(media["urls"]["view"].as_str().unwrap().ends_with(&format!("/m/{id}/at-the-sea")));
    assert!(media["delete_url"].as_str().unwrap().contains(&format!("/delete/{id}/")));

    let sizes = |name: &str| {
        let all = media["variants"].as_array().unwrap();
        let one = all.iter().find(|v| v["name"] == name).unwrap();
        (one["width"].as_u64().unwrap(), one["height"].as_u64().unwrap())
    };
    assert_eq!(sizes("medium"), (1200, 900));
    assert_eq!(sizes("thumb"), (320, 320));
    for name in ["original", "medium", "thumb"] {
        let url = media["urls"][name].as_str().unwrap();
        let bytes = server.guest().get(url).await.expect(StatusCode::OK);
        assert_eq!(bytes.header("content-type"), "image/jpeg");
        let picture = image::load_from_memory(&bytes.body).unwrap();
        let expected = if name == "original" {
            (2000, 1500)
        } else {
            let (w, h) = sizes(name);
            (w as u32, h as u32)
        };
        assert_eq!((picture.width(), picture.height()), expected, "{name}");
    }
    let read = server.guest().get(&path).await.expect(StatusCode::OK).json();
    assert!(read.get("delete_url").is_none());
    assert_eq!(read["can_edit"], false);
    assert_eq!(server.leftovers(), 0);
}

#[tokio::test]
async fn every_kind_that_the_site_names_is_taken_by_its_content() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let files: [(&str, Vec<u8>, &str, bool); 11] = [
        ("a.txt", pictures::photo_jpeg(64, 48, 1), "image/jpeg", false),
        ("b", pictures::png(64, 48, true), "image/png", false),
        ("c.jpg", pictures::gif(1), "image/gif", false),
        ("d.gif", pictures::gif(3), "image/gif", true),
        ("e.png", pictures::webp(64, 48, true), "image/webp", false),
        ("f.webp", pictures::animated_webp(3), "image/webp", true),
        ("g.png", pictures::apng(3), "image/png", true),
        ("h.exe", pictures::bmp(64, 48), "image/png", false),
        ("i.jpg", pictures::tiff(60, 48, 6), "image/png", false),
        ("j.tif", pictures::tiff_cmyk(62, 48), "image/png", false),
        ("k.ico", pictures::ico(), "image/png", false),
    ];
    for (name, bytes, mime, animated) in files {
        let media = ana.upload(bytes, name).await;
        assert_eq!(media["mime"], mime, "{name}");
        assert_eq!(media["is_animated"], animated, "{name}");
        let end = mime.rsplit('/').next().unwrap().replace("jpeg", "jpg");
        assert!(media["filename"].as_str().unwrap().ends_with(&end), "{}", media["filename"]);
        let original = server.guest().get(media["urls"]["original"].as_str().unwrap()).await;
        assert_eq!(original.header("content-type"), mime);
        assert_eq!(image::guess_format(&original.body).unwrap().to_mime_type(), mime);
    }
}

#[tokio::test]
async fn avif_is_taken_where_the_build_can_and_refused_by_name_where_not() {
    let server = TestServer::start().await;
    let answer = server.admin().await.upload_with(pictures::avif(), "a.avif", &[]).await;
    if cfg!(feature = "codecs") {
        assert_eq!(answer.expect(StatusCode::CREATED).json()["mime"], "image/avif");
    } else {
        let problem = answer.problem(415, "unsupported_media");
        assert!(problem["detail"].as_str().unwrap().contains("AVIF"), "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("codecs"), "{problem}");
    }
}

/// What browsers do not show is kept as it came, and a rendering of it is what pages show.
#[cfg(all(feature = "heic", feature = "jxl"))]
#[tokio::test]
async fn originals_that_no_browser_shows_are_shown_as_renderings() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    for (bytes, mime, size, red_at) in [
        (pictures::heic_from_telephone(), "image/heic", (64, 96), (48, 16)),
        (pictures::jxl_with_exif(), "image/jxl", (64, 48), (16, 12)),
    ] {
        let media = ana.upload(bytes, "photo.bin").await;
        assert_eq!(media["mime"], mime);
        assert_eq!((&media["width"], &media["height"]), (&json!(size.0), &json!(size.1)));
        assert_eq!(media["metadata"]["camera_make"], "Lumen", "{media}");
        let original = server.guest().get(media["urls"]["original"].as_str().unwrap()).await;
        assert_eq!(original.header("content-type"), mime);
        let secret = pictures::SECRET;
        assert!(!original.body.windows(secret.len()).any(|window| window == secret));
        let address = media["urls"]["medium"].as_str().unwrap();
        let medium = server.guest().get(address).await;
        assert_eq!(medium.header("content-type"), "image/jpeg");
        let red = image::load_from_memory(&medium.body).unwrap().to_rgb8();
        assert_eq!(red.dimensions(), size);
        let red = red.get_pixel(red_at.0, red_at.1).0;
        assert!(red.iter().zip(pictures::RED).all(|(a, b)| a.abs_diff(b) < 30), "{red:?}");
        let page = server.guest().get(media["urls"]["view"].as_str().unwrap()).await.text();
        assert!(page.contains(&format!("class=\"picture\" src=\"{address}\"")), "{page}");
        assert!(!page.contains("srcset"));
        let path = format!("/api/v2/media/{}/embeds", media["id"].as_str().unwrap());
        let codes = ana.get(&path).await.expect(StatusCode::OK).json();
        let of = |name: &str| {
            let codes = codes["items"].as_array().unwrap();
            codes.iter().find(|code| code["name"] == name).unwrap()["code"].to_string()
        };
        assert!(of("html_original").contains(address), "{codes}");
        assert!(!of("direct_link").contains(address), "{codes}");
    }
}

#[tokio::test]
async fn what_the_camera_wrote_is_the_owners_and_in_no_public_byte() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    // Words of the file become words of the item, which are public: these do not.
    let own = [("title", "Rain"), ("description", "In spring")];
    let photo = pictures::jpeg_with_exif(400, 600, 6, true);
    let media = ana.upload_with(photo, "a.jpg", &own).await.expect(StatusCode::CREATED).json();
    // Orientation 6 lies on its side: the viewer sees it upright.
    assert_eq!((&media["width"], &media["height"]), (&json!(400), &json!(600)));
    let metadata = &media["metadata"];
    assert!(metadata["gps"]["latitude"].is_number(), "{metadata}");
    assert!(metadata["camera_model"].is_string(), "{metadata}");
    assert_eq!(metadata["city"], "SECRET-PLACE");
    assert_eq!(metadata["tags"], json!(["street", "rain"]));

    let path = format!("/api/v2/media/{}", media["id"].as_str().unwrap());
    let public = server.guest().get(&path).await.expect(StatusCode::OK).json();
    assert!(public.get("metadata").is_none());
    for url in media["urls"].as_object().unwrap().values() {
        let bytes = server.guest().get(url.as_str().unwrap()).await.expect(StatusCode::OK).body;
        let secret = b"SECRET-PLACE";
        assert!(!bytes.windows(secret.len()).any(|w| w == secret), "{url}");
    }
}

#[tokio::test]
async fn a_file_that_is_here_already_is_not_stored_twice() {
    let server = TestServer::start().await;
    let (ana, bob) = (server.admin().await, server.person("bob", Role::User).await);
    let photo = pictures::photo_jpeg(300, 200, 7);
    let first = ana.upload(photo.clone(), "a.jpg").await;
    let files = server.stored_files();

    let again = ana.upload_with(photo.clone(), "b.jpg", &[]).await.expect(StatusCode::OK).json();
    assert_eq!((&again["id"], &again["duplicate"]), (&first["id"], &json!(true)));
    assert!(again.get("delete_url").is_none());
    assert_eq!((server.stored_files(), server.leftovers()), (files, 0));

    let force = [("allow_duplicate", "true")];
    let second = ana.upload_with(photo.clone(), "b.jpg", &force).await.expect(StatusCode::CREATED);
    assert_ne!(second.json()["id"], first["id"]);
    let others = bob.upload(photo.clone(), "a.jpg").await;
    assert_ne!(others["id"], first["id"], "another person's file is none of bob's business");

    ana.delete(&format!("/api/v2/media/{}", first["id"].as_str().unwrap())).await;
    ana.delete(&format!("/api/v2/media/{}", second_id(&ana).await)).await;
    ana.upload_with(photo, "c.jpg", &[]).await.expect(StatusCode::CREATED);
}

async fn second_id(ana: &crate::kit::Client) -> String {
    let mine = ana.get("/api/v2/media?owner=me&limit=1").await.json();
    mine["items"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn of_the_same_file_sent_ten_times_at_once_one_is_kept() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let photo = pictures::photo_jpeg(300, 200, 8);
    let sends = (0..10).map(|n| {
        let (ana, photo) = (ana.clone(), photo.clone());
        tokio::spawn(async move { ana.upload_with(photo, &format!("{n}.jpg"), &[]).await })
    });
    let mut created = 0;
    for send in sends.collect::<Vec<_>>() {
        created += usize::from(send.await.unwrap().status == StatusCode::CREATED);
    }
    assert_eq!(created, 1);
    assert_eq!((server.stored_files(), server.leftovers()), (3, 0));
}

#[tokio::test]
async fn a_width_scales_the_picture_before_it_is_kept() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let width = [("width", "500")];
    let sideways = pictures::jpeg_with_exif(400, 600, 6, false);
    let narrower = ana.upload_with(sideways, "a.jpg", &[("width", "200")]).await.json();
    assert_eq!((&narrower["width"], &narrower["height"]), (&json!(200), &json!(300)));
    for bytes in [pictures::photo_jpeg(1000, 800, 2), pictures::png(1000, 800, true)] {
        let media = ana.upload_with(bytes, "a", &width).await.expect(StatusCode::CREATED).json();
        assert_eq!((&media["width"], &media["height"]), (&json!(500), &json!(400)));
        let url = media["urls"]["original"].as_str().unwrap();
        let picture = image::load_from_memory(&server.guest().get(url).await.body).unwrap();
        assert_eq!((picture.width(), picture.height()), (500, 400));
    }
    let small = ana.upload_with(pictures::png(100, 80, false), "a.png", &width).await.json();
    assert_eq!(small["width"], 100, "nothing is scaled up");
    let moving = ana.upload_with(pictures::gif(3), "a.gif", &[("width", "2")]).await;
    moving.problem(422, "animated_resize");
}

#[tokio::test]
async fn base64_is_taken_in_json() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let text = STANDARD.encode(pictures::png(40, 30, false));
    for (n, base64) in [text.clone(), format!("data:image/png;base64,{text}")].iter().enumerate() {
        let body = json!({
            "base64": base64, "filename": "shot.png", "tags": ["x"], "visibility": "unlisted",
            "allow_duplicate": n > 0,
        });
        let media = ana.post("/api/v2/media", body).await.expect(StatusCode::CREATED).json();
        assert_eq!((&media["filename"], &media["width"]), (&json!("shot.png"), &json!(40)));
        assert_eq!(media["visibility"], "unlisted");
    }
}

#[tokio::test]
async fn bad_fields_are_named_and_leave_nothing() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let long = "x".repeat(201);
    let cases = [
        ("title", &*long, "title"),
        ("visibility", "secret", "visibility"),
        ("visiblity", "private", "form"),
        ("nsfw", "maybe", "nsfw"),
        ("expires_in", "soon", "expires_in"),
        ("expires_in", "0", "expires_in"),
        ("width", "0", "width"),
        ("width", "wide", "width"),
        ("tags", &*"y".repeat(65), "tags"),
        ("file", "text and no file", "file"),
    ];
    for (field, value, named) in cases {
        let answer = ana.upload_with(pictures::png(9, 9, false), "a.png", &[(field, value)]).await;
        answer.names_field(422, named);
    }
    let json_cases = [
        (json!({}), "url"),
        (json!({ "url": "https://a.example/x.png", "base64": "aaaa" }), "base64"),
        (json!({ "base64": "!!!" }), "base64"),
        (json!({ "base64": "aGk=", "visibility": "secret" }), "visibility"),
    ];
    for (body, named) in json_cases {
        ana.post("/api/v2/media", body).await.names_field(422, named);
    }
    let misspelt = json!({ "base64": "aGk=", "visiblity": "private" });
    ana.post("/api/v2/media", misspelt).await.names_field(422, "body");
    assert_eq!((server.stored_files(), server.leftovers()), (0, 0));
}

#[tokio::test]
async fn a_file_larger_than_the_site_takes_is_refused_while_it_arrives() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let limit = json!({ "max_upload_bytes": 2000 });
    ana.patch("/api/v2/site/settings", limit).await.expect(StatusCode::OK);
    let answer = ana.upload_with(pictures::photo_jpeg(800, 600, 1), "a.jpg", &[]).await;
    answer.names_field(413, "file");
    assert_eq!((server.stored_files(), server.leftovers()), (0, 0));
}

#[tokio::test]
async fn pixels_and_frames_have_limits_that_the_admin_sets() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let limits = json!({ "max_pixels": 10_000, "max_frames": 3 });
    ana.patch("/api/v2/site/settings", limits).await.expect(StatusCode::OK);
    let large = ana.upload_with(pictures::png(200, 100, false), "a.png", &[]).await;
    large.problem(422, "too_many_pixels");
    large.names_field(422, "file");
    ana.upload_with(pictures::gif(4), "a.gif", &[]).await.problem(422, "too_many_frames");
    ana.upload_with(pictures::gif(3), "a.gif", &[]).await.expect(StatusCode::CREATED);
    let limits = json!({ "max_frames": null, "max_animation_seconds": 1 });
    ana.patch("/api/v2/site/settings", limits).await.expect(StatusCode::OK);
    ana.upload_with(pictures::gif(9), "a.gif", &[]).await.expect(StatusCode::CREATED);
    ana.upload_with(pictures::gif(11), "a.gif", &[]).await.problem(422, "animation_too_long");
}

#[tokio::test]
async fn variants_follow_the_sites_settings() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let sizes = json!({ "medium_side": 400, "thumb_width": 120, "thumb_height": 80 });
    ana.patch("/api/v2/site/settings", sizes).await.expect(StatusCode::OK);
    let media = ana.upload(pictures::photo_jpeg(1000, 500, 1), "a.jpg").await;
    let mut found: Vec<(Value, Value, Value)> = Vec::new();
    for v in media["variants"].as_array().unwrap() {
        found.push((v["name"].clone(), v["width"].clone(), v["height"].clone()));
    }
    assert_eq!(
        found,
        [(json!("medium"), json!(400), json!(200)), (json!("thumb"), json!(120), json!(80))]
    );
}

#[tokio::test]
async fn metadata_may_be_kept_where_the_site_says_so() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let keep = json!({ "strip_metadata": false });
    ana.patch("/api/v2/site/settings", keep).await.expect(StatusCode::OK);
    let photo = pictures::jpeg_with_exif(60, 40, 1, true);
    let media = ana.upload(photo.clone(), "a.jpg").await;
    let original = server.guest().get(media["urls"]["original"].as_str().unwrap()).await;
    assert_eq!(original.body, photo);
}
