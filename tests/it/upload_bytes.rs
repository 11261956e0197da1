//! Uploads whose whole body is the file.

use crate::kit::{Answer, Client, TestServer, pictures};
use reqwest::{Method, StatusCode};
use serde_json::json;

async fn send(who: &Client, query: &str, kind: &str, file: impl Into<reqwest::Body>) -> Answer {
    let request = who.request(Method::POST, &format!("/api/v2/media/bytes{query}"));
    who.send(request.header("content-type", kind).body(file)).await
}

#[tokio::test]
async fn a_body_becomes_an_item_with_what_the_query_says() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let query = "?filename=Gr%C3%B6%C3%9Fe.jpg&title=At%20the%20sea&tags=sea,%20Sun&nsfw=true\
                 &visibility=unlisted&expires_in=PT1H&width=100";
    let made = send(&ana, query, "image/png", pictures::png(200, 150, false)).await;
    let media = made.expect(StatusCode::CREATED).json();
    assert_eq!(media["title"], "At the sea");
    assert_eq!(media["filename"], "Größe.png");
    assert_eq!((&media["width"], &media["height"]), (&json!(100), &json!(75)));
    assert_eq!(media["tags"], json!(["sea", "sun"]));
    assert_eq!((&media["nsfw"], &media["visibility"]), (&json!(true), &json!("unlisted")));
    assert!(media["expires_at"].is_string() && media["delete_url"].is_string());

    // Nothing has to be said, and the same bytes are the same item.
    for (kind, status) in [("application/octet-stream", 201), ("video/mp4", 200)] {
        let bytes = pictures::png(60, 40, false);
        assert_eq!(send(&ana, "", kind, bytes).await.status, status, "{kind}");
    }
    let again = send(&ana, "?allow_duplicate=true", "image/gif", pictures::png(60, 40, false));
    again.await.expect(StatusCode::CREATED);
    assert_eq!(server.leftovers(), 0);
}

#[tokio::test]
async fn what_is_wrong_is_refused_and_leaves_nothing() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let png = || pictures::png(60, 40, false);
    send(&server.guest(), "", "image/png", png()).await.problem(401, "unauthenticated");
    for kind in ["application/json", "multipart/form-data; boundary=x", "text/plain"] {
        send(&ana, "", kind, png()).await.problem(415, "unsupported_content_type");
    }
    send(&ana, "", "image/png", "no picture").await.problem(415, "unsupported_media");
    let empty = send(&ana, "", "image/png", Vec::new()).await;
    assert!(empty.status.is_client_error(), "{empty:?}");
    for query in ["?visiblity=private", "?visibility=secret", "?width=0", "?width=x", "?nsfw=maybe"]
    {
        send(&ana, query, "image/png", png()).await.problem(422, "invalid");
    }
    let small = json!({ "max_upload_bytes": 1024 });
    ana.patch("/api/v2/site/settings", small).await.expect(StatusCode::OK);
    send(&ana, "", "image/png", vec![0; 2_000]).await.problem(413, "too_large");
    let listed = ana.get("/api/v2/media?owner=me").await.json();
    assert_eq!(listed, json!({ "items": [] }));
    assert_eq!(server.leftovers(), 0);
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_nothing() {
    use std::{io::Write, net::TcpStream, time::Duration};
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let mut stream = TcpStream::connect(ana.base.trim_start_matches("http://")).unwrap();
    let head = format!(
        "POST /api/v2/media/bytes HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: image/png\r\ncontent-length: 100000\r\n\r\n",
        ana.token()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&pictures::png(60, 40, false)).unwrap();
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if server.leftovers() > 0 {
            break;
        }
    }
    assert!(server.leftovers() > 0, "it is on its way");
    drop(stream);
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if server.leftovers() == 0 {
            break;
        }
    }
    assert_eq!(server.leftovers(), 0);
    assert_eq!(ana.get("/api/v2/media?owner=me").await.json()["items"], json!([]));
}
