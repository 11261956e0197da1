//! Jobs as people see and change them, over HTTP and from the shell.

use crate::{
    cli_hosting::Shell,
    jobs::{Worker, job, patient, settled},
    kit::{Client, TestServer, database, pictures},
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use vitrina::{
    accounts::{Role, users},
    jobs::{self, Job},
    tenancy::audit::By,
    transfer, worker,
};

/// A server whose jobs the test does itself.
pub(crate) async fn server_and_worker() -> (TestServer, Worker) {
    let server = TestServer::with(&[("jobs_light", "0"), ("jobs_heavy", "0"), ("shared", "true")]);
    let server = server.await;
    let worker = Worker::start(&server.data(), patient()).await;
    (server, worker)
}

/// Somebody with a job that is about their own things.
pub(crate) async fn own_job(server: &TestServer, worker: &Worker, order: Value) -> (Client, Job) {
    let bob = server.person("bob", Role::User).await;
    let main = worker.main().await;
    let owner = users::find(&main, "bob").await.unwrap().id;
    let job = jobs::add(&main, job(order).owner(owner)).await.unwrap();
    (bob, job)
}

fn path(job: &Job) -> String {
    format!("/api/v2/jobs/{}", job.public_id)
}

#[tokio::test]
async fn a_job_that_failed_is_tried_again_when_an_admin_says_so() {
    let (server, worker) = server_and_worker().await;
    let (ana, main) = (server.admin().await, worker.main().await);
    let (bob, failing) = own_job(&server, &worker, json!({ "do": "fail" })).await;
    settled(&main, &failing, &["failed"]).await;
    let seen = bob.get(&path(&failing)).await.expect(StatusCode::OK).json();
    assert_eq!((&seen["state"], &seen["attempts"]), (&json!("failed"), &json!(5)), "{seen}");
    assert!(seen["finished_at"].is_string() && seen.get("retry_at").is_none(), "{seen}");
    let retry = format!("{}/retry", path(&failing));
    bob.post(&retry, json!({})).await.problem(403, "forbidden");
    // Whatever was wrong is mended meanwhile.
    let mend = "UPDATE jobs SET payload = '{}'";
    main.write(|db| Ok(db.execute(mend, []).unwrap())).await.unwrap();
    let again = ana.post(&retry, json!({})).await.expect(StatusCode::ACCEPTED).json();
    assert_eq!(again["attempts"], 0);
    let done = settled(&main, &failing, &["done"]).await;
    assert_eq!(done.attempts, 1);
    ana.post(&retry, json!({})).await.problem(409, "job_not_over");
    worker.stop().await;
}

#[tokio::test]
async fn jobs_are_called_off() {
    let (server, worker) = server_and_worker().await;
    let (ana, main) = (server.admin().await, worker.main().await);
    let (bob, running) = own_job(&server, &worker, json!({ "do": "wait" })).await;
    settled(&main, &running, &["running"]).await;
    let later = jobs::add(&main, job(json!({})).after_ms(60_000)).await.unwrap();
    let shown = ana.get(&path(&later)).await.expect(StatusCode::OK).json();
    assert!(shown["retry_at"].is_string(), "{shown}");

    let cancel = |job: &Job| format!("{}/cancellation", path(job));
    bob.post(&cancel(&running), json!({})).await.problem(403, "forbidden");
    let gone = ana.post(&cancel(&later), json!({})).await.expect(StatusCode::ACCEPTED).json();
    assert_eq!(gone["state"], "cancelled");
    // It said how far it had come before anybody asked.
    for _ in 0..100 {
        if bob.get(&path(&running)).await.json()["message"] == "half of it" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let asked = ana.post(&cancel(&running), json!({})).await.expect(StatusCode::ACCEPTED).json();
    assert_eq!((&asked["done"], &asked["total"]), (&json!(1), &json!(2)), "{asked}");
    settled(&main, &running, &["cancelled"]).await;
    ana.post(&cancel(&running), json!({})).await.problem(409, "job_over");
    let again = format!("{}/retry", path(&later));
    ana.post(&again, json!({})).await.expect(StatusCode::ACCEPTED);
    settled(&main, &later, &["done"]).await;
    worker.stop().await;
}

#[tokio::test]
async fn people_see_their_own_jobs_and_admins_all() {
    let (server, worker) = server_and_worker().await;
    let (bob, own) = own_job(&server, &worker, json!({})).await;
    let (ana, eve) = (server.admin().await, server.person("eve", Role::Manager).await);
    let main = worker.main().await;
    settled(&main, &own, &["done"]).await;
    let other = jobs::add(&main, job(json!({ "do": "refuse" }))).await.unwrap();
    settled(&main, &other, &["failed"]).await;
    let ids = async |who: &Client, query: &str| {
        let page = who.get(&format!("/api/v2/jobs{query}")).await.expect(StatusCode::OK).json();
        let items = page["items"].as_array().unwrap().iter();
        items.map(|job| job["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (own, other) = (own.public_id.to_string(), other.public_id.to_string());
    assert_eq!(ids(&ana, "").await, [&*other, &*own]);
    assert_eq!(ids(&ana, "?state=failed&kind=recount").await, [&*other]);
    assert_eq!(ids(&ana, "?kind=regenerate").await, [""; 0]);
    assert_eq!(ids(&bob, "").await, [&*own]);
    assert_eq!(ids(&eve, "").await, [""; 0]);
    let first = ana.get("/api/v2/jobs?limit=1").await.expect(StatusCode::OK);
    let link = first.header("link").to_owned();
    let next = first.json()["next"].as_str().unwrap().to_owned();
    assert!(link.starts_with("<http") && link.contains(&format!("limit=1&after={next}")), "{link}");
    assert_eq!(ids(&ana, &format!("?limit=1&after={next}")).await, [&*own]);
    let hidden = format!("/api/v2/jobs/{other}");
    bob.get(&hidden).await.problem(404, "not_found");
    eve.get(&hidden).await.problem(404, "not_found");
    server.guest().get(&hidden).await.problem(401, "unauthenticated");
    server.guest().get("/api/v2/jobs").await.problem(401, "unauthenticated");
    for wrong in ["state=x", "kind=x", "limit=0", "after=x"] {
        ana.get(&format!("/api/v2/jobs?{wrong}")).await.problem(422, "invalid");
    }
    // An admin's token that was not made for the whole site sees the admin's own.
    let wanted = json!({ "name": "x", "scopes": ["media:read"] });
    let token = ana.post("/api/v2/tokens", wanted).await.json();
    let limited = server.guest().with_token(token["token"].as_str().unwrap());
    assert_eq!(ids(&limited, "").await, [""; 0]);
    limited.get(&hidden).await.problem(404, "not_found");
    worker.stop().await;
}

#[tokio::test]
async fn jobs_that_run_wait_in_a_copy_of_the_site() {
    let (server, worker) = server_and_worker().await;
    let main = worker.main().await;
    let keyed = job(json!({ "do": "wait" })).once("k");
    let running = jobs::add(&main, keyed.clone()).await.unwrap();
    settled(&main, &running, &["running"]).await;
    jobs::add(&main, job(json!({ "name": "newer" })).once("k")).await.unwrap();
    let other = jobs::add(&main, job(json!({ "do": "wait" }))).await.unwrap();
    settled(&main, &other, &["running"]).await;
    let (by, hosts) = (By::command_line(), vec!["copy.example".to_owned()]);
    let listener = transfer::Listener::none();
    transfer::clone::clone(&worker.tenants, &by, &main.id, "copy", hosts, &listener).await.unwrap();
    let folder = server.data().join("tenants/copy/site.sqlite");
    let copy = database(&folder);
    let held = "SELECT count(*) FROM jobs WHERE holder IS NOT NULL OR state = 'running'";
    let rows = "SELECT count(*) FROM jobs";
    let count = |sql| copy.query_row(sql, [], |r| r.get::<_, i64>(0)).unwrap();
    assert_eq!((count(held), count(rows)), (0, 2), "the newer one takes the place of its twin");
    worker.stop().await;
}

fn spoil(file: &std::path::Path) {
    let spoil = "UPDATE usage SET amount = -7 WHERE name = 'files';
        DELETE FROM usage WHERE name = 'tags'";
    database(file).execute_batch(spoil).unwrap();
}

#[tokio::test]
async fn counters_that_are_wrong_are_mended() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    let fields = [("tags", "one, two")];
    ana.upload_with(pictures::png(20, 20, false), "a.png", &fields)
        .await
        .expect(StatusCode::CREATED);
    let (site, main) =
        (server.existing("main", "").folder().to_owned(), server.existing("main", ""));
    let before = main.usage().await;
    spoil(&site.join("site.sqlite"));
    assert_ne!(main.usage().await["files"], 1);
    let message = async || -> Value {
        let path = "/api/v2/usage/recount";
        let job = ana.post(path, json!({})).await.expect(StatusCode::ACCEPTED).json();
        let path = format!("/api/v2/jobs/{}", job["id"].as_str().unwrap());
        for _ in 0..200 {
            let job = ana.get(&path).await.expect(StatusCode::OK).json();
            if job["state"] == "done" {
                return job["message"].clone();
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("it is not done");
    };
    assert_eq!(message().await, "files: -7 is now 1, tags: nothing is now 2");
    assert_eq!(message().await, "every counter was right");
    let mut after = main.usage().await;
    after.retain(|name, _| before.contains_key(name));
    assert_eq!(after, before);
}

#[test]
fn counters_are_mended_from_the_shell() {
    let shell = Shell::new();
    shell.ok("tenant create alice");
    assert_eq!(shell.ok("site recount --tenant alice").trim(), "every counter was right");
    spoil(&shell.data.join("tenants/alice/site.sqlite"));
    let mended = shell.ok("site recount --tenant alice");
    assert_eq!(mended.trim(), "files: -7 is now 0, tags: nothing is now 0");
}

#[tokio::test]
async fn the_operator_sees_what_waits_and_what_failed() {
    let (server, worker) = server_and_worker().await;
    let main = worker.main().await;
    let failed = jobs::add(&main, job(json!({ "do": "refuse" }))).await.unwrap();
    settled(&main, &failed, &["failed"]).await;
    for _ in 0..2 {
        jobs::add(&main, job(json!({})).after_ms(60_000)).await.unwrap();
    }
    server.running.tenants.visit_soon(&main.id).await.unwrap();
    worker::visit_due(&server.running.tenants).await.unwrap();
    let figures = server.operator_key(&[]).await.get("/api/operator/tenants/main/stats").await;
    let figures = figures.expect(StatusCode::OK).json();
    assert_eq!((&figures["jobs_waiting"], &figures["jobs_failed"]), (&json!(2), &json!(1)));
    let metrics = server.operator().get("/metrics").await.text();
    for line in [
        "vitrina_tenant_jobs{tenant=\"main\",state=\"waiting\"} 2",
        "vitrina_tenant_jobs{tenant=\"main\",state=\"failed\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} is missing in {metrics}");
    }
    worker.stop().await;
}
