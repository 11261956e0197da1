//! What else the operator listener shows: documents, the console, figures, Traefik's configuration;
//! and that none of it is to be had on the public listener.

use crate::{cli::vitrina, kit::TestServer};
use reqwest::{Method, StatusCode};
use serde_json::json;
use vitrina::http::document::Version;

#[test]
fn the_operator_document_is_the_one_that_was_reviewed() {
    let path = "schema/operator.json";
    let current = vitrina::operator::documents().text(Version::V3_1);
    if std::env::vars().any(|(name, _)| name == "UPDATE") {
        std::fs::write(path, current).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == current, "the contract has changed: run the tests with UPDATE=1 and review it");
}

#[test]
fn every_operation_says_what_it_is_and_how_it_fails() {
    let paths = vitrina::operator::document()["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, all)| {
        all.as_object().unwrap().iter().map(move |(method, one)| (format!("{method} {path}"), one))
    });
    let mut ids = std::collections::BTreeSet::new();
    for (name, operation) in operations {
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{name}");
        assert!(!operation["summary"].as_str().unwrap_or_default().is_empty(), "{name}");
        assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{name}");
        assert!(!operation["security"].as_array().unwrap().is_empty(), "{name}");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["description"].is_string(), "{name}: {parameter}");
        }
        for status in ["401", "403", "422", "4XX", "5XX"] {
            let content = &operation["responses"][status]["content"];
            let schema = &content["application/problem+json"]["schema"];
            assert_eq!(schema["$ref"], "#/components/schemas/Problem", "{name}: {status}");
        }
    }
}

