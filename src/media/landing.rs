//! Finding a place for the files of a new item: the best storage that takes them, and the next one
//! where that fails.

use super::{Rendered, Role, Variant, hiding, original::Original, sql::removals};
use crate::{
    base::{
        Error, Result,
        clock::Millis,
        ids::{PublicId, StorageId},
        secret::random_bytes,
        visibility::Visibility,
    },
    db::Read,
    imaging,
    site::storages::{self, Storage, Wanted},
    storage::{Folder, Incoming, Landable, Landed, Store, Unconfirmed},
    tenancy::{Site, Tenant, limits::Feature},
};
use std::sync::Arc;

/// An item whose files are ready to land.
pub(super) struct Item<'a> {
    pub id: &'a PublicId,
    pub created_at: Millis,
    /// `image`, `video` or `audio`.
    pub kind: &'a str,
    /// What its files are called, without an ending.
    pub stem: &'a str,
    /// The original comes first.
    pub files: Vec<Landable>,
    pub bytes: u64,
    pub largest: u64,
    /// Of the original.
    pub sha256: [u8; 32],
    pub original_bytes: u64,
    pub visibility: Visibility,
}

/// Files in their place, and whose bytes the original's are where another item has them already.
pub(super) struct Placed {
    pub landed: Landed,
    pub shared: Option<(Folder, String)>,
}

/// The files of a new item among the incoming ones, the original first.
pub(super) fn files(
    incoming: &Incoming,
    original: &Original,
    rendered: &Rendered,
) -> Vec<Landable> {
    let content = &original.content;
    let file = |file: &str, mime: &str, is_attached| Landable {
        file: file.to_owned(),
        path: incoming.path(file),
        mime: mime.to_owned(),
        is_attached,
    };
    let mut files = vec![file(&original.file, content.mime(), content.is_document())];
    files.extend(original.source.as_ref().map(|s| file(&s.file, s.mime, true)));
    files.extend(rendered.all().map(|v| file(&v.file, &v.mime, false)));
    files
}

/// Lands the files in the first storage that takes them.
///
/// # Errors
/// `Unavailable` where none does.
pub(super) async fn land(
    tenant: &Arc<Tenant>,
    mut incoming: Incoming,
    item: Item<'_>,
) -> Result<Placed> {
    let may_be_local = tenant.allowance().need(Feature::LocalStorage).is_ok();
    let all = storages::all(tenant).await?;
    let wanted = Wanted { kind: item.kind, bytes: item.bytes, largest: item.largest, may_be_local };
    let chance = || random_bytes().map_or(0, u64::from_ne_bytes);
    for storage in storages::candidates(&all, &wanted, chance) {
        let is_apart = hiding::is_apart(item.visibility, storage);
        let id = if is_apart { PublicId::random()? } else { item.id.clone() };
        let folder = storage.template.folder(item.created_at, &id, item.stem);
        let (sha256, bytes, at) = (item.sha256, item.original_bytes, storage.id);
        let twin = tenant.read(move |db| removals::twin(db, &sha256, bytes, at)).await?;
        let shared = twin.filter(|_| !is_apart).map(|twin| (twin.folder, twin.file));
        let files = item.files.get(usize::from(shared.is_some())..).unwrap_or_default();
        if storage.is_local() {
            let doubled = item.files.first().filter(|_| shared.is_some()).map(|f| f.file.clone());
            let landing = super::upload::blocking(move || {
                doubled.into_iter().try_for_each(|file| incoming.remove(&file))?;
                incoming.land(folder)
            });
            return Ok(Placed { landed: landing.await?, shared });
        }
        match send(tenant, storage, &mut incoming, folder, files).await? {
            Some(at) => return Ok(Placed { landed: incoming.sent(at), shared }),
            None => continue,
        }
    }
    Err(Error::Unavailable("no storage takes this file just now"))
}

/// Sends the files to a storage. `None` where it did not take them, which is noted.
pub(super) async fn send(
    tenant: &Arc<Tenant>,
    storage: &Storage,
    incoming: &mut Incoming,
    folder: Folder,
    files: &[Landable],
) -> Result<Option<Unconfirmed>> {
    let names = files.iter().map(|file| file.file.clone()).collect();
    let at = Unconfirmed { storage: storage.id, folder, files: names, parts: Vec::new() };
    let sent = match storages::open_known(tenant, storage).await {
        Ok(Store::Remote(remote)) => incoming.send(&remote, &at, files).await,
        Ok(Store::Disk(_)) => Err((Error::internal("this storage is no other one"), None)),
        Err(error) => Err((error, None)),
    };
    match sent {
        Ok(()) => {
            storages::worked(tenant, storage).await?;
            Ok(Some(at))
        }
        Err((error, left)) => {
            storages::failed(tenant, storage, &error.in_full()).await?;
            if let Some(left) = left {
                tenant.write(move |db| removals::note_unconfirmed(db, &left)).await?;
            }
            incoming.retract();
            Ok(None)
        }
    }
}

/// The files are to go again: their row was not committed.
pub(super) async fn undo(tenant: &Arc<Tenant>, landed: Landed) -> Result<()> {
    if let Some(open) = landed.elsewhere().cloned() {
        tenant.write(move |db| removals::note_unconfirmed(db, &open)).await?;
    }
    super::upload::blocking(move || {
        landed.undo();
        Ok(())
    })
    .await?;
    super::removals::run(tenant).await
}

/// Whether the bytes that an item is to share are still there.
///
/// # Errors
/// `Locked` where they went away in the meantime.
pub(super) fn check_shared(
    db: &Read<Site>,
    storage: StorageId,
    shared: Option<&(Folder, String)>,
) -> Result<()> {
    match shared {
        Some((folder, _)) if !removals::is_alive(db, folder, storage)? => {}
        _ => return Ok(()),
    }
    Err(Error::Locked("another item with the same bytes was removed just now: send it again"))
}

/// The bytes of all files of a new item.
pub(super) fn bytes(original: &Original, rendered: &Rendered) -> u64 {
    let source = original.source.as_ref().map_or(0, |source| source.bytes);
    original.bytes + source + rendered.bytes()
}

/// Writes what was made of the original `file`: `beach.jpg` gets a `beach.thumb.jpg`, or with a
/// mark `-2` a `beach.thumb-2.jpg`.
pub(super) fn variants(
    rendered: imaging::Rendered,
    file: &str,
    mark: &str,
    write: impl Fn(&str, &[u8]) -> Result<()>,
) -> Result<Rendered> {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let [r, g, b] = rendered.color;
    let mut variants = Vec::with_capacity(rendered.renditions.len());
    for rendition in rendered.renditions {
        let file = format!("{stem}.{}{mark}.{}", rendition.name, rendition.format.extension());
        write(&file, &rendition.bytes)?;
        variants.push(Variant {
            name: rendition.name,
            role: Role::Picture,
            file,
            mime: rendition.format.mime().to_owned(),
            bytes: rendition.bytes.len() as u64,
            width: rendition.width,
            height: rendition.height,
        });
    }
    let color = u32::from_be_bytes([0, r, g, b]);
    let (placeholder, looks) = (rendered.placeholder, rendered.phash);
    Ok(Rendered { variants, poster: None, placeholder, color, looks })
}
