//! Ready-made settings over HTTP: parse, call, shape. No rule lives here.

use super::{
    Link, Style,
    sharex::{self, Uploader},
    upload_script,
};
use crate::{
    accounts::{
        Actor, Caller, Proof, Scope,
        caller::{self, WriteMedia},
        token,
    },
    base::{Error, Result, secret::Secret, text::Label},
    http::Problem,
    site::{self, Links},
};
use poem::Request;
use poem_openapi::{
    ApiResponse, Object, OpenApi, Tags,
    param::Query,
    payload::{Binary, Json},
    types::Example,
};
use std::collections::HashMap;

pub struct ConnectApi;

#[derive(Tags)]
enum Tag {
    /// Settings for programs that upload.
    Connect,
}

#[OpenApi(tag = "Tag::Connect")]
impl ConnectApi {
    /// Get settings for ShareX
    ///
    /// A `.sxcu` file for ShareX 14 and programs that read the same. It holds a token: the one
    /// that asks, or for a signed-in browser a new one, which is listed among the tokens of the
    /// account.
    #[oai(path = "/sharex.sxcu", method = "get", operation_id = "get_sharex_uploader")]
    async fn sharex(
        &self,
        req: &Request,
        caller: Caller<WriteMedia>,
        /// The contract to speak: `vitrina`, `chevereto`, `lsky` or `text`; `vitrina` without it.
        style: Query<Option<String>>,
        /// What is copied after an upload: `view`, the page, or `direct`, the file; `view` without
        /// it.
        link: Query<Option<String>>,
    ) -> Result<Settings, Problem> {
        let style = Style::parse(style.as_deref())?;
        let link = Link::parse(link.as_deref())?;
        let name = caller.tenant.read(site::settings::load).await?.name;
        let origin = Links::of(&caller.tenant, &caller.client).to("");
        let token = token_for(req, &caller, "ShareX").await?;
        let file = sharex::uploader(&name, &origin, token.expose(), style, link);
        let host = origin.split("://").last().unwrap_or_default().replace(':', "-");
        let attachment = format!("attachment; filename=\"{host}.sxcu\"");
        Ok(Settings::File(Json(UploaderView::new(file)), attachment, NO_STORE.to_owned()))
    }

    /// Get a script that uploads
    ///
    /// For the shell, and for Flameshot, ksnip, Spectacle and others that can run one. It holds a
    /// token: the one that asks, or for a signed-in browser a new one.
    #[oai(path = "/upload.sh", method = "get", operation_id = "get_upload_script")]
    async fn script(&self, req: &Request, caller: Caller<WriteMedia>) -> Result<Script, Problem> {
        let origin = Links::of(&caller.tenant, &caller.client).to("");
        let token = token_for(req, &caller, "upload.sh").await?;
        let text = upload_script(&origin, token.expose());
        let attachment = "attachment; filename=\"upload.sh\"".to_owned();
        Ok(Script::File(Binary(text.into_bytes()), attachment, NO_STORE.to_owned()))
    }
}

/// The answer holds a secret.
const NO_STORE: &str = "no-store";

/// The token that asks, or a new one for a browser whose person wants this.
async fn token_for(req: &Request, caller: &Caller<WriteMedia>, name: &str) -> Result<Secret> {
    if let Actor::Member(_, Proof::Token(_)) = &caller.actor {
        return caller::presented_token(req.headers()).ok_or(Error::Unauthenticated);
    }
    if !caller::is_asked_for_here(req.headers(), &caller.client) {
        return Err(Error::CrossSite);
    }
    let scopes = vec![Scope::MediaRead, Scope::MediaWrite];
    let name = Label::parse("name", name)?;
    let (_, secret) = token::create(&caller.tenant, &caller.actor, name, scopes, None).await?;
    Ok(secret)
}

#[derive(ApiResponse)]
enum Settings {
    /// The file.
    #[oai(status = 200)]
    File(
        Json<UploaderView>,
        /// That it is to be saved, and under which name.
        #[oai(header = "Content-Disposition")]
        String,
        /// That nobody is to keep it on the way.
        #[oai(header = "Cache-Control")]
        String,
    ),
}

#[derive(ApiResponse)]
enum Script {
    /// The script.
    #[oai(status = 200)]
    File(
        Binary<Vec<u8>>,
        /// That it is to be saved, and under which name.
        #[oai(header = "Content-Disposition")]
        String,
        /// That nobody is to keep it on the way.
        #[oai(header = "Cache-Control")]
        String,
    ),
}

/// A `CustomUploaderItem` of ShareX.
#[derive(Object)]
#[oai(
    rename = "SharexUploader",
    rename_all = "PascalCase",
    skip_serializing_if_is_none,
    example = true
)]
struct UploaderView {
    version: String,
    name: String,
    destination_type: String,
    request_method: String,
    #[oai(rename = "RequestURL")]
    request_url: String,
    headers: HashMap<String, String>,
    body: String,
    arguments: Option<HashMap<String, String>>,
    file_form_name: String,
    #[oai(rename = "URL")]
    url: Option<String>,
    #[oai(rename = "ThumbnailURL")]
    thumbnail_url: Option<String>,
    #[oai(rename = "DeletionURL")]
    deletion_url: Option<String>,
    error_message: Option<String>,
}

impl UploaderView {
    fn new(file: Uploader) -> Self {
        let text = |words: Option<&str>| words.map(str::to_owned);
        Self {
            version: sharex::VERSION.to_owned(),
            name: file.name,
            destination_type: "ImageUploader, FileUploader".to_owned(),
            request_method: "POST".to_owned(),
            request_url: file.url_to_send_to,
            headers: file.headers.into_iter().collect(),
            body: "MultipartFormData".to_owned(),
            arguments: file.arguments.map(|all| all.into_iter().collect()),
            file_form_name: file.file_field.to_owned(),
            url: text(file.url),
            thumbnail_url: text(file.thumbnail_url),
            deletion_url: text(file.deletion_url),
            error_message: text(file.error_message),
        }
    }
}

impl Example for UploaderView {
    fn example() -> Self {
        let origin = "https://media.example";
        Self::new(sharex::uploader("Vitrina", origin, "vk_…", Style::Vitrina, Link::View))
    }
}