#[tokio::test]
async fn nothing_of_it_is_on_the_public_listener() {
    let server = TestServer::start().await;
    let root = server.operator_key(&[]).await;
    // A site without an admin sends everybody to its setup.
    server.admin().await;
    for (name, version) in [("openapi.json", Version::V3_1), ("openapi-3.0.json", Version::V3_0)] {
        let served = server.operator().get(&format!("/api/operator/{name}")).await;
        let document = vitrina::operator::documents().get(version);
        assert_eq!(&served.expect(StatusCode::OK).json(), document);
    }
    let outside = server.guest().with_token(root.token());
    let paths = vitrina::operator::document()["paths"].as_object().unwrap();
    for (path, operations) in paths {
        let path = format!("/api/operator{}", path.replace("{id}", "main").replace("{host}", "x"));
        for method in operations.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let status = outside.send(outside.request(method, &path)).await.status;
            assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        }
    }
    for path in [
        "/api/operator/openapi.json",
        "/api/operator/openapi-3.0.json",
        "/api/operator/config/traefik",
        "/metrics",
        "/readyz",
        "/healthz",
        "/console/console.js",
        "/console/style/tokens.css",
    ] {
        let status = server.guest().get(path).await.status;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        let inside = server.operator().get(path).await;
        assert_eq!(inside.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn the_console_is_served_with_a_strict_policy() {
    let server = TestServer::start().await;
    let browser = server.operator();
    let page = browser.get("/").await.expect(StatusCode::OK);
    assert!(page.text().contains("Operator console"));
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
    let html = page.text();
    let linked = html.split('"').filter(|text| text.starts_with("/console/"));
    for path in linked.chain(["/console/icons.svg"]) {
        let file = browser.get(path).await.expect(StatusCode::OK);
        assert_eq!(file.header("cache-control"), "no-cache");
        let known = browser.with_header("if-none-match", file.header("etag"));
        known.get(path).await.expect(StatusCode::NOT_MODIFIED);
    }
    for path in ["/console/", "/console/none.js", "/console/..%2ficons.svg", "/console/style/x"] {
        browser.get(path).await.expect(StatusCode::NOT_FOUND);
    }
    browser.get("/nothing").await.problem(404, "not_found");
}

#[tokio::test]
async fn health_and_figures_are_told_to_everybody_inside() {
    let server = TestServer::start().await;
    let ready = server.operator().get("/readyz").await.expect(StatusCode::OK).json();
    assert_eq!(ready, json!({ "status": "ready", "redis": "off" }));
    server.guest().get("/api/v2/nothing").await.problem(404, "not_found");
    let figures = server.operator().get("/metrics").await.expect(StatusCode::OK);
    assert!(figures.header("content-type").starts_with("application/openmetrics-text"));
    let figures = figures.text();
    for line in [
        "vitrina_tenants{status=\"active\"} 1",
        "vitrina_tenants{status=\"suspended\"} 0",
        "vitrina_open_tenants 1",
        "vitrina_requests_total{listener=\"public\",status=\"4xx\"} 1",
        "vitrina_requests_total{listener=\"operator\",status=\"2xx\"} 1",
        concat!("vitrina_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
    ] {
        assert!(figures.lines().any(|l| l == line), "{line} is not in\n{figures}");
    }
    assert!(!figures.contains("redis"), "there is none");
}

#[tokio::test]
async fn redis_that_is_away_is_told_and_the_service_stays_ready() {
    let server = TestServer::with_secret("redis_url", "redis://127.0.0.1:1/0").await;
    let ready = server.operator().get("/readyz").await.expect(StatusCode::OK).json();
    assert_eq!(ready, json!({ "status": "ready", "redis": "down" }));
    let figures = server.operator().get("/metrics").await.text();
    assert!(figures.lines().any(|line| line == "vitrina_redis_up 0"), "{figures}");
    let root = server.operator_key(&[]).await;
    let status = root.get("/api/operator/status").await.expect(StatusCode::OK).json();
    assert_eq!(status["redis"], "down");
}

#[tokio::test]
async fn traefik_learns_of_every_hostname() {
    let settings = [("trusted_proxies", "127.0.0.0/8"), ("traefik_resolver", "le")];
    let server = TestServer::with(&settings).await;
    let root = server.operator_key(&[]).await;
    let tenant = json!({ "id": "alice", "hostnames": ["b.example", "a.example"] });
    root.post("/api/operator/tenants", tenant).await.expect(StatusCode::CREATED);
    let path = "/api/operator/config/traefik";
    let told = server.operator().get(path).await.expect(StatusCode::OK).json();
    let router = &told["http"]["routers"]["vitrina-alice"];
    let rule = router["rule"].as_str().unwrap();
    assert!(rule.contains("Host(`a.example`)") && rule.contains("Host(`b.example`)"), "{rule}");
    assert_eq!(router["tls"]["certResolver"], "le");
    let service = &told["http"]["services"]["vitrina"]["loadBalancer"]["servers"][0]["url"];
    assert_eq!(service, "http://127.0.0.1:8080");
    // Whoever a trusted proxy speaks for is not this machine.
    let stranger = server.operator().with_header("x-forwarded-for", "203.0.113.9");
    stranger.get(path).await.problem(403, "forbidden");
}

#[tokio::test]
async fn keys_are_made_and_removed_from_the_shell_too() {
    let server = TestServer::start().await;
    let run = |args: &[&str]| {
        let output = vitrina(&server.data()).arg("operator-key").args(args).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let made = ["create", "--name", "shell", "--scope", "tenants:read", "--expires-in", "30d"];
    let (code, secret) = run(&made);
    assert_eq!(code, 0);
    let shell = server.operator().with_token(secret.trim());
    shell.get("/api/operator/tenants").await.expect(StatusCode::OK);
    shell.get("/api/operator/keys").await.problem(403, "missing_scope");
    assert_eq!(run(&made).0, 1, "the name is taken");
    assert_eq!(run(&["create", "--name", "x", "--scope", "everything"]).0, 2);
    assert_eq!(run(&["create", "--name", "x", "--network", "the office"]).0, 2);
    assert_eq!(run(&["create", "--name", "x", "--expires-in", "soon"]).0, 2);
    let listed: serde_json::Value = serde_json::from_str(&run(&["list", "--json"]).1).unwrap();
    assert_eq!(listed[0]["name"], "shell");
    assert!(listed[0]["expires_at"].is_string() && listed.as_array().unwrap().len() == 1);
    assert_eq!(run(&["delete", listed[0]["id"].as_str().unwrap()]).0, 0);
    shell.get("/api/operator/tenants").await.problem(401, "unauthenticated");
}
