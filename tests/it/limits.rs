//! What a site may have: which of the sources counts, and that nobody gets past a limit, not even
//! fifty at once.

use crate::kit::{Answer, Client, TestServer, TestTenant, path_of, pictures};
use reqwest::StatusCode;
use serde_json::{Map, Value, json};
use std::time::Duration;
use vitrina::{
    accounts::{Role, users},
    base::{Clock, Error, secret::Secret},
    tenancy::{
        lifecycle::{TenantEdit, TrialSpec},
        provision::NewTenant,
    },
};

const MORE: &str = "https://host.example/more";

/// Insists on a refusal that says which limit it was, how much it allows, and where more is.
#[track_caller]
fn is_over(answer: &Answer, limit: &str, allowed: u64) {
    let problem = answer.problem(403, "limit_reached");
    assert_eq!((&problem["limit"], &problem["allowed"]), (&json!(limit), &json!(allowed)));
    assert_eq!(problem["upgrade_url"], MORE, "{problem}");
}

/// A site on a plan with these limits, and its admin.
async fn on_plan(server: &TestServer, words: &str) -> (TestTenant, Client) {
    server.plan("small", words).await;
    let new = NewTenant {
        id: "alice".to_owned(),
        hostnames: vec!["alice.example".to_owned()],
        plan: Some("small".to_owned()),
        ..NewTenant::default()
    };
    let alice = server.tenant_with(new).await;
    let admin = alice.admin().await;
    (alice, admin)
}

async fn upload(admin: &Client, n: u32) -> Answer {
    admin.upload_with(pictures::png(10 + n, 8, false), &format!("{n}.png"), &[]).await
}

/// So many distinct uploads at once; how many were taken, and the other answers.
async fn all_at_once(admin: &Client, uploads: u32) -> (usize, Vec<Answer>) {
    let tasks: Vec<_> = (0..uploads)
        .map(|n| {
            let admin = admin.clone();
            tokio::spawn(async move { upload(&admin, n).await })
        })
        .collect();
    let (mut taken, mut refused) = (0, Vec::new());
    for task in tasks {
        match task.await.unwrap() {
            answer if answer.status == StatusCode::CREATED => taken += 1,
            answer => refused.push(answer),
        }
    }
    (taken, refused)
}

fn trial(ends_in_ms: i64, limits: &str) -> TenantEdit {
    let limits: Map<String, Value> = serde_json::from_str(limits).unwrap();
    let ends_at = Some(Clock::now().plus_ms(ends_in_ms));
    let spec = TrialSpec { ends_at, limits, ..TrialSpec::default() };
    TenantEdit { trial: Some(Some(spec)), ..TenantEdit::default() }
}

