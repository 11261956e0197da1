//! A person's folders over WebDAV: what is written there is what is read there, it is an item like
//! every other, and nobody gets at anybody else's.

use crate::kit::{Answer, Client, TestServer, files_under, path_of, pictures};
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use vitrina::accounts::Role;

/// Somebody with a program that knows a name and a password.
fn drive(guest: &Client, name: &str, token: &str) -> Client {
    let pair = STANDARD.encode(format!("{name}:{token}"));
    guest.with_header("authorization", &format!("Basic {pair}"))
}

async fn send(
    who: &Client,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> Answer {
    let mut request = who.request(Method::from_bytes(method.as_bytes()).unwrap(), path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    who.send(request.body(body)).await
}

async fn put(who: &Client, path: &str, bytes: &[u8]) -> Answer {
    send(who, "PUT", path, &[], bytes.to_vec()).await
}

async fn plain(who: &Client, method: &str, path: &str) -> StatusCode {
    send(who, method, path, &[], Vec::new()).await.status
}

async fn shift(who: &Client, from: &str, to: &str) -> StatusCode {
    let to = format!("{}{to}", who.base);
    send(who, "MOVE", from, &[("destination", &to)], Vec::new()).await.status
}

/// The addresses in a folder and the sizes of its files, the folder itself left out.
async fn list(who: &Client, path: &str) -> Vec<(String, Option<usize>)> {
    let answer = send(who, "PROPFIND", path, &[("depth", "1")], Vec::new()).await;
    let text = answer.expect(StatusCode::MULTI_STATUS).text();
    let between = |text: &str, tag: &str| {
        let (_, rest) = text.split_once(&format!("<D:{tag}>"))?;
        Some(rest.split_once('<').unwrap().0.to_owned())
    };
    let mut all = Vec::new();
    for part in text.split("<D:response>").skip(2) {
        let size = between(part, "getcontentlength").map(|n| n.parse().unwrap());
        all.push((between(part, "href").unwrap(), size));
    }
    all.sort();
    all
}

async fn items(ana: &Client, query: &str) -> Vec<Value> {
    let page = ana.get(&format!("/api/v2/media?owner=me{query}")).await.expect(StatusCode::OK);
    page.json()["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn what_is_written_is_read_and_is_an_item() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let disk = drive(&server.guest(), "ana", ana.token());
    let photo = pictures::jpeg_with_exif(64, 48, 1, true);
    assert_eq!(plain(&disk, "MKCOL", "/dav/Sea%20side").await, StatusCode::CREATED);
    let answer = put(&disk, "/dav/Sea%20side/beach.jpeg", &photo).await;
    let tag = answer.header("etag").to_owned();
    answer.expect(StatusCode::CREATED);
    assert_eq!(list(&disk, "/dav/").await, [("/dav/Sea%20side/".to_owned(), None)]);
    let file = ("/dav/Sea%20side/beach.jpeg".to_owned(), Some(photo.len()));
    assert_eq!(list(&disk, "/dav/Sea%20side/").await, std::slice::from_ref(&file));

    let read = disk.get(&file.0).await.expect(StatusCode::OK);
    assert_eq!((read.header("etag"), read.header("content-type")), (&*tag, "image/jpeg"));
    assert_eq!(read.body, photo);
    let part = send(&disk, "GET", &file.0, &[("range", "bytes=2-9")], Vec::new()).await;
    assert_eq!((part.status.as_u16(), &part.body[..]), (206, &photo[2..10]));
    let known = send(&disk, "GET", &file.0, &[("if-none-match", &tag)], Vec::new()).await;
    assert_eq!(known.status, StatusCode::NOT_MODIFIED);
    assert_eq!(disk.head(&file.0).await.header("content-length"), photo.len().to_string());

    let found = items(&ana, "").await;
    let item = &found[0];
    assert_eq!((found.len(), &item["filename"]), (1, &"beach.jpeg".into()));
    assert_eq!(item["album"]["title"], "Sea side");
    // What others get is without the private words.
    let public = server.guest().get(&path_of(&item["urls"]["original"])).await;
    let holds = |bytes: &[u8]| bytes.windows(pictures::SECRET.len()).any(|w| w == pictures::SECRET);
    assert!(holds(&photo) && !holds(&public.expect(StatusCode::OK).body));
    assert_eq!(server.leftovers(), 0);
}

#[tokio::test]
async fn a_site_that_keeps_no_uploads_keeps_none_of_these() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let settings = json!({ "keep_uploads": "never", "hide_file_names": true });
    ana.patch("/api/v2/site/settings", settings).await.expect(StatusCode::OK);
    let disk = drive(&server.guest(), "ana", ana.token());
    let photo = pictures::jpeg_with_exif(64, 48, 1, true);
    put(&disk, "/dav/my%20beach.jpeg", &photo).await.expect(StatusCode::CREATED);
    let read = disk.get("/dav/my%20beach.jpeg").await.expect(StatusCode::OK).body;
    assert_ne!(read, photo);
    // What is said of it is true of what is read.
    assert_eq!(list(&disk, "/dav/").await[0].1, Some(read.len()));
    assert!(!items(&ana, "").await[0]["filename"].as_str().unwrap().contains("beach"));
}

#[tokio::test]
async fn a_file_that_is_written_again_replaces_what_was_there() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let disk = drive(&server.guest(), "ana", ana.token());
    let (one, two) = (pictures::photo_jpeg(64, 48, 1), pictures::photo_jpeg(64, 48, 2));
    put(&disk, "/dav/a.jpg", &one).await.expect(StatusCode::CREATED);
    let first = items(&ana, "").await[0]["id"].clone();
    // With the same bytes it stays what it is, and so do its addresses.
    put(&disk, "/dav/a.jpg", &one).await.expect(StatusCode::NO_CONTENT);
    assert_eq!(items(&ana, "").await[0]["id"], first);
    put(&disk, "/dav/a.jpg", &two).await.expect(StatusCode::NO_CONTENT);
    let now = items(&ana, "").await;
    assert_eq!(now.len(), 1);
    assert_ne!(now[0]["id"], first);
    assert_eq!(items(&ana, "&trashed=true").await[0]["id"], first);
    assert_eq!(disk.get("/dav/a.jpg").await.body, two);
    // The same picture in two places is two files.
    put(&disk, "/dav/b.jpg", &two).await.expect(StatusCode::CREATED);
    assert_eq!(list(&disk, "/dav/").await.len(), 2);
}

#[tokio::test]
async fn files_and_folders_move_and_go_into_the_trash() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let disk = drive(&server.guest(), "ana", ana.token());
    for folder in ["/dav/one", "/dav/one/in", "/dav/two"] {
        assert_eq!(plain(&disk, "MKCOL", folder).await, StatusCode::CREATED);
    }
    put(&disk, "/dav/one/in/a.png", &pictures::png(20, 10, false)).await;
    put(&disk, "/dav/b.png", &pictures::png(21, 10, false)).await;
    assert_eq!(shift(&disk, "/dav/one/in/a.png", "/dav/two/c.png").await, StatusCode::CREATED);
    let item = &items(&ana, "").await[1];
    assert_eq!((&item["filename"], &item["album"]["title"]), (&"c.png".into(), &"two".into()));
    assert_eq!(shift(&disk, "/dav/two", "/dav/one/in/deep").await, StatusCode::CREATED);
    assert_eq!(list(&disk, "/dav/one/in/deep/").await[0].0, "/dav/one/in/deep/c.png");

    // What is in the way goes into the trash, unless it is to stay.
    let keep = [("destination", "/dav/one/in/deep/c.png"), ("overwrite", "F")];
    let kept = send(&disk, "MOVE", "/dav/b.png", &keep, Vec::new()).await;
    assert_eq!(kept.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(shift(&disk, "/dav/b.png", keep[0].1).await, StatusCode::NO_CONTENT);
    assert_eq!((items(&ana, "").await.len(), items(&ana, "&trashed=true").await.len()), (1, 1));

    for (from, to, status) in [
        ("/dav/one", "/dav/one/in/x", 403),
        ("/dav/one", "/dav/", 403),
        ("/dav/one/in/deep", "/dav/one", 409),
        ("/dav/one/in/deep/c.png", "/dav/one", 409),
        ("/dav/one/in/deep/c.png", "/dav/missing/c.png", 409),
        ("/dav/one/in/deep/c.png", "/dav/.hidden", 403),
        ("/dav/one/in/deep/c.png", "/f/x/y", 400),
        ("/dav/missing.png", "/dav/x.png", 404),
        ("/dav/", "/dav/x", 403),
    ] {
        assert_eq!(shift(&disk, from, to).await.as_u16(), status, "{from} to {to}");
    }
    assert_eq!(plain(&disk, "DELETE", "/dav/").await, StatusCode::FORBIDDEN);
    assert_eq!(list(&disk, "/dav/one/in/deep/").await.len(), 1);
    assert_eq!(plain(&disk, "DELETE", "/dav/one").await, StatusCode::NO_CONTENT);
    assert!(list(&disk, "/dav/").await.is_empty());
    assert_eq!(items(&ana, "&trashed=true").await.len(), 2);
    assert_eq!(plain(&disk, "DELETE", "/dav/one").await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn items_that_are_called_the_same_have_each_a_name() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let disk = drive(&server.guest(), "ana", ana.token());
    let bytes: Vec<_> = (0..3).map(|n| pictures::png(20 + n, 10, false)).collect();
    for bytes in &bytes {
        ana.upload(bytes.clone(), "a.png").await;
    }
    ana.post("/api/v2/albums", json!({ "title": "a/b" })).await.expect(StatusCode::CREATED);
    let all = list(&disk, "/dav/").await;
    assert_eq!(all.len(), 4, "{all:?}");
    assert!(all.iter().any(|(path, _)| path == "/dav/a_b/"), "{all:?}");
    assert_eq!(
        disk.get("/dav/a.png").await.body.len(),
        all.iter().find(|f| f.0 == "/dav/a.png").unwrap().1.unwrap()
    );
    for (path, _) in all.iter().filter(|(_, size)| size.is_some()) {
        disk.get(path).await.expect(StatusCode::OK);
    }
}

#[tokio::test]
async fn a_folder_that_several_make_at_once_is_one() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let disk = drive(&server.guest(), "ana", ana.token());
    let making = (0..8).map(|_| plain(&disk, "MKCOL", "/dav/one"));
    let made = futures_util::future::join_all(making).await;
    assert_eq!(made.iter().filter(|status| **status == StatusCode::CREATED).count(), 1, "{made:?}");
    assert!(made.iter().all(|s| [201, 405].contains(&s.as_u16())), "{made:?}");
    assert_eq!(list(&disk, "/dav/").await.len(), 1);
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_and_leaves_nothing() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    ana.patch("/api/v2/site/settings", json!({ "max_upload_bytes": 100_000 })).await;
    let disk = drive(&server.guest(), "ana", ana.token());
    assert_eq!(plain(&disk, "MKCOL", "/dav/in").await, StatusCode::CREATED);
    for (path, bytes, status) in [
        ("/dav/notes.txt", b"no picture at all".to_vec(), 415),
        ("/dav/.DS_Store", pictures::png(20, 10, false), 403),
        ("/dav/missing/a.png", pictures::png(20, 10, false), 409),
        ("/dav/in", pictures::png(20, 10, false), 409),
        ("/dav/", pictures::png(20, 10, false), 403),
        ("/dav/large.png", vec![7; 100_001], 413),
    ] {
        let answer = put(&disk, path, &bytes).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.text());
    }
    let part = [("content-range", "bytes 0-3/20")];
    let answer = send(&disk, "PUT", "/dav/part.png", &part, b"\x89PNG".to_vec()).await;
    assert!(answer.status.is_client_error(), "{}", answer.status);
    let patch =
        [("content-type", "application/x-sabredav-partialupdate"), ("x-update-range", "append")];
    let answer = send(&disk, "PATCH", "/dav/part.png", &patch, b"\x89PNG".to_vec()).await;
    assert!(answer.status.is_client_error(), "{}", answer.status);

    assert_eq!(plain(&disk, "MKCOL", "/dav/in").await, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(plain(&disk, "MKCOL", "/dav/no/in").await, StatusCode::CONFLICT);
    assert_eq!(plain(&disk, "MKCOL", "/dav/.hidden").await, StatusCode::FORBIDDEN);
    let to = [("destination", "/dav/copy")];
    let copy = send(&disk, "COPY", "/dav/in", &to, Vec::new()).await;
    copy.problem(403, "forbidden");
    for depth in [None, Some("infinity")] {
        let headers: Vec<_> = depth.iter().map(|depth| ("depth", *depth)).collect();
        let answer = send(&disk, "PROPFIND", "/dav/", &headers, Vec::new()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(answer.text().contains("propfind-finite-depth"));
    }
    for body in ["<", "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", &"<a>".repeat(21_000)] {
        let headers = [("depth", "1")];
        let answer = send(&disk, "PROPFIND", "/dav/", &headers, body.as_bytes().to_vec()).await;
        assert!(answer.status.is_client_error(), "{}", answer.status);
    }
    for (name, value) in [("if", "(<urn:x"), ("if-match", "\""), ("if-none-match", "W/\"")] {
        let answer = send(&disk, "PUT", "/dav/a.png", &[(name, value)], Vec::new()).await;
        answer.problem(400, "malformed");
    }
    assert!(items(&ana, "").await.is_empty());
    assert_eq!(files_under(&server.data().join("tenants/main/media")).len(), 0);
    assert_eq!(server.leftovers(), 0);
}

#[tokio::test]
async fn folders_are_their_owners_alone() {
    let server = TestServer::start().await;
    let (ana, bob) = (server.admin().await, server.person("bob", Role::User).await);
    let guest = server.guest();
    let disk = drive(&guest, "ana", ana.token());
    assert_eq!(plain(&disk, "MKCOL", "/dav/mine").await, StatusCode::CREATED);
    put(&disk, "/dav/mine/a.png", &pictures::png(20, 10, false)).await.expect(StatusCode::CREATED);

    let other = drive(&guest, "bob", bob.token());
    assert!(list(&other, "/dav/").await.is_empty());
    for method in ["GET", "DELETE", "PROPFIND"] {
        let answer = send(&other, method, "/dav/mine/a.png", &[("depth", "0")], Vec::new()).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method}");
    }
    let answer = put(&other, "/dav/mine/b.png", &pictures::png(20, 10, false)).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);

    let there = server.tenant("other", "other.example").await;
    let stranger = there.admin().await;
    let wrong = [
        guest.clone(),
        drive(&guest, "ana", bob.token()),
        drive(&guest, "ana", stranger.token()),
        drive(&guest, "ana", "correct horse"),
        drive(&guest, "ana", ""),
        guest.with_header("authorization", &format!("Bearer {}", ana.token())),
        drive(&there.guest(), "ana", ana.token()),
    ];
    let mut waits = 0;
    for (n, who) in wrong.iter().enumerate() {
        for method in ["OPTIONS", "GET", "PROPFIND", "PUT", "DELETE"] {
            let answer = send(who, method, "/dav/mine/a.png", &[("depth", "0")], Vec::new()).await;
            let status = answer.status.as_u16();
            // Whoever guesses too often has to wait.
            assert!([401, 429].contains(&status), "{n} {method}: {status}");
            waits += usize::from(status == 429);
            assert!(status == 429 || answer.header("www-authenticate").starts_with("Basic "));
        }
    }
    assert!(waits > 0);
    disk.get("/dav/mine/a.png").await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_token_does_what_it_was_made_for_while_the_site_lets_it() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let made = |scopes: Value| {
        let body = json!({ "name": "disk", "scopes": scopes });
        async { ana.post("/api/v2/tokens", body).await.expect(StatusCode::CREATED).json() }
    };
    let reads = made(json!(["media:read"])).await["token"].as_str().unwrap().to_owned();
    let disk = drive(&server.guest(), "Ana", ana.token());
    let reader = drive(&server.guest(), "ana@example.org", &reads);
    put(&disk, "/dav/a.png", &pictures::png(20, 10, false)).await.expect(StatusCode::CREATED);
    assert_eq!(list(&reader, "/dav/").await.len(), 1);
    reader.get("/dav/a.png").await.expect(StatusCode::OK);
    for method in ["PUT", "DELETE", "MKCOL", "MOVE", "LOCK", "PROPPATCH", "UNLOCK"] {
        let to = [("destination", "/dav/b.png")];
        let answer = send(&reader, method, "/dav/a.png", &to, Vec::new()).await;
        answer.problem(403, "missing_scope");
    }
    ana.patch("/api/v2/site/settings", json!({ "webdav": false })).await.expect(StatusCode::OK);
    disk.get("/dav/a.png").await.problem(404, "not_found");
}

