//! `/site` over HTTP: parse, call, shape. No rule lives here.

use super::{
    Links,
    settings::{self, Settings},
    settings_schema::{SettingsPatch, SettingsView},
    setup,
};
use crate::{
    accounts::{
        Caller, Visitor,
        caller::{ManageSite, ReadAccount, ReadMedia},
        session::{self, Device},
        setup::{FirstAdmin, is_needed},
        signed_in::SignedIn,
    },
    base::secret::Secret,
    http::{Problem, json::JsonBody},
};
use poem::Request;
use poem_openapi::{Object, OpenApi, Tags, payload::Json, types::Example};

pub struct SiteApi;

#[derive(Tags)]
enum Tag {
    /// What this site is, and how it is set.
    Site,
}

#[OpenApi(tag = "Tag::Site")]
impl SiteApi {
    /// Get the site
    ///
    /// What a client must know before it uploads.
    #[oai(path = "/site", method = "get", operation_id = "get_site")]
    async fn get_site(&self, visitor: Visitor<ReadMedia>) -> Result<Json<SiteView>, Problem> {
        let settings = visitor.tenant.read(settings::load).await?;
        let setup_needed = is_needed(&visitor.tenant).await?;
        let links = Links::of(&visitor.tenant, &visitor.client);
        Ok(Json(SiteView::new(settings, setup_needed, &links)))
    }

    /// Set up the site
    ///
    /// Makes the first admin and signs them in. `token` is the secret in the link that the server
    /// prints at its start. Works once: every later call answers 409.
    #[oai(path = "/setup", method = "post", operation_id = "create_setup")]
    async fn set_up(
        &self,
        req: &Request,
        visitor: Visitor<ReadAccount>,
        body: JsonBody<SetupRequest>,
    ) -> Result<SignedIn, Problem> {
        let JsonBody(SetupRequest { token, username, email, password, site_name }) = body;
        let (tenant, token) = (&visitor.tenant, Secret::new(token));
        let admin =
            FirstAdmin::parse(tenant, &token, &username, &email, Secret::new(password)).await?;
        let user = setup::complete(tenant, admin, site_name).await?;
        let device = Device::of(req, &visitor.client);
        let (user, secret) = session::open(tenant, user.id, device).await?;
        Ok(SignedIn::new(tenant, &visitor.client, user, &secret))
    }

    /// Get the settings
    #[oai(path = "/site/settings", method = "get", operation_id = "get_settings")]
    async fn get_settings(
        &self,
        caller: Caller<ManageSite>,
    ) -> Result<Json<SettingsView>, Problem> {
        Ok(Json(SettingsView(caller.tenant.read(settings::load).await?)))
    }

    /// Change settings
    ///
    /// A JSON Merge Patch (RFC 7396): what is not named stays as it is, and `null` puts a setting
    /// back to its default.
    #[oai(path = "/site/settings", method = "patch", operation_id = "update_settings")]
    async fn update_settings(
        &self,
        caller: Caller<ManageSite>,
        changes: JsonBody<SettingsPatch>,
    ) -> Result<Json<SettingsView>, Problem> {
        let JsonBody(SettingsPatch(changes)) = changes;
        Ok(Json(SettingsView(settings::change(&caller.tenant, &caller.actor, changes).await?)))
    }
}

/// One site, as everybody may know it.
#[derive(Object)]
#[oai(rename = "Site", example = true)]
struct SiteView {
    name: String,
    /// Whether the site still waits for its first admin.
    setup_needed: bool,
    /// The version of the server.
    version: String,
    /// The media types that may be uploaded.
    formats: Vec<String>,
    /// The largest file of any kind.
    max_upload_bytes: u64,
    max_image_bytes: u64,
    max_video_bytes: u64,
    max_audio_bytes: u64,
    max_pixels: u64,
    max_frames: u64,
    /// Who sees an item when its uploader does not say.
    default_visibility: String,
    /// The address of the front page.
    url: String,
    /// The sites whose pages the upload window hands links to.
    popup_origins: Vec<String>,
}

impl SiteView {
    fn new(settings: Settings, setup_needed: bool, links: &Links) -> Self {
        Self {
            name: settings.name,
            setup_needed,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            formats: settings.kinds.media_types(),
            max_upload_bytes: settings.max_upload_bytes,
            max_image_bytes: settings.max_image_bytes,
            max_video_bytes: settings.max_video_bytes,
            max_audio_bytes: settings.max_audio_bytes,
            max_pixels: settings.max_pixels,
            max_frames: settings.max_frames,
            default_visibility: settings.default_visibility.as_str().to_owned(),
            url: links.to("/"),
            popup_origins: settings.popup_origins,
        }
    }
}

impl Example for SiteView {
    fn example() -> Self {
        Self {
            formats: vec!["image/jpeg".to_owned(), "image/png".to_owned()],
            ..Self::new(Settings::default(), false, &Links::at("https://media.example"))
        }
    }
}

/// The first admin of a site.
#[derive(Object)]
#[oai(example = true)]
struct SetupRequest {
    /// The secret in the setup link.
    token: String,
    /// 3 to 32 letters, digits, `_`, `-` or `.`.
    username: String,
    email: String,
    /// 8 to 256 characters.
    password: String,
    /// What the site is to be called.
    site_name: Option<String>,
}

impl Example for SetupRequest {
    fn example() -> Self {
        Self {
            token: "4Zk…".to_owned(),
            username: "ana".to_owned(),
            email: "ana@example.org".to_owned(),
            password: "correct horse battery".to_owned(),
            site_name: None,
        }
    }
}
