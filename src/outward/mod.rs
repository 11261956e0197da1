//! The only room that opens a connection to an address that a user gave. It knows no tenant and
//! no media: it judges, connects and hands bytes over.

pub mod appliance;
mod connector;
pub mod fetch;
mod filename;
pub mod guard;
mod resolver;

pub use connector::StorageConnector;
pub use fetch::{Fetched, Fetcher};
pub use guard::Policy;
