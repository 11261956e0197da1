//! How the server and its decoding processes talk over pipes: frames of a JSON head and plain
//! bytes. Reads and writes; knows nothing of processes.
//!
//! A frame is the head's length (32 bits, little-endian), the head, and the parts whose lengths
//! the head tells. Neither side believes a length before it has compared it with its own limit.

use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::job::{Fault, Made};

/// What a head may have; a thousand variants fit.
const MAX_HEAD: u32 = 1024 * 1024;

/// The first word of a decoding process.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Hello {
    /// Both sides must be of one build to understand each other.
    pub version: String,
    /// Whether the system lets the process limit its own memory.
    pub is_limited: bool,
}

pub(super) type Answer = Result<Made, Fault>;

/// What is said, and the bytes that go with it.
#[derive(Debug)]
pub(super) struct Frame<T> {
    pub said: T,
    pub parts: Vec<Vec<u8>>,
}

#[derive(Serialize, Deserialize)]
struct Head<T> {
    said: T,
    parts: Vec<u64>,
}

fn bad(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

/// The head of a frame with its length before it.
fn head<T: Serialize>(said: &T, parts: &[Vec<u8>]) -> io::Result<Vec<u8>> {
    let parts = parts.iter().map(|part| part.len() as u64).collect();
    let text = serde_json::to_vec(&Head { said, parts })?;
    let length = u32::try_from(text.len()).ok().filter(|length| *length <= MAX_HEAD);
    let length = length.ok_or_else(|| bad("the head is too long"))?;
    Ok([&length.to_le_bytes(), &*text].concat())
}

/// The length of a head that may be read.
fn head_length(bytes: [u8; 4]) -> io::Result<usize> {
    let length = u32::from_le_bytes(bytes);
    if length > MAX_HEAD {
        return Err(bad("the head is too long"));
    }
    Ok(length as usize)
}

/// A frame whose parts are as long as they will be, and empty. Where there is no memory for
/// them, that is an error and not the end of the process.
fn prepared<T: DeserializeOwned>(text: &[u8], most: u64) -> io::Result<Frame<T>> {
    let Head { said, parts } = serde_json::from_slice(text)?;
    let whole = parts.iter().try_fold(0u64, |sum, length: &u64| sum.checked_add(*length));
    if whole.is_none_or(|whole| whole > most) {
        return Err(bad("the parts are too long"));
    }
    let room = |length: u64| {
        let length = usize::try_from(length).map_err(|_| bad("the parts are too long"))?;
        let mut part = Vec::new();
        part.try_reserve_exact(length)?;
        part.resize(length, 0);
        Ok(part)
    };
    let parts = parts.into_iter().map(room).collect::<io::Result<_>>()?;
    Ok(Frame { said, parts })
}

pub(super) fn write<T: Serialize>(
    to: &mut impl Write,
    said: &T,
    parts: &[Vec<u8>],
) -> io::Result<()> {
    to.write_all(&head(said, parts)?)?;
    parts.iter().try_for_each(|part| to.write_all(part))?;
    to.flush()
}

/// Reads a frame whose parts have at most `most` bytes together.
pub(super) fn read<T: DeserializeOwned>(from: &mut impl Read, most: u64) -> io::Result<Frame<T>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let mut text = vec![0; head_length(length)?];
    from.read_exact(&mut text)?;
    let mut frame = prepared(&text, most)?;
    frame.parts.iter_mut().try_for_each(|part| from.read_exact(part))?;
    Ok(frame)
}

/// As [`write`], without holding up a thread.
pub(super) async fn send<T: Serialize>(
    to: &mut (impl AsyncWrite + Unpin),
    said: &T,
    parts: &[Vec<u8>],
) -> io::Result<()> {
    to.write_all(&head(said, parts)?).await?;
    for part in parts {
        to.write_all(part).await?;
    }
    to.flush().await
}

/// As [`read`], without holding up a thread.
pub(super) async fn receive<T: DeserializeOwned>(
    from: &mut (impl AsyncRead + Unpin),
    most: u64,
) -> io::Result<Frame<T>> {
    let mut length = [0; 4];
    from.read_exact(&mut length).await?;
    let mut text = vec![0; head_length(length)?];
    from.read_exact(&mut text).await?;
    let mut frame: Frame<T> = prepared(&text, most)?;
    for part in &mut frame.parts {
        from.read_exact(part).await?;
    }
    Ok(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(parts: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(&mut bytes, &"hello", parts).unwrap();
        bytes
    }

    #[tokio::test]
    async fn what_is_written_is_read() {
        let parts = [b"a\0b".to_vec(), Vec::new(), vec![7; 100_000]];
        let bytes = framed(&parts);
        let frame: Frame<String> = read(&mut &*bytes, 100_003).unwrap();
        assert_eq!((&*frame.said, &*frame.parts), ("hello", &parts[..]));
        let mut sent = Vec::new();
        send(&mut sent, &"hello", &parts).await.unwrap();
        assert_eq!(sent, bytes);
        let frame: Frame<String> = receive(&mut &*bytes, 100_003).await.unwrap();
        assert_eq!((&*frame.said, &*frame.parts), ("hello", &parts[..]));
    }

    #[tokio::test]
    async fn lies_cost_nothing() {
        let refused = async |bytes: &[u8]| {
            assert!(read::<String>(&mut &*bytes, 10).is_err());
            assert!(receive::<String>(&mut &*bytes, 10).await.is_err());
        };
        refused(&[]).await;
        refused(&[255; 8]).await;
        refused(&framed(&[vec![0; 11]])).await;
        refused(&framed(&[vec![0; 6], vec![0; 5]])).await;
        let whole = framed(&[vec![0; 10]]);
        for length in 0..whole.len() {
            refused(&whole[..length]).await;
        }
        let lie = |parts: &str| {
            let text = format!("{{\"said\":\"\",\"parts\":{parts}}}");
            [&(text.len() as u32).to_le_bytes(), text.as_bytes()].concat()
        };
        let huge = u64::MAX;
        for parts in [format!("[{huge}]"), format!("[{huge},{huge}]"), "[-1]".to_owned()] {
            refused(&lie(&parts)).await;
            assert!(read::<String>(&mut &*lie(&parts), huge).is_err());
        }
    }
}
