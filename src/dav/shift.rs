//! Moving and throwing away. The crate would empty a folder that stands where something is moved
//! to, and go through what is thrown away one by one.

use super::{
    Session,
    path::Way,
    tree::{Node, Shelf, check_name, find, look, parent},
};
use crate::{
    albums::{self, Contents},
    base::{Error, Result, text::Label},
    media::{delete, shelf},
};

/// Puts a file, or a folder with all that is in it, into the trash.
///
/// # Errors
/// `NotFound` where there is none; `Forbidden` for the outermost folder.
pub(super) async fn throw_away(session: &Session, way: &Way) -> Result<()> {
    let (tenant, actor) = (&session.tenant, &session.actor);
    match find(session, way).await? {
        Node::File(file) => delete::trash(tenant, actor, file.id.as_str()).await,
        Node::Blank(_) => {
            session.blanks.take(tenant, actor, way);
            Ok(())
        }
        Node::Folder(Shelf(Some(album))) => {
            albums::remove(tenant, actor, album.public_id.as_str(), Contents::Trash).await
        }
        Node::Folder(Shelf(None)) => Err(Error::Forbidden("the outermost folder stays")),
    }
}

/// Moves or renames, and says whether something else was there before, which is in the trash then.
///
/// # Errors
/// `Conflict` where a folder is in the way, or the folder to move to is not there; `Stale` where
/// something is in the way that is to stay.
pub(super) async fn shift(
    session: &Session,
    from: &Way,
    to: &Way,
    overwrite: bool,
) -> Result<bool> {
    let (tenant, actor) = (&session.tenant, &session.actor);
    let node = find(session, from).await?;
    if from == to || to.starts_with(from) {
        return Err(Error::Forbidden("a folder does not move into itself"));
    }
    let (folder, name) = parent(session, to).await.map_err(|error| match error {
        Error::NotFound(_) => {
            Error::Conflict { code: "no_folder", reason: "the folder to move to is not there" }
        }
        other => other,
    })?;
    check_name(name)?;
    let album = folder.0.map(|album| album.public_id);
    let before = look(session, to).await?;
    match &before {
        Some(Node::Folder(_)) => {
            let reason = "there is a folder of this name";
            return Err(Error::Conflict { code: "name_taken", reason });
        }
        Some(_) if !overwrite => return Err(Error::Stale),
        _ => {}
    }
    match node {
        Node::File(file) => shelf::put(tenant, actor, &file.id, name, album).await?,
        Node::Blank(_) => {
            session.blanks.take(tenant, actor, from);
            session.blanks.put(tenant, actor, to);
        }
        Node::Folder(Shelf(Some(moved))) => {
            let title = Some(Label::parse("title", name)?);
            let parent = Some(album);
            let edit = albums::Edit { title, parent, is_only: true, ..albums::Edit::default() };
            albums::update(tenant, actor, moved.public_id.as_str(), edit).await?;
        }
        Node::Folder(Shelf(None)) => return Err(Error::Forbidden("the outermost folder stays")),
    }
    match &before {
        Some(Node::File(file)) => delete::trash(tenant, actor, file.id.as_str()).await?,
        Some(Node::Blank(_)) => {
            session.blanks.take(tenant, actor, to);
        }
        _ => {}
    }
    Ok(before.is_some())
}
