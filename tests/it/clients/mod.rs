//! Clients of other products, as they speak: written from their public sources, sent as they send.

mod chevereto;
mod cors;
mod hostile;
mod others;
mod replays;
mod sources;

use crate::kit::{Answer, Client, TestServer};
use reqwest::{Method, header::HeaderMap};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const CHEVERETO: &str = "/api/1/upload";
const BOUNDARY: &str = "----WebKitFormBoundary7MA4YWxkTrZu0gW";

/// One part of a form, as bytes between boundaries.
pub(crate) enum Part<'a> {
    Text(&'a str, &'a str),
    /// Field, file name, bytes.
    File(&'a str, &'a str, &'a [u8]),
}
use Part::{File, Text};

/// A form with its parts in this order.
fn form(parts: &[Part]) -> Vec<u8> {
    let mut body = Vec::new();
    for part in parts {
        let (head, value) = match part {
            Text(name, value) => (format!("name=\"{name}\""), value.as_bytes()),
            File(name, filename, bytes) => {
                let head =
                    format!("name=\"{name}\"; filename=\"{filename}\"\r\nContent-Type: image/jpeg");
                (head, *bytes)
            }
        };
        let start = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n");
        body.extend_from_slice(start.as_bytes());
        body.extend_from_slice(value);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

/// Posts a form without any header but those that a form needs.
async fn post_form(client: &Client, path: &str, parts: &[Part<'_>]) -> Answer {
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    let request = client.request(Method::POST, path).header("content-type", kind).body(form(parts));
    client.send(request).await
}

async fn post_pairs(client: &Client, path: &str, pairs: &[(&str, &str)]) -> Answer {
    client.send(client.request(Method::POST, path).form(pairs)).await
}

/// Sends bytes as they are over a connection of their own, and reads to its end.
async fn replay(server: &TestServer, head: &str, body: &[u8]) -> Answer {
    let address = server.running.public_url.trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let length = body.len().to_string();
    let head = head.trim_start().replace("{host}", &address).replace("{length}", &length);
    let head = head.lines().map(str::trim).collect::<Vec<_>>().join("\r\n");
    stream.write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    parse(&answer)
}

fn parse(answer: &[u8]) -> Answer {
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        let name: reqwest::header::HeaderName = name.parse().unwrap();
        headers.append(name, value.parse().unwrap());
    }
    let mut body = answer[end + 4..].to_vec();
    if headers.get("transfer-encoding").is_some_and(|v| v == "chunked") {
        body = dechunked(&body);
    }
    Answer { status, headers, body }
}

fn dechunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|w| w == b"\r\n").unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        if size == 0 {
            return body;
        }
        body.extend_from_slice(&rest[end + 2..end + 2 + size]);
        rest = &rest[end + 4 + size..];
    }
}

/// Insists on an answer of success in Chevereto's form, and returns its `image`.
#[track_caller]
fn image(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "application/json; charset=UTF-8");
    let body = answer.json();
    assert_eq!((&body["status_code"], &body["status_txt"]), (&200.into(), &"OK".into()));
    assert_eq!(body["success"]["code"], 200);
    assert!(body["image"]["url"].as_str().unwrap().starts_with("http://"), "{body}");
    body["image"].clone()
}

/// Insists on a refusal in Chevereto's form.
#[track_caller]
fn refused(answer: &Answer, status: u16, code: u16) {
    assert_eq!(answer.status, status, "{}", answer.text());
    let body = answer.json();
    assert_eq!(body["error"]["code"], code, "{body}");
    assert_eq!(body["status_code"], status);
    assert!(body["status_txt"].is_string() && body["error"]["message"].is_string(), "{body}");
}

/// Changes settings of the site.
async fn set(admin: &Client, changes: Value) {
    admin.patch("/api/v2/site/settings", changes).await.expect(reqwest::StatusCode::OK);
}
