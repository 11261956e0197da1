//! Addresses and codes of an item over HTTP: parse, call, shape. No rule lives here.

use super::{api::Tag, embed, listing, shape::Shape, sign, view::EmbedListView};
use crate::{
    accounts::{
        Caller, Visitor,
        caller::{ReadMedia, WriteMedia},
    },
    base::{Error, Result},
    http::{Problem, json::JsonBody},
    imaging::Output,
    site::{FitWord, Links},
};
use poem_openapi::{ApiResponse, Object, OpenApi, param::Path, payload::Json, types::Example};

pub struct MediaLinksApi;

#[OpenApi(tag = "Tag::Media")]
impl MediaLinksApi {
    /// Sign the address of a file
    ///
    /// Whoever has the signed address may fetch this one file until it expires.
    #[oai(path = "/media/:id/signed-url", method = "post", operation_id = "create_signed_url")]
    async fn sign(
        &self,
        caller: Caller<WriteMedia>,
        /// The item's id.
        id: Path<String>,
        body: JsonBody<SignRequest>,
    ) -> Result<SignedUrl, Problem> {
        let variant = body.0.variant.as_deref().unwrap_or("original");
        let expires_in = body.0.expires_in.unwrap_or(sign::DEFAULT_MS);
        let (tenant, actor) = (&caller.tenant, &caller.actor);
        let signed = sign::sign(tenant, actor, &id, variant, expires_in).await?;
        let url = Links::of(tenant, &caller.client).to(&signed.path);
        let expires_at = signed.expires_at.to_rfc3339();
        Ok(SignedUrl::Created(Json(SignedUrlView { url, expires_at })))
    }

    /// Get the address of a picture in another size
    ///
    /// The picture is made when somebody first asks for it. The address does not expire, and
    /// opens nothing that its asker may not see.
    #[oai(path = "/media/:id/renderings", method = "post", operation_id = "create_rendering_url")]
    async fn render(
        &self,
        caller: Caller<WriteMedia>,
        /// The item's id.
        id: Path<String>,
        body: JsonBody<RenderRequest>,
    ) -> Result<RenderUrl, Problem> {
        let shape = body.0.shape()?;
        let path = shape.sign(&caller.tenant, &caller.actor, &id).await?;
        let url = Links::of(&caller.tenant, &caller.client).to(&path);
        Ok(RenderUrl::Created(Json(RenderUrlView { url })))
    }

    /// Get an item's embed codes
    #[oai(path = "/media/:id/embeds", method = "get", operation_id = "list_embeds")]
    async fn embeds(
        &self,
        visitor: Visitor<ReadMedia>,
        /// The item's id.
        id: Path<String>,
    ) -> Result<Json<EmbedListView>, Problem> {
        let media = listing::find(&visitor.tenant, &visitor.actor, &id).await?;
        let links = Links::of(&visitor.tenant, &visitor.client);
        Ok(Json(EmbedListView::new(embed::codes(&media, &links))))
    }
}

#[derive(ApiResponse)]
enum SignedUrl {
    /// The signed address.
    #[oai(status = 201)]
    Created(Json<SignedUrlView>),
}

#[derive(ApiResponse)]
enum RenderUrl {
    /// The address.
    #[oai(status = 201)]
    Created(Json<RenderUrlView>),
}

#[derive(Object)]
#[oai(deny_unknown_fields, example = true)]
struct SignRequest {
    /// `original`, or the name of a variant; `original` without it.
    variant: Option<String>,
    /// How long the address is good, in milliseconds; an hour without it.
    expires_in: Option<i64>,
}

impl Example for SignRequest {
    fn example() -> Self {
        Self { variant: Some("medium".to_owned()), expires_in: Some(3_600_000) }
    }
}

#[derive(Object)]
#[oai(rename = "SignedUrl", example = true)]
struct SignedUrlView {
    url: String,
    expires_at: String,
}

impl Example for SignedUrlView {
    fn example() -> Self {
        Self {
            url:
                "https://media.example/f/8fKq2ZtP9x/beach.medium.jpg?expires=1769853600&signature=…"
                    .to_owned(),
            expires_at: "2026-01-31T10:00:00.000Z".to_owned(),
        }
    }
}

/// A picture in another size. One of the two sides may be missing where the fit is `contain`.
#[derive(Object)]
#[oai(deny_unknown_fields, example = true)]
struct RenderRequest {
    /// In pixels. No picture is made larger than its original.
    #[oai(validator(minimum(value = "1"), maximum(value = "16383")))]
    width: Option<u32>,
    #[oai(validator(minimum(value = "1"), maximum(value = "16383")))]
    height: Option<u32>,
    /// `contain`, all of the picture inside the frame, or `cover`, its middle filling the frame;
    /// `contain` without it.
    fit: Option<String>,
    /// `auto`, `jpeg`, `png`, `webp` or `avif`; `auto` without it, which goes by what the client accepts.
    format: Option<String>,
    /// 1 to 100; what the site uses without it.
    #[oai(validator(minimum(value = "1"), maximum(value = "100")))]
    quality: Option<u8>,
}

impl RenderRequest {
    fn shape(self) -> Result<Shape> {
        let fit = self.fit.as_deref().map_or(Some(FitWord::default()), FitWord::find);
        let output = self.format.as_deref().map_or(Ok(Output::default()), Output::parse);
        Ok(Shape {
            width: self.width,
            height: self.height,
            fit: fit.ok_or_else(|| Error::invalid("fit", "must be contain or cover"))?,
            output: output.map_err(|why| Error::invalid("format", why))?,
            quality: self.quality,
        })
    }
}

impl Example for RenderRequest {
    fn example() -> Self {
        Self { width: Some(800), height: None, fit: None, format: None, quality: None }
    }
}

#[derive(Object)]
#[oai(rename = "RenderingUrl", example = true)]
struct RenderUrlView {
    url: String,
}

impl Example for RenderUrlView {
    fn example() -> Self {
        let url = "https://media.example/f/8fKq2ZtP9x/beach.jpg?w=800&fit=contain&fmt=auto&sig=…";
        Self { url: url.to_owned() }
    }
}
