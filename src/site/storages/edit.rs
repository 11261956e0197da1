//! Setting storages up, changing them, and letting them go. What opens a storage is tried before it
//! is kept.

use super::{Delivery, Storage, Takes, check_admin, health, open, sql};
use crate::{
    accounts::Actor,
    base::{
        Clock, Error, Result,
        ids::{PublicId, StorageId},
        text::Label,
    },
    storage::{Kind, Place, Secrets, Store, Template},
    tenancy::{Tenant, limits::Limit},
};
use std::sync::Arc;

/// What is to be different about a storage. `None`: it stays as it is; `Some(None)`: it goes.
#[derive(Debug, Default)]
pub struct Changes {
    pub name: Option<String>,
    pub place: Option<Place>,
    pub secrets: Option<Secrets>,
    pub takes: Option<Vec<String>>,
    pub capacity: Option<Option<u64>>,
    pub priority: Option<i64>,
    pub weight: Option<u32>,
    pub is_read_only: Option<bool>,
    pub delivery: Option<String>,
    pub public_url: Option<Option<String>>,
    pub purge_url: Option<Option<String>>,
    pub template: Option<String>,
}

/// All storages, in the order in which they are tried.
///
/// # Errors
/// `Forbidden` for anybody but an admin.
pub async fn list(tenant: &Tenant, actor: &Actor) -> Result<Vec<Storage>> {
    check_admin(actor)?;
    tenant.read(sql::all).await
}

/// All of them, for the site itself.
pub async fn all(tenant: &Tenant) -> Result<Vec<Storage>> {
    tenant.read(sql::all).await
}

/// # Errors
/// `Forbidden` for anybody but an admin; `NotFound`.
pub async fn get(tenant: &Tenant, actor: &Actor, id: &str) -> Result<Storage> {
    check_admin(actor)?;
    let id = PublicId::parse(id).ok_or(Error::NotFound("storage"))?;
    let found = tenant.read(move |db| sql::by_public_id(db, &id)).await?;
    found.ok_or(Error::NotFound("storage"))
}

/// Adds a storage, once an object was written to it, read and removed again.
///
/// # Errors
/// `Forbidden` for anybody but an admin; `LimitReached`; `Invalid` for a field that is none, and
/// for `place` where the storage cannot be used, with what it said.
pub async fn create(
    tenant: &Arc<Tenant>,
    actor: &Actor,
    kind: &str,
    mut changes: Changes,
) -> Result<Storage> {
    check_admin(actor)?;
    let kind = Kind::find(kind).filter(|kind| *kind != Kind::Local).ok_or_else(|| {
        Error::invalid("kind", "must be one of `disk`, `s3`, `gcs`, `azure` and `webdav`")
    })?;
    let now = Clock::now();
    let mut new = Storage {
        id: StorageId(0),
        public_id: PublicId::random()?,
        name: String::new(),
        kind,
        place: Place::default(),
        takes: Takes::ALL,
        capacity: None,
        priority: 10,
        weight: 1,
        is_read_only: false,
        delivery: Delivery::Proxy,
        public_url: None,
        purge_url: None,
        template: Template::default(),
        items: 0,
        bytes: 0,
        failures: 0,
        down_until: None,
        problem: None,
        created_at: now,
        updated_at: now,
    };
    if changes.name.is_none() {
        return Err(Error::invalid("name", "is needed"));
    }
    let secrets = changes.secrets.take().unwrap_or_default();
    apply(&mut new, changes)?;
    probe(tenant, &new, secrets.clone()).await?;
    let sealed = open::seal(tenant, &new, &secrets)?;
    let allowance = tenant.allowance();
    tenant
        .write(move |db| {
            allowance.check(Limit::MaxStorages, sql::count(db)? + 1, 0)?;
            check_name(db, &new)?;
            let id = sql::insert(db, &new, &sealed)?;
            sql::by_id(db, id)?.ok_or(Error::NotFound("storage"))
        })
        .await
}

/// Changes a storage; where it is or what opens it is tried before.
///
/// # Errors
/// Those of [`create`]; `NotFound`; `Conflict` with code `storage_in_use` where its place would
/// change under the items in it.
pub async fn update(
    tenant: &Arc<Tenant>,
    actor: &Actor,
    id: &str,
    mut changes: Changes,
) -> Result<Storage> {
    let mut storage = get(tenant, actor, id).await?;
    let before = storage.place.clone();
    let of = storage.id;
    let sealed = tenant.read(move |db| sql::secrets(db, of)).await?;
    let known = open::unseal(tenant, &storage, sealed.as_deref())?;
    let secrets = changes.secrets.take().unwrap_or_else(|| known.clone());
    apply(&mut storage, changes)?;
    if storage.is_local() && (storage.place != Place::default() || secrets != known) {
        return Err(Error::invalid("place", "is the server's business here"));
    }
    if storage.place != before && storage.items > 0 && !is_same_place(&before, &storage.place) {
        let reason = "items lie there: move them to another storage first";
        return Err(Error::Conflict { code: "storage_in_use", reason });
    }
    if !storage.is_local() && (storage.place != before || secrets != known) {
        probe(tenant, &storage, secrets.clone()).await?;
    }
    let sealed = match storage.is_local() {
        true => None,
        false => Some(open::seal(tenant, &storage, &secrets)?),
    };
    tenant
        .write(move |db| {
            check_name(db, &storage)?;
            sql::update(db, &storage, sealed.as_deref())?;
            sql::by_id(db, storage.id)?.ok_or(Error::NotFound("storage"))
        })
        .await
}

