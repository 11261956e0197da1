//! Paths that lead out of a person's folders, as no client library would send them.

use crate::kit::TestServer;
use base64::{Engine, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The status of a request whose path no client library would send.
async fn raw(server: &TestServer, token: &str, method: &str, path: &str) -> u16 {
    let address = server.running.public_url.trim_start_matches("http://").to_owned();
    let mut wire = TcpStream::connect(&address).await.unwrap();
    let pair = STANDARD.encode(format!("ana:{token}"));
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Basic {pair}\r\n\
         depth: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
    wire.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    wire.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn paths_that_lead_elsewhere_lead_nowhere() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let (long, deep) = (format!("/dav/{}", "a".repeat(300)), format!("/dav{}", "/a".repeat(40)));
    let paths = [
        "/dav/../api/v2/site",
        "/dav/..",
        "/dav/a/../../etc/passwd",
        "/dav/%2e%2e/%2e%2e/etc",
        "/dav/a%00b.png",
        "/dav/a%2Fb.png",
        "/dav/%ff.png",
        "/dav/%0d%0a",
        &long,
        &deep,
    ];
    for path in paths {
        for method in ["GET", "PROPFIND", "PUT", "MKCOL", "DELETE", "LOCK", "PROPPATCH"] {
            let status = raw(&server, ana.token(), method, path).await;
            assert!([400, 404].contains(&status), "{method} {path}: {status}");
        }
    }
}
