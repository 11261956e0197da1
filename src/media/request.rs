//! What clients send to upload: a form with a file in it, or JSON with a URL or base64.

use super::{
    albums, expiry,
    upload::{Details, Receiving},
};
use crate::{
    base::{
        Error, Result,
        text::{Description, Filename, Tag, Title},
        visibility::Visibility,
    },
    http::{
        Problem,
        json::LargeJsonBody,
        multipart::{FilePart, Part, Parts},
    },
};
use poem::{Request, RequestBody, http::header};
use poem_openapi::{
    ApiRequest, Object,
    payload::{ParsePayload, Payload},
    registry::{MetaSchema, MetaSchemaRef, Registry},
    types::{Example, Type},
};

// There is one for each request, and it is taken apart at once.
#[allow(clippy::large_enum_variant)]
#[derive(ApiRequest)]
pub(super) enum UploadRequest {
    Form(Form),
    Json(LargeJsonBody<FromElsewhere>),
}

/// A file that lies elsewhere, or inside this very request. Exactly one of `url` and `base64`.
#[derive(Object)]
#[oai(rename = "UploadFrom", deny_unknown_fields, example = true)]
pub(super) struct FromElsewhere {
    /// Where to fetch the file, `http` or `https`.
    pub url: Option<String>,
    /// The file itself, with or without a `data:` prefix.
    pub base64: Option<String>,
    /// What the file is called; of use with `base64`.
    pub filename: Option<String>,
    pub title: Option<String>,
    pub description: Option<String>,
    pub tags: Option<Vec<String>>,
    /// Not for every eye.
    pub nsfw: Option<bool>,
    /// `public`, `unlisted` or `private`; the site's default without it.
    pub visibility: Option<String>,
    /// The id of the album of yours to put it into.
    pub album: Option<String>,
    /// How long the item lives: milliseconds, or a duration like `PT1H` or `30d`.
    pub expires_in: Option<String>,
    /// Scale the picture down to this width, in pixels.
    pub width: Option<u32>,
    /// Keep a second copy of a file that you have here already.
    pub allow_duplicate: Option<bool>,
}

impl Example for FromElsewhere {
    fn example() -> Self {
        Self {
            url: Some("https://example.org/beach.jpg".to_owned()),
            base64: None,
            filename: None,
            title: Some("At the beach".to_owned()),
            description: None,
            tags: Some(vec!["sea".to_owned()]),
            nsfw: None,
            visibility: Some("unlisted".to_owned()),
            album: None,
            expires_in: None,
            width: None,
            allow_duplicate: None,
        }
    }
}

impl FromElsewhere {
    pub(super) fn details(&self) -> Result<Details> {
        Ok(Details {
            title: Title::parse(self.title.as_deref().unwrap_or_default())?,
            description: Description::parse(self.description.as_deref().unwrap_or_default())?,
            tags: Tag::parse_list(self.tags.iter().flatten().map(String::as_str))?,
            nsfw: self.nsfw.unwrap_or(false),
            visibility: parse_visibility(self.visibility.as_deref())?,
            album: self.album.as_deref().map(albums::parse).transpose()?,
            expires_in_ms: self.expires_in.as_deref().map(expiry::parse).transpose()?,
            width: check_width(self.width)?,
            allow_duplicate: self.allow_duplicate.unwrap_or(false),
            ..Details::default()
        })
    }
}

fn parse_visibility(text: Option<&str>) -> Result<Option<Visibility>> {
    text.map(|t| Visibility::parse("visibility", t)).transpose()
}

fn check_width(width: Option<u32>) -> Result<Option<u32>> {
    match width {
        Some(w) if !(1..=65_500).contains(&w) => {
            Err(Error::invalid("width", "must be from 1 to 65500 pixels"))
        }
        width => Ok(width),
    }
}

/// A form whose parts are read one by one, by whoever handles the upload.
pub(super) struct Form(Parts);

impl Form {
    /// Reads the form: the file goes to `receiving`, and the rest is checked. The parts may come
    /// in any order.
    pub(super) async fn receive(
        mut self,
        receiving: &mut Receiving,
    ) -> Result<(Filename, Details)> {
        let mut fields = Fields::default();
        let mut filename = None;
        while let Some(part) = self.0.next().await? {
            match part {
                Part::File(file) if file.name == "file" && filename.is_none() => {
                    filename = Some(Filename::from_client(&file.filename));
                    copy(file, receiving).await?;
                }
                Part::File(file) if file.name == "file" => {
                    return Err(Error::invalid("file", "may be sent once: one upload, one file"));
                }
                Part::File(file) => return Err(unknown(&file.name)),
                Part::Text { name, value } => fields.set(&name, &value)?,
            }
        }
        let filename = filename.ok_or_else(|| Error::invalid("file", "is missing"))?;
        Ok((filename, fields.details()?))
    }
}

