//! oEmbed over HTTP: parse, call, shape. No rule lives here.

use super::{
    Kind,
    api::Tag,
    oembed::{self, Oembed},
};
use crate::{
    accounts::{Visitor, caller::ReadMedia},
    http::Problem,
    site::Links,
};
use poem_openapi::{Object, OpenApi, param::Query, payload::Json, types::Example};

pub struct OembedApi;

#[OpenApi(tag = "Tag::Media")]
impl OembedApi {
    /// Get how to embed an address
    ///
    /// [oEmbed](https://oembed.com) 1.0, for the address of an item's page or of one of its files.
    /// Consumers find it at `/oembed`, where there is XML as well.
    #[oai(path = "/oembed", method = "get", operation_id = "get_oembed")]
    async fn oembed(
        &self,
        visitor: Visitor<ReadMedia>,
        /// The address.
        url: Query<String>,
        /// The widest picture that there is room for, in pixels.
        maxwidth: Query<Option<u32>>,
        /// The highest picture that there is room for, in pixels.
        maxheight: Query<Option<u32>>,
    ) -> Result<Json<OembedView>, Problem> {
        let links = Links::of(&visitor.tenant, &visitor.client);
        let room = (maxwidth.0, maxheight.0);
        let found = oembed::find(&visitor.tenant, &visitor.actor, &links, &url, room).await?;
        Ok(Json(OembedView::new(found, &links)))
    }
}

/// An answer as oEmbed has it.
#[derive(Object)]
#[oai(rename = "Oembed", skip_serializing_if_is_none, example = true)]
struct OembedView {
    version: String,
    /// `photo`, `video` or `rich`.
    #[oai(rename = "type")]
    kind: String,
    title: String,
    author_name: String,
    author_url: String,
    provider_name: String,
    provider_url: String,
    /// The picture, of a photo.
    url: Option<String>,
    /// The player, of anything else.
    html: Option<String>,
    width: u32,
    height: u32,
    thumbnail_url: Option<String>,
    thumbnail_width: Option<u32>,
    thumbnail_height: Option<u32>,
    /// For how many seconds it may be believed.
    cache_age: u32,
}

impl OembedView {
    fn new(found: Oembed, links: &Links) -> Self {
        let Oembed { media, site, picture, thumbnail, html } = found;
        let (thumbnail_url, size) = match thumbnail {
            Some(thumb) => (Some(thumb.url), Some((thumb.width, thumb.height))),
            None => (None, None),
        };
        Self {
            version: "1.0".to_owned(),
            kind: match media.kind {
                Kind::Image => "photo",
                Kind::Video => "video",
                Kind::Audio => "rich",
            }
            .to_owned(),
            title: media.title.unwrap_or(media.filename),
            author_url: links.to(&format!("/explore?owner={}", media.owner.username)),
            author_name: media.owner.username,
            provider_name: site,
            provider_url: links.to("/"),
            url: (media.kind == Kind::Image).then_some(picture.url),
            html,
            width: picture.width,
            height: picture.height,
            thumbnail_url,
            thumbnail_width: size.map(|(width, _)| width),
            thumbnail_height: size.map(|(_, height)| height),
            cache_age: 3_600,
        }
    }
}

impl Example for OembedView {
    fn example() -> Self {
        let at = |path: &str| format!("https://media.example{path}");
        Self {
            version: "1.0".to_owned(),
            kind: "photo".to_owned(),
            title: "At the beach".to_owned(),
            author_name: "ana".to_owned(),
            author_url: at("/explore?owner=ana"),
            provider_name: "Vitrina".to_owned(),
            provider_url: at("/"),
            url: Some(at("/f/8fKq2ZtP9x/beach.medium.jpg")),
            html: None,
            width: 1_200,
            height: 900,
            thumbnail_url: Some(at("/f/8fKq2ZtP9x/beach.thumb.jpg")),
            thumbnail_width: Some(320),
            thumbnail_height: Some(320),
            cache_age: 3_600,
        }
    }
}
