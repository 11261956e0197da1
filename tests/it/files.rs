//! Handing bytes out.

use crate::kit::{TestServer, pictures};
use reqwest::{Method, StatusCode};
use serde_json::Value;

async fn photo(server: &TestServer) -> (Value, String) {
    let media = server.admin().await.upload(pictures::photo_jpeg(400, 300, 1), "Été.jpg").await;
    let url = media["urls"]["original"].as_str().unwrap().to_owned();
    (media, url)
}

#[tokio::test]
async fn public_bytes_are_safe_to_show_and_to_keep() {
    let server = TestServer::start().await;
    let (media, url) = photo(&server).await;
    let answer = server.guest().get(&url).await.expect(StatusCode::OK);
    assert_eq!(answer.header("content-type"), "image/jpeg");
    assert_eq!(answer.header("content-length"), media["bytes"].to_string());
    assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("accept-ranges"), "bytes");
    assert!(answer.header("content-security-policy").contains("sandbox"));
    assert!(answer.header("etag").starts_with('"'));
    assert!(answer.header("last-modified").ends_with("GMT"));
    assert!(answer.header("content-disposition").starts_with("inline"));
    let saved = server.guest().get(&format!("{url}?download")).await;
    let disposition = saved.header("content-disposition");
    assert!(disposition.starts_with("attachment"), "{disposition}");
    assert!(disposition.contains("filename*=UTF-8''%C3%89t%C3%A9.jpg"), "{disposition}");
    let head = server.guest().head(&url).await.expect(StatusCode::OK);
    assert_eq!(head.header("content-length"), media["bytes"].to_string());
    assert!(head.body.is_empty());
}

#[tokio::test]
async fn ranges_are_served_as_asked() {
    let server = TestServer::start().await;
    let (_, url) = photo(&server).await;
    let whole = server.guest().get(&url).await;
    let (bytes, size) = (&whole.body, whole.body.len());
    let ask = |range: &str| server.guest().with_header("range", range);
    let cases = [
        ("bytes=0-9", 0..10),
        ("bytes=100-", 100..size),
        ("bytes=-7", size - 7..size),
        (&format!("bytes=10-{}", size * 2), 10..size),
    ];
    for (range, expected) in cases {
        let part = ask(range).get(&url).await.expect(StatusCode::PARTIAL_CONTENT);
        assert_eq!(part.body, bytes[expected.clone()], "{range}");
        let said = format!("bytes {}-{}/{size}", expected.start, expected.end - 1);
        assert_eq!(part.header("content-range"), said);
    }
    let beyond = ask(&format!("bytes={size}-")).get(&url).await;
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(beyond.header("content-range"), format!("bytes */{size}"));
    for ignored in ["bytes=9-3", "lines=1-2", "bytes=x"] {
        assert_eq!(ask(ignored).get(&url).await.expect(StatusCode::OK).body.len(), size);
    }
    let several = ask("bytes=0-4,50-59").get(&url).await.expect(StatusCode::PARTIAL_CONTENT);
    let kind = several.header("content-type");
    let boundary = kind.strip_prefix("multipart/byteranges; boundary=").unwrap().to_owned();
    assert_eq!(several.header("content-length"), several.body.len().to_string());
    let text = String::from_utf8_lossy(&several.body);
    assert_eq!(text.matches(&format!("--{boundary}")).count(), 3);
    assert!(text.contains(&format!("50-59/{size}")));
}

#[tokio::test]
async fn what_a_client_has_already_is_not_sent_again() {
    let server = TestServer::start().await;
    let (_, url) = photo(&server).await;
    let first = server.guest().get(&url).await;
    let (etag, modified) =
        (first.header("etag").to_owned(), first.header("last-modified").to_owned());
    for (name, value) in [("if-none-match", &etag), ("if-modified-since", &modified)] {
        let again = server.guest().with_header(name, value).get(&url).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED);
        assert!(again.body.is_empty());
    }
    let part = |validator: &str| {
        server.guest().with_header("range", "bytes=0-9").with_header("if-range", validator)
    };
    assert_eq!(part(&etag).get(&url).await.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(part("\"another\"").get(&url).await.status, StatusCode::OK);
    let stale = server.guest().with_header("if-match", "\"another\"").get(&url).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
}

#[tokio::test]
async fn only_the_exact_address_finds_a_file() {
    let server = TestServer::start().await;
    let (media, url) = photo(&server).await;
    let id = media["id"].as_str().unwrap();
    for path in [
        "/f/1111111111/t.jpg".to_owned(),
        format!("/f/{id}/other.jpg"),
        format!("/f/{id}/t.png"),
        format!("/f/{id}/..%2f..%2fsite.sqlite"),
        format!("/f/{id}/%00"),
        "/f/..%2f..%2f/site.sqlite".to_owned(),
    ] {
        let answer = server.guest().get(&path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    let post = server.guest().send(server.guest().request(Method::POST, &url)).await;
    assert_eq!(post.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(post.header("allow"), "GET, HEAD");
}
