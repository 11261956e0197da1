//! What an operator does to tenants over the API: every verb once, and what it refuses.

use crate::kit::{Client, TestServer};
use reqwest::StatusCode;
use serde_json::{Value, json};

pub(crate) const TENANTS: &str = "/api/operator/tenants";

pub(crate) async fn create(root: &Client, id: &str) -> Value {
    let body = json!({ "id": id, "hostnames": [format!("{id}.example")] });
    root.post(TENANTS, body).await.expect(StatusCode::CREATED).json()
}

pub(crate) async fn install(root: &Client, id: &str) {
    let admin = json!({
        "username": "ana", "email": "ana@example.org", "password": "correct horse",
        "site_name": "Of Ana",
    });
    let made = root.post(&format!("{TENANTS}/{id}/install"), admin).await;
    let made = made.expect(StatusCode::CREATED).json();
    assert_eq!((&made["username"], &made["role"]), (&json!("ana"), &json!("admin")));
}

/// The path and query of an absolute address.
fn local(url: &Value) -> String {
    let url = url.as_str().unwrap();
    let start = url.find("://").unwrap() + 3;
    url[start + url[start..].find('/').unwrap()..].to_owned()
}

#[tokio::test]
async fn a_tenant_is_created_whole_and_set_up_by_its_link() {
    let server = TestServer::start().await;
    let root = server.operator_key(&[]).await;
    let plan = json!({ "id": "small", "limits": { "max_files": 2 } });
    root.post("/api/operator/plans", plan).await.expect(StatusCode::CREATED);
    let body = json!({
        "id": "alice", "name": "Alice", "hostnames": ["Bücher.example", "alice.example:8080"],
        "plan": "small", "limits": { "max_users": 3 }, "features": { "guests": false },
        "trial": { "ends_at": "2999-01-01T00:00:00Z", "limits": { "max_files": 9 } },
    });
    let made = root.post(TENANTS, body).await.expect(StatusCode::CREATED).json();
    assert_eq!(made["status"], "active");
    let hosts = [("xn--bcher-kva.example", true), ("alice.example", false)];
    let hosts = hosts.map(|(host, main)| json!({ "host": host, "is_canonical": main }));
    assert_eq!(made["hostnames"], json!(hosts));
    assert_eq!(made["limits"], json!({ "max_users": 3 }));
    assert_eq!(made["features"], json!({ "guests": false }));
    assert_eq!(made["trial"]["is_over"], false);
    assert!(made["url"].as_str().unwrap().starts_with("http://xn--bcher-kva.example"));
    let usage = made["usage"].as_array().unwrap();
    let of = |name: &str| usage.iter().find(|one| one["limit"] == name).unwrap();
    assert_eq!(of("max_files"), &json!({ "limit": "max_files", "used": 0, "allowed": 9 }));
    assert_eq!(of("max_tags"), &json!({ "limit": "max_tags", "used": 0 }));

    let one = format!("{TENANTS}/alice");
    assert_eq!(root.get(&one).await.json()["setup_needed"], true);
    let token = local(&made["setup_url"]).split_once("token=").unwrap().1.to_owned();
    let fresh = root.post(&format!("{one}/setup-link"), json!({})).await;
    let fresh = local(&fresh.expect(StatusCode::CREATED).json()["url"]);
    let visitor = server.visitor("alice.example");
    let claim = |token: &str| json!({ "token": token, "username": "alice", "email": "al@e.org", "password": "correct horse" });
    visitor.post("/api/v2/setup", claim(&token)).await.problem(403, "forbidden");
    let token = fresh.split_once("token=").unwrap().1;
    visitor.post("/api/v2/setup", claim(token)).await.expect(StatusCode::CREATED);
    assert_eq!(root.get(&one).await.json()["setup_needed"], false);
    let again = root.post(&format!("{one}/setup-link"), json!({})).await;
    again.problem(409, "already_set_up");
}