#[tokio::test]
async fn programs_that_lock_and_write_twice_get_their_file() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let disk = drive(&server.guest(), "ana", ana.token());
    let options = send(&disk, "OPTIONS", "/dav/", &[], Vec::new()).await;
    assert!(options.header("dav").contains('2'), "{:?}", options.headers);
    let lock = br#"<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/>
        </D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>"#;
    let answer = send(&disk, "LOCK", "/dav/new.png", &[("depth", "0")], lock.to_vec()).await;
    let token = answer.header("lock-token").to_owned();
    assert!(answer.status.is_success() && token.starts_with('<'), "{}", answer.text());
    assert_eq!(list(&disk, "/dav/").await, []);
    put(&disk, "/dav/new.png", b"").await;
    let held = [("if", &*format!("({token})"))];
    let bytes = pictures::png(20, 10, false);
    let answer = send(&disk, "PUT", "/dav/new.png", &held, bytes.clone()).await;
    assert!(answer.status.is_success(), "{}", answer.text());
    let unlock = send(&disk, "UNLOCK", "/dav/new.png", &[("lock-token", &token)], Vec::new()).await;
    assert_eq!(unlock.status, StatusCode::NO_CONTENT);
    assert_eq!(list(&disk, "/dav/").await, [("/dav/new.png".to_owned(), Some(bytes.len()))]);

    put(&disk, "/dav/empty.png", b"").await.expect(StatusCode::CREATED);
    assert!(disk.get("/dav/empty.png").await.expect(StatusCode::OK).body.is_empty());
    assert_eq!(shift(&disk, "/dav/empty.png", "/dav/b.png").await, StatusCode::CREATED);
    assert_eq!(plain(&disk, "DELETE", "/dav/b.png").await, StatusCode::NO_CONTENT);
    assert_eq!(items(&ana, "").await.len(), 1);
}
