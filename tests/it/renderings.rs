//! Pictures made on demand, and variants that a site adds.

use crate::kit::{Client, TestServer, files_under, path_of, pictures};
use image::{DynamicImage, ImageFormat};
use reqwest::StatusCode;
use serde_json::{Value, json};
use vitrina::{base::ids::TenantId, tenancy::usage};

async fn address(of: &Client, media: &Value, shape: Value) -> String {
    let path = format!("/api/v2/media/{}/renderings", media["id"].as_str().unwrap());
    let answer = of.post(&path, shape).await.expect(StatusCode::CREATED).json();
    path_of(&answer["url"])
}

fn decoded(bytes: &[u8]) -> (ImageFormat, DynamicImage) {
    (image::guess_format(bytes).unwrap(), image::load_from_memory(bytes).unwrap())
}

#[tokio::test]
async fn a_signed_address_gives_the_picture_in_the_shape_it_names() {
    let server = TestServer::start().await;
    let (ana, guest) = (server.admin().await, server.guest());
    let media = ana.upload(pictures::photo_jpeg(800, 600, 1), "a.jpg").await;
    let cases = [
        (json!({ "width": 200 }), (200, 150), ImageFormat::Jpeg),
        (json!({ "height": 120 }), (160, 120), ImageFormat::Jpeg),
        (json!({ "width": 300, "height": 90 }), (120, 90), ImageFormat::Jpeg),
        (json!({ "width": 90, "height": 120, "fit": "cover" }), (90, 120), ImageFormat::Jpeg),
        (json!({ "width": 200, "format": "webp" }), (200, 150), ImageFormat::WebP),
        (json!({ "width": 200, "format": "png" }), (200, 150), ImageFormat::Png),
        (json!({ "width": 4000, "quality": 30 }), (800, 600), ImageFormat::Jpeg),
    ];
    for (shape, size, format) in cases {
        let url = address(&ana, &media, shape.clone()).await;
        let answer = guest.get(&url).await.expect(StatusCode::OK);
        let (found, picture) = decoded(&answer.body);
        assert_eq!((found, (picture.width(), picture.height())), (format, size), "{shape}");
        assert_eq!(answer.header("content-type"), format.to_mime_type());
        assert!(answer.header("cache-control").contains("immutable"));
        let again = guest.with_header("if-none-match", answer.header("etag")).get(&url).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED);
        let part = guest.with_header("range", "bytes=0-9").get(&url).await;
        assert_eq!(part.expect(StatusCode::PARTIAL_CONTENT).body, answer.body[..10]);
        let varies = answer.header("vary").to_lowercase().contains("accept");
        assert_eq!(varies, shape.get("format").is_none(), "{shape}");
    }
}

#[tokio::test]
async fn the_format_goes_by_what_the_client_accepts() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let opaque = ana.upload(pictures::photo_jpeg(300, 200, 1), "a.jpg").await;
    let clear = ana.upload(pictures::png(300, 200, true), "b.png").await;
    for (media, accept, format) in [
        (&opaque, "image/webp,*/*", ImageFormat::WebP),
        (&opaque, "*/*", ImageFormat::Jpeg),
        (&clear, "image/webp", ImageFormat::WebP),
    ] {
        let url = address(&ana, media, json!({ "width": 100 })).await;
        let answer = server.guest().with_header("accept", accept).get(&url).await;
        assert_eq!(decoded(&answer.expect(StatusCode::OK).body).0, format, "{accept}");
    }
    // Small ones as AVIF, where the server can write it.
    let best = server.guest().with_header("accept", "image/avif,image/webp,*/*");
    let small = if cfg!(feature = "codecs") { "image/avif" } else { "image/webp" };
    for (width, kind) in [(100, small), (640, small), (641, "image/webp")] {
        let url = address(&ana, &opaque, json!({ "width": width })).await;
        let answer = best.get(&url).await.expect(StatusCode::OK);
        assert_eq!(answer.header("content-type"), kind, "{width}");
        assert!(answer.header("vary").to_lowercase().contains("accept"));
    }
    let named = json!({ "width": 90, "format": "avif" });
    if cfg!(feature = "codecs") {
        let url = address(&ana, &opaque, named).await;
        let answer = server.guest().get(&url).await.expect(StatusCode::OK);
        assert_eq!(answer.header("content-type"), "image/avif");
        ana.upload(answer.body, "made.avif").await;
    } else {
        let path = format!("/api/v2/media/{}/renderings", opaque["id"].as_str().unwrap());
        ana.post(&path, named).await.names_field(422, "format");
    }
    let url = address(&ana, &clear, json!({ "width": 100, "format": "jpeg" })).await;
    let (_, picture) = decoded(&server.guest().get(&url).await.expect(StatusCode::OK).body);
    assert!(!picture.color().has_alpha());
}

