//! The API document: what it says is what others build on.

use crate::kit::TestServer;
use reqwest::StatusCode;
use serde_json::Value;

fn operations() -> Vec<(String, String, &'static Value)> {
    let paths = vitrina::api::document()["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, operations)| {
        let operations = operations.as_object().unwrap();
        operations.iter().map(move |(method, o)| (path.clone(), method.clone(), o))
    });
    all.collect()
}

#[test]
fn the_document_is_the_one_that_was_reviewed() {
    let path = "schema/openapi.json";
    let current = vitrina::api::document_text();
    if std::env::vars().any(|(name, _)| name == "UPDATE") {
        std::fs::write(path, &current).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == current, "the contract has changed: run the tests with UPDATE=1 and review it");
}

#[test]
fn every_operation_says_what_it_is_and_how_it_fails() {
    let mut ids = std::collections::BTreeSet::new();
    for (path, method, operation) in operations() {
        let name = format!("{method} {path}");
        let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{name} has no id"));
        assert!(ids.insert(id), "{id} is there twice");
        let verb = id.split('_').next().unwrap();
        let verbs = ["get", "list", "create", "update", "delete", "upload", "restore"];
        assert!(verbs.contains(&verb), "{id} does not start with a verb of the grammar");
        assert!(!operation["summary"].as_str().unwrap_or_default().is_empty(), "{name}: summary");
        assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{name}: tag");
        assert!(
            operation["security"].as_array().is_some_and(|s| !s.is_empty()),
            "{name}: security"
        );
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["description"].is_string(), "{name}: {parameter}");
        }
        let responses = operation["responses"].as_object().unwrap();
        for status in ["401", "403", "422", "4XX", "5XX"] {
            let problem = &responses[status]["content"]["application/problem+json"]["schema"];
            assert_eq!(problem["$ref"], "#/components/schemas/Problem", "{name}: {status}");
        }
        assert!(responses.keys().any(|status| status.starts_with('2')), "{name}: no success");
    }
}

#[test]
fn every_body_has_an_example() {
    let schemas = &vitrina::api::document()["components"]["schemas"];
    for (path, method, operation) in operations() {
        let requests = operation["requestBody"]["content"].as_object();
        let responses = operation["responses"].as_object().unwrap().values();
        let contents = responses.filter_map(|r| r["content"].as_object()).chain(requests);
        for (kind, content) in contents.flatten() {
            let schema = &content["schema"];
            let name = schema["$ref"].as_str().unwrap_or_default().rsplit('/').next().unwrap();
            // A form has a file in it, and settings name themselves.
            let is_file = kind.starts_with("multipart/") || schema["format"] == "binary";
            let is_plain = is_file || path == "/site/settings";
            let has_example =
                content.get("example").is_some() || schemas[name].get("example").is_some();
            assert!(is_plain || has_example, "{method} {path} {kind}: {schema}");
        }
    }
}

#[tokio::test]
async fn the_document_and_its_page_are_served_complete() {
    let server = TestServer::start().await;
    let document = server.guest().get("/api/v2/openapi.json").await.expect(StatusCode::OK);
    assert_eq!(&document.json(), vitrina::api::document());
    let page = server.guest().get("/api/docs").await.expect(StatusCode::OK);
    let policy = page.header("content-security-policy").to_owned();
    let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
    let html = page.text();
    assert!(html.contains(&format!("<script nonce=\"{nonce}\"")));
    assert!(!html.contains("src=\"http"), "nothing is loaded from elsewhere");
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let server = TestServer::start().await;
    let guest = server.guest();
    guest.get("/api/v2/nothing").await.problem(404, "not_found");
    guest.get("/api/v2/media/nothing").await.problem(404, "not_found");
    let wrong = guest.delete("/api/v2/media").await;
    wrong.problem(405, "method_not_allowed");
    assert_eq!(wrong.header("allow"), "GET, POST");
}
