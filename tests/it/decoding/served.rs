//! A server whose decoding processes are killed, stopped and starved: it answers in good order and
//! loses nothing.

use super::{Seen, signal, until, workers_of};
use crate::{
    cli::{create_user, vitrina},
    kit::{Client, files_under, path_of, pictures},
};
use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// A server in a process of its own, so that its workers are told from those of other tests.
struct Server {
    child: Child,
    ana: Client,
    operator: Client,
}

impl Server {
    fn start(data: &Path, more: &[&str]) -> Self {
        let mut child = vitrina(data)
            .args(["serve", "--listen", "127.0.0.1:0", "--operator-listen", "127.0.0.1:0"])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut urls = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map(Result::unwrap)
            .filter_map(|line| {
                let url = line.strip_prefix("listening on ")?.split(' ').next()?;
                Some(url.to_owned())
            });
        let (public, operator) = (urls.next().unwrap(), urls.next().unwrap());
        let token = create_user(data, "ana");
        let ana = Client::new(&public).with_token(&token);
        Self { child, ana, operator: Client::new(&operator) }
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Memory that a job may not have ends its process and nothing else.
#[tokio::test]
async fn a_job_that_wants_too_much_fails_alone() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"), &["--decode-memory-mb", "48"]);
    let small = || pictures::png(60, 40, false);
    server.ana.upload(small(), "before.png").await;
    // 24 million pixels: 72 MB decoded.
    let large = pictures::png(6000, 4000, false);
    server.ana.upload_with(large, "large.png", &[]).await.problem(422, "damaged");
    server.ana.upload(pictures::png(61, 40, false), "after.png").await;
    let figures = server.operator.get("/metrics").await.text();
    assert!(figures.lines().any(|line| line == "vitrina_decoders_lost_total 1"), "{figures}");
}

#[tokio::test]
async fn a_decoder_that_dies_or_hangs_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = Server::start(&data, &["--decode-seconds", "3"]);
    let pid = server.pid();
    server.ana.upload(pictures::png(20, 20, false), "first.png").await;
    let [worker] = &*workers_of(pid) else { panic!("{:?}", workers_of(pid)) };
    confined(worker);

    // Stopped, so that it is certainly in the middle of its job.
    for (name, wait) in [("-KILL", "at once"), ("-CONT", "after its time")] {
        let before = workers_of(pid);
        assert_eq!(before.len(), 1, "{before:?}");
        signal("-STOP", &before[0].pid);
        until("stopped", || (workers_of(pid)[0].state == 'T').then_some(())).await;
        let ana = server.ana.clone();
        let began = Instant::now();
        let upload = tokio::spawn(async move {
            ana.upload_with(pictures::photo_jpeg(300, 200, 9), "a.jpg", &[]).await
        });
        if name == "-KILL" {
            until("a file", || {
                (files_under(&data.join("tenants/main/incoming")).len() == 1).then_some(())
            })
            .await;
            tokio::time::sleep(Duration::from_millis(500)).await;
            signal(name, &before[0].pid);
        }
        let refused = upload.await.unwrap().problem(422, "damaged");
        let took = began.elapsed() >= Duration::from_secs(3);
        assert_eq!(took, name == "-CONT", "{wait}: {refused}");
        let next = pictures::png(20 + name.len() as u32, 33, took);
        server.ana.upload(next, "next.png").await;
        let after = workers_of(pid);
        assert!(after.iter().all(|worker| worker.pid != before[0].pid), "{after:?}");
    }
    let files = files_under(&data.join("tenants/main/incoming"));
    assert!(files.is_empty(), "{files:?}");

    // An idle one that dies is noticed before it gets a job.
    signal("-KILL", &workers_of(pid)[0].pid);
    until("no zombie", || workers_of(pid).iter().all(|w| w.state == 'Z').then_some(())).await;
    server.ana.upload(pictures::png(50, 50, false), "last.png").await;
    let [_] = &*workers_of(pid) else { panic!("{:?}", workers_of(pid)) };
}

