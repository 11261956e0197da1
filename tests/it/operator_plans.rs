//! Plans and trials over the operator API: what they allow counts at once.

use crate::{
    kit::TestServer,
    operator::{TENANTS, create, install},
};
use reqwest::StatusCode;
use serde_json::{Value, json};

#[tokio::test]
async fn a_plan_counts_for_its_tenants_at_once() {
    let server = TestServer::start().await;
    let root = server.operator_key(&[]).await;
    let plan = json!({
        "id": "small", "name": "Small", "upgrade_url": "https://host.example/more",
        "limits": { "max_users": 1 },
    });
    let made = root.post("/api/operator/plans", plan.clone()).await.expect(StatusCode::CREATED);
    assert_eq!(made.json()["tenants"], 0);
    root.post("/api/operator/plans", plan).await.problem(409, "plan_exists");
    create(&root, "alice").await;
    install(&root, "alice").await;
    let one = format!("{TENANTS}/alice");
    root.patch(&one, json!({ "plan": "small" })).await.expect(StatusCode::OK);
    let limit = |effective: &Value, name: &str| {
        let limits = effective["limits"].as_array().unwrap();
        let one = limits.iter().find(|one| one["name"] == name).unwrap();
        json!([one["value"], one["origin"]])
    };
    let effective = root.get(&format!("{one}/effective")).await.json();
    assert_eq!(limit(&effective, "max_users"), json!([1, "plan"]));
    assert_eq!(limit(&effective, "max_files"), json!([null, "default"]));
    // The feature is asked at the door: a token is refused as soon as the plan denies the API.
    let tenant = server.running.tenants.by_host("alice.example").await.unwrap();
    let user = vitrina::accounts::users::find(&tenant, "ana").await.unwrap();
    let label = vitrina::base::text::Label::parse("name", "t").unwrap();
    let scopes = vitrina::accounts::Scope::ALL.to_vec();
    let issued = vitrina::accounts::token::issue(&tenant, user.id, label, scopes, None).await;
    let ana = server.visitor("alice.example").with_token(issued.unwrap().1.expose());
    drop(tenant);
    ana.get("/api/v2/session").await.expect(StatusCode::OK);
    let path = "/api/operator/plans/small";
    root.patch(path, json!({ "features": { "api": false } })).await.expect(StatusCode::OK);
    let refused = ana.get("/api/v2/session").await.problem(403, "feature_off");
    assert_eq!(refused["upgrade_url"], "https://host.example/more");
    root.patch(&one, json!({ "features": { "api": true } })).await.expect(StatusCode::OK);
    ana.get("/api/v2/session").await.expect(StatusCode::OK);
    let patch = json!({ "limits": { "max_users": null, "max_api_requests_minute": 0 } });
    let plan = root.patch(path, patch).await.expect(StatusCode::OK).json();
    assert_eq!(plan["limits"], json!({ "max_api_requests_minute": 0 }));
    ana.get("/api/v2/session").await.problem(429, "limit_reached");

    for (field, body) in [
        ("id", json!({ "id": "No Plan" })),
        ("upgrade_url", json!({ "id": "p", "upgrade_url": "javascript:1" })),
        ("limits", json!({ "id": "p", "limits": { "max_files": 1.5 } })),
    ] {
        root.post("/api/operator/plans", body).await.names_field(422, field);
    }
    root.delete(path).await.problem(409, "plan_in_use");
    root.patch(&one, json!({ "plan": null })).await.expect(StatusCode::OK);
    root.delete(path).await.expect(StatusCode::NO_CONTENT);
    root.get(path).await.problem(404, "not_found");
    assert_eq!(root.get("/api/operator/plans").await.json()["items"], json!([]));
}

#[tokio::test]
async fn trials_come_and_go() {
    let server = TestServer::start().await;
    let root = server.operator_key(&[]).await;
    create(&root, "alice").await;
    let one = format!("{TENANTS}/alice");
    let trial =
        json!({ "trial": { "ends_at": "2999-01-01T00:00:00Z", "limits": { "max_files": 9 } } });
    let told = root.patch(&one, trial).await.expect(StatusCode::OK).json();
    assert_eq!(told["trial"]["limits"], json!({ "max_files": 9 }));
    let over = json!({ "trial": { "ends_at": "2001-01-01T00:00:00Z" } });
    let told = root.patch(&one, over).await.expect(StatusCode::OK).json();
    assert_eq!(told["trial"]["is_over"], true);
    let told = root.patch(&one, json!({ "trial": null })).await.expect(StatusCode::OK).json();
    assert!(told.get("trial").is_none());
}
