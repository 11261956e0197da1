//! Killed in mid-upload and started again: nothing acknowledged is lost, nothing is left.

use crate::{
    cli::{Serving, create_user},
    kit::{Client, pictures},
};
use reqwest::{StatusCode, multipart};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

const UPLOADS: usize = 200;
const PATIENCE: Duration = Duration::from_secs(20);

/// Uploads until the server is gone, and keeps what was acknowledged.
async fn upload_all(ana: Client, next: Arc<AtomicUsize>, kept: Arc<Mutex<Vec<serde_json::Value>>>) {
    loop {
        let n = next.fetch_add(1, Ordering::Relaxed);
        if n >= UPLOADS {
            return;
        }
        let bytes = pictures::photo_jpeg(400, 300, n as u64);
        let part = multipart::Part::bytes(bytes).file_name(format!("{n}.jpg"));
        let form = multipart::Form::new().part("file", part);
        let request = ana.request(reqwest::Method::POST, "/api/v2/media").multipart(form);
        let Ok(response) = request.send().await else { return };
        let status = response.status();
        let Ok(media) = response.json().await else { return };
        assert_eq!(status, StatusCode::CREATED, "{media}");
        kept.lock().unwrap().push(media);
    }
}

#[test]
fn killing_the_server_in_mid_upload_loses_nothing_and_leaves_nothing() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut server = Serving::start(&data);
    let token = create_user(&data, "ana");
    let (next, kept) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    while next.load(Ordering::Relaxed) < UPLOADS {
        let ana = Client::new(&server.url).with_token(&token);
        let workers: Vec<_> = (0..6)
            .map(|_| runtime.spawn(upload_all(ana.clone(), next.clone(), kept.clone())))
            .collect();
        // In the middle of the work, however long a busy machine takes to get there.
        let (before, began) = (kept.lock().unwrap().len(), Instant::now());
        while kept.lock().unwrap().len() < before + 20 && began.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(20));
        }
        // SIGKILL: no goodbye, no flush.
        server.child.kill().unwrap();
        server.child.wait().unwrap();
        runtime.block_on(async {
            for worker in workers {
                worker.await.unwrap();
            }
        });
        server = Serving::start(&data);
    }
    let ana = Client::new(&server.url).with_token(&token);
    let kept = kept.lock().unwrap();
    assert!(kept.len() > UPLOADS / 4, "only {} uploads were acknowledged", kept.len());
    runtime.block_on(check(&ana, &kept, &data));
}

async fn check(ana: &Client, kept: &[serde_json::Value], data: &std::path::Path) {
    for media in kept {
        for name in ["original", "medium", "thumb"] {
            // The port is another one since.
            let url = media["urls"][name].as_str().unwrap();
            let path = &url[url.find("/f/").unwrap()..];
            let bytes = ana.get(path).await.expect(StatusCode::OK).body;
            assert!(image::load_from_memory(&bytes).is_ok(), "{path}");
        }
    }
    // Every folder has its row and every row its folder.
    let mut rows = std::collections::BTreeSet::new();
    let mut path = "/api/v2/media?owner=me&limit=100".to_owned();
    loop {
        let page = ana.get(&path).await.expect(StatusCode::OK).json();
        let ids =
            page["items"].as_array().unwrap().iter().map(|m| m["id"].as_str().unwrap().to_owned());
        rows.extend(ids);
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v2/media?owner=me&limit=100&after={next}");
    }
    let media = data.join("tenants/main/media");
    let files = crate::kit::files_under(&media);
    let folders = files.iter().map(|f| {
        let folder = f.parent().unwrap().file_name().unwrap();
        folder.to_str().unwrap().rsplit('-').next().unwrap().to_owned()
    });
    assert_eq!(folders.collect::<std::collections::BTreeSet<_>>(), rows);
    assert_eq!(files.len(), rows.len() * 3);
    assert!(crate::kit::files_under(&data.join("tenants/main/incoming")).is_empty());
}
