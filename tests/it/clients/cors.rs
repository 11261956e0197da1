//! Pages of other sites that use the API in a browser.

use super::{CHEVERETO, set};
use crate::kit::{Answer, Client, TestServer};
use reqwest::{Method, StatusCode};
use serde_json::json;

/// As a browser asks before it sends something that a form could not.
async fn preflight(client: &Client, path: &str, origin: &str) -> Answer {
    let request = client
        .request(Method::OPTIONS, path)
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,x-api-key,tus-resumable");
    client.send(request).await
}

fn allowed(answer: &Answer) -> &str {
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    answer.header("access-control-allow-origin")
}

const PATHS: [&str; 6] =
    ["/api/v2/media", "/api/v2/uploads", CHEVERETO, "/1/upload", "/api/v1/upload", "/api/upload"];

#[tokio::test]
async fn every_page_may_use_the_api_unless_the_site_says_otherwise() {
    let server = TestServer::start().await;
    let guest = server.guest();
    for origin in ["app://obsidian.md", "null", "https://forum.example"] {
        for path in PATHS {
            let answer = preflight(&guest, path, origin).await.expect(StatusCode::NO_CONTENT);
            assert_eq!(allowed(&answer), "*", "{path}");
            let headers = answer.header("access-control-allow-headers");
            assert_eq!(headers, "authorization,x-api-key,tus-resumable");
            assert!(answer.header("access-control-allow-methods").contains("PATCH"));
        }
        let other = guest.with_header("origin", origin);
        // Refusals too: a page must be able to say what is wrong.
        for answer in [other.get("/api/v2/site").await, other.get("/api/v2/session").await] {
            assert_eq!(allowed(&answer), "*");
            let exposed = answer.header("access-control-expose-headers");
            for name in ["ETag", "Link", "Location", "X-Request-Id", "Upload-Offset"] {
                assert!(exposed.contains(name), "{name}");
            }
        }
        let refused = other.post(CHEVERETO, json!({})).await;
        assert_eq!((refused.status.as_u16(), allowed(&refused)), (400, "*"));
    }
}

#[tokio::test]
async fn a_site_may_name_the_pages() {
    let server = TestServer::start().await;
    let (ana, guest) = (server.admin().await, server.guest());
    set(&ana, json!({ "cors_origins": ["https://Forum.example", "app://obsidian.md"] })).await;
    for (origin, expected) in [
        ("https://forum.example", "https://forum.example"),
        ("app://obsidian.md", "app://obsidian.md"),
        ("https://evil.example", ""),
        ("https://forum.example.evil.example", ""),
        ("null", ""),
    ] {
        for path in PATHS {
            assert_eq!(allowed(&preflight(&guest, path, origin).await), expected, "{origin}");
        }
        let answer = guest.with_header("origin", origin).get("/api/v2/site").await;
        assert_eq!(allowed(&answer), expected);
        assert!(answer.header("vary").contains("Origin"));
    }
    for wrong in [json!("*"), json!(["forum.example"]), json!([1])] {
        let change = json!({ "cors_origins": wrong });
        ana.patch("/api/v2/site/settings", change).await.names_field(422, "cors_origins");
    }
    assert_eq!(guest.get("/api/v2/site").await.header("vary"), "Origin");
}

#[tokio::test]
async fn a_cookie_lets_no_other_page_in() {
    let server = TestServer::start().await;
    server.admin().await;
    let main = server.existing("main", "localhost");
    let ana = main.sign_in("ana").await;
    let evil = main
        .guest()
        .with_header("cookie", &ana.header("cookie"))
        .with_header("origin", "https://evil.example");
    let answer = evil.patch("/api/v2/site/settings", json!({ "name": "Mine" })).await;
    answer.problem(403, "cross_site");
    assert_eq!(allowed(&answer), "*");
    // What these answer is a token's alone: a cookie is not looked at.
    let photo = crate::kit::pictures::photo_jpeg(60, 40, 1);
    let parts = [super::File("source", "a.jpg", &photo)];
    super::refused(&super::post_form(&evil, CHEVERETO, &parts).await, 400, 100);
    assert_eq!(server.stored_files(), 0);
}
