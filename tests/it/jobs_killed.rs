//! Several processes on one data directory do jobs, and die at it. A process is this very test
//! program, started again with the name of the test that plays it.

use crate::{
    jobs::{Worker, all, job, open, patient, settled},
    kit::database,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use vitrina::{
    base::{Clock, ids::TenantId},
    jobs::{self, Kind},
};

/// Names the data directory to the process that is started.
const DATA: &str = "JOBS_OF";

/// Plays a process where it is started as one; does nothing where it is run as a test.
#[tokio::test]
async fn plays_a_process() {
    let Some((_, data)) = std::env::vars().find(|(name, _)| name == DATA) else { return };
    let worker = Worker::start(Path::new(&data), patient()).await;
    writeln!(std::io::stderr(), "ready").unwrap();
    // Until whoever started it hangs up.
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()))
        .await
        .unwrap()
        .unwrap();
    writeln!(std::io::stderr(), "begun {}", json!(worker.begun())).unwrap();
    worker.stop().await;
}

/// A process that does jobs, killed when it goes out of scope.
struct Process(Child);

impl Process {
    fn start(data: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "jobs_killed::plays_a_process", "--nocapture"])
            .env(DATA, data)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.as_mut().unwrap()).lines();
        assert!(lines.map(Result::unwrap).any(|line| line == "ready"));
        Self(child)
    }

    /// Has it stop, and returns the names of the jobs that it began.
    fn stop(mut self) -> Vec<String> {
        drop(self.0.stdin.take());
        let mut rest = String::new();
        self.0.stderr.take().unwrap().read_to_string(&mut rest).unwrap();
        assert!(self.0.wait().unwrap().success(), "{rest}");
        let line = rest.lines().find_map(|line| line.strip_prefix("begun ")).unwrap();
        let names: Value = serde_json::from_str(line).unwrap();
        names.as_array().unwrap().iter().map(|n| n.as_str().unwrap().to_owned()).collect()
    }

    /// SIGKILL: no goodbye, no flush.
    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_job_whose_process_is_killed_runs_again() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let tenants = open(&data).await;
    let main = tenants.get(&TenantId::main()).await.unwrap();
    let film = jobs::add(&main, job(json!({ "name": "film", "do": "wait" }))).await.unwrap();
    let process = Process::start(&data);
    settled(&main, &film, &["running"]).await;
    process.kill();
    // Nobody is there who could take it over; what it is about changes meanwhile.
    let now = main.write(|db| Ok(db.execute("UPDATE jobs SET payload = '{}'", []).unwrap()));
    now.await.unwrap();
    assert_eq!(all(&main).await[0].state.as_str(), "running");
    let began = Instant::now();
    let next = Process::start(&data);
    let done = settled(&main, &film, &["done"]).await;
    assert!(began.elapsed() < Duration::from_secs(5), "at once: {:?}", began.elapsed());
    assert_eq!(done.attempts, 2);
    assert_eq!(next.stop(), [""]);
    let left = std::fs::read_dir(data.join("workers")).unwrap().count();
    assert_eq!(left, 1, "the lock for looking over all files, and nobody's file");
}

#[tokio::test]
async fn a_job_that_kills_its_process_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let tenants = open(&data).await;
    let main = tenants.get(&TenantId::main()).await.unwrap();
    let deadly = job(json!({ "do": "wait" })).attempts(2);
    let deadly = jobs::add(&main, deadly).await.unwrap();
    for attempt in 1..=2 {
        let process = Process::start(&data);
        // The row says that it runs until somebody finds out that it does not.
        while settled(&main, &deadly, &["running"]).await.attempts < attempt {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        process.kill();
    }
    let last = Process::start(&data);
    let given_up = settled(&main, &deadly, &["failed"]).await;
    assert_eq!(given_up.last_error.as_deref(), Some("the process that ran it is gone"));
    last.stop();
}

#[tokio::test]
async fn an_end_that_cannot_be_written_down_is_not_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let worker = Worker::start(&data, patient()).await;
    let main = worker.main().await;
    let site = database(&data.join("tenants/main/site.sqlite"));
    // As where the disk is full.
    let full = "CREATE TRIGGER full BEFORE UPDATE OF state ON jobs WHEN NEW.state <> 'running'
        BEGIN SELECT raise(ABORT, 'the disk is full'); END";
    site.execute_batch(full).unwrap();
    let one = jobs::add(&main, job(json!({ "name": "one" }))).await.unwrap();
    settled(&main, &one, &["running"]).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    settled(&main, &one, &["running"]).await;
    site.execute_batch("DROP TRIGGER full").unwrap();
    settled(&main, &one, &["done"]).await;
    assert_eq!(worker.begun(), ["one"]);

    // And where the process ends before there is room.
    site.execute_batch(full).unwrap();
    let two = jobs::add(&main, job(json!({ "name": "two" }))).await.unwrap();
    settled(&main, &two, &["running"]).await;
    worker.stop().await;
    settled(&main, &two, &["running"]).await;
    site.execute_batch("DROP TRIGGER full").unwrap();
    let next = Worker::start(&data, patient()).await;
    assert_eq!(settled(&main, &two, &["done"]).await.attempts, 2);
    next.stop().await;
}

#[tokio::test]
async fn no_clock_takes_a_job_from_a_process_that_lives() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let tenants = open(&data).await;
    let main = tenants.get(&TenantId::main()).await.unwrap();
    let film = jobs::add(&main, job(json!({ "do": "wait" }))).await.unwrap();
    let process = Process::start(&data);
    settled(&main, &film, &["running"]).await;
    // As if it had begun years ago, and everything were due since.
    database(&data.join("tenants/main/site.sqlite"))
        .execute("UPDATE jobs SET started_at = 1, created_at = 1", [])
        .unwrap();
    database(&data.join("control.sqlite")).execute("UPDATE work SET at = 0", []).unwrap();
    let other = Process::start(&data);
    jobs::wake(&main, Kind::Recount).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(all(&main).await[0].attempts, 1);
    assert_eq!(other.stop(), [""; 0]);
    assert_eq!(process.stop(), [""]);
    assert_eq!(all(&main).await[0].state.as_str(), "waiting");
}

#[tokio::test]
async fn two_processes_do_each_job_once() {
    const JOBS: usize = 600;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let tenants = open(&data).await;
    let main = tenants.get(&TenantId::main()).await.unwrap();
    let both = [Process::start(&data), Process::start(&data)];
    let made = main.write(|db| {
        let each = |n: usize| jobs::enqueue(db, &job(json!({ "name": n.to_string(), "ms": 3 })));
        (0..JOBS).try_for_each(|n| each(n).map(drop))
    });
    made.await.unwrap();
    main.work_at(jobs::Weight::Light, Clock::now()).await.unwrap();
    let began = Instant::now();
    while all(&main).await.iter().any(|job| !job.state.is_over()) {
        assert!(began.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(all(&main).await.iter().all(|job| (job.attempts, job.state.as_str()) == (1, "done")));
    let mut times = BTreeMap::new();
    for process in both {
        let begun = process.stop();
        assert!(begun.len() > JOBS / 10, "both do some: {}", begun.len());
        begun.into_iter().for_each(|name| *times.entry(name).or_insert(0) += 1);
    }
    assert_eq!(times.len(), JOBS);
    assert!(times.values().all(|times| *times == 1), "{times:?}");
}
