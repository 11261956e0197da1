//! Two sites under one roof: whatever one of them holds, the other one's host gives nobody.

use crate::kit::{
    Answer, Client, TestServer, TestTenant, database, files_under, path_of, pictures,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use vitrina::{
    accounts::{Role, link, setup},
    jobs::{self, Kind, NewJob},
};

/// In everything that the first site holds and that people can read.
const MARK: &str = "alicemark";

/// A site full of things, and every key to them.
struct Full {
    site: TestTenant,
    admin: Client,
    session: Client,
    media: Vec<Value>,
    token_id: String,
    album_id: String,
    job_id: String,
    delete_key: String,
    signed: String,
}

async fn fill(server: &TestServer) -> Full {
    let site = server.tenant("alice", "alice.example").await;
    let admin = site.person(MARK, Role::Admin).await;
    let mut media = Vec::new();
    for (n, visibility) in ["public", "unlisted", "private", "private"].into_iter().enumerate() {
        let title = format!("{MARK} title {n}");
        let fields = [("title", &*title), ("visibility", visibility), ("tags", MARK)];
        let name = format!("{MARK}{n}.png");
        let answer = admin.upload_with(pictures::png(20 + n as u32, 10, false), &name, &fields);
        media.push(answer.await.expect(StatusCode::CREATED).json());
    }
    let trashed = format!("/api/v2/media/{}", media[3]["id"].as_str().unwrap());
    admin.delete(&trashed).await.expect(StatusCode::NO_CONTENT);
    let wanted = json!({ "name": MARK, "scopes": ["media:read"] });
    let token = admin.post("/api/v2/tokens", wanted).await.expect(StatusCode::CREATED).json();
    let wanted = json!({ "title": format!("{MARK} album") });
    let album = admin.post("/api/v2/albums", wanted).await.expect(StatusCode::CREATED).json();
    let path = format!("/api/v2/media/{}/signed-url", media[2]["id"].as_str().unwrap());
    let wanted = json!({ "variant": "original", "expires_in": 600_000 });
    let signed = admin.post(&path, wanted).await.json();
    let job = NewJob::new(Kind::Recount).after_ms(3_600_000);
    let job = jobs::add(&*site.open().await, job).await.unwrap();
    Full {
        job_id: job.public_id.to_string(),
        session: site.sign_in(MARK).await,
        token_id: token["id"].as_str().unwrap().to_owned(),
        album_id: album["id"].as_str().unwrap().to_owned(),
        delete_key: path_of(&media[0]["delete_url"]).rsplit('/').next().unwrap().to_owned(),
        signed: path_of(&signed["url"]),
        site,
        admin,
        media,
    }
}

impl Full {
    fn ids(&self) -> Vec<String> {
        let media = self.media.iter().map(|m| m["id"].as_str().unwrap().to_owned());
        let others = [&self.token_id, &self.job_id, &self.album_id];
        media.chain(others.into_iter().cloned()).collect()
    }

    /// Every row and every file of the site.
    async fn everything(&self) -> String {
        let dir = tempfile::tempdir().unwrap();
        let copy = dir.path().join("copy.sqlite");
        self.site.open().await.copy_database(&copy).await.unwrap();
        format!("{}{:?}", dump(&copy), self.site.files())
    }

    #[track_caller]
    fn nothing_of_it_in(&self, answer: &Answer, label: &str) {
        let text = format!("{:?}{}", answer.headers, answer.text());
        for secret in [MARK, "alice.example"].into_iter().map(str::to_owned).chain(self.ids()) {
            // A page may repeat the path that it was asked for.
            let own = label.matches(&secret).count();
            assert!(own > 0 || !text.contains(&secret), "{label}: {secret} in {text}");
        }
    }
}

/// All tables of a database file, as text.
fn dump(file: &std::path::Path) -> String {
    let db = database(file);
    let mut tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
    let tables: BTreeSet<String> =
        tables.query_map([], |r| r.get(0)).unwrap().map(Result::unwrap).collect();
    let mut text = String::new();
    for table in tables {
        let mut rows = db.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = rows.column_count();
        let read = |r: &rusqlite::Row| {
            (0..columns)
                .map(|n| r.get::<_, rusqlite::types::Value>(n))
                .collect::<Result<Vec<_>, _>>()
        };
        for row in rows.query_map([], read).unwrap() {
            text += &format!("{table} {:?}\n", row.unwrap());
        }
    }
    text
}

/// What the operation is asked with: whatever may help a thief.
fn body(operation: &str, alice: &Full) -> Value {
    match operation {
        "update_settings" => json!({ "name": "stolen" }),
        "create_setup" => json!({
            "token": "guessed", "username": "eve", "email": "e@e.org", "password": "correct horse"
        }),
        "create_session" => json!({ "login": MARK, "password": "correct horse" }),
        "create_session_with_link" => json!({ "token": "guessed" }),
        "create_token" => json!({ "name": "x", "scopes": ["media:read"] }),
        "upload_media" => json!({ "base64": "aGVsbG8=" }),
        "update_media" | "update_album" => json!({ "title": "stolen" }),
        "create_album" => json!({ "title": "x", "parent": alice.album_id }),
        "delete_media_with_key" => json!({ "key": alice.delete_key }),
        "create_signed_url" => json!({ "variant": "original" }),
        "create_rendering_url" => json!({ "width": 100 }),
        "create_blocked_picture" => json!({ "media_id": alice.ids()[0] }),
        _ => json!({}),
    }
}

#[tokio::test]
async fn no_operation_reaches_into_another_site() {
    let server = TestServer::start().await;
    let alice = fill(&server).await;
    let bob = server.tenant("bob", "bob.example").await;
    let own = bob.admin().await;
    let cookie = alice.session.header("cookie");
    let thieves = [
        ("a guest", bob.guest(), false),
        ("alice's token", bob.guest().with_token(alice.admin.token()), false),
        ("alice's key", bob.guest().with_header("x-api-key", alice.admin.token()), false),
        (
            "alice's cookie",
            bob.guest().with_header("cookie", &cookie).with_header("sec-fetch-site", "same-origin"),
            false,
        ),
        ("bob himself", own.clone(), true),
        ("bob with alice's cookie", own.with_header("cookie", &cookie), true),
    ];
    let before = alice.everything().await;
    let mut tried = 0;
    for (template, operations) in vitrina::api::document()["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            let ids = if template.contains("{id}") { alice.ids() } else { vec![String::new()] };
            for (id, (who, thief, is_bob)) in
                ids.iter().flat_map(|id| thieves.iter().map(move |thief| (id, thief)))
            {
                let method: Method = method.to_uppercase().parse().unwrap();
                let path = format!("/api/v2{}", template.replace("{id}", id));
                let mut request = thief.request(method.clone(), &path);
                if method == Method::POST || method == Method::PATCH {
                    request = request.json(&body(name, &alice));
                }
                let answer = thief.send(request).await;
                let label = format!("{method} {path} {name} by {who}: {}", answer.status);
                alice.nothing_of_it_in(&answer, &label);
                let is_open = matches!(
                    name,
                    "get_site" | "list_media" | "list_albums" | "get_upload_protocol"
                );
                let may = if template.contains("{id}") { false } else { *is_bob || is_open };
                assert!(may || answer.status.is_client_error(), "{label}");
                tried += 1;
            }
        }
    }
    assert!(tried > 200, "{tried}");
    assert_eq!(alice.everything().await, before);
}

