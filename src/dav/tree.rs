//! What there is on the way through a person's folders: their albums, each in the one it lies in,
//! and their items.

use super::{Session, names::Names, path::Way};
use crate::{
    albums::{
        self, Album,
        listing::{Place, Wanted},
    },
    base::{Error, Result, clock::Millis, page::Ask},
    media::{
        listing::Whose,
        shelf::{self, Shelved},
    },
};

/// How many pages of albums are looked through in one folder.
const PAGES: usize = 100;

/// What a way leads to.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Folder(Shelf),
    File(Shelved),
    /// An empty file, since when.
    Blank(Millis),
}

/// A folder: an album, or the outermost one.
#[derive(Debug, Clone)]
pub(super) struct Shelf(pub Option<Box<Album>>);

/// Everything in a folder, by its name: albums first.
pub(super) async fn contents(session: &Session, folder: &Shelf) -> Result<Vec<(String, Node)>> {
    let mut names = Names::default();
    let mut found = Vec::new();
    for album in inner(session, folder).await? {
        let name = names.give(&album.title, album.public_id.as_str());
        found.push((name, Node::Folder(Shelf(Some(Box::new(album))))));
    }
    let album = folder.0.as_ref().map(|album| album.id);
    for file in shelf::list(&session.tenant, &session.actor, album).await? {
        found.push((names.give(&file.name, file.id.as_str()), Node::File(file)));
    }
    Ok(found)
}

/// The albums in a folder, the oldest first: it keeps its name when others come.
async fn inner(session: &Session, folder: &Shelf) -> Result<Vec<Album>> {
    let (whose, mut all) = (Whose::Mine, Vec::new());
    let place = match &folder.0 {
        None => Place::Outermost,
        Some(album) => Place::In(album.public_id.clone()),
    };
    let wanted = Wanted { whose, place };
    let mut next = None;
    for _ in 0..PAGES {
        let ask = Ask::parse(Some(100), next.as_deref(), None)?;
        let page = albums::list(&session.tenant, &session.actor, wanted.clone(), ask).await?;
        all.extend(page.items.into_iter().filter(|album| session.actor.is(album.owner)));
        next = page.next.map(|cursor| cursor.encode());
        if next.is_none() {
            break;
        }
    }
    all.reverse();
    Ok(all)
}

/// What the way leads to.
///
/// # Errors
/// `NotFound` where it leads nowhere.
pub(super) async fn find(session: &Session, way: &[String]) -> Result<Node> {
    if let Some(since) = session.blanks.find(&session.tenant, &session.actor, way) {
        return Ok(Node::Blank(since));
    }
    let mut node = Node::Folder(Shelf(None));
    for name in way {
        let Node::Folder(folder) = &node else { return Err(Error::NotFound("file")) };
        let found = contents(session, folder).await?.into_iter().find(|(given, _)| given == name);
        node = found.ok_or(Error::NotFound("file"))?.1;
    }
    Ok(node)
}

/// [`find`], where nothing is no error.
pub(super) async fn look(session: &Session, way: &[String]) -> Result<Option<Node>> {
    match find(session, way).await {
        Ok(node) => Ok(Some(node)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The folder that the last name on the way lies in or would lie in, and that name.
///
/// # Errors
/// `NotFound` where there is no such folder; `Forbidden` for the outermost folder itself.
pub(super) async fn parent<'a>(session: &Session, way: &'a Way) -> Result<(Shelf, &'a String)> {
    let outermost = Error::Forbidden("the outermost folder stays as it is");
    let (name, above) = way.split_last().ok_or(outermost)?;
    match find(session, above).await? {
        Node::Folder(folder) => Ok((folder, name)),
        Node::File(_) | Node::Blank(_) => Err(Error::NotFound("folder")),
    }
}

/// Whether this can be the name of a file that is kept. What file managers strew about is not.
///
/// # Errors
/// `Forbidden` where it cannot.
pub(super) fn check_name(name: &str) -> Result<()> {
    match name.starts_with('.') {
        true => Err(Error::Forbidden("hidden files are not kept here")),
        false => Ok(()),
    }
}
