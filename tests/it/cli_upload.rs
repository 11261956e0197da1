//! `vitrina upload` against a real server: what it prints, what it leaves out, and how it gets
//! over wires that break.

use crate::{
    cli::vitrina,
    kit::{Client, TestServer, pictures},
};
use reqwest::StatusCode;
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use vitrina::accounts::Role;

/// Somebody at a command line of their own, with files.
struct Desk {
    dir: tempfile::TempDir,
    server: String,
    token: String,
}

impl Desk {
    fn new(server: &str, who: &Client) -> Self {
        let (server, token) = (server.to_owned(), who.token().to_owned());
        Self { dir: tempfile::tempdir().unwrap(), server, token }
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = vitrina(&self.dir.path().join("data"));
        command.current_dir(self.dir.path()).arg("upload").args(args);
        command.env("VITRINA_SERVER", &self.server).env("VITRINA_TOKEN", &self.token);
        command.env("XDG_STATE_HOME", self.dir.path().join("state"));
        command
    }

    /// The exit code, and what was printed for programs and for people.
    async fn upload(&self, args: &[&str]) -> (i32, Vec<String>, String) {
        let mut command = self.command(args);
        let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let Output { status, stdout, stderr } = done;
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let lines = text(stdout).lines().map(str::to_owned).collect();
        (status.code().unwrap(), lines, text(stderr))
    }

    fn notes(&self) -> usize {
        std::fs::read_dir(self.dir.path().join("state/vitrina/uploads")).map_or(0, Iterator::count)
    }
}

async fn count(who: &Client) -> usize {
    let page = who.get("/api/v2/media?owner=me").await.expect(StatusCode::OK).json();
    page["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn files_go_up_once_and_their_links_come_back() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let desk = Desk::new(&server.running.public_url, &ana);
    // Private words are taken out on the way, so what is kept is not what is sent.
    desk.put("one.jpg", &pictures::jpeg_with_exif(64, 48, 1, true));
    desk.put("more/two.png", &pictures::png(30, 20, false));
    desk.put("more/notes.txt", b"no picture");

    let args = ["--recursive", "--tag", "sea", "--tag", "sun", "--visibility", "unlisted"];
    let files = ["one.jpg", "more"];
    let (code, lines, told) = desk.upload(&[&args[..], &files].concat()).await;
    assert_eq!((code, lines.len()), (0, 2), "{told}");
    assert!(told.contains("1 files are no pictures"), "{told}");
    for line in &lines {
        ana.get(line).await.expect(StatusCode::OK);
    }
    let page = ana.get("/api/v2/media?owner=me").await.json();
    for item in page["items"].as_array().unwrap() {
        assert_eq!(item["tags"], serde_json::json!(["sea", "sun"]), "{item}");
        assert_eq!(item["visibility"], "unlisted");
    }

    let (code, lines, told) = desk.upload(&["--json", "one.jpg", "more/two.png"]).await;
    assert_eq!(code, 0, "{told}");
    for line in lines {
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["status"], "known", "{line}");
        assert!(line["media"]["id"].is_string());
    }
    assert_eq!((count(&ana).await, desk.notes(), server.leftovers()), (2, 0, 0));
}

#[tokio::test]
async fn links_come_in_the_form_that_is_asked_for() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let desk = Desk::new(&server.running.public_url, &ana);
    desk.put("beach.png", &pictures::png(30, 20, false));
    for (format, begins) in [
        ("url", "http://127.0.0.1"),
        ("direct", "http://127.0.0.1"),
        ("markdown", "![beach.png](http://"),
        ("html", "<img src=\"http://"),
        ("bbcode", "[img]http://"),
    ] {
        let (code, lines, told) = desk.upload(&["--format", format, "beach.png"]).await;
        assert_eq!((code, lines.len()), (0, 1), "{told}");
        assert!(lines[0].starts_with(begins), "{format}: {}", lines[0]);
        assert_eq!(lines[0].contains("/f/"), format != "url", "{}", lines[0]);
    }
}

