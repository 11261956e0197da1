//! An item as Chevereto shows it, which imgBB's clients read too.

use super::Taken;
use crate::{
    base::{Clock, clock::Millis},
    media::{Kind, Media, Role, Variant, poster},
    site::Links,
};
use serde_json::{Map, Value, json};

/// What stands in `image`.
pub(super) fn image(taken: &Taken, links: &Links) -> Value {
    let media = &taken.media;
    let files = Files::of(media, links);
    let mut all = words(media);
    all.extend(amounts(media, &files));
    all.extend(addresses(media, &files, links));
    let sums = taken.sums.as_ref();
    // The public file may have lost what is private, and has another sum then.
    let is_same = sums.is_some_and(|sums| sums.sha256 == media.sha256);
    let md5 = sums.map(|sums| hex(&sums.md5));
    all.insert("md5".to_owned(), json!(md5.as_ref().filter(|_| is_same)));
    all.insert("source_md5".to_owned(), json!(md5));
    all.insert("checksum".to_owned(), json!(format!("sha256:{}", hex(&media.sha256))));
    if let Some(url) = taken.delete_url(links) {
        all.insert("delete_url".to_owned(), json!(url));
    }
    Value::Object(all)
}

/// The files of an item, as objects.
pub(super) struct Files {
    pub whole: Value,
    pub thumb: Value,
    pub medium: Value,
    pub frame: Value,
}

impl Files {
    pub(super) fn of(media: &Media, links: &Links) -> Self {
        let variant = |name: &str| media.variant(name).map(|v| of_variant(media, v, links));
        let nothing = || {
            let keys = ["filename", "name", "mime", "extension", "url", "size"];
            keys.iter().map(|key| ((*key).to_owned(), Value::Null)).collect::<Map<_, _>>().into()
        };
        let whole = file(media, &media.file, &media.mime, media.bytes, links);
        Self {
            thumb: variant("thumb").unwrap_or_else(|| whole.clone()),
            medium: variant("medium").unwrap_or_else(nothing),
            frame: variant(poster::NAME).unwrap_or_else(nothing),
            whole,
        }
    }
}

fn of_variant(media: &Media, variant: &Variant, links: &Links) -> Value {
    file(media, &variant.file, &variant.mime, variant.bytes, links)
}

fn file(media: &Media, file: &str, mime: &str, bytes: u64, links: &Links) -> Value {
    let (name, extension) = split(file);
    json!({ "filename": file, "name": name, "mime": mime, "extension": extension,
        "url": links.to(&media.file_path(file)), "size": bytes })
}

fn split(file: &str) -> (&str, &str) {
    file.rsplit_once('.').unwrap_or((file, ""))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(all) => all,
        _ => Map::new(),
    }
}

fn words(media: &Media) -> Map<String, Value> {
    let (name, extension) = split(&media.file);
    let title = title(media);
    let short: String = title.chars().take(28).collect();
    let kind = if media.kind == Kind::Image { "image" } else { media.kind.as_str() };
    object(json!({
        "name": name,
        "extension": extension,
        "title": title,
        "display_title": title,
        "title_truncated": short,
        "title_truncated_html": escape(&short),
        "description": media.description,
        "tags": media.tags,
        "tags_string": media.tags.join(","),
        "original_filename": media.filename,
        // What the camera wrote is told to the owner only, by the item itself.
        "original_exifdata": null,
        "category_id": null,
        "type": kind,
        "mime": media.mime,
        "filename": media.file,
        "id_encoded": media.public_id.as_str(),
        "storage_mode": "direct",
        "nsfw": u8::from(media.nsfw),
        "is_animated": u8::from(media.is_animated),
        "is_approved": 1,
        "is_360": u8::from(media.metadata.is_360()),
        "is_use_loader": false,
        "views_label": "views",
        "likes_label": "likes",
        "how_long_ago": ago(media.created_at),
    }))
}

/// The title, or the name without its ending.
pub(super) fn title(media: &Media) -> &str {
    media.title.as_deref().unwrap_or_else(|| split(&media.filename).0)
}

