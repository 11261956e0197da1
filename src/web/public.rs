//! Pages that anybody may open: the front page, the public pictures, one picture.
//! Who may see what is the API's to say.

use super::{
    albums,
    api_client::{Refusal, segment},
    visit::{Outcome, Visit},
};
use futures_util::future::join;
use poem::{
    Response,
    http::{StatusCode, header},
};
use serde_json::{Value, json};
use url::form_urlencoded;

/// Pictures on the front page, and on one page of a listing.
const FRONT: usize = 18;
const PAGE: usize = 36;

/// Fields that the API leaves out where they are not set. Templates are strict, so each is there.
const OPTIONAL: [&str; 16] = [
    "album",
    "own_visibility",
    "title",
    "description",
    "filename",
    "width",
    "height",
    "color",
    "placeholder",
    "owner",
    "metadata",
    "taken_at",
    "expires_at",
    "trashed_at",
    "duration_ms",
    "av",
];

/// A media item as templates use it: every field there, and a name to call it by.
pub(super) fn with_blanks(mut media: Value) -> Value {
    if let Value::Object(fields) = &mut media {
        for name in OPTIONAL {
            fields.entry(name).or_insert(Value::Null);
        }
        for name in ["can_edit", "nsfw", "is_animated", "is_360"] {
            fields.entry(name).or_insert(Value::Bool(false));
        }
        fields.entry("kind").or_insert_with(|| json!("image"));
        fields.entry("tags").or_insert_with(|| json!([]));
        let filled = |name: &str| {
            fields.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty())
        };
        let name = filled("title").or_else(|| filled("filename")).unwrap_or("Untitled").to_owned();
        fields.insert("name".to_owned(), Value::String(name));
    }
    media
}

/// A page of a listing as templates use it; `path` is where it is shown.
pub(super) fn listing(mut answer: Value, path: &str) -> Value {
    let items = answer.get_mut("items").and_then(Value::as_array_mut).map(std::mem::take);
    let items: Vec<Value> = items.unwrap_or_default().into_iter().map(with_blanks).collect();
    let link = |direction: &str, key: &str| {
        let cursor = answer.get(direction).and_then(Value::as_str)?;
        let cursor: String = form_urlencoded::byte_serialize(cursor.as_bytes()).collect();
        let joint = if path.contains('?') { '&' } else { '?' };
        Some(format!("{path}{joint}{key}={cursor}"))
    };
    json!({ "items": items, "older": link("next", "after"), "newer": link("prev", "before") })
}

/// The part of an API query that says which page of a listing is wanted.
pub(super) fn paging(visit: &Visit) -> String {
    ["after", "before"].into_iter().fold(String::new(), |all, key| match visit.query(key) {
        Some(cursor) => {
            let cursor: String = form_urlencoded::byte_serialize(cursor.as_bytes()).collect();
            format!("{all}&{key}={cursor}")
        }
        None => all,
    })
}

/// `/`: for a guest what this place is, for a user the place to drop pictures on.
async fn home(visit: Visit) -> Outcome {
    let path = if visit.is_guest() {
        format!("/media?limit={FRONT}")
    } else {
        format!("/media?limit={FRONT}&owner=me")
    };
    let list = match visit.get(&path).await {
        Ok(list) => list,
        // A site that shows nothing to guests still has a front page.
        Err(refusal) if refusal.status.is_client_error() => json!({ "items": [] }),
        Err(refusal) => return Err(refusal),
    };
    let list = listing(list, if visit.is_guest() { "/explore" } else { "/library" });
    let context = json!({ "list": list, "settings": uploader_settings(&visit),
        "albums": albums::own(&visit).await });
    Ok(visit.show("home.html", context))
}

/// What the uploader has to know of the site before it sends anything.
pub(super) fn uploader_settings(visit: &Visit) -> Value {
    let fact = |name: &str| visit.site().get(name).cloned().unwrap_or(Value::Null);
    json!({
        "max_upload_bytes": fact("max_upload_bytes"),
        "accept": accepted(&fact("formats")),
        "visibility": fact("default_visibility"),
    })
}

