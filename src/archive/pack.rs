//! Packing a site into an archive.

use super::{
    BUFFER, CHECKSUMS, DATABASE, MANIFEST, MEDIA, Meter, Progress, Report, failed, is_plain,
    list::{List, Listed, MAX_LIST},
    manifest, read_some,
    writer::Writer,
};
use crate::base::{Error, Result};
use sha2::{Digest, Sha256};
use std::{
    ffi::OsString,
    fs::{self, File},
    io::Read,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

/// What goes into an archive. Nothing of it may change while it is packed.
pub struct Source<'a> {
    /// What the archive is to say about the site, in the caller's words.
    pub manifest: &'a serde_json::Value,
    /// A consistent copy of the site's database.
    pub database: &'a Path,
    /// Where the files of a folder lie.
    pub media: &'a dyn Fn(&str) -> PathBuf,
    /// The folders of files, as the database names them.
    pub folders: &'a [String],
}

/// Packs a site into the file `to`, which appears only when it is whole and on the disk. Blocks.
///
/// Until then there is `<to>.partial` beside it. One that an earlier attempt left is overwritten,
/// so only one may pack to the same name at a time.
///
/// `on_progress` is told now and then what is done, and at the end; it answers whether to go on.
///
/// # Errors
/// `Conflict` where there is such a file already and it is not to be overwritten, or where
/// `on_progress` answered no. `Rejected` with the code `bad_source` where a file is missing, has a
/// name that cannot be packed, or changes meanwhile: the reason names it.
pub fn pack(
    source: &Source,
    to: &Path,
    overwrite: bool,
    on_progress: &mut dyn FnMut(Progress) -> bool,
) -> Result<Report> {
    refuse_existing(to, overwrite)?;
    let partial = Partial::new(to)?;
    let mut packing = Packing {
        writer: Writer::new(&partial.0, partial.create()?),
        list: List::default(),
        meter: Meter::new(on_progress),
        buffer: vec![0; BUFFER],
    };
    packing.everything(source)?;
    packing.meter.report()?;
    let Progress { files, bytes } = packing.meter.done;
    let sha256 = packing.writer.finish()?;
    refuse_existing(to, overwrite)?;
    partial.land(to)?;
    Ok(Report { files, bytes, sha256 })
}

fn refuse_existing(to: &Path, overwrite: bool) -> Result<()> {
    if overwrite || fs::symlink_metadata(to).is_err() {
        return Ok(());
    }
    Err(Error::Conflict { code: "archive_exists", reason: "there is a file of this name already" })
}

/// The file that grows into an archive; gone when dropped before it [lands](Self::land).
struct Partial(PathBuf);

impl Partial {
    fn new(to: &Path) -> Result<Self> {
        let name = to.file_name().ok_or_else(|| Error::invalid("to", "must name a file"))?;
        let mut partial = OsString::from(name);
        partial.push(".partial");
        Ok(Self(to.with_file_name(partial)))
    }

    /// A leftover is removed first rather than written to: it might be a link to elsewhere.
    fn create(&self) -> Result<File> {
        let _ = fs::remove_file(&self.0);
        File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.0)
            .map_err(failed(&self.0))
    }

    fn land(self, to: &Path) -> Result<()> {
        fs::rename(&self.0, to).map_err(failed(to))?;
        let folder = match to.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed(folder))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

struct Packing<'a> {
    writer: Writer,
    list: List,
    meter: Meter<'a>,
    buffer: Vec<u8>,
}

