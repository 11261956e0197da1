//! The pages, as a browser without scripts sees them.

use crate::kit::{Answer, Client, TestServer, films, pictures};
use reqwest::{Method, StatusCode};
use serde_json::json;
use vitrina::{
    accounts::{Role, link},
    base::ids::TenantId,
};

/// What must hold for every page.
#[track_caller]
fn sound(answer: &Answer, path: &str) -> String {
    let html = answer.text();
    assert!(answer.header("content-type").starts_with("text/html"), "{path}");
    assert_eq!(html.matches("<h1").count(), 1, "{path} has not exactly one h1");
    let title = html.split("<title>").nth(1).and_then(|t| t.split("</title>").next());
    assert!(title.is_some_and(|t| !t.trim().is_empty()), "{path} has no title");
    for image in html.split("<img").skip(1) {
        let tag = image.split('>').next().unwrap();
        assert!(tag.contains("alt="), "{path}: <img{tag}>");
    }
    let policy = answer.header("content-security-policy");
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("unsafe"),
        "{path}: {policy}"
    );
    assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
    for foreign in ["src=\"//", "src=\"https://", "<script>", " onclick=", " onload="] {
        assert!(!html.contains(foreign), "{path} has {foreign}");
    }
    html
}

async fn page(who: &Client, path: &str) -> String {
    let answer = who.get(path).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    sound(&answer, path)
}

#[tokio::test]
async fn every_page_is_whole_for_everybody_who_may_see_it() {
    let server = TestServer::start().await;
    let bob = server.person("bob", Role::User).await;
    server.admin().await;
    let media = bob.upload(pictures::photo_jpeg(300, 200, 1), "a.jpg").await;
    let view = media["urls"]["view"].as_str().unwrap().to_owned();
    let key = media["delete_url"].as_str().unwrap().to_owned();
    for path in ["/", "/sign-in", &view, &key] {
        page(&server.guest(), path).await;
    }
    let about = json!({ "title": "Sea & sand", "description": "Two weeks" });
    let album = bob.post("/api/v2/albums", about).await.json();
    let inner = json!({ "title": "Dunes", "parent": album["id"], "visibility": "private" });
    bob.post("/api/v2/albums", inner).await.expect(StatusCode::CREATED);
    let (item, put) = (media["id"].as_str().unwrap(), json!({ "album": album["id"] }));
    bob.patch(&format!("/api/v2/media/{item}"), put).await.expect(StatusCode::OK);
    let shelf = album["url"].as_str().unwrap();
    let own = [
        "/",
        "/library",
        "/library?trashed=true",
        "/account",
        "/account/connect",
        "/albums",
        shelf,
    ];
    for path in own.into_iter().chain([&*view, "/explore?tag=sea", "/explore?owner=bob"]) {
        page(&bob, path).await;
    }
    let html = page(&server.guest(), shelf).await;
    assert!(html.contains("Sea &amp; sand") && html.contains(item) && !html.contains("Dunes"));
    assert!(page(&bob, shelf).await.contains("Dunes"));
    assert!(page(&bob, &view).await.contains("<option value=\"\">None</option>"));
    // A film and a song have players.
    let film = bob.upload(films::mp4(), "film.mp4").await;
    let html = page(&server.guest(), film["urls"]["view"].as_str().unwrap()).await;
    for words in ["<video", "poster=", "preload=\"metadata\"", "og:video", "H.264 with AAC", "0:10"]
    {
        assert!(html.contains(words), "{words}");
    }
    let song = bob.upload(films::mp3(&pictures::photo_jpeg(90, 90, 1)), "song.mp3").await;
    let html = page(&server.guest(), song["urls"]["view"].as_str().unwrap()).await;
    for words in ["<audio", "Ana · An album", "og:audio", "stereo", "MP3"] {
        assert!(html.contains(words), "{words}");
    }
    assert!(page(&bob, "/library").await.contains("0:10"));
    page(&server.guest(), "/explore").await;
    for path in ["/library", "/account", "/albums", "/account/connect"] {
        let answer = server.guest().get(path).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
        assert!(answer.header("location").starts_with("/sign-in?next="), "{path}");
    }
    for path in ["/nothing", "/m/1111111111", "/a/1111111111"] {
        let answer = server.guest().get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        sound(&answer, path);
    }
}

#[tokio::test]
async fn a_shared_link_shows_its_picture_and_escapes_its_words() {
    let server = TestServer::start().await;
    server.admin().await;
    let bob = server.person("bob", Role::User).await;
    let fields = [("title", "\"/><meta http-equiv=refresh content=0>")];
    let media = bob.upload_with(pictures::photo_jpeg(300, 200, 1), "a.jpg", &fields).await.json();
    let html = page(&server.guest(), media["urls"]["view"].as_str().unwrap()).await;
    assert!(html.contains("property=\"og:image\""), "{html}");
    assert!(html.contains("name=\"twitter:card\""));
    assert!(!html.contains("<meta http-equiv=refresh"));
    assert!(html.contains(media["urls"]["medium"].as_str().unwrap()));
}

