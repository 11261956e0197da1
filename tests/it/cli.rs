//! The binary itself: its commands, its exit codes, and how it starts and stops.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

pub(crate) fn vitrina(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vitrina"));
    // Only what a test gives counts, not what the machine has set.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("VITRINA_")) {
        command.env_remove(name);
    }
    command.current_dir(data.parent().unwrap()).env("VITRINA_DATA", data);
    command
}

/// A server in a process of its own, killed when it goes out of scope.
pub(crate) struct Serving {
    pub child: Child,
    pub url: String,
    pub lines: Vec<String>,
}

impl Serving {
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_logging(data, Stdio::null())
    }

    /// With settings of the process in its environment.
    pub(crate) fn start_set(data: &Path, settings: &[(&str, &str)]) -> Self {
        let mut command = vitrina(data);
        command.envs(settings.iter().copied());
        Self::start_command(command, Stdio::null())
    }

    pub(crate) fn start_logging(data: &Path, log: impl Into<Stdio>) -> Self {
        Self::start_command(vitrina(data), log)
    }

    fn start_command(mut command: Command, log: impl Into<Stdio>) -> Self {
        let mut child = command
            .args(["serve", "--listen", "127.0.0.1:0", "--operator-listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut lines = Vec::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            lines.push(line.unwrap());
            if lines.iter().any(|l| l.ends_with("(operator)")) {
                break;
            }
        }
        let url = lines[0].strip_prefix("listening on ").unwrap().split(' ').next().unwrap();
        Self { child, url: url.to_owned(), lines }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap_or(-1), text(stdout), text(stderr))
}

pub(crate) fn create_user(data: &Path, name: &str) -> String {
    let mut child = vitrina(data)
        .args(["user", "create", "--tenant", "main", "--role", "admin", "--username", name])
        .args(["--email", &format!("{name}@example.org"), "--password-stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"correct horse\n").unwrap();
    assert!(child.wait().unwrap().success());
    let (code, token, _) =
        run(vitrina(data).args(["token", "create", "--tenant", "main", "--user", name]));
    assert_eq!(code, 0);
    token.trim().to_owned()
}

#[test]
fn people_and_tokens_are_made_beside_a_running_server() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = Serving::start(&data);
    let token = create_user(&data, "ana");
    assert!(token.starts_with("vk_"), "{token}");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let ana = crate::kit::Client::new(&server.url).with_token(&token);
        let session = ana.get("/api/v2/session").await.expect(reqwest::StatusCode::OK).json();
        assert_eq!(session["user"]["role"], "admin");
        // A setting that is changed in another process counts at once.
        let (code, shown, _) =
            run(vitrina(&data).args(["site", "set", "name=My place", "max_frames=7"]));
        assert_eq!(code, 0);
        assert!(shown.contains("name = \"My place\""), "{shown}");
        let site = ana.get("/api/v2/site").await.json();
        assert_eq!((&site["name"], &site["max_frames"]), (&"My place".into(), &7.into()));
    });
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let _first = Serving::start(&data);
    let second = ["serve", "--listen", "127.0.0.1:0", "--operator-listen", "127.0.0.1:0"];
    let (code, _, error) = run(vitrina(&data).args(second));
    assert_eq!(code, 1);
    assert!(error.contains("another `vitrina serve` is using this data directory"), "{error}");
}

#[test]
fn a_server_prints_where_it_listens_and_stops_when_told() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Serving::start(&dir.path().join("data"));
    assert!(server.url.starts_with("http://127.0.0.1:"), "{:?}", server.lines);
    let pid = server.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

#[test]
fn settings_show_their_value_and_where_it_comes_from() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("vitrina.toml");
    std::fs::write(&file, "image_memory_mb = 512\n").unwrap();
    let mut command = vitrina(&dir.path().join("data"));
    command.env("VITRINA_SECRET_KEY", "ab".repeat(32));
    let (code, shown, _) = run(command.args(["config", "show", "--listen", "127.0.0.1:9"]));
    assert_eq!(code, 0);
    let line = |key: &str| shown.lines().find(|l| l.starts_with(key)).unwrap().to_owned();
    assert!(line("listen").contains("127.0.0.1:9") && line("listen").contains("flag --listen"));
    assert!(line("data").contains("environment VITRINA_DATA"));
    assert!(
        line("image_memory_mb").contains("512") && line("image_memory_mb").contains("vitrina.toml")
    );
    assert!(line("public_url").contains("(default)"));
    assert!(line("secret_key").contains("•••") && !shown.contains(&"ab".repeat(32)));
}

#[test]
fn mistakes_in_settings_and_arguments_exit_with_2() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    type Case = (&'static [&'static str], Option<(&'static str, &'static str)>, &'static str);
    let cases: [Case; 6] = [
        (&["config", "show"], Some(("VITRINA_LISTN", "x")), "VITRINA_LISTN"),
        (&["config", "show", "--listen", "nowhere"], None, "`listen`"),
        (&["serve", "--log-level", "a=b=c"], None, "log_level"),
        (&["dance"], None, "dance"),
        (&["site", "set", "nope=1"], None, "nope"),
        (&["token", "create", "--user", "ana", "--scope", "all"], None, "all"),
    ];
    for (args, variable, named) in cases {
        let mut command = vitrina(&data);
        command.args(args).envs(variable);
        let (code, _, error) = run(&mut command);
        assert_eq!(code, 2, "{args:?}: {error}");
        assert!(error.contains(named), "{args:?}: {error}");
    }
    std::fs::write(dir.path().join("vitrina.toml"), "colour = \"red\"\n").unwrap();
    let (code, _, error) = run(vitrina(&data).args(["config", "show"]));
    assert_eq!(code, 2);
    assert!(error.contains("colour") && error.contains("vitrina.toml"), "{error}");
}

#[test]
fn the_document_is_printed() {
    let dir = tempfile::tempdir().unwrap();
    let (code, text, _) = run(vitrina(&dir.path().join("data")).arg("openapi"));
    assert_eq!(code, 0);
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(&document, vitrina::api::document());
    let older = ["openapi", "--operator", "--version", "3.0"];
    let (code, text, _) = run(vitrina(&dir.path().join("data")).args(older));
    assert_eq!(code, 0);
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        &document,
        vitrina::operator::documents().get(vitrina::http::document::Version::V3_0)
    );
}

#[test]
fn a_request_in_flight_is_finished_before_the_server_ends() {
    use std::{io::Read, net::TcpStream, time::Duration};
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut server = Serving::start(&data);
    let token = create_user(&data, "ana");
    let host = server.url.trim_start_matches("http://").to_owned();
    let picture = crate::kit::pictures::photo_jpeg(400, 300, 1);
    let mut body =
        b"--X\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\n\r\n"
            .to_vec();
    body.extend_from_slice(&picture);
    body.extend_from_slice(b"\r\n--X--\r\n");
    let (first, rest) = body.split_at(body.len() / 2);
    let mut socket = TcpStream::connect(&host).unwrap();
    write!(
        socket,
        "POST /api/v2/media HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\
         content-type: multipart/form-data; boundary=X\r\ncontent-length: {}\r\n\r\n",
        body.len()
    )
    .unwrap();
    socket.write_all(first).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let pid = server.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    std::thread::sleep(Duration::from_millis(300));
    assert!(TcpStream::connect(&host).is_err(), "nobody new is let in");
    socket.write_all(rest).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}
