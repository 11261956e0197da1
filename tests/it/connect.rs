//! What other people's programs are told, and what is said of an address to other sites.

use crate::kit::{Client, TestServer, films, pictures};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use vitrina::accounts::Role;

/// Uploads as a program does that follows the settings to the letter.
async fn follow(guest: &Client, file: &Value, n: u32) -> Value {
    let path = file["RequestURL"].as_str().unwrap().splitn(4, '/').nth(3).unwrap().to_owned();
    let bytes = reqwest::multipart::Part::bytes(pictures::png(20 + n, 9, false)).file_name("a.png");
    let mut form = reqwest::multipart::Form::new();
    for (name, value) in file["Arguments"].as_object().into_iter().flatten() {
        form = form.text(name.clone(), value.as_str().unwrap().to_owned());
    }
    form = form.part(file["FileFormName"].as_str().unwrap().to_owned(), bytes);
    let mut request = guest.request(Method::POST, &format!("/{path}")).multipart(form);
    for (name, value) in file["Headers"].as_object().unwrap() {
        request = request.header(name, value.as_str().unwrap());
    }
    let answer = guest.send(request).await;
    assert!(answer.status.is_success(), "{path}: {}", answer.text());
    answer.json()
}

/// What `{json:a.b}` stands for.
fn pick<'a>(answer: &'a Value, words: &str) -> &'a str {
    let path = words.strip_prefix("{json:").and_then(|w| w.strip_suffix('}')).unwrap();
    path.split('.').fold(answer, |value, name| &value[name]).as_str().unwrap()
}

#[tokio::test]
async fn sharex_gets_settings_that_work() {
    let server = TestServer::start().await;
    let bob = server.person("bob", Role::User).await;
    let answer = bob.get("/api/v2/sharex.sxcu?link=direct").await.expect(StatusCode::OK);
    assert_eq!(answer.header("cache-control"), "no-store");
    let attachment = answer.header("content-disposition");
    assert!(attachment.starts_with("attachment;") && attachment.ends_with(".sxcu\""));
    let file = answer.json();
    assert_eq!(file["Headers"]["Authorization"], format!("Bearer {}", bob.token()));
    let media = follow(&server.guest(), &file, 1).await;
    for words in ["URL", "ThumbnailURL"] {
        bob.get(pick(&media, file[words].as_str().unwrap())).await.expect(StatusCode::OK);
    }
    assert!(pick(&media, file["DeletionURL"].as_str().unwrap()).contains("/delete/"));
    for (query, field) in [("style=other", "style"), ("link=thumb", "link")] {
        bob.get(&format!("/api/v2/sharex.sxcu?{query}")).await.names_field(422, field);
    }
}

#[tokio::test]
async fn a_browser_gets_a_token_of_its_own_if_a_person_asked() {
    let server = TestServer::start().await;
    let site = server.tenant("alice", "alice.example").await;
    site.person("bob", Role::User).await;
    let browser = site.sign_in("bob").await;
    let file = browser.get("/api/v2/sharex.sxcu").await.expect(StatusCode::OK).json();
    follow(&site.guest(), &file, 1).await;
    let tokens = browser.get("/api/v2/tokens").await.json();
    assert!(tokens["items"].as_array().unwrap().iter().any(|t| t["name"] == "ShareX"), "{tokens}");
    // A page elsewhere that leads a browser there makes none.
    let lured = site.guest().with_header("cookie", &browser.header("cookie"));
    let lured = lured.with_header("sec-fetch-site", "cross-site");
    for path in ["/api/v2/sharex.sxcu", "/api/v2/upload.sh"] {
        lured.get(path).await.problem(403, "cross_site");
    }
    let script = browser.get("/api/v2/upload.sh").await.expect(StatusCode::OK);
    assert!(script.text().starts_with("#!/bin/sh\n") && script.text().contains("token='vk_"));
    assert!(!script.text().contains("@TOKEN@") && !script.text().contains("@ORIGIN@"));
}

