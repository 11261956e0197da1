//! Uploaded media: what an item is, and the rules it obeys. No I/O here.

mod adding;
mod albums;
pub mod api;
pub mod api_bytes;
pub mod api_links;
pub mod api_looks;
pub mod api_moving;
pub mod api_oembed;
pub mod api_poster;
pub mod api_regeneration;
pub mod api_transcode;
pub mod api_watermark;
pub mod blocklist;
pub mod clear;
pub mod delete;
pub mod duplicates;
pub mod edit;
mod elsewhere;
pub mod embed;
pub mod expiry;
pub mod files;
pub mod film;
pub mod forget;
pub mod hiding;
mod hls;
pub mod hot;
mod landing;
pub mod listing;
mod local;
pub mod moving;
pub mod numbered;
mod oembed;
mod original;
mod patch;
pub mod poster;
pub mod quota;
pub mod regenerate;
pub mod remote;
pub mod removals;
pub mod renderings;
mod request;
pub mod shape;
pub mod shelf;
pub mod sign;
pub mod spool;
mod sql;
pub mod sweep;
mod told;
pub mod transcode;
pub mod upload;
mod view;
mod view_av;
mod view_metadata;
mod view_quota;
pub mod watermark;

pub use film::{Av, Kind};
pub use request::Fields;

use crate::{
    accounts::{self, Actor},
    base::{
        Clock, Error, Result,
        clock::Millis,
        ids::{AlbumId, MediaId, PublicId, StorageId, UserId},
        secret::SecretHash,
        text::{Description, Filename, Tag, Title},
        visibility::Visibility,
    },
    imaging::Metadata,
    storage::Folder,
};

/// One uploaded item.
#[derive(Debug, Clone)]
pub struct Media {
    pub id: MediaId,
    pub public_id: PublicId,
    pub kind: Kind,
    pub owner: Owner,
    pub title: Option<String>,
    pub description: Option<String>,
    pub filename: String,
    pub folder: Folder,
    pub file: String,
    pub mime: String,
    pub bytes: u64,
    pub width: u32,
    pub height: u32,
    pub frames: u32,
    pub is_animated: bool,
    pub duration_ms: Option<u64>,
    pub sha256: [u8; 32],
    pub placeholder: Vec<u8>,
    pub color: u32,
    pub metadata: Metadata,
    pub taken_at: Option<String>,
    pub nsfw: bool,
    /// Who may see it: what its owner asked for, or what its album has where that is stricter.
    pub visibility: Visibility,
    /// What its owner asked for.
    pub own_visibility: Visibility,
    pub album: Option<InAlbum>,
    pub delete_hash: SecretHash,
    pub created_at: Millis,
    pub updated_at: Millis,
    pub expires_at: Option<Millis>,
    pub trashed_at: Option<Millis>,
    pub tags: Vec<String>,
    pub variants: Vec<Variant>,
    /// The name of the file as it was uploaded, where that is kept.
    pub source_file: Option<String>,
    /// Of films and recordings.
    pub av: Option<Av>,
    pub storage: StorageId,
    /// Whose bytes its original's are, where they are another item's too.
    pub shared: Option<(Folder, String)>,
}

impl Media {
    /// Where the bytes of its original lie.
    pub(crate) fn place(&self) -> Place {
        let (folder, file) =
            self.shared.clone().unwrap_or_else(|| (self.folder.clone(), self.file.clone()));
        Place { storage: self.storage, folder, file }
    }
}

/// Where the bytes of one file lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub storage: StorageId,
    pub folder: Folder,
    pub file: String,
}

/// The album that an item, or an album, lies in.
#[derive(Debug, Clone)]
pub struct InAlbum {
    pub public_id: PublicId,
    pub title: String,
    pub visibility: Visibility,
}

#[derive(Debug, Clone)]
pub struct Owner {
    pub id: UserId,
    pub username: String,
}

/// A file that was made of an item.
#[derive(Debug, Clone)]
pub struct Variant {
    pub name: String,
    pub role: Role,
    pub file: String,
    pub mime: String,
    pub bytes: u64,
    pub width: u32,
    pub height: u32,
}

/// What such a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A picture of the item in another size.
    Picture,
    /// The picture that stands for a film or a recording.
    Poster,
    /// What a player shows while somebody seeks.
    Preview,
    /// A film in another size or encoding.
    Rendition,
}

impl Role {
    pub const ALL: [Self; 4] = [Self::Picture, Self::Poster, Self::Preview, Self::Rendition];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Picture => "picture",
            Self::Poster => "poster",
            Self::Preview => "preview",
            Self::Rendition => "rendition",
        }
    }
}

/// An item about to be stored, every part of it checked.
pub struct NewMedia {
    pub public_id: PublicId,
    pub owner: UserId,
    pub title: Option<Title>,
    pub description: Option<Description>,
    pub filename: Filename,
    pub storage: StorageId,
    pub folder: Folder,
    /// Whose bytes the original's are, where another item has them already.
    pub shared: Option<(Folder, String)>,
    pub original: original::Original,
    pub rendered: Rendered,
    pub nsfw: bool,
    /// What its owner asked for.
    pub visibility: Visibility,
    pub album: Option<AlbumId>,
    pub delete_hash: SecretHash,
    pub created_at: Millis,
    pub expires_at: Option<Millis>,
    pub tags: Vec<Tag>,
    /// Tags that the file itself brought; as many are used as there is place for.
    pub told_tags: Vec<Tag>,
    /// The hash of the file as it came, where the item shows all of it.
    pub received: Option<[u8; 32]>,
    /// What it is called in its owner's folders, where that is not its file name.
    pub dav_name: Option<String>,
}

