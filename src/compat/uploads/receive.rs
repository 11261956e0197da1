//! What an uploading request of another product says: who calls, the file, and words about it.
//!
//! Many clients send the key in the form, and some send it after the file. Until it is known, the
//! file is kept aside, no larger than the site takes and a few at once; with a wrong key it goes.

use super::{Call, base64::Decoder};
use crate::{
    accounts::{Actor, Scope, caller::holder},
    base::{Error, Result, secret::Secret, text::Filename},
    http::fields::{Fields, Head},
    media::spool::Spool,
    tenancy::Tenant,
};
use bytes::Bytes;
use poem::{Request, http::Method};
use std::sync::Arc;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How many files of unknown senders there may be at once.
pub(super) const STRANGERS: usize = 64;
/// The longest URL, and what comes before the data in a `data:` URL, in bytes.
const LONGEST_URL: usize = 8 * 1024;
/// How much text there may be about a file, in bytes.
const MOST_WORDS: usize = 256 * 1024;

/// Which fields of a request mean what.
pub(super) struct Wanted {
    /// Bring the file: as a file, a URL or base64. The more important ones come first, and any of
    /// them as a file is more important than all of them as a text.
    pub file: &'static [&'static str],
    /// Say something about it.
    pub words: &'static [&'static str],
    /// Whether the key may be a field or in the query; else it came before all that.
    pub key: bool,
}

/// A file, and who sent it.
pub(super) struct Received {
    pub actor: Actor,
    pub source: Source,
}

pub(super) enum Source {
    File(Box<Spool>, Filename),
    Url(String),
}

/// Texts by the names of their fields.
#[derive(Default)]
pub(super) struct Words(Vec<(String, String)>);

impl Words {
    /// The first text of that name that says something, without the space around it.
    pub(super) fn get<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next()
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(n, _)| n == name);
        named.map(|(_, text)| text.trim()).filter(|text| !text.is_empty())
    }

    /// Whether the request had a field of that name at all.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(n, _)| n == name)
    }

    fn add(&mut self, name: String, text: String) -> Result<()> {
        let length: usize = self.0.iter().map(|(name, text)| name.len() + text.len()).sum();
        if length + name.len() + text.len() > MOST_WORDS {
            return Err(Error::TooLarge { field: "form", allowed: MOST_WORDS as u64 });
        }
        self.0.push((name, text));
        Ok(())
    }

    /// Those of the query.
    pub(super) fn of_query(req: &Request) -> Self {
        let query = req.uri().query().unwrap_or_default();
        Self(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }
}

/// Reads a whole request, and gives the words also where it is refused. `token` is the one in its
/// headers.
///
/// # Errors
/// `Unauthenticated` without a key, or with a wrong one; `Invalid` where there is no file.
pub(super) async fn receive(
    call: &mut Call,
    token: Option<Secret>,
    wanted: &Wanted,
) -> (Words, Result<Received>) {
    let Call { tenant, strangers, req, .. } = call;
    let takes_base64 = req.method() != Method::GET;
    let mut reading = Reading {
        tenant,
        strangers,
        wanted,
        takes_base64,
        actor: None,
        source: None,
        words: Words::default(),
        permit: None,
    };
    let body = req.take_body();
    let mut fields = match Fields::of(req.headers(), body).await {
        Ok(fields) => fields,
        Err(error) => return (Words::default(), Err(error)),
    };
    let outcome = reading.all(Words::of_query(req), token, &mut fields).await;
    let Reading { words, actor, source, .. } = reading;
    if let Err(error) = outcome {
        // What was kept aside goes before the rest is heard out.
        drop(source);
        fields.hear_out().await;
        return (words, Err(error));
    }
    let missing = || Error::invalid("source", "is missing: send a file, a URL or base64");
    let received = actor.ok_or(Error::Unauthenticated).and_then(|actor| {
        let (_, source) = source.ok_or_else(missing)?;
        Ok(Received { actor, source })
    });
    (words, received)
}

struct Reading<'a> {
    tenant: &'a Arc<Tenant>,
    strangers: &'a Semaphore,
    wanted: &'a Wanted,
    takes_base64: bool,
    actor: Option<Actor>,
    /// How important its field is, the lowest most, and what it brought.
    source: Option<(usize, Source)>,
    words: Words,
    /// To keep a file aside while nobody is known.
    permit: Option<SemaphorePermit<'a>>,
}

