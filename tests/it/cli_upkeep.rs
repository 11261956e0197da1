//! Upkeep from the shell: files are brought up to date ahead of time, and the key is changed.

use crate::{cli::Serving, cli_hosting::Shell};
use serde_json::{Value, json};
use std::{fs, path::Path};

#[test]
fn one_broken_file_does_not_stop_the_others() {
    let shell = Shell::new();
    for id in ["a", "b", "c"] {
        shell.ok(&format!("tenant create {id} --suspended x"));
    }
    let file = |id: &str| shell.data.join("tenants").join(id).join("site.sqlite");
    // An old file: only the first step was applied.
    fs::remove_file(file("c")).unwrap();
    old_site(&file("c"));
    fs::write(file("a"), b"this is no database, whatever its name says".repeat(100)).unwrap();
    let ended = shell.typed("tenant migrate --all --json", "");
    assert_eq!(ended.code, 1, "{}", ended.err);
    let report: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(report["migrated"], json!(["c"]));
    assert_eq!(report["up_to_date"], 2);
    assert_eq!(report["failed"][0]["tenant"], "a");
    assert_eq!(report["failed"].as_array().unwrap().len(), 1);
    assert!(ended.err.contains("1/4 a: failed") && ended.err.contains("3/4 c: migrated"));
    assert!(shell.ok("tenant migrate c").contains("up to date"));
    fs::remove_file(file("b")).unwrap();
    shell.fails_after_output("tenant migrate b", "is missing");
    assert!(!file("b").exists());
    let stats = shell.typed("tenant stats --refresh", "");
    assert_eq!((stats.code, stats.out.contains("main")), (1, true));
    assert_eq!(shell.typed("tenant get a", "").code, 0);
}

/// A site's file as the first version of the schema made it.
fn old_site(file: &Path) {
    let first = include_str!("../../schema/tenant/0001_accounts.sql");
    let db = rusqlite::Connection::open_with_flags(file, rusqlite::OpenFlags::default()).unwrap();
    db.execute_batch(&format!("BEGIN; {first}; PRAGMA user_version = 1; COMMIT;")).unwrap();
}

#[test]
fn the_key_is_changed_while_nobody_serves() {
    let mut shell = Shell::new();
    shell.ok("tenant create alice --host alice.example");
    let key = shell.data.join("secret.key");
    let before = fs::read(&key).unwrap();
    {
        let _server = Serving::start(&shell.data);
        shell.fails("key rotate", 1, "is using this data directory");
    }
    assert_eq!(fs::read(&key).unwrap(), before);
    let rotated = shell.json("key rotate");
    assert_eq!((&rotated["tenants"], &rotated["key"]), (&json!(2), &json!("file")));
    let after = fs::read(&key).unwrap();
    assert!(after.len() == 32 && after != before);
    shell.ok("tenant setup-link alice");
    let given = "5a".repeat(32);
    assert_eq!(shell.typed("key rotate --new-key-stdin", &format!("{given}\n")).code, 0);
    assert_eq!(fs::read(&key).unwrap(), vec![0x5a; 32]);
    assert_eq!(shell.typed("key rotate --new-key-stdin", "zz\n").code, 2);

    fs::write(&key, &before).unwrap();
    shell.fails("tenant list", 1, "another secret key");
    shell.fails("key rotate", 1, "another secret key");
    fs::remove_file(&key).unwrap();

    // The same key as a setting, which only its owner can change.
    shell.variables.push(("VITRINA_SECRET_KEY", given));
    shell.fails("key rotate", 2, "--new-key-stdin");
    let next = "c3".repeat(32);
    let rotated = shell.json_after("key rotate --new-key-stdin", &next);
    assert_eq!(rotated["key"], "setting");
    assert!(rotated["next"].as_str().unwrap().contains("`secret_key`"));
    shell.fails("tenant list", 1, "another secret key");
    shell.variables[0].1 = next;
    shell.ok("tenant setup-link alice");
    assert!(!key.exists());
}