async fn copy(mut file: Box<FilePart>, receiving: &mut Receiving) -> Result<()> {
    while let Some(chunk) = file.chunk().await? {
        receiving.write(&chunk).await?;
    }
    Ok(())
}

/// A field that is not understood is refused: a misspelt `visibility` must not publish.
fn unknown(name: &str) -> Error {
    let name: String = name.chars().take(64).collect();
    Error::invalid("form", format!("has the unknown field `{name}`"))
}

/// What is said about an upload, field by field. An empty one counts as not sent.
#[derive(Default)]
pub struct Fields {
    details: Details,
    tags: Vec<String>,
}

impl Fields {
    /// # Errors
    /// `Invalid` for a field that no upload has, and for a value that it does not take.
    pub fn set(&mut self, name: &str, value: &str) -> Result<()> {
        let details = &mut self.details;
        if value.trim().is_empty() && KNOWN.contains(&name) {
            return Ok(());
        }
        match name {
            "title" => details.title = Title::parse(value)?,
            "description" => details.description = Description::parse(value)?,
            "tags" | "tags[]" => self.tags.push(value.to_owned()),
            "nsfw" => details.nsfw = flag("nsfw", value)?,
            "visibility" => details.visibility = parse_visibility(Some(value.trim()))?,
            "album" => details.album = Some(albums::parse(value)?),
            "expires_in" => details.expires_in_ms = Some(expiry::parse(value)?),
            "width" => {
                let width = value.trim().parse();
                details.width = check_width(Some(width.unwrap_or(0)))?;
            }
            "allow_duplicate" => details.allow_duplicate = flag("allow_duplicate", value)?,
            "file" => return Err(Error::invalid("file", "must be a file, with a file name")),
            other => return Err(unknown(other)),
        }
        Ok(())
    }

    pub fn details(mut self) -> Result<Details> {
        self.details.tags = Tag::parse_list(self.tags.iter().map(String::as_str))?;
        Ok(self.details)
    }
}

const KNOWN: [&str; 10] = [
    "title",
    "description",
    "tags",
    "tags[]",
    "nsfw",
    "visibility",
    "album",
    "expires_in",
    "width",
    "allow_duplicate",
];

/// The spellings that HTML forms and command lines produce.
fn flag(field: &'static str, value: &str) -> Result<bool> {
    match value.trim() {
        "true" | "1" | "on" | "yes" => Ok(true),
        "false" | "0" | "off" | "no" => Ok(false),
        _ => Err(Error::invalid(field, "must be true or false")),
    }
}

impl Payload for Form {
    const CONTENT_TYPE: &'static str = "multipart/form-data";

    fn check_content_type(content_type: &str) -> bool {
        content_type.trim_start().to_ascii_lowercase().starts_with(Self::CONTENT_TYPE)
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Reference("UploadForm".to_owned())
    }

    fn register(registry: &mut Registry) {
        let text = |description| property("string", None, description);
        let flag = |description| property("boolean", None, description);
        let tags = MetaSchema {
            items: Some(Box::new(String::schema_ref())),
            description: Some("May be repeated, or hold several parted by commas."),
            ..MetaSchema::new("array")
        };
        let schema = MetaSchema {
            description: Some("A file and what is said about it, in any order."),
            required: vec!["file"],
            properties: vec![
                ("file", property("string", Some("binary"), "The file.")),
                ("title", text("A caption of up to 200 characters.")),
                ("description", text("Up to 10,000 characters.")),
                ("tags", MetaSchemaRef::Inline(Box::new(tags))),
                ("nsfw", flag("Not for every eye.")),
                ("visibility", text("`public`, `unlisted` or `private`.")),
                ("album", text("The id of the album of yours to put it into.")),
                ("expires_in", text("Milliseconds, or a duration like `PT1H` or `30d`.")),
                ("width", property("integer", Some("uint32"), "Scale down to this width.")),
                ("allow_duplicate", flag("Keep a second copy of a file that you have already.")),
            ],
            ..MetaSchema::new("object")
        };
        registry.schemas.entry("UploadForm".to_owned()).or_insert(schema);
    }
}

fn property(
    ty: &'static str,
    format: Option<&'static str>,
    description: &'static str,
) -> MetaSchemaRef {
    let schema = MetaSchema { format, description: Some(description), ..MetaSchema::new(ty) };
    MetaSchemaRef::Inline(Box::new(schema))
}

impl ParsePayload for Form {
    const IS_REQUIRED: bool = true;

    async fn from_request(req: &Request, body: &mut RequestBody) -> poem::Result<Self> {
        let content_type = req.header(header::CONTENT_TYPE).unwrap_or_default();
        let parts = Parts::new(content_type, body.take()?.into_bytes_stream());
        Ok(Self(parts.map_err(Problem::from)?))
    }
}
