//! The API document: what it says is what others build on.

use crate::kit::TestServer;
use reqwest::StatusCode;
use serde_json::{Value, json};
use vitrina::http::document::Version;

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
    let current = vitrina::api::documents().text(Version::V3_1);
    if std::env::vars().any(|(name, _)| name == "UPDATE") {
        std::fs::write(path, current).unwrap();
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
            // A form has a file in it.
            let is_file = kind.starts_with("multipart/") || schema["format"] == "binary";
            let has_example =
                content.get("example").is_some() || schemas[name].get("examples").is_some();
            assert!(is_file || has_example, "{method} {path} {kind}: {schema}");
        }
    }
}

/// OpenAPI 3.1 put back into the words of 3.0, in all places at once: the reverse of what the
/// server does, and found another way.
fn in_3_0(value: Value, is_map_of_names: bool) -> Value {
    match value {
        Value::Array(list) => list.into_iter().map(|member| in_3_0(member, false)).collect(),
        Value::Object(fields) => {
            let mut old = serde_json::Map::new();
            for (name, value) in fields {
                match (&*name, &value) {
                    _ if is_map_of_names => _ = old.insert(name, in_3_0(value, false)),
                    ("type", Value::Array(kinds)) => {
                        assert_eq!((kinds.len(), &kinds[1]), (2, &json!("null")));
                        old.insert("type".to_owned(), kinds[0].clone());
                        old.insert("nullable".to_owned(), json!(true));
                    }
                    ("examples", Value::Array(all)) => {
                        old.insert("example".to_owned(), all[0].clone());
                    }
                    ("contentMediaType", _) => {}
                    ("example", _) => _ = old.insert(name, value),
                    ("properties" | "schemas", _) => _ = old.insert(name, in_3_0(value, true)),
                    _ => _ = old.insert(name, in_3_0(value, false)),
                }
            }
            old.into()
        }
        plain => plain,
    }
}

#[test]
fn both_versions_say_the_same() {
    for documents in [vitrina::api::documents(), vitrina::operator::documents()] {
        let (old, new) = (documents.get(Version::V3_0), documents.get(Version::V3_1));
        assert_eq!((&old["openapi"], &new["openapi"]), (&json!("3.0.3"), &json!("3.1.0")));
        assert_eq!(new["info"]["license"]["identifier"], "Apache-2.0");
        assert!(old["info"]["license"]["url"].is_string());
        let mut again = in_3_0(new.clone(), false);
        again["openapi"] = old["openapi"].clone();
        again["info"]["license"] = old["info"]["license"].clone();
        for part in ["info", "servers", "tags", "paths", "components"] {
            assert!(again[part] == old[part], "{part}");
        }
        assert_eq!(&again, old);
    }
}

#[tokio::test]
async fn the_document_and_its_page_are_served_complete() {
    let server = TestServer::start().await;
    let documents = vitrina::api::documents();
    for (name, version) in [("openapi.json", Version::V3_1), ("openapi-3.0.json", Version::V3_0)] {
        let served = server.guest().get(&format!("/api/v2/{name}")).await.expect(StatusCode::OK);
        assert_eq!(&served.json(), documents.get(version));
        assert_eq!(served.header("access-control-allow-origin"), "*");
    }
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