#[tokio::test]
async fn a_private_page_says_nothing_to_machines_and_is_missing_to_others() {
    let server = TestServer::start().await;
    server.admin().await;
    let bob = server.person("bob", Role::User).await;
    let fields = [("visibility", "private"), ("title", "Diary")];
    let media = bob.upload_with(pictures::png(30, 20, false), "a.png", &fields).await.json();
    let view = media["urls"]["view"].as_str().unwrap();
    let own = bob.get(view).await;
    let html = sound(&own, view);
    assert!(!html.contains("og:image") && html.contains("noindex"));
    assert!(own.header("cache-control").contains("no-store"));
    let others = server.guest().get(view).await;
    assert_eq!(others.status, StatusCode::NOT_FOUND);
    assert!(!others.text().contains("Diary"));
}

#[tokio::test]
async fn the_setup_and_the_sign_in_work_as_plain_forms() {
    let server = TestServer::start().await;
    let link = server.running.setup_link.as_ref().unwrap().expose().to_owned();
    let path = link[link.find("/setup").unwrap()..].to_owned();
    page(&server.guest(), &path).await;
    let token = path.split("token=").nth(1).unwrap();
    let form = [
        ("token", token),
        ("username", "ana"),
        ("email", "ana@example.org"),
        ("password", "correct horse"),
    ];
    let guest = server.guest().with_header("origin", &server.running.public_url);
    let done = guest.send(guest.request(Method::POST, "/setup").form(&form)).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
    assert!(done.header("set-cookie").contains("vitrina_session="));

    let form = [("login", "ana"), ("password", "correct horse"), ("next", "/library")];
    let signed = guest.send(guest.request(Method::POST, "/sign-in").form(&form)).await;
    assert_eq!((signed.status, signed.header("location")), (StatusCode::SEE_OTHER, "/library"));
    let cookie = signed.header("set-cookie").split(';').next().unwrap().to_owned();
    page(&server.guest().with_header("cookie", &cookie), "/library").await;

    for next in ["https://evil.example", "//evil.example", "/\\evil.example"] {
        let form = [("login", "ana"), ("password", "correct horse"), ("next", next)];
        let signed = guest.send(guest.request(Method::POST, "/sign-in").form(&form)).await;
        assert!(!signed.header("location").contains("evil"), "{next}");
    }
    let form = [("login", "ana"), ("password", "wrong")];
    let refused = guest.send(guest.request(Method::POST, "/sign-in").form(&form)).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    sound(&refused, "/sign-in");
}

#[tokio::test]
async fn a_delete_link_asks_before_it_deletes() {
    let server = TestServer::start().await;
    server.admin().await;
    let bob = server.person("bob", Role::User).await;
    let media = bob.upload(pictures::png(30, 20, false), "a.png").await;
    let link = media["delete_url"].as_str().unwrap();
    page(&server.guest(), link).await;
    let api = format!("/api/v2/media/{}", media["id"].as_str().unwrap());
    assert_eq!(bob.get(&api).await.json()["status"], "active", "looking deletes nothing");
    let guest = server.guest();
    let done = guest.send(guest.request(Method::POST, link).form(&json!({}))).await;
    assert!(done.status.is_success() || done.status.is_redirection(), "{}", done.text());
    assert_eq!(bob.get(&api).await.json()["status"], "trashed");
}

#[tokio::test]
async fn assets_are_kept_for_good_and_found_by_their_hash() {
    let server = TestServer::start().await;
    server.admin().await;
    let html = page(&server.guest(), "/sign-in").await;
    let start = html.find("/_/").expect("a page uses assets");
    let path = html[start..].split('"').next().unwrap();
    let asset = server.guest().get(path).await.expect(StatusCode::OK);
    assert!(asset.header("cache-control").contains("immutable"));
    assert_eq!(server.guest().head(path).await.status, StatusCode::OK);
    let missing = server.guest().get("/_/0000/style/none.css").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_login_link_asks_before_it_is_used_up_and_works_once() {
    let server = TestServer::start().await;
    server.admin().await;
    let tenant = server.running.tenants.get(&TenantId::main()).await.unwrap();
    let issued = link::issue(&tenant, None).await.unwrap();
    let path = format!("/sign-in/link?token={}", issued.secret.expose());
    for _ in 0..2 {
        page(&server.guest(), &path).await;
    }
    let guest = server.guest().with_header("sec-fetch-site", "same-origin");
    let form = [("token", issued.secret.expose())];
    let post = || guest.request(Method::POST, "/sign-in/link").form(&form);
    let signed_in = guest.send(post()).await;
    assert_eq!(signed_in.status, StatusCode::SEE_OTHER);
    let cookie = signed_in.header("set-cookie").split(';').next().unwrap().to_owned();
    let ana = server.guest().with_header("cookie", &cookie);
    assert_eq!(ana.get("/api/v2/session").await.json()["user"]["username"], "ana");
    let again = guest.send(post()).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
    assert!(again.text().contains("used up"));
}
