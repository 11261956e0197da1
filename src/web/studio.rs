//! Pages for one's own pictures: sending, editing, the library and its trash. Each act is one
//! call of the API; whether it may be done is decided there.

use super::{
    albums,
    api_client::{Refusal, segment},
    public::{listing, paging, with_blanks},
    visit::{Form, Outcome, Visit, redirect},
};
use poem::{
    Body,
    http::{Method, StatusCode},
};
use serde_json::{Map, Value, json};

const PAGE: usize = 48;

/// The most items that one form of the library may name.
const ACT_LIMIT: usize = 200;

/// `GET /upload`: the front page's uploader is the same; its address is easier to remember.
pub(super) async fn upload_page(visit: Visit) -> Outcome {
    if visit.is_guest() {
        return Ok(visit.to_sign_in());
    }
    Ok(redirect("/"))
}

/// `POST /upload`: the plain form of browsers without scripts. The body goes on as it comes in.
pub(super) async fn upload(visit: Visit, body: Body) -> Outcome {
    let media = visit.pass("/media", body).await?.json;
    let id = media["id"].as_str().unwrap_or_default();
    let done = if media["duplicate"] == true { "duplicate" } else { "uploaded" };
    Ok(redirect(&format!("/m/{}?done={done}", segment(id))))
}

/// `POST /m/{id}`: title, description, tags, visibility and the sensitive mark, all at once.
pub(super) async fn edit(visit: Visit, form: Form) -> Outcome {
    let id = segment(&visit.part("id"));
    let path = format!("/media/{id}");
    match visit.send(Method::PATCH, &path, changes(&form)).await {
        Ok(_) => Ok(redirect(&format!("/m/{id}?done=saved"))),
        Err(refusal) if refusal.status == StatusCode::UNPROCESSABLE_ENTITY => {
            let mut media = with_blanks(visit.get(&path).await?);
            keep_typed(&mut media, &form);
            let context = json!({ "media": media, "errors": refusal.fields(),
                "albums": albums::own(&visit).await, "problem": refusal.detail() });
            Ok(visit.show_as(refusal.status, "edit.html", context))
        }
        Err(refusal) => Err(refusal),
    }
}

/// The form as a merge patch: an emptied field is cleared, a field that was not sent is left alone.
fn changes(form: &Form) -> Value {
    let text = |name: &str| match form.text(name) {
        "" => Value::Null,
        text => json!(text.replace("\r\n", "\n")),
    };
    let mut changes = Map::new();
    for name in ["title", "description"].into_iter().filter(|name| form.has(name)) {
        changes.insert(name.to_owned(), text(name));
    }
    if form.has("tags") {
        changes.insert("tags".to_owned(), json!(tags(form.text("tags"))));
    }
    if form.has("album") {
        changes.insert("album".to_owned(), text("album"));
    }
    if form.has("visibility") {
        changes.insert("visibility".to_owned(), json!(form.text("visibility")));
        // An unticked box sends nothing; the field beside it tells that the box was there.
        changes.insert("nsfw".to_owned(), json!(form.has("nsfw")));
    }
    Value::Object(changes)
}

/// Tags as people type them: `sea, summer  2026` is two.
fn tags(typed: &str) -> Vec<&str> {
    typed
        .split(',')
        .map(|tag| tag.trim().trim_start_matches('#'))
        .filter(|t| !t.is_empty())
        .collect()
}

fn keep_typed(media: &mut Value, form: &Form) {
    let (Value::Object(fields), Value::Object(typed)) = (media, changes(form)) else { return };
    fields.extend(typed);
}