/// Another way to the same objects is no other place.
fn is_same_place(before: &Place, now: &Place) -> bool {
    let what = |place: &Place| {
        (place.bucket.clone(), place.account.clone(), place.prefix.clone(), place.folder.clone())
    };
    what(before) == what(now)
}

/// Lets a storage go that nothing lies in.
///
/// # Errors
/// `Forbidden` for anybody but an admin; `NotFound`; `Conflict` with code `storage_in_use`, or
/// `storage_built_in` for the site's own folder.
pub async fn delete(tenant: &Tenant, actor: &Actor, id: &str) -> Result<()> {
    let storage = get(tenant, actor, id).await?;
    if storage.is_local() {
        let reason = "the site's own folder stays: make it read-only to keep it empty";
        return Err(Error::Conflict { code: "storage_built_in", reason });
    }
    tenant.write(move |db| sql::delete(db, storage.id)).await
}

/// Tries a storage now, and notes how it did.
///
/// # Errors
/// `Forbidden` for anybody but an admin; `NotFound`. A storage that fails is none.
pub async fn check(tenant: &Arc<Tenant>, actor: &Actor, id: &str) -> Result<Storage> {
    let storage = get(tenant, actor, id).await?;
    if let Store::Remote(remote) = open::open_known(tenant, &storage).await? {
        match remote.probe().await {
            Ok(()) => health::worked(tenant, &storage).await?,
            Err(problem) => health::failed(tenant, &storage, &problem).await?,
        }
    }
    get(tenant, actor, id).await
}

async fn probe(tenant: &Arc<Tenant>, storage: &Storage, secrets: Secrets) -> Result<()> {
    let (at, tenant) = (storage.clone(), tenant.clone());
    let connecting = tokio::task::spawn_blocking(move || open::connect(&tenant, &at, secrets));
    let remote = connecting.await??;
    remote.probe().await.map_err(|problem| Error::invalid("place", problem))
}

fn check_name(db: &crate::db::Read<crate::tenancy::Site>, storage: &Storage) -> Result<()> {
    if sql::is_name_taken(db, &storage.name, storage.id)? {
        return Err(Error::invalid("name", "is that of another storage"));
    }
    Ok(())
}

fn apply(storage: &mut Storage, changes: Changes) -> Result<()> {
    if let Some(name) = changes.name {
        storage.name = Label::parse("name", &name)?.as_str().to_owned();
    }
    if let Some(words) = changes.takes {
        storage.takes = Takes::parse(&words)?;
    }
    if let Some(template) = changes.template {
        storage.template = Template::parse(&template)?;
    }
    if let Some(word) = changes.delivery {
        storage.delivery = Delivery::find(&word)
            .ok_or_else(|| Error::invalid("delivery", "must be `proxy`, `redirect` or `public`"))?;
    }
    storage.place = changes.place.unwrap_or_else(|| storage.place.clone());
    storage.capacity = changes.capacity.unwrap_or(storage.capacity);
    storage.priority = changes.priority.unwrap_or(storage.priority);
    storage.weight = changes.weight.unwrap_or(storage.weight);
    storage.is_read_only = changes.is_read_only.unwrap_or(storage.is_read_only);
    if let Some(url) = changes.public_url {
        storage.public_url = url.map(|url| address("public_url", &url)).transpose()?;
    }
    if let Some(url) = changes.purge_url {
        storage.purge_url = url.map(|url| address("purge_url", &url)).transpose()?;
    }
    check_numbers(storage)?;
    let needs_address = storage.delivery == Delivery::Public && storage.public_url.is_none();
    if needs_address {
        return Err(Error::invalid("public_url", "is needed for the delivery `public`"));
    }
    if storage.delivery == Delivery::Redirect && !storage.is_local() && !storage.kind.signs() {
        return Err(Error::invalid("delivery", "cannot be `redirect` for this kind of storage"));
    }
    if storage.is_local() && storage.delivery != Delivery::Proxy {
        return Err(Error::invalid("delivery", "is always `proxy` for the site's own folder"));
    }
    Ok(())
}

fn check_numbers(storage: &Storage) -> Result<()> {
    if !(1..=1_000).contains(&storage.weight) {
        return Err(Error::invalid("weight", "must be from 1 to 1000"));
    }
    if !(0..=1_000).contains(&storage.priority) {
        return Err(Error::invalid("priority", "must be from 0 to 1000"));
    }
    if storage.capacity.is_some_and(|most| most == 0 || most > 1 << 60) {
        return Err(Error::invalid("capacity", "must be a number of bytes"));
    }
    Ok(())
}

/// A URL that others fetch from, without the slash at its end.
fn address(field: &'static str, text: &str) -> Result<String> {
    let url = url::Url::parse(text).ok().filter(|url| {
        let is_web = matches!(url.scheme(), "http" | "https") && url.host().is_some();
        is_web && url.username().is_empty() && url.fragment().is_none() && text.len() <= 2_000
    });
    let url = url.ok_or_else(|| Error::invalid(field, "must be a URL with http or https"))?;
    Ok(url.as_str().trim_end_matches('/').to_owned())
}
