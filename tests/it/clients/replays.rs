//! Requests as existing clients send them, byte for byte, over a bare connection.

use super::{image, replay};
use crate::kit::{Answer, TestServer, path_of, pictures};
use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::StatusCode;
use serde_json::Value;
use std::io::Read;

/// A body out of lines, where `{file}` stands for the picture.
fn body(lines: &[&str], key: &str, file: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for line in lines {
        let line = line.replace("{key}", key);
        match line.split_once("{file}") {
            Some((before, after)) => {
                body.extend_from_slice(before.as_bytes());
                body.extend_from_slice(file);
                body.extend_from_slice(after.as_bytes());
            }
            None => body.extend_from_slice(line.as_bytes()),
        }
        body.extend_from_slice(b"\r\n");
    }
    body
}

/// A server, its admin's key and a picture.
async fn setting() -> (TestServer, String, Vec<u8>) {
    let server = TestServer::start().await;
    let key = server.admin().await.token().to_owned();
    (server, key, pictures::photo_jpeg(90, 60, 1))
}

/// The picture is there, and is the one that was sent.
async fn check(server: &TestServer, shown: &Value) {
    let bytes = server.guest().get(&path_of(&shown["url"])).await.expect(StatusCode::OK);
    let picture = image::load_from_memory(&bytes.body).unwrap();
    assert_eq!((picture.width(), picture.height()), (90, 60));
    assert_eq!(server.leftovers(), 0);
}

fn unzipped(mut answer: Answer) -> Answer {
    if answer.header("content-encoding") == "gzip" {
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(&*answer.body).read_to_end(&mut text).unwrap();
        answer.body = text;
    }
    answer
}

#[tokio::test]
async fn sharex() {
    let (server, key, photo) = setting().await;
    let head = "POST /api/1/upload HTTP/1.1
        User-Agent: ShareX/19.0.2
        Host: {host}
        Content-Type: multipart/form-data; boundary=---------------------8dd2f1c6a4b7e90
        Content-Length: {length}
        Cache-Control: no-cache, no-store
        Pragma: no-cache";
    let lines = [
        "-----------------------8dd2f1c6a4b7e90",
        "Content-Disposition: form-data; name=\"key\"",
        "",
        "{key}",
        "-----------------------8dd2f1c6a4b7e90",
        "Content-Disposition: form-data; name=\"format\"",
        "",
        "json",
        "-----------------------8dd2f1c6a4b7e90",
        "Content-Disposition: form-data; name=\"source\"; filename=\"Capture d’écran 1.jpg\"",
        "Content-Type: image/jpeg",
        "",
        "{file}",
        "-----------------------8dd2f1c6a4b7e90--",
    ];
    let shown = image(&replay(&server, head, &body(&lines, &key, &photo)).await);
    assert!(shown["url_viewer"].is_string() && shown["thumb"]["url"].is_string());
    check(&server, &shown).await;
}

#[tokio::test]
async fn sharex_with_a_custom_uploader_whose_form_has_an_empty_text_beside_the_file() {
    let (server, key, photo) = setting().await;
    let head = "POST /api/1/upload HTTP/1.1
        User-Agent: ShareX/16.1.0
        Host: {host}
        Content-Type: multipart/form-data; boundary=---------------------8dc0a1
        Content-Length: {length}";
    let lines = [
        "-----------------------8dc0a1",
        "Content-Disposition: form-data; name=\"key\"",
        "",
        "{key}",
        "-----------------------8dc0a1",
        "Content-Disposition: form-data; name=\"source\"",
        "",
        "",
        "-----------------------8dc0a1",
        "Content-Disposition: form-data; name=\"source\"; filename=\"a.jpg\"",
        "Content-Type: image/jpeg",
        "",
        "{file}",
        "-----------------------8dc0a1--",
    ];
    let shown = image(&replay(&server, head, &body(&lines, &key, &photo)).await);
    assert!(shown["delete_url"].is_string());
    check(&server, &shown).await;
}

#[tokio::test]
async fn picgo_with_a_chevereto_plugin() {
    let (server, key, photo) = setting().await;
    let head = format!(
        "POST /api/1/upload HTTP/1.1
        contentType: multipart/form-data
        User-Agent: PicGo
        X-API-Key: {key}
        host: {{host}}
        content-type: multipart/form-data; boundary=--------------------------104895629486529341
        content-length: {{length}}"
    );
    let lines = [
        "----------------------------104895629486529341",
        "Content-Disposition: form-data; name=\"format\"",
        "",
        "json",
        "----------------------------104895629486529341",
        "Content-Disposition: form-data; name=\"source\"; filename=\"20260131093000.jpg\"",
        "Content-Type: image/jpeg",
        "",
        "{file}",
        "----------------------------104895629486529341--",
    ];
    check(&server, &image(&replay(&server, &head, &body(&lines, &key, &photo)).await)).await;
}

#[tokio::test]
async fn obsidian() {
    let (server, key, photo) = setting().await;
    let head = "POST /api/1/upload HTTP/1.1
        Host: {host}
        Content-Length: {length}
        User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) obsidian/1.5.12 Chrome/120.0.6099.283 Electron/28.2.3 Safari/537.36
        Content-Type: application/x-www-form-urlencoded;charset=UTF-8
        Accept: */*
        Origin: app://obsidian.md
        Sec-Fetch-Site: cross-site
        Sec-Fetch-Mode: cors
        Sec-Fetch-Dest: empty
        Accept-Language: en-US";
    let text = utf8_percent_encode(&STANDARD.encode(&photo), NON_ALPHANUMERIC).to_string();
    let body = format!("key={key}&source={text}");
    let answer = replay(&server, head, body.as_bytes()).await;
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    check(&server, &image(&answer)).await;
}

#[tokio::test]
async fn typora2chevereto() {
    let (server, key, photo) = setting().await;
    let head = "POST /api/1/upload HTTP/1.1
        Accept: application/json, text/plain, */*
        Content-Type: application/x-www-form-urlencoded
        User-Agent: axios/1.6.0
        Content-Length: {length}
        Accept-Encoding: gzip, compress, deflate, br
        Host: {host}";
    let text = utf8_percent_encode(&STANDARD.encode(&photo), NON_ALPHANUMERIC).to_string();
    let body = format!("key={key}&source={text}&format=json");
    let answer = unzipped(replay(&server, head, body.as_bytes()).await);
    check(&server, &image(&answer)).await;
}

