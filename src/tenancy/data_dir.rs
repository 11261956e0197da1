//! The data directory: made on first run, readable by its owner alone, served by one process.

use crate::base::{
    Error, Result,
    ids::{PublicId, TenantId},
    secret::{Key, Secret, random_bytes},
};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{ErrorKind, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

/// Where everything that must be kept is kept.
#[derive(Clone)]
pub struct DataDir {
    root: PathBuf,
    pub key: Key,
    /// Names this process among those that work on the directory.
    pub instance: String,
}

/// Held for as long as this process serves the directory; the system takes it back at exit,
/// however that comes.
pub struct Lock {
    file: File,
    /// Nobody else served the directory when this process came.
    pub is_first: bool,
}

impl DataDir {
    /// Opens the directory, and makes it and its key on first use. `key` overrides the key file:
    /// 64 hexadecimal digits.
    pub fn open(root: &Path, key: Option<&Secret>) -> Result<Self> {
        let failed = |e: std::io::Error| {
            Error::internal(format!("the data directory {} cannot be used: {e}", root.display()))
        };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(root).map_err(failed)?;
        let root = root.canonicalize().map_err(failed)?;
        let key = match key {
            Some(text) => Key::new(parse_key(text)?),
            None => Key::new(key_file(&root.join("secret.key"))?),
        };
        Ok(Self { root, key, instance: PublicId::random()?.to_string() })
    }

    /// Makes this process the one that serves the directory.
    ///
    /// # Errors
    /// `Conflict` with code `data_in_use` where another process does.
    pub fn lock(&self) -> Result<Lock> {
        let file = self.lock_file()?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { file, is_first: true }),
            Err(error) => Err(in_use(error)),
        }
    }

    /// Makes this process one of those that serve the directory. [`Lock::is_first`] says whether
    /// it is the only one so far; nobody else gets in until [`Lock::share`] is called then.
    ///
    /// # Errors
    /// `Conflict` with code `data_in_use` where a process serves it that does not share.
    pub fn lock_shared(&self) -> Result<Lock> {
        let file = self.lock_file()?;
        if file.try_lock().is_ok() {
            return Ok(Lock { file, is_first: true });
        }
        // The first one may be settling what a crash left: it shares in a moment.
        for _ in 0..100 {
            match file.try_lock_shared() {
                Ok(()) => return Ok(Lock { file, is_first: false }),
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(50)),
                Err(error) => return Err(in_use(error)),
            }
        }
        Err(in_use(TryLockError::WouldBlock))
    }

    fn lock_file(&self) -> Result<File> {
        let path = self.root.join("vitrina.lock");
        Ok(OpenOptions::new().create(true).append(true).mode(0o600).open(path)?)
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the folders of the tenants lie.
    pub fn tenants_folder(&self) -> PathBuf {
        self.root.join("tenants")
    }

    pub fn control_file(&self) -> PathBuf {
        self.root.join("control.sqlite")
    }

    pub fn tenant_folder(&self, id: &TenantId) -> PathBuf {
        self.tenants_folder().join(id.as_str())
    }
}

impl Lock {
    /// Lets other processes in that share the directory.
    pub fn share(&self) -> Result<()> {
        Ok(self.file.lock_shared()?)
    }
}

fn in_use(error: TryLockError) -> Error {
    match error {
        TryLockError::WouldBlock => Error::Conflict {
            code: "data_in_use",
            reason: "another `vitrina serve` is using this data directory",
        },
        TryLockError::Error(e) => e.into(),
    }
}

pub(super) fn parse_key(text: &Secret) -> Result<[u8; 32]> {
    let digits = text.expose().trim().as_bytes();
    let mut key = [0; 32];
    let sound = digits.len() == 64
        && key.iter_mut().zip(digits.chunks(2)).all(|(byte, pair)| {
            let parsed =
                std::str::from_utf8(pair).ok().and_then(|p| u8::from_str_radix(p, 16).ok());
            parsed.map(|b| *byte = b).is_some()
        });
    if sound { Ok(key) } else { Err(Error::invalid("secret_key", "must be 64 hexadecimal digits")) }
}

/// Reads the key, or makes it: written aside and linked into place, so that two processes that
/// start at once end up with the same key and never with half of one.
fn key_file(path: &Path) -> Result<[u8; 32]> {
    match File::open(path) {
        Ok(mut file) => {
            let mut key = Vec::new();
            file.read_to_end(&mut key)?;
            key.try_into().map_err(|_| {
                Error::internal(format!("{} must hold exactly 32 bytes", path.display()))
            })
        }
        Err(e) if e.kind() == ErrorKind::NotFound => {
            let aside = path.with_extension(format!("key.{}", std::process::id()));
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
            file.write_all(&random_bytes::<32>()?)?;
            file.sync_all()?;
            let linked = fs::hard_link(&aside, path);
            fs::remove_file(&aside)?;
            match linked {
                Err(e) if e.kind() != ErrorKind::AlreadyExists => Err(e.into()),
                _ => key_file(path),
            }
        }
        Err(e) => Err(e.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_directory_and_its_key_are_private_and_stay_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("data");
        let first = DataDir::open(&root, None).unwrap();
        let mode = |p: &Path| fs::metadata(p).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&root), 0o700);
        assert_eq!(mode(&root.join("secret.key")), 0o600);
        let again = DataDir::open(&root, None).unwrap();
        assert_eq!(first.key.mac(&[b"x"]), again.key.mac(&[b"x"]));
    }

    #[test]
    fn only_one_process_serves_it() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(dir.path(), None).unwrap();
        let held = data.lock().unwrap();
        assert!(matches!(data.lock(), Err(Error::Conflict { code: "data_in_use", .. })));
        drop(held);
        assert!(data.lock().is_ok());
    }

    #[test]
    fn a_key_may_be_given_in_hex() {
        let dir = tempfile::tempdir().unwrap();
        assert!(DataDir::open(dir.path(), Some(&Secret::new("ab".repeat(32)))).is_ok());
        for bad in ["", "ab", &"zz".repeat(32), &"é".repeat(32)] {
            assert!(DataDir::open(dir.path(), Some(&Secret::new(bad))).is_err());
        }
        assert!(!dir.path().join("secret.key").exists());
    }
}
