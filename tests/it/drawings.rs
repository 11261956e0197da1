//! Drawings over HTTP: what is kept of them is the harmless part, it is handed out to be saved,
//! and whatever their drawing costs is the end of that upload alone.

use crate::kit::{TestServer, path_of, pictures as p};
use reqwest::StatusCode;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_and_handed_out_of_a_drawing_is_harmless() {
    let server = TestServer::start().await;
    let ana = server.admin().await;
    // Even where a site keeps what cameras write.
    let settings = json!({ "strip_metadata": false });
    ana.patch("/api/v2/site/settings", settings).await.expect(StatusCode::OK);
    for (name, bytes) in p::svgs_that_do_harm() {
        let answer = ana.upload_with(bytes, "a.svg", &[("allow_duplicate", "true")]).await;
        let media = answer.expect(StatusCode::CREATED).json();
        assert_eq!(media["mime"], "image/svg+xml", "{name}");
        let original = server.guest().get(&path_of(&media["urls"]["original"])).await;
        let original = original.expect(StatusCode::OK);
        assert!(original.header("content-disposition").starts_with("attachment"), "{name}");
        assert_eq!(original.header("x-content-type-options"), "nosniff");
        let policy = original.header("content-security-policy");
        assert!(policy.contains("sandbox") && policy.contains("default-src 'none'"), "{policy}");
        let text = original.text();
        for word in ["evil", "script", "alert", "passwd", "import", "<!", "<?", "onload"] {
            assert!(!text.contains(word), "{name} still has {word}: {text}");
        }
        let medium = server.guest().get(&path_of(&media["urls"]["medium"])).await;
        assert_eq!(medium.expect(StatusCode::OK).header("content-type"), "image/jpeg", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drawing_that_costs_too_much_ends_its_own_upload() {
    let server = TestServer::with(&[("decode_seconds", "5")]).await;
    let ana = server.admin().await;
    ana.upload_with(p::svg_bomb(), "a.svg", &[]).await.problem(422, "damaged");
    assert_eq!((server.stored_files(), server.leftovers()), (0, 0));
    ana.upload(p::svg(), "a.svg").await;
}
