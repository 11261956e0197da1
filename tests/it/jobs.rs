//! Jobs: tried again, given up, called off, put back; the sites by turns; and how people see them.
//! What the jobs of these tests do stands in their payload.

use crate::kit::{config, database};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::watch, task::JoinHandle};
use vitrina::{
    accounts::{Actor, Proof, Role, Scope, User},
    base::{
        Clock, Error, Result,
        ids::{TenantId, UserId},
        page::{Ask, Cursor},
    },
    jobs::{
        self, Job, Kind, NewJob, Run, Step, Weight,
        executor::{self, Options},
    },
    tenancy::{Tenant, Tenants, audit::By, provision::NewTenant},
};

/// Does what the payload of a job says, and remembers the names of those that it began.
#[derive(Default)]
pub(crate) struct Script {
    pub begun: Mutex<Vec<String>>,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

impl executor::Work for Script {
    async fn run(self: Arc<Self>, _kind: Kind, run: Arc<Run>) -> Result<Step> {
        let order: Value = run.payload()?;
        let name = order["name"].as_str().unwrap_or_default().to_owned();
        self.begun.lock().unwrap().push(name);
        let at_once = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(at_once, Ordering::SeqCst);
        let done = follow(&order, &run).await;
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        done
    }
}

async fn follow(order: &Value, run: &Run) -> Result<Step> {
    tokio::time::sleep(Duration::from_millis(order["ms"].as_u64().unwrap_or(0))).await;
    match order["do"].as_str().unwrap_or_default() {
        "fail" => return Err(Error::internal("the disk says \"secret\"")),
        "refuse" => return Err(Error::Unsupported("this cannot be done".to_owned())),
        "panic" => panic!("as the test asks for"),
        "fail_once" if run.job.attempts < 2 => return Err(Error::Unavailable("not now")),
        "go_on" if run.job.done < 3 => {
            run.progress(run.job.done + 1, Some(3));
            return Ok(Step::GoOn);
        }
        "wait" => {
            run.progress(1, Some(2));
            run.say("half of it");
            run.stopped().await;
            return Err(Error::Unavailable("it was told to end"));
        }
        "sulk" => std::future::pending().await,
        _ => {}
    }
    Ok(Step::Done)
}

/// A process of several that does jobs on a data directory.
pub(crate) struct Worker {
    pub tenants: Arc<Tenants>,
    pub script: Arc<Script>,
    stop: watch::Sender<bool>,
    working: JoinHandle<()>,
}

pub(crate) fn patient() -> Options {
    let look_every = Duration::from_millis(200);
    Options { light: 4, heavy: 1, first_wait_ms: 1, look_every }
}

pub(crate) async fn open(data: &Path) -> Arc<Tenants> {
    Arc::new(vitrina::app::open_tenants(&config(data, &[])).await.unwrap())
}

impl Worker {
    pub(crate) async fn start(data: &Path, options: Options) -> Self {
        let (tenants, script) = (open(data).await, Arc::new(Script::default()));
        let (stop, stopped) = watch::channel(false);
        let working = executor::serve(tenants.clone(), script.clone(), options, stopped);
        Self { working: tokio::spawn(working), tenants, script, stop }
    }

    pub(crate) async fn main(&self) -> Arc<Tenant> {
        self.tenants.get(&TenantId::main()).await.unwrap()
    }

    pub(crate) fn begun(&self) -> Vec<String> {
        self.script.begun.lock().unwrap().clone()
    }

    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        self.working.await.unwrap();
    }
}

pub(crate) fn job(order: Value) -> NewJob {
    NewJob::new(Kind::Recount).payload(&order).unwrap()
}

