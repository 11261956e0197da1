//! What the APIs of other products refuse, and that nothing of it stays.

use super::{CHEVERETO, File, Part, Text, post_form, post_pairs, refused, replay, set};
use crate::kit::{TestServer, pictures};
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::StatusCode;
use serde_json::json;
use tokio::{io::AsyncWriteExt, net::TcpStream};

fn nothing_is_kept(server: &TestServer) {
    assert_eq!((server.stored_files(), server.leftovers()), (0, 0));
}

#[tokio::test]
async fn a_wrong_key_is_refused_wherever_it_stands() {
    let server = TestServer::start().await;
    server.admin().await;
    let guest = server.guest();
    // Longer than what fits on the way, so that the file is on disk when the key comes.
    let photo = pictures::photo_jpeg(1600, 1200, 1);
    let file = || File("source", "a.jpg", &photo);
    let wrong = "vk_1111111111111111111111111111111111111111111";
    let forms: [&[Part]; 4] = [
        &[Text("key", wrong), file()],
        &[file(), Text("key", wrong)],
        &[file()],
        &[file(), Text("key", "")],
    ];
    for parts in forms {
        refused(&post_form(&guest, CHEVERETO, parts).await, 400, 100);
        nothing_is_kept(&server);
    }
    let with_header = guest.with_header("x-api-key", wrong);
    refused(&post_form(&with_header, CHEVERETO, &[file()]).await, 400, 100);
    refused(&post_form(&guest, &format!("{CHEVERETO}?key={wrong}"), &[file()]).await, 400, 100);
    let text = STANDARD.encode(&photo);
    refused(&post_pairs(&guest, CHEVERETO, &[("source", &text), ("key", wrong)]).await, 400, 100);
    refused(&guest.post(CHEVERETO, json!({ "source": text })).await, 400, 100);
    let lsky = guest.with_token(wrong);
    let answer = post_form(&lsky, "/api/v1/upload", &[File("file", "a.jpg", &photo)]).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["status"]), (401, &json!(false)));
    let answer = post_form(&lsky, "/api/upload", &[File("file", "a.jpg", &photo)]).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["statusCode"]), (401, &json!(401)));
    nothing_is_kept(&server);
}

#[tokio::test]
async fn the_key_of_another_site_is_no_key() {
    let server = TestServer::start().await;
    let (alice, bruno) = (server.tenant("alice", "alice.example").await, server.admin().await);
    alice.admin().await;
    let guest = alice.guest();
    let photo = pictures::photo_jpeg(60, 40, 1);
    let key = bruno.token();
    for path in [CHEVERETO.to_owned(), format!("{CHEVERETO}/?key={key}"), "/1/upload".to_owned()] {
        let name = if path.starts_with("/1") { "image" } else { "source" };
        let parts = [File(name, "a.jpg", &photo), Text("key", key)];
        refused(&post_form(&guest, &path, &parts).await, 400, 100);
    }
    let with_header = guest.with_header("x-api-key", key);
    refused(&post_form(&with_header, CHEVERETO, &[File("source", "a", &photo)]).await, 400, 100);
    for path in ["/api/v1/upload", "/api/upload"] {
        let answer = post_form(&guest.with_token(key), path, &[File("file", "a", &photo)]).await;
        assert_eq!(answer.status, 401);
    }
    assert!(alice.files().is_empty());
    nothing_is_kept(&server);
}

#[tokio::test]
async fn a_token_must_be_one_for_writing() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let body = json!({ "name": "looks on", "scopes": ["media:read"] });
    let reader = ana.post("/api/v2/tokens", body).await.expect(StatusCode::CREATED).json();
    let key = reader["token"].as_str().or(reader["secret"].as_str()).unwrap();
    let photo = pictures::photo_jpeg(60, 40, 1);
    let parts = [Text("key", key), File("source", "a.jpg", &photo)];
    refused(&post_form(&server.guest(), CHEVERETO, &parts).await, 403, 401);
    for path in ["/api/v1/upload", "/api/upload"] {
        let client = server.guest().with_token(key);
        let answer = post_form(&client, path, &[File("file", "a", &photo)]).await;
        assert_eq!(answer.status, 403);
    }
    nothing_is_kept(&server);
}

