//! The storages that a tenant is connected to at the moment.

use super::Remote;
use crate::base::{Result, clock::Millis, ids::StorageId};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Connections of one tenant, each as old as the settings it was made from.
#[derive(Default)]
pub struct Remotes {
    open: Mutex<HashMap<StorageId, (Millis, Arc<Remote>)>>,
}

impl Remotes {
    /// The connection that was made from this state of the storage's settings, or a new one.
    ///
    /// # Errors
    /// Those of connecting.
    pub fn get(
        &self,
        id: StorageId,
        settings_of: Millis,
        connect: impl FnOnce() -> Result<Remote>,
    ) -> Result<Arc<Remote>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, remote)) = open.get(&id)
            && *of == settings_of
        {
            return Ok(remote.clone());
        }
        let remote = Arc::new(connect()?);
        open.insert(id, (settings_of, remote.clone()));
        Ok(remote)
    }
}
