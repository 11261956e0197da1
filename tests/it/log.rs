//! What a server writes to its log: every line of it, in order, and soon.

use crate::{cli::Serving, kit::Client};
use reqwest::StatusCode;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::{
    fs::File,
    path::Path,
    time::{Duration, Instant},
};

fn lines(log: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(log).unwrap();
    // The last one may be half written.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The lines about requests, once there are so many of them.
fn answered(log: &Path, count: usize) -> Vec<Value> {
    let began = Instant::now();
    loop {
        let all = lines(log).into_iter().filter(|line| line["message"] == "answered");
        let found: Vec<Value> = all.collect();
        if found.len() >= count || began.elapsed() > Duration::from_secs(10) {
            return found;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn every_request_has_its_line_and_the_last_line_is_the_last() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let mut server = Serving::start_logging(&dir.path().join("data"), File::create(&log).unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let ids: Vec<String> = runtime.block_on(async {
        let guest = Client::new(&server.url);
        let mut ids = Vec::new();
        for n in 0..20 {
            let answer = guest.get(&format!("/f/1111111111/{n}.jpg?download")).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND);
            ids.push(answer.header("x-request-id").to_owned());
        }
        ids
    });
    let found = answered(&log, ids.len());
    for ((n, id), line) in ids.iter().enumerate().zip(&found) {
        assert_eq!(line["span"]["id"], **id);
        assert_eq!(line["span"]["path"], format!("/f/1111111111/{n}.jpg"));
        assert_eq!((&line["status"], &line["level"]), (&404.into(), &"INFO".into()));
        assert_eq!(line["span"]["method"], "GET");
        assert_eq!(line["span"]["client"], "127.0.0.1");
    }
    assert_eq!(found.len(), ids.len());
    let pid = Pid::from_child(&server.child);
    kill_process(pid, Signal::TERM).unwrap();
    assert!(server.child.wait().unwrap().success());
    assert_eq!(lines(&log).last().unwrap()["message"], "stopped");
}
