//! A real `redis-server` for one test, on a port of its own and without a file on the disk. It is
//! no stand-in: where the program is not installed, the test fails and says so.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Killed when it is dropped.
pub(crate) struct RedisServer {
    port: u16,
    password: String,
    dir: TempDir,
    child: Option<Child>,
}

impl RedisServer {
    /// A server that asks for `password`, unless that is empty.
    pub(crate) fn start(password: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let dir = tempfile::tempdir().unwrap();
        let mut server = Self { port, password: password.to_owned(), dir, child: None };
        server.start_again();
        server
    }

    /// On the same port, after [`kill`](Self::kill). Nothing that was kept before is there.
    pub(crate) fn start_again(&mut self) {
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string()])
            .args(["--save", "", "--appendonly", "no", "--requirepass", &self.password])
            .current_dir(self.dir.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("these tests need the program redis-server (Debian: redis-server)");
        self.child = Some(child);
        let started = Instant::now();
        while self.say("PING").is_none() {
            assert!(started.elapsed() < Duration::from_secs(10), "redis-server does not answer");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(crate) fn url(&self) -> String {
        match self.password.as_str() {
            "" => format!("redis://127.0.0.1:{}", self.port),
            password => format!("redis://:{password}@127.0.0.1:{}", self.port),
        }
    }

    /// What the server answers to one command, as it comes over the wire (RESP2); none where it
    /// does not answer.
    pub(crate) fn say(&self, command: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
        let sign_in = match self.password.as_str() {
            "" => String::new(),
            password => format!("AUTH {password}\r\n"),
        };
        write!(stream, "{sign_in}{command}\r\nQUIT\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        (!answer.is_empty()).then_some(answer)
    }

    /// Stops the program without ending it: connections stay open, and nothing answers.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.as_ref().expect("the server runs").id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}
