//! Drives a running appliance through a client that was generated from its API document.

use futures_util::TryStreamExt;
use std::{env, fs};

progenitor::generate_api!(spec = "openapi.json", interface = Builder);

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;
type Refusal = Error<ByteStream>;

/// Whoever holds the token.
fn client(token: &str) -> Outcome<Client> {
    let token = format!("Bearer {token}").parse()?;
    let headers = [(reqwest::header::AUTHORIZATION, token)].into_iter().collect();
    let http = reqwest::Client::builder().default_headers(headers).build()?;
    Ok(Client::new_with_client(&format!("{}/api/v2", env::var("VITRINA_URL")?), http))
}

/// Switch on its `code`.
async fn problem<T>(answer: Result<ResponseValue<T>, Refusal>) -> Outcome<types::Problem> {
    match answer {
        Err(Refusal::ErrorResponse(refused)) => {
            let mut pieces = refused.into_inner().into_inner();
            let mut body = Vec::new();
            while let Some(piece) = pieces.try_next().await? {
                body.extend_from_slice(&piece);
            }
            Ok(serde_json::from_slice(&body)?)
        }
        Err(other) => Err(other.into()),
        Ok(_) => Err("this should have been refused".into()),
    }
}

/// A token for this journey alone, by one that may do everything, and who is behind a password.
async fn log_in() -> Outcome<Client> {
    let all = client(&env::var("VITRINA_TOKEN")?)?;
    let password = env::var("VITRINA_PASSWORD")?;
    let wrong = types::SignInRequest { login: "ana".into(), password: "wrong".into() };
    let refused = problem(all.create_session().body(wrong).send().await).await?;
    assert_eq!((refused.status, &*refused.code), (401, "wrong_credentials"));
    let right = types::SignInRequest { login: "ana".into(), password };
    let session = all.create_session().body(right).send().await?;
    assert_eq!(session.user.username, "ana");

    let wish = types::TokenRequest {
        name: "Rust".into(),
        scopes: vec!["media:read".into(), "media:write".into()],
        expires_in: Some(600_000),
    };
    let made = all.create_token().body(wish).send().await?;
    client(made.token.as_ref().ok_or("no token")?)
}

async fn all_of_mine(client: &Client) -> Outcome<Vec<String>> {
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let asked = client.list_media().owner("me").limit(2);
        let asked = after.into_iter().fold(asked, |asked, after: String| asked.after(after));
        let page = asked.send().await?.into_inner();
        assert!(page.items.len() <= 2);
        ids.extend(page.items.into_iter().map(|item| item.id));
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(ids),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let client = log_in().await?;
    let mut ids = Vec::new();
    for picture in env::args().skip(1) {
        let made = client.upload_media_bytes().filename("Größe.png").title("From Rust");
        let made = made.body(fs::read(picture)?).send().await?;
        assert_eq!((made.status().as_u16(), made.title.as_deref()), (201, Some("From Rust")));
        assert_eq!((made.width, made.height), (640, 480));
        ids.push(made.into_inner().id);
    }
    let listed = all_of_mine(&client).await?;
    assert!(ids.len() > 2 && ids.iter().all(|id| listed.iter().filter(|l| *l == id).count() == 1));

    let id = &ids[0];
    let wish = types::RenderRequest { width: Some(100.try_into()?), ..Default::default() };
    let smaller = client.create_rendering_url().id(id).body(wish).send().await?;
    assert_eq!(reqwest::get(&smaller.url).await?.status(), 200);

    let change = types::MediaPatch {
        title: Some("Renamed".into()),
        visibility: Some(types::MediaPatchVisibility::Private),
        ..Default::default()
    };
    let changed = client.update_media().id(id).body(change).send().await?;
    assert_eq!(changed.title.as_deref(), Some("Renamed"));

    // Private means private, but a signed address opens it.
    assert!(reqwest::get(&changed.urls.original).await?.status().is_client_error());
    let wish = types::SignRequest { expires_in: Some(60_000), variant: None };
    let signed = client.create_signed_url().id(id).body(wish).send().await?;
    assert_eq!(reqwest::get(&signed.url).await?.status(), 200);

    for id in &ids {
        client.delete_media().id(id).permanent(true).send().await?;
    }
    let gone = problem(client.get_media().id(id).send().await).await?;
    assert_eq!((gone.status, &*gone.code), (404, "not_found"));
    let refused = client.upload_media_bytes().body("no picture at all").send().await;
    assert_eq!(problem(refused).await?.code, "unsupported_media");
    println!("the generated Rust client works");
    Ok(())
}
