//! Changing the appliance's key: the new one is written beside the old one, everything is sealed
//! anew in one transaction, then the new file takes the place of the old one. After a crash at
//! any moment, one of the two files opens what is sealed, and the next start puts it in place.

use super::{
    Control, DataDir, Lock,
    data_dir::{self, key_file},
    secrets::{check, rotate},
};
use crate::{
    base::{
        Result,
        secret::{Key, Secret},
    },
    db::Db,
};
use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
};

/// Reads a key of the appliance as it is written in the settings: 64 hexadecimal digits.
///
/// # Errors
/// `Invalid` for what is none.
pub fn parse_key(text: &Secret) -> Result<Key> {
    data_dir::parse_key(text).map(Key::new)
}

/// Puts the data directory under another key. Blocks. Returns how many sites were sealed anew.
///
/// Whoever calls it serves the directory, alone. A key that comes from the settings must be
/// changed there afterwards.
///
/// # Errors
/// `Conflict` with code `wrong_key` where the present key is not the one that was used here.
pub fn rotate_key(mut data: DataDir, _: &Lock, new: &Key) -> Result<usize> {
    let control: Db<Control> = Db::open(&data.control_file())?;
    settle(&mut data, &control)?;
    let _changing = data.lock_key()?;
    if data.has_key_file {
        data.write_next(new)?;
    }
    let sealed = rotate(&control, &data.key, new)?;
    data.sync_control()?;
    if data.has_key_file {
        data.install_next()?;
    }
    Ok(sealed)
}

/// Makes sure that the key is the one that the control file was written with, and finishes a
/// change of the key that was cut short.
///
/// # Errors
/// `Conflict` with code `wrong_key` where it is not.
pub(super) fn settle(data: &mut DataDir, control: &Db<Control>) -> Result<()> {
    let Err(error) = check(&data.key, control) else { return Ok(()) };
    if !data.has_key_file {
        return Err(error);
    }
    // Somebody may be changing the key at this moment: what counts is what they leave.
    let _changing = data.lock_key()?;
    let current = Key::new(key_file(&data.key_file())?);
    if check(&current, control).is_ok() {
        data.key = current;
        return Ok(());
    }
    match data.next_key()? {
        Some(next) if check(&next, control).is_ok() => {
            data.sync_control()?;
            data.install_next()?;
            data.key = next;
            Ok(())
        }
        _ => Err(error),
    }
}

impl DataDir {
    fn next_file(&self) -> PathBuf {
        self.key_file().with_extension("key.next")
    }

    /// Held by whoever works on the key files; waits for others.
    fn lock_key(&self) -> Result<File> {
        let folder = File::open(self.root())?;
        folder.lock()?;
        Ok(folder)
    }

    fn write_next(&self, key: &Key) -> Result<()> {
        let path = self.next_file();
        match fs::remove_file(&path) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(e.into()),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(&key.bytes())?;
        file.sync_all()?;
        self.sync_root()
    }

