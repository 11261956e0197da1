//! A site's storages: where its bytes may lie, which of them takes what, and how it is handed out.
//! How bytes get there and back is known in `storage`.

pub mod api;
mod api_view;
mod choose;
mod edit;
mod health;
mod open;
mod sql;

pub use choose::{Wanted, candidates};
pub use edit::{Changes, all, check, create, delete, get, list, update};
pub use health::{failed, worked};
pub use open::{open, open_known};
pub(crate) use sql::{by_id, by_public_id};

use crate::{
    accounts::{Actor, Role},
    base::{
        Clock, Error, Result,
        clock::Millis,
        ids::{PublicId, StorageId},
    },
    db::Read,
    storage::{Kind, LOCAL, Place, Template},
    tenancy::{Allowance, Site, limits::Feature},
};

/// One place where the site's bytes may lie.
#[derive(Debug, Clone)]
pub struct Storage {
    pub id: StorageId,
    pub public_id: PublicId,
    pub name: String,
    pub kind: Kind,
    pub place: Place,
    pub takes: Takes,
    /// In bytes.
    pub capacity: Option<u64>,
    /// The lowest comes first.
    pub priority: i64,
    /// How often it has its turn among those of the same priority.
    pub weight: u32,
    pub is_read_only: bool,
    pub delivery: Delivery,
    pub public_url: Option<String>,
    pub purge_url: Option<String>,
    pub template: Template,
    pub items: u64,
    pub bytes: u64,
    /// Failures since it last worked.
    pub failures: u32,
    /// Until when it is left alone.
    pub down_until: Option<Millis>,
    /// What it said when it failed.
    pub problem: Option<String>,
    pub created_at: Millis,
    pub updated_at: Millis,
}

impl Storage {
    pub fn is_local(&self) -> bool {
        self.id == LOCAL
    }

    /// Whether it is worth asking just now.
    pub fn is_up(&self) -> bool {
        self.down_until.is_none_or(|until| until <= Clock::now())
    }
}

/// Which kinds of items a storage takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Takes {
    pub image: bool,
    pub video: bool,
    pub audio: bool,
}

impl Takes {
    pub const ALL: Self = Self { image: true, video: true, audio: true };

    /// # Errors
    /// `Invalid` for a word that is no kind, and where there is none.
    pub fn parse(words: &[String]) -> Result<Self> {
        let mut takes = Self { image: false, video: false, audio: false };
        for word in words {
            match word.as_str() {
                "image" => takes.image = true,
                "video" => takes.video = true,
                "audio" => takes.audio = true,
                _ => return Err(Error::invalid("takes", "must name image, video or audio")),
            }
        }
        if words.is_empty() {
            return Err(Error::invalid("takes", "must name image, video or audio"));
        }
        Ok(takes)
    }

    pub fn words(self) -> Vec<String> {
        let all = [("image", self.image), ("video", self.video), ("audio", self.audio)];
        all.iter().filter(|(_, takes)| *takes).map(|(word, _)| (*word).to_owned()).collect()
    }

    /// Whether an item of this kind may lie there.
    pub fn takes(self, kind: &str) -> bool {
        match kind {
            "video" => self.video,
            "audio" => self.audio,
            _ => self.image,
        }
    }
}

/// How the bytes of a storage reach those who ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Through this server.
    Proxy,
    /// By an address at the storage that is good for a while.
    Redirect,
    /// From the storage's public address. What is not for everybody goes through this server.
    Public,
}

impl Delivery {
    pub const ALL: [Self; 3] = [Self::Proxy, Self::Redirect, Self::Public];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::Redirect => "redirect",
            Self::Public => "public",
        }
    }

    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|delivery| delivery.as_str() == word)
    }
}

/// Whether there is any place for new items.
///
/// # Errors
/// `FeatureOff` where the site may keep nothing here and has no other storage.
pub fn check_any(db: &Read<Site>, allowance: &Allowance) -> Result<()> {
    match sql::count(db)? {
        0 => allowance.need(Feature::LocalStorage),
        _ => Ok(()),
    }
}

fn check_admin(actor: &Actor) -> Result<()> {
    if actor.has_role(Role::Admin) {
        return Ok(());
    }
    Err(Error::Forbidden("only an admin looks after the storages"))
}
