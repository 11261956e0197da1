//! Storages as JSON: what is shown of them, and what may be said about them.

use super::{Changes, Storage};
use crate::storage::{Place, Secrets};
use poem_openapi::{
    Object,
    types::{Example, MaybeUndefined},
};

/// A place where bytes of the site may lie.
#[derive(Object)]
#[oai(rename = "Storage", skip_serializing_if_is_none, example = true)]
pub(super) struct StorageView {
    id: String,
    name: String,
    /// `local`, `disk`, `s3`, `gcs`, `azure` or `webdav`.
    kind: String,
    place: PlaceView,
    /// `image`, `video`, `audio`.
    takes: Vec<String>,
    /// How many bytes it takes at most.
    capacity: Option<u64>,
    /// The storage with the lowest number is tried first.
    priority: i64,
    /// How often it has its turn among those of the same priority.
    weight: u32,
    is_read_only: bool,
    /// `proxy`, `redirect` or `public`.
    delivery: String,
    public_url: Option<String>,
    purge_url: Option<String>,
    template: String,
    /// Items that lie there, and the bytes of their files.
    items: u64,
    bytes: u64,
    /// Whether it worked when it was last needed.
    is_up: bool,
    /// Failures since it last worked.
    failures: u32,
    /// What it said when it failed.
    problem: Option<String>,
    /// Until when it is tried last.
    down_until: Option<String>,
    created_at: String,
    updated_at: String,
}

impl StorageView {
    pub(super) fn new(storage: Storage) -> Self {
        Self {
            is_up: storage.is_up(),
            id: storage.public_id.to_string(),
            name: storage.name,
            kind: storage.kind.as_str().to_owned(),
            place: PlaceView::new(storage.place),
            takes: storage.takes.words(),
            capacity: storage.capacity,
            priority: storage.priority,
            weight: storage.weight,
            is_read_only: storage.is_read_only,
            delivery: storage.delivery.as_str().to_owned(),
            public_url: storage.public_url,
            purge_url: storage.purge_url,
            template: storage.template.to_string(),
            items: storage.items,
            bytes: storage.bytes,
            failures: storage.failures,
            problem: storage.problem,
            down_until: storage.down_until.map(|at| at.to_rfc3339()),
            created_at: storage.created_at.to_rfc3339(),
            updated_at: storage.updated_at.to_rfc3339(),
        }
    }
}

impl Example for StorageView {
    fn example() -> Self {
        let at = "2026-01-31T09:30:00.000Z".to_owned();
        Self {
            id: "8fKq2ZtP12".to_owned(),
            name: "Archive".to_owned(),
            kind: "s3".to_owned(),
            place: PlaceView::example(),
            takes: vec!["image".to_owned(), "video".to_owned()],
            capacity: Some(1_000_000_000_000),
            priority: 10,
            weight: 1,
            is_read_only: false,
            delivery: "proxy".to_owned(),
            public_url: None,
            purge_url: None,
            template: "{yyyy}/{mm}/{dd}/{name}-{id}.{ext}".to_owned(),
            items: 12_045,
            bytes: 48_000_000_000,
            is_up: true,
            failures: 0,
            problem: None,
            down_until: None,
            created_at: at.clone(),
            updated_at: at,
        }
    }
}

/// All storages, in the order in which they are tried.
#[derive(Object)]
#[oai(rename = "StorageList", example = true)]
pub(super) struct StorageListView {
    pub items: Vec<StorageView>,
}

impl Example for StorageListView {
    fn example() -> Self {
        Self { items: vec![StorageView::example()] }
    }
}

/// Where a storage is. Each kind needs some of it.
#[derive(Object, Clone)]
#[oai(rename = "StoragePlace", deny_unknown_fields, skip_serializing_if_is_none, example = true)]
pub(super) struct PlaceView {
    /// `s3`, `azure`, `gcs`: where it answers, if not at the provider's own address. `webdav`: the
    /// URL of the folder.
    endpoint: Option<String>,
    /// `s3`: the region; `us-east-1` without it. R2 wants `auto`.
    region: Option<String>,
    /// `s3` and `gcs`: the bucket. `azure`: the container.
    bucket: Option<String>,
    /// `azure`: the storage account.
    account: Option<String>,
    /// `s3`: whether the bucket stands in the path. It does where there is an endpoint, unless
    /// this says otherwise; the endpoint has the bucket in its host name then.
    path_style: Option<bool>,
    /// What all keys begin with.
    prefix: Option<String>,
    /// `disk`: one of the folders that the operator set apart.
    folder: Option<String>,
}

impl PlaceView {
    fn new(place: Place) -> Self {
        let Place { endpoint, region, bucket, account, path_style, prefix, folder } = place;
        Self { endpoint, region, bucket, account, path_style, prefix, folder }
    }

    fn read(self) -> Place {
        let Self { endpoint, region, bucket, account, path_style, prefix, folder } = self;
        Place { endpoint, region, bucket, account, path_style, prefix, folder }
    }
}

