//! Films with `ffmpeg`: files that it makes, what is known of them, their posters, and its bounds.

use crate::kit::{
    Client, TestServer,
    ffmpeg::{PICTURE, SOUND, asked, impostor, is_here, is_running, make},
    films as f, path_of,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::{
    fs::{self, File},
    path::Path,
    process::Command,
    time::{Duration, Instant},
};
use vitrina::av::{Kind, Limits, probe};

#[test]
fn what_is_known_of_real_files_is_what_ffprobe_knows() {
    if !is_here() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let both = format!("{PICTURE} {SOUND}");
    let told = "-metadata title=Song -metadata artist=Ana -metadata comment=SECRET-PLACE \
                -metadata location=+48.8577+002.2950/";
    for (name, arguments) in [
        ("a.mp4", format!("{both} -c:v libx264 -c:a aac {told}")),
        ("fast.mp4", format!("{both} -c:v libx264 -c:a aac -movflags +faststart {told}")),
        ("pieces.mp4", format!("{both} -c:v libx264 -c:a aac -movflags frag_keyframe+empty_moov")),
        ("b.mov", format!("{both} -c:v mpeg4 -c:a pcm_s16le {told}")),
        ("c.3gp", format!("{PICTURE} -c:v mpeg4 -an")),
        (
            "d.webm",
            format!("{both} -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus {told}"),
        ),
        ("live.webm", format!("{both} -c:v libvpx -deadline realtime -c:a libvorbis -live 1")),
        ("e.mkv", format!("{both} -c:v libx264 -c:a flac {told}")),
        ("f.mp3", format!("{SOUND} -c:a libmp3lame {told}")),
        (
            "vbr.mp3",
            format!("{SOUND} -c:a libmp3lame -q:a 4 -id3v2_version 4 -write_id3v1 1 {told}"),
        ),
        ("g.m4a", format!("{SOUND} -c:a aac {told}")),
        ("h.ogg", format!("{SOUND} -c:a libvorbis {told}")),
        ("i.opus", format!("{SOUND} -c:a libopus {told}")),
        ("j.flac", format!("{SOUND} -c:a flac {told}")),
        ("k.oga", format!("{SOUND} -c:a flac {told}")),
        ("l.wav", format!("{SOUND} -c:a pcm_s16le -write_bext 1 {told}")),
    ] {
        let path = make(dir.path(), name, &arguments);
        let found = probe(&path, &Limits::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
        let other = asked(&path);
        let stream = |kind: &str| {
            let streams = other["streams"].as_array().unwrap();
            streams.iter().find(|stream| stream["codec_type"] == kind).cloned()
        };
        let (video, audio) = (stream("video"), stream("audio"));
        assert_eq!(found.kind == Kind::Video, video.is_some(), "{name}");
        if let Some(video) = &video {
            assert_eq!(json!(found.width), video["width"], "{name}");
            assert_eq!(json!(found.height), video["height"], "{name}");
            assert_eq!(json!(found.video_codec), video["codec_name"], "{name}");
            let rate = found.frame_rate.unwrap_or(25.0);
            assert!((rate - 25.0).abs() < 0.3, "{name}: {rate}");
        }
        if let Some(audio) = &audio {
            let codec = found.audio_codec.clone().unwrap().replace("pcm", "pcm_s16le");
            assert_eq!(json!(codec), audio["codec_name"], "{name}");
            assert_eq!(json!(found.sample_rate.to_string()), audio["sample_rate"], "{name}");
            assert_eq!(json!(found.channels), audio["channels"], "{name}");
        }
        let measured = found.duration_ms.unwrap();
        assert!(measured.abs_diff(4_000) < 120, "{name}: {measured}");
        if arguments.contains("metadata") {
            assert_eq!(found.told.title.as_deref(), Some("Song"), "{name}");
        }

        // The public file is played to its end as before, and tells less.
        let public = dir.path().join("public");
        found.strip(&path, &mut File::create(&public).unwrap()).unwrap();
        let bytes = fs::read(&public).unwrap();
        for secret in [&b"SECRET-PLACE"[..], b"48.8577"] {
            assert!(!bytes.windows(secret.len()).any(|run| run == secret), "{name} tells");
        }
        let played = |path: &Path| {
            let output = Command::new("ffmpeg")
                .args(["-v", "error", "-i"])
                .arg(path)
                .args(["-f", "framemd5", "-"])
                .output()
                .unwrap();
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
        };
        assert_eq!(played(&public).0, played(&path).0, "{name}");
        assert_eq!(played(&public).1, "", "{name}");
    }
}

#[test]
fn turned_films_are_upright() {
    if !is_here() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let plain = make(dir.path(), "plain.mp4", &format!("{PICTURE} -c:v libx264 -an"));
    for (turn, size) in [(0, (320, 180)), (90, (180, 320)), (180, (320, 180)), (270, (180, 320))] {
        let turned = dir.path().join("turned.mp4");
        fs::write(&turned, turn_film(fs::read(&plain).unwrap(), turn)).unwrap();
        let found = probe(&turned, &Limits::default()).unwrap();
        assert_eq!((found.width, found.height), size, "{turn}");
    }
}

/// An admin of a site where nothing is worked on in the background.
async fn alone(server: &TestServer) -> Client {
    let ana = server.admin().await;
    let settings = json!({ "video_preview": false });
    ana.patch("/api/v2/site/settings", settings).await.expect(StatusCode::OK);
    ana
}

/// Writes into the head of the first track that the film is to be turned.
fn turn_film(mut film: Vec<u8>, degrees: u32) -> Vec<u8> {
    let one = 0x1_0000i32;
    let (a, b, c, d) = match degrees {
        90 => (0, one, -one, 0),
        180 => (-one, 0, 0, -one),
        270 => (0, -one, one, 0),
        _ => (one, 0, 0, one),
    };
    let at = film.windows(4).position(|kind| kind == b"tkhd").unwrap() + 44;
    let matrix: Vec<u8> = [a, b, 0, c, d].iter().flat_map(|cell| cell.to_be_bytes()).collect();
    film[at..at + 20].copy_from_slice(&matrix);
    film
}

/// The colour in the middle of a picture.
fn middle(bytes: &[u8]) -> [u8; 3] {
    let picture = image::load_from_memory(bytes).unwrap().to_rgb8();
    picture.get_pixel(picture.width() / 2, picture.height() / 2).0
}

fn is_near(color: [u8; 3], wanted: [u8; 3]) -> bool {
    color.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) < 40)
}

