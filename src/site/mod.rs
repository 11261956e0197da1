//! Site: one tenant's name, limits and rules, as its admin sets them.

pub mod api;
pub mod cors;
pub mod links;
mod open_to;
pub mod settings;
mod settings_schema;
pub mod setup;
mod sql;
pub mod storages;
mod variants;
mod words;

pub use links::Links;
pub use open_to::ClientApi;
pub use settings::Settings;
pub use variants::{FitWord, NamedVariant};
pub use words::{Duplicates, KeepUploads, Kinds, Renditions};
