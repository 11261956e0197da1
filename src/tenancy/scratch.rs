//! Folders for work in progress, aside of the sites: gone when it is done, and swept where a crash
//! left them. A lock on the marker tells a leftover from work that another process is at.

use super::{Tenants, sql::tenants};
use crate::base::{
    Error, Result,
    ids::{PublicId, TenantId},
};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::Duration,
};

/// In a folder whose row may not be there.
pub(super) const UNCONFIRMED: &str = ".unconfirmed";

/// A folder that nobody else knows, removed when dropped.
pub struct Scratch {
    path: PathBuf,
    _lock: File,
}

impl Scratch {
    /// Makes one for work on a site. Blocks.
    pub(super) fn create(tenants_folder: &Path, id: &TenantId) -> Result<Self> {
        let path = tenants_folder.join(format!(".making-{id}-{}", PublicId::random()?));
        fs::create_dir_all(&path)?;
        let lock = File::create_new(path.join(UNCONFIRMED))?;
        lock.lock()?;
        Ok(Self { path, _lock: lock })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        match fs::remove_dir_all(&self.path) {
            // It took its place among the sites.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => tracing::warn!(error = %e, "leftover files stay until the next start"),
            Ok(()) => {}
        }
    }
}

/// Takes over a folder that nobody works in any more; `None` where somebody does.
fn claim(folder: &Path) -> Result<Option<File>> {
    let marker = match File::open(folder.join(UNCONFIRMED)) {
        Ok(marker) => marker,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e.into()),
    };
    Ok(marker.try_lock().is_ok().then_some(marker))
}

/// Removes what crashes left of sites that were being made or removed. Blocks.
fn sweep(tenants_folder: &Path, exists: impl Fn(&TenantId) -> Result<bool>) -> Result<()> {
    let Ok(entries) = fs::read_dir(tenants_folder) else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if name.starts_with(".deleted-") {
            remove(&path)?;
        } else if name.starts_with(".making-") {
            let is_marked = path.join(UNCONFIRMED).exists();
            if if is_marked { claim(&path)?.is_some() } else { is_old(&path) } {
                remove(&path)?;
            }
        } else if let Some(_claimed) = claim(&path)? {
            // Asked only now: whoever made the site is done with it, one way or the other.
            match exists(&TenantId::parse(name)?)? {
                true => drop(fs::remove_file(path.join(UNCONFIRMED))),
                false => remove(&path)?,
            }
        }
    }
    Ok(())
}

/// Whether a folder without a marker was left so: one that is being made gets it in a moment.
fn is_old(folder: &Path) -> bool {
    let modified = fs::metadata(folder).and_then(|m| m.modified());
    modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > Duration::from_secs(60)))
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e.into()),
        _ => Ok(()),
    }
}

impl Tenants {
    /// A folder for work on a site, on the disk where the sites are.
    pub async fn scratch(&self, id: &TenantId) -> Result<Scratch> {
        let (folder, id) = (self.data.tenants_folder(), id.clone());
        tokio::task::spawn_blocking(move || Scratch::create(&folder, &id)).await?
    }

    /// Removes what crashes left of sites that were being made or removed.
    pub async fn sweep(&self) -> Result<()> {
        let (folder, control) = (self.data.tenants_folder(), self.common.control.clone());
        let swept = tokio::task::spawn_blocking(move || {
            sweep(&folder, |id| control.read_now(|db| tenants::exists(db, id)))
        });
        swept.await?
    }

    /// [`sweep`](Self::sweep), and tells which sites have uploads that were cut short. For the
    /// start, while nobody else serves the data.
    pub async fn recover(&self) -> Result<Vec<TenantId>> {
        self.sweep().await?;
        let known = self.ids().await?;
        let folder = self.data.tenants_folder();
        let found = tokio::task::spawn_blocking(move || {
            let is_busy = |id: &TenantId| {
                let incoming = fs::read_dir(folder.join(id.as_str()).join("incoming"));
                incoming.is_ok_and(|mut entries| entries.next().is_some())
            };
            Ok::<_, Error>(known.into_iter().filter(is_busy).collect())
        });
        found.await?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_works_on_is_swept() {
        let dir = tempfile::tempdir().unwrap();
        let id = TenantId::parse("blog").unwrap();
        let at_work = Scratch::create(dir.path(), &id).unwrap();
        for leftover in [".making-x-1", ".making-x-2", ".deleted-x-1", "lost", "kept"] {
            fs::create_dir(dir.path().join(leftover)).unwrap();
        }
        let old = File::open(dir.path().join(".making-x-2")).unwrap();
        old.set_modified(std::time::UNIX_EPOCH).unwrap();
        for marked in [".making-x-1", "lost", "kept"] {
            fs::write(dir.path().join(marked).join(UNCONFIRMED), "").unwrap();
        }
        sweep(dir.path(), |id| Ok(id.as_str() == "kept")).unwrap();
        assert!(at_work.path().is_dir());
        drop(at_work);
        let left: Vec<_> =
            fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["kept"]);
        assert!(!dir.path().join("kept").join(UNCONFIRMED).exists());
    }
}
