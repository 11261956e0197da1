//! Which site a request is for: by the host that it names, and by nothing else that it says.

use crate::kit::{Answer, Client, TestServer, TestTenant, database, path_of, pictures};
use reqwest::{Method, StatusCode};
use serde_json::json;
use std::time::{Duration, Instant};
use vitrina::{
    tenancy::{audit::By, provision::NewTenant},
    worker,
};

const BY: fn() -> By = By::command_line;

async fn site_name(client: &Client) -> String {
    let site = client.get("/api/v2/site").await.expect(StatusCode::OK).json();
    site["name"].as_str().unwrap().to_owned()
}

/// A new site whose name is its id.
async fn named(server: &TestServer, id: &str, hosts: &[&str]) -> TestTenant {
    let new = NewTenant {
        id: id.to_owned(),
        hostnames: hosts.iter().map(|h| (*h).to_owned()).collect(),
        ..NewTenant::default()
    };
    let site = server.tenant_with(new).await;
    let admin = site.admin().await;
    let set = admin.patch("/api/v2/site/settings", json!({ "name": id })).await;
    set.expect(StatusCode::OK);
    site
}

fn at(server: &TestServer, host: &str) -> Client {
    server.guest().with_header("host", host)
}

/// The page is a page, whatever its status.
#[track_caller]
fn is_page(answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
    assert!(answer.header("content-type").starts_with("text/html"), "{:?}", answer.headers);
    answer.text()
}

#[tokio::test]
async fn a_host_that_nobody_has_is_answered_with_404() {
    let server = TestServer::with(&[("default_tenant", "")]).await;
    assert_eq!(std::fs::read_dir(server.data().join("tenants")).map_or(0, Iterator::count), 0);
    let alice = named(&server, "alice", &["alice.example"]).await;
    for host in ["nobody.example", "alice.example.evil.example", "evil.alice.example", "127.0.0.1"]
    {
        let nobody = at(&server, host);
        nobody.get("/api/v2/site").await.problem(404, "not_found");
        nobody.get("/f/1111111111/a.png").await.problem(404, "not_found");
        nobody
            .post("/api/v2/session", json!({ "login": "a", "password": "b" }))
            .await
            .problem(404, "not_found");
        let page = is_page(&nobody.get("/").await, 404);
        assert!(!page.contains("alice"), "{page}");
        is_page(&nobody.get("/m/1111111111").await, 404);
    }
    assert_eq!(site_name(&alice.guest()).await, "alice");
}

#[tokio::test]
async fn the_default_site_answers_to_the_names_that_nobody_has() {
    let server = TestServer::with(&[("default_tenant", "home")]).await;
    let alice = named(&server, "alice", &["alice.example"]).await;
    let home = server.existing("home", "whatever.example");
    home.admin().await.patch("/api/v2/site/settings", json!({ "name": "home" })).await;
    for host in ["whatever.example", "127.0.0.1:80", "[::1]", "x.alice.example"] {
        assert_eq!(site_name(&at(&server, host)).await, "home", "{host}");
    }
    assert_eq!(site_name(&server.guest()).await, "home");
    assert_eq!(site_name(&alice.guest()).await, "alice");
}

#[tokio::test]
async fn one_name_has_many_spellings() {
    let server = TestServer::with(&[("default_tenant", "")]).await;
    named(&server, "alice", &["Alice.Example", "bücher.example"]).await;
    named(&server, "bob", &["alice.example.net"]).await;
    for host in [
        "alice.example",
        "ALICE.example",
        "alice.example:8080",
        "alice.example:1",
        "alice.example.",
        "alice.example.:443",
        "xn--bcher-kva.example",
        "XN--BCHER-KVA.EXAMPLE:80",
    ] {
        assert_eq!(site_name(&at(&server, host)).await, "alice", "{host}");
    }
    for host in
        ["alice.example:80:90", "alice.example:80@evil", "alice.example/..", "[alice.example]"]
    {
        let Ok(value) = reqwest::header::HeaderValue::from_str(host) else { continue };
        let odd = server.guest().request(Method::GET, "/api/v2/site").header("host", value);
        let answer = server.guest().send(odd).await;
        assert!(answer.status.is_client_error(), "{host}: {}", answer.status);
    }
}