/// What was made of an original.
pub struct Rendered {
    pub variants: Vec<Variant>,
    /// Of films and recordings.
    pub poster: Option<poster::Poster>,
    pub placeholder: Vec<u8>,
    pub color: u32,
    /// See [`phash`](crate::imaging::phash()).
    pub looks: u64,
}

impl Rendered {
    /// All files.
    fn all(&self) -> impl Iterator<Item = &Variant> {
        self.variants.iter().chain(self.poster.as_ref().map(|poster| &poster.variant))
    }

    /// How many bytes they have together.
    fn bytes(&self) -> u64 {
        self.all().map(|variant| variant.bytes).sum()
    }
}

/// The facts that the rules ask about an item.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    pub owner: UserId,
    pub visibility: Visibility,
    pub expires_at: Option<Millis>,
    pub trashed_at: Option<Millis>,
}

impl Facts {
    pub fn is_expired(&self) -> bool {
        self.expires_at.is_some_and(|at| at <= Clock::now())
    }

    /// Whether the actor looks after this item: as its owner, or for the site.
    pub fn may_edit(&self, actor: &Actor) -> bool {
        actor.is(self.owner) || actor.has_role(accounts::Role::Manager)
    }

    /// Whether the actor may see it. An address, where that is all one needs, they have.
    ///
    /// # Errors
    /// `NotFound` where they may not even know of it; `Gone` where its time is over.
    pub fn check_see(&self, actor: &Actor) -> Result<()> {
        let open = self.visibility != Visibility::Private && self.trashed_at.is_none();
        if !open && !self.may_edit(actor) {
            return Err(Error::NotFound("media"));
        }
        if self.is_expired() {
            return Err(Error::Gone("media"));
        }
        Ok(())
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
}

impl Media {
    pub fn facts(&self) -> Facts {
        Facts {
            owner: self.owner.id,
            visibility: self.visibility,
            expires_at: self.expires_at,
            trashed_at: self.trashed_at,
        }
    }

    pub fn variant(&self, name: &str) -> Option<&Variant> {
        self.variants.iter().find(|v| v.name == name)
    }

    /// Whether it can be shown for this album to those who see all in it, or to everybody else.
    pub fn stands_for(&self, album: &PublicId, all: bool) -> bool {
        let is_in = self.album.as_ref().is_some_and(|a| a.public_id == *album);
        is_in && self.trashed_at.is_none() && (all || self.own_visibility == Visibility::Public)
    }

    /// The path of the page that shows the item.
    pub fn page_path(&self) -> String {
        let slug = crate::base::text::slug(self.title.as_deref().unwrap_or_default());
        let and = if slug.is_empty() { "" } else { "/" };
        format!("/m/{}{and}{slug}", self.public_id)
    }

    /// The path of one of the item's files.
    pub fn file_path(&self, file: &str) -> String {
        format!("/f/{}/{file}", self.public_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::{Proof, Role, User};
    use crate::base::ids::SessionId;

    fn member(id: i64, role: Role) -> Actor {
        let (username, email) = ("ana".to_owned(), "ana@example.org".to_owned());
        let user = User { id: UserId(id), username, email, role, created_at: Clock::now() };
        Actor::Member(user, Proof::Session(SessionId(1)))
    }

    fn facts(visibility: Visibility, trashed: bool, expired: bool) -> Facts {
        Facts {
            owner: UserId(1),
            visibility,
            expires_at: expired.then_some(Millis(1)),
            trashed_at: trashed.then_some(Millis(1)),
        }
    }

    #[test]
    fn private_and_trashed_items_exist_for_their_keepers_alone() {
        use Visibility::*;
        for item in [facts(Private, false, false), facts(Public, true, false)] {
            for stranger in [Actor::Guest, member(2, Role::User)] {
                assert!(matches!(item.check_see(&stranger), Err(Error::NotFound(_))));
                assert!(matches!(item.check_edit(&stranger), Err(Error::NotFound(_))));
            }
            for keeper in [member(1, Role::User), member(2, Role::Manager), member(3, Role::Admin)]
            {
                assert!(item.check_edit(&keeper).is_ok());
            }
        }
    }

    #[test]
    fn others_may_look_at_what_is_open_and_not_touch_it() {
        for visibility in [Visibility::Public, Visibility::Unlisted] {
            let item = facts(visibility, false, false);
            assert!(item.check_see(&Actor::Guest).is_ok());
            assert!(matches!(item.check_edit(&Actor::Guest), Err(Error::Unauthenticated)));
            let other = member(2, Role::User);
            assert!(matches!(item.check_edit(&other), Err(Error::Forbidden(_))));
        }
    }

    #[test]
    fn what_has_expired_is_gone_for_everybody() {
        let item = facts(Visibility::Public, false, true);
        assert!(matches!(item.check_see(&member(1, Role::Admin)), Err(Error::Gone(_))));
        let hidden = facts(Visibility::Private, false, true);
        assert!(matches!(hidden.check_see(&Actor::Guest), Err(Error::NotFound(_))));
    }
}