#[tokio::test]
async fn other_sites_are_told_how_to_show_an_address() {
    let server = TestServer::start().await;
    server.admin().await;
    let bob = server.person("bob", Role::User).await;
    let fields = [("title", "Salt & <sand>")];
    let bytes = pictures::photo_jpeg(1600, 1200, 1);
    let media = bob.upload_with(bytes, "a.jpg", &fields).await.expect(StatusCode::CREATED).json();
    let view = media["urls"]["view"].as_str().unwrap();
    let guest = server.guest();
    let html = guest.get(view).await.text();
    let link = html.split("application/json+oembed\" href=\"").nth(1).unwrap();
    let link = link.split('"').next().unwrap().replace("&amp;", "&");
    let told = guest.get(&link).await.expect(StatusCode::OK).json();
    assert_eq!((&told["type"], &told["version"]), (&json!("photo"), &json!("1.0")));
    assert_eq!((&told["title"], &told["author_name"]), (&json!("Salt & <sand>"), &json!("bob")));
    assert_eq!((&told["width"], &told["height"]), (&json!(1600), &json!(1200)));
    guest.get(told["thumbnail_url"].as_str().unwrap()).await.expect(StatusCode::OK);
    // No larger than there is room for.
    let small = guest.get(&format!("/oembed?url={view}&maxwidth=400&maxheight=400")).await.json();
    assert!(small["width"].as_u64().unwrap() <= 400, "{small}");
    guest.get(small["url"].as_str().unwrap()).await.expect(StatusCode::OK);
    let xml = guest.get(&format!("/oembed/?url={view}&format=xml")).await;
    assert!(xml.header("content-type").starts_with("text/xml"));
    assert!(xml.text().contains("<title>Salt &amp; &lt;sand&gt;</title>"), "{}", xml.text());
    assert_eq!(guest.get("/oembed?url=x&format=yaml").await.status, StatusCode::NOT_IMPLEMENTED);
    let film = bob.upload(films::mp4(), "film.mp4").await;
    let path = format!("/oembed?url={}", film["urls"]["view"].as_str().unwrap());
    let told = guest.get(&path).await.json();
    assert_eq!(told["type"], "video");
    assert!(told["html"].as_str().unwrap().starts_with("<video "), "{told}");
    // Nothing of what is not for everybody, and nothing of elsewhere.
    let item = format!("/api/v2/media/{}", media["id"].as_str().unwrap());
    bob.patch(&item, json!({ "visibility": "private" })).await.expect(StatusCode::OK);
    for url in [view, "https://elsewhere.example/m/8fKq2ZtP9x", "nonsense", ""] {
        let answer = guest.get(&format!("/oembed?url={url}")).await;
        assert!(answer.status.is_client_error(), "{url}: {}", answer.status);
    }
}

#[tokio::test]
async fn the_upload_window_opens_for_listed_sites_only() {
    let server = TestServer::start().await;
    let (admin, bob) = (server.admin().await, server.person("bob", Role::User).await);
    let forum = "/upload/popup?origin=https://forum.example";
    assert_eq!(bob.get(forum).await.status, StatusCode::FORBIDDEN);
    let listed = json!({ "popup_origins": ["https://Forum.example"] });
    admin.patch("/api/v2/site/settings", listed).await.expect(StatusCode::OK);
    let open = bob.get(forum).await.expect(StatusCode::OK);
    assert_eq!(open.header("cross-origin-opener-policy"), "unsafe-none");
    assert!(open.text().contains("data-origin=\"https://forum.example\""));
    assert!(!open.header("content-security-policy").contains("forum"));
    assert!(server.guest().get(forum).await.text().contains("Sign in first"));
    for origin in ["", "https://evil.example", "https://forum.example.evil.example", "null"] {
        let path = format!("/upload/popup?origin={origin}");
        assert_eq!(bob.get(&path).await.status, StatusCode::FORBIDDEN, "{origin}");
    }
    for bad in [json!(["forum.example"]), json!(["https://a.example/path"]), json!("*")] {
        let change = json!({ "popup_origins": bad });
        admin.patch("/api/v2/site/settings", change).await.names_field(422, "popup_origins");
    }
    let script = server.guest().get("/sdk/pup.js").await.expect(StatusCode::OK);
    assert!(script.header("content-type").starts_with("text/javascript"));
    assert_eq!(script.header("cross-origin-resource-policy"), "cross-origin");
}