    /// The key that is to follow, if there is a whole one.
    fn next_key(&self) -> Result<Option<Key>> {
        match fs::read(self.next_file()) {
            Ok(bytes) => Ok(bytes.try_into().ok().map(Key::new)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    fn install_next(&self) -> Result<()> {
        fs::rename(self.next_file(), self.key_file())?;
        self.sync_root()
    }

    /// What was committed is on the disk before a key that it needs is given up.
    fn sync_control(&self) -> Result<()> {
        for file in Db::<Control>::files(&self.control_file()) {
            match File::open(file) {
                Ok(file) => file.sync_all()?,
                Err(e) if e.kind() == ErrorKind::NotFound => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
    }

    fn sync_root(&self) -> Result<()> {
        Ok(File::open(self.root())?.sync_all()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::{Error, ids::TenantId},
        tenancy::{Options, Tenants, audit::By, provision::NewTenant},
    };
    use serde_json::json;
    use std::{os::unix::fs::PermissionsExt, path::Path};

    fn options() -> Options {
        Options { open_at_most: 4, ..Options::default() }
    }

    fn open(root: &Path) -> Result<Tenants> {
        Tenants::open(DataDir::open(root, None)?, options())
    }

    /// A data directory with one site, and what that site signs.
    async fn made(root: &Path) -> [u8; 32] {
        let tenants = open(root).unwrap();
        let extra = json!({ "A": "hush" }).as_object().unwrap().clone();
        let new = NewTenant { id: "a".to_owned(), extra, ..NewTenant::default() };
        tenants.create(&By::command_line(), new).await.unwrap();
        signed(&tenants).await
    }

    async fn signed(tenants: &Tenants) -> [u8; 32] {
        let id = TenantId::parse("a").unwrap();
        assert_eq!(tenants.extra(&id).await.unwrap()["A"], "hush");
        tenants.get(&id).await.unwrap().key("test").mac(&[b"x"])
    }

    fn file(root: &Path) -> Vec<u8> {
        fs::read(root.join("secret.key")).unwrap()
    }

    #[tokio::test]
    async fn a_new_key_opens_what_the_old_one_sealed() {
        let dir = tempfile::tempdir().unwrap();
        let before = made(dir.path()).await;
        let old = file(dir.path());
        let data = DataDir::open(dir.path(), None).unwrap();
        let lock = data.lock().unwrap();
        let new = Key::random().unwrap();
        assert_eq!(rotate_key(data, &lock, &new).unwrap(), 1);
        assert_eq!(file(dir.path()), new.bytes());
        let mode = fs::metadata(dir.path().join("secret.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!dir.path().join("secret.key.next").exists());
        assert_eq!(signed(&open(dir.path()).unwrap()).await, before);
        fs::write(dir.path().join("secret.key"), old).unwrap();
        let refused = open(dir.path()).err().unwrap();
        assert!(matches!(refused, Error::Conflict { code: "wrong_key", .. }), "{refused}");
    }

    #[tokio::test]
    async fn a_crash_at_any_step_leaves_what_opens() {
        for step in 0..4 {
            let dir = tempfile::tempdir().unwrap();
            let before = made(dir.path()).await;
            let old = file(dir.path());
            let new = Key::random().unwrap();
            {
                let data = DataDir::open(dir.path(), None).unwrap();
                let control = Db::open(&data.control_file()).unwrap();
                match step {
                    // Half a file was written.
                    0 => fs::write(data.next_file(), b"half").unwrap(),
                    _ => data.write_next(&new).unwrap(),
                }
                if step >= 2 {
                    rotate(&control, &data.key, &new).unwrap();
                }
                if step >= 3 {
                    data.install_next().unwrap();
                }
            }
            assert_eq!(signed(&open(dir.path()).unwrap()).await, before, "step {step}");
            let expected = if step >= 2 { new.bytes().to_vec() } else { old };
            assert_eq!(file(dir.path()), expected, "step {step}");
            // Whatever lies there, the next change works.
            let data = DataDir::open(dir.path(), None).unwrap();
            let lock = data.lock().unwrap();
            let third = Key::random().unwrap();
            rotate_key(data, &lock, &third).unwrap();
            assert_eq!(file(dir.path()), third.bytes(), "step {step}");
            assert_eq!(signed(&open(dir.path()).unwrap()).await, before, "step {step}");
        }
    }

    #[tokio::test]
    async fn whoever_still_has_the_old_key_writes_nothing_with_it() {
        let dir = tempfile::tempdir().unwrap();
        made(dir.path()).await;
        let late = open(dir.path()).unwrap();
        let data = DataDir::open(dir.path(), None).unwrap();
        let lock = data.lock().unwrap();
        rotate_key(data, &lock, &Key::random().unwrap()).unwrap();
        let new = NewTenant { id: "b".to_owned(), ..NewTenant::default() };
        let refused = late.create(&By::command_line(), new).await.unwrap_err();
        assert!(matches!(refused, Error::Conflict { code: "wrong_key", .. }), "{refused}");
        assert!(!dir.path().join("tenants/b").exists());
    }

    #[tokio::test]
    async fn a_key_from_the_settings_is_changed_there() {
        let dir = tempfile::tempdir().unwrap();
        let (old, new) = (Secret::new("ab".repeat(32)), Secret::new("cd".repeat(32)));
        let data = DataDir::open(dir.path(), Some(&old)).unwrap();
        drop(Tenants::open(data.clone(), options()).unwrap());
        let lock = data.lock().unwrap();
        let key = parse_key(&new).unwrap();
        assert_eq!(rotate_key(data, &lock, &key).unwrap(), 0);
        assert!(!dir.path().join("secret.key").exists());
        let opened = |key| Tenants::open(DataDir::open(dir.path(), Some(key)).unwrap(), options());
        assert!(matches!(opened(&old).err(), Some(Error::Conflict { code: "wrong_key", .. })));
        assert!(opened(&new).is_ok());
    }
}