#[tokio::test]
async fn what_is_refused_is_named_and_the_rest_goes_up() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let desk = Desk::new(&server.running.public_url, &ana);
    desk.put("good.png", &pictures::png(30, 20, false));
    desk.put("text.png", b"this is no picture");
    desk.put("empty.png", b"");
    desk.put("folder/x.png", b"");
    let (code, lines, told) =
        desk.upload(&["good.png", "text.png", "empty.png", "missing.png", "folder"]).await;
    assert_eq!((code, lines.len(), count(&ana).await), (1, 1, 1), "{told}");
    for said in [
        "text.png: ",
        "empty.png: is empty",
        "missing.png: ",
        "folder: is a folder: say --recursive",
        "not all files were uploaded",
    ] {
        assert!(told.contains(said), "{said}: {told}");
    }
    assert_eq!((desk.notes(), server.leftovers()), (0, 0));

    let (code, lines, _) = desk.upload(&["--json", "text.png"]).await;
    let line: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!((code, &line["status"]), (1, &"failed".into()));
    assert!(line["error"].as_str().is_some_and(|why| !why.is_empty()));
}

#[tokio::test]
async fn what_is_not_said_or_wrong_is_told_before_anything_is_sent() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let desk = Desk::new(&server.running.public_url, &ana);
    desk.put("a.png", &pictures::png(30, 20, false));
    desk.put("token", format!("{}\n", ana.token()).as_bytes());
    let cases: [(&[&str], i32, &str); 6] = [
        (&["--visibility", "secret", "a.png"], 2, "visibility"),
        (&["--server", "media.example", "a.png"], 2, "server"),
        (&["--token-file", "missing", "a.png"], 2, "token_file"),
        (&["--watch", "missing"], 2, "watch"),
        (&["--token", "vk_wrong", "a.png"], 1, "sign in to continue"),
        (&["--album", "8fKq2ZtP9x", "a.png"], 1, "album"),
    ];
    for (args, code, said) in cases {
        let (ended, lines, told) = desk.upload(args).await;
        assert_eq!((ended, lines.len()), (code, 0), "{args:?}: {told}");
        assert!(told.contains(said), "{args:?}: {told}");
    }
    let mut bare = desk.command(&["a.png"]);
    bare.env_remove("VITRINA_TOKEN");
    let told = tokio::task::spawn_blocking(move || bare.output().unwrap()).await.unwrap();
    assert_eq!(told.status.code(), Some(2));
    let mut filed = desk.command(&["--token-file", "token", "a.png"]);
    filed.env_remove("VITRINA_TOKEN");
    let told = tokio::task::spawn_blocking(move || filed.output().unwrap()).await.unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
}

/// A wire to a server that breaks once, after so many bytes: cut off, or silent from then on.
struct Wire {
    url: String,
    left: Arc<AtomicI64>,
}

impl Wire {
    async fn to(server: &str, bytes: usize, hangs: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let target = server.trim_start_matches("http://").to_owned();
        let left = Arc::new(AtomicI64::new(bytes as i64));
        let wire = Self { url, left: left.clone() };
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect(&target).await.unwrap();
                tokio::spawn(carry(near, far, left.clone(), hangs));
            }
        });
        wire
    }

    fn has_broken(&self) -> bool {
        self.left.load(Ordering::SeqCst) > i64::MAX / 2
    }
}

async fn carry(near: TcpStream, far: TcpStream, left: Arc<AtomicI64>, hangs: bool) {
    let ((mut near_in, mut near_out), (mut far_in, mut far_out)) =
        (near.into_split(), far.into_split());
    let back = tokio::spawn(async move { tokio::io::copy(&mut far_in, &mut near_out).await });
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = near_in.read(&mut buffer).await {
        if left.fetch_sub(count as i64, Ordering::SeqCst) < count as i64 {
            left.store(i64::MAX, Ordering::SeqCst);
            // Nothing gets through any more, until the near end gives up.
            while hangs && matches!(near_in.read(&mut buffer).await, Ok(1..)) {}
            break;
        }
        if far_out.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
    back.abort();
}

#[tokio::test]
async fn a_wire_that_breaks_is_gone_on_with() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let photo = pictures::photo_jpeg(1600, 1200, 3);
    let wire = Wire::to(&server.running.public_url, photo.len() / 2, false).await;
    let desk = Desk::new(&wire.url, &ana);
    desk.put("photo.jpg", &photo);
    let (code, lines, told) = desk.upload(&["--format", "direct", "photo.jpg"]).await;
    assert_eq!((code, lines.len()), (0, 1), "{told}");
    assert!(wire.has_broken());
    assert_eq!((count(&ana).await, desk.notes(), server.leftovers()), (1, 0, 0));
}

/// Interrupts a program as Ctrl-C does.
fn interrupt(pid: u32) {
    let kill = Command::new("kill").args(["-INT", &pid.to_string()]).status();
    assert!(kill.unwrap().success());
}