#[tokio::test]
async fn tenants_are_found_page_by_page() {
    let server = TestServer::start().await;
    let root = server.operator_key(&[]).await;
    for n in 0..5 {
        create(&root, &format!("t{n}")).await;
    }
    root.patch(&format!("{TENANTS}/t3"), json!({ "name": "Dora Müller" })).await;
    root.post(&format!("{TENANTS}/t4/suspend"), json!({ "reason": "late" })).await;
    let (mut seen, mut after) = (Vec::new(), String::new());
    for _ in 0..10 {
        let page = root.get(&format!("{TENANTS}?limit=2{after}")).await.json();
        let ids = page["items"].as_array().unwrap().iter().map(|t| t["id"].clone());
        seen.extend(ids);
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(seen, ["main", "t0", "t1", "t2", "t3", "t4"]);
    for (query, expected) in [
        ("status=suspended", json!(["t4"])),
        ("q=DORA", json!(["t3"])),
        ("q=t2.exam", json!(["t2"])),
        ("q=%25", json!([])),
        ("plan=none", json!([])),
    ] {
        let found = root.get(&format!("{TENANTS}?{query}")).await.json();
        let ids: Vec<_> = found["items"].as_array().unwrap().iter().map(|t| &t["id"]).collect();
        assert_eq!(json!(ids), expected, "{query}");
    }
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("after=..", "after"),
        ("status=x", "status"),
    ] {
        root.get(&format!("{TENANTS}?{query}")).await.names_field(422, field);
    }
}

