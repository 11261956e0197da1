//! Lsky Pro's API v1, `/api/v1`, what writes: upload, delete, sign in. PicList, PicGo, uPic and
//! Typora have it built in or as a plugin.

use super::{
    Call, Taken, details, lsky_lists as lists,
    receive::{Wanted, Words, receive},
};
use crate::{
    accounts::{Scope, caller::presented_token, session, token},
    albums,
    base::{Error, Result, secret::Secret, text::Label, visibility::Visibility},
    http::{Problem, fields::Fields},
    media::{delete as media_delete, upload::Details},
};
use poem::{IntoResponse, Response, http::header, web::Json};
use serde_json::{Value, json};

const WANTED: Wanted = Wanted { file: &["file"], words: &["permission", "album_id"], key: false };

/// `POST /api/v1/upload`
pub(super) async fn upload(mut call: Call) -> Response {
    let token = presented_token(call.req.headers());
    let (words, received) = receive(&mut call, token, &WANTED).await;
    let taken = match (received, said(&words)) {
        (Ok(received), Ok(details)) => call.take_in(received, details).await,
        (Err(error), _) | (_, Err(error)) => Err(error),
    };
    answer(taken.map(|taken| uploaded(&call, &taken)))
}

/// What is private there is not listed, and is seen by whoever has the address.
fn said(words: &Words) -> Result<Details> {
    let visibility = match words.get("permission") {
        None => None,
        Some("1" | "public") => Some(Visibility::Public),
        Some("0" | "private") => Some(Visibility::Unlisted),
        Some(_) => return Err(Error::invalid("permission", "must be 0 or 1")),
    };
    Ok(Details { visibility, ..details(words, &[("album_id", "album")])? })
}

fn uploaded(call: &Call, taken: &Taken) -> Value {
    let mut data = lists::image(&taken.media, &call.links);
    if let Value::Object(data) = &mut data {
        let sums = taken.sums.as_ref();
        data.insert("md5".to_owned(), json!(sums.map(|s| super::shown::hex(&s.md5))));
        data.insert("sha1".to_owned(), json!(sums.map(|s| super::shown::hex(&s.sha1))));
        if let Some(Value::Object(links)) = data.get_mut("links") {
            links.insert("delete_url".to_owned(), json!(taken.delete_url(&call.links)));
        }
    }
    data
}

/// `DELETE /api/v1/images/{key}`
pub(super) async fn delete(call: Call) -> Response {
    let key = call.req.raw_path_param("key").unwrap_or_default().to_owned();
    let deleting = async {
        let actor = call.actor(presented_token(call.req.headers()).as_ref()).await?;
        actor.need_scope(Scope::MediaWrite)?;
        media_delete::trash(&call.tenant, &actor, &key).await
    };
    answer(deleting.await.map(|()| json!({})))
}

/// `DELETE /api/v1/albums/{id}`: what lies in it stays.
pub(super) async fn delete_album(call: Call) -> Response {
    let id = call.req.raw_path_param("id").unwrap_or_default().to_owned();
    let deleting = async {
        let actor = call.actor(presented_token(call.req.headers()).as_ref()).await?;
        actor.need_scope(Scope::MediaWrite)?;
        albums::remove(&call.tenant, &actor, &id, albums::Contents::Keep).await
    };
    answer(deleting.await.map(|()| json!({})))
}

/// `POST /api/v1/tokens`: an address and a password for a token that can do what these clients do.
pub(super) async fn sign_in(mut call: Call) -> Response {
    let body = call.req.take_body();
    let signing_in = async {
        let mut fields = Fields::of(call.req.headers(), body).await?;
        let (mut login, mut password) = (String::new(), String::new());
        while let Some(head) = fields.next().await? {
            match &*head.name {
                "email" => login = fields.text().await?,
                "password" => password = fields.text().await?,
                _ => {}
            }
        }
        let address = call.client.address.map(|address| address.to_string());
        let (tenant, password) = (&call.tenant, Secret::new(password));
        let user = session::prove(tenant, &login, password, address.as_deref()).await?;
        let name = Label::parse("name", "Lsky client")?;
        let scopes = vec![Scope::MediaRead, Scope::MediaWrite, Scope::AccountRead];
        let (_, secret) = token::issue(tenant, user, name, scopes, None).await?;
        Ok(json!({ "token": secret.expose() }))
    };
    answer(signing_in.await)
}

/// An answer as all of them are.
pub(super) fn answer(outcome: Result<Value>) -> Response {
    let error = match outcome {
        Ok(data) => {
            let body = json!({ "status": true, "message": "success", "data": data });
            return Json(body).into_response();
        }
        Err(error) => error,
    };
    let message = match &error {
        Error::Unauthenticated => "Unauthenticated.".to_owned(),
        other => other.to_string(),
    };
    let (status, wait) = match Problem::from(error) {
        Problem::Client(status, _, wait) => (status, wait),
        Problem::Server(status, _) => (status, None),
    };
    let body = json!({ "status": false, "message": message, "data": {} });
    let mut response = Json(body).with_status(status).into_response();
    if let Some(wait) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, wait.into());
    }
    response
}

/// What is asked for and not there.
pub(super) fn unsupported(what: &'static str) -> Error {
    Error::Invalid { field: what, reason: "is not understood here".to_owned() }
}
