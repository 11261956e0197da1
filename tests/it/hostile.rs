//! Files and bodies that mean harm: a clear refusal, and nothing left behind.

use crate::kit::{TestServer, pictures as p};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test(flavor = "multi_thread")]
async fn every_bomb_and_every_lie_is_refused_quickly_and_leaves_nothing() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let cases = [
        ("png 30,000 × 30,000", p::png_bomb_30000(), 422),
        ("png with a profile of 1 GB", p::png_icc_bomb(), 422),
        ("progressive jpeg 65,500²", p::jpeg_bomb_progressive_65500(), 422),
        ("baseline jpeg 65,500²", p::jpeg_bomb_baseline_65500(), 422),
        ("gif of 100,000 frames", p::gif_bomb(100_000), 422),
        ("webp that lies", p::webp_lying(), 422),
        ("webp bomb", p::webp_bomb(), 422),
        ("bmp bomb", p::bmp_bomb(), 422),
        ("truncated jpeg", p::truncated(&p::photo_jpeg(300, 200, 1)), 422),
        ("truncated png", p::truncated(&p::png(300, 200, false)), 422),
        ("svgz", p::svgz(), 415),
        ("heic", p::layered_heic_header(), 415),
        ("big tiff", p::big_tiff_header(), 415),
        ("cursor", p::cursor_header(), 415),
        ("truncated tiff", p::truncated(&p::tiff(300, 200, 1)), 422),
        ("truncated icon", p::truncated(&p::ico()), 422),
        ("pdf", p::pdf(), 415),
        ("mp4", p::mp4_header(), 422),
        ("webm", p::webm_header(), 422),
        ("text", b"hello".to_vec(), 415),
        ("nothing", Vec::new(), 415),
    ];
    for (name, bytes, status) in cases {
        let started = std::time::Instant::now();
        let answer = ana.upload_with(bytes, "photo.jpg", &[]).await;
        assert_eq!(answer.status.as_u16(), status, "{name}: {}", answer.text());
        answer.names_field(status, "file");
        // Generous on purpose: what it rules out is minutes of decoding.
        assert!(started.elapsed().as_secs() < 10, "{name} took {:?}", started.elapsed());
    }
    let avif = ana.upload_with(p::avif_bomb(), "a.avif", &[]).await;
    assert!(avif.status.is_client_error(), "{}", avif.text());
    let jxl = ana.upload_with(p::jxl_bomb(), "a.jxl", &[]).await;
    assert!(jxl.status.is_client_error(), "{}", jxl.text());
    let lying = ana.upload_with(p::avif_lying(), "a.avif", &[]).await;
    assert!(lying.status.is_client_error(), "{}", lying.text());
    assert_eq!((server.stored_files(), server.leftovers()), (0, 0));
}

#[tokio::test]
async fn a_text_bomb_is_taken_without_its_text() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let bomb = p::png_text_bomb();
    let size = bomb.len();
    let media = ana.upload(bomb, "a.png").await;
    assert!(media["bytes"].as_u64().unwrap() < size as u64 / 10, "{media}");
}

#[tokio::test]
async fn formats_are_refused_by_name() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    for (bytes, name) in
        [(p::svgz(), "SVGZ"), (p::layered_heic_header(), "HEIC"), (p::big_tiff_header(), "BigTIFF")]
    {
        let problem = ana.upload_with(bytes, "x", &[]).await.problem(415, "unsupported_media");
        assert!(problem["detail"].as_str().unwrap().contains(name), "{problem}");
    }
}