#[tokio::test]
async fn an_address_that_was_tampered_with_opens_nothing() {
    let server = TestServer::start().await;
    let (ana, guest) = (server.admin().await, server.guest());
    let one = ana.upload(pictures::photo_jpeg(400, 300, 1), "a.jpg").await;
    let two = ana.upload(pictures::photo_jpeg(400, 300, 2), "a.jpg").await;
    let url = address(&ana, &one, json!({ "width": 100 })).await;
    let other = url.replace(one["id"].as_str().unwrap(), two["id"].as_str().unwrap());
    let (bare, _) = url.split_once("&sig=").unwrap();
    for wrong in [
        url.replace("w=100", "w=101"),
        url.replace("fit=contain", "fit=cover&h=100"),
        format!("{url}&q=5"),
        other,
        bare.to_owned(),
        format!("{bare}&sig="),
        format!("{bare}&sig=AAAA"),
    ] {
        guest.get(&wrong).await.problem(403, "bad_signature");
    }
    guest.get(&format!("{bare}&sig=x&w=1")).await;
    for (field, query) in [("w", "w=0"), ("h", "h=x"), ("fit", "w=1&fit=x"), ("q", "w=1&q=101")] {
        let path = path_of(&one["urls"]["original"]);
        guest.get(&format!("{path}?{query}&sig=x")).await.names_field(422, field);
    }
    assert_eq!(guest.get(&url).await.status, StatusCode::OK);
    let before = server.stored_files();
    for wrong in ["w=101", "w=102", "w=103"] {
        guest.get(&url.replace("w=100", wrong)).await;
    }
    assert_eq!(server.stored_files(), before);
}

#[tokio::test]
async fn a_shape_opens_nothing_that_its_asker_may_not_see() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let media = ana.upload(pictures::photo_jpeg(400, 300, 1), "a.jpg").await;
    let url = address(&ana, &media, json!({ "width": 100 })).await;
    server.guest().get(&url).await.expect(StatusCode::OK);
    let item = format!("/api/v2/media/{}", media["id"].as_str().unwrap());
    ana.patch(&item, json!({ "visibility": "private" })).await.expect(StatusCode::OK);
    server.guest().get(&url).await.problem(404, "not_found");
    ana.get(&url).await.expect(StatusCode::OK);
    ana.delete(&format!("{item}?permanent=true")).await.expect(StatusCode::NO_CONTENT);
    ana.get(&url).await.problem(404, "not_found");
    assert_eq!(server.stored_files(), 0, "they go with their original");
}

#[tokio::test]
async fn many_who_ask_at_once_get_what_is_made_once() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let media = ana.upload(pictures::photo_jpeg(1200, 900, 1), "a.jpg").await;
    let url = address(&ana, &media, json!({ "width": 333 })).await;
    let askers = (0..20).map(|_| {
        let (guest, url) = (server.guest(), url.clone());
        tokio::spawn(async move { guest.get(&url).await.expect(StatusCode::OK).body })
    });
    let mut bodies = Vec::new();
    for asker in askers.collect::<Vec<_>>() {
        bodies.push(asker.await.unwrap());
    }
    assert!(bodies.windows(2).all(|two| two[0] == two[1]));
    let tenant = server.running.tenants.get(&TenantId::parse("main").unwrap()).await.unwrap();
    let stats = tenant.read(usage::stats).await.unwrap();
    // Two with the upload, and this one.
    assert_eq!(stats.amount("variants_rendered_month"), 3);
    assert_eq!(stats.amount("bytes_rendered"), bodies[0].len() as u64);
}

#[tokio::test]
async fn what_was_not_asked_for_the_longest_goes_first() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let media = ana.upload(pictures::photo_jpeg(800, 600, 1), "a.jpg").await;
    let ours = || files_under(&server.data().join("tenants/main/media"));
    let before = ours().len();
    let mut addresses = Vec::new();
    for width in [300, 310, 320] {
        addresses.push(address(&ana, &media, json!({ "width": width })).await);
    }
    let size = ana.get(&addresses[0]).await.expect(StatusCode::OK).body.len();
    let settings = json!({ "resize_cache_bytes": size * 5 / 2 });
    ana.patch("/api/v2/site/settings", settings).await.expect(StatusCode::OK);
    for url in &addresses[1..] {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        ana.get(url).await.expect(StatusCode::OK);
    }
    assert_eq!(ours().len(), before + 2);
    let gone = format!("{}x", 300);
    assert!(ours().iter().all(|f| !f.display().to_string().contains(&gone)));
    // It is made again for whoever asks, and a file that is lost as well.
    let lost = ours().into_iter().find(|f| f.display().to_string().contains("320x")).unwrap();
    std::fs::remove_file(lost).unwrap();
    for url in &addresses {
        ana.get(url).await.expect(StatusCode::OK);
    }
    // Even where nothing may be kept, whoever asks gets the picture.
    ana.patch("/api/v2/site/settings", json!({ "resize_cache_bytes": 0 })).await;
    let url = address(&ana, &media, json!({ "width": 50 })).await;
    ana.get(&url).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_site_says_which_shapes_it_makes() {
    let server = TestServer::start().await;
    let (ana, guest) = (server.admin().await, server.guest());
    let media = ana.upload(pictures::photo_jpeg(800, 600, 1), "a.jpg").await;
    let set = |settings: Value| {
        let ana = ana.clone();
        async move { ana.patch("/api/v2/site/settings", settings).await }
    };
    let url = address(&ana, &media, json!({ "width": 150 })).await;
    set(json!({ "resize_steps": [100, 200], "resize_max_side": 500 })).await.expect(StatusCode::OK);
    let (_, picture) = decoded(&guest.get(&url).await.expect(StatusCode::OK).body);
    assert_eq!(picture.width(), 200);
    let path = format!("/api/v2/media/{}/renderings", media["id"].as_str().unwrap());
    ana.post(&path, json!({ "width": 501 })).await.names_field(422, "width");
    ana.post(&path, json!({ "width": 50, "fit": "cover" })).await.names_field(422, "width");
    ana.post(&path, json!({ "width": 50, "fit": "fill" })).await.names_field(422, "fit");
    ana.post(&path, json!({ "width": 50, "format": "gif" })).await.names_field(422, "format");
    set(json!({ "resize_steps": [0] })).await.names_field(422, "resize_steps");
    set(json!({ "resize_urls": false })).await.expect(StatusCode::OK);
    guest.get(&url).await.problem(403, "forbidden");
    ana.post(&path, json!({ "width": 50 })).await.problem(403, "forbidden");
}

