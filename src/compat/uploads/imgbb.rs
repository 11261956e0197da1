//! imgBB's API v1, `/1/upload`: the key stands in the query, the file in `image`.

use super::{
    Call, Taken,
    chevereto::{Refusal, lifetime, written},
    cut,
    receive::{Wanted, Words, receive},
    shown,
};
use crate::{
    accounts::caller::presented_token,
    base::{Result, text::Title},
    media::upload::Details,
};
use poem::{IntoResponse, Response, http::StatusCode};
use serde_json::{Value, json};

const WANTED: Wanted = Wanted { file: &["image"], words: &["name", "expiration"], key: true };

/// `POST /1/upload`
pub(super) async fn upload(mut call: Call) -> Response {
    let token = presented_token(call.req.headers());
    let (words, received) = receive(&mut call, token, &WANTED).await;
    let taken = match (received, said(&words)) {
        (Ok(received), Ok(details)) => call.take_in(received, details).await,
        (Err(error), _) | (_, Err(error)) => Err(error),
    };
    match taken {
        Ok(taken) => {
            let body = json!({ "data": data(&call, &taken), "success": true, "status": 200 });
            written(StatusCode::OK, &body)
        }
        Err(error) => Refusal::of(error).into_response(),
    }
}

fn said(words: &Words) -> Result<Details> {
    Ok(Details {
        title: Title::parse(&cut(words.get("name").unwrap_or_default()))?,
        expires_in_ms: words.get("expiration").map(lifetime).transpose()?.flatten(),
        ..Details::default()
    })
}

fn data(call: &Call, taken: &Taken) -> Value {
    let (media, links) = (&taken.media, &call.links);
    let files = shown::Files::of(media, links);
    let whole = links.to(&media.file_path(&media.file));
    let display = media.variant("medium").map_or(&media.file, |medium| &medium.file);
    let left_ms = media.expires_at.map_or(0, |at| (at.0 - media.created_at.0).max(0));
    json!({
        "id": media.public_id.as_str(),
        "title": shown::title(media),
        "url_viewer": links.to(&media.page_path()),
        "url": whole,
        "display_url": links.to(&media.file_path(display)),
        "width": media.width,
        "height": media.height,
        "size": media.bytes,
        "time": media.created_at.0 / 1000,
        "expiration": left_ms / 1000,
        "image": files.whole,
        "thumb": files.thumb,
        "medium": files.medium,
        "delete_url": taken.delete_url(links),
    })
}
