//! Items move from one storage to another, one by one, while they are looked at. An item is in its
//! new place once all its bytes were read back there and found right; only then do the old go.

use super::{
    Media, forget, hiding,
    local::{self, Local},
    sql::{self, moving, removals},
    upload::blocking,
};
use crate::{
    accounts::Actor,
    base::{
        Error, Result,
        ids::{PublicId, StorageId},
    },
    imaging::Format,
    jobs::{self, Job, Kind, NewJob, Run, Step},
    site::storages::{self, Storage},
    storage::{Folder, Landable, Landed, Store},
    tenancy::Tenant,
};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// What the job is about: storages by their names in public.
#[derive(Serialize, Deserialize)]
struct Payload {
    from: String,
    to: String,
}

/// Has all items of a storage moved to another one.
///
/// # Errors
/// `Forbidden` for anybody but an admin; `NotFound`; `Invalid` for `to` where it takes nothing.
pub async fn start(tenant: &Tenant, actor: &Actor, from: &str, to: &str) -> Result<Job> {
    let from = storages::get(tenant, actor, from).await?;
    let to = storages::get(tenant, actor, to).await.map_err(|error| match error {
        Error::NotFound(_) => Error::invalid("to", "is no storage of this site"),
        other => other,
    })?;
    if from.id == to.id {
        return Err(Error::invalid("to", "is the storage itself"));
    }
    if to.is_read_only {
        return Err(Error::invalid("to", "is read-only"));
    }
    let payload = Payload { from: from.public_id.to_string(), to: to.public_id.to_string() };
    let new = NewJob::new(Kind::MoveMedia).payload(&payload)?.once(payload.from.clone());
    jobs::add(tenant, new).await
}

/// Moves what is left.
pub async fn run(run: &Run) -> Result<Step> {
    let Payload { from, to } = run.payload()?;
    let tenant = &run.tenant;
    let (mut done, mut failed, mut after) = (run.job.done, 0u64, 0);
    loop {
        // Read again each time: it may have become full, or read-only.
        let (from, to) = (known(tenant, &from).await?, known(tenant, &to).await?);
        run.progress(done, Some(done + from.items));
        let source = from.id;
        let next = tenant.read(move |db| moving::next(db, source, after)).await?;
        let Some((id, public_id)) = next else { break };
        if run.is_stopped() {
            return Ok(Step::GoOn);
        }
        after = id.0;
        match move_one(tenant, &public_id, &from, &to).await {
            Ok(()) => done += 1,
            Err(Error::NotFound("media")) => {}
            Err(error) => {
                failed += 1;
                run.say(&format!(
                    "{failed} stay where they were; {public_id}: {}",
                    error.in_full()
                ));
            }
        }
    }
    match failed {
        0 => Ok(Step::Done),
        _ => Err(Error::Unavailable("some items could not be moved")),
    }
}

async fn known(tenant: &Tenant, id: &str) -> Result<Storage> {
    let id = PublicId::parse(id).ok_or(Error::NotFound("storage"))?;
    let found = tenant.read(move |db| storages::by_public_id(db, &id)).await?;
    found.ok_or(Error::NotFound("storage"))
}

/// A file on its way: copied to this machine, and known by its hash.
struct Copied {
    landable: Landable,
    bytes: u64,
    sha256: [u8; 32],
    _local: Local,
}

async fn move_one(tenant: &Arc<Tenant>, id: &PublicId, from: &Storage, to: &Storage) -> Result<()> {
    let of = id.clone();
    let media = tenant.read(move |db| sql::get(db, &of)).await?;
    let media = media.filter(|m| m.storage == from.id).ok_or(Error::NotFound("media"))?;
    let (sha256, bytes, at) = (media.sha256, media.bytes, to.id);
    let twin = tenant.read(move |db| removals::twin(db, &sha256, bytes, at)).await?;
    let twin = twin.filter(|_| !hiding::is_apart(media.visibility, to));
    place_anew(tenant, media, to, twin.map(|twin| (twin.folder, twin.file))).await
}

/// Moves an item to keys that nobody knows, in the storage where it is. Its bytes are its own then.
///
/// # Errors
/// `NotFound` where the item is gone; `Locked` where it was changed meanwhile.
pub(super) async fn renew(tenant: &Arc<Tenant>, media: Media) -> Result<()> {
    let at = media.storage;
    let storage = tenant.read(move |db| storages::by_id(db, at)).await?;
    place_anew(tenant, media, &storage.ok_or(Error::NotFound("storage"))?, None).await
}

async fn place_anew(
    tenant: &Arc<Tenant>,
    media: Media,
    to: &Storage,
    shared: Option<(Folder, String)>,
) -> Result<()> {
    let files = copy_here(tenant, &media, shared.is_some()).await?;
    let total = files.iter().map(|file| file.bytes).sum::<u64>();
    let is_new = to.id != media.storage;
    if is_new && to.capacity.is_some_and(|most| to.bytes.saturating_add(total) > most) {
        return Err(Error::Unavailable("the storage is full"));
    }
    // Not the item's own id: the old files may have that very key, and both exist for a while.
    let stem = media.file.split('.').next().unwrap_or_default();
    let folder = to.template.folder(media.created_at, &PublicId::random()?, stem);
    let landed = land(tenant, to, folder, &files).await?;
    let verified = match storages::open_known(tenant, to).await {
        Ok(store) => verify(&store, landed.folder(), &files).await,
        Err(error) => Err(error),
    };
    let switched = match verified {
        Ok(()) => switch(tenant, media, to.id, landed.folder().clone(), shared).await,
        Err(error) => Err(error),
    };
    match switched {
        Ok(is_noted) => {
            blocking(move || {
                landed.confirm();
                Ok(())
            })
            .await?;
            forget::begin(tenant, is_noted).await?;
            super::removals::run(tenant).await
        }
        Err(error) => {
            super::landing::undo(tenant, landed).await?;
            Err(error)
        }
    }
}

