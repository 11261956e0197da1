//! oEmbed (oembed.com, version 1.0): how another site shows an item whose address it was given.

use super::{Kind, Media, embed, listing, poster};
use crate::{
    accounts::Actor,
    base::{Error, Result},
    site::{self, Links},
    tenancy::Tenant,
};
use url::Url;

/// What the other site is told.
pub(super) struct Oembed {
    pub media: Media,
    pub site: String,
    /// The picture that fits into the room there is, with its width and height.
    pub picture: Picture,
    /// The small picture.
    pub thumbnail: Option<Picture>,
    /// A player, where the item is not a picture.
    pub html: Option<String>,
}

pub(super) struct Picture {
    pub url: String,
    pub width: u32,
    pub height: u32,
}

/// Finds what an address on this site shows.
///
/// # Errors
/// `Invalid` for what is no address; `NotFound` for one that shows no item here, or none that the
/// actor may see.
pub(super) async fn find(
    tenant: &Tenant,
    actor: &Actor,
    links: &Links,
    address: &str,
    room: (Option<u32>, Option<u32>),
) -> Result<Oembed> {
    let id = item_of(address, links)?;
    let media = listing::find(tenant, actor, &id).await?;
    if media.trashed_at.is_some() {
        return Err(Error::NotFound("media"));
    }
    let site = tenant.read(site::settings::load).await?.name;
    let html = (media.kind != Kind::Image).then(|| embed::whole(&media, links));
    let thumbnail = media.variant("thumb").map(|v| at(&media, links, &v.file, v.width, v.height));
    Ok(Oembed { picture: fitting(&media, links, room), thumbnail, html, site, media })
}

/// The id in the address of an item's page or of one of its files.
fn item_of(address: &str, links: &Links) -> Result<String> {
    let url = Url::parse(address).map_err(|_| Error::invalid("url", "is no address"))?;
    let own = Url::parse(&links.to("/")).map_err(|e| Error::internal(e.to_string()))?;
    if url.host_str() != own.host_str() {
        return Err(Error::NotFound("media"));
    }
    let mut parts = url.path_segments().ok_or(Error::NotFound("media"))?;
    match (parts.next(), parts.next()) {
        (Some("m" | "f"), Some(id)) => Ok(id.to_owned()),
        _ => Err(Error::NotFound("media")),
    }
}

/// The largest picture of the item that fits, or its smallest where none does.
fn fitting(media: &Media, links: &Links, (width, height): (Option<u32>, Option<u32>)) -> Picture {
    let fits = |picture: &Picture| {
        width.is_none_or(|most| picture.width <= most)
            && height.is_none_or(|most| picture.height <= most)
    };
    let mut all: Vec<Picture> = ["thumb", "medium", poster::NAME]
        .into_iter()
        .filter_map(|name| media.variant(name))
        .map(|v| at(media, links, &v.file, v.width, v.height))
        .collect();
    if embed::shows_original(media) {
        all.push(at(media, links, &media.file, media.width, media.height));
    }
    all.sort_by_key(|picture| u64::from(picture.width) * u64::from(picture.height));
    let best = all.iter().rposition(fits).unwrap_or(0);
    if all.is_empty() {
        return at(media, links, &media.file, media.width, media.height);
    }
    all.swap_remove(best)
}

fn at(media: &Media, links: &Links, file: &str, width: u32, height: u32) -> Picture {
    Picture { url: links.to(&media.file_path(file)), width, height }
}
