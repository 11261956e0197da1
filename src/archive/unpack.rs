//! Checking an archive, with or without writing what is in it.

use super::{
    CHECKSUMS, DATABASE, MANIFEST, MEDIA, Meter, Progress, Report, bad_archive, failed,
    list::{List, Listed, MAX_LIST},
    manifest,
    reader::{Head, Reader},
};
use crate::base::{Error, Result};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

/// Unpacks an archive into a folder, which must be there and empty. Blocks.
///
/// It makes `site.sqlite`, and `media` with the files below it. When it returns, all of it is
/// checked and on the disk; when it fails, the folder is empty again.
///
/// `on_progress` is told now and then what is done, and at the end; it answers whether to go on.
///
/// # Errors
/// `Rejected` with the code `bad_archive` where anything is wrong with the archive; the reason
/// names the entry. `Conflict` where the folder is not empty, or where `on_progress` answered no.
pub fn unpack(
    from: &Path,
    folder: &Path,
    on_progress: &mut dyn FnMut(Progress) -> bool,
) -> Result<Report> {
    if fs::read_dir(folder).map_err(failed(folder))?.next().is_some() {
        return Err(Error::Conflict {
            code: "folder_not_empty",
            reason: "the folder to unpack to is not empty",
        });
    }
    let undo = Undo(Some(folder));
    let media = folder.join(MEDIA);
    fs::create_dir(&media).map_err(failed(&media))?;
    let report = walk(from, Some(folder), on_progress)?;
    sync(folder)?;
    undo.keep();
    Ok(report)
}

/// Checks an archive as [`unpack`] does, and writes nothing. Blocks.
///
/// # Errors
/// As [`unpack`].
pub fn verify(from: &Path, on_progress: &mut dyn FnMut(Progress) -> bool) -> Result<Report> {
    walk(from, None, on_progress)
}

/// Empties the folder again, unless told to keep it. It was empty before, so what is in it is ours.
struct Undo<'a>(Option<&'a Path>);

impl Undo<'_> {
    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        if let Some(folder) = self.0 {
            let _ = fs::remove_file(folder.join(DATABASE));
            let _ = fs::remove_dir_all(folder.join(MEDIA));
        }
    }
}

/// Reads an archive from its start to its end.
fn walk(
    from: &Path,
    folder: Option<&Path>,
    on_progress: &mut dyn FnMut(Progress) -> bool,
) -> Result<Report> {
    let mut reader = Reader::open(from)?;
    let mut list = List::default();
    let mut meter = Meter::new(on_progress);

    let head = reader.expect(MANIFEST)?;
    let (_, listed) = manifest::read(&mut reader, head)?;
    meter.done = Progress { files: 1, bytes: listed.bytes };
    list.push(listed);

    let head = reader.expect(DATABASE)?;
    list.push(file(&mut reader, head, folder, &mut meter)?);

    let checksums = loop {
        let Some(head) = reader.next()? else {
            return Err(bad_archive(format!("`{CHECKSUMS}` is missing")));
        };
        if head.path == CHECKSUMS {
            break head;
        }
        if !head.path.starts_with(MEDIA) {
            return Err(bad_archive(format!("`{}` does not belong there", head.path)));
        }
        list.admits(&head.path).map_err(bad_archive)?;
        list.push(file(&mut reader, head, folder, &mut meter)?);
    };
    compare(&mut reader, &checksums, &list)?;
    let sha256 = reader.finish()?;
    meter.report()?;
    let Progress { files, bytes } = meter.done;
    Ok(Report { files, bytes, sha256 })
}

/// Reads one file, and writes it where there is a folder for it. Its name is known to be plain.
fn file(
    reader: &mut Reader,
    head: Head,
    folder: Option<&Path>,
    meter: &mut Meter,
) -> Result<Listed> {
    let mut hash = Sha256::new();
    let mut out = folder.map(|folder| create(folder, &head)).transpose()?;
    reader.body(&head, |bytes| {
        hash.update(bytes);
        if let Some(out) = &mut out {
            out.write_all(bytes).map_err(failed(Path::new(&head.path)))?;
        }
        meter.bytes(bytes.len())
    })?;
    if let (Some(out), Some(time)) =
        (out, UNIX_EPOCH.checked_add(Duration::from_secs(head.modified)))
    {
        out.set_modified(time).map_err(failed(Path::new(&head.path)))?;
    }
    meter.file();
    Ok(Listed { path: head.path, bytes: head.bytes, sha256: hash.finalize().into() })
}

fn create(folder: &Path, head: &Head) -> Result<File> {
    let path = folder.join(&head.path);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed(parent))?;
    }
    File::options().write(true).create_new(true).mode(0o600).open(&path).map_err(failed(&path))
}

fn compare(reader: &mut Reader, head: &Head, list: &List) -> Result<()> {
    if head.bytes > MAX_LIST {
        return Err(bad_archive(format!("`{CHECKSUMS}` is longer than {MAX_LIST} bytes")));
    }
    let wrong = reader.reading(head, |body| {
        list.compare(body).map_err(|e| bad_archive(format!("`{CHECKSUMS}` cannot be read: {e}")))
    })?;
    wrong.map_or(Ok(()), |wrong| Err(bad_archive(wrong)))
}

/// Brings a folder with all that is in it to the disk. This comes last and not file by file: by
/// then most is there already, and one wait serves many files.
fn sync(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(failed(folder))? {
        let entry = entry.map_err(failed(folder))?;
        let path = entry.path();
        if entry.file_type().map_err(failed(&path))?.is_dir() {
            sync(&path)?;
        } else {
            File::open(&path).and_then(|file| file.sync_all()).map_err(failed(&path))?;
        }
    }
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed(folder))
}
