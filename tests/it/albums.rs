//! Albums: who finds what in them, and that nothing in one is easier to see than the album.

use crate::kit::{Client, TestServer, path_of, pictures};
use reqwest::StatusCode;
use serde_json::{Value, json};
use vitrina::accounts::Role;

async fn album(who: &Client, about: Value) -> Value {
    who.post("/api/v2/albums", about).await.expect(StatusCode::CREATED).json()
}

async fn upload(who: &Client, n: u32, album: &str, visibility: &str) -> Value {
    let fields = [("visibility", visibility), ("album", album), ("tags", "sea")];
    let bytes = pictures::png(10 + n, 10, false);
    who.upload_with(bytes, "a.png", &fields).await.expect(StatusCode::CREATED).json()
}

fn id(thing: &Value) -> String {
    thing["id"].as_str().unwrap().to_owned()
}

async fn ids(who: &Client, path: &str) -> Vec<String> {
    let page = who.get(path).await.expect(StatusCode::OK).json();
    page["items"].as_array().unwrap().iter().map(id).collect()
}

async fn patch(who: &Client, path: &str, change: Value) -> Value {
    who.patch(path, change).await.expect(StatusCode::OK).json()
}

#[tokio::test]
async fn an_album_shows_everybody_what_is_theirs_to_find() {
    let server = TestServer::start().await;
    let (bob, eve) =
        (server.person("bob", Role::User).await, server.person("eve", Role::User).await);
    let sea = album(&bob, json!({ "title": "By the sea", "description": "Two weeks" })).await;
    let sea_id = id(&sea);
    assert!(sea["url"].as_str().unwrap().ends_with(&format!("/a/{sea_id}/by-the-sea")), "{sea}");
    let public = upload(&bob, 1, &sea_id, "public").await;
    let private = upload(&bob, 2, &sea_id, "private").await;
    assert_eq!(public["album"], json!({ "id": sea_id, "title": "By the sea" }));
    let inside = format!("/api/v2/media?album={sea_id}");
    assert_eq!(ids(&bob, &inside).await, [id(&private), id(&public)]);
    for other in [&eve, &server.guest()] {
        assert_eq!(ids(other, &inside).await, [id(&public)]);
        let seen = other.get(&format!("/api/v2/albums/{sea_id}")).await.json();
        assert_eq!((&seen["items"], &seen["can_edit"]), (&json!(1), &json!(false)), "{seen}");
        assert_eq!(seen["cover"]["id"], public["id"]);
    }
    let own = bob.get(&format!("/api/v2/albums/{sea_id}")).await.json();
    assert_eq!((&own["items"], &own["cover"]["id"]), (&json!(2), &private["id"]), "{own}");
    // The cover that bob chose is shown to those who may see it.
    let path = format!("/api/v2/albums/{sea_id}");
    assert_eq!(
        patch(&bob, &path, json!({ "cover": public["id"] })).await["cover"]["id"],
        public["id"]
    );
    let thumb = own["cover"]["thumb"].as_str().unwrap();
    bob.get(&path_of(&json!(thumb))).await.expect(StatusCode::OK);
    // What is thrown away is in no album, and comes back to it.
    bob.delete(&format!("/api/v2/media/{}", id(&public))).await.expect(StatusCode::NO_CONTENT);
    assert_eq!(ids(&server.guest(), &inside).await, [""; 0]);
    assert_eq!(bob.get(&path).await.json()["items"], 1);
    bob.post(&format!("/api/v2/media/{}/restore", id(&public)), json!({})).await;
    assert_eq!(ids(&server.guest(), &inside).await, [id(&public)]);
    // By its tag, too, along with whose it is.
    assert_eq!(ids(&eve, &format!("{inside}&tag=Sea")).await, [id(&public)]);
    assert_eq!(ids(&bob, "/api/v2/media?tag=sea&owner=me").await, [id(&private), id(&public)]);
    assert_eq!(ids(&bob, "/api/v2/media?tag=hills").await, [""; 0]);
}

