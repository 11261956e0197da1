//! The end of an upload: parts are joined, and the file is taken in like every other.

use super::{LIFETIME_MS, State, Upload, blocking, find, metadata, remove, sql};
use crate::{
    accounts::Actor,
    base::{Clock, Error, Result, ids::PublicId},
    media::{
        duplicates::CODE as DUPLICATE,
        upload::{Outcome, Receiving, Uploads},
    },
    storage::Partial,
    tenancy::Tenant,
};
use std::sync::Arc;

/// How far an upload has come. One that is complete and was not taken in yet, because the server
/// was stopped in between, is taken in now.
///
/// # Errors
/// `NotFound`, `Gone`, `Locked`; where it is complete, those of taking it in.
pub(super) async fn state(
    tenant: &Arc<Tenant>,
    actor: &Actor,
    uploads: &Arc<Uploads>,
    id: &str,
) -> Result<State> {
    let mut upload = find(tenant, actor, id).await?;
    if upload.media.is_some() {
        let offset = upload.length;
        return Ok(State { upload, offset });
    }
    let (store, of) = (tenant.disk().clone(), upload.id.clone());
    let (partial, mut offset) = blocking(move || {
        let partial = store.hold_partial(&of)?;
        let offset = partial.length()?;
        Ok((partial, offset))
    })
    .await?;
    let mut partial = Arc::new(partial);
    if upload.parts.is_some() && offset != upload.length {
        partial = join(tenant, &upload, partial).await?;
        offset = upload.length;
    }
    if offset == upload.length && !upload.is_part {
        // It goes on to its end even when nobody waits any more.
        let (tenant, actor, uploads) = (tenant.clone(), actor.clone(), uploads.clone());
        let work = async move {
            take_in(&tenant, &actor, &uploads, &mut upload, partial).await?;
            Ok(State { upload, offset })
        };
        return tokio::spawn(work).await?;
    }
    Ok(State { upload, offset })
}

/// Joins the parts into the file of the whole, from its start.
async fn join(tenant: &Tenant, upload: &Upload, partial: Arc<Partial>) -> Result<Arc<Partial>> {
    let (store, parts, length) = (tenant.disk().clone(), parts(upload), upload.length);
    let whole = Arc::into_inner(partial).ok_or_else(|| Error::internal("the file is in use"))?;
    blocking(move || {
        let mut whole = whole;
        whole.file.set_len(0)?;
        for part in &parts {
            whole.append(&mut store.hold_partial(part)?)?;
        }
        whole.sync()?;
        if whole.length()? != length {
            let reason = "the parts have changed since they were joined";
            return Err(Error::Conflict { code: "parts_changed", reason });
        }
        Ok(Arc::new(whole))
    })
    .await
}

fn parts(upload: &Upload) -> Vec<PublicId> {
    let words = upload.parts.as_deref().unwrap_or_default();
    words.split(' ').filter_map(PublicId::parse).collect()
}

/// Makes an item of a complete file. What is refused for what it is, is gone; whatever else goes
/// wrong leaves the bytes for another try.
pub(super) async fn take_in(
    tenant: &Arc<Tenant>,
    actor: &Actor,
    uploads: &Arc<Uploads>,
    upload: &mut Upload,
    partial: Arc<Partial>,
) -> Result<()> {
    // Whoever held the file before may have done it.
    let of = upload.id.clone();
    let now = tenant.read(move |db| sql::get(db, &of)).await?.ok_or(Error::NotFound("upload"))?;
    if now.media.is_some() {
        *upload = now;
        return Ok(());
    }
    let media = match store(tenant, actor, uploads, upload, partial).await {
        Ok(media) => media,
        Err(error) => {
            if is_about_the_file(&error) {
                remove_all(tenant, upload).await?;
            }
            return Err(error);
        }
    };
    let until = Clock::now().plus_ms(LIFETIME_MS);
    let (of, item) = (upload.id.clone(), media.clone());
    tenant.write(move |db| sql::finish(db, &of, &item, until)).await?;
    (upload.media, upload.expires_at) = (Some(media), until);
    let (store, id) = (tenant.disk().clone(), upload.id.clone());
    blocking(move || store.remove_partial(&id)).await?;
    remove_parts(tenant, upload).await
}

async fn store(
    tenant: &Arc<Tenant>,
    actor: &Actor,
    uploads: &Arc<Uploads>,
    upload: &Upload,
    partial: Arc<Partial>,
) -> Result<PublicId> {
    let (filename, details) = metadata::parse(&upload.metadata)?;
    let receiving =
        Receiving::adopt(tenant, actor, upload.length, move |place| partial.link_to(place)).await?;
    Ok(match receiving.finish(uploads, filename, details).await? {
        Outcome::Created(media, _) | Outcome::Duplicate(media) => media.public_id,
    })
}

fn is_about_the_file(error: &Error) -> bool {
    matches!(
        error,
        Error::Rejected { .. }
            | Error::Unsupported(_)
            | Error::Invalid { .. }
            | Error::TooLarge { .. }
            | Error::Conflict { code: DUPLICATE, .. }
    )
}

async fn remove_all(tenant: &Tenant, upload: &Upload) -> Result<()> {
    remove(tenant, upload.id.clone()).await?;
    remove_parts(tenant, upload).await
}

async fn remove_parts(tenant: &Tenant, upload: &Upload) -> Result<()> {
    for part in parts(upload) {
        remove(tenant, part).await?;
    }
    Ok(())
}