#[tokio::test]
async fn a_site_may_add_variants_of_its_own() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let settings = json!({ "more_variants": [
        { "name": "large", "width": 600 },
        { "name": "square", "fit": "cover", "width": 100, "height": 100, "format": "png" },
    ], "variant_format": "webp" });
    ana.patch("/api/v2/site/settings", settings).await.expect(StatusCode::OK);
    let media = ana.upload(pictures::photo_jpeg(800, 400, 1), "a.jpg").await;
    let mut found = Vec::new();
    for variant in media["variants"].as_array().unwrap() {
        let bytes = server.guest().get(&path_of(&variant["url"])).await.expect(StatusCode::OK).body;
        let (format, picture) = decoded(&bytes);
        let name = variant["name"].as_str().unwrap().to_owned();
        found.push((name, format, picture.width(), picture.height()));
    }
    found.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    let expected = [
        ("large", ImageFormat::Jpeg, 600, 300),
        ("medium", ImageFormat::WebP, 800, 400),
        ("square", ImageFormat::Png, 100, 100),
        ("thumb", ImageFormat::WebP, 320, 320),
    ];
    assert_eq!(found, expected.map(|(name, f, w, h)| (name.to_owned(), f, w, h)));
    let wrong = json!({ "more_variants": [{ "name": "thumb", "width": 600 }] });
    ana.patch("/api/v2/site/settings", wrong).await.names_field(422, "more_variants");
}

#[tokio::test]
async fn animations_stay_animations_in_medium_and_stand_still_in_thumb() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let small = json!({ "medium_side": 20, "thumb_width": 16, "thumb_height": 16 });
    ana.patch("/api/v2/site/settings", small).await.expect(StatusCode::OK);
    for (bytes, name) in [
        (pictures::gif(5), "a.gif"),
        (pictures::animated_webp(5), "a.webp"),
        (pictures::apng(5), "a.png"),
    ] {
        let media = ana.upload(bytes, name).await;
        let get = |which: &str| {
            let (guest, url) = (server.guest(), path_of(&media["urls"][which]));
            async move { guest.get(&url).await.expect(StatusCode::OK) }
        };
        let medium = get("medium").await;
        assert_eq!(medium.header("content-type"), "image/webp", "{name}");
        let frames = frames_of(&medium.body);
        assert_eq!(frames.len(), 5, "{name}");
        let total_ms: u32 = frames.iter().map(|(_, ms)| ms).sum();
        assert_eq!(u64::from(total_ms), media["duration_ms"].as_u64().unwrap(), "{name}");
        assert!(frames.iter().all(|(picture, _)| picture.width() == 20), "{name}");
        assert_ne!(frames[0].0, frames[1].0, "{name}: it moves");
        let thumb = get("thumb").await;
        assert!(image::load_from_memory(&thumb.body).is_ok(), "{name}");
        assert!(!thumb.body.windows(4).any(|w| w == b"ANMF"), "{name}");
    }
    let large = json!({ "variant_format": "jpeg" });
    ana.patch("/api/v2/site/settings", large).await.expect(StatusCode::OK);
    let media = ana.upload(pictures::gif(4), "b.gif").await;
    let medium = server.guest().get(&path_of(&media["urls"]["medium"])).await;
    assert_eq!(decoded(&medium.body).0, ImageFormat::Jpeg);
}

/// The frames of an animated WebP as they are shown, and for how long each.
fn frames_of(bytes: &[u8]) -> Vec<(image::RgbaImage, u32)> {
    use image::AnimationDecoder;
    let decoder = image::codecs::webp::WebPDecoder::new(std::io::Cursor::new(bytes)).unwrap();
    let shown = decoder.into_frames().map(|frame| {
        let frame = frame.unwrap();
        let (over, under) = frame.delay().numer_denom_ms();
        (frame.into_buffer(), over / under)
    });
    shown.collect()
}
