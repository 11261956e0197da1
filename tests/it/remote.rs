//! Uploads by URL: what is fetched, and what never is.

use crate::kit::{TestServer, pictures};
use poem::{
    Response, Route, Server, endpoint::make_sync, http::StatusCode as Status, listener::TcpAcceptor,
};
use reqwest::StatusCode;
use serde_json::json;

/// A web server of somebody else's, on this machine.
async fn elsewhere() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let to = |place: &'static str| {
        make_sync(move |_| {
            Response::builder().status(Status::FOUND).header("location", place).finish()
        })
    };
    let routes = Route::new()
        .at("/photo.jpg", make_sync(|_| pictures::photo_jpeg(300, 200, 3)))
        .at("/moved", to("/photo.jpg"))
        .at("/loop", to("/loop"))
        .at("/to-metadata", to("http://169.254.169.254/latest/"))
        .at("/to-file", to("file:///etc/passwd"))
        .at("/page", make_sync(|_| "<html>no picture</html>"))
        .at("/huge", make_sync(|_| vec![0u8; 3_000_000]));
    let acceptor = TcpAcceptor::from_tokio(listener).unwrap();
    tokio::spawn(Server::new_with_acceptor(acceptor).run(routes));
    base
}

#[tokio::test]
async fn a_url_is_fetched_and_named_after_its_file() {
    let server = TestServer::with(&[("fetch_allow", "127.0.0.0/8")]).await;
    let (ana, base) = (server.admin().await, elsewhere().await);
    let body = json!({ "url": format!("{base}/photo.jpg"), "title": "Far away" });
    let media = ana.post("/api/v2/media", body).await.expect(StatusCode::CREATED).json();
    assert_eq!((&media["filename"], &media["width"]), (&json!("photo.jpg"), &json!(300)));
    let moved = json!({ "url": format!("{base}/moved"), "allow_duplicate": true });
    ana.post("/api/v2/media", moved).await.expect(StatusCode::CREATED);
}

#[tokio::test]
async fn a_fetch_that_fails_is_the_urls_fault_and_leaves_nothing() {
    let server = TestServer::with(&[("fetch_allow", "127.0.0.0/8")]).await;
    let (ana, base) = (server.admin().await, elsewhere().await);
    let limit = json!({ "max_upload_bytes": 1_000_000 });
    ana.patch("/api/v2/site/settings", limit).await.expect(StatusCode::OK);
    let cases = [
        ("/nothing", 422, "fetch_failed"),
        ("/loop", 422, "fetch_failed"),
        ("/to-metadata", 422, "url_refused"),
        ("/to-file", 422, "url_refused"),
        ("/page", 415, "unsupported_media"),
        ("/huge", 413, "too_large"),
    ];
    for (path, status, code) in cases {
        let answer = ana.post("/api/v2/media", json!({ "url": format!("{base}{path}") })).await;
        answer.problem(status, code);
    }
    assert_eq!((server.stored_files(), server.leftovers()), (0, 0));
}

#[tokio::test]
async fn nothing_private_is_ever_fetched() {
    let server = TestServer::start().await;
    let (ana, base) = (server.admin().await, elsewhere().await);
    let port = base.rsplit(':').next().unwrap();
    let urls = [
        format!("{base}/photo.jpg"),
        format!("http://localhost:{port}/photo.jpg"),
        format!("http://127.1:{port}/photo.jpg"),
        format!("http://0x7f000001:{port}/photo.jpg"),
        format!("http://[::ffff:127.0.0.1]:{port}/photo.jpg"),
        format!("http://[::1]:{port}/photo.jpg"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://10.0.0.1/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "ftp://example.org/x.png".to_owned(),
        "http://user:word@example.org/x.png".to_owned(),
        "not a url".to_owned(),
        server.operator().base.clone(),
    ];
    for url in urls {
        let answer = ana.post("/api/v2/media", json!({ "url": url })).await;
        answer.problem(422, "url_refused");
        answer.names_field(422, "url");
    }
}