#[tokio::test]
async fn go_chevereto_whose_key_comes_after_the_file() {
    let (server, key, photo) = setting().await;
    let head = "POST /api/1/upload HTTP/1.1
        Host: {host}
        User-Agent: go-resty/2.7.0 (https://github.com/go-resty/resty)
        Content-Length: {length}
        Content-Type: multipart/form-data; boundary=9d3f3b0f7b3e8d7f4a5c6b7a8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8
        Accept-Encoding: gzip";
    let lines = [
        "--9d3f3b0f7b3e8d7f4a5c6b7a8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8",
        "Content-Disposition: form-data; name=\"source\"; filename=\"a.jpg\"",
        "Content-Type: image/jpeg",
        "",
        "{file}",
        "--9d3f3b0f7b3e8d7f4a5c6b7a8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8",
        "Content-Disposition: form-data; name=\"action\"",
        "",
        "upload",
        "--9d3f3b0f7b3e8d7f4a5c6b7a8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8",
        "Content-Disposition: form-data; name=\"format\"",
        "",
        "json",
        "--9d3f3b0f7b3e8d7f4a5c6b7a8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8",
        "Content-Disposition: form-data; name=\"key\"",
        "",
        "{key}",
        "--9d3f3b0f7b3e8d7f4a5c6b7a8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8--",
    ];
    let answer = unzipped(replay(&server, head, &body(&lines, &key, &photo)).await);
    check(&server, &image(&answer)).await;
}

#[tokio::test]
async fn nodebb_with_the_key_in_the_query_and_a_slash_before_it() {
    let (server, key, photo) = setting().await;
    let head = format!(
        "POST /api/1/upload/?key={key} HTTP/1.1
        host: {{host}}
        content-type: multipart/form-data; boundary=--------------------------726013945716308862
        content-length: {{length}}"
    );
    let lines = [
        "----------------------------726013945716308862",
        "Content-Disposition: form-data; name=\"source\"; filename=\"avatar.jpg\"",
        "Content-Type: image/jpeg",
        "",
        "{file}",
        "----------------------------726013945716308862--",
    ];
    let shown = image(&replay(&server, &head, &body(&lines, &key, &photo)).await);
    assert_eq!(shown["name"], "avatar");
    check(&server, &shown).await;
}

#[tokio::test]
async fn upic_with_json_that_escapes_its_slashes() {
    let (server, key, photo) = setting().await;
    let head = "POST /api/1/upload HTTP/1.1
        Host: {host}
        Content-Type: application/json
        Accept: */*
        User-Agent: uPic/0.21.1 (com.svend.uPic; build:2103; macOS 14.4.0) Alamofire/5.4.4
        Accept-Language: en;q=1.0
        Content-Length: {length}
        Accept-Encoding: br;q=1.0, gzip;q=0.9, deflate;q=0.8";
    let text = STANDARD.encode(&photo).replace('/', "\\/");
    let body = format!("{{\"key\":\"{key}\",\"source\":\"{text}\"}}");
    let answer = unzipped(replay(&server, head, body.as_bytes()).await);
    check(&server, &image(&answer)).await;
}

#[tokio::test]
async fn flameshot_through_curl_in_chunks_without_a_name() {
    let (server, key, photo) = setting().await;
    let head = format!(
        "POST /api/1/upload HTTP/1.1
        Host: {{host}}
        User-Agent: curl/8.5.0
        Accept: */*
        X-API-Key: {key}
        Transfer-Encoding: chunked
        Content-Type: multipart/form-data; boundary=------------------------tYH2Df8PzQ1c"
    );
    let lines = [
        "--------------------------tYH2Df8PzQ1c",
        "Content-Disposition: form-data; name=\"source\"; filename=\"-\"",
        "Content-Type: application/octet-stream",
        "",
        "{file}",
        "--------------------------tYH2Df8PzQ1c--",
    ];
    let whole = body(&lines, &key, &photo);
    let mut chunked = Vec::new();
    for chunk in whole.chunks(1000) {
        chunked.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        chunked.extend_from_slice(chunk);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    check(&server, &image(&replay(&server, &head, &chunked).await)).await;
}

#[tokio::test]
async fn imgbb_uploader_speaking_to_imgbb() {
    let (server, key, photo) = setting().await;
    let head = format!(
        "POST /1/upload?key={key}&name=beach&expiration=600 HTTP/1.1
        Accept: application/json
        Content-Type: application/x-www-form-urlencoded
        Content-Length: {{length}}
        Host: {{host}}"
    );
    let text = utf8_percent_encode(&STANDARD.encode(&photo), NON_ALPHANUMERIC).to_string();
    let answer = replay(&server, &head, format!("image={text}").as_bytes()).await;
    let body = answer.expect(StatusCode::OK).json();
    assert_eq!((&body["success"], &body["status"]), (&Value::Bool(true), &200.into()));
    assert_eq!(
        (&body["data"]["title"], &body["data"]["expiration"]),
        (&"beach".into(), &600.into())
    );
    check(&server, &body["data"]).await;
}
