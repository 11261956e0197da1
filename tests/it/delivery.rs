//! What handing out fast must not change: who gets what, and which bytes; and what makes it fast.

use crate::kit::{Answer, Client, TestServer, database, path_of, pictures};
use flate2::read::GzDecoder;
use reqwest::StatusCode;
use serde_json::json;
use std::io::Read;
use vitrina::accounts::Role;

async fn photo(somebody: &Client) -> (String, String) {
    let media = somebody.upload(pictures::photo_jpeg(400, 300, 1), "a.jpg").await;
    let id = media["id"].as_str().unwrap();
    (format!("/api/v2/media/{id}"), path_of(&media["urls"]["original"]))
}

/// Asks often enough that every answer could come from memory.
async fn often(somebody: &Client, file: &str, status: u16) -> Answer {
    for _ in 0..3 {
        somebody.get(file).await.expect(StatusCode::from_u16(status).unwrap());
    }
    somebody.get(file).await
}

#[tokio::test]
async fn a_file_that_everybody_asks_for_is_still_guarded_from_the_next_request_on() {
    let server = TestServer::start().await;
    let (guest, bob) = (server.guest(), server.person("bob", Role::User).await);
    let other = server.person("eve", Role::User).await;
    let (item, file) = photo(&bob).await;
    let bytes = often(&guest, &file, 200).await.body;
    for _ in 0..5 {
        bob.patch(&item, json!({ "visibility": "private" })).await.expect(StatusCode::OK);
        often(&guest, &file, 404).await;
        often(&other, &file, 404).await;
        let private = often(&bob, &file, 200).await;
        assert_eq!(private.header("cache-control"), "private, no-cache");
        assert_eq!(private.body, bytes);
        bob.patch(&item, json!({ "visibility": "unlisted" })).await.expect(StatusCode::OK);
        assert_eq!(often(&guest, &file, 200).await.header("cache-control"), "private, no-cache");
        bob.delete(&item).await.expect(StatusCode::NO_CONTENT);
        often(&guest, &file, 404).await;
        often(&bob, &file, 200).await;
        bob.post(&format!("{item}/restore"), json!({})).await.expect(StatusCode::OK);
        bob.patch(&item, json!({ "visibility": "public" })).await.expect(StatusCode::OK);
        let public = often(&guest, &file, 200).await;
        assert!(public.header("cache-control").starts_with("public"));
    }
    bob.delete(&format!("{item}?permanent=true")).await.expect(StatusCode::NO_CONTENT);
    often(&guest, &file, 404).await;
    often(&bob, &file, 404).await;
}

#[tokio::test]
async fn what_another_process_changes_is_seen_within_a_second() {
    let server = TestServer::start().await;
    let (_, file) = photo(&server.admin().await).await;
    often(&server.guest(), &file, 200).await;
    let other = database(&server.data().join("tenants/main/site.sqlite"));
    other.execute("UPDATE media SET visibility = 'private'", []).unwrap();
    let changed = std::time::Instant::now();
    while server.guest().get(&file).await.status == StatusCode::OK {
        assert!(changed.elapsed().as_millis() < 1_500);
    }
}

#[tokio::test]
async fn a_file_that_everybody_asks_for_expires_on_time() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let fields = [("expires_in", "1500")];
    let picture = pictures::png(9, 9, false);
    let media = ana.upload_with(picture, "a.png", &fields).await.json();
    let file = path_of(&media["urls"]["original"]);
    let made = std::time::Instant::now();
    while server.guest().get(&file).await.status == StatusCode::OK {
        assert!(made.elapsed().as_secs() < 10);
    }
    often(&server.guest(), &file, 410).await;
}

#[tokio::test]
async fn small_and_large_files_are_the_same_whole_and_in_parts() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    for (width, height, is_large) in [(200, 100, false), (2_400, 1_600, true)] {
        let media = ana.upload(pictures::photo_jpeg(width, height, 1), "a.jpg").await;
        let file = path_of(&media["urls"]["original"]);
        let whole = often(&server.guest(), &file, 200).await.body;
        assert_eq!(whole.len() as u64, media["bytes"].as_u64().unwrap());
        assert_eq!(whole.len() > 512 * 1024, is_large, "{}", whole.len());
        let (first, last) = (whole.len() / 3, whole.len() - 2);
        for _ in 0..2 {
            let range = format!("bytes={first}-{last}");
            let part = server.guest().with_header("range", &range).get(&file).await;
            assert_eq!(part.expect(StatusCode::PARTIAL_CONTENT).body, whole[first..=last]);
        }
        assert!(server.guest().head(&file).await.expect(StatusCode::OK).body.is_empty());
    }
}

