//! Where an export goes: a folder, or one tar file. It appears under its name when it is whole.

use super::{Meter, fill};
use crate::base::{Error, Result};
use sha2::{Digest, Sha256};
use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, BufWriter, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

pub(super) struct Sink {
    to: PathBuf,
    partial: Partial,
    out: Out,
    /// A line for each file, as `sha256sum` writes and reads it.
    sums: String,
}

enum Out {
    Folder,
    Tar(Box<tar::Builder<BufWriter<File>>>),
}

/// What is removed unless it is finished.
struct Partial(PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        let _ = remove(&self.0);
    }
}

impl Sink {
    /// A tar where the name ends so, and a folder otherwise.
    ///
    /// # Errors
    /// `Conflict` with code `export_exists` where there is something of this name.
    pub(super) fn create(to: &Path) -> Result<Self> {
        refuse_existing(to)?;
        let name = to.file_name().ok_or_else(|| Error::invalid("to", "must name a file"))?;
        let mut partial = OsString::from(name);
        partial.push(".partial");
        let partial = Partial(to.with_file_name(partial));
        remove(&partial.0)?;
        let out = if to.extension().is_some_and(|e| e == "tar") {
            Out::Tar(Box::new(tar::Builder::new(BufWriter::new(create_file(&partial.0)?))))
        } else {
            fs::DirBuilder::new().mode(0o700).create(&partial.0)?;
            Out::Folder
        };
        Ok(Self { to: to.to_owned(), partial, out, sums: String::new() })
    }

    pub(super) fn text(&mut self, name: &str, text: &[u8]) -> Result<()> {
        let sha256: [u8; 32] = Sha256::digest(text).into();
        match &mut self.out {
            Out::Folder => {
                let mut file = create_file(&self.partial.0.join(name))?;
                file.write_all(text)?;
                file.sync_all()?;
            }
            Out::Tar(tar) => tar.append_data(&mut header(text.len() as u64), name, text)?,
        }
        self.note(name, &sha256);
        Ok(())
    }

    /// Takes a file in; returns its hash.
    pub(super) fn file(&mut self, name: &str, from: &Path, meter: &Meter) -> Result<[u8; 32]> {
        let sha256 = match &mut self.out {
            Out::Folder => {
                let place = self.partial.0.join(name);
                if let Some(parent) = place.parent() {
                    fs::create_dir_all(parent)?;
                }
                let mut file = create_file(&place)?;
                let (_, sha256) = fill::pour(from, &mut file, meter)?;
                file.sync_all()?;
                sha256
            }
            Out::Tar(tar) => {
                let file = File::open(from)
                    .map_err(|e| Error::internal(format!("{}: {e}", from.display())))?;
                let bytes = file.metadata()?.len();
                let mut counted = Counted { file, hash: Sha256::new(), meter };
                tar.append_data(&mut header(bytes), name, (&mut counted).take(bytes))?;
                counted.hash.finalize().into()
            }
        };
        meter.add(1, 0)?;
        self.note(name, &sha256);
        Ok(sha256)
    }

    fn note(&mut self, name: &str, sha256: &[u8]) {
        self.sums.push_str(&format!("{}  {name}\n", super::sql::hex(sha256)));
    }

    /// Adds the checksums and gives the whole its name.
    pub(super) fn finish(mut self) -> Result<()> {
        let sums = std::mem::take(&mut self.sums);
        self.text("SHA256SUMS", sums.as_bytes())?;
        match self.out {
            Out::Folder => fill::sync_folders(&self.partial.0)?,
            Out::Tar(tar) => {
                let file =
                    tar.into_inner()?.into_inner().map_err(io::IntoInnerError::into_error)?;
                file.sync_all()?;
            }
        }
        refuse_existing(&self.to)?;
        fs::rename(&self.partial.0, &self.to)?;
        let parent = self.to.parent().filter(|p| !p.as_os_str().is_empty());
        Ok(File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?)
    }
}

fn refuse_existing(to: &Path) -> Result<()> {
    if fs::symlink_metadata(to).is_ok() {
        return Err(Error::Conflict {
            code: "export_exists",
            reason: "there is something of this name already",
        });
    }
    Ok(())
}

fn create_file(path: &Path) -> Result<File> {
    let opened = File::options().write(true).create_new(true).mode(0o600).open(path);
    opened.map_err(|e| Error::internal(format!("{}: {e}", path.display())))
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(there) if there.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(_) => Ok(()),
    }
}

fn header(bytes: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_mode(0o600);
    header.set_size(bytes);
    header
}

/// A file that is hashed and counted on its way.
struct Counted<'a> {
    file: File,
    hash: Sha256,
    meter: &'a Meter,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.hash.update(buffer.get(..read).unwrap_or_default());
        self.meter.add(0, read as u64).map_err(io::Error::other)?;
        Ok(read)
    }
}
