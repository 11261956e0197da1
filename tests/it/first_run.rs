//! The first minutes of an installation.

use crate::kit::TestServer;
use reqwest::StatusCode;
use serde_json::json;
use vitrina::accounts::Role;

fn admin(token: &str, name: &str) -> serde_json::Value {
    json!({
        "token": token, "username": name, "email": format!("{name}@example.org"),
        "password": "correct horse",
    })
}

fn setup_token(server: &TestServer) -> String {
    let link = server.running.setup_link.as_ref().expect("a setup link").expose();
    link.split_once("token=").unwrap().1.to_owned()
}

#[tokio::test]
async fn the_setup_link_makes_one_admin_and_closes_for_good() {
    let server = TestServer::start().await;
    let guest = server.guest();
    let token = setup_token(&server);
    assert_eq!(guest.get("/api/v2/site").await.json()["setup_needed"], true);

    guest.post("/api/v2/setup", admin("guessed", "eve")).await.problem(403, "forbidden");
    let mut body = admin(&token, "ana");
    body["site_name"] = json!("Ana's pictures");
    let done = guest.post("/api/v2/setup", body).await.expect(StatusCode::CREATED);
    assert_eq!(done.json()["user"]["role"], "admin");
    assert!(done.header("set-cookie").contains("HttpOnly; SameSite=Lax"));

    for token in [&*token, "guessed"] {
        let late = guest.post("/api/v2/setup", admin(token, "eve")).await;
        late.problem(409, "already_set_up");
    }
    let site = guest.get("/api/v2/site").await.json();
    assert_eq!((&site["setup_needed"], &site["name"]), (&json!(false), &json!("Ana's pictures")));
    let server = server.restart().await;
    assert!(server.running.setup_link.is_none());
}

#[tokio::test]
async fn of_ten_admins_at_once_one_is_made() {
    let server = TestServer::start().await;
    let token = setup_token(&server);
    let racers = (0..10).map(|n| {
        let (guest, body) = (server.guest(), admin(&token, &format!("racer{n}")));
        tokio::spawn(async move { guest.post("/api/v2/setup", body).await.status })
    });
    let mut won = 0;
    for racer in racers.collect::<Vec<_>>() {
        match racer.await.unwrap() {
            StatusCode::CREATED => won += 1,
            status => assert_eq!(status, StatusCode::CONFLICT),
        }
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn an_admin_made_by_the_operator_closes_the_setup_too() {
    let server = TestServer::start().await;
    let token = setup_token(&server);
    server.person("ana", Role::Admin).await;
    server.guest().post("/api/v2/setup", admin(&token, "eve")).await.problem(409, "already_set_up");
}

#[tokio::test]
async fn every_field_of_the_setup_is_checked() {
    let server = TestServer::start().await;
    let token = setup_token(&server);
    let long = &*"x".repeat(101);
    let cases =
        [("username", "a b"), ("email", "nobody"), ("password", "short"), ("site_name", long)];
    for (field, value) in cases {
        let mut body = admin(&token, "ana");
        body[field] = json!(value);
        let answer = server.guest().post("/api/v2/setup", body).await;
        answer.names_field(422, field);
    }
    let mut body = admin(&token, "ana");
    body.as_object_mut().unwrap().remove("email");
    let answer = server.guest().post("/api/v2/setup", body).await;
    answer.names_field(422, "email");
}

#[tokio::test]
async fn the_operator_listener_tells_health_and_nothing_else() {
    let server = TestServer::start().await;
    server.admin().await;
    let operator = server.operator();
    assert_eq!(operator.get("/healthz").await.expect(StatusCode::OK).json()["status"], "ok");
    assert_eq!(operator.get("/readyz").await.expect(StatusCode::OK).json()["status"], "ready");
    operator.get("/api/v2/site").await.problem(404, "not_found");
    server.guest().get("/healthz").await.expect(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_request_keeps_a_harmless_id_and_gets_one_otherwise() {
    let server = TestServer::start().await;
    let given = server.guest().with_header("x-request-id", "abc-12345").get("/api/v2/site").await;
    assert_eq!(given.header("x-request-id"), "abc-12345");
    let odd =
        server.guest().with_header("x-request-id", "<script>alert(1)").get("/api/v2/site").await;
    assert!(odd.header("x-request-id").bytes().all(|b| b.is_ascii_alphanumeric()));
}