#[tokio::test]
async fn nothing_in_an_album_is_easier_to_see_than_the_album() {
    let server = TestServer::start().await;
    let bob = server.person("bob", Role::User).await;
    let guest = server.guest();
    let outer = id(&album(&bob, json!({ "title": "Outer" })).await);
    let inner = id(&album(&bob, json!({ "title": "Inner", "parent": outer })).await);
    let media = upload(&bob, 1, &inner, "public").await;
    let path = format!("/api/v2/media/{}", id(&media));
    let original = path_of(&media["urls"]["original"]);
    assert_eq!(ids(&guest, "/api/v2/media").await, [id(&media)]);

    let hidden = json!({ "visibility": "private" });
    patch(&bob, &format!("/api/v2/albums/{outer}"), hidden).await;
    guest.get(&path).await.problem(404, "not_found");
    guest.get(&original).await.expect(StatusCode::NOT_FOUND);
    for album in [&outer, &inner] {
        guest.get(&format!("/api/v2/albums/{album}")).await.problem(404, "not_found");
        guest.get(&format!("/api/v2/media?album={album}")).await.problem(404, "not_found");
        guest.get(&format!("/api/v2/albums?parent={album}")).await.problem(404, "not_found");
    }
    assert_eq!(ids(&guest, "/api/v2/media").await, [""; 0]);
    assert_eq!(ids(&guest, "/api/v2/albums").await, [""; 0]);
    let own = bob.get(&path).await.json();
    assert_eq!((&own["visibility"], &own["own_visibility"]), (&json!("private"), &json!("public")));
    // What it asked for itself is kept, and holds once nothing is stricter.
    patch(&bob, &path, json!({ "visibility": "unlisted" })).await;
    patch(&bob, &format!("/api/v2/albums/{outer}"), json!({ "visibility": "public" })).await;
    assert_eq!(guest.get(&path).await.json()["visibility"], "unlisted");
    guest.get(&original).await.expect(StatusCode::OK);

    // An album that goes leaves what was hidden in it hidden.
    patch(&bob, &format!("/api/v2/albums/{inner}"), json!({ "visibility": "private" })).await;
    bob.delete(&format!("/api/v2/albums/{inner}")).await.expect(StatusCode::NO_CONTENT);
    guest.get(&path).await.problem(404, "not_found");
    assert_eq!(bob.get(&path).await.json()["album"], Value::Null);
    assert_eq!(bob.get(&path).await.json()["visibility"], "private");
}

#[tokio::test]
async fn an_album_may_take_all_in_it_along() {
    let server = TestServer::start().await;
    let bob = server.person("bob", Role::User).await;
    let outer = id(&album(&bob, json!({ "title": "Outer" })).await);
    let inner = id(&album(&bob, json!({ "title": "Inner", "parent": outer })).await);
    let media = upload(&bob, 1, &inner, "public").await;
    bob.delete(&format!("/api/v2/albums/{outer}?contents=gone")).await.names_field(422, "contents");
    let gone = format!("/api/v2/albums/{outer}?contents=trash");
    bob.delete(&gone).await.expect(StatusCode::NO_CONTENT);
    bob.get(&format!("/api/v2/albums/{inner}")).await.problem(404, "not_found");
    assert_eq!(ids(&bob, "/api/v2/media?owner=me&trashed=true").await, [id(&media)]);
    assert_eq!(ids(&bob, "/api/v2/albums?owner=me").await, [""; 0]);
}

