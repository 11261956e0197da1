//! Every operation of the operator API, tried with every kind of key: only the one that was made
//! for it is let in.

use crate::kit::{Client, TestServer, database};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};
use vitrina::{
    base::Clock,
    operator::keys::{self, NewKey, Scope},
    tenancy::audit::By,
};

/// The scope that each operation needs.
const TABLE: &[(&str, &str)] = &[
    ("list_tenants", "tenants:read"),
    ("create_tenant", "tenants:write"),
    ("get_tenant", "tenants:read"),
    ("update_tenant", "tenants:write"),
    ("delete_tenant", "tenants:write"),
    ("suspend_tenant", "tenants:write"),
    ("resume_tenant", "tenants:write"),
    ("list_leftovers", "tenants:read"),
    ("delete_leftovers", "tenants:write"),
    ("list_hostnames", "tenants:read"),
    ("create_hostname", "tenants:write"),
    ("update_hostname", "tenants:write"),
    ("delete_hostname", "tenants:write"),
    ("create_first_admin", "tenants:write"),
    ("create_setup_link", "support"),
    ("reset_password", "support"),
    ("create_login_link", "support"),
    ("list_plans", "tenants:read"),
    ("create_plan", "plans:write"),
    ("get_plan", "tenants:read"),
    ("update_plan", "plans:write"),
    ("delete_plan", "plans:write"),
    ("list_keys", "keys"),
    ("create_key", "keys"),
    ("delete_key", "keys"),
    ("get_effective", "tenants:read"),
    ("list_limits", "tenants:read"),
    ("get_stats", "tenants:read"),
    ("refresh_stats", "tenants:write"),
    ("refresh_all_stats", "tenants:write"),
    ("list_audit", "audit:read"),
    ("get_status", "tenants:read"),
];

/// A body that the operation takes.
fn body(operation: &str) -> Value {
    match operation {
        "create_tenant" => json!({ "id": "made", "hostnames": ["made.example"] }),
        "update_tenant" => json!({ "name": "Changed" }),
        "suspend_tenant" => json!({ "reason": "closed" }),
        "create_hostname" => json!({ "host": "more.example" }),
        "update_hostname" => json!({ "is_canonical": true }),
        "create_first_admin" => {
            json!({ "username": "ana", "email": "ana@e.org", "password": "correct horse" })
        }
        "reset_password" => json!({ "username": "ana" }),
        "create_plan" => json!({ "id": "made" }),
        "update_plan" => json!({ "name": "Changed" }),
        "create_key" => json!({ "name": "made" }),
        _ => json!({}),
    }
}

/// Something for the operation to work on: a tenant with two names, a plan, a key, and what a
/// removed tenant left behind. The path.
async fn path_of(server: &TestServer, root: &Client, template: &str, operation: &str) -> String {
    let left = "INSERT OR REPLACE INTO leftovers
            (id, tenant, record, is_ready, removed_at, next_at)
        VALUES ('8fKq2ZtP12', 'gone', '{}', 1, 0, 9000000000000000)";
    database(&server.data().join("control.sqlite")).execute(left, []).unwrap();
    let tenant = json!({ "id": "thing", "hostnames": ["one.example", "two.example"] });
    root.post("/api/operator/tenants", tenant).await.expect(StatusCode::CREATED);
    root.post("/api/operator/plans", json!({ "id": "thing" })).await.expect(StatusCode::CREATED);
    let key = root.post("/api/operator/keys", json!({ "name": "thing" })).await;
    let key = key.expect(StatusCode::CREATED).json()["id"].as_str().unwrap().to_owned();
    if matches!(operation, "reset_password" | "create_login_link") {
        let admin = body("create_first_admin");
        let made = root.post("/api/operator/tenants/thing/install", admin).await;
        made.expect(StatusCode::CREATED);
    }
    let id = match template {
        template if template.starts_with("/keys") => &*key,
        template if template.starts_with("/leftovers") => "8fKq2ZtP12",
        _ => "thing",
    };
    let path = template.replace("{id}", id).replace("{host}", "two.example");
    format!("/api/operator{path}")
}

async fn clear(root: &Client) {
    for id in ["thing", "made"] {
        root.delete(&format!("/api/operator/tenants/{id}?now=true")).await;
        root.delete(&format!("/api/operator/plans/{id}")).await;
    }
    let keys = root.get("/api/operator/keys").await.json();
    for key in keys["items"].as_array().unwrap() {
        if matches!(key["name"].as_str(), Some("thing" | "made")) {
            root.delete(&format!("/api/operator/keys/{}", key["id"].as_str().unwrap())).await;
        }
    }
}

async fn call(client: &Client, method: &Method, path: &str, operation: &str) -> StatusCode {
    let mut request = client.request(method.clone(), path);
    if matches!(*method, Method::POST | Method::PATCH) {
        request = request.json(&body(operation));
    }
    client.send(request).await.status
}

async fn key(server: &TestServer, new: NewKey) -> Client {
    let made = keys::create(&server.running.tenants, &By::command_line(), new).await;
    server.operator().with_token(made.unwrap().1.expose())
}

/// What there is of everything that operations could make or change.
async fn everything(root: &Client) -> Value {
    let mut all = Vec::new();
    for path in ["tenants", "plans", "keys", "leftovers"] {
        let mut list = root.get(&format!("/api/operator/{path}")).await.json();
        for item in list["items"].as_array_mut().unwrap() {
            // These move by themselves.
            for field in ["last_used_at", "stats", "usage"] {
                item.as_object_mut().unwrap().remove(field);
            }
        }
        all.push(list);
    }
    json!(all)
}

