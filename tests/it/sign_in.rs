//! Sessions, their cookies, and tokens.

use crate::kit::{Client, TestServer};
use reqwest::StatusCode;
use serde_json::json;
use vitrina::accounts::Role;

/// Signs in with a password; the client that comes back sends the cookie and no token.
async fn sign_in(server: &TestServer, login: &str) -> Client {
    let body = json!({ "login": login, "password": "correct horse" });
    let answer = server.guest().post("/api/v2/session", body).await.expect(StatusCode::CREATED);
    let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
    server.guest().with_header("cookie", &cookie)
}

#[tokio::test]
async fn a_password_opens_a_session_and_signing_out_ends_it() {
    let server = TestServer::start().await;
    server.person("bob", Role::User).await;
    for login in ["bob", "BOB", "bob@example.org"] {
        let bob = sign_in(&server, login).await;
        let session = bob.get("/api/v2/session").await.expect(StatusCode::OK).json();
        assert_eq!(session["user"]["username"], "bob");
    }
    let bob = sign_in(&server, "bob").await;
    let here = bob.with_header("origin", &server.running.public_url);
    let out = here.delete("/api/v2/session").await.expect(StatusCode::NO_CONTENT);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    bob.get("/api/v2/session").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_look_the_same() {
    let server = TestServer::start().await;
    server.person("bob", Role::User).await;
    let mut answers = Vec::new();
    for login in ["bob", "nobody"] {
        let body = json!({ "login": login, "password": "wrong" });
        let answer = server.guest().post("/api/v2/session", body).await;
        let mut problem = answer.problem(401, "wrong_credentials");
        problem.as_object_mut().unwrap().remove("request_id");
        answers.push(problem);
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn guessing_passwords_is_slowed_down() {
    let server = TestServer::start().await;
    server.person("bob", Role::User).await;
    let guess = json!({ "login": "bob", "password": "wrong" });
    let mut last = server.guest().post("/api/v2/session", guess.clone()).await;
    for _ in 0..12 {
        last = server.guest().post("/api/v2/session", guess.clone()).await;
    }
    last.problem(429, "too_many_requests");
    assert!(last.header("retry-after").parse::<u64>().unwrap() > 0);
}

#[tokio::test]
async fn a_write_with_a_cookie_must_come_from_this_site() {
    let server = TestServer::start().await;
    server.person("bob", Role::User).await;
    let bob = sign_in(&server, "bob").await;
    let token = json!({ "name": "laptop", "scopes": ["media:read"] });
    let foreign = [
        bob.clone(),
        bob.with_header("origin", "https://evil.example"),
        bob.with_header("origin", "null"),
        bob.with_header("sec-fetch-site", "cross-site"),
    ];
    for forged in foreign {
        forged.post("/api/v2/tokens", token.clone()).await.problem(403, "cross_site");
    }
    for genuine in [
        bob.with_header("origin", &server.running.public_url),
        bob.with_header("sec-fetch-site", "same-origin"),
    ] {
        genuine.post("/api/v2/tokens", token.clone()).await.expect(StatusCode::CREATED);
    }
}

#[tokio::test]
async fn a_token_is_shown_once_and_does_no_more_than_its_scopes() {
    let server = TestServer::start().await;
    let bob = server.person("bob", Role::User).await;
    let wanted = json!({ "name": "reader", "scopes": ["media:read"] });
    let made = bob.post("/api/v2/tokens", wanted).await.expect(StatusCode::CREATED).json();
    let secret = made["token"].as_str().unwrap();
    assert!(secret.starts_with("vk_"));
    let listed = bob.get("/api/v2/tokens").await.json();
    assert!(listed["items"].as_array().unwrap().iter().all(|t| t.get("token").is_none()));

    let reader = server.guest().with_token(secret);
    reader.get("/api/v2/media").await.expect(StatusCode::OK);
    let refused = reader.upload_with(b"x".to_vec(), "x.png", &[]).await;
    refused.problem(403, "missing_scope");
    let by_key = server.guest().with_header("x-api-key", secret);
    by_key.get("/api/v2/media").await.expect(StatusCode::OK);

    bob.delete(&format!("/api/v2/tokens/{}", made["id"].as_str().unwrap()))
        .await
        .expect(StatusCode::NO_CONTENT);
    reader.get("/api/v2/media").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_token_cannot_make_a_mightier_one() {
    let server = TestServer::start().await;
    let bob = server.person("bob", Role::User).await;
    let wanted = json!({ "name": "keeper", "scopes": ["account:write"] });
    let made = bob.post("/api/v2/tokens", wanted).await.json();
    let keeper = server.guest().with_token(made["token"].as_str().unwrap());
    let more = json!({ "name": "more", "scopes": ["account:write", "media:write"] });
    keeper.post("/api/v2/tokens", more).await.problem(403, "forbidden");
}

#[tokio::test]
async fn tokens_expire_and_are_nobody_elses_to_revoke() {
    let server = TestServer::start().await;
    let bob = server.person("bob", Role::User).await;
    let eve = server.person("eve", Role::Admin).await;
    let wanted = json!({ "name": "brief", "scopes": ["account:read"], "expires_in": 2500 });
    let made = bob.post("/api/v2/tokens", wanted).await.expect(StatusCode::CREATED).json();
    let path = format!("/api/v2/tokens/{}", made["id"].as_str().unwrap());
    eve.delete(&path).await.problem(404, "not_found");
    let brief = server.guest().with_token(made["token"].as_str().unwrap());
    brief.get("/api/v2/session").await.expect(StatusCode::OK);
    tokio::time::sleep(std::time::Duration::from_millis(2600)).await;
    brief.get("/api/v2/session").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn bad_token_requests_name_the_field() {
    let server = TestServer::start().await;
    let bob = server.person("bob", Role::User).await;
    let cases = [
        (json!({ "name": "", "scopes": ["media:read"] }), "name"),
        (json!({ "name": "x", "scopes": [] }), "scopes"),
        (json!({ "name": "x", "scopes": ["everything"] }), "scopes"),
        (json!({ "name": "x", "scopes": ["media:read"], "expires_in": 0 }), "expires_in"),
    ];
    for (body, field) in cases {
        bob.post("/api/v2/tokens", body).await.names_field(422, field);
    }
}

#[tokio::test]
async fn behind_tls_the_cookie_is_bound_to_this_host() {
    let server = TestServer::with(&[("public_url", "https://media.example")]).await;
    server.person("bob", Role::User).await;
    let body = json!({ "login": "bob", "password": "correct horse" });
    let answer = server.guest().post("/api/v2/session", body).await.expect(StatusCode::CREATED);
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Host-vitrina_session="), "{cookie}");
    assert!(cookie.ends_with("; Secure"), "{cookie}");
}
