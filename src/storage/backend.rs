//! Which storages there are and what each needs to be reached. It checks words and connects; what
//! is done there stands in `remote.rs`.

use super::{Remote, remote};
use crate::base::{Error, Result, ids::TenantId};
use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use hyper::http::{HeaderValue, header::AUTHORIZATION};
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, RetryConfig,
    aws::AmazonS3Builder,
    azure::MicrosoftAzureBuilder,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
    },
    gcp::GoogleCloudStorageBuilder,
    http::HttpBuilder,
    local::LocalFileSystem,
};
use serde::{Deserialize, Serialize};
use std::{io, path::PathBuf, sync::Arc, time::Duration};

/// What kind of storage it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The site's own folder.
    Local,
    /// A folder that the operator has set apart for storages, such as a mounted network drive.
    Disk,
    /// Amazon S3, and whatever speaks like it: R2, B2, MinIO, Garage, Ceph, Swift, OSS.
    S3,
    /// Google Cloud Storage.
    Gcs,
    /// Azure Blob Storage.
    Azure,
    /// WebDAV (RFC 4918).
    Webdav,
}

impl Kind {
    pub const ALL: [Self; 6] =
        [Self::Local, Self::Disk, Self::S3, Self::Gcs, Self::Azure, Self::Webdav];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Disk => "disk",
            Self::S3 => "s3",
            Self::Gcs => "gcs",
            Self::Azure => "azure",
            Self::Webdav => "webdav",
        }
    }

    /// Whether it can sign addresses.
    pub fn signs(self) -> bool {
        matches!(self, Self::S3 | Self::Gcs | Self::Azure)
    }

    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Where a storage is. Each kind needs some of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Place {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The bucket, or with Azure the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// With Azure, whose container it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// With S3, whether the bucket stands in the path instead of in the host name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_style: Option<bool>,
    /// What all keys start with; or, of a `disk`, which of the operator's folders it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
}

/// What opens a storage. Sealed at rest and shown to nobody.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Secrets {
    /// S3: the id of the access key. WebDAV: the name of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key: Option<String>,
    /// S3: the secret key. Azure: the access key. WebDAV: the password. Google: the key of a
    /// service account, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(..)")
    }
}

/// How storages are connected to: by a client that refuses what the operator does not permit.
#[derive(Debug, Clone)]
pub struct Connector(pub Arc<dyn HttpConnector>);

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        self.0.connect(options)
    }
}

/// What the appliance has to offer to storages.
#[derive(Debug, Clone)]
pub struct World {
    pub connector: Connector,
    /// The folders that storages of the kind `disk` may lie in.
    pub folders: Vec<PathBuf>,
}

/// A storage that is fully described.
#[derive(Debug, Clone)]
pub struct Backend {
    pub kind: Kind,
    pub place: Place,
    pub secrets: Secrets,
}

/// How often a request that fails for no fault of its own is sent again.
fn retries() -> RetryConfig {
    let backoff = BackoffConfig {
        init_backoff: Duration::from_millis(100),
        max_backoff: Duration::from_secs(3),
        base: 2.0,
    };
    RetryConfig { backoff, max_retries: 4, retry_timeout: Duration::from_secs(30) }
}

/// The largest file for WebDAV, in bytes: it takes one in one request only, held in memory.
pub const MOST_IN_ONE: u64 = 32 * 1024 * 1024;

impl Backend {
    /// A connection, not tried yet. Tenants that share a folder of the operator's each get one of
    /// their own in it.
    ///
    /// # Errors
    /// `Invalid` for words that are missing, or mean nothing.
    pub fn connect(&self, world: &World, tenant: &TenantId) -> Result<Remote> {
        let prefix = self.prefix()?;
        let remote = |store: Arc<dyn ObjectStore>| Remote::new(store, &prefix);
        Ok(match self.kind {
            Kind::Local => return Err(Error::invalid("kind", "is the site's own folder")),
            Kind::Disk => {
                let (folder, store) = self.disk(world, tenant)?;
                remote(Arc::new(store)).with_folder(folder)
            }
            Kind::S3 => {
                let store = Arc::new(self.s3(world)?);
                Remote::signing(store.clone(), &prefix).with_parts(store)
            }
            Kind::Gcs => {
                let store = Arc::new(self.gcs(world)?);
                Remote::signing(store.clone(), &prefix).with_parts(store)
            }
            // Parts that nobody puts together go there by themselves, in a week.
            Kind::Azure => Remote::signing(Arc::new(self.azure(world)?), &prefix),
            Kind::Webdav => remote(Arc::new(self.webdav(world)?)).with_most(MOST_IN_ONE),
        })
    }

    fn disk(&self, world: &World, tenant: &TenantId) -> Result<(PathBuf, LocalFileSystem)> {
        let asked = PathBuf::from(need("place.folder", &self.place.folder)?);
        if !world.folders.contains(&asked) {
            let reason = "must be one of the folders in the setting `storage_folders`";
            return Err(Error::invalid("place.folder", reason));
        }
        let folder = asked.join(tenant.as_str());
        std::fs::create_dir_all(&folder).map_err(|e| {
            Error::invalid("place.folder", format!("cannot be written to: {}", e.kind()))
        })?;
        let store = LocalFileSystem::new_with_prefix(&folder).map_err(|e| wrong(&e))?;
        Ok((folder, store.with_fsync(true)))
    }

