//! The trail of what operators did: written in the same transaction as the change itself.

use super::{Tenants, sql};
use crate::base::{Result, clock::Millis};
use serde_json::Value;

/// Who does something from above the sites.
#[derive(Debug, Clone)]
pub struct By {
    /// As in `key laptop`, `command line`, `housekeeping`.
    pub actor: String,
    pub address: Option<String>,
}

impl By {
    pub fn command_line() -> Self {
        Self { actor: "command line".to_owned(), address: None }
    }

    /// The appliance itself.
    pub fn housekeeping() -> Self {
        Self { actor: "housekeeping".to_owned(), address: None }
    }
}

/// One thing that was done.
#[derive(Debug, Clone)]
pub struct Entry {
    pub id: i64,
    pub at: Millis,
    pub actor: String,
    /// A verb and its object, as in `tenant.suspend`.
    pub action: String,
    pub tenant: Option<String>,
    pub detail: Value,
    pub address: Option<String>,
}

impl Tenants {
    /// Up to `rows` entries before one, the newest first; of one site or of all.
    pub async fn audit(
        &self,
        tenant: Option<String>,
        before: Option<i64>,
        rows: i64,
    ) -> Result<Vec<Entry>> {
        let read =
            self.control().read(move |db| sql::audit::list(db, tenant.as_deref(), before, rows));
        read.await
    }

    /// Notes something that happened in a site's own file.
    pub async fn note(
        &self,
        by: &By,
        action: &'static str,
        tenant: Option<&str>,
        detail: Value,
    ) -> Result<()> {
        let (by, tenant) = (by.clone(), tenant.map(str::to_owned));
        let write = self
            .control()
            .write(move |db| sql::audit::insert(db, &by, action, tenant.as_deref(), &detail));
        write.await
    }
}
