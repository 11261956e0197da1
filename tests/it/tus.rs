//! Uploads that come in pieces, as the tus protocol has them.

use crate::kit::{Answer, Client, TestServer, files_under, path_of, pictures};
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Method, StatusCode};
use serde_json::json;
use sha2::{Digest, Sha256};
use vitrina::accounts::Role;

const PATH: &str = "/api/v2/uploads";
const PIECE: &str = "application/offset+octet-stream";

async fn send(client: &Client, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    send_bytes(client, method, path, headers, Vec::new()).await
}

async fn send_bytes(
    client: &Client,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    bytes: Vec<u8>,
) -> Answer {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = client.request(method, path).header("tus-resumable", "1.0.0");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = client.send(request.body(bytes)).await;
    assert_eq!(answer.header("tus-resumable"), "1.0.0");
    answer
}

/// Begins an upload of so many bytes, and returns its path.
async fn begin(client: &Client, length: usize, more: &[(&str, &str)]) -> String {
    let length = length.to_string();
    let headers = [&[("upload-length", &*length)], more].concat();
    let begun = send(client, "POST", PATH, &headers).await.expect(StatusCode::CREATED);
    assert!(httpdate::parse_http_date(begun.header("upload-expires")).is_ok());
    assert_eq!(begun.header("upload-offset"), "0");
    path_of(&json!(begun.header("location")))
}

async fn patch(client: &Client, path: &str, offset: usize, bytes: &[u8]) -> Answer {
    let offset = offset.to_string();
    let headers = [("upload-offset", &*offset), ("content-type", PIECE)];
    send_bytes(client, "PATCH", path, &headers, bytes.to_vec()).await
}

async fn offset(client: &Client, path: &str) -> usize {
    let state = send(client, "HEAD", path, &[]).await.expect(StatusCode::OK);
    assert_eq!(state.header("cache-control"), "no-store");
    state.header("upload-offset").parse().unwrap()
}

fn metadata(pairs: &[(&str, &str)]) -> String {
    let pair = |(key, value): &(&str, &str)| format!("{key} {}", STANDARD.encode(value));
    pairs.iter().map(pair).collect::<Vec<_>>().join(",")
}

/// Files of uploads that are not complete.
fn open_files(server: &TestServer) -> usize {
    files_under(&server.data().join("tenants/main/uploads")).len()
}

#[tokio::test]
async fn a_file_comes_in_pieces() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let photo = pictures::photo_jpeg(640, 480, 1);
    let said = metadata(&[("filename", "beach.jpg"), ("title", "Pieces"), ("tags", "sea,sun")]);
    let path = begin(&ana, photo.len(), &[("upload-metadata", &said)]).await;
    let third = photo.len() / 3;
    for (n, piece) in photo.chunks(third).enumerate() {
        assert_eq!(offset(&ana, &path).await, n * third);
        let taken = patch(&ana, &path, n * third, piece).await.expect(StatusCode::NO_CONTENT);
        assert_eq!(taken.header("upload-offset"), (n * third + piece.len()).to_string());
        let is_last = n * third + piece.len() == photo.len();
        assert_eq!(taken.header("upload-media-id").is_empty(), !is_last);
    }
    let state = ana.get(&path).await.expect(StatusCode::OK).json();
    assert_eq!((&state["offset"], &state["length"]), (&json!(photo.len()), &json!(photo.len())));
    let media = format!("/api/v2/media/{}", state["media_id"].as_str().unwrap());
    let media = ana.get(&media).await.expect(StatusCode::OK).json();
    assert_eq!((&media["title"], &media["filename"]), (&json!("Pieces"), &json!("beach.jpg")));
    assert_eq!(media["tags"], json!(["sea", "sun"]));
    let head = send(&ana, "HEAD", &path, &[]).await.expect(StatusCode::OK);
    assert_eq!(head.header("upload-metadata"), said);
    assert_eq!(head.header("upload-media-id"), state["media_id"]);
    assert_eq!(open_files(&server), 0);
    assert_eq!(server.leftovers(), 0);
    // More of it is not wanted.
    patch(&ana, &path, photo.len(), b"more").await.problem(404, "not_found");
}