#[tokio::test]
async fn bad_input_names_the_field_and_leaves_nothing() {
    let server = TestServer::start().await;
    let root = server.operator_key(&[]).await;
    create(&root, "alice").await;
    let before = root.get(TENANTS).await.json()["items"].as_array().unwrap().len();
    for (field, value) in [
        ("id", json!("Über")),
        ("id", json!("seventeen-letters")),
        ("id", json!("../x")),
        ("id", json!(7)),
        ("name", json!("x".repeat(500))),
        ("hostnames", json!(["no host"])),
        ("hostnames", json!(["http://x.example/"])),
        ("hostnames", json!("x.example")),
        ("plan", json!("nothing")),
        ("limits", json!({ "max_files": -1 })),
        ("limits", json!({ "max_dreams": 1 })),
        ("limits", json!([])),
        ("features", json!({ "api": "maybe" })),
        ("features", json!({ "teleport": true })),
        ("trial", json!({ "limits": {} })),
        ("trial", json!({ "ends_at": "soon" })),
        ("reason", json!("because")),
    ] {
        let mut body = json!({ "id": "bad", "hostnames": ["bad.example"] });
        body[field] = value.clone();
        let answer = root.post(TENANTS, body).await;
        assert_eq!(answer.status, 422, "{field} {value}: {}", answer.text());
        answer.names_field(422, field);
    }
    let unknown = root.post(TENANTS, json!({ "id": "bad", "colour": "red" })).await;
    assert!(unknown.status.is_client_error() && unknown.text().contains("colour"));
    let taken = json!({ "id": "bad", "hostnames": ["free.example", "ALICE.example"] });
    root.post(TENANTS, taken).await.problem(409, "hostname_taken");
    root.post(TENANTS, json!({ "id": "alice" })).await.problem(409, "tenant_exists");
    let after = root.get(TENANTS).await.json()["items"].as_array().unwrap().len();
    assert_eq!(after, before);
    assert!(!server.data().join("tenants/bad").exists());
    server.visitor("free.example").get("/api/v2/site").await.expect(StatusCode::OK);

    let one = format!("{TENANTS}/alice");
    let state = root.get(&one).await.json();
    root.patch(&one, json!({ "limits": { "max_files": "x" } })).await.names_field(422, "limits");
    root.patch(&one, json!({ "name": "New", "plan": "none" })).await.names_field(422, "plan");
    assert_eq!(root.get(&one).await.json()["name"], state["name"]);
    for path in ["nobody", "%2e%2e", "UPPER"] {
        root.get(&format!("{TENANTS}/{path}")).await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn a_suspended_site_says_why_until_it_is_resumed() {
    let server = TestServer::start().await;
    let root = server.operator_key(&[]).await;
    create(&root, "alice").await;
    let one = format!("{TENANTS}/alice");
    let visitor = server.visitor("alice.example");
    visitor.get("/api/v2/site").await.expect(StatusCode::OK);
    let reason = json!({ "reason": "The invoice is open." });
    let told = root.post(&format!("{one}/suspend"), reason).await.expect(StatusCode::OK).json();
    assert_eq!(
        (&told["status"], &told["reason"]),
        (&json!("suspended"), &json!("The invoice is open."))
    );
    let problem = visitor.get("/api/v2/site").await.problem(403, "suspended");
    assert!(problem["detail"].as_str().unwrap().contains("The invoice is open."));
    let page = visitor.get("/").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.text().contains("The invoice is open."));
    let open = root.post(&format!("{one}/resume"), json!({})).await.expect(StatusCode::OK).json();
    assert_eq!(open["status"], "active");
    assert!(open.get("reason").is_none());
    visitor.get("/api/v2/site").await.expect(StatusCode::OK);

    let closed =
        json!({ "id": "bob", "suspended": true, "reason": "Not yet.", "hostnames": ["b.example"] });
    let made = root.post(TENANTS, closed).await.expect(StatusCode::CREATED).json();
    assert_eq!(made["status"], "suspended");
    assert!(made.get("setup_url").is_none());
    server.visitor("b.example").get("/api/v2/site").await.problem(403, "suspended");
}

#[tokio::test]
async fn a_deletion_can_be_taken_back_unless_it_was_meant_now() {
    let server = TestServer::start().await;
    let root = server.operator_key(&[]).await;
    create(&root, "alice").await;
    let one = format!("{TENANTS}/alice");
    let told = root.delete(&one).await.expect(StatusCode::ACCEPTED).json();
    assert_eq!(told["status"], "deleting");
    assert!(told["delete_after"].is_string());
    server.visitor("alice.example").get("/api/v2/site").await.problem(410, "gone");
    let reason = json!({ "reason": "x" });
    root.post(&format!("{one}/suspend"), reason).await.problem(409, "is_deleting");
    root.post(&format!("{one}/resume"), json!({})).await.expect(StatusCode::OK);
    server.visitor("alice.example").get("/api/v2/site").await.expect(StatusCode::OK);
    assert!(server.data().join("tenants/alice").exists());
    root.delete(&format!("{one}?now=true")).await.expect(StatusCode::NO_CONTENT);
    root.get(&one).await.problem(404, "not_found");
    assert!(!server.data().join("tenants/alice").exists());
    let trail = root.get("/api/operator/audit?tenant=alice").await.json();
    let actions: Vec<_> = trail["items"].as_array().unwrap().iter().map(|e| &e["action"]).collect();
    let expected = ["tenant.purge", "tenant.resume", "tenant.delete", "tenant.create"];
    assert_eq!(json!(actions), json!(expected));
    assert!(trail["items"][0]["actor"].as_str().unwrap().starts_with("key "));
    assert_eq!(trail["items"][0]["address"], "127.0.0.1");
    let first = root.get("/api/operator/audit?tenant=alice&limit=3").await.json();
    let after = first["next"].as_str().unwrap();
    let rest = root.get(&format!("/api/operator/audit?tenant=alice&after={after}")).await.json();
    assert_eq!(rest["items"][0]["action"], "tenant.create");
    assert!(rest.get("next").is_none());
}

#[tokio::test]
async fn hostnames_come_and_go() {
    let server = TestServer::start().await;
    let root = server.operator_key(&[]).await;
    create(&root, "alice").await;
    create(&root, "bob").await;
    let hosts = format!("{TENANTS}/alice/hostnames");
    let added = root.post(&hosts, json!({ "host": "New.Example" })).await;
    let added = added.expect(StatusCode::CREATED).json();
    assert_eq!(added, json!({ "host": "new.example", "is_canonical": false }));
    root.post(&hosts, json!({ "host": "bob.example" })).await.problem(409, "hostname_taken");
    root.post(&hosts, json!({ "host": "a b" })).await.names_field(422, "host");
    let canonical = format!("{hosts}/alice.example");
    root.delete(&canonical).await.problem(409, "canonical_hostname");
    let patch = |value: bool| json!({ "is_canonical": value });
    root.patch(&format!("{hosts}/new.example"), patch(false))
        .await
        .names_field(422, "is_canonical");
    root.patch(&format!("{hosts}/bob.example"), patch(true)).await.problem(404, "not_found");
    let made = root.patch(&format!("{hosts}/new.example"), patch(true)).await;
    assert_eq!(made.expect(StatusCode::OK).json()["is_canonical"], true);
    root.delete(&canonical).await.expect(StatusCode::NO_CONTENT);
    let listed = root.get(&hosts).await.json();
    assert_eq!(listed["items"], json!([{ "host": "new.example", "is_canonical": true }]));
    let url = root.get(&format!("{TENANTS}/alice")).await.json()["url"].clone();
    assert!(url.as_str().unwrap().starts_with("http://new.example"), "{url}");
}

#[tokio::test]
async fn people_are_helped_in() {
    let server = TestServer::start().await;
    let root = server.operator_key(&[]).await;
    create(&root, "alice").await;
    let one = format!("{TENANTS}/alice");
    root.post(&format!("{one}/login-link"), json!({})).await.problem(404, "not_found");
    let bad = json!({ "username": "a", "email": "ana@example.org", "password": "correct horse" });
    root.post(&format!("{one}/install"), bad).await.names_field(422, "username");
    install(&root, "alice").await;
    let admin = json!({ "username": "bo", "email": "b@example.org", "password": "correct horse" });
    root.post(&format!("{one}/install"), admin).await.problem(409, "already_set_up");
    let visitor = server.visitor("alice.example");
    assert_eq!(visitor.get("/api/v2/site").await.json()["name"], "Of Ana");

    let link = root.post(&format!("{one}/login-link"), json!({})).await;
    let link = link.expect(StatusCode::CREATED).json();
    assert_eq!(link["username"], "ana");
    assert!(local(&link["url"]).starts_with("/sign-in/link?token="), "{link}");
    let token = local(&link["url"]).split_once("token=").unwrap().1.to_owned();
    let redeem = json!({ "token": token });
    server.guest().post("/api/v2/session/link", redeem.clone()).await.problem(403, "forbidden");
    let signed = visitor.post("/api/v2/session/link", redeem.clone()).await;
    let signed = signed.expect(StatusCode::CREATED);
    let cookie = signed.header("set-cookie").split(';').next().unwrap().to_owned();
    visitor.post("/api/v2/session/link", redeem).await.problem(403, "forbidden");
    let ana = visitor.with_header("cookie", &cookie);
    ana.get("/api/v2/session").await.expect(StatusCode::OK);

    let reset = format!("{one}/password-reset");
    root.post(&reset, json!({ "username": "nobody" })).await.problem(404, "not_found");
    let short = json!({ "username": "ana", "password": "short" });
    root.post(&reset, short).await.names_field(422, "password");
    ana.get("/api/v2/session").await.expect(StatusCode::OK);
    let told = root.post(&reset, json!({ "username": "ana" })).await.expect(StatusCode::OK).json();
    let password = told["password"].as_str().unwrap();
    assert_eq!(password.len(), 16);
    ana.get("/api/v2/session").await.problem(401, "unauthenticated");
    let body = json!({ "login": "ana", "password": password });
    visitor.post("/api/v2/session", body).await.expect(StatusCode::CREATED);
    let given = json!({ "username": "ana", "password": "another horse" });
    let told = root.post(&reset, given).await.expect(StatusCode::OK).json();
    assert!(told.get("password").is_none());

    let trail = root.get("/api/operator/audit?tenant=alice").await.text();
    for action in ["tenant.install", "tenant.login_link", "tenant.password_reset"] {
        assert!(trail.contains(action), "{action}");
    }
    assert!(!trail.contains(password) && !trail.contains(&token), "no secret is written down");
}

#[tokio::test]
async fn figures_are_counted_and_failures_reported() {
    let server = TestServer::start().await;
    let root = server.operator_key(&[]).await;
    create(&root, "alice").await;
    create(&root, "broken").await;
    install(&root, "alice").await;
    let told = root.post(&format!("{TENANTS}/alice/stats/refresh"), json!({})).await;
    let told = told.expect(StatusCode::OK).json();
    assert_eq!(
        (&told["users"], &told["admins"], &told["files"]),
        (&json!(1), &json!(1), &json!(0))
    );
    let known = root.get(&format!("{TENANTS}/alice/stats")).await.json();
    assert_eq!(known["users"], 1);
    let shown = root.get(&format!("{TENANTS}/alice")).await.json();
    assert_eq!(shown["stats"]["users"], 1);
    assert_eq!(
        root.get("/api/operator/limits").await.json()["limits"].as_array().unwrap().len(),
        16
    );

    let server = server.restart_after(|data| {
        let file = data.join("tenants/broken/site.sqlite");
        std::fs::write(file, b"this is no database at all, whatever it may be called").unwrap();
    });
    let server = server.await;
    let root = server.operator().with_token(root.token());
    let all = root.post("/api/operator/stats/refresh", json!({})).await;
    let all = all.expect(StatusCode::OK).json();
    assert_eq!(all["refreshed"], 2);
    assert_eq!(all["failed"][0]["tenant"], "broken");
    root.get(&format!("{TENANTS}/broken")).await.expect(StatusCode::OK);
    let status = root.get("/api/operator/status").await.json();
    assert_eq!(status["tenants"], json!({ "active": 3, "suspended": 0, "deleting": 0 }));
}