#[tokio::test]
async fn albums_are_arranged_and_paged() {
    let server = TestServer::start().await;
    let bob = server.person("bob", Role::User).await;
    let mut line = vec![id(&album(&bob, json!({ "title": "1" })).await)];
    for n in 2..=12 {
        let parent = line.last().unwrap();
        line.push(id(&album(&bob, json!({ "title": n.to_string(), "parent": parent })).await));
    }
    let deep = json!({ "title": "13", "parent": line.last() });
    bob.post("/api/v2/albums", deep).await.names_field(422, "parent");
    let top = format!("/api/v2/albums/{}", line[0]);
    bob.patch(&top, json!({ "parent": line[5] })).await.names_field(422, "parent");
    bob.patch(&top, json!({ "parent": line[0] })).await.names_field(422, "parent");
    assert_eq!(ids(&bob, "/api/v2/albums?parent=none&owner=me").await, [line[0].clone()]);
    assert_eq!(ids(&bob, &format!("/api/v2/albums?parent={}", line[3])).await, [line[4].clone()]);
    let first = bob.get("/api/v2/albums?limit=5").await;
    assert!(first.header("link").contains("rel=\"next\""));
    let next = first.json()["next"].as_str().unwrap().to_owned();
    let second = ids(&bob, &format!("/api/v2/albums?limit=5&after={next}")).await;
    assert_eq!(second, line.iter().rev().skip(5).take(5).cloned().collect::<Vec<_>>());
    // A middle one goes: what lay in it moves up.
    bob.delete(&format!("/api/v2/albums/{}", line[1])).await.expect(StatusCode::NO_CONTENT);
    let up = bob.get(&format!("/api/v2/albums/{}", line[2])).await.json();
    assert_eq!(up["parent"]["id"], json!(line[0]));
}

#[tokio::test]
async fn an_album_is_its_owners_alone() {
    let server = TestServer::start().await;
    let (bob, eve) =
        (server.person("bob", Role::User).await, server.person("eve", Role::User).await);
    let boss = server.person("boss", Role::Manager).await;
    let bobs = id(&album(&bob, json!({ "title": "Bob's" })).await);
    let own = id(&album(&eve, json!({ "title": "Eve's" })).await);
    let path = format!("/api/v2/albums/{bobs}");
    eve.patch(&path, json!({ "title": "mine" })).await.problem(403, "forbidden");
    eve.delete(&path).await.problem(403, "forbidden");
    server.guest().delete(&path).await.problem(401, "unauthenticated");
    let inside = json!({ "title": "x", "parent": bobs });
    eve.post("/api/v2/albums", inside).await.names_field(422, "parent");
    let bytes = pictures::png(40, 10, false);
    let fields = [("album", &*bobs)];
    eve.upload_with(bytes.clone(), "a.png", &fields).await.names_field(422, "album");
    assert_eq!(ids(&eve, "/api/v2/media?owner=me").await, [""; 0]);
    let media = upload(&eve, 1, &own, "public").await;
    let item = format!("/api/v2/media/{}", id(&media));
    eve.patch(&item, json!({ "album": bobs })).await.names_field(422, "album");
    // Not even who looks after the site mixes what belongs to two people.
    boss.patch(&item, json!({ "album": bobs })).await.names_field(422, "album");
    boss.patch(&path, json!({ "cover": id(&media) })).await.names_field(422, "cover");
    assert_eq!(patch(&eve, &item, json!({ "album": null })).await["album"], Value::Null);
    assert_eq!(patch(&boss, &path, json!({ "title": "Tidied" })).await["title"], "Tidied");
    for bad in [json!({ "album": "none" }), json!({ "album": "1111111111" })] {
        eve.patch(&item, bad).await.names_field(422, "album");
    }
    eve.get(&format!("/api/v2/media?album={own}&owner=eve")).await.names_field(422, "album");
    eve.post("/api/v2/albums", json!({ "title": " " })).await.names_field(422, "title");
}

#[tokio::test]
async fn albums_count_against_the_limit_of_their_site() {
    let server = TestServer::start().await;
    let site = server.tenant("alice", "alice.example").await;
    site.allow("max_albums=1").await;
    let admin = site.admin().await;
    let only = album(&admin, json!({ "title": "One" })).await;
    let more = admin.post("/api/v2/albums", json!({ "title": "Two" })).await;
    assert_eq!(more.problem(403, "limit_reached")["limit"], "max_albums");
    admin.delete(&format!("/api/v2/albums/{}", id(&only))).await.expect(StatusCode::NO_CONTENT);
    album(&admin, json!({ "title": "Two" })).await;
}