#[tokio::test]
async fn bodies_that_are_no_forms_are_refused() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let bodies = [
        ("multipart/form-data", "x", 400),
        ("multipart/form-data; boundary=X", "no form at all", 400),
        (
            "multipart/form-data; boundary=X",
            "--X\r\ncontent-disposition: form-data; name=\"title\"\r\n\r\nabc",
            400,
        ),
        ("multipart/form-data; boundary=X", "--X--\r\n", 422),
        ("application/json", "{", 400),
        ("application/json", "{\"url\": \"x\", \"width\": 99999999999}", 400),
        ("application/json", "[]", 400),
        ("application/json", "{\"url\": 7}", 422),
        ("text/plain", "hello", 415),
    ];
    for (kind, body, status) in bodies {
        let request =
            ana.request(Method::POST, "/api/v2/media").header("content-type", kind).body(body);
        let answer = ana.send(request).await;
        assert_eq!(answer.status.as_u16(), status, "{kind} {body}: {}", answer.text());
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    let untyped = ana.request(Method::POST, "/api/v2/media").body("hello");
    assert_eq!(ana.send(untyped).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(server.leftovers(), 0);
}

#[tokio::test]
async fn a_body_without_end_is_cut_off() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    // The refusal may come before a client has sent all of it, and find it not listening yet.
    let address = server.running.public_url.trim_start_matches("http://").to_owned();
    let head = format!(
        "POST /api/v2/media HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: 48000000\r\n\r\n{{\"base64\": \"",
        ana.token()
    );
    let socket = tokio::net::TcpStream::connect(&address).await.unwrap();
    let (mut from, mut to) = socket.into_split();
    tokio::spawn(async move {
        let _ = to.write_all(head.as_bytes()).await;
        while to.write_all(&[b'A'; 65_536]).await.is_ok() {}
    });
    let mut answer = [0; 12];
    from.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    let long = json!({ "login": "x".repeat(2 * 1024 * 1024), "password": "x" });
    ana.post("/api/v2/session", long).await.problem(413, "too_large");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_hangs_up_leaves_nothing() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let address = server.running.public_url.trim_start_matches("http://").to_owned();
    for _ in 0..3 {
        let mut socket = tokio::net::TcpStream::connect(&address).await.unwrap();
        let head = format!(
            "POST /api/v2/media HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\n\
             content-type: multipart/form-data; boundary=X\r\ncontent-length: 1000000\r\n\r\n\
             --X\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\n\r\n",
            ana.token()
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        socket.write_all(&[0xff; 100_000]).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    for _ in 0..50 {
        if server.leftovers() == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("{} files are left", server.leftovers());
}

/// Arbitrary bytes, and honest pictures with some of their bytes changed.
fn files() -> impl Strategy<Value = Vec<u8>> {
    let honest = prop::sample::select(vec![
        p::photo_jpeg(40, 30, 1),
        p::progressive_jpeg(40, 30),
        p::cmyk_jpeg(20, 20),
        p::jpeg_with_exif(20, 16, 6, true),
        p::png(20, 20, true),
        p::png_with_text(),
        p::apng(3),
        p::gif(3),
        p::webp(20, 20, true),
        p::animated_webp(2),
        p::bmp(10, 10),
        p::avif(),
    ]);
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12);
    let mutated = (honest, changes, any::<prop::sample::Index>(), prop::bool::weighted(0.3))
        .prop_map(|(mut bytes, changes, end, cut)| {
            for (at, value) in changes {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            if cut {
                bytes.truncate(end.index(bytes.len()));
            }
            bytes
        });
    prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..2_000),
        6 => mutated,
    ]
}

#[test]
fn whatever_is_posted_as_a_file_is_stored_or_refused_and_never_lost_about() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (server, ana) = runtime.block_on(async {
        let server = TestServer::start().await;
        let ana = server.admin().await;
        (server, ana)
    });
    let mut runner = TestRunner::new(Config { cases: 300, ..Config::default() });
    let checked = runner.run(&files(), |bytes| {
        let answer = runtime.block_on(ana.upload_with(bytes, "x.jpg", &[]));
        let status = answer.status.as_u16();
        prop_assert!(matches!(status, 200 | 201 | 413 | 415 | 422), "{status} {}", answer.text());
        if status >= 400 {
            prop_assert_eq!(answer.header("content-type"), "application/problem+json");
        }
        prop_assert_eq!(server.leftovers(), 0);
        Ok(())
    });
    checked.unwrap();
}