impl Example for PlaceView {
    fn example() -> Self {
        Self {
            endpoint: Some("https://s3.example.org".to_owned()),
            region: Some("eu-central-1".to_owned()),
            bucket: Some("pictures".to_owned()),
            account: None,
            path_style: Some(true),
            prefix: Some("vitrina".to_owned()),
            folder: None,
        }
    }
}

/// What opens a storage. It is kept sealed and never shown.
#[derive(Object)]
#[oai(rename = "StorageSecrets", deny_unknown_fields, example = true)]
pub(super) struct SecretsView {
    /// `s3`: the id of the access key. `webdav`: the name of the user.
    #[oai(write_only)]
    access_key: Option<String>,
    /// `s3`: the secret key. `azure`: the access key. `webdav`: the password. `gcs`: the key of a
    /// service account, as JSON.
    #[oai(write_only)]
    secret: Option<String>,
}

impl SecretsView {
    fn read(self) -> Secrets {
        Secrets { access_key: self.access_key, secret: self.secret }
    }
}

impl Example for SecretsView {
    fn example() -> Self {
        let (access_key, secret) = ("AKIAEXAMPLE".to_owned(), "wJalrEXAMPLEKEY".to_owned());
        Self { access_key: Some(access_key), secret: Some(secret) }
    }
}

/// A new storage.
#[derive(Object)]
#[oai(rename = "StorageRequest", deny_unknown_fields, example = true)]
pub(super) struct StorageRequest {
    name: String,
    /// `disk`, `s3`, `gcs`, `azure` or `webdav`.
    pub kind: String,
    place: PlaceView,
    secrets: Option<SecretsView>,
    /// Which kinds of items it takes; all without it.
    takes: Option<Vec<String>>,
    capacity: Option<u64>,
    /// 0 to 1000; 10 without it. The site's own folder has 100.
    priority: Option<i64>,
    /// 1 to 1000; 1 without it.
    weight: Option<u32>,
    is_read_only: Option<bool>,
    /// How its bytes reach those who ask: through this server (`proxy`), by an address at the
    /// storage that is good for a while (`redirect`), or, for what is public, from `public_url`.
    delivery: Option<String>,
    /// Where everybody finds its objects: their keys are added to it.
    public_url: Option<String>,
    /// Is sent a POST with `{"urls": [...]}` when addresses below `public_url` show nothing any
    /// more.
    purge_url: Option<String>,
    /// How keys are made; it ends with `.{ext}`, and has `{id}` in it.
    template: Option<String>,
}

impl StorageRequest {
    pub(super) fn read(self) -> Changes {
        Changes {
            name: Some(self.name),
            place: Some(self.place.read()),
            secrets: self.secrets.map(SecretsView::read),
            takes: self.takes,
            capacity: self.capacity.map(Some),
            priority: self.priority,
            weight: self.weight,
            is_read_only: self.is_read_only,
            delivery: self.delivery,
            public_url: self.public_url.map(Some),
            purge_url: self.purge_url.map(Some),
            template: self.template,
        }
    }
}

impl Example for StorageRequest {
    fn example() -> Self {
        Self {
            name: "Archive".to_owned(),
            kind: "s3".to_owned(),
            place: PlaceView::example(),
            secrets: Some(SecretsView::example()),
            takes: None,
            capacity: None,
            priority: Some(10),
            weight: None,
            is_read_only: None,
            delivery: Some("proxy".to_owned()),
            public_url: None,
            purge_url: None,
            template: None,
        }
    }
}

/// What to change about a storage: a JSON Merge Patch (RFC 7396). `place` and `secrets` are
/// replaced as wholes.
#[derive(Object)]
#[oai(rename = "StoragePatch", deny_unknown_fields, example = true)]
pub(super) struct StoragePatch {
    name: Option<String>,
    place: Option<PlaceView>,
    secrets: Option<SecretsView>,
    takes: Option<Vec<String>>,
    capacity: MaybeUndefined<u64>,
    priority: Option<i64>,
    weight: Option<u32>,
    is_read_only: Option<bool>,
    delivery: Option<String>,
    public_url: MaybeUndefined<String>,
    purge_url: MaybeUndefined<String>,
    template: Option<String>,
}

impl StoragePatch {
    pub(super) fn read(self) -> Changes {
        Changes {
            name: self.name,
            place: self.place.map(PlaceView::read),
            secrets: self.secrets.map(SecretsView::read),
            takes: self.takes,
            capacity: patch(self.capacity),
            priority: self.priority,
            weight: self.weight,
            is_read_only: self.is_read_only,
            delivery: self.delivery,
            public_url: patch(self.public_url),
            purge_url: patch(self.purge_url),
            template: self.template,
        }
    }
}

/// Absent stays, `null` clears.
fn patch<T>(field: MaybeUndefined<T>) -> Option<Option<T>> {
    match field {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value)),
    }
}

impl Example for StoragePatch {
    fn example() -> Self {
        Self {
            name: Some("Archive, full".to_owned()),
            place: None,
            secrets: None,
            takes: None,
            capacity: MaybeUndefined::Null,
            priority: None,
            weight: None,
            is_read_only: Some(true),
            delivery: None,
            public_url: MaybeUndefined::Undefined,
            purge_url: MaybeUndefined::Undefined,
            template: None,
        }
    }
}
