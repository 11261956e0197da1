//! Hosting from the shell: `vitrina tenant` and `vitrina plan` as an operator types them, beside a
//! running server and without one.

use crate::cli::{Serving, vitrina};
use serde_json::{Value, json};
use std::{
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// A data directory and what is typed about it.
pub(crate) struct Shell {
    _dir: tempfile::TempDir,
    pub data: PathBuf,
    pub variables: Vec<(&'static str, String)>,
}

/// How a command ended.
pub(crate) struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Shell {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        Self { _dir: dir, data, variables: Vec::new() }
    }

    fn command(&self, line: &str) -> Command {
        let mut command = vitrina(&self.data);
        command.envs(self.variables.iter().cloned()).args(line.split_whitespace());
        command
    }

    pub(crate) fn typed(&self, line: &str, input: &str) -> Ended {
        let mut command = self.command(line);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that wants no input may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap_or(-1);
        Ended { code, out: text(output.stdout), err: text(output.stderr) }
    }

    /// What a command prints for people, where it goes well.
    pub(crate) fn ok(&self, line: &str) -> String {
        let ended = self.typed(line, "");
        assert_eq!(ended.code, 0, "{line}: {}", ended.err);
        assert!(ended.out.lines().count() > 0, "{line} says nothing");
        ended.out
    }

    /// What a command prints for programs, where it goes well.
    pub(crate) fn json(&self, line: &str) -> Value {
        self.json_after(line, "")
    }

    pub(crate) fn json_after(&self, line: &str, input: &str) -> Value {
        let ended = self.typed(&format!("{line} --json"), input);
        assert_eq!(ended.code, 0, "{line}: {}", ended.err);
        serde_json::from_str(&ended.out).unwrap_or_else(|e| panic!("{line}: {e}: {}", ended.out))
    }

    /// Asserts that a command fails so, naming that.
    pub(crate) fn fails(&self, line: &str, code: i32, named: &str) {
        let ended = self.typed(line, "");
        assert_eq!(ended.code, code, "{line}: {}{}", ended.out, ended.err);
        assert!(ended.err.contains(named), "{line}: {}", ended.err);
        assert_eq!(ended.out, "", "{line}");
    }

    /// Asserts that a command reports a failure.
    pub(crate) fn fails_after_output(&self, line: &str, named: &str) {
        let ended = self.typed(line, "");
        assert_eq!(ended.code, 1, "{line}: {}", ended.err);
        assert!(ended.err.contains(named), "{line}: {}", ended.err);
    }
}

/// The status that a site answers with.
fn status(server: &Serving, host: &str, path: &str) -> u16 {
    let asked = async {
        let client = crate::kit::Client::new(&server.url).with_header("host", host);
        client.get(path).await.status.as_u16()
    };
    tokio::runtime::Runtime::new().unwrap().block_on(asked)
}

/// Waits until a site answers so. That takes a second at most, and three where a machine runs all
/// the other tests at the same time.
fn expect_within_a_second(server: &Serving, host: &str, expected: u16) {
    let began = Instant::now();
    loop {
        let asked = began.elapsed();
        let found = status(server, host, "/api/v2/site");
        if found == expected {
            return;
        }
        assert!(asked < Duration::from_secs(3), "{host}: {found}, not {expected}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn plans_are_made_shown_changed_and_deleted() {
    let shell = Shell::new();
    let made = shell.json(
        "plan create small --name Small --limit max_files=2 --limit max_users=3 \
         --feature guests=off --upgrade-url https://host.example/more",
    );
    assert_eq!(made["limits"], json!({ "max_files": 2, "max_users": 3 }));
    assert_eq!(made["features"], json!({ "guests": false }));
    assert_eq!(made["upgrade_url"], "https://host.example/more");
    let edited = shell
        .json("plan edit small --limit max_users=- --limit max_tags=9 --no-upgrade-url --name S");
    assert_eq!(edited["limits"], json!({ "max_files": 2, "max_tags": 9 }));
    assert_eq!((&edited["name"], &edited["upgrade_url"]), (&json!("S"), &Value::Null));
    assert_eq!(shell.json("plan get small"), edited);
    assert_eq!(shell.json("plan list")["items"], json!([edited]));
    let table = shell.ok("plan list");
    assert!(table.contains("max_files=2 max_tags=9 guests=off"), "{table}");

    shell.ok("tenant create alice --plan small");
    shell.fails("plan delete small", 1, "sites have this plan");
    shell.ok("tenant edit alice --no-plan");
    assert_eq!(shell.json("plan delete small"), json!({ "deleted": "small" }));
    shell.fails("plan get small", 1, "plan not found");
    for (line, named) in [
        ("plan create Small", "id"),
        ("plan create s --limit max_dreams=1", "max_dreams"),
        ("plan create s --limit max_files=-1", "max_files"),
        ("plan create s --limit max_files", "max_files"),
        ("plan create s --feature guests=maybe", "guests"),
        ("plan create s --upgrade-url nowhere", "upgrade_url"),
        ("plan create", "ID"),
    ] {
        shell.fails(line, 2, named);
    }
    assert_eq!(shell.json("plan list")["items"], json!([]));
}

#[test]
fn a_running_server_follows_within_a_second() {
    let shell = Shell::new();
    let server = Serving::start(&shell.data);
    shell.ok("plan create small --limit max_upload_bytes=1000");
    // Unknown hosts are answered by the site that answers to all of them.
    let made = shell.json("tenant create alice --host Alice.Example --host a.example --plan small");
    assert_eq!(made["url"], "http://alice.example:8080");
    assert!(made["setup_url"].as_str().unwrap().contains("alice.example:8080/setup?token="));
    let named = |server: &Serving| {
        let asked = async {
            let client = crate::kit::Client::new(&server.url).with_header("host", "alice.example");
            client.get("/api/v2/site").await.json()["name"].clone()
        };
        tokio::runtime::Runtime::new().unwrap().block_on(asked)
    };
    shell.json_after(
        "tenant install alice --username ana --email ana@example.org --password-stdin \
         --site-name Alices",
        "correct horse\n",
    );
    let began = Instant::now();
    while named(&server) != "Alices" {
        assert!(began.elapsed() < Duration::from_secs(3), "{}", named(&server));
    }
    shell.ok("tenant suspend alice --reason Unpaid");
    expect_within_a_second(&server, "alice.example", 403);
    expect_within_a_second(&server, "a.example", 403);
    shell.ok("tenant resume alice");
    expect_within_a_second(&server, "alice.example", 200);
    let deleting = shell.json("tenant delete alice --yes");
    assert_eq!(deleting["status"], "deleting");
    assert!(deleting["delete_after"].is_string());
    expect_within_a_second(&server, "alice.example", 410);
    shell.ok("tenant resume alice");
    expect_within_a_second(&server, "alice.example", 200);
    shell.ok("tenant edit alice --add-host b.example --canonical-host b.example");
    shell.ok("tenant suspend alice --reason Moved");
    expect_within_a_second(&server, "b.example", 403);
    shell.fails("tenant delete alice --now", 2, "--yes");
    assert_eq!(shell.json("tenant delete alice --now --yes"), json!({ "deleted": "alice" }));
    expect_within_a_second(&server, "b.example", 200);
    assert!(!shell.data.join("tenants/alice").exists());
    shell.fails("tenant get alice", 1, "tenant not found");
    let done = shell.json("tenant audit alice");
    let actions: Vec<_> =
        done["items"].as_array().unwrap().iter().map(|e| e["action"].as_str().unwrap()).collect();
    for action in ["tenant.create", "tenant.install", "tenant.suspend", "tenant.purge"] {
        assert!(actions.contains(&action), "{action} is not in {actions:?}");
    }
    assert!(shell.ok("tenant audit").contains("command line"));
}

#[test]
fn a_site_is_shown_with_what_it_may_have_and_holds() {
    let mut shell = Shell::new();
    shell.variables.push(("VITRINA_ENFORCE", "max_tags=7".to_owned()));
    shell.ok("plan create small --limit max_files=2 --limit max_tags=3");
    let made = shell.ok(
        "tenant create alice --host alice.example --name Alices --plan small --limit max_users=4 \
         --feature social=off --trial-until 30d --trial-limit max_files=50",
    );
    assert!(made.contains("http://alice.example:8080"), "{made}");
    shell.ok("tenant create bob --host bob.example --suspended Unpaid");

    let of = |effective: &Value, name: &str| {
        let all = effective["limits"].as_array().unwrap().iter();
        let mut all = all.chain(effective["features"].as_array().unwrap());
        let item = all.find(|item| item["name"] == name).unwrap();
        (item["value"].clone(), item["origin"].as_str().unwrap().to_owned())
    };
    let effective = shell.json("tenant effective alice");
    assert_eq!(of(&effective, "max_tags"), (json!(7), "enforced".to_owned()));
    assert_eq!(of(&effective, "max_files"), (json!(50), "trial".to_owned()));
    assert_eq!(of(&effective, "max_users"), (json!(4), "tenant".to_owned()));
    assert_eq!(of(&effective, "social"), (json!(false), "tenant".to_owned()));
    assert_eq!(of(&effective, "max_albums"), (Value::Null, "default".to_owned()));
    shell.ok("tenant edit alice --no-trial --limit max_users=- --feature social=-");
    let effective = shell.json("tenant effective alice");
    assert_eq!(of(&effective, "max_files"), (json!(2), "plan".to_owned()));
    assert_eq!(of(&effective, "max_users").1, "default");
    assert!(shell.ok("tenant effective alice").contains("max_files"));

    let ids = |line: &str| {
        let listed = shell.json(line);
        let items = listed["items"].as_array().unwrap().iter();
        items.map(|item| item["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids("tenant list"), ["alice", "bob", "main"]);
    assert_eq!(ids("tenant list --status suspended"), ["bob"]);
    assert_eq!(ids("tenant list --plan small"), ["alice"]);
    assert_eq!(ids("tenant list --search BOB.ex"), ["bob"]);
    let table = shell.ok("tenant list");
    let columns = |word: &str| table.lines().map(|l| l.find(word)).collect::<Vec<_>>();
    assert_eq!(columns("NAME")[0], columns("Alices")[1], "{table}");

    let bob = shell.json("tenant get bob");
    assert_eq!((&bob["status"], &bob["reason"]), (&json!("suspended"), &json!("Unpaid")));
    assert_eq!(bob["setup_needed"], true);
    assert_eq!(bob["hostnames"], json!([{ "host": "bob.example", "is_canonical": true }]));
    assert!(shell.ok("tenant get bob").contains("Unpaid"));

    let stats = shell.json("tenant stats alice --refresh");
    assert_eq!((&stats["users"], &stats["bytes_stored"]), (&json!(0), &json!(0)));
    assert!(stats["refreshed_at"].is_string());
    assert_eq!(shell.json("tenant stats alice"), stats);
    assert_eq!(shell.json("tenant stats --refresh")["items"].as_array().unwrap().len(), 3);
    let usage = shell.json("tenant get alice")["usage"].clone();
    let files = usage.as_array().unwrap().iter().find(|u| u["limit"] == "max_files").unwrap();
    assert_eq!(files, &json!({ "limit": "max_files", "used": 0, "allowed": 2 }));
    assert!(shell.ok("tenant stats").contains("BYTES_STORED"));
}

#[test]
fn people_of_a_site_are_helped() {
    let shell = Shell::new();
    shell.ok("tenant create alice --host alice.example");
    let first = shell.json("tenant setup-link alice");
    let url = first["url"].as_str().unwrap();
    assert!(url.starts_with("http://alice.example:8080/setup?token="), "{url}");
    let install = "tenant install alice --username ana --email ana@example.org --password-stdin";
    assert_eq!(shell.typed(install, "short\n").code, 2);
    let ana = shell.json_after(install, "correct horse\n");
    assert_eq!((&ana["username"], &ana["role"]), (&json!("ana"), &json!("admin")));
    shell.fails("tenant setup-link alice", 1, "has its admin already");
    let again = shell.typed(install, "correct horse\n");
    assert_eq!(again.code, 1, "{}", again.err);
    assert_eq!(shell.json("tenant get alice")["setup_needed"], false);

    let server = Serving::start(&shell.data);
    let link = shell.json("tenant login-link alice");
    let (path, token) = link["url"].as_str().unwrap().split_once("?token=").unwrap();
    assert_eq!(
        (path, &link["username"]),
        ("http://alice.example:8080/sign-in/link", &json!("ana"))
    );
    let sent = shell.json("tenant password-reset alice --user ana");
    let password = sent["password"].as_str().unwrap();
    assert_eq!(password.len(), 16);
    let asked = async {
        let host = crate::kit::Client::new(&server.url).with_header("host", "alice.example");
        let post = |path: &'static str, body: Value| {
            let request = host.request(reqwest::Method::POST, path).json(&body);
            let host = host.clone();
            async move { host.send(request).await.status.as_u16() }
        };
        let with_link = post("/api/v2/session/link", json!({ "token": token })).await;
        let body = json!({ "login": "ana", "password": password });
        (with_link, post("/api/v2/session", body).await)
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    assert_eq!(runtime.block_on(asked), (201, 201));
    let reset = "tenant password-reset alice --user ana --password-stdin";
    assert_eq!(shell.json_after(reset, "another horse\n"), json!({ "username": "ana" }));
    shell.fails("tenant login-link alice --user nobody", 1, "user not found");
    shell.fails("tenant password-reset alice --user nobody", 1, "user not found");
    shell.ok("tenant create bare");
    shell.fails("tenant setup-link bare", 1, "no hostname");
}

#[test]
fn what_cannot_be_is_refused_and_leaves_nothing() {
    let shell = Shell::new();
    shell.ok("tenant create alice --host alice.example");
    let before = shell.json("tenant list");
    for (line, code, named) in [
        ("tenant create Bad_Id", 2, "id"),
        ("tenant create bob --host alice.example", 1, "hostname"),
        ("tenant create bob --host a_b", 2, "hostnames"),
        ("tenant create alice", 1, "tenant of this id"),
        ("tenant create bob --plan none", 2, "plan"),
        ("tenant create bob --limit max_files=-5", 2, "max_files"),
        ("tenant create bob --trial-limit max_files=5", 2, "ends_at"),
        ("tenant create bob --trial-until soon", 2, "trial_until"),
        ("tenant edit alice", 2, "changes"),
        ("tenant edit alice --name X --add-host b.example --remove-host c.example", 1, "hostname"),
        ("tenant edit alice --name X --plan none", 2, "plan"),
        ("tenant edit nobody --name X", 1, "tenant not found"),
        ("tenant suspend alice", 2, "--reason"),
        ("tenant delete alice", 2, "--yes"),
        ("tenant list --status sleeping", 2, "status"),
        ("tenant get nobody", 1, "tenant not found"),
        ("tenant get ../etc", 2, "id"),
        ("tenant migrate", 2, "ID"),
        ("tenant audit --last 0", 2, "--last"),
        ("tenant dance", 2, "dance"),
    ] {
        shell.fails(line, code, named);
    }
    assert_eq!(shell.json("tenant list"), before);
    assert!(!shell.data.join("tenants/bob").exists());
}
