//! Lsky Pro's API v1, `/api/v1`, what reads: images, albums, profile and strategies.

use super::{
    Call,
    lsky::{answer, unsupported},
    receive::Words,
    shown,
};
use crate::{
    accounts::{Actor, Scope, caller::presented_token},
    albums::{self, Album, listing::Wanted},
    base::{
        Error, Result,
        page::{Ask, From, Limit as PageLimit},
    },
    media::{Media, embed, numbered},
    site::Links,
    tenancy::{Tenant, limits::Limit},
};
use poem::Response;
use serde_json::{Value, json};

/// An image, as it is listed and as an upload is answered.
pub(super) fn image(media: &Media, links: &Links) -> Value {
    let codes = embed::codes(media, links);
    let code = |name: &str| codes.iter().find(|code| code.name == name).map(|code| &code.code);
    let extension = media.file.rsplit_once('.').map_or("", |(_, extension)| extension);
    json!({
        "key": media.public_id.as_str(),
        "name": media.file,
        "pathname": media.file_path(&media.file).trim_start_matches('/'),
        "origin_name": media.filename,
        // In KB.
        "size": media.bytes as f64 / 1024.0,
        "width": media.width,
        "height": media.height,
        "mimetype": media.mime,
        "extension": extension,
        "md5": null,
        "sha1": null,
        "human_date": shown::ago(media.created_at),
        "date": shown::day_and_time(media.created_at),
        "links": {
            "url": code("direct_link"),
            "html": code("html_original"),
            "bbcode": code("bbcode_original"),
            "markdown": code("markdown_original"),
            "markdown_with_link": code("markdown_medium_linked"),
            "thumbnail_url": code("thumb_link"),
        },
    })
}

async fn reader(call: &Call, scope: Scope) -> Result<Actor> {
    let actor = call.actor(presented_token(call.req.headers()).as_ref()).await?;
    actor.need_scope(scope)?;
    Ok(actor)
}

/// `GET /api/v1/images`: one's own, newest first.
pub(super) async fn images(call: Call) -> Response {
    answer(list_images(&call).await)
}

async fn list_images(call: &Call) -> Result<Value> {
    let actor = reader(call, Scope::MediaRead).await?;
    let query = Words::of_query(&call.req);
    if query.get("order").is_some_and(|order| order != "newest") {
        return Err(unsupported("order"));
    }
    // Without these a list would have what was not asked for.
    for filter in ["keyword", "permission", "album_id"] {
        if query.get(filter).is_some() {
            return Err(Error::invalid("filter", format!("`{filter}` is not understood here")));
        }
    }
    let number = page_number(&query)?;
    let page = numbered::mine(&call.tenant, &actor, number).await?;
    let items: Vec<Value> = page.items.iter().map(|media| image(media, &call.links)).collect();
    let path = call.links.to("/api/v1/images");
    Ok(paginated(items, number, page.total, &path))
}

fn page_number(query: &Words) -> Result<u32> {
    let number = query.get("page").map_or(Some(1), |text| text.parse().ok());
    number.filter(|n| *n > 0).ok_or_else(|| Error::invalid("page", "must be a number from 1 on"))
}

/// A page as Laravel numbers them.
fn paginated(items: Vec<Value>, number: u32, total: u64, path: &str) -> Value {
    let (per_page, current) = (u64::from(numbered::PER_PAGE), u64::from(number));
    let last = total.div_ceil(per_page).max(1);
    let at = |number: u64| format!("{path}?page={number}");
    let first_item = (current - 1) * per_page + 1;
    let has_items = !items.is_empty();
    let last_item = first_item + items.len() as u64 - 1;
    json!({
        "current_page": current,
        "data": items,
        "first_page_url": at(1),
        "from": has_items.then_some(first_item),
        "last_page": last,
        "last_page_url": at(last),
        "next_page_url": (current < last).then(|| at(current + 1)),
        "path": path,
        "per_page": per_page,
        "prev_page_url": (current > 1).then(|| at(current - 1)),
        "to": has_items.then_some(last_item),
        "total": total,
    })
}

/// `GET /api/v1/albums`: one's own, newest first.
pub(super) async fn albums(call: Call) -> Response {
    answer(list_albums(&call).await)
}

async fn list_albums(call: &Call) -> Result<Value> {
    let actor = reader(call, Scope::MediaRead).await?;
    let query = Words::of_query(&call.req);
    let number = page_number(&query)?;
    let all = all_albums(&call.tenant, &actor).await?;
    let (per_page, skip) = (numbered::PER_PAGE as usize, (number - 1) as usize);
    let shown = all.iter().skip(skip.saturating_mul(per_page)).take(per_page);
    let item = |album: &Album| {
        json!({ "id": album.public_id.as_str(), "name": album.title,
            "intro": album.description.as_deref().unwrap_or_default(),
            "image_num": album.items })
    };
    let path = call.links.to("/api/v1/albums");
    Ok(paginated(shown.map(item).collect(), number, all.len() as u64, &path))
}

/// All albums of somebody: numbered pages need their count.
async fn all_albums(tenant: &Tenant, actor: &Actor) -> Result<Vec<Album>> {
    let wanted = Wanted::parse(Some("me"), None)?;
    let mut ask = Ask::parse(Some(PageLimit::MOST), None, None)?;
    let mut all = Vec::new();
    loop {
        let page = albums::list(tenant, actor, wanted.clone(), ask).await?;
        all.extend(page.items);
        match page.next {
            Some(next) => ask.from = From::After(next),
            None => return Ok(all),
        }
    }
}

/// `GET /api/v1/profile`
pub(super) async fn profile(call: Call) -> Response {
    answer(read_profile(&call).await)
}

async fn read_profile(call: &Call) -> Result<Value> {
    let actor = reader(call, Scope::AccountRead).await?;
    let user = actor.user().ok_or(Error::Unauthenticated)?;
    let albums = all_albums(&call.tenant, &actor).await?.len();
    let (count, bytes) = numbered::total(&call.tenant, &actor).await?;
    let most = call.tenant.allowance().limit(Limit::MaxBytesStored);
    let kilobytes = |bytes: u64| bytes as f64 / 1024.0;
    Ok(json!({
        "username": user.username,
        "name": user.username,
        "avatar": "",
        "email": user.email,
        // In KB; what the whole site may have.
        "capacity": most.map(kilobytes),
        "size": kilobytes(bytes),
        "used_capacity": kilobytes(bytes),
        "url": call.links.to("/"),
        "image_num": count,
        "album_num": albums,
        "registered_ip": "",
    }))
}

/// `GET /api/v1/strategies`: where a file goes is for the site to say, so there is one.
pub(super) async fn strategies(call: Call) -> Response {
    let strategies = json!({ "strategies": [{ "id": 1, "name": "Default" }] });
    answer(reader(&call, Scope::MediaRead).await.map(|_| strategies))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_know_their_neighbours() {
        let page = paginated(vec![json!(1)], 3, 81, "/x");
        assert_eq!((&page["from"], &page["to"]), (&json!(81), &json!(81)));
        assert_eq!((&page["last_page"], &page["next_page_url"]), (&json!(3), &json!(null)));
        assert_eq!(page["prev_page_url"], "/x?page=2");
        let empty = paginated(Vec::new(), 1, 0, "/x");
        assert_eq!((&empty["last_page"], &empty["from"]), (&json!(1), &json!(null)));
    }
}
