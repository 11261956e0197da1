//! Pages for albums: one's own, and one with what is in it. Each act is one call of the API;
//! whether it may be done is decided there.

use super::{
    api_client::{Refusal, segment},
    public::{listing, paging},
    visit::{Form, Outcome, Visit, redirect},
};
use futures_util::future::join3;
use poem::http::{HeaderValue, Method, StatusCode};
use serde_json::{Map, Value, json};

const PAGE: usize = 36;

/// Fields that the API leaves out where they are not set.
const OPTIONAL: [&str; 4] = ["description", "own_visibility", "parent", "cover"];

/// An album as templates use it: every field there.
fn with_blanks(mut album: Value) -> Value {
    if let Value::Object(fields) = &mut album {
        for name in OPTIONAL {
            fields.entry(name).or_insert(Value::Null);
        }
    }
    album
}

fn albums(mut answer: Value) -> Vec<Value> {
    let items = answer.get_mut("items").and_then(Value::as_array_mut).map(std::mem::take);
    items.unwrap_or_default().into_iter().map(with_blanks).collect()
}

/// The visitor's albums, to choose one from.
pub(super) async fn own(visit: &Visit) -> Vec<Value> {
    if visit.is_guest() {
        return Vec::new();
    }
    visit.get("/albums?owner=me&limit=100").await.map(albums).unwrap_or_default()
}

/// `GET /albums`: one's own albums, and a form for a new one.
pub(super) async fn index(visit: Visit) -> Outcome {
    if visit.is_guest() {
        return Ok(visit.to_sign_in());
    }
    show_index(&visit, StatusCode::OK, None).await
}

async fn show_index(visit: &Visit, status: StatusCode, refusal: Option<&Refusal>) -> Outcome {
    let path = format!("/albums?owner=me&parent=none&limit={PAGE}{}", paging(visit));
    let answer = visit.get(&path).await?;
    let pager = listing(json!({ "next": answer["next"], "prev": answer["prev"] }), "/albums");
    let errors = refusal.map_or_else(|| json!({}), Refusal::fields);
    let context = json!({ "albums": albums(answer), "list": pager, "errors": errors,
        "problem": refusal.map(Refusal::detail), "done": visit.query("done") });
    Ok(visit.show_as(status, "albums.html", context))
}

/// `POST /albums`: a new album.
pub(super) async fn create(visit: Visit, form: Form) -> Outcome {
    let mut body = Map::new();
    for name in ["title", "visibility", "parent"] {
        if !form.text(name).is_empty() {
            body.insert(name.to_owned(), json!(form.text(name)));
        }
    }
    body.entry("title").or_insert_with(|| json!(""));
    match visit.send(Method::POST, "/albums", Value::Object(body)).await {
        Ok(answer) => {
            let id = answer.json["id"].as_str().unwrap_or_default();
            Ok(redirect(&format!("/a/{}", segment(id))))
        }
        Err(refusal) if refusal.status == StatusCode::UNPROCESSABLE_ENTITY => {
            show_index(&visit, refusal.status, Some(&refusal)).await
        }
        Err(refusal) => Err(refusal),
    }
}

/// `GET /a/{id}`: an album and what is in it.
pub(super) async fn album(visit: Visit) -> Outcome {
    show_album(&visit, StatusCode::OK, None).await
}

async fn show_album(visit: &Visit, status: StatusCode, refusal: Option<&Refusal>) -> Outcome {
    let id = segment(&visit.part("id"));
    let (album, inside) = (format!("/albums/{id}"), format!("/albums?parent={id}&limit=100"));
    let items = format!("/media?album={id}&limit={PAGE}{}", paging(visit));
    let (album, inside, items) =
        join3(visit.get(&album), visit.get(&inside), visit.get(&items)).await;
    let album = with_blanks(album?);
    let errors = refusal.map_or_else(|| json!({}), Refusal::fields);
    let is_public = album["visibility"] == "public";
    let context = json!({
        "inside": albums(inside?), "list": listing(items?, &format!("/a/{id}")),
        "errors": errors, "problem": refusal.map(Refusal::detail), "done": visit.query("done"),
        "is_shared": album["visibility"] != "private", "is_public": is_public, "album": album,
    });
    let mut response = visit.show_as(status, "album.html", context);
    if !is_public {
        let robots = HeaderValue::from_static("noindex, nofollow");
        response.headers_mut().insert("x-robots-tag", robots);
    }
    Ok(response)
}

/// `POST /a/{id}`: title, description and who may see it, or the end of the album.
pub(super) async fn edit(visit: Visit, form: Form) -> Outcome {
    let id = segment(&visit.part("id"));
    let path = format!("/albums/{id}");
    if form.text("action") == "delete" {
        let contents = if form.has("contents") { "trash" } else { "keep" };
        let path = format!("{path}?contents={contents}");
        visit.send(Method::DELETE, &path, Value::Null).await?;
        return Ok(redirect("/albums?done=deleted"));
    }
    let description = match form.text("description") {
        "" => Value::Null,
        text => json!(text.replace("\r\n", "\n")),
    };
    let change = json!({ "title": form.text("title"), "description": description,
        "visibility": form.text("visibility") });
    match visit.send(Method::PATCH, &path, change).await {
        Ok(_) => Ok(redirect(&format!("/a/{id}?done=saved"))),
        Err(refusal) if refusal.status == StatusCode::UNPROCESSABLE_ENTITY => {
            show_album(&visit, refusal.status, Some(&refusal)).await
        }
        Err(refusal) => Err(refusal),
    }
}
