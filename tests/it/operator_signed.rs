//! Signed requests to the operator API: taken once, in time, and as they were signed.

use crate::kit::{Answer, Client, TestServer};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use vitrina::{
    base::{Clock, secret::Secret},
    operator::signature::sign,
};

/// A request and how it is signed; a test bends one part at a time.
#[derive(Clone)]
struct Request {
    method: Method,
    path: String,
    body: Vec<u8>,
    skew_s: i64,
    nonce: String,
}

impl Request {
    fn new(method: Method, path: &str, body: Option<Value>) -> Self {
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let nonce = Secret::random("").unwrap().expose().to_owned();
        Self { method, path: path.to_owned(), body, skew_s: 0, nonce }
    }

    fn timestamp(&self) -> i64 {
        Clock::now().0 / 1000 + self.skew_s
    }

    fn signature(&self, client: &Client) -> String {
        let key = Secret::new(client.token());
        let (method, at) = (self.method.as_str(), self.timestamp());
        sign(&key, method, &self.path, &self.body, at, &self.nonce)
    }

    async fn send(&self, client: &Client) -> Answer {
        self.send_with(client, &self.signature(client)).await
    }

    async fn send_with(&self, client: &Client, signature: &str) -> Answer {
        let request = client.request(self.method.clone(), &self.path);
        let request = request
            .header("x-vitrina-timestamp", self.timestamp())
            .header("x-vitrina-nonce", &self.nonce)
            .header("x-vitrina-signature", signature)
            .header("content-type", "application/json")
            .body(self.body.clone());
        client.send(request).await
    }
}

fn create(id: &str) -> Request {
    Request::new(Method::POST, "/api/operator/tenants", Some(json!({ "id": id })))
}

#[tokio::test]
async fn a_signed_request_is_taken_once() {
    let server = TestServer::start().await;
    let root = server.operator_key(&[]).await;
    let one = create("alice");
    one.send(&root).await.expect(StatusCode::CREATED);
    one.send(&root).await.problem(403, "bad_signature");
    let list = Request::new(Method::GET, "/api/operator/tenants?limit=1&q=ali", None);
    let found = list.send(&root).await.expect(StatusCode::OK).json();
    assert_eq!(found["items"][0]["id"], "alice");
    list.send(&root).await.problem(403, "bad_signature");
    // Another key may use the same nonce, and the same server still knows it after a restart.
    let other = server.operator_key(&[]).await;
    list.send(&other).await.expect(StatusCode::OK);
    let server = server.restart().await;
    let root = server.operator().with_token(root.token());
    list.send(&root).await.problem(403, "bad_signature");
}

#[tokio::test]
async fn a_request_that_is_not_what_was_signed_is_refused() {
    let server = TestServer::start().await;
    let root = server.operator_key(&[]).await;
    let good = create("alice");
    let signature = good.signature(&root);
    let tampered = [
        Request { body: json!({ "id": "mallory" }).to_string().into_bytes(), ..good.clone() },
        Request { path: format!("{}?x=1", good.path), ..good.clone() },
        Request { nonce: "0123456789abcdef".to_owned(), ..good.clone() },
        Request { nonce: "short".to_owned(), ..good.clone() },
        Request { skew_s: 1, ..good.clone() },
    ];
    for request in tampered {
        request.send_with(&root, &signature).await.problem(403, "bad_signature");
    }
    good.send_with(&root, &signature.to_uppercase()).await.problem(403, "bad_signature");
    good.send_with(&root, "").await.problem(403, "bad_signature");
    let other = server.operator_key(&[]).await;
    good.send_with(&other, &signature).await.problem(403, "bad_signature");
    for skew_s in [-330, 330, i64::MIN / 2] {
        Request { skew_s, ..good.clone() }.send(&root).await.problem(403, "bad_signature");
    }
    assert_eq!(
        root.get("/api/operator/tenants").await.json()["items"].as_array().unwrap().len(),
        1
    );
    for skew_s in [-240, 240] {
        let id = format!("t{}", skew_s + 240);
        Request { skew_s, ..create(&id) }.send(&root).await.expect(StatusCode::CREATED);
    }
    let large = Request { body: vec![b' '; 1024 * 1024 + 1], ..create("x") };
    large.send(&root).await.problem(413, "too_large");
}

#[tokio::test]
async fn where_signatures_are_required_nothing_is_taken_without_one() {
    let server = TestServer::with(&[("require_signature", "true")]).await;
    let root = server.operator_key(&[]).await;
    root.get("/api/operator/tenants").await.problem(403, "signature_required");
    let made = root.post("/api/operator/tenants", json!({ "id": "alice" })).await;
    made.problem(403, "signature_required");
    create("alice").send(&root).await.expect(StatusCode::CREATED);
    server.operator().get("/api/operator/tenants").await.problem(401, "unauthenticated");
}
