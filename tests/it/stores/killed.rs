//! A server that is killed while it works on a storage elsewhere: nothing acknowledged is lost,
//! nothing refused is kept, and every orphan is swept.

use super::item;
use crate::{
    cli::{Serving, create_user},
    kit::{
        Client, files_under, films, pictures,
        s3::{Fault, S3},
    },
    moving::{all, files, migrate},
    storages::at,
};
use poem::http::Method;
use reqwest::{StatusCode, multipart};
use serde_json::{Value, json};
use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{runtime::Runtime, time::sleep};

/// A real server, which keeps new items at S3, and is killed and started again.
struct Killed {
    runtime: Runtime,
    s3: S3,
    data: PathBuf,
    token: String,
    server: Option<Serving>,
    _dir: tempfile::TempDir,
}

impl Killed {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let token = create_user(&data, "ana");
        let s3 = runtime.block_on(S3::start());
        let mut killed = Self { runtime, s3, data, token, server: None, _dir: dir };
        killed.start_again();
        killed
    }

    /// SIGKILL: no goodbye, no flush.
    fn start_again(&mut self) {
        drop(self.server.take());
        let settings = [("VITRINA_STORAGE_ALLOW", "127.0.0.0/8"), ("VITRINA_FFMPEG", "off")];
        self.server = Some(Serving::start_set(&self.data, &settings));
    }

    fn kill(&mut self) {
        drop(self.server.take());
    }

    fn ana(&self) -> Client {
        Client::new(&self.server.as_ref().unwrap().url).with_token(&self.token)
    }

    async fn add_bucket(&self, priority: u64) {
        let mut wanted = self.s3.storage("Bucket", "");
        wanted["priority"] = json!(priority);
        self.ana().post("/api/v2/storages", wanted).await.expect(StatusCode::CREATED);
    }

    /// Has what is to be removed tried at once: with the next thing that somebody removes.
    async fn remove_now(&self) {
        let ana = self.ana();
        let media = ana.upload(pictures::plain_png(9, 9, [1, 2, 3]), "last.png").await;
        ana.delete(&format!("{}?permanent=true", item(&media))).await;
    }

    /// Waits until nothing lies anywhere but the files of these items, each of which has so many.
    async fn until_only(&self, items: usize, files: usize, here: usize) {
        let left = || {
            let tenant = self.data.join("tenants/main");
            let local = files_under(&tenant.join("media")).len();
            let incoming = files_under(&tenant.join("incoming")).len();
            (self.s3.keys().len(), local, incoming, self.s3.parts())
        };
        for _ in 0..100 {
            self.remove_now().await;
            if left() == (items * files, here, 0, 0) {
                return;
            }
            sleep(Duration::from_millis(100)).await;
        }
        panic!("{:?} instead of {items} items: {:#?}", left(), self.s3.keys());
    }
}

fn slow(killed: &Killed, slow: Method, ms: u64) {
    killed
        .s3
        .fail(move |method, _| (*method == slow).then_some(Fault::Slow(Duration::from_millis(ms))));
}

async fn upload(ana: &Client, bytes: Vec<u8>, name: String) -> Option<Value> {
    let part = multipart::Part::bytes(bytes).file_name(name);
    let form = multipart::Form::new().part("file", part);
    let answer = ana.request(Method::POST, "/api/v2/media").multipart(form).send().await.ok()?;
    let status = answer.status();
    let media: Value = answer.json().await.ok()?;
    assert_eq!(status, StatusCode::CREATED, "{media}");
    Some(media)
}

async fn listed(ana: &Client) -> Vec<Value> {
    let page = ana.get("/api/v2/media?owner=me&limit=100").await.expect(StatusCode::OK).json();
    assert!(page["next"].is_null(), "more than a page");
    page["items"].as_array().unwrap().clone()
}

