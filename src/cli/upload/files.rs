//! Which files are meant: those that are named, and those in folders that are named. What lies in
//! a folder is looked into, so that only media is sent.

use crate::{av, imaging};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Endings of files that another program has not finished.
const UNFINISHED: [&str; 5] = ["crdownload", "download", "part", "partial", "tmp"];

/// What the arguments lead to.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub files: Vec<PathBuf>,
    /// What was named and cannot be sent, and why.
    pub unusable: Vec<(PathBuf, String)>,
    /// Files in folders that are no media.
    pub skipped: usize,
}

/// Blocks.
pub(super) fn gather(named: &[PathBuf], recursive: bool) -> Gathered {
    let mut gathered = Gathered::default();
    for path in named {
        if !path.is_dir() {
            // Whether it can be read turns out when it is.
            gathered.files.push(path.clone());
        } else if !recursive {
            let reason = "is a folder: say --recursive".to_owned();
            gathered.unusable.push((path.clone(), reason));
        } else {
            match within(path, true) {
                Ok(files) => {
                    let (media, others): (Vec<_>, Vec<_>) =
                        files.into_iter().partition(|path| is_media(path));
                    gathered.files.extend(media);
                    gathered.skipped += others.len();
                }
                Err(error) => gathered.unusable.push((path.clone(), error.to_string())),
            }
        }
    }
    gathered
}

/// The files in a folder, ordered by name, without those that are hidden or unfinished. Links
/// are not followed: they may lead round in a circle. Blocks.
pub(super) fn within(folder: &Path, recursive: bool) -> io::Result<Vec<PathBuf>> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    let mut files = Vec::new();
    for entry in entries {
        let (path, kind) = (entry.path(), entry.file_type()?);
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if kind.is_dir() && recursive {
            files.extend(within(&path, true)?);
        } else if kind.is_file() && !is_unfinished(&path) {
            files.push(path);
        }
    }
    Ok(files)
}

fn is_unfinished(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| UNFINISHED.contains(&&*ending))
}

/// Whether the bytes are those of a picture, a film or a recording, whole or damaged. Blocks.
pub(super) fn is_media(path: &Path) -> bool {
    !matches!(imaging::probe(path, &imaging::Limits::default()), Err(imaging::Error::Unknown))
        || !matches!(av::probe(path, &av::Limits::default()), Err(av::Error::Unknown))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n, cut short";

    #[test]
    fn folders_are_gone_through_for_media_and_named_files_are_taken() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("in/deeper")).unwrap();
        fs::create_dir_all(at("in/.hidden")).unwrap();
        for name in ["in/b.png", "in/a.png", "in/deeper/c", "in/.d.png", "in/.hidden/e.png"] {
            fs::write(at(name), PNG).unwrap();
        }
        for name in ["in/f.png.part", "in/g.TMP", "in/h.crdownload"] {
            fs::write(at(name), PNG).unwrap();
        }
        fs::write(at("in/notes.txt"), "words").unwrap();
        std::os::unix::fs::symlink(at("in"), at("in/round")).unwrap();

        let gathered = gather(&[at("in"), at("missing.png")], true);
        let files = ["in/a.png", "in/b.png", "in/deeper/c", "missing.png"].map(at);
        assert_eq!((gathered.files, gathered.skipped), (files.to_vec(), 1));
        assert!(gathered.unusable.is_empty());

        let refused = gather(&[at("in")], false);
        assert!(refused.files.is_empty() && refused.unusable[0].1.contains("--recursive"));
        assert_eq!(within(&at("in"), false).unwrap().len(), 3);
    }
}