/// Two seconds of red, and two of blue; turned, so that it is higher than wide.
fn red_and_blue(dir: &Path) -> Vec<u8> {
    let colors = "-f lavfi -i color=red:s=320x180:d=2 -f lavfi -i color=blue:s=320x180:d=2 \
                  -filter_complex [0][1]concat -c:v libx264 -pix_fmt yuv420p";
    let flat = make(dir, "flat.mp4", colors);
    turn_film(fs::read(flat).unwrap(), 90)
}

#[tokio::test(flavor = "multi_thread")]
async fn posters_show_the_film_at_a_quarter_or_at_a_chosen_time() {
    if !is_here() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let server = TestServer::start().await;
    let ana = alone(&server).await;
    let media = ana.upload(red_and_blue(dir.path()), "film.mp4").await;
    assert_eq!((&media["width"], &media["height"]), (&json!(180), &json!(320)));
    assert_eq!(
        (&media["av"]["poster"], &media["av"]["poster_at_ms"]),
        (&json!("frame"), &json!(1000))
    );
    let picture = async |media: &Value, name: &str| {
        let file = server.guest().get(&path_of(&media["urls"][name])).await;
        file.expect(StatusCode::OK).body
    };
    let poster = picture(&media, "poster").await;
    assert!(is_near(middle(&poster), [254, 0, 0]), "{:?}", middle(&poster));
    let upright = image::load_from_memory(&poster).unwrap();
    assert_eq!((upright.width(), upright.height()), (180, 320));
    assert!(is_near(middle(&picture(&media, "thumb").await), [254, 0, 0]));

    let path = format!("/api/v2/media/{}/poster", media["id"].as_str().unwrap());
    let at = ana.request(Method::PUT, &path).json(&json!({ "at_ms": 3000 }));
    let media = ana.send(at).await.expect(StatusCode::OK).json();
    assert_eq!(media["av"]["poster_at_ms"], 3000);
    assert!(is_near(middle(&picture(&media, "poster").await), [0, 0, 254]));
    assert!(is_near(middle(&picture(&media, "medium").await), [0, 0, 254]));
    assert_eq!(server.leftovers(), 0);
    let operator = server.operator_key(&[]).await;
    assert_eq!(operator.get("/api/operator/status").await.json()["ffmpeg"], "found");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_hangs_is_ended_with_all_that_it_started() {
    let dir = tempfile::tempdir().unwrap();
    let notes = dir.path().join("notes");
    let script = format!("sleep 1000 & echo $! $$ > {}; wait", notes.display());
    let program = impostor(dir.path(), &script);
    let server = TestServer::with(&[("ffmpeg", &program), ("decode_seconds", "6")]).await;
    let began = Instant::now();
    let media = alone(&server).await.upload(f::mp4(), "a.mp4").await;
    assert_eq!(media["av"]["poster"], "neutral");
    assert!(began.elapsed() < Duration::from_secs(40));
    let pids = fs::read_to_string(notes).unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    for pid in pids.split_whitespace() {
        assert!(!is_running(pid), "{pid} still runs");
    }
    assert_eq!(server.leftovers(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_runs_within_bounds_and_knows_nothing_of_the_user() {
    let dir = tempfile::tempdir().unwrap();
    let notes = dir.path().join("notes");
    let script = format!(
        "{{ ulimit -v; ulimit -t; ulimit -f; ulimit -n; env; pwd; ls; nice; echo \"$@\"; }} > {}; \
         echo nothing >&2; exit 1",
        notes.display()
    );
    let program = impostor(dir.path(), &script);
    let settings = [("ffmpeg", &*program), ("ffmpeg_memory_mb", "512"), ("decode_seconds", "7")];
    let server = TestServer::with(&settings).await;
    let media = alone(&server).await.upload(f::mp4(), "secret-name.mp4").await;
    assert_eq!(media["av"]["poster"], "neutral");
    let notes = fs::read_to_string(notes).unwrap();
    let mut lines = notes.lines();
    assert_eq!(lines.next(), Some("524288"), "address space: {notes}");
    assert_eq!(lines.next(), Some("14"), "time: {notes}");
    assert_eq!(lines.next(), Some("131072"), "files: {notes}");
    assert_eq!(lines.next(), Some("64"), "open files: {notes}");
    for word in ["secret-name", "HOME", "PATH=/", "CARGO"] {
        assert!(!notes.contains(word), "{word} in {notes}");
    }
    for words in ["-protocol_whitelist file,pipe", "-nostdin", "-f mov", "-i input"] {
        assert!(notes.contains(words), "{words} not in {notes}");
    }
    // From where this process stands, as far as it goes.
    let nice = notes.lines().filter_map(|line| line.parse::<u32>().ok()).nth(4);
    assert!(nice.is_some_and(|nice| (10..20).contains(&nice)), "it does not give way: {notes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_writes_is_bounded_and_what_it_says_too() {
    let dir = tempfile::tempdir().unwrap();
    // Far more than it may write, and far more than is listened to.
    let script = "yes out_time_us=1 | head -c 30000000; yes x | head -c 30000000 >&2; \
                  head -c 200000000 /dev/zero > frame.jpg; exit 0";
    let program = impostor(dir.path(), script);
    let settings = [("ffmpeg", &*program), ("decode_seconds", "20")];
    let server = TestServer::with(&settings).await;
    let media = alone(&server).await.upload(f::mp4(), "a.mp4").await;
    assert_eq!(media["av"]["poster"], "neutral");
    assert_eq!(server.leftovers(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_that_cannot_be_decoded_is_kept_all_the_same() {
    if !is_here() {
        return;
    }
    let server = TestServer::start().await;
    let ana = alone(&server).await;
    let media = ana.upload(f::mp4(), "a.mp4").await;
    assert_eq!(media["av"]["poster"], "neutral");
    let path = format!("/api/v2/media/{}/poster", media["id"].as_str().unwrap());
    let at = ana.request(Method::PUT, &path).json(&json!({ "at_ms": 1000 }));
    ana.send(at).await.problem(422, "damaged");
    assert_eq!(server.leftovers(), 0);
}