impl Reading<'_> {
    async fn all(
        &mut self,
        query: Words,
        token: Option<Secret>,
        fields: &mut Fields,
    ) -> Result<()> {
        match token {
            Some(token) => self.know(&token).await?,
            None if !self.wanted.key => return Err(Error::Unauthenticated),
            None => {}
        }
        for (name, text) in query.0 {
            match self.rank(&name, false) {
                Some(rank) => self.text(rank, &mut Once(Some(text.into()))).await?,
                None => self.word(name, text).await?,
            }
        }
        while let Some(Head { name, filename }) = fields.next().await? {
            match (self.rank(&name, filename.is_some()), filename) {
                (Some(rank), Some(filename)) => self.file(rank, &filename, fields).await?,
                (Some(rank), None) => self.text(rank, fields).await?,
                (None, _) if self.means(&name) => self.word(name, fields.text().await?).await?,
                (None, _) => {}
            }
        }
        Ok(())
    }

    /// How important the field is as one that brings the file, if it is one.
    fn rank(&mut self, name: &str, is_file: bool) -> Option<usize> {
        let at = self.wanted.file.iter().position(|one| *one == name)?;
        if !self.words.has(name) {
            // That there is such a field says something by itself.
            self.words.0.push((name.to_owned(), String::new()));
        }
        Some(if is_file { at } else { at + self.wanted.file.len() })
    }

    fn means(&self, name: &str) -> bool {
        self.wanted.words.contains(&name) || (self.wanted.key && name == "key")
    }

    async fn word(&mut self, name: String, text: String) -> Result<()> {
        if self.wanted.key && name == "key" {
            if self.actor.is_none() && !text.trim().is_empty() {
                self.know(&Secret::new(text.trim())).await?;
            }
        } else if self.wanted.words.contains(&&*name) {
            self.words.add(name, text)?;
        }
        Ok(())
    }

    async fn know(&mut self, token: &Secret) -> Result<()> {
        let actor = holder(self.tenant, token).await?;
        actor.need_scope(Scope::MediaWrite)?;
        self.actor = Some(actor);
        self.permit = None;
        Ok(())
    }

    fn is_better(&self, rank: usize) -> bool {
        self.source.as_ref().is_none_or(|(current, _)| rank < *current)
    }

    async fn file(&mut self, rank: usize, filename: &str, fields: &mut Fields) -> Result<()> {
        if !self.is_better(rank) {
            return Ok(());
        }
        // A form that was left empty sends a file without a byte.
        let Some(start) = fields.chunk().await? else { return Ok(()) };
        let mut spool = self.spool().await?;
        pour(start, fields, &mut spool).await?;
        let name = Filename::from_client(filename);
        self.source = Some((rank, Source::File(spool, name)));
        Ok(())
    }

    async fn text(&mut self, rank: usize, value: &mut impl Pieces) -> Result<()> {
        if !self.is_better(rank) {
            return Ok(());
        }
        let mut start = Vec::new();
        while start.len() < LONGEST_URL
            && let Some(piece) = value.piece().await?
        {
            start.extend_from_slice(&piece);
        }
        let text = start.trim_ascii_start();
        if text.is_empty() {
            return Ok(());
        }
        let source = if is_url(text) {
            if value.piece().await?.is_some() || text.len() > LONGEST_URL {
                return Err(Error::TooLarge { field: "url", allowed: LONGEST_URL as u64 });
            }
            Source::Url(String::from_utf8_lossy(text.trim_ascii_end()).into_owned())
        } else if self.takes_base64 {
            Source::File(self.decoded(text, value).await?, Filename::from_client(""))
        } else {
            return Err(Error::invalid("source", "must be a URL in a GET request"));
        };
        self.source = Some((rank, source));
        Ok(())
    }

    /// The file that a text is, which starts like this.
    async fn decoded(&mut self, start: &[u8], value: &mut impl Pieces) -> Result<Box<Spool>> {
        let data = match start.strip_prefix(b"data:") {
            Some(rest) => rest.splitn(2, |b| *b == b',').nth(1).unwrap_or_default(),
            None => start,
        };
        let (mut spool, mut decoder) = (self.spool().await?, Decoder::default());
        spool.write(&decoder.push(data)?).await?;
        while let Some(piece) = value.piece().await? {
            spool.write(&decoder.push(&piece)?).await?;
        }
        spool.write(&decoder.finish()?).await?;
        Ok(spool)
    }

    /// A place for the file, in which nothing else may be kept aside for this request.
    async fn spool(&mut self) -> Result<Box<Spool>> {
        self.source = None;
        if self.actor.is_none() && self.permit.is_none() {
            let permit = self.strangers.try_acquire();
            self.permit = Some(permit.map_err(|_| {
                Error::Unavailable("too many files came before their key: send the key first")
            })?);
        }
        Ok(Box::new(Spool::begin(self.tenant).await?))
    }
}

/// The rest of a file, after its start.
pub(super) async fn pour(start: Bytes, fields: &mut Fields, to: &mut Spool) -> Result<()> {
    to.write(&start).await?;
    while let Some(chunk) = fields.chunk().await? {
        to.write(&chunk).await?;
    }
    Ok(())
}

fn is_url(text: &[u8]) -> bool {
    let starts = |scheme: &[u8]| {
        text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    starts(b"http://") || starts(b"https://")
}

/// A text in pieces.
trait Pieces: Send {
    fn piece(&mut self) -> impl Future<Output = Result<Option<Bytes>>> + Send;
}

impl Pieces for Fields {
    async fn piece(&mut self) -> Result<Option<Bytes>> {
        self.chunk().await
    }
}

/// A text in one piece.
struct Once(Option<Bytes>);

impl Pieces for Once {
    async fn piece(&mut self) -> Result<Option<Bytes>> {
        Ok(self.0.take())
    }
}