#[tokio::test]
async fn the_first_bytes_may_come_with_the_beginning() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let photo = pictures::photo_jpeg(64, 48, 2);
    let length = photo.len().to_string();
    let headers = [("upload-length", &*length), ("content-type", PIECE)];
    let half = photo[..photo.len() / 2].to_vec();
    let begun = send_bytes(&ana, "POST", PATH, &headers, half.clone()).await;
    let begun = begun.expect(StatusCode::CREATED);
    assert_eq!(begun.header("upload-offset"), half.len().to_string());
    let path = path_of(&json!(begun.header("location")));
    patch(&ana, &path, half.len(), &photo[half.len()..]).await.expect(StatusCode::NO_CONTENT);
    // All of them may, too.
    let fields = [&headers[..], &[("upload-metadata", &*metadata(&[("allow_duplicate", "yes")]))]];
    let whole = send_bytes(&ana, "POST", PATH, &fields.concat(), photo.clone()).await;
    assert!(!whole.expect(StatusCode::CREATED).header("upload-media-id").is_empty());
}

#[tokio::test]
async fn bytes_count_where_they_belong_and_with_the_right_sum() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let photo = pictures::photo_jpeg(64, 48, 3);
    let path = begin(&ana, photo.len(), &[]).await;
    patch(&ana, &path, 5, &photo[5..20]).await.problem(409, "offset_mismatch");
    let at = |offset: &'static str, sum: String| {
        vec![
            ("upload-offset", offset.to_owned()),
            ("content-type", PIECE.to_owned()),
            ("upload-checksum", sum),
        ]
    };
    let send_summed = |headers: Vec<(&'static str, String)>, bytes: Vec<u8>| {
        let (ana, path) = (ana.clone(), path.clone());
        async move {
            let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, &**v)).collect();
            send_bytes(&ana, "PATCH", &path, &headers, bytes).await
        }
    };
    let sum = |bytes: &[u8]| format!("sha256 {}", STANDARD.encode(Sha256::digest(bytes)));
    let wrong = send_summed(at("0", sum(b"others")), photo[..100].to_vec()).await;
    wrong.problem(460, "wrong_checksum");
    assert_eq!(offset(&ana, &path).await, 0);
    let unknown = send_summed(at("0", "md5 AAAA".to_owned()), photo[..100].to_vec()).await;
    unknown.problem(400, "malformed");
    let right = send_summed(at("0", sum(&photo[..100])), photo[..100].to_vec()).await;
    right.expect(StatusCode::NO_CONTENT);
    assert_eq!(offset(&ana, &path).await, 100);

    let plain = [("upload-offset", "100"), ("content-type", "image/jpeg")];
    let plain = send_bytes(&ana, "PATCH", &path, &plain, photo[100..].to_vec()).await;
    plain.problem(415, "unsupported_media");
    let mut too_many = photo[100..].to_vec();
    too_many.push(0);
    patch(&ana, &path, 100, &too_many).await.problem(413, "too_large");
    let here = offset(&ana, &path).await;
    patch(&ana, &path, here, &photo[here..]).await.expect(StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn parts_are_sent_side_by_side_and_joined() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let photo = pictures::photo_jpeg(640, 480, 4);
    let half = photo.len() / 2;
    let part = [("upload-concat", "partial")];
    let one = begin(&ana, half, &part).await;
    let two = begin(&ana, photo.len() - half, &part).await;
    let join = format!("final;{one} {two}");
    let said = metadata(&[("filename", "joined.jpg")]);
    let headers = [("upload-concat", &*join), ("upload-metadata", &*said)];
    let early = send(&ana, "POST", PATH, &headers).await;
    early.names_field(422, "Upload-Concat");
    let (a, b) =
        tokio::join!(patch(&ana, &two, 0, &photo[half..]), patch(&ana, &one, 0, &photo[..half]));
    assert!(a.expect(StatusCode::NO_CONTENT).header("upload-media-id").is_empty());
    b.expect(StatusCode::NO_CONTENT);
    let state = send(&ana, "HEAD", &one, &[]).await.expect(StatusCode::OK);
    assert_eq!(state.header("upload-concat"), "partial");

    let whole = send(&ana, "POST", PATH, &headers).await.expect(StatusCode::CREATED);
    let media = format!("/api/v2/media/{}", whole.header("upload-media-id"));
    assert_eq!(ana.get(&media).await.expect(StatusCode::OK).json()["filename"], "joined.jpg");
    let path = path_of(&json!(whole.header("location")));
    let state = send(&ana, "HEAD", &path, &[]).await.expect(StatusCode::OK);
    assert!(state.header("upload-concat").starts_with("final;http"));
    patch(&ana, &path, photo.len(), b"x").await.problem(403, "forbidden");
    for part in [one, two] {
        ana.get(&part).await.problem(404, "not_found");
    }
    assert_eq!(open_files(&server), 0);
}

