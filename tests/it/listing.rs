//! Lists: who finds what, and how pages follow each other.

use crate::kit::{Client, TestServer, pictures};
use reqwest::StatusCode;
use serde_json::{Value, json};
use vitrina::accounts::Role;

async fn upload(who: &Client, n: u32, visibility: &str) -> String {
    let fields = [("visibility", visibility), ("title", &*format!("item {n}"))];
    let bytes = pictures::png(10 + n, 10, false);
    let media = who.upload_with(bytes, "a.png", &fields).await.expect(StatusCode::CREATED);
    media.json()["id"].as_str().unwrap().to_owned()
}

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|m| m["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn pages_run_from_the_newest_to_the_oldest_and_back() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let mut all = Vec::new();
    for n in 0..7 {
        all.insert(0, upload(&ana, n, "public").await);
    }
    let mut found = Vec::new();
    let mut path = "/api/v2/media?limit=3".to_owned();
    let mut last_prev = None;
    loop {
        let answer = server.guest().get(&path).await.expect(StatusCode::OK);
        let page = answer.json();
        found.extend(ids(&page));
        if let Some(prev) = page["prev"].as_str() {
            last_prev = Some((prev.to_owned(), ids(&page)));
        }
        let Some(next) = page["next"].as_str() else { break };
        assert!(answer.header("link").contains("rel=\"next\""), "{}", answer.header("link"));
        path = format!("/api/v2/media?limit=3&after={next}");
    }
    assert_eq!(found, all);
    let (prev, _) = last_prev.unwrap();
    let back = server.guest().get(&format!("/api/v2/media?limit=3&before={prev}")).await.json();
    assert_eq!(ids(&back), all[3..6]);
    // The header leads to the same place as the cursor.
    let first = server.guest().get("/api/v2/media?limit=3").await;
    let link = first.header("link");
    let url = link.split(['<', '>']).nth(1).unwrap();
    assert_eq!(ids(&server.guest().get(url).await.json()), all[3..6]);
}

#[tokio::test]
async fn everybody_finds_what_is_theirs_to_find() {
    let server = TestServer::start().await;
    let (bob, eve) =
        (server.person("bob", Role::User).await, server.person("eve", Role::User).await);
    let boss = server.person("boss", Role::Manager).await;
    let public = upload(&bob, 1, "public").await;
    let unlisted = upload(&bob, 2, "unlisted").await;
    let private = upload(&bob, 3, "private").await;
    let thrown = upload(&bob, 4, "public").await;
    bob.delete(&format!("/api/v2/media/{thrown}")).await.expect(StatusCode::NO_CONTENT);
    let list = async |who: &Client, query: &str| {
        ids(&who.get(&format!("/api/v2/media{query}")).await.expect(StatusCode::OK).json())
    };
    let (own, open) = (vec![private, unlisted, public.clone()], vec![public]);
    for (who, query, expected) in [
        (&server.guest(), "", &open),
        (&server.guest(), "?owner=bob", &open),
        (&eve, "", &open),
        (&eve, "?owner=bob", &open),
        (&eve, "?owner=me", &vec![]),
        (&bob, "", &own),
        (&bob, "?owner=me", &own),
        (&bob, "?owner=bob", &own),
        (&bob, "?owner=me&trashed=true", &vec![thrown.clone()]),
        (&boss, "?owner=bob", &own),
        (&boss, "?owner=bob&trashed=true", &vec![thrown.clone()]),
    ] {
        assert_eq!(&list(who, query).await, expected, "{query}");
    }
    server.guest().get("/api/v2/media?owner=me").await.problem(401, "unauthenticated");
    server.guest().get("/api/v2/media?trashed=true").await.problem(401, "unauthenticated");
    eve.get("/api/v2/media?owner=bob&trashed=true").await.problem(403, "forbidden");
    eve.get("/api/v2/media?owner=nobody").await.problem(404, "not_found");
}

#[tokio::test]
async fn bad_paging_names_the_parameter() {
    let server = TestServer::start().await;
    let cases = [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=many", "limit"),
        ("after=nonsense", "after"),
        ("before=AAAA", "before"),
        ("after=AAAAAAAAAAE&before=AAAAAAAAAAE", "before"),
        ("trashed=maybe", "trashed"),
    ];
    for (query, field) in cases {
        server.guest().get(&format!("/api/v2/media?{query}")).await.names_field(422, field);
    }
}

#[tokio::test]
async fn what_has_expired_is_in_no_list() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let fields = [("expires_in", "2500")];
    ana.upload_with(pictures::png(9, 9, false), "a.png", &fields).await.expect(StatusCode::CREATED);
    assert_eq!(ana.get("/api/v2/media").await.json()["items"].as_array().unwrap().len(), 1);
    tokio::time::sleep(std::time::Duration::from_millis(2600)).await;
    assert_eq!(ana.get("/api/v2/media").await.json()["items"], json!([]));
}
