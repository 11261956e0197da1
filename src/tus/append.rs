//! The next bytes of an upload.

use super::{LIFETIME_MS, State, Upload, blocking, checksum::Checksum, find, finish, sql};
use crate::{
    accounts::Actor,
    base::{Clock, Error, Result},
    media::upload::Uploads,
    storage::Partial,
    tenancy::Tenant,
};
use futures_util::StreamExt;
use poem::Body;
use std::sync::Arc;
use tokio::{
    fs::File,
    io::{AsyncWriteExt, BufWriter},
};

/// Bytes and where they belong.
pub(super) struct Bytes {
    pub offset: u64,
    pub checksum: Option<Checksum>,
    pub body: Body,
}

/// Adds bytes to an upload, and takes the file in when these were the last. It goes on to its end
/// even when the client hangs up: what has come stays.
///
/// # Errors
/// `Conflict` where the bytes belong elsewhere; `WrongChecksum`; `Locked`; and where the file is
/// complete, those of taking it in.
pub(super) async fn append(
    tenant: &Arc<Tenant>,
    actor: &Actor,
    uploads: &Arc<Uploads>,
    id: &str,
    bytes: Bytes,
) -> Result<State> {
    let upload = find(tenant, actor, id).await?;
    let work =
        Work { tenant: tenant.clone(), actor: actor.clone(), uploads: uploads.clone(), upload };
    let span = tracing::Span::current();
    tokio::spawn(tracing::Instrument::instrument(work.run(bytes), span)).await?
}

struct Work {
    tenant: Arc<Tenant>,
    actor: Actor,
    uploads: Arc<Uploads>,
    upload: Upload,
}

impl Work {
    async fn run(self, bytes: Bytes) -> Result<State> {
        let Self { tenant, actor, uploads, mut upload } = self;
        if upload.parts.is_some() {
            return Err(Error::Forbidden("an upload that is joined from others takes no bytes"));
        }
        let (store, id) = (tenant.disk().clone(), upload.id.clone());
        let (partial, here) = blocking(move || {
            let partial = store.hold_partial(&id)?;
            let here = partial.length()?;
            Ok((partial, here))
        })
        .await?;
        if bytes.offset != here {
            let reason = "the bytes belong elsewhere: ask with HEAD how far the upload has come";
            return Err(Error::Conflict { code: "offset_mismatch", reason });
        }
        let partial = Arc::new(partial);
        let room = upload.length - here.min(upload.length);
        write(&partial, room, bytes).await?;
        let held = partial.clone();
        let offset = blocking(move || held.length()).await?;

        upload.expires_at = Clock::now().plus_ms(LIFETIME_MS);
        let (of, until) = (upload.id.clone(), upload.expires_at);
        tenant.tidy(move |db| sql::prolong(db, &of, until)).await?;
        if offset == upload.length && !upload.is_part {
            finish::take_in(&tenant, &actor, &uploads, &mut upload, partial).await?;
        }
        Ok(State { upload, offset })
    }
}

/// Writes what comes, and makes it outlive a power cut before anybody is told.
async fn write(partial: &Arc<Partial>, room: u64, bytes: Bytes) -> Result<()> {
    let Bytes { checksum, body, .. } = bytes;
    let (held, is_checked) = (partial.clone(), checksum.is_some());
    let file = blocking(move || {
        if is_checked {
            held.begin_unchecked()?;
        }
        Ok(held.file.try_clone()?)
    })
    .await?;
    let poured = pour(file, room, checksum, body).await;
    let held = partial.clone();
    blocking(move || {
        if is_checked && poured.is_ok() {
            held.sync()?;
            held.checked()?;
        } else if is_checked {
            held.forget_unchecked()?;
        } else {
            held.sync()?;
        }
        poured
    })
    .await
}

async fn pour(
    file: std::fs::File,
    room: u64,
    mut checksum: Option<Checksum>,
    body: Body,
) -> Result<()> {
    let mut file = BufWriter::with_capacity(256 * 1024, File::from_std(file));
    let (mut stream, mut left) = (std::pin::pin!(body.into_bytes_stream()), room);
    let mut outcome = Ok(());
    while let Some(chunk) = stream.next().await {
        let chunk = match chunk {
            Ok(chunk) => chunk,
            Err(cause) => {
                outcome = Err(Error::Malformed(format!("the body broke off: {cause}")));
                break;
            }
        };
        let Some(after) = left.checked_sub(chunk.len() as u64) else {
            outcome = Err(Error::TooLarge { field: "body", allowed: room });
            break;
        };
        left = after;
        if let Some(checksum) = &mut checksum {
            checksum.update(&chunk);
        }
        file.write_all(&chunk).await?;
    }
    file.flush().await?;
    outcome?;
    if checksum.is_none_or(Checksum::matches) { Ok(()) } else { Err(Error::WrongChecksum) }
}
