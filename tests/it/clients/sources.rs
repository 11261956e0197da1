//! Where the file stands in a request to Chevereto's API v1: in a form, in base64, behind a URL.

use super::{CHEVERETO, File, Text, image, post_form, post_pairs, refused};
use crate::kit::{TestServer, pictures};
use base64::{Engine, engine::general_purpose::STANDARD};
use poem::{Route, Server, endpoint::make_sync, listener::TcpAcceptor};
use serde_json::json;

#[tokio::test]
async fn base64_is_read_as_clients_write_it() {
    let server = TestServer::start().await;
    let (ana, guest) = (server.admin().await, server.guest());
    let text = |seed| STANDARD.encode(pictures::photo_jpeg(90, 60, seed));
    // Percent-encoded, as Obsidian and Typora have it.
    let plain = text(1);
    assert!(plain.contains('+') && plain.contains('/'));
    let answer = post_pairs(&guest, CHEVERETO, &[("key", ana.token()), ("source", &plain)]).await;
    assert_eq!(image(&answer)["width"], 90);
    let prefixed = format!("data:image/jpeg;base64,{}", text(2));
    let answer =
        post_pairs(&guest, CHEVERETO, &[("source", &prefixed), ("key", ana.token())]).await;
    assert_eq!(image(&answer)["width"], 90);
    // In lines, in a form, and in JSON.
    let mut lines = text(3);
    (0..lines.len() / 77).rev().for_each(|line| lines.insert_str(line * 76, "\r\n"));
    let parts = [Text("source", &lines), Text("key", ana.token())];
    image(&post_form(&guest, CHEVERETO, &parts).await);
    let body = json!({ "key": ana.token(), "source": text(4), "nsfw": 1, "tags": ["a", "b"] });
    let shown = image(&guest.post(CHEVERETO, body).await);
    assert_eq!((&shown["nsfw"], &shown["tags_string"]), (&json!(1), &json!("a,b")));
    assert_eq!(server.stored_originals(".jpg"), 4);
    assert_eq!(server.leftovers(), 0);
}

#[tokio::test]
async fn twenty_megabytes_of_base64_are_one_picture() {
    let server = TestServer::start().await;
    let (ana, guest) = (server.admin().await, server.guest());
    let picture = pictures::bmp(2700, 2500);
    assert!(picture.len() > 20_000_000);
    let text = STANDARD.encode(&picture);
    let answer = post_pairs(&guest, CHEVERETO, &[("key", ana.token()), ("source", &text)]).await;
    assert_eq!(image(&answer)["width"], 2700);
    assert_eq!(server.leftovers(), 0);
}

#[tokio::test]
async fn a_url_is_fetched_for_every_key() {
    let server = TestServer::with(&[("fetch_allow", "127.0.0.0/8")]).await;
    let guest = server.guest();
    let bob = server.person("bob", vitrina::accounts::Role::User).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let one = make_sync(|_| pictures::photo_jpeg(300, 200, 1));
    let two = make_sync(|_| pictures::photo_jpeg(310, 200, 2));
    let routes = Route::new().at("/one.jpg", one).at("/two.jpg", two);
    let acceptor = TcpAcceptor::from_tokio(listener).unwrap();
    tokio::spawn(Server::new_with_acceptor(acceptor).run(routes));
    let url = format!("{base}/one.jpg");
    let answer = post_pairs(&guest, CHEVERETO, &[("key", bob.token()), ("source", &url)]).await;
    let shown = image(&answer);
    assert_eq!((&shown["width"], &shown["filename"]), (&json!(300), &json!("one.jpg")));
    let got = guest.get(&format!("{CHEVERETO}?key={}&source={base}/two.jpg", bob.token())).await;
    assert_eq!(image(&got)["width"], 310);
    let nothing = format!("{base}/nothing.jpg");
    let answer = post_pairs(&guest, CHEVERETO, &[("key", bob.token()), ("source", &nothing)]).await;
    refused(&answer, 400, 400);
    let got = guest.get(&format!("{CHEVERETO}?key={}&source=aGVsbG8=", bob.token())).await;
    refused(&got, 400, 130);
    let got = guest.get(&format!("{CHEVERETO}?key={}", bob.token())).await;
    refused(&got, 400, 130);
}

#[tokio::test]
async fn a_file_counts_more_than_a_text_of_its_name() {
    let server = TestServer::start().await;
    let (ana, guest) = (server.admin().await, server.guest());
    let (photo, other) = (pictures::photo_jpeg(60, 40, 1), pictures::photo_jpeg(70, 40, 2));
    let text = STANDARD.encode(&other);
    for texts in [["", ""], [&*text, ""], ["", &*text]] {
        let parts = [
            Text("key", ana.token()),
            Text("source", texts[0]),
            File("source", "a.jpg", &photo),
            Text("source", texts[1]),
            File("image", "b.jpg", &other),
        ];
        let shown = image_of_either(&post_form(&guest, CHEVERETO, &parts).await);
        assert_eq!(shown["width"], 60);
    }
    // A file field that was left empty is no file.
    let parts = [Text("key", ana.token()), Text("source", &text), File("source", "", b"")];
    assert_eq!(image(&post_form(&guest, CHEVERETO, &parts).await)["width"], 70);
}

/// The field `image` was there, so the item is told under the other name.
fn image_of_either(answer: &crate::kit::Answer) -> serde_json::Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["data"].clone()
}

#[tokio::test]
async fn a_file_may_have_any_name() {
    let server = TestServer::start().await;
    let (ana, guest) = (server.admin().await, server.guest());
    // Headers that mean nothing, and names that mean harm.
    let guest = guest.with_header("contenttype", "multipart/form-data");
    let cases = [
        ("../../etc/passwd", "passwd.jpg"),
        ("été 日本.jpg", "été 日本.jpg"),
        ("-", "file.jpg"),
        ("a%22b.png", "a%22b.jpg"),
        (r#"say \"hi\".jpg"#, "say \"hi\".jpg"),
    ];
    for (seed, (sent, kept)) in cases.into_iter().enumerate() {
        let photo = pictures::photo_jpeg(60, 40, seed as u64);
        let parts = [Text("key", ana.token()), File("source", sent, &photo)];
        let shown = image(&post_form(&guest, CHEVERETO, &parts).await);
        assert_eq!(shown["original_filename"], kept, "{sent}");
        assert!(shown["filename"].as_str().unwrap().is_ascii());
    }
}