/// What a browser is to offer when somebody chooses files: kinds, as not every type has a name.
fn accepted(formats: &Value) -> String {
    let types = || formats.as_array().into_iter().flatten().filter_map(Value::as_str);
    let is_taken = |kind: &&str| types().any(|mime| mime.starts_with(*kind));
    let kinds: Vec<String> = ["image/", "video/", "audio/"]
        .iter()
        .filter(|kind| is_taken(kind))
        .map(|kind| format!("{kind}*"))
        .collect();
    kinds.join(",")
}

/// `/explore`: every picture that the visitor may see, newest first.
pub(super) async fn explore(visit: Visit) -> Outcome {
    let narrowed = visit.carried(&["owner", "tag"]);
    let list = visit.get(&format!("/media?limit={PAGE}&{narrowed}{}", paging(&visit))).await?;
    let here = match narrowed.is_empty() {
        true => "/explore".to_owned(),
        false => format!("/explore?{narrowed}"),
    };
    let context = json!({ "list": listing(list, &here), "owner": visit.query("owner"),
        "tag": visit.query("tag") });
    Ok(visit.show("explore.html", context))
}

/// `/m/{id}`: one picture, its facts and how to pass it on.
pub(super) async fn media(visit: Visit) -> Outcome {
    let id = segment(&visit.part("id"));
    let (media, embeds) = (format!("/media/{id}"), format!("/media/{id}/embeds"));
    let (media, embeds) = join(visit.get(&media), visit.get(&embeds)).await;
    let media = with_blanks(media?);
    let can_edit = media["can_edit"] == true;
    let albums = if can_edit { albums::own(&visit).await } else { Vec::new() };
    let embeds = embeds.map(|mut embeds| embeds["items"].take()).unwrap_or_default();
    let context = json!({
        "picture": picture(&media),
        "preview": preview(&media),
        "groups": groups(&embeds),
        "done": visit.query("done"),
        "errors": {},
        "albums": albums,
        "media": media,
    });
    let mut response = visit.show("media.html", context);
    if hidden(&media) {
        let robots = poem::http::HeaderValue::from_static("noindex, nofollow");
        response.headers_mut().insert("x-robots-tag", robots);
    }
    Ok(response)
}

/// Only what is public, and not in the trash, is for crawlers.
fn hidden(media: &Value) -> bool {
    media["visibility"] != "public" || media["status"] != "active"
}

/// Originals that hardly a browser shows, or that are handed out to be saved: of these the
/// rendering must do.
const NOT_SHOWN: [&str; 3] = ["image/heic", "image/jxl", "image/svg+xml"];

/// Where the picture itself comes from: the rendering for screens, and the original where that is
/// small enough for a dense display, or moves and would stand still as a rendering.
fn picture(media: &Value) -> Value {
    /// A visitor is not made to load more than this to look at a picture, in bytes.
    const ORIGINAL_LIMIT: u64 = 3_000_000;
    let medium = media["variants"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|variant| variant["name"] == "medium")
        .cloned()
        .unwrap_or_default();
    let is_shown = media["mime"].as_str().is_none_or(|mime| !NOT_SHOWN.contains(&mime));
    let moves = is_shown && media["is_animated"].as_bool().unwrap_or(false);
    let light = is_shown && media["bytes"].as_u64().is_some_and(|bytes| bytes <= ORIGINAL_LIMIT);
    let src = if moves || medium.is_null() { &media["urls"]["original"] } else { &medium["url"] };
    let dense = !moves && light && medium["width"].as_u64() < media["width"].as_u64();
    json!({ "src": src, "medium_width": medium["width"], "dense": dense && !medium.is_null() })
}

/// What other sites show when the picture is linked to: nothing unless a link may be passed on.
fn preview(media: &Value) -> Value {
    let shared = matches!(media["visibility"].as_str(), Some("public" | "unlisted"));
    if !shared || media["status"] != "active" {
        return Value::Null;
    }
    let variant = media["variants"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|variant| variant["name"] == "medium")
        .unwrap_or(media);
    json!({
        "image": media["urls"]["medium"], "mime": variant["mime"],
        "width": variant["width"], "height": variant["height"], "played": played(media),
    })
}

/// What other sites may play: an encoding that any browser plays, where there is one.
fn played(media: &Value) -> Value {
    let made = media["av"]["sources"].as_array().into_iter().flatten();
    let made =
        made.filter(|source| source["name"] == "mp4").map(|s| (&s["url"], &s["mime"])).next();
    let own = (&media["urls"]["original"], &media["mime"]);
    let (url, mime) = made.unwrap_or(own);
    let property = match media["kind"].as_str() {
        Some("video") => "og:video",
        Some("audio") => "og:audio",
        _ => return Value::Null,
    };
    json!({ "property": property, "url": url, "mime": mime })
}

