//! Albums: what one is, and the rules it obeys. No I/O here; what lies in one is media's.

pub mod api;
pub mod edit;
pub mod listing;
mod remove;
mod sql;
mod view;

pub use edit::{Edit, create, update};
pub use listing::{find, list};
pub use remove::{Contents, remove};

use crate::{
    accounts::{Actor, Role},
    base::{
        Error, Result,
        clock::Millis,
        ids::{AlbumId, PublicId, UserId},
        visibility::Visibility,
    },
    media::InAlbum,
};

/// How many albums may lie in one another, the outermost included.
const DEEPEST: u32 = 12;

/// A title that items are put under. Albums lie in albums.
#[derive(Debug, Clone)]
pub struct Album {
    pub id: AlbumId,
    pub public_id: PublicId,
    pub owner: UserId,
    /// The owner's name.
    pub username: String,
    /// The album that it lies in.
    pub parent: Option<InAlbum>,
    pub title: String,
    pub description: Option<String>,
    /// Who may see it: what its owner asked for, or what its parent has where that is stricter.
    pub visibility: Visibility,
    /// What its owner asked for.
    pub own_visibility: Visibility,
    /// The item that was chosen to stand for it.
    pub cover: Option<PublicId>,
    /// Items in it that are not in the trash.
    pub items: u64,
    /// Those of them that everybody finds in it.
    pub public_items: u64,
    pub created_at: Millis,
    pub updated_at: Millis,
}

impl Album {
    /// Whether the actor looks after this album: as its owner, or for the site.
    pub fn may_edit(&self, actor: &Actor) -> bool {
        actor.is(self.owner) || actor.has_role(Role::Manager)
    }

    /// # Errors
    /// `NotFound` where the actor may not even know of it.
    pub fn check_see(&self, actor: &Actor) -> Result<()> {
        if self.visibility != Visibility::Private || self.may_edit(actor) {
            Ok(())
        } else {
            Err(Error::NotFound("album"))
        }
    }

    /// # Errors
    /// Those of [`check_see`](Self::check_see), and `Forbidden` for whoever may only look.
    pub fn check_edit(&self, actor: &Actor) -> Result<()> {
        self.check_see(actor)?;
        if self.may_edit(actor) {
            Ok(())
        } else if matches!(actor, Actor::Guest) {
            Err(Error::Unauthenticated)
        } else {
            Err(Error::Forbidden("only the owner may do this"))
        }
    }

    /// The path of the page that shows it.
    pub fn page_path(&self) -> String {
        let slug = crate::base::text::slug(&self.title);
        let and = if slug.is_empty() { "" } else { "/" };
        format!("/a/{}{and}{slug}", self.public_id)
    }
}
