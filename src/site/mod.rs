//! Site: one tenant's name, limits and rules, as its admin sets them.

pub mod api;
pub mod links;
pub mod settings;
mod settings_schema;
pub mod setup;
mod sql;
pub mod storages;
mod variants;
mod words;

pub use links::Links;
pub use settings::Settings;
pub use variants::{FitWord, NamedVariant};
pub use words::{KeepUploads, Kinds, Renditions};