#[tokio::test]
async fn what_is_no_picture_or_too_large_is_refused() {
    let server = TestServer::start().await;
    let (ana, guest) = (server.admin().await, server.guest());
    set(&ana, json!({ "max_upload_bytes": 100_000 })).await;
    let key = ana.token();
    let photo = pictures::photo_jpeg(1600, 1200, 1);
    assert!(photo.len() > 100_000);
    let text = STANDARD.encode(&photo);
    for parts in [
        [Text("key", key), File("source", "a.jpg", &photo)],
        [File("source", "a.jpg", &photo), Text("key", key)],
        [Text("key", key), Text("source", &text)],
    ] {
        refused(&post_form(&guest, CHEVERETO, &parts).await, 400, 400);
    }
    refused(&post_pairs(&guest, CHEVERETO, &[("key", key), ("source", &text)]).await, 400, 400);
    let page = b"<html><script>alert(1)</script></html>";
    let parts = [Text("key", key), File("source", "a.jpg", page)];
    refused(&post_form(&guest, CHEVERETO, &parts).await, 400, 612);
    let torn = pictures::truncated(&pictures::png(64, 48, false));
    let parts = [Text("key", key), File("source", "a.png", &torn)];
    let answer = post_form(&guest, CHEVERETO, &parts).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    nothing_is_kept(&server);
}

#[tokio::test]
async fn base64_that_does_not_come_out_again_is_refused() {
    let server = TestServer::start().await;
    let (ana, guest) = (server.admin().await, server.guest());
    let text = STANDARD.encode(pictures::photo_jpeg(60, 40, 1));
    let (half, _) = text.split_at(text.len() / 2 / 4 * 4);
    let with_padding_inside = format!("{}=={text}", &half[..half.len() - 2]);
    let with_dashes = text.replace('+', "-").replace('/', "_");
    for wrong in ["{input}", "ftp://example.org/a.jpg", &with_padding_inside, &with_dashes, "a"] {
        let pairs = [("key", ana.token()), ("source", wrong)];
        refused(&post_pairs(&guest, CHEVERETO, &pairs).await, 400, 120);
    }
    for nothing in ["", "  "] {
        let pairs = [("key", ana.token()), ("source", nothing)];
        refused(&post_pairs(&guest, CHEVERETO, &pairs).await, 400, 130);
    }
    nothing_is_kept(&server);
}

#[tokio::test]
async fn a_request_that_cannot_be_read_is_refused() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let key = ana.token();
    let long = "x".repeat(100_000);
    let many: Vec<(&str, &str)> = std::iter::repeat_n(("tags", "x"), 300).collect();
    refused(&post_pairs(&ana, CHEVERETO, &many).await, 400, 400);
    refused(&post_pairs(&ana, CHEVERETO, &[("title", &long)]).await, 400, 400);
    refused(&ana.post(CHEVERETO, json!([1, 2])).await, 400, 400);
    let head = |kind: &str| {
        format!(
            "POST {CHEVERETO}?key={key} HTTP/1.1
            Host: {{host}}
            Content-Type: {kind}
            Content-Length: {{length}}"
        )
    };
    for (kind, body) in [
        ("multipart/form-data", "--X"),
        ("multipart/form-data; boundary=X", "--X\r\n\r\nno name"),
        ("application/json", "{\"source\":"),
        ("text/plain", "hello"),
    ] {
        refused(&replay(&server, &head(kind), body.as_bytes()).await, 400, 400);
    }
    nothing_is_kept(&server);
}

#[tokio::test]
async fn who_hangs_up_leaves_nothing() {
    let server = TestServer::start().await;
    let address = server.running.public_url.trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "POST {CHEVERETO} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 9000000\r\n\
         Content-Type: multipart/form-data; boundary=X\r\n\r\n--X\r\n\
         Content-Disposition: form-data; name=\"source\"; filename=\"a.jpg\"\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b'x'; 1_000_000]).await.unwrap();
    wait_until(|| server.leftovers() > 0).await;
    drop(stream);
    wait_until(|| server.leftovers() == 0).await;
    nothing_is_kept(&server);
}

#[tokio::test]
async fn strangers_may_not_fill_the_disk() {
    let server = TestServer::start().await;
    let (ana, guest) = (server.admin().await, server.guest());
    let address = server.running.public_url.trim_start_matches("http://").to_owned();
    let mut waiting = Vec::new();
    for _ in 0..64 {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        let head = format!(
            "POST {CHEVERETO} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 9000\r\n\
             Content-Type: multipart/form-data; boundary=X\r\n\r\n--X\r\n\
             Content-Disposition: form-data; name=\"source\"; filename=\"a.jpg\"\r\n\r\nbytes"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        waiting.push(stream);
    }
    wait_until(|| server.leftovers() == 64).await;
    let photo = pictures::photo_jpeg(60, 40, 1);
    let (file, key) = (|| File("source", "a.jpg", &photo), || Text("key", ana.token()));
    refused(&post_form(&guest, CHEVERETO, &[file(), key()]).await, 503, 600);
    // Whoever says first who they are does not stand in that line.
    super::image(&post_form(&guest, CHEVERETO, &[key(), file()]).await);
    drop(waiting);
    wait_until(|| server.leftovers() == 0).await;
}

async fn wait_until(mut is_so: impl FnMut() -> bool) {
    for _ in 0..200 {
        if is_so() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("it did not come to that");
}
