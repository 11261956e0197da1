//! A person's own albums and items as folders and files, over WebDAV (RFC 4918): `/dav/`. The
//! protocol is the crate's; what a folder is, and what may be done to it, is said here.

mod answer;
mod blank;
mod conditions;
mod file;
mod fs;
mod names;
mod path;
mod shift;
mod tree;
mod xml;

pub use answer::Dav;

use crate::{accounts::Actor, base::Error, media::upload::Uploads, tenancy::Tenant};
use blank::Blanks;
use dav_server::fs::FsError;
use std::sync::{Arc, Mutex, PoisonError};

/// One request: whose folders it is about, and why it was refused.
#[derive(Clone)]
struct Session {
    tenant: Arc<Tenant>,
    actor: Actor,
    uploads: Arc<Uploads>,
    blanks: Blanks,
    /// The crate's errors are few; this is what the answer says instead.
    refusal: Arc<Mutex<Option<Error>>>,
}

impl Session {
    /// The crate's word for an error, which is remembered for the answer.
    fn refuse(&self, error: Error) -> FsError {
        let word = match &error {
            Error::NotFound(_) | Error::Gone(_) => FsError::NotFound,
            Error::DiskFull | Error::LimitReached { .. } => FsError::InsufficientStorage,
            Error::TooLarge { .. } => FsError::TooLarge,
            Error::Internal(_) => FsError::GeneralFailure,
            _ => FsError::Forbidden,
        };
        // That something is not there is often what is wanted.
        if word != FsError::NotFound {
            *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
        word
    }

    fn refusal(&self) -> Option<Error> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
