//! A file that is being written: received like every other upload, and an item once it is whole.

use super::{
    Session,
    fs::Facts,
    path::Way,
    tree::{Node, Shelf, find},
};
use crate::{
    base::{Error, Result, text::Filename},
    media::{
        delete, shelf,
        shelf::Shelved,
        upload::{Details, Outcome, Receiving},
    },
};
use bytes::{Buf, Bytes};
use dav_server::fs::{DavFile, DavMetaData, FsError, FsFuture};
use std::{fmt, io::SeekFrom};

pub(super) struct Writing {
    session: Session,
    way: Way,
    folder: Shelf,
    /// What was there under this name.
    before: Option<Shelved>,
    /// Taken when it is whole. A file that stays empty has none.
    receiving: Option<Box<Receiving>>,
    is_empty: bool,
}

impl Writing {
    /// # Errors
    /// Those of beginning an upload.
    pub(super) async fn begin(
        session: &Session,
        way: &Way,
        folder: Shelf,
        before: Option<Shelved>,
    ) -> Result<Self> {
        let receiving = Receiving::begin(&session.tenant, &session.actor).await?;
        Ok(Self {
            session: session.clone(),
            way: way.clone(),
            folder,
            before,
            receiving: Some(Box::new(receiving)),
            is_empty: true,
        })
    }

    /// An empty file, which is only locked for now.
    pub(super) fn blank(session: &Session, way: &Way, folder: Shelf) -> Self {
        session.blanks.put(&session.tenant, &session.actor, way);
        let (session, way) = (session.clone(), way.clone());
        Self { session, way, folder, before: None, receiving: None, is_empty: true }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(receiving) = &mut self.receiving else {
            return Err(Error::Forbidden("files are written whole"));
        };
        self.is_empty &= bytes.is_empty();
        receiving.write(bytes).await
    }

    /// All bytes are here.
    async fn finish(&mut self) -> Result<()> {
        let (tenant, actor) = (&self.session.tenant, &self.session.actor);
        let Some(receiving) = self.receiving.take() else { return Ok(()) };
        if self.is_empty {
            // What was there is not lost for a file that is filled in a moment.
            if self.before.is_none() {
                self.session.blanks.put(tenant, actor, &self.way);
            }
            return Ok(());
        }
        let name = self.way.last().cloned().unwrap_or_default();
        let details = Details {
            album: self.folder.0.as_ref().map(|album| album.public_id.clone()),
            allow_duplicate: true,
            dav_name: Some(name.clone()),
            ..Details::default()
        };
        let filename = Filename::from_client(&name);
        let outcome = receiving.finish(&self.session.uploads, filename, details).await?;
        let (Outcome::Created(media, _) | Outcome::Duplicate(media)) = outcome;
        self.session.blanks.take(tenant, actor, &self.way);
        let Some(before) = &self.before else { return Ok(()) };
        // Written again as it was, an item stays what it is, with all that links to it.
        match shelf::is_same(tenant, &before.id, &media.public_id).await? {
            true => delete::purge(tenant, actor, media.public_id.as_str()).await,
            false => delete::trash(tenant, actor, before.id.as_str()).await,
        }
    }

    async fn facts(&self) -> Result<Facts> {
        Ok(match find(&self.session, &self.way).await? {
            Node::File(file) => Facts::of_file(&file),
            Node::Blank(since) => Facts::of_blank(since),
            Node::Folder(folder) => Facts::of_folder(&self.session, &folder),
        })
    }
}

impl fmt::Debug for Writing {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Writing").field("way", &self.way).finish_non_exhaustive()
    }
}

impl DavFile for Writing {
    fn metadata(&mut self) -> FsFuture<'_, Box<dyn DavMetaData>> {
        Box::pin(async move {
            let facts = self.facts().await.map_err(|error| self.session.refuse(error))?;
            Ok(Box::new(facts) as Box<dyn DavMetaData>)
        })
    }

    fn write_buf(&mut self, mut buf: Box<dyn Buf + Send>) -> FsFuture<'_, ()> {
        let bytes = buf.copy_to_bytes(buf.remaining());
        self.write_bytes(bytes)
    }

    fn write_bytes(&mut self, bytes: Bytes) -> FsFuture<'_, ()> {
        Box::pin(
            async move { self.write(&bytes).await.map_err(|error| self.session.refuse(error)) },
        )
    }

    fn read_bytes(&mut self, _: usize) -> FsFuture<'_, Bytes> {
        Box::pin(async { Err(FsError::NotImplemented) })
    }

    fn seek(&mut self, _: SeekFrom) -> FsFuture<'_, u64> {
        let whole = Error::Forbidden("files are written whole");
        let refused = self.session.refuse(whole);
        Box::pin(async move { Err(refused) })
    }

    fn flush(&mut self) -> FsFuture<'_, ()> {
        Box::pin(async move { self.finish().await.map_err(|error| self.session.refuse(error)) })
    }
}