/// What the worker may not do, and what it has not inherited.
fn confined(worker: &Seen) {
    let about = |file: &str| fs::read(format!("/proc/{}/{file}", worker.pid)).unwrap();
    let limits = String::from_utf8(about("limits")).unwrap();
    let limit = |name: &str| {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        line[name.len()..].split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(limit("Max file size")[..2], ["0", "0"]);
    assert_eq!(limit("Max core file size")[..2], ["0", "0"]);
    assert_ne!(limit("Max address space")[0], "unlimited");
    assert_eq!(about("environ"), b"MALLOC_ARENA_MAX=1\0");
    assert_eq!(about("oom_score_adj"), b"1000\n");
    let files = fs::read_dir(format!("/proc/{}/fd", worker.pid)).unwrap().filter_map(|entry| {
        let target = fs::read_link(entry.unwrap().path()).unwrap().display().to_string();
        let is_own = target.starts_with("pipe:") || target == "/dev/null";
        (!is_own).then_some(target)
    });
    assert_eq!(files.collect::<Vec<_>>(), [""; 0]);
}

#[tokio::test]
async fn none_is_left_when_the_server_is_gone() {
    for how in ["-TERM", "-KILL"] {
        let dir = tempfile::tempdir().unwrap();
        let mut server = Server::start(&dir.path().join("data"), &[]);
        let uploads: Vec<_> = (0..4)
            .map(|n| {
                let ana = server.ana.clone();
                let picture = pictures::photo_jpeg(200, 200, n);
                tokio::spawn(async move { ana.upload(picture, "a.jpg").await })
            })
            .collect();
        for upload in uploads {
            upload.await.unwrap();
        }
        let workers = workers_of(server.pid());
        assert!(!workers.is_empty());
        signal(how, &server.pid().to_string());
        server.child.wait().unwrap();
        for worker in workers {
            let process = format!("/proc/{}", worker.pid);
            until("it is gone", || (!Path::new(&process).exists()).then_some(())).await;
        }
    }
}

/// Whatever dies, what was acknowledged is there, and everything else is refused in good order.
#[tokio::test(flavor = "multi_thread")]
async fn uploads_survive_decoders_that_die_at_random() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"), &["--image-parallel", "3"]);
    let (pid, over) = (server.pid(), Arc::new(AtomicBool::new(false)));
    let killer = {
        let over = over.clone();
        std::thread::spawn(move || {
            let mut killed = 0usize;
            while !over.load(Ordering::Relaxed) {
                let workers = workers_of(pid);
                if let Some(worker) = workers.get(killed % workers.len().max(1)) {
                    signal("-KILL", &worker.pid);
                    killed += 1;
                }
                std::thread::sleep(Duration::from_millis(200));
            }
            killed
        })
    };
    let uploads: Vec<_> = (0..50)
        .map(|n| {
            let ana = server.ana.clone();
            tokio::spawn(async move {
                let picture = pictures::photo_jpeg(500, 400, n);
                let answer = ana.upload_with(picture, "a.jpg", &[]).await;
                match answer.status.as_u16() {
                    201 => Some(answer.json()),
                    422 => {
                        answer.problem(422, "damaged");
                        None
                    }
                    // No process could be started in time.
                    _ => {
                        answer.problem(500, "internal");
                        None
                    }
                }
            })
        })
        .collect();
    let mut kept = Vec::new();
    for upload in uploads {
        kept.extend(upload.await.unwrap());
    }
    over.store(true, Ordering::Relaxed);
    assert!(killer.join().unwrap() > 0);
    kept.push(server.ana.upload(pictures::png(40, 40, false), "after.png").await);
    for media in &kept {
        for name in ["original", "medium", "thumb"] {
            let path = path_of(&media["urls"][name]);
            let bytes = server.ana.get(&path).await.expect(reqwest::StatusCode::OK).body;
            assert!(image::load_from_memory(&bytes).is_ok(), "{path}");
        }
    }
    let stored = files_under(&dir.path().join("data/tenants/main/media"));
    assert_eq!(stored.len(), kept.len() * 3);
    assert!(files_under(&dir.path().join("data/tenants/main/incoming")).is_empty());
    // Those that were killed have been seen off.
    until("no zombie", || workers_of(pid).iter().all(|w| w.state != 'Z').then_some(())).await;
}
