//! Where bytes lie: in a tenant's own folder, or in a storage somewhere else. What they are bytes
//! of, it does not know.

mod backend;
mod disk;
mod incoming;
mod keys;
mod partial;
mod reading;
mod remote;
mod remotes;
mod send;
mod sweep;

pub use backend::{Backend, Connector, Kind, MOST_IN_ONE, Place, Secrets, World};
pub use disk::Disk;
pub use incoming::{Incoming, Landed, Parts, Unconfirmed};
pub use keys::{Folder, Template};
pub use partial::Partial;
pub use reading::Pieces;
pub use remote::Remote;
pub use remotes::Remotes;
pub use send::Landable;

use crate::base::ids::StorageId;
use std::sync::Arc;

/// The storage that every site has: its own folder.
pub const LOCAL: StorageId = StorageId(1);

/// One place where bytes lie.
#[derive(Clone)]
pub enum Store {
    Disk(Disk),
    Remote(Arc<Remote>),
}