/// The job's state in the end, which comes soon.
pub(crate) async fn settled(tenant: &Tenant, id: &Job, states: &[&str]) -> Job {
    let began = Instant::now();
    loop {
        let found = all(tenant).await.into_iter().find(|job| job.id == id.id).unwrap();
        if states.contains(&found.state.as_str()) {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(15), "{found:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Every job of a site, as an admin sees them.
pub(crate) async fn all(tenant: &Tenant) -> Vec<Job> {
    let user = User {
        id: UserId(0),
        username: String::new(),
        email: String::new(),
        role: Role::Admin,
        created_at: Clock::now(),
    };
    let admin = Actor::Member(user, Proof::Token(Scope::ALL.to_vec()));
    let (mut found, mut after) = (Vec::new(), None::<Cursor>);
    loop {
        let ask = Ask::parse(Some(100), after.map(|c| c.encode()).as_deref(), None).unwrap();
        let page = jobs::list(tenant, &admin, jobs::Filter::default(), ask).await.unwrap();
        found.extend(page.items);
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    (dir, data)
}

#[tokio::test]
async fn a_job_is_tried_again_and_given_up_in_the_end() {
    let (_dir, data) = folder();
    let worker = Worker::start(&data, patient()).await;
    let main = worker.main().await;
    let once = jobs::add(&main, job(json!({ "do": "fail_once" }))).await.unwrap();
    let done = settled(&main, &once, &["done"]).await;
    assert_eq!((done.attempts, done.last_error.as_deref()), (2, Some("not now")));

    let never = jobs::add(&main, job(json!({ "do": "fail" })).attempts(3)).await.unwrap();
    let given_up = settled(&main, &never, &["failed"]).await;
    assert_eq!((given_up.attempts, given_up.max_attempts), (3, 3));
    assert_eq!(given_up.last_error.as_deref(), Some("internal error"), "causes are for the log");

    let broken = jobs::add(&main, job(json!({ "do": "panic" })).attempts(2)).await.unwrap();
    let broken = settled(&main, &broken, &["failed"]).await;
    assert_eq!((broken.attempts, broken.last_error.as_deref()), (2, Some("it broke off")));

    let refused = jobs::add(&main, job(json!({ "do": "refuse" }))).await.unwrap();
    let refused = settled(&main, &refused, &["failed"]).await;
    assert_eq!(refused.attempts, 1, "trying again cannot mend it");

    let after = jobs::add(&main, job(json!({}))).await.unwrap();
    settled(&main, &after, &["done"]).await;
    worker.stop().await;
}

#[tokio::test]
async fn a_kind_that_is_not_known_is_given_up() {
    let (_dir, data) = folder();
    let worker = Worker::start(&data, patient()).await;
    let main = worker.main().await;
    let strange = main.write(|db| {
        let id = jobs::enqueue(db, &NewJob::new(Kind::Recount))?;
        db.execute("UPDATE jobs SET kind = 'dream', payload = '['", []).unwrap();
        Ok(id)
    });
    strange.await.unwrap();
    jobs::wake(&main, Kind::Recount).await.unwrap();
    let found = all(&main).await.remove(0);
    let found = settled(&main, &found, &["failed"]).await;
    assert_eq!((&*found.kind, found.attempts), ("dream", 1));
    worker.stop().await;
}

#[tokio::test]
async fn work_that_takes_turns_goes_on_where_it_was() {
    let (_dir, data) = folder();
    let worker = Worker::start(&data, Options { light: 1, ..patient() }).await;
    let main = worker.main().await;
    let made = main.write(|db| {
        jobs::enqueue(db, &job(json!({ "name": "long", "do": "go_on" })))?;
        jobs::enqueue(db, &job(json!({ "name": "a" })))?;
        jobs::enqueue(db, &job(json!({ "name": "b" })))
    });
    made.await.unwrap();
    jobs::wake(&main, Kind::Recount).await.unwrap();
    let long = all(&main).await.pop().unwrap();
    let long = settled(&main, &long, &["done"]).await;
    assert_eq!((long.done, long.attempts), (3, 1));
    assert_eq!(worker.begun(), ["long", "a", "b", "long", "long", "long"]);
    worker.stop().await;
}

#[tokio::test]
async fn of_one_key_one_waits_and_one_runs() {
    let (_dir, data) = folder();
    let worker = Worker::start(&data, patient()).await;
    let main = worker.main().await;
    let keyed = |name: &str, ms: u64| job(json!({ "name": name, "ms": ms })).once("k");
    let first = jobs::add(&main, keyed("first", 300)).await.unwrap();
    settled(&main, &first, &["running"]).await;
    let second = jobs::add(&main, keyed("second", 0)).await.unwrap();
    let third = jobs::add(&main, keyed("third", 0)).await.unwrap();
    assert_eq!(second.public_id, third.public_id, "it only got another payload");
    let other = jobs::add(&main, job(json!({ "name": "other" })).once("l")).await.unwrap();
    settled(&main, &other, &["done"]).await;
    assert_eq!(worker.begun(), ["first", "other"]);
    settled(&main, &third, &["done"]).await;
    assert_eq!(worker.begun(), ["first", "other", "third"]);

    // One that comes back finds its place taken by a newer one.
    let older = jobs::add(&main, job(json!({ "do": "fail_once", "ms": 300 })).once("k"));
    let older = older.await.unwrap();
    settled(&main, &older, &["running"]).await;
    let newer = jobs::add(&main, keyed("newer", 0)).await.unwrap();
    settled(&main, &newer, &["done"]).await;
    settled(&main, &older, &["cancelled"]).await;
    worker.stop().await;
}

#[tokio::test]
async fn a_stop_puts_jobs_back_and_counts_no_attempt() {
    let (_dir, data) = folder();
    let worker = Worker::start(&data, patient()).await;
    let main = worker.main().await;
    let one = jobs::add(&main, job(json!({ "do": "wait" }))).await.unwrap();
    let two = jobs::add(&main, job(json!({ "do": "sulk" }))).await.unwrap();
    settled(&main, &one, &["running"]).await;
    settled(&main, &two, &["running"]).await;
    let began = Instant::now();
    worker.stop().await;
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    for id in [&one, &two] {
        let job = settled(&main, id, &["waiting"]).await;
        assert_eq!((job.attempts, job.last_error), (0, None));
    }
    let next = Worker::start(&data, patient()).await;
    settled(&main, &one, &["running"]).await;
    drop(next);
}

#[tokio::test]
async fn a_lone_job_does_not_wait_for_thousands_of_others() {
    let (_dir, data) = folder();
    let worker = Worker::start(&data, patient()).await;
    for id in ["busy", "lone"] {
        let new = NewTenant { id: id.to_owned(), ..NewTenant::default() };
        worker.tenants.create(&By::command_line(), new).await.unwrap();
    }
    let get = async |id| worker.tenants.get(&TenantId::parse(id).unwrap()).await.unwrap();
    let (busy, lone) = (get("busy").await, get("lone").await);
    let many = busy.write(|db| {
        (0..3_000).try_for_each(|_| jobs::enqueue(db, &job(json!({ "ms": 15 }))).map(drop))
    });
    many.await.unwrap();
    jobs::wake(&busy, Kind::Recount).await.unwrap();
    while worker.begun().len() < 20 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for _ in 0..5 {
        let began = Instant::now();
        let one = jobs::add(&lone, job(json!({ "name": "lone" }))).await.unwrap();
        settled(&lone, &one, &["done"]).await;
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    }
    assert!(worker.begun().len() < 2_900, "the others still wait");
    assert!(worker.script.most_at_once.load(Ordering::SeqCst) <= 4);
    worker.stop().await;
}

#[tokio::test]
async fn light_jobs_are_done_beside_a_heavy_one() {
    let (_dir, data) = folder();
    let worker = Worker::start(&data, Options { light: 1, ..patient() }).await;
    let main = worker.main().await;
    let heavy = main.write(|db| {
        for name in ["film", "second film"] {
            jobs::enqueue(db, &job(json!({ "name": name, "do": "wait" })))?;
        }
        db.execute("UPDATE jobs SET weight = 'heavy'", []).unwrap();
        Ok(())
    });
    heavy.await.unwrap();
    main.work_at(Weight::Heavy, Clock::now()).await.unwrap();
    let film = all(&main).await.pop().unwrap();
    settled(&main, &film, &["running"]).await;
    let light = jobs::add(&main, job(json!({ "name": "thumbnail" }))).await.unwrap();
    settled(&main, &light, &["done"]).await;
    assert_eq!(worker.begun(), ["film", "thumbnail"], "one heavy job at a time");
    worker.stop().await;
}

#[tokio::test]
async fn a_site_that_is_closed_has_nothing_done() {
    let (_dir, data) = folder();
    let worker = Worker::start(&data, patient()).await;
    let (main, id) = (worker.main().await, TenantId::main());
    let film = jobs::add(&main, job(json!({ "do": "wait" }))).await.unwrap();
    settled(&main, &film, &["running"]).await;
    worker.tenants.suspend(&By::command_line(), &id, "late").await.unwrap();
    let put_back = settled(&main, &film, &["waiting"]).await;
    assert_eq!(put_back.attempts, 0);
    let other = jobs::add(&main, job(json!({}))).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    settled(&main, &other, &["waiting"]).await;
    worker.tenants.resume(&By::command_line(), &id).await.unwrap();
    jobs::wake(&main, Kind::Recount).await.unwrap();
    settled(&main, &other, &["done"]).await;
    worker.stop().await;
}

#[tokio::test]
async fn a_clock_that_was_set_back_delays_nothing() {
    let (_dir, data) = folder();
    let later = Clock::now().plus_days(9);
    let tenants = open(&data).await;
    let main = tenants.get(&TenantId::main()).await.unwrap();
    let failed = jobs::add(&main, job(json!({ "name": "failed before" }))).await.unwrap();
    let new = jobs::add(&main, job(json!({ "name": "new" }))).await.unwrap();
    let site = database(&data.join("tenants/main/site.sqlite"));
    site.execute("UPDATE jobs SET run_at = ?1 WHERE id = ?2", (later, failed.id)).unwrap();
    database(&data.join("control.sqlite")).execute("UPDATE work SET at = ?1", [later]).unwrap();
    let worker = Worker::start(&data, patient()).await;
    settled(&main, &new, &["done"]).await;
    settled(&main, &failed, &["done"]).await;
    worker.stop().await;
}

#[tokio::test]
async fn housekeeping_finds_jobs_that_nobody_was_told_of() {
    let (_dir, data) = folder();
    let worker = Worker::start(&data, patient()).await;
    let main = worker.main().await;
    main.write(|db| jobs::enqueue(db, &job(json!({}))).map(drop)).await.unwrap();
    let lost = all(&main).await.remove(0);
    tokio::time::sleep(Duration::from_millis(500)).await;
    settled(&main, &lost, &["waiting"]).await;
    worker.tenants.visit_soon(&main.id).await.unwrap();
    vitrina::worker::visit_due(&worker.tenants).await.unwrap();
    settled(&main, &lost, &["done"]).await;
    let old = Clock::now().plus_days(-4);
    main.write(move |db| Ok(db.execute("UPDATE jobs SET finished_at = ?1", [old]).unwrap()))
        .await
        .unwrap();
    jobs::sweep::sweep(&main).await.unwrap();
    assert!(all(&main).await.is_empty());
    worker.stop().await;
}
