//! The kinds of jobs: one line for each, and one in `worker.rs` for the function that does it.

use super::Weight;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $weight:ident;)*) => {
        /// What is to be done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Kind {
            $($(#[$doc])* $name,)*
        }

        impl Kind {
            pub const ALL: &[Self] = &[$(Self::$name),*];

            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            pub fn weight(self) -> Weight {
                match self {
                    $(Self::$name => Weight::$weight,)*
                }
            }
        }
    };
}

kinds! {
    /// Counts anew what the site uses.
    Recount = "recount", Light;
    /// Makes the variants of all items anew.
    Regenerate = "regenerate", Light;
    /// Tells a content delivery network that addresses show nothing any more.
    PurgeCache = "purge_cache", Light;
    /// Moves items from one storage to another.
    MoveMedia = "move_media", Heavy;
    /// Gives the files of an item new keys, since it is not for everybody any more.
    HideMedia = "hide_media", Heavy;
    /// Makes a film's previews and other encodings.
    Transcode = "transcode", Heavy;
}

impl Kind {
    /// `None` for a kind that this version does not know.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text)
    }
}