impl Packing<'_> {
    fn everything(&mut self, source: &Source) -> Result<()> {
        // What has no time of its own takes that of the database: the same site packed twice
        // makes the same archive.
        let modified = match fs::metadata(source.database) {
            Ok(database) => modified(&database),
            Err(_) => return Err(bad_source(DATABASE, "is missing")),
        };
        let text = manifest::write(source.manifest)?;
        self.stream(MANIFEST, &mut &*text, text.len() as u64, modified)?;
        self.file(DATABASE.to_owned(), source.database)?;
        for folder in in_order(source.folders)? {
            let place = (source.media)(folder);
            for name in files_of(&place, folder)? {
                let path = format!("{MEDIA}{folder}/{name}");
                self.list.admits(&path).map_err(rejected)?;
                self.file(path, &place.join(name))?;
            }
        }
        self.checksums(modified)
    }

    fn file(&mut self, name: String, path: &Path) -> Result<()> {
        let mut file = File::open(path).map_err(|_| bad_source(&name, "cannot be opened"))?;
        let before = file.metadata().map_err(failed(path))?;
        if !before.is_file() {
            return Err(bad_source(&name, "is not a plain file"));
        }
        self.stream(&name, &mut file, before.len(), modified(&before))?;
        let after = file.metadata().map_err(failed(path))?;
        if after.modified().ok() != before.modified().ok() {
            return Err(bad_source(&name, CHANGED));
        }
        Ok(())
    }

    /// Packs a stream that must be exactly so many bytes long.
    fn stream(
        &mut self,
        name: &str,
        from: &mut impl Read,
        bytes: u64,
        modified: u64,
    ) -> Result<()> {
        self.writer.header(name, bytes, modified)?;
        let mut hash = Sha256::new();
        let mut left = bytes;
        while left > 0 {
            let want = usize::try_from(left).unwrap_or(BUFFER).min(BUFFER);
            let got = read_some(from, self.buffer.get_mut(..want).unwrap_or_default())?;
            if got == 0 {
                return Err(bad_source(name, CHANGED));
            }
            let piece = self.buffer.get(..got).unwrap_or_default();
            hash.update(piece);
            self.writer.body(piece)?;
            self.meter.bytes(got)?;
            left = left.saturating_sub(got as u64);
        }
        if read_some(from, &mut [0])? > 0 {
            return Err(bad_source(name, CHANGED));
        }
        self.writer.pad(bytes)?;
        self.meter.file();
        self.list.push(Listed { path: name.to_owned(), bytes, sha256: hash.finalize().into() });
        Ok(())
    }

    fn checksums(&mut self, modified: u64) -> Result<()> {
        let bytes = self.list.length()?;
        if bytes > MAX_LIST {
            return Err(Error::TooLarge { field: "checksums", allowed: MAX_LIST });
        }
        self.writer.header(CHECKSUMS, bytes, modified)?;
        self.list.write(&mut self.writer)?;
        self.writer.pad(bytes)
    }
}

const CHANGED: &str = "changed while it was packed";

/// The folders by the parts of their paths, as the archive wants its files.
fn in_order(folders: &[String]) -> Result<Vec<&str>> {
    if let Some(folder) = folders.iter().find(|folder| !is_plain(folder)) {
        return Err(bad_source(&folder.escape_debug().to_string(), "is no name of a folder"));
    }
    let mut folders: Vec<_> = folders.iter().map(String::as_str).collect();
    folders.sort_unstable_by(|a, b| a.split('/').cmp(b.split('/')));
    Ok(folders)
}

/// The names of all files in a folder, in order. The database names the folder, so there must be
/// something in it.
fn files_of(path: &Path, folder: &str) -> Result<Vec<String>> {
    let entries =
        fs::read_dir(path).map_err(|_| bad_source(&format!("{MEDIA}{folder}"), "is missing"))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed(path))?;
        let shown = || format!("{MEDIA}{folder}/{}", entry.file_name().display());
        // Links are not followed here, so one that leads out of the folder is never packed.
        if !entry.file_type().map_err(failed(path))?.is_file() {
            return Err(bad_source(&shown(), "is not a plain file"));
        }
        match entry.file_name().into_string() {
            Ok(name) if is_plain(&name) => names.push(name),
            _ => return Err(bad_source(&shown(), "has a name that cannot be packed")),
        }
    }
    if names.is_empty() {
        return Err(bad_source(&format!("{MEDIA}{folder}"), "is empty"));
    }
    names.sort_unstable();
    Ok(names)
}

/// When a file was changed, in whole seconds since 1970.
fn modified(file: &fs::Metadata) -> u64 {
    let time = file.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    time.map_or(0, |time| time.as_secs())
}

fn bad_source(name: &str, why: &str) -> Error {
    rejected(format!("`{name}` {why}"))
}

fn rejected(reason: String) -> Error {
    Error::Rejected { code: "bad_source", reason }
}