    fn s3(&self, world: &World) -> Result<object_store::aws::AmazonS3> {
        let (place, secrets) = (&self.place, &self.secrets);
        let path_style = place.path_style.unwrap_or(place.endpoint.is_some());
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(need("place.bucket", &place.bucket)?)
            .with_region(place.region.as_deref().unwrap_or("us-east-1"))
            .with_access_key_id(need("secrets.access_key", &secrets.access_key)?)
            .with_secret_access_key(need("secrets.secret", &secrets.secret)?)
            .with_virtual_hosted_style_request(!path_style)
            // Not everything that speaks like S3 removes many objects at once.
            .with_disable_bulk_delete(true)
            .with_retry(retries())
            .with_http_connector(world.connector.clone());
        if let Some(endpoint) = self.endpoint()? {
            // The bucket's own host is to be in the address already where it is no path.
            builder = builder.with_endpoint(endpoint).with_allow_http(true);
        }
        builder.build().map_err(|e| wrong(&e))
    }

    fn gcs(&self, world: &World) -> Result<object_store::gcp::GoogleCloudStorage> {
        let mut builder = GoogleCloudStorageBuilder::new()
            .with_bucket_name(need("place.bucket", &self.place.bucket)?)
            .with_service_account_key(need("secrets.secret", &self.secrets.secret)?)
            .with_retry(retries())
            .with_http_connector(world.connector.clone());
        if let Some(endpoint) = self.endpoint()? {
            builder = builder.with_base_url(&endpoint);
        }
        builder.build().map_err(|e| wrong(&e))
    }

    fn azure(&self, world: &World) -> Result<object_store::azure::MicrosoftAzure> {
        let mut builder = MicrosoftAzureBuilder::new()
            .with_account(need("place.account", &self.place.account)?)
            .with_container_name(need("place.bucket", &self.place.bucket)?)
            .with_access_key(need("secrets.secret", &self.secrets.secret)?)
            .with_retry(retries())
            .with_http_connector(world.connector.clone());
        if let Some(endpoint) = self.endpoint()? {
            builder = builder.with_endpoint(endpoint).with_allow_http(true);
        }
        builder.build().map_err(|e| wrong(&e))
    }

    fn webdav(&self, world: &World) -> Result<object_store::http::HttpStore> {
        let endpoint = self.endpoint()?;
        let builder = HttpBuilder::new()
            .with_url(need("place.endpoint", &endpoint)?)
            .with_retry(retries())
            .with_client_options(ClientOptions::new().with_allow_http(true));
        let (user, password) = (&self.secrets.access_key, &self.secrets.secret);
        let connector = match user {
            None => world.connector.clone(),
            Some(user) => {
                let words = format!("{user}:{}", password.as_deref().unwrap_or_default());
                let value = format!("Basic {}", STANDARD.encode(words));
                let mut header = HeaderValue::from_str(&value).map_err(Error::internal)?;
                header.set_sensitive(true);
                Connector(Arc::new(SignedIn { connector: world.connector.clone(), header }))
            }
        };
        builder.with_http_connector(connector).build().map_err(|e| wrong(&e))
    }

    /// The address to connect to, checked to be one.
    fn endpoint(&self) -> Result<Option<String>> {
        let Some(endpoint) = &self.place.endpoint else { return Ok(None) };
        let wrong = |reason: &str| Error::invalid("place.endpoint", reason);
        let url = url::Url::parse(endpoint).map_err(|_| wrong("must be a URL"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(wrong("must begin with http:// or https://"));
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            return Err(wrong("may have neither a name and a password nor a query"));
        }
        Ok(Some(endpoint.trim_end_matches('/').to_owned()))
    }

    fn prefix(&self) -> Result<String> {
        let prefix = self.place.prefix.as_deref().unwrap_or_default().trim_matches('/');
        if prefix.is_empty() || super::Folder::parse(prefix).is_some() {
            return Ok(prefix.to_owned());
        }
        let reason = "may have letters, digits, `-` and `_`, parted by `/`";
        Err(Error::invalid("place.prefix", reason))
    }
}

fn need<'a>(field: &'static str, value: &'a Option<String>) -> Result<&'a str> {
    let value = value.as_deref().map(str::trim).filter(|value| !value.is_empty());
    value.ok_or_else(|| Error::invalid(field, "is needed for a storage of this kind"))
}

fn wrong(error: &object_store::Error) -> Error {
    Error::invalid("place", remote::short(error))
}

/// Adds the name and the password to every request (RFC 7617).
#[derive(Debug)]
struct SignedIn {
    connector: Connector,
    header: HeaderValue,
}

impl HttpConnector for SignedIn {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = self.connector.connect(options)?;
        Ok(HttpClient::new(SignedInClient { client, header: self.header.clone() }))
    }
}

#[derive(Debug)]
struct SignedInClient {
    client: HttpClient,
    header: HeaderValue,
}

#[async_trait]
impl HttpService for SignedInClient {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        request.headers_mut().insert(AUTHORIZATION, self.header.clone());
        self.client.execute(request).await
    }
}

/// Connects to nothing: for work on sites that have no storages elsewhere.
#[derive(Debug)]
struct Nowhere;

impl HttpConnector for Nowhere {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Self))
    }
}

#[async_trait]
impl HttpService for Nowhere {
    async fn call(&self, _: HttpRequest) -> Result<HttpResponse, HttpError> {
        Err(HttpError::new(HttpErrorKind::Unknown, io::Error::from(io::ErrorKind::NotConnected)))
    }
}

impl Default for World {
    fn default() -> Self {
        Self { connector: Connector(Arc::new(Nowhere)), folders: Vec::new() }
    }
}