#[tokio::test]
async fn only_a_key_that_was_made_for_it_is_let_in() {
    let server = TestServer::with(&[("trusted_proxies", "127.0.0.0/8")]).await;
    // Wrong keys are counted by address, so each comes from one of its own.
    let from = |address| server.operator().with_header("x-forwarded-for", address);
    let root = server.operator_key(&[]).await;
    let all = Scope::ALL.to_vec();
    let network = vec!["203.0.113.0/24".to_owned()];
    let new = |name: &str| NewKey { name: name.into(), scopes: all.clone(), ..NewKey::default() };
    let elsewhere = key(&server, NewKey { networks: network, ..new("elsewhere") }).await;
    let soon = Some(Clock::now().plus_ms(50));
    let expired = key(&server, NewKey { expires_at: soon, ..new("expired") }).await;
    tokio::time::sleep(Duration::from_millis(80)).await;
    let person = server.admin().await;
    let refused = [
        ("nobody", server.operator(), 401),
        ("a stranger", from("198.51.100.1").with_token("vk_op_guessed"), 401),
        ("a site's admin", from("198.51.100.2").with_token(person.token()), 401),
        ("an expired key", expired, 401),
        ("a key from elsewhere", elsewhere, 403),
    ];
    let table: BTreeMap<&str, &str> = TABLE.iter().copied().collect();
    let mut tried = 0;
    for (template, operations) in vitrina::operator::document()["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            let scope = *table.get(name).unwrap_or_else(|| panic!("{name} is not in the table"));
            let method: Method = method.to_uppercase().parse().unwrap();
            let path = path_of(&server, &root, template, name).await;
            let others = Scope::ALL.iter().map(|s| s.as_str()).filter(|s| *s != scope);
            let lacking = server.operator_key(&others.collect::<Vec<_>>()).await;
            let right = server.operator_key(&[scope]).await;
            let before = everything(&root).await;
            for (who, client, expected) in &refused {
                let status = call(client, &method, &path, name).await;
                assert_eq!(status.as_u16(), *expected, "{name} by {who}");
            }
            let status = call(&lacking, &method, &path, name).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{name} without {scope}");
            assert_eq!(everything(&root).await, before, "{name}");
            let status = call(&right, &method, &path, name).await;
            assert!(status.is_success(), "{name} with {scope}: {status}");
            clear(&root).await;
            tried += 1;
        }
    }
    assert_eq!(tried, TABLE.len(), "the table names an operation that is gone");
}

#[tokio::test]
async fn wrong_keys_are_slowed_down_and_right_ones_are_not() {
    let server = TestServer::start().await;
    let stranger = server.operator().with_token("vk_op_guessed");
    for _ in 0..50 {
        stranger.get("/api/operator/status").await.problem(401, "unauthenticated");
    }
    let slow = stranger.get("/api/operator/status").await;
    slow.problem(429, "too_many_requests");
    assert_ne!(slow.header("retry-after"), "");
    let root = server.operator_key(&[]).await;
    root.get("/api/operator/status").await.expect(StatusCode::OK);
    let header = server.operator().with_header("x-api-key", root.token());
    header.get("/api/operator/status").await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_key_is_shown_once_and_makes_no_key_that_may_more() {
    let server = TestServer::start().await;
    let root = server.operator_key(&[]).await;
    let asked = json!({
        "name": "billing", "scopes": ["tenants:read", "keys"], "networks": ["127.0.0.1", "::1"],
        "expires_at": "2999-01-01T00:00:00Z",
    });
    let made = root.post("/api/operator/keys", asked).await.expect(StatusCode::CREATED).json();
    let secret = made["key"].as_str().unwrap();
    assert!(secret.starts_with("vk_op_"));
    assert_eq!(made["networks"], json!(["127.0.0.1/32", "::1/128"]));
    let listed = root.get("/api/operator/keys").await.text();
    assert!(listed.contains("billing") && !listed.contains(secret));
    let billing = server.operator().with_token(secret);
    billing.get("/api/operator/tenants").await.expect(StatusCode::OK);
    billing.get("/api/operator/audit").await.problem(403, "missing_scope");
    let more = json!({ "name": "more", "scopes": ["support"] });
    billing.post("/api/operator/keys", more).await.problem(403, "forbidden");
    let same = billing.post("/api/operator/keys", json!({ "name": "same" })).await;
    assert_eq!(same.json()["scopes"], json!(["tenants:read", "keys"]));
    let listed = root.get("/api/operator/keys").await.json();
    let used = listed["items"].as_array().unwrap().iter().find(|key| key["name"] == "billing");
    assert!(used.unwrap()["last_used_at"].is_string());

    let twice = root.post("/api/operator/keys", json!({ "name": "billing" })).await;
    twice.problem(409, "key_exists");
    for (field, value) in [
        ("name", json!("")),
        ("scopes", json!([])),
        ("scopes", json!(["everything"])),
        ("networks", json!(["the office"])),
        ("expires_at", json!("tomorrow")),
        ("expires_at", json!("2001-01-01T00:00:00Z")),
    ] {
        let mut asked = json!({ "name": "bad" });
        asked[field] = value;
        root.post("/api/operator/keys", asked).await.names_field(422, field);
    }
    let id = made["id"].as_str().unwrap();
    let path = format!("/api/operator/keys/{id}");
    root.delete(&path).await.expect(StatusCode::NO_CONTENT);
    root.delete(&path).await.problem(404, "not_found");
    billing.get("/api/operator/tenants").await.problem(401, "unauthenticated");
}