#[tokio::test]
async fn no_page_and_no_file_of_another_site_is_shown() {
    let server = TestServer::start().await;
    let alice = fill(&server).await;
    let bob = server.tenant("bob", "bob.example").await;
    let (own, cookie) = (bob.admin().await, alice.session.header("cookie"));
    let before = alice.everything().await;
    let etag = alice.admin.get(&path_of(&alice.media[0]["urls"]["original"])).await;
    let (etag, modified) =
        (etag.header("etag").to_owned(), etag.header("last-modified").to_owned());
    let mut paths: Vec<String> =
        ["/", "/explore", "/library", "/account", "/upload", "/site"].map(str::to_owned).to_vec();
    paths.push(format!("/explore?owner={MARK}"));
    paths.push(alice.signed.clone());
    for media in &alice.media {
        let urls = media["urls"].as_object().unwrap();
        paths.extend(urls.values().filter(|u| u.is_string()).map(path_of));
    }
    paths.push(path_of(&alice.media[0]["delete_url"]));
    for path in paths {
        let signed = bob.guest().with_header("cookie", &cookie);
        for (who, thief) in [
            ("a guest", bob.guest()),
            ("bob", own.clone()),
            ("alice's cookie", signed.clone()),
            ("alice's etag", signed.with_header("if-none-match", &etag)),
            ("alice's date", signed.with_header("if-modified-since", &modified)),
            ("a range", own.with_header("range", "bytes=0-3")),
        ] {
            let answer = thief.get(&path).await;
            let label = format!("{path} by {who}: {}", answer.status);
            alice.nothing_of_it_in(&answer, &label);
            assert_ne!(answer.status, StatusCode::NOT_MODIFIED, "{label}");
            let is_alices = alice.ids().iter().any(|id| path.contains(id)) && who != "bob";
            let is_file = path.starts_with("/f/");
            if is_file {
                assert!(matches!(answer.status.as_u16(), 403 | 404), "{label}");
            }
            // The page of a delete link asks before it looks.
            if is_alices && !path.starts_with("/delete/") {
                assert!(!answer.status.is_success(), "{label}");
            }
        }
    }
    let form = [("key", &*alice.delete_key)];
    for path in [format!("/delete/{}/{}", alice.media[0]["id"].as_str().unwrap(), alice.delete_key)]
    {
        let request = own.request(Method::POST, &path).header("sec-fetch-site", "same-origin");
        let answer = own.send(request.form(&form)).await;
        assert!(answer.status.is_client_error(), "{}", answer.status);
    }
    assert_eq!(alice.everything().await, before);
    alice.site.guest().get(&alice.signed).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn equal_ids_and_keys_are_of_no_use_elsewhere() {
    let server = TestServer::start().await;
    let alice = fill(&server).await;
    let bob = server.tenant("bob", "bob.example").await;
    let own = bob.admin().await;
    // The worst case: bob's site holds an item of the very same id, file name and delete key.
    let theirs = own.upload(pictures::png(9, 9, false), "x.png").await;
    let (from, to) = (theirs["id"].as_str().unwrap(), alice.media[2]["id"].as_str().unwrap());
    let sql = format!(
        "UPDATE media SET public_id = '{to}' WHERE public_id = '{from}';
         UPDATE media SET visibility = 'private';"
    );
    let file = bob.folder().join("site.sqlite");
    database(&file).execute_batch(&sql).unwrap();
    let (path, query) = alice.signed.split_once('?').unwrap();
    let folder = path_of(&theirs["urls"]["original"]);
    let name = folder.rsplit('/').next().unwrap();
    for file in [path.to_owned(), format!("/f/{to}/{name}")] {
        bob.guest().get(&format!("{file}?{query}")).await.problem(403, "bad_signature");
    }
    let key = json!({ "key": alice.delete_key });
    let path = format!("/api/v2/media/{to}/delete-with-key");
    let answer = bob.guest().post(&path, key).await;
    assert!(matches!(answer.status.as_u16(), 403 | 404), "{}", answer.text());
    assert_eq!(bob.usage().await["files"], 1);
}

#[tokio::test]
async fn links_that_open_a_site_open_no_other() {
    let server = TestServer::start().await;
    let (alice, bob) =
        (server.tenant("alice", "alice.example").await, server.tenant("bob", "bob.example").await);
    let secret = setup::issue_link(&*alice.open().await).await.unwrap().unwrap();
    setup::issue_link(&*bob.open().await).await.unwrap().unwrap();
    let first = json!({
        "token": secret.expose(), "username": "eve", "email": "e@e.org", "password": "correct horse"
    });
    bob.guest().post("/api/v2/setup", first.clone()).await.problem(403, "forbidden");
    alice.guest().post("/api/v2/setup", first).await.expect(StatusCode::CREATED);
    assert_eq!(bob.usage().await["users"], 0);

    bob.admin().await;
    let made = link::issue(&*alice.open().await, Some("eve")).await.unwrap();
    let token = json!({ "token": made.secret.expose() });
    bob.guest().post("/api/v2/session/link", token.clone()).await.problem(403, "forbidden");
    let done = alice.guest().post("/api/v2/session/link", token.clone()).await;
    assert!(done.status.is_success(), "{}", done.text());
    alice.guest().post("/api/v2/session/link", token).await.problem(403, "forbidden");
}

#[tokio::test]
async fn wrong_guesses_count_on_the_site_where_they_are_made() {
    let server = TestServer::start().await;
    let (alice, bob) =
        (server.tenant("alice", "alice.example").await, server.tenant("bob", "bob.example").await);
    alice.admin().await;
    bob.admin().await;
    let login = |password: &str| json!({ "login": "ana", "password": password });
    for _ in 0..11 {
        alice.guest().post("/api/v2/session", login("wrong")).await;
    }
    let locked = alice.guest().post("/api/v2/session", login("correct horse")).await;
    locked.problem(429, "too_many_requests");
    bob.guest().post("/api/v2/session", login("correct horse")).await.expect(StatusCode::CREATED);
}

#[tokio::test]
async fn the_same_bytes_on_two_sites_are_two_items() {
    let server = TestServer::start().await;
    let (alice, bob) =
        (server.tenant("alice", "alice.example").await, server.tenant("bob", "bob.example").await);
    let bytes = pictures::png(33, 12, false);
    let first = alice.admin().await.upload(bytes.clone(), "a.png").await;
    let ben = bob.admin().await;
    let second = ben.upload(bytes, "b.png").await;
    assert_ne!(first["id"], second["id"]);
    let (kept, files) = (alice.usage().await, alice.files());
    let path = format!("/api/v2/media/{}", second["id"].as_str().unwrap());
    ben.delete(&format!("{path}?permanent=true")).await.expect(StatusCode::NO_CONTENT);
    assert_eq!((alice.usage().await, alice.files()), (kept, files));
    assert_eq!(bob.usage().await["bytes_stored"], 0);
    assert!(files_under(&bob.folder().join("media")).is_empty());
}