#[test]
fn in_the_middle_of_an_upload() {
    let mut killed = Killed::start();
    let s3_ready = killed.add_bucket(1);
    killed.runtime.block_on(s3_ready);
    slow(&killed, Method::PUT, 60);
    let kept: Arc<Mutex<Vec<Value>>> = Arc::default();
    let next = Arc::new(AtomicUsize::new(0));
    for round in 0..3_u64 {
        let workers: Vec<_> = (0..3)
            .map(|worker| {
                let (ana, kept, next) = (killed.ana(), kept.clone(), next.clone());
                killed.runtime.spawn(async move {
                    loop {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        // Long enough to go in parts, or a picture with its variants.
                        let (bytes, name) = match worker {
                            0 => (films::wav_of(48_000, 100 + n as u32, &[]), format!("{n}.wav")),
                            _ => (pictures::photo_jpeg(400, 300, n as u64), format!("{n}.jpg")),
                        };
                        match upload(&ana, bytes, name).await {
                            Some(media) => kept.lock().unwrap().push(media),
                            None => return,
                        }
                    }
                })
            })
            .collect();
        let began = kept.lock().unwrap().len();
        for _ in 0..400 {
            if kept.lock().unwrap().len() > began + 3 {
                break;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        std::thread::sleep(Duration::from_millis(70 * round));
        killed.kill();
        killed.runtime.block_on(async {
            for worker in workers {
                worker.await.unwrap();
            }
        });
        killed.start_again();
    }
    killed.s3.heal();
    let (ana, kept) = (killed.ana(), kept.lock().unwrap().clone());
    assert!(kept.len() >= 6, "{}", kept.len());
    killed.runtime.block_on(async {
        for media in &kept {
            let whole = super::original(&ana, media).await.expect(StatusCode::OK);
            assert_eq!(whole.body.len() as u64, media["bytes"].as_u64().unwrap());
        }
        // A committed item whose answer was cut off is whole too.
        let items = listed(&ana).await;
        let mut expected = 0;
        for media in &items {
            let media = ana.get(&item(media)).await.expect(StatusCode::OK).json();
            let urls = media["urls"].as_object().unwrap();
            for kind in ["original", "medium", "thumb", "poster"] {
                if let Some(url) = urls.get(kind).filter(|url| url.is_string()) {
                    ana.get(&crate::kit::path_of(url)).await.expect(StatusCode::OK);
                    expected += 1;
                }
            }
        }
        killed.until_only(1, expected, 0).await;
    });
}

#[test]
fn in_the_middle_of_a_migration() {
    let mut killed = Killed::start();
    let (items, before) = killed.runtime.block_on(async {
        let ana = killed.ana();
        let mut items = Vec::new();
        for n in 0..12 {
            items.push(ana.upload(pictures::photo_jpeg(400, 300, n), "a.jpg").await);
        }
        killed.add_bucket(200).await;
        (items.clone(), files(&ana, &items).await)
    });
    slow(&killed, Method::PUT, 40);
    for (round, (from, to)) in
        [("This server", "Bucket"), ("This server", "Bucket"), ("Bucket", "This server")]
            .into_iter()
            .enumerate()
    {
        killed.runtime.block_on(async {
            let ana = killed.ana();
            let all = all(&ana).await;
            let path = format!("{}/migration", at(&all[from]));
            let started = ana.post(&path, json!({ "to": all[to]["id"] })).await;
            started.expect(StatusCode::ACCEPTED);
            sleep(Duration::from_millis(250 + 130 * round as u64)).await;
        });
        killed.start_again();
    }
    killed.s3.heal();
    killed.runtime.block_on(async {
        let ana = killed.ana();
        // Whatever the last ones began comes to its end, either way.
        migrate(&ana, "This server", "Bucket").await;
        migrate(&ana, "Bucket", "This server").await;
        let job = migrate(&ana, "This server", "Bucket").await;
        assert_eq!(job["state"], "done", "{job}");
        assert_eq!(files(&ana, &items).await, before);
        killed.until_only(items.len(), 3, 0).await;
    });
}

#[test]
fn in_the_middle_of_a_purge() {
    let mut killed = Killed::start();
    let items = killed.runtime.block_on(async {
        killed.add_bucket(1).await;
        let (ana, mut items) = (killed.ana(), Vec::new());
        for n in 0..12 {
            items.push(ana.upload(pictures::photo_jpeg(300, 200, n), "a.jpg").await);
        }
        items
    });
    slow(&killed, Method::DELETE, 150);
    let (gone, kept) = items.split_at(8);
    for some in gone.chunks(4) {
        killed.runtime.block_on(async {
            for media in some {
                let (ana, path) = (killed.ana(), format!("{}?permanent=true", item(media)));
                // Nobody waits for the answer.
                tokio::spawn(async move { ana.request(Method::DELETE, &path).send().await });
            }
            sleep(Duration::from_millis(350)).await;
        });
        killed.start_again();
    }
    killed.s3.heal();
    killed.runtime.block_on(async {
        let ana = killed.ana();
        let there = listed(&ana).await;
        for media in kept {
            assert!(there.iter().any(|item| item["id"] == media["id"]));
        }
        files(&ana, kept).await;
        files(&ana, &there).await;
        killed.until_only(there.len(), 3, 0).await;
    });
}