#[tokio::test]
async fn the_strongest_source_is_in_effect_and_a_trial_ends_by_itself() {
    let server = TestServer::with(&[("enforce", "max_tags=2,url_upload=off")]).await;
    let (alice, admin) = on_plan(&server, "max_items_per_page=1 max_tags=9").await;
    for n in 0..5 {
        upload(&admin, n).await.expect(StatusCode::CREATED);
    }
    let shown = async || {
        let list = admin.get("/api/v2/media?limit=50").await.expect(StatusCode::OK).json();
        list["items"].as_array().unwrap().len()
    };
    assert_eq!(shown().await, 1);
    alice.allow("max_items_per_page=2 url_upload=on").await;
    assert_eq!(shown().await, 2);
    alice.edit(trial(2_500, r#"{ "max_items_per_page": 4 }"#)).await;
    assert_eq!(shown().await, 4);
    tokio::time::sleep(Duration::from_millis(2_600)).await;
    assert_eq!(shown().await, 2);
    alice.allow("max_items_per_page=-").await;
    assert_eq!(shown().await, 1);
    alice.edit(TenantEdit { plan: Some(None), ..TenantEdit::default() }).await;
    assert_eq!(shown().await, 5);
    // What the operator enforces, no plan and no site overrides.
    alice.allow("max_tags=100 url_upload=on").await;
    alice.edit(trial(60_000, r#"{ "max_tags": 50 }"#)).await;
    let tags = [("tags", "a, b, c")];
    let answer = admin.upload_with(pictures::png(90, 9, false), "t.png", &tags).await;
    assert_eq!(answer.problem(403, "limit_reached")["allowed"], 2);
    let by_url = admin.post("/api/v2/media", json!({ "url": "https://a.example/x.png" })).await;
    assert_eq!(by_url.problem(403, "feature_off")["limit"], "url_upload");
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_uploads_at_once_do_not_pass_a_limit_of_ten() {
    let server = TestServer::start().await;
    let (alice, admin) = on_plan(&server, "max_files=10").await;
    let (taken, refused) = all_at_once(&admin, 50).await;
    assert_eq!(taken, 10);
    for answer in &refused {
        is_over(answer, "max_files", 10);
    }
    assert_eq!((refused.len(), alice.usage().await["files"]), (40, 10));
    assert_eq!(alice.files().len(), 30, "each item has three files, and nothing else lies there");
    // Who makes room has room; the trash is no room.
    let list = admin.get("/api/v2/media").await.json();
    let path = format!("/api/v2/media/{}", list["items"][0]["id"].as_str().unwrap());
    admin.delete(&path).await.expect(StatusCode::NO_CONTENT);
    is_over(&upload(&admin, 60).await, "max_files", 10);
    admin.delete(&format!("{path}?permanent=true")).await.expect(StatusCode::NO_CONTENT);
    upload(&admin, 60).await.expect(StatusCode::CREATED);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_and_variants_are_counted_with_the_rows() {
    let server = TestServer::start().await;
    let (alice, admin) = on_plan(&server, "max_variants_rendered_month=9").await;
    let (taken, refused) = all_at_once(&admin, 20).await;
    assert_eq!(taken, 4, "two variants each");
    for answer in &refused {
        is_over(answer, "max_variants_rendered_month", 9);
    }
    let used = alice.usage().await;
    assert_eq!((used["variants_rendered_month"], used["files"]), (8, 4));
    let on_disk: u64 = alice.files().iter().map(|f| f.metadata().unwrap().len()).sum();
    assert_eq!(used["bytes_stored"], on_disk);

    let most = on_disk * 5 / 2;
    alice.allow(&format!("max_variants_rendered_month=100000 max_bytes_stored={most}")).await;
    let (taken, refused) = all_at_once(&admin, 30).await;
    assert!(taken >= 2, "{taken}");
    let over = refused.iter().filter(|a| a.status != StatusCode::OK);
    assert!(over.clone().count() >= 15);
    over.for_each(|answer| is_over(answer, "max_bytes_stored", most));
    let used = alice.usage().await["bytes_stored"];
    assert!(used <= most, "{used} of {most}");
    let on_disk: u64 = alice.files().iter().map(|f| f.metadata().unwrap().len()).sum();
    assert_eq!(used, on_disk);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_counted_by_their_roles() {
    let server = TestServer::start().await;
    let (alice, _admin) = on_plan(&server, "max_users=4 max_admins=1 max_managers=1").await;
    let tenant = alice.open().await;
    let join = async |name: &str, role| {
        let email = format!("{name}@example.org");
        let new = users::NewUser::parse(name, &email, Secret::new("correct horse"), role);
        users::create(&tenant, new.await.unwrap()).await
    };
    let over = |made: Result<_, Error>| match made {
        Err(Error::LimitReached { limit, .. }) => limit,
        other => panic!("{other:?}"),
    };
    assert_eq!(over(join("eve", Role::Admin).await), "max_admins");
    join("mia", Role::Manager).await.unwrap();
    assert_eq!(over(join("max", Role::Manager).await), "max_managers");
    let racers = ["user1", "user2", "user3", "user4", "user5"].map(|name| join(name, Role::User));
    let made = futures_util::future::join_all(racers).await;
    assert_eq!(made.iter().filter(|m| m.is_ok()).count(), 2);
    let refused = made.into_iter().filter(Result::is_err);
    assert!(refused.map(over).all(|limit| limit == "max_users"));
    let used = alice.usage().await;
    assert_eq!((used["users"], used["admins"], used["managers"]), (4, 1, 1));
}

#[tokio::test]
async fn tags_are_bounded_and_an_edit_that_adds_none_passes() {
    let server = TestServer::start().await;
    let (alice, admin) = on_plan(&server, "max_tags=4 max_tags_per_item=3").await;
    let tagged = async |n: u32, tags: &str| {
        admin.upload_with(pictures::png(n, 8, false), "a.png", &[("tags", tags)]).await
    };
    let files = alice.files().len();
    is_over(&tagged(11, "a, b, c, d").await, "max_tags_per_item", 3);
    assert_eq!(alice.files().len(), files);
    let first = tagged(12, "a, b, c").await.expect(StatusCode::CREATED).json();
    is_over(&tagged(13, "d, e").await, "max_tags", 4);
    assert_eq!(alice.files().len(), 3, "what is refused leaves nothing");
    let second = tagged(14, "c, d").await.expect(StatusCode::CREATED).json();
    assert_eq!(alice.usage().await["tags"], 4);
    let edit = async |media: &Value, body: Value| {
        admin.patch(&format!("/api/v2/media/{}", media["id"].as_str().unwrap()), body).await
    };
    is_over(&edit(&second, json!({ "tags": ["c", "d", "e"] })).await, "max_tags", 4);
    is_over(&edit(&second, json!({ "tags": ["a", "b", "c", "d"] })).await, "max_tags_per_item", 3);
    // `d` goes as `e` comes: no more than before.
    edit(&second, json!({ "tags": ["c", "e"] })).await.expect(StatusCode::OK);
    // The limits shrink under what is there: nothing is lost, and nothing is added.
    alice.allow("max_tags=1 max_tags_per_item=1").await;
    edit(&first, json!({ "title": "still here" })).await.expect(StatusCode::OK);
    edit(&first, json!({ "tags": ["a", "b", "c"] })).await.expect(StatusCode::OK);
    edit(&first, json!({ "tags": ["a", "b"] })).await.expect(StatusCode::OK);
    is_over(&edit(&first, json!({ "tags": ["a", "b", "c"] })).await, "max_tags_per_item", 1);
    is_over(&edit(&second, json!({ "tags": ["c", "e", "new"] })).await, "max_tags_per_item", 1);
    // One comes and two go.
    edit(&second, json!({ "tags": ["new"] })).await.expect(StatusCode::OK);
    assert_eq!(alice.usage().await["tags"], 3);
}

#[tokio::test]
async fn one_file_may_be_so_large_and_no_larger() {
    let server = TestServer::start().await;
    let png = pictures::png(300, 200, false);
    let (alice, admin) = on_plan(&server, &format!("max_upload_bytes={}", png.len() - 1)).await;
    let answer = admin.upload_with(png.clone(), "a.png", &[]).await;
    answer.problem(413, "too_large");
    assert!(alice.files().is_empty());
    alice.allow(&format!("max_upload_bytes={}", png.len())).await;
    admin.upload(png, "a.png").await;
}

/// Waits for the beginning of a minute where too little is left of this one.
async fn minute_with(seconds: i64) {
    let now_ms = Clock::now().0 % 60_000;
    if now_ms > 60_000 - seconds * 1000 {
        let left = u64::try_from(60_000 - now_ms).unwrap();
        tokio::time::sleep(Duration::from_millis(left + 50)).await;
    }
}

#[tokio::test]
async fn programs_are_slowed_down_and_people_are_not() {
    let server = TestServer::start().await;
    let (alice, admin) = on_plan(&server, "max_api_requests_minute=20").await;
    let person = alice.sign_in("ana").await;
    minute_with(15).await;
    for _ in 0..20 {
        admin.get("/api/v2/session").await.expect(StatusCode::OK);
    }
    let slowed = admin.get("/api/v2/session").await;
    let problem = slowed.problem(429, "limit_reached");
    assert_eq!(
        (&problem["limit"], &problem["allowed"]),
        (&json!("max_api_requests_minute"), &json!(20))
    );
    let wait: u64 = slowed.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    person.get("/api/v2/session").await.expect(StatusCode::OK);
    alice.guest().get("/api/v2/site").await.expect(StatusCode::OK);
    let bob = server.tenant("bob", "bob.example").await;
    bob.admin().await.get("/api/v2/session").await.expect(StatusCode::OK);
}

#[tokio::test]
async fn bytes_are_handed_out_until_the_month_is_used_up() {
    let server = TestServer::start().await;
    let (alice, admin) = on_plan(&server, "max_files=9").await;
    let media = admin.upload(pictures::photo_jpeg(200, 100, 3), "a.jpg").await;
    let size = media["bytes"].as_u64().unwrap();
    let path = path_of(&media["urls"]["original"]);
    let most = size * 2 + 100;
    alice.allow(&format!("max_bytes_served_month={most}")).await;
    let guest = alice.guest();
    let whole = guest.get(&path).await.expect(StatusCode::OK);
    for _ in 0..10 {
        guest.head(&path).await.expect(StatusCode::OK);
        let etag = guest.with_header("if-none-match", whole.header("etag"));
        etag.get(&path).await.expect(StatusCode::NOT_MODIFIED);
    }
    let part = guest.with_header("range", "bytes=0-99");
    part.get(&path).await.expect(StatusCode::PARTIAL_CONTENT);
    guest.get(&path).await.expect(StatusCode::OK);
    is_over(&part.get(&path).await, "max_bytes_served_month", most);
    is_over(&guest.get(&path).await, "max_bytes_served_month", most);
    guest.head(&path).await.expect(StatusCode::OK);
    alice.open().await.flush().await.unwrap();
    assert_eq!(alice.usage().await["bytes_served_month"], most);
    is_over(&part.get(&path).await, "max_bytes_served_month", most);
    alice.allow(&format!("max_bytes_served_month={}", most + 100)).await;
    part.get(&path).await.expect(StatusCode::PARTIAL_CONTENT);
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_at_once_do_not_pass_the_bytes_of_the_month() {
    let server = TestServer::start().await;
    let (alice, admin) = on_plan(&server, "max_files=9").await;
    let media = admin.upload(pictures::png(64, 64, false), "a.png").await;
    let (size, path) = (media["bytes"].as_u64().unwrap(), path_of(&media["urls"]["original"]));
    alice.allow(&format!("max_bytes_served_month={}", size * 10)).await;
    let tenant = alice.open().await;
    // The counter is written down all the while.
    let flushing = tokio::spawn(async move {
        for _ in 0..200 {
            tenant.flush().await.unwrap();
        }
    });
    let asks = (0..60).map(|_| {
        let (guest, path) = (alice.guest(), path.clone());
        tokio::spawn(async move { guest.get(&path).await.status })
    });
    let mut served = 0;
    for ask in asks.collect::<Vec<_>>() {
        served += usize::from(ask.await.unwrap() == StatusCode::OK);
    }
    flushing.await.unwrap();
    assert_eq!(served, 10);
    alice.open().await.flush().await.unwrap();
    assert_eq!(alice.usage().await["bytes_served_month"], size * 10);
}

#[tokio::test]
async fn what_is_switched_off_is_off() {
    let server = TestServer::start().await;
    let (alice, admin) = on_plan(&server, "api=off").await;
    let person = alice.sign_in("ana").await;
    let off = admin.get("/api/v2/session").await.problem(403, "feature_off");
    assert_eq!((&off["limit"], &off["upgrade_url"]), (&json!("api"), &json!(MORE)));
    person.get("/api/v2/session").await.expect(StatusCode::OK);
    let png = pictures::png(10, 10, false);
    person.upload(png.clone(), "a.png").await;
    alice.allow("api=on local_storage=off").await;
    let off = admin.upload_with(png, "b.png", &[("allow_duplicate", "true")]).await;
    assert_eq!(off.problem(403, "feature_off")["limit"], "local_storage");
    alice.allow("local_storage=- url_upload=off").await;
    let by_url = admin.post("/api/v2/media", json!({ "url": "https://a.example/x.png" })).await;
    assert_eq!(by_url.problem(403, "feature_off")["limit"], "url_upload");
    assert_eq!(alice.files().len(), 3);
}
