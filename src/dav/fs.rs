//! Folders and files as the crate asks for them. Reading, moving and deleting do not go through
//! here: see `answer.rs` and `shift.rs`.

use super::{
    Session,
    file::Writing,
    path::Way,
    tree::{Node, Shelf, check_name, contents, find, look, parent},
};
use crate::{
    albums,
    base::{Error, Result, clock::Millis, text::Label},
    media::shelf::Shelved,
    site::settings,
};
use dav_server::{
    davpath::DavPath,
    fs::{
        DavDirEntry, DavFile, DavFileSystem, DavMetaData, FsError, FsFuture, FsResult, FsStream,
        OpenOptions, ReadDirMeta,
    },
};
use futures_util::{StreamExt, stream};
use std::time::SystemTime;

/// What is said about a folder or a file.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    bytes: u64,
    modified: Millis,
    is_folder: bool,
    tag: Option<String>,
}

impl Facts {
    pub(super) fn of_file(file: &Shelved) -> Self {
        let tag = Some(file.tag());
        Self { bytes: file.bytes, modified: file.created_at, is_folder: false, tag }
    }

    pub(super) fn of_blank(since: Millis) -> Self {
        Self { bytes: 0, modified: since, is_folder: false, tag: None }
    }

    pub(super) fn of_folder(session: &Session, folder: &Shelf) -> Self {
        let since = session.actor.user().map_or(Millis(0), |user| user.created_at);
        let modified = folder.0.as_ref().map_or(since, |album| album.updated_at);
        Self { bytes: 0, modified, is_folder: true, tag: None }
    }

    fn of(session: &Session, node: &Node) -> Self {
        match node {
            Node::Folder(folder) => Self::of_folder(session, folder),
            Node::File(file) => Self::of_file(file),
            Node::Blank(since) => Self::of_blank(*since),
        }
    }
}

impl DavMetaData for Facts {
    fn len(&self) -> u64 {
        self.bytes
    }

    fn modified(&self) -> FsResult<SystemTime> {
        Ok(self.modified.system_time())
    }

    fn created(&self) -> FsResult<SystemTime> {
        Ok(self.modified.system_time())
    }

    fn is_dir(&self) -> bool {
        self.is_folder
    }

    fn etag(&self) -> Option<String> {
        self.tag.clone()
    }
}

struct Entry {
    name: String,
    facts: Facts,
}

impl DavDirEntry for Entry {
    fn name(&self) -> Vec<u8> {
        self.name.clone().into_bytes()
    }

    fn metadata(&self) -> FsFuture<'_, Box<dyn DavMetaData>> {
        let facts: Box<dyn DavMetaData> = Box::new(self.facts.clone());
        Box::pin(async move { Ok(facts) })
    }
}

impl Session {
    /// The crate has decoded the path; it was checked before.
    fn way(&self, path: &DavPath) -> FsResult<Way> {
        let text = std::str::from_utf8(path.as_bytes()).map_err(|_| FsError::NotFound)?;
        Ok(text.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }

    async fn begin(&self, way: &Way, options: OpenOptions) -> Result<Writing> {
        if !options.write || options.append {
            return Err(Error::Forbidden("files are written whole"));
        }
        let (folder, name) = parent(self, way).await?;
        check_name(name)?;
        let before = match look(self, way).await? {
            Some(Node::Folder(_)) => {
                let reason = "there is a folder of this name";
                return Err(Error::Conflict { code: "name_taken", reason });
            }
            Some(Node::File(file)) => Some(file),
            Some(Node::Blank(_)) | None => None,
        };
        if !options.truncate {
            // A lock on something new; what is there already is not written in part.
            return match before {
                None => Ok(Writing::blank(self, way, folder)),
                Some(_) => Err(Error::Forbidden("files are written whole")),
            };
        }
        Writing::begin(self, way, folder, before).await
    }

    /// `false` where there is something of this name.
    async fn make_folder(&self, way: &Way) -> Result<bool> {
        if look(self, way).await?.is_some() {
            return Ok(false);
        }
        let (folder, name) = parent(self, way).await?;
        check_name(name)?;
        let visibility = self.tenant.read(settings::load).await?.default_visibility;
        let edit = albums::Edit {
            visibility: Some(visibility),
            parent: Some(folder.0.map(|album| album.public_id)),
            is_only: true,
            ..albums::Edit::default()
        };
        let title = Label::parse("title", name)?;
        match albums::create(&self.tenant, &self.actor, title, edit).await {
            Ok(_) => Ok(true),
            // Somebody else was quicker.
            Err(Error::Conflict { code: "name_taken", .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn entries(&self, way: &Way) -> Result<Vec<Entry>> {
        let Node::Folder(folder) = find(self, way).await? else {
            return Err(Error::NotFound("folder"));
        };
        let found = contents(self, &folder).await?.into_iter();
        Ok(found.map(|(name, node)| Entry { name, facts: Facts::of(self, &node) }).collect())
    }
}

impl DavFileSystem for Session {
    fn open<'a>(
        &'a self,
        path: &'a DavPath,
        options: OpenOptions,
    ) -> FsFuture<'a, Box<dyn DavFile>> {
        Box::pin(async move {
            let way = self.way(path)?;
            let opened = self.begin(&way, options).await.map_err(|error| self.refuse(error))?;
            Ok(Box::new(opened) as Box<dyn DavFile>)
        })
    }

    fn read_dir<'a>(
        &'a self,
        path: &'a DavPath,
        _: ReadDirMeta,
    ) -> FsFuture<'a, FsStream<Box<dyn DavDirEntry>>> {
        Box::pin(async move {
            let entries = self.entries(&self.way(path)?).await;
            let entries = entries.map_err(|error| self.refuse(error))?.into_iter();
            let entries = entries.map(|entry| Ok(Box::new(entry) as Box<dyn DavDirEntry>));
            Ok(stream::iter(entries.collect::<Vec<_>>()).boxed())
        })
    }

    fn metadata<'a>(&'a self, path: &'a DavPath) -> FsFuture<'a, Box<dyn DavMetaData>> {
        Box::pin(async move {
            let node = find(self, &self.way(path)?).await.map_err(|error| self.refuse(error))?;
            Ok(Box::new(Facts::of(self, &node)) as Box<dyn DavMetaData>)
        })
    }

    fn create_dir<'a>(&'a self, path: &'a DavPath) -> FsFuture<'a, ()> {
        Box::pin(async move {
            match self.make_folder(&self.way(path)?).await {
                Ok(true) => Ok(()),
                Ok(false) => Err(FsError::Exists),
                Err(error) => Err(self.refuse(error)),
            }
        })
    }
}
