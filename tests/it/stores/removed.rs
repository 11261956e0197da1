//! Sites that are removed while they have files in storages that do not answer, or while the server
//! dies.

use crate::{
    kit::{
        Client, TestServer, TestTenant, database, pictures,
        s3::{Fault, S3, SECRET},
    },
    storages::server,
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::path::PathBuf;
use vitrina::{
    base::secret::Key,
    tenancy::{DataDir, audit::By, rotate_key},
    worker,
};

const LEFTOVERS: &str = "/api/operator/leftovers";

/// A site with two items at S3.
async fn alice_of(server: &TestServer, s3: &S3) -> (TestTenant, Client) {
    let alice = server.tenant("alice", "alice.example").await;
    let admin = alice.admin().await;
    let made = admin.post("/api/v2/storages", s3.storage("Bucket", "")).await;
    made.expect(StatusCode::CREATED);
    for seed in 0..2 {
        admin.upload(pictures::photo_jpeg(300, 200, seed), "a.jpg").await;
    }
    assert_eq!(s3.keys().len(), 6);
    (alice, admin)
}

async fn purge(server: &TestServer, alice: &TestTenant) {
    server.running.tenants.purge(&By::command_line(), &alice.id).await.unwrap();
}

/// The folders of what sites left behind.
fn folders(server: &TestServer) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(server.data().join("tenants")).unwrap();
    let paths = entries.map(|e| e.unwrap().path());
    let is_left = |p: &PathBuf| p.file_name().unwrap().to_str().unwrap().starts_with(".left-");
    paths.filter(is_left).collect()
}

/// Everything is to be tried again at once.
async fn clear_now(server: &TestServer) {
    let control = database(&server.data().join("control.sqlite"));
    control.execute("UPDATE leftovers SET next_at = 0", []).unwrap();
    // The server may be at it at this moment.
    control.execute("DELETE FROM leases", []).unwrap();
    for folder in folders(server) {
        let site = database(&folder.join("site.sqlite"));
        site.execute("UPDATE removals SET next_at = 0", []).unwrap();
    }
    worker::clear_due(&server.running.tenants).await.unwrap();
}

