//! What removed sites left behind in storages elsewhere.
//!
//! The site itself is gone at once, and its id and names are free; its database stays aside until
//! everything that it names is removed, or until the operator gives it up. How files are removed is
//! for the room `media` to know.

use super::{
    Record, Tenant, Tenants,
    audit::By,
    sql::{audit, leftovers},
    usage,
};
use crate::base::{
    Error, Result,
    clock::Millis,
    ids::{PublicId, TenantId},
};
use serde_json::{Value, json};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A removed site with files elsewhere.
#[derive(Debug, Clone)]
pub struct Leftover {
    pub id: PublicId,
    /// Whose they were: another site may have the name by now.
    pub tenant: String,
    pub removed_at: Millis,
    pub left: Left,
}

/// What was left when it was last tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    pub files: u64,
    /// For each storage: its name, its kind, where it is, how many files it has.
    pub places: Value,
    /// What a storage said when it was last tried.
    pub problem: Option<String>,
    /// When it is tried again.
    pub next_at: Millis,
}

impl Tenants {
    /// What removed sites left behind, the oldest first.
    pub async fn leftovers(&self) -> Result<Vec<Leftover>> {
        self.control().read(leftovers::list).await
    }

    /// Those whose time has come.
    pub async fn due_leftovers(&self) -> Result<Vec<Leftover>> {
        self.control().read(leftovers::due).await
    }

    /// What is left of the site, for work on its rows. `None` where nothing is.
    pub async fn open_leftover(&self, leftover: &Leftover) -> Result<Option<Arc<Tenant>>> {
        let (folder, id) = (self.leftover_folder(&leftover.id), leftover.id.clone());
        if !folder.join("site.sqlite").exists() {
            return Ok(None);
        }
        let found = self.control().read(move |db| leftovers::site(db, &id)).await?;
        let Some((record, sealed)) = found else { return Ok(None) };
        let sealed = sealed.ok_or_else(|| Error::internal("a removed site has no key"))?;
        let key = self.unseal_key(&record.tenant_id()?, &sealed)?;
        let (record, common) = (Arc::new(record), self.common.clone());
        let opening =
            tokio::task::spawn_blocking(move || Tenant::open(record, &folder, key, common));
        Ok(Some(Arc::new(opening.await??)))
    }

    /// It was tried, and this is left.
    pub async fn keep_leftover(&self, id: &PublicId, left: Left) -> Result<()> {
        let id = id.clone();
        self.control().write(move |db| leftovers::update(db, &id, &left)).await
    }

    /// Nothing is left of it.
    pub async fn end_leftover(&self, leftover: &Leftover) -> Result<()> {
        self.drop_leftover(&By::housekeeping(), leftover, "tenant.cleared", json!({})).await
    }

    /// Gives up what is left: it stays where it is, and the audit trail says what and where.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn forget_leftover(&self, by: &By, id: &str) -> Result<Leftover> {
        let id = PublicId::parse(id).ok_or(Error::NotFound("leftovers"))?;
        let found = self.control().read(move |db| leftovers::get(db, &id)).await?;
        let leftover = found.ok_or(Error::NotFound("leftovers"))?;
        let left = &leftover.left;
        let detail = json!({ "files": left.files, "places": left.places });
        self.drop_leftover(by, &leftover, "tenant.leave", detail).await?;
        Ok(leftover)
    }

    async fn drop_leftover(
        &self,
        by: &By,
        leftover: &Leftover,
        action: &'static str,
        detail: Value,
    ) -> Result<()> {
        let folder = self.leftover_folder(&leftover.id);
        tokio::task::spawn_blocking(move || remove(&folder)).await??;
        let (by, leftover) = (by.clone(), leftover.clone());
        let write = self.control().write(move |db| {
            leftovers::delete(db, &leftover.id)?;
            audit::insert(db, &by, action, Some(&leftover.tenant), &detail)
        });
        write.await
    }

    /// Under which id a site that is about to be removed leaves something behind, if it does.
    pub(super) async fn announce_leftover(&self, record: &Record) -> Result<Option<PublicId>> {
        let id = record.tenant_id()?;
        let asked =
            self.visit(&id, |tenant| async move { tenant.read(usage::has_storages).await }).await;
        let (new, of) = (PublicId::random()?, record.clone());
        match asked {
            Ok(false) => Ok(None),
            Ok(true) => self.control().write(move |db| leftovers::announce(db, &new, &of)).await,
            Err(error) => {
                // Broken, or put aside already by an attempt that was cut short.
                let known = self.control().read(move |db| leftovers::announced(db, &of.id));
                let known = known.await?;
                if known.is_none() {
                    let error = error.in_full();
                    tracing::warn!(tenant = %id, error, "its storages are not looked after");
                }
                Ok(known)
            }
        }
    }

    /// Where a site is put that leaves something behind, or else one that is only to be removed.
    pub(super) fn folder_aside(&self, id: &TenantId, left: Option<&PublicId>) -> Result<PathBuf> {
        match left {
            Some(left) => Ok(self.leftover_folder(left)),
            None => {
                let name = format!(".deleted-{id}-{}", PublicId::random()?);
                Ok(self.data.tenants_folder().join(name))
            }
        }
    }

    fn leftover_folder(&self, id: &PublicId) -> PathBuf {
        self.data.tenants_folder().join(format!(".left-{id}"))
    }
}

/// Removes what lay in the folder of a site, but for what says which files it has elsewhere.
/// Blocks.
pub(super) fn strip(folder: &Path) -> Result<()> {
    remove(&folder.join("media"))?;
    remove(&folder.join("uploads"))
}

pub(super) fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e.into()),
        _ => Ok(()),
    }
}