#[tokio::test]
async fn pages_and_lists_are_compressed_and_pictures_are_not() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let (_, file) = photo(&ana).await;
    let page = server.guest().get("/explore").await.expect(StatusCode::OK);
    let style =
        page.text().split("href=\"").find(|part| part.starts_with("/_/")).unwrap().to_owned();
    let style = style.split('"').next().unwrap().to_owned();
    let takes = |client: Client| client.with_header("accept-encoding", "gzip, br");
    for path in ["/explore", &style, "/api/v2/media", "/api/v2/openapi.json"] {
        let plain = ana.get(path).await.expect(StatusCode::OK);
        let small = takes(ana.clone()).get(path).await.expect(StatusCode::OK);
        assert!(!plain.headers.contains_key("content-encoding"), "{path}");
        assert_eq!(small.header("content-encoding"), "gzip", "{path}");
        for answer in [&plain, &small] {
            let vary = answer.headers.get_all("vary").iter().any(|v| v == "Accept-Encoding");
            assert!(vary, "{path}");
        }
        assert!(small.body.len() * 3 < plain.body.len() * 2, "{path}");
        let mut unpacked = Vec::new();
        GzDecoder::new(&*small.body).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked.len(), plain.body.len(), "{path}");
    }
    let small = takes(server.guest()).get(&style).await;
    let tag = small.header("etag");
    assert!(tag.starts_with("W/\""), "{tag}");
    let again = takes(server.guest()).with_header("if-none-match", tag).get(&style).await;
    assert_eq!((again.status, again.header("etag")), (StatusCode::NOT_MODIFIED, tag));

    let picture = takes(server.guest()).get(&file).await.expect(StatusCode::OK);
    let part = takes(server.guest()).with_header("range", "bytes=0-2000").get(&file).await;
    for answer in [picture, part.expect(StatusCode::PARTIAL_CONTENT)] {
        assert!(!answer.headers.contains_key("content-encoding"));
        assert!(!answer.headers.contains_key("vary"));
        assert!(answer.header("etag").starts_with('"'));
    }
}

#[tokio::test]
async fn an_item_that_is_edited_with_its_tag_has_the_tag_of_its_very_bytes() {
    let server = TestServer::start().await;
    let ana = server.admin().await.with_header("accept-encoding", "gzip");
    let (item, _) = photo(&ana).await;
    let tag = ana.get(&item).await.expect(StatusCode::OK).header("etag").to_owned();
    let change = json!({ "title": "New" });
    ana.with_header("if-match", &tag).patch(&item, change).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_page_names_what_it_loads_ahead_of_itself() {
    let server = TestServer::start().await;
    server.admin().await;
    let page = server.guest().get("/explore").await.expect(StatusCode::OK);
    let (links, html) = (page.header("link").to_owned(), page.text());
    assert!(links.contains("rel=preload; as=style") && links.contains("rel=modulepreload"));
    for link in links.split(", ") {
        let address = link.split(['<', '>']).nth(1).unwrap();
        assert!(html.contains(&format!("\"{address}\"")), "{address}");
        server.guest().get(address).await.expect(StatusCode::OK);
    }
}

/// A proxy in front may speak HTTP/2 to us without TLS (RFC 9113, section 3.3).
#[test]
fn http_2_is_spoken_to_those_who_begin_with_it() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(TestServer::start());
    let address = server.running.public_url.trim_start_matches("http://").to_owned();
    let mut socket = std::net::TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    std::io::Write::write_all(&mut socket, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
    std::io::Write::write_all(&mut socket, &settings).unwrap();
    let mut head = [0; 9];
    socket.read_exact(&mut head).unwrap();
    assert_eq!((head[3], head[4]), (4, 0), "SETTINGS come first");
}