#[tokio::test]
async fn only_a_trusted_proxy_may_name_another_host() {
    for (trusted, name) in [("", "alice"), ("127.0.0.0/8", "bob")] {
        let settings = [("default_tenant", ""), ("trusted_proxies", trusted)];
        let server = TestServer::with(&settings).await;
        let alice = named(&server, "alice", &["alice.example"]).await;
        named(&server, "bob", &["bob.example"]).await;
        let forwarded = alice.guest().with_header("x-forwarded-host", "Bob.Example:443");
        assert_eq!(site_name(&forwarded).await, name);
    }
}

#[tokio::test]
async fn links_start_with_the_canonical_name_whatever_was_asked_for() {
    let server = TestServer::with(&[("public_url", "https://hosting.example:8443")]).await;
    let alice = named(&server, "alice", &["alice.example", "other.example"]).await;
    let admin = alice.admin_again().await.with_header("host", "other.example");
    let fields = [("title", "A picture")];
    let answer = admin.upload_with(pictures::png(40, 30, false), "a.png", &fields).await;
    let media = answer.expect(StatusCode::CREATED).json();
    let id = media["id"].as_str().unwrap();
    let other = at(&server, "other.example:99");
    let everywhere = async |origin: &str| {
        let item = other.get(&format!("/api/v2/media/{id}")).await.expect(StatusCode::OK).json();
        let urls = item["urls"].as_object().unwrap().values().filter_map(|u| u.as_str());
        let variants = item["variants"].as_array().unwrap().iter();
        let all: Vec<&str> = urls.chain(variants.filter_map(|v| v["url"].as_str())).collect();
        assert!(all.len() >= 5);
        for url in all {
            assert!(url.starts_with(&format!("{origin}/")), "{url}");
        }
        let embeds = other.get(&format!("/api/v2/media/{id}/embeds")).await;
        let page = other.get(&path_of(&item["urls"]["view"])).await.expect(StatusCode::OK);
        assert!(page.text().contains(&format!("\"og:url\" content=\"{origin}/m/{id}")));
        for text in [embeds.expect(StatusCode::OK).text(), page.text()] {
            assert!(text.contains(origin), "{text}");
            assert!(!text.contains("other.example"), "{text}");
            assert!(!text.contains("127.0.0.1"), "{text}");
        }
        let list = other.get("/api/v2/media?limit=1").await;
        assert!(!list.header("link").contains("other.example"));
    };
    everywhere("https://alice.example:8443").await;
    server.running.tenants.add_hostname(&BY(), &alice.id, "new.example", true).await.unwrap();
    everywhere("https://new.example:8443").await;
}

#[tokio::test]
async fn a_suspended_site_says_why_and_comes_back_at_once() {
    let server = TestServer::start().await;
    let alice = named(&server, "alice", &["alice.example"]).await;
    let bob = named(&server, "bob", &["bob.example"]).await;
    let admin = alice.admin_again().await;
    let media = admin.upload(pictures::png(9, 9, false), "a.png").await;
    let file = path_of(&media["urls"]["original"]);
    let tenants = &server.running.tenants;
    tenants.suspend(&BY(), &alice.id, "The bill <b>was</b> not paid").await.unwrap();
    for client in [alice.guest(), admin.clone()] {
        for path in ["/api/v2/site", &*file, "/api/v2/media"] {
            let problem = client.get(path).await.problem(403, "suspended");
            assert!(problem["detail"].as_str().unwrap().contains("was</b> not paid"), "{problem}");
        }
    }
    let page = is_page(&alice.guest().get("/").await, 403);
    assert!(page.contains("not paid") && !page.contains("<b>was"), "{page}");
    let body = json!({ "login": "ana", "password": "correct horse" });
    alice.guest().post("/api/v2/session", body).await.problem(403, "suspended");
    assert_eq!(site_name(&bob.guest()).await, "bob");
    tenants.resume(&BY(), &alice.id).await.unwrap();
    alice.guest().get(&file).await.expect(StatusCode::OK);
    is_page(&alice.guest().get("/").await, 200);
    assert!(tenants.suspend(&BY(), &bob.id, " ").await.unwrap().reason.is_none());
    bob.guest().get("/api/v2/site").await.problem(403, "suspended");
}

