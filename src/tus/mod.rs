//! Uploads that come in pieces and go on after a break: the tus protocol, version 1.0.0.
//!
//! It is described at <https://tus.io/protocols/resumable-upload>; of its extensions, creation,
//! creation-with-upload, expiration, checksum, termination and concatenation are understood. A
//! complete upload is taken in like every other.

pub mod api;
mod append;
mod begin;
mod checksum;
mod finish;
mod metadata;
mod piece;
mod sql;
pub mod sweep;

use crate::{
    accounts::Actor,
    base::{
        Clock, Error, Result,
        clock::Millis,
        ids::{PublicId, UserId},
    },
    tenancy::Tenant,
};

/// The version of the protocol.
pub const VERSION: &str = "1.0.0";
/// What is understood beyond its core.
pub const EXTENSIONS: &str =
    "creation,creation-with-upload,expiration,checksum,termination,concatenation";

/// How long an upload waits for its next piece, and for somebody to ask what came of it.
const LIFETIME_MS: i64 = 24 * 60 * 60 * 1000;
/// How many uploads a person may have begun at once.
const MOST_OPEN: u64 = 200;

/// An upload as far as the database knows it.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    pub id: PublicId,
    pub owner: UserId,
    pub length: u64,
    pub metadata: String,
    pub is_part: bool,
    /// The uploads it is joined from.
    pub parts: Option<String>,
    pub media: Option<PublicId>,
    pub expires_at: Millis,
}

/// An upload, and how far it has come.
pub(crate) struct State {
    pub upload: Upload,
    /// Bytes that are here.
    pub offset: u64,
}

/// One's own upload; that of others does not exist.
async fn find(tenant: &Tenant, actor: &Actor, id: &str) -> Result<Upload> {
    let owner = actor.user().ok_or(Error::Unauthenticated)?.id;
    let missing = Error::NotFound("upload");
    let Some(id) = PublicId::parse(id) else { return Err(missing) };
    let upload = tenant.read(move |db| sql::get(db, &id)).await?;
    let upload = upload.filter(|upload| upload.owner == owner).ok_or(missing)?;
    if upload.expires_at <= Clock::now() {
        return Err(Error::Gone("upload"));
    }
    Ok(upload)
}

/// Ends an upload and takes away its bytes.
pub(crate) async fn cancel(tenant: &Tenant, actor: &Actor, id: &str) -> Result<()> {
    let upload = find(tenant, actor, id).await?;
    remove(tenant, upload.id).await
}

/// The row first: bytes without one are swept.
async fn remove(tenant: &Tenant, id: PublicId) -> Result<()> {
    let of = id.clone();
    tenant.write(move |db| sql::delete(db, &of)).await?;
    let store = tenant.disk().clone();
    blocking(move || store.remove_partial(&id)).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await?
}
