//! Items as files in their owner's folders, by the names they have there. Which folders there are
//! is not said here.

use super::{Media, albums, forget, sql};
use crate::{
    accounts::Actor,
    base::{
        Error, Result,
        clock::Millis,
        ids::{AlbumId, PublicId},
        text::Filename,
    },
    db::Write,
    site::settings,
    storage::Folder,
    tenancy::{Site, Tenant},
};

/// How many files are shown of one folder: the newest.
const MOST: u32 = 10_000;

/// An item as its owner has it: the file as it came where that is kept, or else the public one.
#[derive(Debug, Clone)]
pub struct Shelved {
    pub id: PublicId,
    /// What it is called. Several may be called the same.
    pub name: String,
    /// The file's own name, which its address has.
    pub file: String,
    pub bytes: u64,
    pub created_at: Millis,
    pub(super) folder: Folder,
}

impl Shelved {
    /// Names these bytes and no others (RFC 9110, 8.8.3), without the quotes.
    pub fn tag(&self) -> String {
        format!("{}-{}-{:x}", self.folder.as_str().replace('/', "-"), self.file, self.bytes)
    }
}

/// The actor's own items in an album, or in none: the oldest first.
///
/// # Errors
/// `Unauthenticated` for guests.
pub async fn list(tenant: &Tenant, actor: &Actor, album: Option<AlbumId>) -> Result<Vec<Shelved>> {
    let owner = actor.user().ok_or(Error::Unauthenticated)?.id;
    tenant.read(move |db| sql::shelf::list(db, owner, album, MOST)).await
}

/// Gives an item another name, and another album or none.
///
/// # Errors
/// `NotFound` and `Forbidden`, as for every change; `Invalid` for an album that is not its owner's.
pub async fn put(
    tenant: &Tenant,
    actor: &Actor,
    id: &PublicId,
    name: &str,
    album: Option<PublicId>,
) -> Result<()> {
    let (id, name, actor) = (id.clone(), name.to_owned(), actor.clone());
    let putting = tenant.write(move |db| {
        let media = sql::get(db, &id)?.ok_or(Error::NotFound("media"))?;
        media.facts().check_edit(&actor)?;
        write(db, &media, &name, album)?;
        let now = sql::get(db, &id)?.ok_or(Error::NotFound("media"))?;
        forget::note_change(db, media.visibility, &now)
    });
    forget::begin(tenant, putting.await?).await
}

fn write(db: &Write<Site>, media: &Media, name: &str, album: Option<PublicId>) -> Result<()> {
    let album = album.map(|id| albums::place(db, &id, media.owner.id)).transpose()?;
    let filename = match settings::load(db)?.hide_file_names {
        true => Filename::from_client(&media.filename),
        false => {
            let ending = media.file.rsplit_once('.').map_or("", |(_, ending)| ending);
            Filename::from_client(name).with_extension(ending)
        }
    };
    sql::shelf::put(db, media.id, name, &filename, album)
}

/// Whether two items were made of the same file.
pub async fn is_same(tenant: &Tenant, one: &PublicId, other: &PublicId) -> Result<bool> {
    let (one, other) = (one.clone(), other.clone());
    tenant.read(move |db| sql::shelf::is_same(db, &one, &other)).await
}