/// Copies an item's files to this machine, and checks the original on its way.
async fn copy_here(
    tenant: &Arc<Tenant>,
    media: &Media,
    without_original: bool,
) -> Result<Vec<Copied>> {
    let place = |file: &str| super::Place {
        storage: media.storage,
        folder: media.folder.clone(),
        file: file.to_owned(),
    };
    let is_document = Format::from_mime(&media.mime).is_some_and(Format::is_document);
    let mut wanted = Vec::new();
    if !without_original {
        wanted.push((media.place(), media.file.clone(), media.mime.clone(), is_document));
    }
    for variant in &media.variants {
        wanted.push((place(&variant.file), variant.file.clone(), variant.mime.clone(), false));
    }
    let id = media.id;
    let source = tenant.read(move |db| moving::source(db, id)).await?;
    wanted.extend(source.map(|(file, mime)| (place(&file), file, mime, true)));
    let mut copied = Vec::with_capacity(wanted.len());
    for (place, file, mime, is_attached) in wanted {
        let length = match storages::open(tenant, place.storage).await? {
            Store::Remote(remote) => remote.length(&place.folder, &place.file).await?,
            Store::Disk(disk) => {
                let place = place.clone();
                blocking(move || disk.length(&place.folder, &place.file)).await?
            }
        };
        let local = local::fetch(tenant, &place, length).await?;
        let path = local.path.clone();
        let hashing = path.clone();
        let (bytes, sha256) = blocking(move || super::original::hash(&hashing)).await?;
        if file == media.file && sha256 != media.sha256 {
            return Err(Error::internal("the original is not what it was when it was uploaded"));
        }
        let landable = Landable { file, path, mime, is_attached };
        copied.push(Copied { landable, bytes, sha256, _local: local });
    }
    Ok(copied)
}

/// Puts the files into their new place.
async fn land(
    tenant: &Arc<Tenant>,
    to: &Storage,
    folder: Folder,
    files: &[Copied],
) -> Result<Landed> {
    let disk = tenant.disk().clone();
    let mut aside = blocking(move || disk.receive(&PublicId::random()?)).await?;
    let landables = files.iter().map(|file| file.landable.clone()).collect::<Vec<_>>();
    match storages::open_known(tenant, to).await? {
        Store::Disk(_) => {
            blocking(move || {
                for file in landables {
                    let mut from = std::fs::File::open(&file.path)?;
                    let mut copy = aside.create_file(&file.file)?;
                    std::io::copy(&mut from, &mut copy)?;
                    copy.sync_all()?;
                }
                aside.land(folder)
            })
            .await
        }
        Store::Remote(_) => {
            match super::landing::send(tenant, to, &mut aside, folder, &landables).await? {
                Some(at) => Ok(aside.sent(at)),
                None => Err(Error::Unavailable("the storage does not take the files")),
            }
        }
    }
}

/// Reads everything back.
async fn verify(store: &Store, folder: &Folder, files: &[Copied]) -> Result<()> {
    for file in files {
        let name = &file.landable.file;
        let mut pieces = match store {
            Store::Disk(disk) => disk.pieces(folder, name, 0..file.bytes).await?,
            Store::Remote(remote) => remote.pieces(folder, name, 0..file.bytes).await?,
        };
        let mut hash = Sha256::new();
        while let Some(piece) = pieces.try_next().await? {
            hash.update(&piece);
        }
        if <[u8; 32]>::from(hash.finalize()) != file.sha256 {
            return Err(Error::Unavailable("the storage does not give back what it was given"));
        }
    }
    Ok(())
}

/// From now on the item is in its new place, unless it was changed meanwhile. Whether others are to
/// be told, who may have fetched it since they were told first.
async fn switch(
    tenant: &Tenant,
    media: Media,
    to: StorageId,
    folder: Folder,
    shared: Option<(Folder, String)>,
) -> Result<bool> {
    tenant
        .write(move |db| {
            let now = sql::get(db, &media.public_id)?.ok_or(Error::NotFound("media"))?;
            let files = |m: &Media| m.variants.iter().map(|v| v.file.clone()).collect::<Vec<_>>();
            let is_same = now.storage == media.storage
                && now.folder == media.folder
                && now.source_file == media.source_file
                && files(&now) == files(&media);
            if !is_same {
                return Err(Error::Locked("the item was changed while it was moved"));
            }
            super::landing::check_shared(db, to, shared.as_ref())?;
            removals::note_item(db, media.id)?;
            moving::switch(db, media.id, to, &folder, shared.as_ref())?;
            Ok(hiding::is_hidden(&media) && forget::note(db, &media)?)
        })
        .await
}
