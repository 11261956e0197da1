//! The inherited tenants API: requests as existing provisioning scripts send them.

use crate::kit::{Client, TestServer};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;

const BASE: &str = "/_/api/4";

fn signature(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect()
}

struct Script {
    client: Client,
    secret: Option<&'static str>,
}

impl Script {
    async fn send(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let mut request = self.client.request(method, &format!("{BASE}/{path}"));
        if !text.is_empty() {
            request = request.header("content-type", "application/json").body(text.clone());
        }
        if let Some(secret) = self.secret {
            request = request.header("x-signature", signature(secret, &text));
        }
        let answer = self.client.send(request).await;
        let json = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        (answer.status, json)
    }

    async fn expect(&self, status: u16, method: Method, path: &str, body: Value) -> Value {
        let (got, json) = self.send(method, path, body).await;
        assert_eq!(got.as_u16(), status, "{path}: {json}");
        json
    }
}

#[tokio::test]
async fn an_existing_script_provisions_a_site() {
    let server = TestServer::start().await;
    let key = server.operator_key(&[]).await;
    let client = server.operator().with_header("x-api-key", key.token());
    let script = Script { client, secret: None };
    use Method as M;
    script.expect(200, M::POST, "auth/verify", Value::Null).await;
    let limits = json!({ "CHEVERETO_MAX_FILES": 2, "CHEVERETO_MAX_CACHE_TTL": 3600 });
    let plan =
        json!({ "id": "basic", "limits": limits, "env": { "CHEVERETO_ENABLE_GUESTS": "0" } });
    let made = script.expect(201, M::POST, "tenants-plans", plan.clone()).await;
    assert_eq!(made["limits"], limits);
    script.expect(409, M::POST, "tenants-plans", plan).await;

    let tenant = json!({ "id": "alice", "hostname": "alice.example", "is_enabled": true,
        "plan_id": "basic", "limits": {}, "env": { "SECRET_TOKEN": "hush" } });
    let made = script.expect(201, M::POST, "tenants", tenant.clone()).await;
    assert_eq!((&made["hostname"], &made["plan_id"]), (&"alice.example".into(), &"basic".into()));
    assert_eq!(made["env"]["SECRET_TOKEN"], "hush");
    let refused = script.expect(409, M::POST, "tenants", tenant).await;
    assert_eq!(refused["status"]["code"], 409);
    assert!(refused["error"]["list"][0].is_string());
    script.expect(400, M::POST, "tenants", json!({ "id": "x" })).await;
    script.expect(404, M::GET, "tenants/nobody", Value::Null).await;
    let listed = script.expect(200, M::GET, "tenants", Value::Null).await;
    assert_eq!(listed.as_array().unwrap().len(), 2, "main and alice");

    let admin =
        json!({ "username": "alice", "email": "a@example.org", "password": "correct horse" });
    script.expect(201, M::POST, "tenants/alice/install", admin.clone()).await;
    script.expect(409, M::POST, "tenants/alice/install", admin).await;
    let reset = json!({ "username": "alice" });
    let reset = script.expect(200, M::PATCH, "tenants/alice/user-password-reset", reset).await;
    let alice = server.guest().with_header("host", "alice.example");
    let login = json!({ "login": "alice", "password": reset["password"] });
    alice.post("/api/v2/session", login).await.expect(StatusCode::CREATED);

    script.expect(400, M::PATCH, "tenants/alice", json!({})).await;
    script.expect(204, M::PATCH, "tenants/alice", json!({ "is_enabled": 0 })).await;
    alice.get("/api/v2/site").await.problem(403, "suspended");
    let change = json!({ "is_enabled": "1", "hostname": "new.example", "plan_id": "",
        "limits": { "CHEVERETO_MAX_USERS": "7" } });
    script.expect(204, M::PATCH, "tenants/alice", change).await;
    let now = script.expect(200, M::GET, "tenants/alice", Value::Null).await;
    assert_eq!((&now["plan_id"], &now["hostname"]), (&Value::Null, &"new.example".into()));
    assert_eq!(now["limits"], json!({ "CHEVERETO_MAX_USERS": 7 }));
    assert_eq!(now["env"]["SECRET_TOKEN"], "hush", "what is not named stays");
    script.expect(204, M::PATCH, "tenants/alice", json!({ "limits": {} })).await;
    let now = script.expect(200, M::GET, "tenants/alice", Value::Null).await;
    assert_eq!(now["limits"], json!({}));

    script.expect(204, M::DELETE, "tenants/alice", json!({ "drop_tables": true })).await;
    script.expect(404, M::GET, "tenants/alice", Value::Null).await;
    script.expect(204, M::DELETE, "tenants-plans/basic", Value::Null).await;
    script.expect(404, M::GET, "tenants-plans/basic", Value::Null).await;
}

#[tokio::test]
async fn a_call_needs_a_key_and_where_it_is_configured_a_signature() {
    let server = TestServer::with_secret("request_secret", "a shared secret").await;
    let key = server.operator_key(&[]).await;
    let guest = Script { client: server.operator(), secret: Some("a shared secret") };
    guest.expect(401, Method::POST, "auth/verify", Value::Null).await;
    let client = server.operator().with_header("x-api-key", key.token());
    let with = |secret| Script { client: client.clone(), secret };
    let plan = json!({ "id": "basic" });
    with(None).expect(401, Method::POST, "tenants-plans", plan.clone()).await;
    with(Some("wrong")).expect(401, Method::POST, "tenants-plans", plan.clone()).await;
    with(Some("a shared secret")).expect(201, Method::POST, "tenants-plans", plan).await;
    let public = server.guest().with_header("x-api-key", key.token());
    let outside = Script { client: public, secret: Some("a shared secret") };
    outside.expect(404, Method::GET, "tenants", Value::Null).await;
}