/// `GET /library`: one's own pictures, or those in the trash.
pub(super) async fn library(visit: Visit) -> Outcome {
    if visit.is_guest() {
        return Ok(visit.to_sign_in());
    }
    let trash = visit.query("view").as_deref() == Some("trash");
    let (own, here) = match trash {
        true => ("&trashed=true", "/library?view=trash"),
        false => ("", "/library"),
    };
    let path = format!("/media?owner=me&limit={PAGE}{own}{}", paging(&visit));
    let list = listing(visit.get(&path).await?, here);
    let count = visit.query("count").and_then(|n| n.parse::<u32>().ok()).unwrap_or(0);
    let failed = visit.query("failed").and_then(|n| n.parse::<u32>().ok()).unwrap_or(0);
    let undo = visit.query("undo").unwrap_or_default();
    let undo: Vec<&str> = undo.split('.').filter(|id| !id.is_empty()).take(ACT_LIMIT).collect();
    let context = json!({ "list": list, "trash": trash, "undo": undo,
        "done": visit.query("done"), "count": count, "failed": failed });
    Ok(visit.show("library.html", context))
}

/// `POST /library`: one act on the chosen items.
pub(super) async fn act(visit: Visit, form: Form) -> Outcome {
    let ids: Vec<String> = form.all("id").take(ACT_LIMIT).map(segment).collect();
    let (method, suffix, done, view) = match form.text("action") {
        "trash" => (Method::DELETE, "", "trashed", ""),
        "restore" => (Method::POST, "/restore", "restored", ""),
        "destroy" => (Method::DELETE, "?permanent=true", "destroyed", "view=trash&"),
        _ => return Err(Refusal::new(StatusCode::BAD_REQUEST, "This is no act of the library.")),
    };
    if ids.is_empty() {
        return Ok(redirect("/library"));
    }
    let mut managed: Vec<&str> = Vec::new();
    let mut last = None;
    for id in &ids {
        match visit.send(method.clone(), &format!("/media/{id}{suffix}"), Value::Null).await {
            Ok(_) => managed.push(id),
            Err(refusal) => last = Some(refusal),
        }
    }
    // Nothing was managed: say why, instead of counting to zero.
    if let Some(refusal) = last.filter(|_| managed.is_empty()) {
        return Err(refusal);
    }
    let (count, failed) = (managed.len(), ids.len() - managed.len());
    let undo =
        if done == "trashed" { format!("&undo={}", managed.join(".")) } else { String::new() };
    Ok(redirect(&format!("/library?{view}done={done}&count={count}&failed={failed}{undo}")))
}

/// `GET /delete/{id}/{key}`: asks. Opening a link deletes nothing, or a crawler would.
pub(super) async fn delete_link_page(visit: Visit) -> Outcome {
    show_delete_link(&visit, StatusCode::OK, Value::Null).await
}

async fn show_delete_link(visit: &Visit, status: StatusCode, problem: Value) -> Outcome {
    // Whoever holds the link may not be somebody who may see the picture.
    let id = visit.part("id");
    let media = visit.get(&format!("/media/{}", segment(&id))).await.map(with_blanks);
    let media = match media {
        Ok(media) => media,
        Err(refusal) if refusal.status == StatusCode::GONE => return Err(refusal),
        Err(_) => Value::Null,
    };
    let context = json!({ "id": id, "media": media, "problem": problem, "gone": false });
    Ok(visit.show_as(status, "delete.html", context))
}

pub(super) async fn delete_link(visit: Visit, _: Form) -> Outcome {
    let (id, key) = (visit.part("id"), visit.part("key"));
    let path = format!("/media/{}/delete-with-key", segment(&id));
    match visit.send(Method::POST, &path, json!({ "key": key })).await {
        Ok(_) => {
            let context = json!({ "id": id, "media": null, "problem": null, "gone": true });
            Ok(visit.show("delete.html", context))
        }
        Err(refusal) if refusal.status.is_client_error() => {
            show_delete_link(&visit, refusal.status, json!(refusal.detail())).await
        }
        Err(refusal) => Err(refusal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_parted_by_commas() {
        assert_eq!(tags("sea, #summer 2026,, "), ["sea", "summer 2026"]);
    }

    #[test]
    fn an_emptied_field_is_cleared_and_an_absent_one_left_alone() {
        let form = Form::of("title=&description=Two%0D%0Alines");
        assert_eq!(changes(&form), json!({ "title": null, "description": "Two\nlines" }));
        let form = Form::of("visibility=private&nsfw=on&tags=a");
        assert_eq!(changes(&form), json!({ "visibility": "private", "nsfw": true, "tags": ["a"] }));
    }
}