#[tokio::test]
async fn what_the_site_does_not_take_is_refused_and_leaves_nothing() {
    let server = TestServer::start().await;
    let (ana, bob) = (server.admin().await, server.person("bob", Role::User).await);
    ana.patch("/api/v2/site/settings", json!({ "max_upload_bytes": 100_000 })).await;
    let refused = |length: &'static str, said: String| {
        let ana = ana.clone();
        async move {
            let headers = [("upload-length", length), ("upload-metadata", &*said)];
            send(&ana, "POST", PATH, &headers).await
        }
    };
    refused("100001", String::new()).await.problem(413, "too_large");
    refused("10", metadata(&[("visibilty", "private")])).await.names_field(422, "form");
    refused("10", metadata(&[("visibility", "secret")])).await.names_field(422, "visibility");
    send(&ana, "POST", PATH, &[]).await.names_field(422, "Upload-Length");
    let version = ana.request(Method::POST, PATH).header("tus-resumable", "0.2.2");
    let version = ana.send(version).await;
    version.problem(412, "wrong_version");
    assert_eq!(version.header("tus-version"), "1.0.0");

    // A file that turns out to be none is refused with its last byte.
    let path = begin(&ana, 12, &[]).await;
    patch(&ana, &path, 0, b"hello world!").await.problem(415, "unsupported_media");
    ana.get(&path).await.problem(404, "not_found");
    let empty = send(&ana, "POST", PATH, &[("upload-length", "0")]).await;
    assert!(empty.status.is_client_error());
    assert_eq!((open_files(&server), server.stored_files(), server.leftovers()), (0, 0, 0));

    // Nobody but its sender knows of an upload.
    let path = begin(&ana, 12, &[]).await;
    for method in ["HEAD", "GET", "DELETE"] {
        assert_eq!(send(&bob, method, &path, &[]).await.status, StatusCode::NOT_FOUND);
    }
    patch(&bob, &path, 0, b"hello world!").await.problem(404, "not_found");
    send(&server.guest(), "GET", &path, &[]).await.problem(401, "unauthenticated");
    send(&ana, "DELETE", &path, &[]).await.expect(StatusCode::NO_CONTENT);
    send(&ana, "GET", &path, &[]).await.problem(404, "not_found");
    assert_eq!(open_files(&server), 0);

    let options = send(&ana, "OPTIONS", PATH, &[]).await.expect(StatusCode::NO_CONTENT);
    assert_eq!(options.header("tus-version"), "1.0.0");
    assert_eq!(options.header("tus-max-size"), "100000");
    assert!(options.header("tus-extension").contains("concatenation"));
    assert_eq!(options.header("tus-checksum-algorithm"), "sha256,sha1");
}

#[tokio::test]
async fn a_restart_in_between_loses_nothing() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let photo = pictures::photo_jpeg(640, 480, 5);
    let half = photo.len() / 2;
    let path = begin(&ana, photo.len(), &[]).await;
    patch(&ana, &path, 0, &photo[..half]).await.expect(StatusCode::NO_CONTENT);
    // All bytes came, and the server was stopped before it took the file in.
    let said = metadata(&[("allow_duplicate", "true")]);
    let stopped = begin(&ana, photo.len(), &[("upload-metadata", &said)]).await;
    let id = stopped.rsplit('/').next().unwrap().to_owned();
    let token = ana.token().to_owned();
    let server = server
        .restart_after(|data| {
            std::fs::write(data.join("tenants/main/uploads").join(&id), &photo).unwrap();
        })
        .await;
    let ana = server.guest().with_token(&token);
    assert_eq!(offset(&ana, &path).await, half);
    patch(&ana, &path, half, &photo[half..]).await.expect(StatusCode::NO_CONTENT);
    let state = ana.get(&stopped).await.expect(StatusCode::OK).json();
    assert!(state["media_id"].is_string(), "{state}");
    assert_eq!(open_files(&server), 0);
}

#[tokio::test]
async fn uploads_that_nobody_goes_on_with_end() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let path = begin(&ana, 100, &[]).await;
    patch(&ana, &path, 0, b"some").await.expect(StatusCode::NO_CONTENT);
    assert_eq!(open_files(&server), 1);
    let file = server.data().join("tenants/main/site.sqlite");
    crate::kit::database(&file).execute("UPDATE resumable_uploads SET expires_at = 1", []).unwrap();
    ana.get(&path).await.problem(410, "gone");
    let tenant = server.running.tenants.get(&vitrina::base::ids::TenantId::main()).await.unwrap();
    vitrina::tus::sweep::sweep(&tenant).await.unwrap();
    ana.get(&path).await.problem(404, "not_found");
    assert_eq!(open_files(&server), 0);
}