#[tokio::test]
async fn a_deleted_site_can_be_taken_back_until_it_is_purged() {
    let server = TestServer::start().await;
    let alice = named(&server, "alice", &["alice.example"]).await;
    let bob = named(&server, "bob", &["bob.example"]).await;
    let media = alice.admin_again().await.upload(pictures::png(9, 9, false), "a.png").await;
    let file = path_of(&media["urls"]["original"]);
    let tenants = &server.running.tenants;
    let record = tenants.delete(&BY(), &alice.id).await.unwrap();
    assert!(record.delete_after.is_some());
    alice.guest().get("/api/v2/site").await.problem(410, "gone");
    alice.guest().get(&file).await.problem(410, "gone");
    is_page(&alice.guest().get("/").await, 410);
    worker::visit_due(tenants).await.unwrap();
    assert!(alice.folder().exists(), "its time of grace is not over");
    let refused = tenants.suspend(&BY(), &alice.id, "x").await.unwrap_err();
    assert!(refused.to_string().contains("being deleted"), "{refused}");
    assert!(tenants.resume(&BY(), &alice.id).await.unwrap().delete_after.is_none());
    alice.guest().get(&file).await.expect(StatusCode::OK);

    tenants.purge(&BY(), &alice.id).await.unwrap();
    assert!(!alice.folder().exists());
    let left = std::fs::read_dir(server.data().join("tenants")).unwrap();
    let mut left: Vec<_> = left.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    left.sort();
    assert_eq!(left, ["bob", "main"]);
    let control = database(&server.data().join("control.sqlite"));
    for (table, column) in [
        ("tenants", "id"),
        ("hostnames", "tenant"),
        ("due", "tenant"),
        ("work", "tenant"),
        ("tenant_stats", "tenant"),
    ] {
        let count = format!("SELECT count(*) FROM {table} WHERE {column} = 'alice'");
        let rows: i64 = control.query_row(&count, [], |r| r.get(0)).unwrap();
        assert_eq!(rows, 0, "{table}");
    }
    // The name and the id are free again, and nothing of the old site comes with them.
    let again = server.tenant("alice", "alice.example").await;
    again.guest().get(&file).await.problem(404, "not_found");
    assert_eq!(again.usage().await["users"], 0);
    assert_eq!(site_name(&bob.guest()).await, "bob");
}

#[tokio::test]
async fn housekeeping_purges_when_the_grace_is_over() {
    let server = TestServer::with(&[("delete_grace_days", "0")]).await;
    let alice = named(&server, "alice", &["alice.example"]).await;
    let tenants = &server.running.tenants;
    tenants.delete(&BY(), &alice.id).await.unwrap();
    let began = Instant::now();
    // The server's own housekeeping may be at it.
    while alice.folder().exists() || tenants.record(&alice.id).await.is_ok() {
        worker::visit_due(tenants).await.unwrap();
        assert!(began.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.guest().get("/api/v2/site").await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_site_that_nobody_set_up_shows_how() {
    let server = TestServer::with(&[("default_tenant", "")]).await;
    let alice = server.tenant("alice", "alice.example").await;
    let home = alice.guest().get("/").await;
    let page = match home.status.is_redirection() {
        true => alice.guest().get(home.header("location")).await,
        false => home,
    };
    let html = is_page(&page, 200);
    assert!(html.to_lowercase().contains("set up"), "{html}");
    assert_eq!(alice.guest().get("/api/v2/site").await.json()["setup_needed"], true);
}

#[tokio::test]
async fn names_move_between_sites_at_once() {
    let server = TestServer::with(&[("default_tenant", "")]).await;
    let alice = named(&server, "alice", &["alice.example", "shop.example"]).await;
    let bob = named(&server, "bob", &["bob.example"]).await;
    let shop = at(&server, "shop.example");
    assert_eq!(site_name(&shop).await, "alice");
    let tenants = &server.running.tenants;
    let taken = tenants.add_hostname(&BY(), &bob.id, "SHOP.example", false).await.unwrap_err();
    assert!(taken.to_string().contains("already"), "{taken}");
    let canonical = tenants.remove_hostname(&BY(), &alice.id, "alice.example").await.unwrap_err();
    assert!(canonical.to_string().contains("canonical"), "{canonical}");
    tenants.remove_hostname(&BY(), &alice.id, "shop.example").await.unwrap();
    shop.get("/api/v2/site").await.problem(404, "not_found");
    tenants.add_hostname(&BY(), &bob.id, "shop.example", true).await.unwrap();
    assert_eq!(site_name(&shop).await, "bob");
}