async fn leftovers(server: &TestServer) -> Vec<Value> {
    let root = server.operator_key(&[]).await;
    let all = root.get(LEFTOVERS).await.expect(StatusCode::OK);
    assert!(!all.text().contains(SECRET));
    all.json()["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_storage_that_does_not_answer_holds_nothing_up() {
    let (server, _ana) = server().await;
    let s3 = S3::start().await;
    let (alice, _) = alice_of(&server, &s3).await;
    s3.fail(|_, _| Some(Fault::Status(403)));
    purge(&server, &alice).await;
    // Its names are free at once, and what it had on this machine is gone.
    let again = server.tenant("alice", "alice.example").await;
    again.admin().await.upload(pictures::photo_jpeg(300, 200, 5), "new.jpg").await;
    clear_now(&server).await;
    let left = leftovers(&server).await;
    assert_eq!(
        (left.len(), &left[0]["tenant"], &left[0]["files"]),
        (1, &json!("alice"), &json!(6))
    );
    let place = &left[0]["places"][0];
    assert_eq!((&place["name"], &place["place"]["bucket"]), (&json!("Bucket"), &json!("pictures")));
    assert!(left[0]["problem"].is_string(), "{left:?}");
    assert_eq!(crate::kit::files_under(&folders(&server)[0].join("media")).len(), 0);

    // Another key of the appliance's opens what the site's own key sealed.
    let server = server
        .restart_after(|data| {
            let data = DataDir::open(data, None).unwrap();
            let lock = data.lock().unwrap();
            rotate_key(data, &lock, &Key::random().unwrap()).unwrap();
        })
        .await;
    clear_now(&server).await;
    assert_eq!((leftovers(&server).await.len(), s3.keys().len()), (1, 6));
    s3.heal();
    clear_now(&server).await;
    assert_eq!((leftovers(&server).await.len(), s3.keys().len()), (0, 0));
    assert_eq!(folders(&server).len(), 0);
    let trail = server.running.tenants.audit(Some("alice".into()), None, 1).await.unwrap();
    assert_eq!(trail[0].action, "tenant.cleared");
    let again = server.existing("alice", "alice.example");
    assert_eq!(again.usage().await["files"], 1);
}

#[tokio::test]
async fn what_is_left_can_be_given_up() {
    let (server, _ana) = server().await;
    let s3 = S3::start().await;
    let (alice, _) = alice_of(&server, &s3).await;
    s3.fail(|_, _| Some(Fault::Status(403)));
    purge(&server, &alice).await;
    clear_now(&server).await;
    let id = leftovers(&server).await[0]["id"].as_str().unwrap().to_owned();
    let root = server.operator_key(&[]).await;
    let path = format!("{LEFTOVERS}/{id}");
    root.delete(&path).await.expect(StatusCode::NO_CONTENT);
    root.delete(&path).await.problem(404, "not_found");
    root.delete(&format!("{LEFTOVERS}/..%2f..")).await.problem(404, "not_found");
    assert!(leftovers(&server).await.is_empty() && folders(&server).is_empty());
    assert_eq!(s3.keys().len(), 6);
    let trail = server.running.tenants.audit(Some("alice".into()), None, 1).await.unwrap();
    assert_eq!((&*trail[0].action, &trail[0].detail["files"]), ("tenant.leave", &json!(6)));
}

#[tokio::test]
async fn a_crash_at_any_step_of_it_is_made_good() {
    for step in 0..3 {
        let (server, _ana) = server().await;
        let s3 = S3::start().await;
        let (alice, _) = alice_of(&server, &s3).await;
        let record = server.running.tenants.record(&alice.id).await.unwrap();
        let control = database(&server.data().join("control.sqlite"));
        // As a crash leaves it: announced; put aside; and put aside with a row that is gone.
        let announce = "INSERT INTO leftovers (id, tenant, record, sealed_key, removed_at, next_at)
            SELECT '8fKq2ZtP12', id, ?1, sealed_key, 0, 0 FROM tenants WHERE id = 'alice'";
        control.execute(announce, [serde_json::to_string(&record).unwrap()]).unwrap();
        control
            .execute(
                "UPDATE tenants SET status = 'deleting', delete_after = 0
            WHERE id = 'alice'",
                [],
            )
            .unwrap();
        let server = server
            .restart_after(|data| {
                let tenants = data.join("tenants");
                let aside = tenants.join(".left-8fKq2ZtP12");
                if step > 0 {
                    std::fs::rename(tenants.join("alice"), aside).unwrap();
                }
                if step > 1 {
                    control.execute("DELETE FROM tenants WHERE id = 'alice'", []).unwrap();
                    control.execute("UPDATE leftovers SET is_ready = 1", []).unwrap();
                }
            })
            .await;
        server.running.tenants.visit_soon(&alice.id).await.unwrap();
        worker::visit_due(&server.running.tenants).await.unwrap();
        server.running.tenants.record(&alice.id).await.unwrap_err();
        clear_now(&server).await;
        assert_eq!((s3.keys().len(), folders(&server).len()), (0, 0), "step {step}");
        assert!(server.running.tenants.leftovers().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_site_that_is_moved_away_leaves_nothing_in_its_storages() {
    let (server, _ana) = server().await;
    let s3 = S3::start().await;
    let (alice, admin) = alice_of(&server, &s3).await;
    let other = TestServer::start().await;
    let (from, to) = (&server.running.tenants, &other.running.tenants);
    let media = admin.get("/api/v2/media").await.json()["items"].clone();
    let by = By::command_line();
    let none = vitrina::transfer::Listener::none();
    vitrina::transfer::relocate::relocate(from, to, &by, &alice.id, &none).await.unwrap();
    clear_now(&server).await;
    assert_eq!(s3.keys(), [""; 0]);
    for item in media.as_array().unwrap() {
        let there = other.visitor("alice.example");
        super::original(&there, item).await.expect(StatusCode::OK);
    }
}
