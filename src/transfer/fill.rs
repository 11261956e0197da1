//! The folder of a new site, filled with what another one holds. Blocking work, on paths.

use super::{Meter, gather::Files, snapshot, sql};
use crate::{
    base::{Error, Result},
    db::Db,
    storage::Disk,
    tenancy::Site,
};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read, Write},
    path::Path,
};

const BUFFER: usize = 256 * 1024;

/// Copies a database and the files that it names into a folder, and checks them on their way.
pub(super) fn copy(database: &Path, files: &Files, folder: &Path, meter: &Meter) -> Result<()> {
    let site = folder.join("site.sqlite");
    fs::copy(database, &site)?;
    let to = folder.join("media");
    fs::create_dir(&to)?;
    let mut folders = BTreeSet::new();
    snapshot::write(&site, |db| {
        sql::each_file(db, |named| {
            let place = to.join(named.folder.as_str());
            if folders.insert(named.folder.as_str().to_owned()) {
                fs::create_dir_all(&place)?;
            }
            let name = checked_name(&named.file)?;
            let from = files.folder(named.folder.as_str()).join(name);
            let mut out = File::create_new(place.join(name))?;
            let (bytes, sha256) = pour(&from, &mut out, meter)?;
            out.sync_all()?;
            if bytes != named.bytes || named.sha256.is_some_and(|known| known != sha256) {
                return Err(damaged(named.folder.as_str(), name));
            }
            meter.add(1, 0)
        })?;
        sql::detach(db)
    })?;
    sync_folders(&to)
}

/// Reads a file to its end into `out`; says how long it was and its hash.
pub(super) fn pour(from: &Path, out: &mut dyn Write, meter: &Meter) -> Result<(u64, [u8; 32])> {
    let mut file =
        File::open(from).map_err(|e| Error::internal(format!("{}: {e}", from.display())))?;
    let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; BUFFER]);
    loop {
        let read = match file.read(&mut buffer) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        let piece = buffer.get(..read).unwrap_or_default();
        if piece.is_empty() {
            return Ok((bytes, hash.finalize().into()));
        }
        hash.update(piece);
        out.write_all(piece)?;
        bytes += read as u64;
        meter.add(0, read as u64)?;
    }
}

/// Makes the database of a backup one that this appliance serves, and checks that every file that
/// it names is there.
///
/// # Errors
/// `Rejected` with code `bad_archive` where it is no database of a site, or files are missing;
/// `Conflict` with code `schema_newer`.
pub(super) fn adopt(folder: &Path) -> Result<()> {
    let expected = expected_schema(&folder.join(".schema"))?;
    let store = Disk::open(folder)?;
    let site = folder.join("site.sqlite");
    let settled = snapshot::write(&site, |db| {
        if let Some(fault) = sql::fault(db)? {
            return Err(bad(format!("has a broken database: {fault}")));
        }
        // Whoever made the file may have put triggers into it that undo what the rules say.
        if sql::schema(db)? != expected {
            return Err(bad("has a database that is not laid out as a site's".to_owned()));
        }
        sql::detach(db)?;
        sql::each_file(db, |named| {
            let there = store.length(&named.folder, checked_name(&named.file)?);
            match there {
                Ok(bytes) if bytes == named.bytes => Ok(()),
                _ => Err(bad(format!(
                    "lacks `media/{}/{}`, or has another one in its place",
                    named.folder.as_str(),
                    named.file
                ))),
            }
        })
    });
    match settled {
        Err(Error::Internal(cause)) => Err(bad(format!("has a broken database: {cause}"))),
        other => other,
    }
}

fn expected_schema(scratch: &Path) -> Result<Vec<[String; 4]>> {
    let expected = snapshot::write(scratch, |db| sql::schema(db))?;
    for file in Db::<Site>::files(scratch) {
        let _ = fs::remove_file(file);
    }
    Ok(expected)
}

/// A name that stays in its folder.
pub(super) fn checked_name(file: &str) -> Result<&str> {
    if file.is_empty() || file.starts_with('.') || file.contains(['/', '\0']) {
        return Err(bad("names a file outside of its folder".to_owned()));
    }
    Ok(file)
}

pub(super) fn sync_folders(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    Ok(File::open(folder)?.sync_all()?)
}

pub(super) fn damaged(folder: &str, file: &str) -> Error {
    Error::Rejected {
        code: "bad_source",
        reason: format!("`media/{folder}/{file}` is not what it was when it was uploaded"),
    }
}

fn bad(reason: String) -> Error {
    Error::Rejected { code: "bad_archive", reason }
}
