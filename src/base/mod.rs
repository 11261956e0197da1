//! The words that every room uses: errors, ids, checked text, pages, time and secrets.

pub mod clock;
pub mod error;
pub mod ids;
pub mod page;
pub mod seal;
pub mod secret;
pub mod text;
pub mod visibility;

pub use clock::{Clock, Millis};
pub use error::{Error, Result};
