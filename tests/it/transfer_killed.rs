//! Whole sites from the command line, beside a server and killed in mid-work.

use crate::{
    cli::{Serving, create_user, vitrina},
    kit::{Client, files_under, pictures},
    transfer::{bytes, rows},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

type Held = (BTreeMap<String, Vec<String>>, BTreeMap<PathBuf, Vec<u8>>);

fn held(data: &Path, id: &str) -> Option<Held> {
    let folder = data.join("tenants").join(id);
    let database = folder.join("site.sqlite");
    let mut rows = database.exists().then(|| rows(&database))?;
    // Counted by whoever serves the site, and no part of what it holds.
    rows.remove("usage_by_month");
    Some((rows, bytes(&folder.join("media"))))
}

fn run(data: &Path, args: &[&str]) -> (bool, String, String) {
    let Output { status, stdout, stderr } = vitrina(data).args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.success(), text(stdout), text(stderr))
}

/// Starts a command, kills it after a while, and says whether it had come to its end.
fn kill_after(data: &Path, args: &[&str], ms: u64) -> bool {
    let mut child =
        vitrina(data).args(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(ms));
    let is_done = child.try_wait().unwrap().is_some_and(|status| status.success());
    let _ = child.kill();
    child.wait().unwrap();
    is_done
}

/// A site with a good number of files; its token.
fn furnish(data: &Path) -> String {
    let server = Serving::start(data);
    let token = create_user(data, "ana");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let ana = Client::new(&server.url).with_token(&token);
        for n in 0..20 {
            ana.upload(pictures::photo_jpeg(640, 480, n), "x.jpg").await;
        }
    });
    token
}

fn at<'a>(path: &'a Path, name: &str) -> (PathBuf, &'a Path) {
    (path.join(name), path)
}

#[test]
fn a_restore_that_is_killed_leaves_nothing_or_everything() {
    let dir = tempfile::tempdir().unwrap();
    let (data, _) = at(dir.path(), "data");
    furnish(&data);
    let file = dir.path().join("main.tar").display().to_string();
    let (ok, report, error) = run(&data, &["tenant", "backup", "main", "--to", &file, "--json"]);
    assert!(ok, "{error}");
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["files"], 2 + 20 * 3);
    let expected = held(&data, "main").unwrap();
    let mut killed = 0;
    for n in 0..6u64 {
        let id = format!("c{n}");
        let host = format!("{id}.example");
        let args = ["tenant", "restore", &id, "--from", &file, "--host", &host];
        killed += usize::from(!kill_after(&data, &args, 40 + n * 90));
    }
    assert!(killed > 0);
    // A server sweeps what is left, but nothing that somebody is at.
    let server = Serving::start(&data);
    for entry in std::fs::read_dir(data.join("tenants")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(!name.starts_with('.'), "{name}");
        assert!(held(&data, &name).unwrap() == expected, "{name}");
        assert!(!data.join("tenants").join(&name).join(".unconfirmed").exists());
    }
    let args = ["tenant", "restore", "late", "--from", &file, "--host", "late.example"];
    let (ok, text, error) = run(&data, &args);
    assert!(ok && text.contains("late was made from main"), "{text}{error}");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let late = Client::new(&server.url).with_header("host", "late.example");
        let page = late.get("/api/v2/media?limit=100").await.expect(reqwest::StatusCode::OK);
        assert_eq!(page.json()["items"].as_array().unwrap().len(), 20);
    });
    let (ok, _, error) = run(&data, &args);
    assert!(!ok && error.contains("there is a tenant of this id already"), "{error}");
}

#[test]
fn a_move_that_is_killed_is_finished_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let ((data, _), (other, _)) = (at(dir.path(), "data"), at(dir.path(), "other"));
    let token = furnish(&data);
    let expected = held(&data, "main").unwrap();
    let to = other.display().to_string();
    let args = ["tenant", "move", "main", "--to-data", &to];
    let is_there = |data: &Path| held(data, "main").is_some_and(|held| held == expected);
    let mut delays = (1..8).map(|n| 150 * n);
    // The first one waits until every process has heard that the site is closed.
    let mut is_done = kill_after(&data, &args, 1700);
    while !is_done {
        assert!(is_there(&data) || is_there(&other));
        let Some(ms) = delays.next() else { break };
        is_done = kill_after(&data, &args, ms);
    }
    let (ok, text, error) = run(&data, &args);
    // Where the last of them was done, there is nothing more to do but to say so.
    assert!(ok && text.contains("was moved to"), "{text}{error}");
    assert!(is_there(&other) && !data.join("tenants/main").exists());
    let (ok, _, error) = run(&data, &["tenant", "move", "nobody", "--to-data", &to]);
    assert!(!ok && error.contains("tenant not found"), "{error}");

    let server = Serving::start(&other);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let ana = Client::new(&server.url).with_token(&token);
        let page = ana.get("/api/v2/media?limit=100").await.expect(reqwest::StatusCode::OK);
        assert_eq!(page.json()["items"].as_array().unwrap().len(), 20);
    });
    let left = std::fs::read_dir(other.join("tenants")).unwrap();
    assert_eq!(left.count(), 1);
    assert!(!files_under(&other.join("tenants/main")).is_empty());
}
