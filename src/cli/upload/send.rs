//! One file on its way: is it there already? → begun, or gone on with → piece after piece → the
//! item. What goes wrong in passing is tried again.

use super::{
    Format,
    notes::{Name, Notes},
    show::Meter,
};
use crate::outward::appliance::{Appliance, Failure, Progress};
use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::StreamExt;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{
    fmt::Write,
    fs,
    io::{self, Read, SeekFrom},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

/// Bytes in one request: so few that proxies take them, so many that asking costs nothing.
const PIECE: u64 = 32 * 1024 * 1024;
/// Tries without any bytes in between, and the waits between them.
const TRIES: u32 = 8;
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Whoever asks for more than this is not waited for.
const LONGEST_ASKED: Duration = Duration::from_secs(300);

pub(super) struct Sender {
    pub server: Appliance,
    /// What is said about every file: names of form fields and their values.
    pub said: Vec<(&'static str, String)>,
    pub notes: Notes,
    /// What is printed of an item, besides all of it.
    pub format: Option<Format>,
}

/// What came of a file.
pub(super) struct Done {
    pub media: Value,
    /// What is printed.
    pub link: String,
    /// It was there before.
    pub is_known: bool,
}

/// A file as it was when it was hashed.
struct Hashed {
    path: PathBuf,
    length: u64,
    modified: Option<SystemTime>,
    sha256: [u8; 32],
}

impl Sender {
    /// # Errors
    /// Says in a sentence why the file was not uploaded.
    pub(super) async fn send(&self, path: &Path, meter: &Meter) -> Result<Done, String> {
        let of = path.to_owned();
        let file = tokio::task::spawn_blocking(move || Hashed::new(of)).await;
        let file = file.map_err(|e| e.to_string())?.map_err(|e| e.to_string())?;
        if file.length == 0 {
            return Err("is empty".to_owned());
        }
        meter.length(file.length);
        let (media, is_known) = match self.known(&file).await.map_err(in_words)? {
            Some(media) => (media, true),
            None => (self.bring(&file, meter).await.map_err(in_words)?, false),
        };
        let link = self.link(&media).await.map_err(in_words)?;
        Ok(Done { media, link, is_known })
    }

    /// The item that there is of this file already.
    async fn known(&self, file: &Hashed) -> Result<Option<Value>, Failure> {
        let checksum = file.sha256.iter().fold("sha256:".to_owned(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        let query = [("owner", "me"), ("checksum", &*checksum), ("limit", "1")];
        let page = insist(async || self.server.get("media", &query).await).await?;
        Ok(page.pointer("/items/0").cloned())
    }

    async fn bring(&self, file: &Hashed, meter: &Meter) -> Result<Value, Failure> {
        let metadata = self.metadata(&file.path);
        let name = Name::new(self.server.address(), &metadata, &file.sha256);
        let (upload, at) = match self.interrupted(&name).await? {
            Some(found) => found,
            None => {
                let upload =
                    insist(async || self.server.begin(file.length, &metadata).await).await?;
                self.notes.remember(&name, &upload);
                (upload, Progress { offset: 0, media: None })
            }
        };
        let brought = self.pieces(file, &upload, at, meter).await;
        // What is refused will not be taken the next time either.
        if !matches!(brought, Err(Failure::Passing { .. })) {
            self.notes.forget(&name);
        }
        let path = format!("media/{}", brought?);
        insist(async || self.server.get(&path, &[]).await).await
    }

    /// The upload that was begun before, where the server still knows it.
    async fn interrupted(&self, name: &Name) -> Result<Option<(String, Progress)>, Failure> {
        let Some(upload) = self.notes.recall(name) else { return Ok(None) };
        match insist(async || self.server.progress(&upload).await).await {
            Ok(at) => Ok(Some((upload, at))),
            Err(Failure::Refused { .. }) => Ok(None),
            Err(passing) => Err(passing),
        }
    }

    /// Sends what is missing and returns the item's id.
    async fn pieces(
        &self,
        file: &Hashed,
        upload: &str,
        mut at: Progress,
        meter: &Meter,
    ) -> Result<String, Failure> {
        let mut patience = Patience::default();
        loop {
            if let Some(media) = at.media {
                return Ok(media);
            }
            meter.at(at.offset);
            let sent = match at.offset < file.length {
                true => self.piece(file, upload, at.offset, meter).await,
                // All is there, and was not made an item of: asking does it.
                false => self.server.progress(upload).await,
            };
            at = match sent {
                Ok(now) => {
                    patience = Patience::default();
                    now
                }
                Err(failure) => {
                    patience.wait(misplaced(failure)).await?;
                    let now = insist(async || self.server.progress(upload).await).await?;
                    if now.offset > at.offset {
                        patience = Patience::default();
                    }
                    now
                }
            };
        }
    }

    async fn piece(
        &self,
        file: &Hashed,
        upload: &str,
        offset: u64,
        meter: &Meter,
    ) -> Result<Progress, Failure> {
        let length = PIECE.min(file.length.saturating_sub(offset));
        let open = file.open(offset).await.map_err(|cause| Failure::Refused {
            status: 0,
            code: String::new(),
            reason: cause.to_string(),
        })?;
        let meter = meter.clone();
        let bytes = ReaderStream::with_capacity(open.take(length), 256 * 1024);
        let bytes = bytes.inspect(move |bytes| {
            meter.more(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64));
        });
        self.server.append(upload, offset, length, bytes).await
    }

    /// `Upload-Metadata`, as the protocol spells it.
    fn metadata(&self, path: &Path) -> String {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = [("filename", name.unwrap_or_default())];
        let pairs = name.iter().chain(&self.said);
        let pairs = pairs.map(|(key, value)| format!("{key} {}", STANDARD.encode(value)));
        pairs.collect::<Vec<_>>().join(",")
    }

    async fn link(&self, media: &Value) -> Result<String, Failure> {
        let text =
            |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        let code = match self.format {
            None | Some(Format::Url) => return Ok(text(media.pointer("/urls/view"))),
            Some(Format::Direct) => return Ok(text(media.pointer("/urls/original"))),
            Some(Format::Markdown) => "markdown_original",
            Some(Format::Html) => "html_original",
            Some(Format::Bbcode) => "bbcode_original",
        };
        let path = format!("media/{}/embeds", text(media.get("id")));
        let codes = insist(async || self.server.get(&path, &[]).await).await?;
        let mut codes = codes.get("items").and_then(Value::as_array).into_iter().flatten();
        let found = codes.find(|item| item.get("name").is_some_and(|name| name == code));
        Ok(text(found.and_then(|item| item.get("code"))))
    }
}

impl Hashed {
    /// Reads the whole file. Blocks.
    fn new(path: PathBuf) -> io::Result<Self> {
        let mut file = fs::File::open(&path)?;
        let found = file.metadata()?;
        if !found.is_file() {
            return Err(io::Error::other("is no file"));
        }
        let (mut hash, mut length, mut buffer) = (Sha256::new(), 0, vec![0; 256 * 1024]);
        loop {
            let count = file.read(&mut buffer)?;
            let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
            hash.update(bytes);
            length += bytes.len() as u64;
        }
        let modified = found.modified().ok();
        Ok(Self { path, length, modified, sha256: hash.finalize().into() })
    }

    /// The file from `offset` on, if it still is what was hashed.
    async fn open(&self, offset: u64) -> io::Result<tokio::fs::File> {
        let mut file = tokio::fs::File::open(&self.path).await?;
        let found = file.metadata().await?;
        if (found.len(), found.modified().ok()) != (self.length, self.modified) {
            return Err(io::Error::other("changed while it was being sent"));
        }
        file.seek(SeekFrom::Start(offset)).await?;
        Ok(file)
    }
}

/// How often something may still fail.
struct Patience {
    left: u32,
    next: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { left: TRIES - 1, next: FIRST_WAIT }
    }
}

impl Patience {
    /// Waits before the next try, or says that there is none.
    async fn wait(&mut self, failure: Failure) -> Result<(), Failure> {
        let pause = self.pause(&failure).ok_or(failure)?;
        tokio::time::sleep(pause).await;
        Ok(())
    }

    fn pause(&mut self, failure: &Failure) -> Option<Duration> {
        let Failure::Passing { after, .. } = failure else { return None };
        self.left = self.left.checked_sub(1)?;
        let wait = self.next;
        self.next = (wait * 2).min(LONGEST_WAIT);
        let pause = after.map_or(wait, |after| after.max(wait));
        (pause <= LONGEST_ASKED).then_some(pause)
    }
}

/// Does it until it is done, is refused, or has failed too often.
async fn insist<T>(work: impl AsyncFn() -> Result<T, Failure>) -> Result<T, Failure> {
    let mut patience = Patience::default();
    loop {
        match work().await {
            Err(failure) => patience.wait(failure).await?,
            done => return done,
        }
    }
}

/// Bytes that belong elsewhere are no reason to give up: another try asks where.
fn misplaced(failure: Failure) -> Failure {
    match failure {
        Failure::Refused { code, reason, .. } if code == "offset_mismatch" => {
            Failure::Passing { reason, after: None }
        }
        other => other,
    }
}

fn in_words(failure: Failure) -> String {
    match failure {
        Failure::Passing { reason, .. } | Failure::Refused { reason, .. } => reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passing(after: Option<u64>) -> Failure {
        Failure::Passing { reason: String::new(), after: after.map(Duration::from_secs) }
    }

    #[test]
    fn waits_grow_and_come_to_an_end() {
        let mut patience = Patience::default();
        let waits: Vec<u128> = std::iter::from_fn(|| patience.pause(&passing(None)))
            .map(|wait| wait.as_millis())
            .collect();
        assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000]);
    }

    #[test]
    fn a_server_that_names_a_time_is_heard() {
        let pause = |after| Patience::default().pause(&passing(Some(after)));
        assert_eq!(pause(0), Some(FIRST_WAIT));
        assert_eq!(pause(7), Some(Duration::from_secs(7)));
        assert_eq!(pause(3_600), None);
    }

    #[test]
    fn what_is_refused_is_not_tried_again() {
        let refused = |code: &str| Failure::Refused {
            status: 409,
            code: code.to_owned(),
            reason: "no".to_owned(),
        };
        assert_eq!(Patience::default().pause(&refused("invalid")), None);
        assert_eq!(misplaced(refused("invalid")), refused("invalid"));
        assert!(matches!(misplaced(refused("offset_mismatch")), Failure::Passing { .. }));
    }
}