fn amounts(media: &Media, files: &Files) -> Map<String, Value> {
    let has = |role, name| media.variant(name).is_some_and(|v| v.role == role);
    let size = |file: &Value| file.get("size").cloned().unwrap_or(Value::Null);
    let is_film = has(Role::Poster, poster::NAME);
    let (thumb, medium) = (has(Role::Picture, "thumb"), has(Role::Picture, "medium"));
    let chain = u8::from(thumb) | u8::from(medium) << 1 | 4 | u8::from(is_film) << 4;
    let seconds = media.duration_ms.unwrap_or(0).div_ceil(1000);
    let shown = media.variant("medium");
    let (width, height) = (media.width, media.height);
    object(json!({
        "size": media.bytes,
        "size_formatted": formatted(media.bytes),
        "width": width,
        "height": height,
        "ratio": f64::from(width) / f64::from(height.max(1)),
        "display_width": shown.map_or(width, |v| v.width),
        "display_height": shown.map_or(height, |v| v.height),
        "chain": chain,
        "thumb_size": size(&files.thumb),
        "medium_size": size(&files.medium),
        "frame_size": size(&files.frame),
        "duration": seconds,
        "duration_time": format!("{:02}:{:02}", seconds / 60, seconds % 60),
        "views": 0,
        "likes": 0,
    }))
}

fn addresses(media: &Media, files: &Files, links: &Links) -> Map<String, Value> {
    let url = |file: &Value| file.get("url").cloned().unwrap_or(Value::Null);
    let (whole, medium) = (url(&files.whole), url(&files.medium));
    let path = media.page_path();
    let (date, expires) = (day_and_time(media.created_at), media.expires_at.map(day_and_time));
    object(json!({
        "url": whole,
        "display_url": if medium.is_null() { &whole } else { &medium },
        "url_viewer": links.to(&path),
        "path_viewer": path,
        "url_short": links.to(&format!("/m/{}", media.public_id)),
        "url_frame": url(&files.frame),
        "image": files.whole,
        "thumb": files.thumb,
        "medium": files.medium,
        "frame": files.frame,
        "file": { "resource": { "type": "url", "chain": {
            "image": whole, "thumb": url(&files.thumb), "medium": medium } } },
        "date": date,
        "date_gmt": date,
        "date_fixed_peer": date,
        "expiration_date_gmt": expires,
    }))
}

/// A moment of UTC as `2026-01-31 09:30:00`.
pub(super) fn day_and_time(at: Millis) -> String {
    at.timestamp().strftime("%Y-%m-%d %H:%M:%S").to_string()
}

pub(super) fn ago(at: Millis) -> String {
    let minutes = (Clock::now().0 - at.0).max(0) / 60_000;
    let (count, unit) = match minutes {
        0 => return "moments ago".to_owned(),
        1..60 => (minutes, "minute"),
        60..1440 => (minutes / 60, "hour"),
        _ => (minutes / 1440, "day"),
    };
    format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" })
}

fn formatted(bytes: u64) -> String {
    let mut amount = bytes as f64;
    for unit in ["B", "KB", "MB"] {
        if amount < 1000.0 {
            return if unit == "B" { format!("{bytes} B") } else { format!("{amount:.1} {unit}") };
        }
        amount /= 1000.0;
    }
    format!("{amount:.1} GB")
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_ages_are_written_for_people() {
        assert_eq!(formatted(999), "999 B");
        assert_eq!(formatted(1_500), "1.5 KB");
        assert_eq!(formatted(25_000_000), "25.0 MB");
        assert_eq!(formatted(3_000_000_000_000), "3000.0 GB");
        let now = Clock::now();
        assert_eq!(ago(now), "moments ago");
        assert_eq!(ago(now.plus_ms(-61_000)), "1 minute ago");
        assert_eq!(ago(now.plus_days(-3)), "3 days ago");
        assert_eq!(day_and_time(Millis(1_769_851_800_123)), "2026-01-31 09:30:00");
    }
}
