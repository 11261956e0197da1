//! One suite over every place where bytes may lie: the site's own folder, a folder of the
//! operator's, and S3. What differs from one place to another is in the modules beside it.

mod hidden;
mod killed;
mod removed;

use crate::{
    kit::{Answer, Client, TestServer, films, path_of, pictures, s3::S3},
    storages::server_with,
    transfer::id,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use poem::{Route, Server, endpoint::make_sync, listener::TcpAcceptor};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::Path;
use tempfile::TempDir;
use vitrina::{
    accounts::Role,
    tenancy::audit::By,
    transfer::{Listener, backup, clone, restore},
};

/// A server whose new items go to one place.
struct Store {
    server: TestServer,
    ana: Client,
    kind: &'static str,
    s3: S3,
    drive: TempDir,
}

/// What to POST to `/storages` for a folder of the operator's.
fn disk(drive: &Path) -> Value {
    json!({ "name": "Drive", "kind": "disk", "place": { "folder": drive } })
}

/// The files in a folder, by their paths in it.
fn names_in(folder: &Path) -> Vec<String> {
    let files = crate::kit::files_under(folder);
    let mut names: Vec<_> =
        files.iter().map(|f| f.strip_prefix(folder).unwrap().display().to_string()).collect();
    names.sort();
    names
}

impl Store {
    async fn open(kind: &'static str) -> Self {
        let (drive, s3) = (tempfile::tempdir().unwrap(), S3::start().await);
        let (server, ana) =
            server_with(&[("storage_folders", drive.path().to_str().unwrap())]).await;
        let store = Self { server, ana, kind, s3, drive };
        store.add_to(&store.ana).await;
        store
    }

    /// Has a site keep its new items there, too.
    async fn add_to(&self, admin: &Client) {
        let wanted = match self.kind {
            "local" => return,
            "disk" => disk(self.drive.path()),
            _ => self.s3.storage("Bucket", ""),
        };
        admin.post("/api/v2/storages", wanted).await.expect(StatusCode::CREATED);
    }

    /// The files of the main site's items there.
    fn files(&self) -> Vec<String> {
        match self.kind {
            "local" => names_in(&self.server.data().join("tenants/main/media")),
            "disk" => names_in(&self.drive.path().join("main")),
            _ => self.s3.keys(),
        }
    }

    /// Those among them that are originals with this ending.
    fn originals(&self, ending: &str) -> usize {
        let is_original = |name: &&String| {
            let file = name.rsplit('/').next().unwrap();
            file.matches('.').count() == 1 && file.ends_with(ending)
        };
        self.files().iter().filter(is_original).count()
    }

    /// Nothing lies anywhere that belongs to no item.
    fn is_empty(&self) -> bool {
        self.files().is_empty() && self.server.stored_files() == 0 && self.server.leftovers() == 0
    }

    /// How many items and bytes the site says lie there.
    async fn counted(&self) -> (u64, u64) {
        let all = self.ana.get("/api/v2/storages").await.expect(StatusCode::OK).json();
        let all = all["items"].as_array().unwrap();
        let here = all.iter().find(|storage| storage["kind"] == self.kind).unwrap();
        (here["items"].as_u64().unwrap(), here["bytes"].as_u64().unwrap())
    }

    async fn photo(&self, seed: u64) -> Value {
        self.ana.upload(pictures::photo_jpeg(420, 320, seed), "On the beach.jpg").await
    }
}

/// Runs each case over each place.
macro_rules! over_every_store {
    ($($case:ident)*) => {
        over_every_store!(@ own_folder "local" $($case)*);
        over_every_store!(@ drive "disk" $($case)*);
        over_every_store!(@ s3 "s3" $($case)*);
    };
    (@ $module:ident $kind:literal $($case:ident)*) => {
        mod $module {
            $(#[tokio::test]
            async fn $case() {
                super::$case(super::Store::open($kind).await).await;
            })*
        }
    };
}

over_every_store! {
    an_item_goes_there_and_comes_back
    every_door_leads_there
    what_is_said_about_an_item_moves_no_byte
    pictures_are_made_anew_where_their_item_is
    the_trash_gives_back_and_is_emptied
    the_same_bytes_are_kept_once
    films_and_songs_go_there
    copies_of_the_site_hold_their_bytes_themselves
    a_site_that_is_removed_leaves_nothing
}

fn item(media: &Value) -> String {
    format!("/api/v2/media/{}", media["id"].as_str().unwrap())
}

async fn original(client: &Client, media: &Value) -> Answer {
    client.get(&path_of(&media["urls"]["original"])).await
}

async fn an_item_goes_there_and_comes_back(store: Store) {
    let media = store.photo(1).await;
    let files = store.files();
    assert_eq!((files.len(), store.originals("jpg")), (3, 1), "{files:?}");
    for part in [media["id"].as_str().unwrap(), ".thumb.", ".medium."] {
        assert!(files.iter().any(|file| file.contains(part)), "{part} in {files:?}");
    }
    let (guest, path) = (store.server.guest(), path_of(&media["urls"]["original"]));
    let whole = guest.get(&path).await.expect(StatusCode::OK);
    let length = whole.body.len();
    image::load_from_memory(&whole.body).unwrap();
    assert_eq!(length as u64, media["bytes"].as_u64().unwrap());
    let head = guest.head(&path).await.expect(StatusCode::OK);
    assert_eq!((head.header("content-length"), head.body.len()), (&*length.to_string(), 0));
    assert_eq!(head.header("etag"), whole.header("etag"));
    for (range, expected) in [
        ("bytes=10-19", &whole.body[10..20]),
        ("bytes=-7", &whole.body[length - 7..]),
        ("bytes=100-", &whole.body[100..]),
    ] {
        let part = guest.with_header("range", range).get(&path).await;
        assert_eq!(part.expect(StatusCode::PARTIAL_CONTENT).body, expected, "{range}");
    }
    let beyond = guest.with_header("range", "bytes=99999999-").get(&path).await;
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
    let known = guest.with_header("if-none-match", whole.header("etag")).get(&path).await;
    assert_eq!((known.status, known.body.len()), (StatusCode::NOT_MODIFIED, 0));
    let other = guest.with_header("if-range", "\"other\"").with_header("range", "bytes=0-0");
    assert_eq!(other.get(&path).await.expect(StatusCode::OK).body, whole.body);

    let variants = media["variants"].as_array().unwrap();
    let bytes = variants.iter().map(|v| v["bytes"].as_u64().unwrap()).sum::<u64>() + length as u64;
    assert_eq!(store.counted().await, (1, bytes));
    store.ana.delete(&format!("{}?permanent=true", item(&media))).await;
    original(&guest, &media).await.problem(404, "not_found");
    assert_eq!(store.counted().await, (0, 0));
    assert!(store.is_empty());
}

/// A web server of somebody else's that shows one picture.
async fn elsewhere(picture: Vec<u8>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/photo.jpg", listener.local_addr().unwrap());
    let routes = Route::new().at("/photo.jpg", make_sync(move |_| picture.clone()));
    let acceptor = TcpAcceptor::from_tokio(listener).unwrap();
    tokio::spawn(Server::new_with_acceptor(acceptor).run(routes));
    url
}

async fn every_door_leads_there(store: Store) {
    let ana = &store.ana;
    let photo = |seed| pictures::photo_jpeg(300, 200, seed);
    let mut items = vec![ana.upload(photo(1), "form.jpg").await];
    for body in [
        json!({ "url": elsewhere(photo(2)).await }),
        json!({ "base64": STANDARD.encode(photo(3)) }),
    ] {
        items.push(ana.post("/api/v2/media", body).await.expect(StatusCode::CREATED).json());
    }
    items.push(in_pieces(ana, &photo(4)).await);
    assert_eq!((store.originals("jpg"), store.files().len()), (4, 12));
    for media in &items {
        let whole = original(ana, media).await.expect(StatusCode::OK).body;
        let sum: String = Sha256::digest(&whole).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(media["checksum"], format!("sha256:{sum}"));
    }
    let kept_here = if store.kind == "local" { 12 } else { 0 };
    assert_eq!((store.server.stored_files(), store.server.leftovers()), (kept_here, 0));
    assert_eq!(store.counted().await.0, 4);
}

/// An upload as tus has it, in two pieces.
async fn in_pieces(client: &Client, file: &[u8]) -> Value {
    let tus = |method, path: &str| {
        let method = Method::from_bytes(method).unwrap();
        client.request(method, path).header("tus-resumable", "1.0.0")
    };
    let begin = tus(b"POST", "/api/v2/uploads").header("upload-length", file.len());
    let begun = client.send(begin).await.expect(StatusCode::CREATED);
    let path = path_of(&json!(begun.header("location")));
    let half = file.len() / 2;
    for (offset, piece) in [(0, &file[..half]), (half, &file[half..])] {
        let piece = tus(b"PATCH", &path)
            .header("upload-offset", offset)
            .header("content-type", "application/offset+octet-stream")
            .body(piece.to_vec());
        client.send(piece).await.expect(StatusCode::NO_CONTENT);
    }
    let state = client.get(&path).await.expect(StatusCode::OK).json();
    let media = format!("/api/v2/media/{}", state["media_id"].as_str().unwrap());
    client.get(&media).await.expect(StatusCode::OK).json()
}

async fn what_is_said_about_an_item_moves_no_byte(store: Store) {
    let media = store.photo(1).await;
    let (files, ana) = (store.files(), &store.ana);
    let said = json!({ "title": "Sea", "tags": ["a", "b"], "nsfw": true });
    ana.patch(&item(&media), said).await.expect(StatusCode::OK);
    for (visibility, status) in [("private", 404), ("unlisted", 200), ("public", 200)] {
        ana.patch(&item(&media), json!({ "visibility": visibility })).await.expect(StatusCode::OK);
        original(ana, &media).await.expect(StatusCode::OK);
        assert_eq!(original(&store.server.guest(), &media).await.status, status, "{visibility}");
    }
    assert_eq!(store.files(), files);
}

async fn pictures_are_made_anew_where_their_item_is(store: Store) {
    let (media, ana, guest) = (store.photo(1).await, &store.ana, store.server.guest());
    let before = store.files();
    ana.patch("/api/v2/site/settings", json!({ "thumb_width": 100 })).await.expect(StatusCode::OK);
    crate::regeneration::all(ana).await;
    store.server.look_after_now().await;
    let now = ana.get(&item(&media)).await.json();
    let thumb = guest.get(&path_of(&now["urls"]["thumb"])).await.expect(StatusCode::OK);
    assert_eq!(image::load_from_memory(&thumb.body).unwrap().width(), 100);
    let after = store.files();
    assert_eq!(after.len(), before.len());
    assert_ne!(after, before);
    // Pictures on demand lie here, wherever their original does.
    let here = store.server.stored_files();
    let asked = ana.post(&format!("{}/renderings", item(&media)), json!({ "width": 64 })).await;
    let url = path_of(&asked.expect(StatusCode::CREATED).json()["url"]);
    for _ in 0..2 {
        let picture = guest.get(&url).await.expect(StatusCode::OK).body;
        assert_eq!(image::load_from_memory(&picture).unwrap().width(), 64);
    }
    assert_eq!(store.server.stored_files(), here + 1);
    ana.delete(&format!("{}?permanent=true", item(&media))).await;
    assert!(store.is_empty());
}

async fn the_trash_gives_back_and_is_emptied(store: Store) {
    let (media, ana, guest) = (store.photo(1).await, &store.ana, store.server.guest());
    let (files, before) = (store.files(), original(&guest, &media).await.body);
    ana.delete(&item(&media)).await.expect(StatusCode::NO_CONTENT);
    original(&guest, &media).await.problem(404, "not_found");
    assert_eq!(store.files(), files);
    ana.post(&format!("{}/restore", item(&media)), json!({})).await.expect(StatusCode::OK);
    assert_eq!(original(&guest, &media).await.expect(StatusCode::OK).body, before);
    ana.delete(&item(&media)).await.expect(StatusCode::NO_CONTENT);
    ana.patch("/api/v2/site/settings", json!({ "trash_days": 0 })).await.expect(StatusCode::OK);
    store.server.look_after_now().await;
    original(ana, &media).await.problem(404, "not_found");
    assert!(store.is_empty());
}

async fn the_same_bytes_are_kept_once(store: Store) {
    let (ana, bob) = (&store.ana, store.server.person("bob", Role::User).await);
    let sent = pictures::plain_png(300, 200, [40, 100, 200]);
    let first = ana.upload(sent.clone(), "first.png").await;
    let second = bob.upload(sent.clone(), "second.png").await;
    let twice = [("allow_duplicate", "true")];
    let third = bob.upload_with(sent.clone(), "third.png", &twice).await;
    let third = third.expect(StatusCode::CREATED).json();
    assert_eq!(store.originals("png"), 1);
    let whole = original(ana, &first).await.body;
    for gone in [&first, &third] {
        ana.delete(&format!("{}?permanent=true", item(gone))).await;
        assert_eq!(store.originals("png"), 1);
        assert_eq!(original(ana, &second).await.expect(StatusCode::OK).body, whole);
    }
    let guest = store.server.guest();
    guest.get(&path_of(&second["urls"]["thumb"])).await.expect(StatusCode::OK);
    ana.delete(&format!("{}?permanent=true", item(&second))).await;
    assert!(store.is_empty());
}

async fn films_and_songs_go_there(store: Store) {
    let (ana, guest) = (&store.ana, store.server.guest());
    let film = ana.upload(films::mp4(), "film.mp4").await;
    let song = ana.upload(films::mp3(&pictures::photo_jpeg(300, 300, 4)), "song.mp3").await;
    assert_eq!((&film["kind"], &song["kind"]), (&json!("video"), &json!("audio")));
    assert_eq!((store.originals("mp4"), store.originals("mp3")), (1, 1));
    for (media, mime) in [(&film, "video/mp4"), (&song, "audio/mpeg")] {
        let whole = original(&guest, media).await.expect(StatusCode::OK);
        assert_eq!(whole.header("content-type"), mime);
        assert_eq!(whole.body.len() as u64, media["bytes"].as_u64().unwrap());
        let poster = guest.get(&path_of(&media["urls"]["poster"])).await.expect(StatusCode::OK);
        image::load_from_memory(&poster.body).unwrap();
    }
    let part = guest.with_header("range", "bytes=4-7");
    assert_eq!(part.get(&path_of(&film["urls"]["original"])).await.body, b"ftyp");
}

async fn copies_of_the_site_hold_their_bytes_themselves(store: Store) {
    let mut items = vec![store.photo(1).await, store.photo(2).await];
    let bob = store.server.person("bob", Role::User).await;
    items.push(bob.upload(pictures::photo_jpeg(420, 320, 1), "the same.jpg").await);
    let (tenants, by) = (&store.server.running.tenants, By::command_line());
    let (none, file) = (Listener::none(), store.server.data().join("main.tar"));
    backup::backup(tenants, &by, &id("main"), &file, false, &none).await.unwrap();
    let hostnames = vec!["restored.example".into()];
    let order = restore::Order { id: "restored".into(), hostnames, source_key: None };
    restore::restore(tenants, &by, &file, order, &none).await.unwrap();
    let names = vec!["cloned.example".to_owned()];
    clone::clone(tenants, &by, &id("main"), "cloned", names, &none).await.unwrap();
    for media in &items {
        store.ana.delete(&format!("{}?permanent=true", item(media))).await;
    }
    assert!(store.files().is_empty());
    for host in ["restored.example", "cloned.example"] {
        let there = store.server.visitor(host);
        for media in &items {
            for kind in ["original", "medium", "thumb"] {
                let file = there.get(&path_of(&media["urls"][kind])).await.expect(StatusCode::OK);
                image::load_from_memory(&file.body).unwrap();
            }
        }
    }
}

async fn a_site_that_is_removed_leaves_nothing(store: Store) {
    let tenants = &store.server.running.tenants;
    let alice = store.server.tenant("alice", "alice.example").await;
    let admin = alice.admin().await;
    store.add_to(&admin).await;
    let kept = store.photo(9).await;
    let before = (store.files(), names_in(store.drive.path()));
    for seed in 0..3 {
        admin.upload(pictures::photo_jpeg(300, 200, seed), "a.jpg").await;
    }
    tenants.purge(&By::command_line(), &alice.id).await.unwrap();
    tenants.record(&alice.id).await.unwrap_err();
    vitrina::worker::clear_due(tenants).await.unwrap();
    assert_eq!((store.files(), names_in(store.drive.path())), before);
    assert!(!store.drive.path().join("alice").exists());
    let sites = std::fs::read_dir(store.server.data().join("tenants")).unwrap();
    let sites: Vec<_> = sites.map(|e| e.unwrap().file_name()).collect();
    assert_eq!(sites, ["main"]);
    assert!(tenants.leftovers().await.unwrap().is_empty());
    original(&store.ana, &kept).await.expect(StatusCode::OK);
}