/// The embed codes under their headings, in the order in which the API lists them.
fn groups(embeds: &Value) -> Vec<Value> {
    let mut groups: Vec<(String, Vec<Value>)> = Vec::new();
    for item in embeds.as_array().into_iter().flatten() {
        let name = item["group"].as_str().unwrap_or("Links");
        match groups.iter_mut().find(|(group, _)| group == name) {
            Some((_, items)) => items.push(item.clone()),
            None => groups.push((name.to_owned(), vec![item.clone()])),
        }
    }
    groups.into_iter().map(|(name, items)| json!({ "name": name, "items": items })).collect()
}

/// What a browser needs to put the site on a home screen.
pub(super) async fn manifest(visit: Visit) -> Outcome {
    let icon = |size: u32| {
        let src = super::statics::url(&format!("brand/icon-{size}.png")).unwrap_or_default();
        json!({ "src": src, "sizes": format!("{size}x{size}"), "type": "image/png" })
    };
    let manifest = json!({
        "name": visit.site()["name"], "short_name": visit.site()["name"],
        "start_url": "/", "display": "standalone",
        "background_color": "#f7f6f3", "theme_color": "#f7f6f3",
        "icons": [icon(192), icon(512)],
    });
    Ok(Response::builder()
        .content_type("application/manifest+json")
        .header(header::CACHE_CONTROL, "private, max-age=3600")
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .body(manifest.to_string()))
}

/// `/`, and every path that is no page: the router's wildcard takes the bare `/` as well, so that
/// the two cannot be told apart there.
pub(super) async fn front_or_nothing(visit: Visit) -> Outcome {
    if visit.path() == "/" {
        return home(visit).await;
    }
    Err(Refusal::new(StatusCode::NOT_FOUND, "Nothing is shown at this address."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_called_by_its_title_or_its_file() {
        let name = |media: Value| with_blanks(media)["name"].clone();
        assert_eq!(name(json!({ "title": "Beach", "filename": "a.jpg" })), "Beach");
        assert_eq!(name(json!({ "title": "  ", "filename": "a.jpg" })), "a.jpg");
        assert_eq!(name(json!({})), "Untitled");
    }

    #[test]
    fn a_listing_links_to_its_neighbours() {
        let list = listing(json!({ "items": [{}], "next": "a=b", "prev": null }), "/library?x=1");
        assert_eq!(list["older"], "/library?x=1&after=a%3Db");
        assert_eq!(list["newer"], Value::Null);
        assert_eq!(list["items"][0]["title"], Value::Null);
    }

    #[test]
    fn only_what_may_be_passed_on_has_a_preview() {
        let of = |visibility: &str, status: &str| {
            preview(&json!({ "visibility": visibility, "status": status, "urls": {} }))
        };
        assert!(of("public", "active").is_object() && of("unlisted", "active").is_object());
        assert!(of("private", "active").is_null() && of("public", "trashed").is_null());
    }

    #[test]
    fn an_original_that_no_browser_shows_is_not_put_on_the_page() {
        let of = |mime: &str, is_animated: bool| {
            picture(&json!({
                "mime": mime, "bytes": 9, "width": 900, "is_animated": is_animated,
                "urls": { "original": "/o" },
                "variants": [{ "name": "medium", "url": "/m", "width": 500 }],
            }))
        };
        assert_eq!(
            (&of("image/gif", true)["src"], &of("image/jpeg", false)["dense"]),
            (&json!("/o"), &json!(true))
        );
        for mime in NOT_SHOWN {
            let found = of(mime, true);
            assert_eq!((&found["src"], &found["dense"]), (&json!("/m"), &json!(false)), "{mime}");
        }
    }

    #[test]
    fn codes_keep_the_order_of_the_api() {
        let items = json!([{ "group": "Links", "name": "a" }, { "group": "HTML", "name": "b" },
            { "group": "Links", "name": "c" }]);
        let groups = groups(&items);
        assert_eq!(groups[0]["name"], "Links");
        assert_eq!(groups[0]["items"][1]["name"], "c");
        assert_eq!(groups[1]["items"][0]["name"], "b");
    }
}
