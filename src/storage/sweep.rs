//! Settles what a crash left open.

use super::{Disk, Folder, Unconfirmed};
use crate::base::Result;
use std::fs;

impl Disk {
    /// What landed, here or elsewhere, and was never confirmed. Blocks.
    pub fn unconfirmed(&self) -> Result<Vec<Unconfirmed>> {
        let mut open = Vec::new();
        for entry in fs::read_dir(&self.incoming)? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "landing") {
                open.extend(Unconfirmed::from_text(&fs::read_to_string(&path)?));
            }
        }
        Ok(open)
    }

    /// Empties `incoming/` and removes the folders that turned out to have no row. Only for a
    /// moment when nothing is on its way in: the start of the server. Blocks.
    pub fn sweep(&self, orphans: &[Folder]) -> Result<usize> {
        for folder in orphans {
            self.remove(folder, None)?;
        }
        let mut swept = orphans.len();
        for entry in fs::read_dir(&self.incoming)? {
            let path = entry?.path();
            if path.is_dir() {
                fs::remove_dir_all(&path)?;
                swept += 1;
            } else {
                fs::remove_file(&path)?;
            }
        }
        Ok(swept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{base::ids::PublicId, storage::LOCAL};

    fn store() -> (tempfile::TempDir, Disk) {
        let dir = tempfile::tempdir().unwrap();
        let store = Disk::open(dir.path()).unwrap();
        (dir, store)
    }

    fn folder() -> Folder {
        Folder::parse("2026/01/31/a-8fKq2ZtP12").unwrap()
    }

    fn files_under(path: &std::path::Path) -> usize {
        fs::read_dir(path)
            .unwrap()
            .map(|e| e.unwrap().path())
            .map(|p| if p.is_dir() { files_under(&p) } else { 1 })
            .sum()
    }

    #[test]
    fn what_is_not_landed_and_confirmed_leaves_nothing() {
        let (dir, store) = store();
        let incoming = store.receive(&PublicId::random().unwrap()).unwrap();
        incoming.write("a.jpg", b"bytes").unwrap();
        drop(incoming);
        assert_eq!(files_under(dir.path()), 0);

        let incoming = store.receive(&PublicId::random().unwrap()).unwrap();
        incoming.write("a.jpg", b"bytes").unwrap();
        incoming.land(folder()).unwrap().undo();
        assert_eq!(files_under(dir.path()), 0);
    }

    #[test]
    fn a_confirmed_landing_is_read_back() {
        let (dir, store) = store();
        let incoming = store.receive(&PublicId::random().unwrap()).unwrap();
        incoming.write("a.jpg", b"bytes").unwrap();
        let landed = incoming.land(folder()).unwrap();
        let folder = landed.folder().clone();
        landed.confirm();
        let mut text = String::new();
        std::io::Read::read_to_string(
            &mut store.read(&folder, "a.jpg", &(2..5)).unwrap(),
            &mut text,
        )
        .unwrap();
        assert_eq!(text, "tes");
        assert!(store.read(&folder, "../a.jpg", &(0..1)).is_err());
        assert_eq!(files_under(dir.path()), 1);
    }

    #[test]
    fn a_crash_between_landing_and_row_is_found_and_swept() {
        let (dir, store) = store();
        let incoming = store.receive(&PublicId::random().unwrap()).unwrap();
        incoming.write("a.jpg", b"bytes").unwrap();
        let _unsettled = incoming.land(folder()).unwrap();
        std::mem::forget(store.receive(&PublicId::random().unwrap()).unwrap());
        let open = store.unconfirmed().unwrap();
        let landed =
            Unconfirmed { storage: LOCAL, folder: folder(), files: Vec::new(), parts: Vec::new() };
        assert_eq!(open, [landed]);
        assert_eq!(store.sweep(&[folder()]).unwrap(), 2);
        assert_eq!(files_under(dir.path()), 0);
        assert!(store.unconfirmed().unwrap().is_empty());
    }
}