async fn until(what: impl AsyncFn() -> bool) {
    for _ in 0..400 {
        if what().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it did not come to that");
}

/// The length of the one file that uploads are collected in.
fn collected(server: &TestServer) -> u64 {
    let folder = server.data().join("tenants/main/uploads");
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.map(|file| file.metadata().unwrap().len()).sum()
}

#[tokio::test]
async fn a_second_run_goes_on_where_the_first_was_stopped() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let photo = pictures::photo_jpeg(1600, 1200, 4);
    let wire = Wire::to(&server.running.public_url, photo.len() / 2, true).await;
    let desk = Desk::new(&wire.url, &ana);
    desk.put("photo.jpg", &photo);
    let mut first = desk.command(&["photo.jpg"]);
    let first = first.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    until(async || wire.has_broken()).await;
    interrupt(first.id());
    let ended = tokio::task::spawn_blocking(|| first.wait_with_output().unwrap()).await.unwrap();
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(1), "{told}");
    assert!(told.contains("goes on where it was"), "{told}");
    assert_eq!((count(&ana).await, desk.notes()), (0, 1));
    until(async || collected(&server) > photo.len() as u64 / 4).await;
    let here = collected(&server) as i64;

    // Only what is missing goes over the wire, and what is said about it.
    wire.left.store(i64::MAX / 4, Ordering::SeqCst);
    let (code, lines, told) = desk.upload(&["photo.jpg"]).await;
    assert_eq!((code, lines.len()), (0, 1), "{told}");
    let sent = i64::MAX / 4 - wire.left.load(Ordering::SeqCst);
    assert!(sent < photo.len() as i64 - here + 16_000, "{sent} bytes, {here} were there");
    assert_eq!((count(&ana).await, desk.notes()), (1, 0));
}

#[tokio::test]
async fn a_folder_that_is_watched_gives_what_is_new_and_finished() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let desk = Desk::new(&server.running.public_url, &ana);
    desk.put("in/old.png", &pictures::png(30, 20, false));
    let mut watching = desk.command(&["--watch", "in"]);
    let mut watching = watching.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let new = pictures::png(31, 21, false);
    let half = new.len() / 2;
    let path = desk.put("in/new.png", &new[..half]);
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    append(&path, &new[half..]);
    let mut printed = BufReader::new(watching.stdout.take().unwrap());
    let (printed, line) = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        printed.read_line(&mut line).unwrap();
        (printed, line)
    })
    .await
    .unwrap();
    assert!(line.starts_with("http://127.0.0.1"), "{line}");
    interrupt(watching.id());
    let ended = tokio::task::spawn_blocking(|| watching.wait_with_output().unwrap()).await.unwrap();
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(0), "{told}");
    assert_eq!(printed.lines().count(), 0);
    assert_eq!(count(&ana).await, 1);
}

fn append(path: &Path, bytes: &[u8]) {
    use std::io::Write;
    std::fs::File::options().append(true).open(path).unwrap().write_all(bytes).unwrap();
}

#[tokio::test]
async fn a_file_is_asked_for_by_the_hash_of_what_was_sent() {
    use sha2::{Digest, Sha256};
    let server = TestServer::start().await;
    let (ana, bob) = (server.admin().await, server.person("bob", Role::User).await);
    let photo = pictures::jpeg_with_exif(64, 48, 1, true);
    let digits: String = Sha256::digest(&photo).iter().map(|b| format!("{b:02x}")).collect();
    let path = format!("/api/v2/media?owner=me&checksum=sha256:{digits}");
    let ids = async |who: &Client| {
        let page = who.get(&path).await.expect(StatusCode::OK).json();
        page["items"].as_array().unwrap().iter().map(|m| m["id"].clone()).collect::<Vec<_>>()
    };
    // A smaller picture of it is not the file.
    ana.upload_with(photo.clone(), "a.jpg", &[("width", "32")]).await.expect(StatusCode::CREATED);
    assert!(ids(&ana).await.is_empty());
    let item = ana.upload(photo.clone(), "a.jpg").await;
    assert_ne!(item["checksum"], format!("sha256:{digits}"));
    assert_eq!(ids(&ana).await, [item["id"].clone()]);
    assert!(ids(&bob).await.is_empty());
    ana.delete(&format!("/api/v2/media/{}", item["id"].as_str().unwrap())).await;
    assert!(ids(&ana).await.is_empty());

    let odd = "/api/v2/media?owner=me&checksum=sha256:00";
    ana.get(odd).await.names_field(422, "checksum");
    let others = path.replace("owner=me", "owner=ana");
    bob.get(&others).await.names_field(422, "checksum");
    server.guest().get(&path).await.problem(401, "unauthenticated");
}
