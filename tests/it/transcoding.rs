//! Films that are worked on in the background: previews, and encodings for every browser.

use crate::kit::{
    Client, TestServer, database,
    ffmpeg::{PICTURE, SOUND, asked, impostor, is_here, is_running, make},
    files_under, films as f, path_of,
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, time::Duration};

/// The newest job about an item, as soon as it is over.
async fn job_of(who: &Client, media: &Value) -> Value {
    for _ in 0..600 {
        let jobs = who.get("/api/v2/jobs?kind=transcode").await.json();
        let all = jobs["items"].as_array().unwrap();
        let job = all.iter().find(|job| job["media_id"] == media["id"]);
        if let Some(job) =
            job.filter(|job| !["waiting", "running"].contains(&job["state"].as_str().unwrap()))
        {
            return job.clone();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no job is over");
}

async fn with_settings(server: &TestServer, settings: Value) -> Client {
    let ana = server.admin().await;
    ana.patch("/api/v2/site/settings", settings).await.expect(StatusCode::OK);
    ana
}

async fn again(who: &Client, media: &Value) -> Value {
    who.get(&format!("/api/v2/media/{}", media["id"].as_str().unwrap())).await.json()
}

/// Four seconds with sound, in an encoding that no browser plays.
fn film() -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let old = format!("{PICTURE} {SOUND} -c:v mpeg4 -c:a pcm_s16le");
    fs::read(make(dir.path(), "old.mov", &old)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_gets_a_preview_and_an_encoding_for_every_browser() {
    if !is_here() {
        return;
    }
    let server = TestServer::start().await;
    let ana =
        with_settings(&server, json!({ "video_rendition": "mp4", "video_max_lines": 120 })).await;
    let media = ana.upload(film(), "old.mov").await;
    assert_eq!(media["av"]["sources"], json!([]));
    let job = job_of(&ana, &media).await;
    assert_eq!((&job["state"], &job["done"]), (&json!("done"), &job["total"]), "{job}");
    assert_eq!(job["total"], 8_000);
    let media = again(&ana, &media).await;
    let source = &media["av"]["sources"][0];
    assert_eq!((&source["name"], &source["mime"]), (&json!("mp4"), &json!("video/mp4")));
    assert_eq!((&source["width"], &source["height"]), (&json!(214), &json!(120)));
    let get = async |url: &Value| server.guest().get(&path_of(url)).await.expect(StatusCode::OK);
    let file = get(&source["url"]).await;
    assert_eq!(json!(file.body.len()), source["bytes"]);
    let at = |kind: &[u8]| file.body.windows(4).position(|four| four == kind).unwrap();
    assert!(at(b"moov") < at(b"mdat"), "a player would have to load all of it first");
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("made.mp4"), &file.body).unwrap();
    let made = asked(&dir.path().join("made.mp4"));
    let codecs: BTreeSet<_> = made["streams"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["codec_name"].as_str().unwrap())
        .collect();
    assert_eq!(codecs, BTreeSet::from(["aac", "h264"]));

    let preview = &media["av"]["preview"];
    let picture = image::load_from_memory(&get(&preview["image"]).await.body).unwrap();
    assert_eq!((picture.width(), picture.height()), (640, 90));
    let track = get(&preview["track"]).await;
    assert_eq!(track.header("content-type"), "text/vtt");
    let name = path_of(&preview["image"]).rsplit('/').next().unwrap().to_owned();
    assert!(
        track.text().contains(&format!("00:00:03.000 --> 00:00:04.000\n{name}#xywh=480,0,160,90"))
    );

    // Made anew, the new ones take the place of the old ones; all of them are counted, and go with
    // the item.
    let path = format!("/api/v2/media/{}", media["id"].as_str().unwrap());
    let files = server.stored_files();
    ana.post(&format!("{path}/transcoding"), json!({})).await.expect(StatusCode::ACCEPTED);
    for _ in 0..300 {
        let now = again(&ana, &media).await;
        if now["av"]["sources"][0]["url"] != source["url"]
            && now["av"]["sources"][0]["url"].is_string()
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_ne!(again(&ana, &media).await["av"]["sources"][0]["url"], source["url"]);
    assert_eq!(job_of(&ana, &media).await["state"], "done");
    assert_eq!((server.stored_files(), server.leftovers()), (files, 0));
    let folder = server.data().join("tenants/main/media");
    let on_disk: u64 = files_under(&folder).iter().map(|f| f.metadata().unwrap().len()).sum();
    let db = database(&server.data().join("tenants/main/site.sqlite"));
    let amount = "SELECT amount FROM usage WHERE name = 'bytes_stored'";
    let counted = || db.query_row(amount, [], |r| r.get::<_, i64>(0)).unwrap().unsigned_abs();
    assert_eq!(counted(), on_disk);
    ana.delete(&format!("{path}?permanent=true")).await.expect(StatusCode::NO_CONTENT);
    assert_eq!((counted(), server.stored_files()), (0, 0));
}

/// The files that a playlist names.
fn named(list: &str) -> BTreeSet<String> {
    let quoted = list.lines().filter_map(|line| line.split_once("URI=\"")?.1.split_once('"'));
    let lines = list.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    quoted.map(|(file, _)| file.to_owned()).chain(lines.map(str::to_owned)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_see_a_film_may_play_all_its_pieces_and_nobody_else() {
    if !is_here() {
        return;
    }
    let server = TestServer::start().await;
    let settings = json!({ "video_rendition": "hls", "video_preview": false });
    let ana = with_settings(&server, settings).await;
    let dir = tempfile::tempdir().unwrap();
    let arguments =
        "-f lavfi -i testsrc=s=854x480:r=25:d=9 -f lavfi -i sine=440:d=9 -c:v mpeg4 -c:a aac";
    let film = fs::read(make(dir.path(), "a.mp4", arguments)).unwrap();
    let media = ana.upload_with(film, "a.mp4", &[("visibility", "private")]).await.json();
    assert_eq!(job_of(&ana, &media).await["state"], "done");
    let media = again(&ana, &media).await;
    let source = &media["av"]["sources"][0];
    assert_eq!((&source["name"], &source["width"]), (&json!("hls"), &json!(854)));
    let master = path_of(&source["url"]);
    let folder = master.rsplit_once('/').unwrap().0;

    let list = ana.get(&master).await.expect(StatusCode::OK);
    assert_eq!(list.header("content-type"), "application/vnd.apple.mpegurl");
    let rungs = named(&list.text());
    assert_eq!(rungs.len(), 2, "{}", list.text());
    let mut all = rungs.clone();
    for rung in &rungs {
        let list = ana.get(&format!("{folder}/{rung}")).await.expect(StatusCode::OK).text();
        assert!(list.matches("#EXTINF").count() >= 2, "{list}");
        assert!(list.contains("#EXT-X-ENDLIST") && list.contains("BYTERANGE"), "{list}");
        all.extend(named(&list));
    }
    assert_eq!(all.len(), 4);
    for file in &all {
        let path = format!("{folder}/{file}");
        ana.get(&path).await.expect(StatusCode::OK);
        server.guest().get(&path).await.problem(404, "not_found");
    }
    server.guest().get(&master).await.problem(404, "not_found");

    // Whoever has a signed address of the list has one of every piece, and no other.
    let wanted = json!({ "variant": "hls", "expires_in": 60_000 });
    let path = format!("/api/v2/media/{}/signed-url", media["id"].as_str().unwrap());
    let signed = path_of(&ana.post(&path, wanted).await.expect(StatusCode::CREATED).json()["url"]);
    let list = server.guest().get(&signed).await.expect(StatusCode::OK);
    assert_eq!(list.header("cache-control"), "private, no-cache");
    let mut pieces = BTreeSet::new();
    for rung in named(&list.text()) {
        assert!(rung.contains("?expires=") && rung.contains("&signature="), "{rung}");
        let list = server.guest().get(&format!("{folder}/{rung}")).await.expect(StatusCode::OK);
        pieces.extend(named(&list.text()));
        let forged = rung.replace("hls_240", "hls_480").replace("signature=", "signature=x");
        server.guest().get(&format!("{folder}/{forged}")).await.problem(403, "bad_signature");
    }
    for piece in &pieces {
        let part = server.guest().with_header("range", "bytes=0-99");
        let part = part.get(&format!("{folder}/{piece}")).await;
        assert_eq!(part.status, StatusCode::PARTIAL_CONTENT);
    }
    // A player that knows nothing but the address plays it to its end.
    let played = asked(std::path::Path::new(&format!("{}{signed}", server.running.public_url)));
    let seconds: f64 = played["format"]["duration"].as_str().unwrap_or("0").parse().unwrap();
    assert!((8.5..9.5).contains(&seconds), "{played}");
    assert!(played["streams"].as_array().unwrap().iter().any(|s| s["height"] == 480), "{played}");
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_is_called_off_is_ended_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let notes = dir.path().join("notes");
    let script = format!(
        "case \"$*\" in *frame.jpg*) exit 1;; esac\n\
         echo out_time_us=2000000; sleep 1000 & echo $! $$ > {}; wait",
        notes.display()
    );
    let program = impostor(dir.path(), &script);
    let server = TestServer::with(&[("ffmpeg", &program)]).await;
    let ana = server.admin().await;
    let media = ana.upload(f::mp4(), "a.mp4").await;
    let running = async || {
        let jobs = ana.get("/api/v2/jobs?kind=transcode&state=running").await.json();
        jobs["items"].get(0).filter(|job| job["done"] == 2_000).cloned()
    };
    let mut job = None;
    for _ in 0..200 {
        job = running().await;
        if job.is_some() && notes.exists() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let job = job.expect("a job that tells how far it has come");
    assert_eq!(job["total"], 10_000);
    let path = format!("/api/v2/jobs/{}/cancellation", job["id"].as_str().unwrap());
    ana.post(&path, json!({})).await.expect(StatusCode::ACCEPTED);
    assert_eq!(job_of(&ana, &media).await["state"], "cancelled");
    tokio::time::sleep(Duration::from_millis(500)).await;
    for pid in fs::read_to_string(&notes).unwrap().split_whitespace() {
        assert!(!is_running(pid), "{pid} still runs");
    }
    assert_eq!(server.leftovers(), 0);
    assert!(again(&ana, &media).await["av"].get("preview").is_none());
}

#[tokio::test]
async fn without_ffmpeg_nothing_waits_for_ever() {
    let server = TestServer::with(&[("ffmpeg", "off")]).await;
    let ana = with_settings(&server, json!({ "video_rendition": "hls" })).await;
    let media = ana.upload(f::mp4(), "a.mp4").await;
    assert_eq!(ana.get("/api/v2/jobs").await.json()["items"], json!([]));
    let path = format!("/api/v2/media/{}/transcoding", media["id"].as_str().unwrap());
    ana.post(&path, json!({})).await.problem(503, "unavailable");
    let song = ana.upload(f::ogg(), "a.ogg").await;
    let path = format!("/api/v2/media/{}/transcoding", song["id"].as_str().unwrap());
    ana.post(&path, json!({})).await.problem(409, "no_film");
    let operator = server.operator_key(&[]).await;
    let status = operator.get("/api/operator/status").await.json();
    assert_eq!(status["ffmpeg"], "`ffmpeg` is switched off");
}
