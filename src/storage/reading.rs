//! Reading a stored file: at once where the system has it in memory, and on a blocking thread
//! where a disk has to be asked. It reads and waits; what is read it does not judge.

use super::{Disk, Folder};
use crate::base::Result;
use bytes::Bytes;
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use rustix::{
    fs::{CWD, Mode, OFlags, ResolveFlags, openat2},
    io::{ReadWriteFlags, preadv2},
};
use std::{
    fs::File,
    io::{self, IoSliceMut},
    ops::Range,
    os::unix::fs::FileExt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::task::spawn_blocking;

/// Bytes read at once: so many that the reading costs little beside the copying, so few that they
/// are still in the processor's cache when they are sent.
const PIECE: usize = 256 * 1024;
/// Buffers that are kept for the next reader.
const SPARE: usize = 16;

/// A file's bytes, in order.
pub type Pieces = BoxStream<'static, io::Result<Bytes>>;

impl Disk {
    /// A range of a file's bytes, piece by piece. It ends early where the file does.
    ///
    /// # Errors
    /// `NotFound` where there is no such file.
    pub async fn pieces(&self, folder: &Folder, file: &str, range: Range<u64>) -> Result<Pieces> {
        let file = Arc::new(self.open_soon(folder, file).await?);
        let pieces = stream::try_unfold((file, range), |(file, left)| async move {
            if left.is_empty() {
                return Ok(None);
            }
            let piece = piece(&file, &left).await?;
            let start = left.start.saturating_add(piece.len() as u64);
            Ok((!piece.is_empty()).then_some((piece, (file, start..left.end))))
        });
        Ok(pieces.boxed())
    }

    /// The first `length` bytes of a file, in memory.
    ///
    /// # Errors
    /// `NotFound` where there is no such file; `Internal` where it is shorter.
    pub async fn whole(&self, folder: &Folder, file: &str, length: usize) -> Result<Bytes> {
        let file = self.open_soon(folder, file).await?;
        let mut bytes = vec![0; length];
        if cached(&file, &mut bytes, 0) != Some(length) {
            let read = move || file.read_exact_at(&mut bytes, 0).map(|()| bytes);
            return Ok(spawn_blocking(read).await??.into());
        }
        Ok(bytes.into())
    }

    async fn open_soon(&self, folder: &Folder, file: &str) -> Result<File> {
        if let Some(open) = known(&self.path(folder, file)?) {
            return Ok(open);
        }
        let (store, folder, file) = (self.clone(), folder.clone(), file.to_owned());
        spawn_blocking(move || store.read(&folder, &file, &(0..0))).await?
    }
}

/// The file, if the system can open it without asking a disk.
fn known(path: &Path) -> Option<File> {
    let how = OFlags::RDONLY | OFlags::CLOEXEC;
    openat2(CWD, path, how, Mode::empty(), ResolveFlags::CACHED).ok().map(File::from)
}

/// How many bytes were read without asking a disk, if any were. Some systems and file systems
/// cannot tell; then none are.
fn cached(file: &File, into: &mut [u8], at: u64) -> Option<usize> {
    let read = preadv2(file, &mut [IoSliceMut::new(into)], at, ReadWriteFlags::NOWAIT);
    read.ok().filter(|count| *count > 0)
}

/// The next bytes of a range; none where the file ends before it.
async fn piece(file: &Arc<File>, left: &Range<u64>) -> io::Result<Bytes> {
    let length = left.end.saturating_sub(left.start);
    let length = usize::try_from(length).unwrap_or(PIECE).min(PIECE);
    let (mut buffer, at) = (Buffer::take(), left.start);
    let (into, _) = buffer.bytes.split_at_mut(length);
    if let Some(count) = cached(file, into, at) {
        return Ok(buffer.filled(count));
    }
    let file = file.clone();
    let read = move || {
        let (into, _) = buffer.bytes.split_at_mut(length);
        let count = file.read_at(into, at)?;
        Ok(buffer.filled(count))
    };
    spawn_blocking(read).await?
}

/// Room for one piece. It is used again as soon as nobody needs the piece any more: fresh memory
/// costs more than reading into it does.
struct Buffer {
    bytes: Box<[u8]>,
    filled: usize,
}

static SPARES: Mutex<Vec<Box<[u8]>>> = Mutex::new(Vec::new());

impl Buffer {
    fn take() -> Self {
        let spare = SPARES.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let bytes = spare.unwrap_or_else(|| vec![0; PIECE].into_boxed_slice());
        Self { bytes, filled: 0 }
    }

    fn filled(mut self, count: usize) -> Bytes {
        self.filled = count;
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut spares = SPARES.lock().unwrap_or_else(PoisonError::into_inner);
        if spares.len() < SPARE {
            spares.push(std::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Error;
    use futures_util::TryStreamExt;

    /// A store with one file of so many bytes, each telling its place.
    fn stored(length: usize) -> (tempfile::TempDir, Disk, Folder, Vec<u8>) {
        let dir = tempfile::tempdir().unwrap();
        let store = Disk::open(dir.path()).unwrap();
        let folder = Folder::parse("1970/01/a").unwrap();
        let bytes: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
        let place = store.path(&folder, "a.jpg").unwrap();
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, &bytes).unwrap();
        (dir, store, folder, bytes)
    }

    #[tokio::test]
    async fn pieces_put_together_are_the_range() {
        let (_dir, store, folder, bytes) = stored(PIECE * 3 + 7);
        for range in [0..bytes.len(), 5..6, PIECE - 1..PIECE * 2 + 1, 9..9] {
            let asked = range.start as u64..range.end as u64;
            let pieces = store.pieces(&folder, "a.jpg", asked).await.unwrap();
            let pieces: Vec<Bytes> = pieces.try_collect().await.unwrap();
            assert!(pieces.iter().all(|piece| !piece.is_empty() && piece.len() <= PIECE));
            assert_eq!(pieces.concat(), bytes[range]);
        }
    }

    #[tokio::test]
    async fn pieces_that_are_kept_do_not_change() {
        let (_dir, store, folder, bytes) = stored(PIECE * 2);
        let all = 0..bytes.len() as u64;
        let read = || async {
            let pieces = store.pieces(&folder, "a.jpg", all.clone()).await.unwrap();
            pieces.try_collect::<Vec<Bytes>>().await.unwrap()
        };
        let kept = read().await;
        for _ in 0..SPARE {
            read().await;
        }
        assert_eq!(kept.concat(), bytes);
        assert!(SPARES.lock().unwrap().len() <= SPARE);
    }

    #[tokio::test]
    async fn a_file_that_is_shorter_than_asked_ends_early() {
        let (_dir, store, folder, bytes) = stored(10);
        let pieces = store.pieces(&folder, "a.jpg", 4..1_000).await.unwrap();
        let pieces: Vec<Bytes> = pieces.try_collect().await.unwrap();
        assert_eq!(pieces.concat(), bytes[4..]);
        assert_eq!(store.whole(&folder, "a.jpg", 10).await.unwrap(), bytes);
        assert!(matches!(store.whole(&folder, "a.jpg", 11).await, Err(Error::Internal(_))));
    }

    #[tokio::test]
    async fn what_is_not_there_is_not_found() {
        let (_dir, store, folder, _) = stored(1);
        for name in ["b.jpg", "../a.jpg", ".", "a.jpg/"] {
            let pieces = store.pieces(&folder, name, 0..1).await.err();
            assert!(matches!(pieces, Some(Error::NotFound(_))), "{name}");
            assert!(matches!(store.whole(&folder, name, 1).await, Err(Error::NotFound(_))));
        }
    }
}
