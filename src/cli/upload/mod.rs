//! `vitrina upload`: files of this machine to a server, as any other client of its public API.
//! Unlike the other commands it knows nothing of a data directory.

mod files;
mod notes;
mod send;
mod show;
mod watch;

use crate::{
    base::{Error, Result, secret::Secret, visibility::Visibility},
    outward::appliance::Appliance,
};
use clap::{Args, ValueEnum};
use files::Gathered;
use futures_util::{StreamExt, stream};
use notes::Notes;
use send::Sender;
use show::Show;
use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};
use watch::Watch;

const USER_AGENT: &str = concat!("Vitrina-upload/", env!("CARGO_PKG_VERSION"));

#[derive(Args)]
pub(super) struct Command {
    /// What to upload; a folder only with `--recursive`
    #[arg(value_name = "FILE", required_unless_present = "watch")]
    files: Vec<PathBuf>,
    /// The server's address; VITRINA_SERVER without it
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// An API token. Others on this machine can read it here: VITRINA_TOKEN or a file is better
    #[arg(long, value_name = "TOKEN", conflicts_with = "token_file")]
    token: Option<String>,
    /// A file with the token in it
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The album that the items go into, by its id
    #[arg(long, value_name = "ID")]
    album: Option<String>,
    /// A tag for all items; may be repeated
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// public, unlisted or private; what the server does by itself without it
    #[arg(long, value_name = "WORD")]
    visibility: Option<String>,
    /// Go through folders and the folders in them
    #[arg(long, short)]
    recursive: bool,
    /// Upload what newly comes into this folder, until Ctrl-C
    #[arg(long, value_name = "DIR")]
    watch: Option<PathBuf>,
    /// How many files are sent at once
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=16))]
    parallel: u8,
    /// One line of JSON for each file
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// What is printed of each item
    #[arg(long, value_enum, default_value_t = Format::Url)]
    format: Format,
}

/// What is printed of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The address of its page
    Url,
    /// The address of its file
    Direct,
    Markdown,
    Html,
    Bbcode,
}

/// Uploads, and prints what came of it.
///
/// # Errors
/// `Invalid` for what was not said or said wrongly; `Unavailable` where a file was not uploaded,
/// after it was printed why.
pub(super) async fn run(command: Command, env: &[(String, String)]) -> Result<()> {
    let server = Appliance::new(&server(&command, env)?, token(&command, env)?, USER_AGENT)?;
    if let Some(word) = &command.visibility {
        Visibility::parse("visibility", word)?;
    }
    let show = Show::new(command.json);
    let sender = Sender {
        server,
        said: said(&command),
        notes: Notes::open(env),
        format: (!command.json).then_some(command.format),
    };
    let batch =
        Batch { sender, show, parallel: command.parallel.into(), failed: AtomicUsize::new(0) };
    tokio::select! {
        done = batch.all(&command) => done,
        stopped = tokio::signal::ctrl_c() => {
            stopped?;
            batch.show.end();
            if command.watch.is_some() && batch.failed.load(Ordering::Relaxed) == 0 {
                return Ok(());
            }
            Err(Error::Unavailable("stopped; the same command goes on where it was"))
        }
    }
}

struct Batch {
    sender: Sender,
    show: Show,
    parallel: usize,
    failed: AtomicUsize,
}

impl Batch {
    async fn all(&self, command: &Command) -> Result<()> {
        // Looked at first: what comes while the files are sent is new.
        let watch = command.watch.as_deref().map(|dir| Watch::begin(dir, command.recursive));
        let watch = watch.transpose()?;
        let (named, recursive) = (command.files.clone(), command.recursive);
        let found = tokio::task::spawn_blocking(move || files::gather(&named, recursive)).await?;
        let Gathered { files, unusable, skipped } = found;
        for (path, reason) in unusable {
            self.fail(&path, reason);
        }
        if skipped > 0 {
            self.show.note(&format!("{skipped} files are no pictures, films or sound"));
        }
        self.send(files).await;
        if let Some(watch) = watch {
            self.watch(watch).await?;
        }
        self.show.end();
        match self.failed.load(Ordering::Relaxed) {
            0 => Ok(()),
            _ => Err(Error::Unavailable("not all files were uploaded")),
        }
    }

    async fn send(&self, files: Vec<PathBuf>) {
        let sending = files.into_iter().map(|path| async move {
            let meter = self.show.begin(&path);
            let sent = self.sender.send(&path, &meter).await;
            meter.end();
            match sent {
                Ok(done) => self.show.done(&path, &done),
                Err(reason) => self.fail(&path, reason),
            }
        });
        stream::iter(sending).buffer_unordered(self.parallel).for_each(|()| async {}).await;
    }

    /// Until nobody wants it any more.
    async fn watch(&self, mut watch: Watch) -> Result<()> {
        self.show.note(&format!("watching {}; Ctrl-C ends it", watch.folder().display()));
        loop {
            let finished;
            (watch, finished) = watch.next().await?;
            self.send(finished).await;
        }
    }

    fn fail(&self, path: &Path, reason: String) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        self.show.failed(path, &reason);
    }
}

fn variable(env: &[(String, String)], name: &str) -> Option<String> {
    env.iter().find(|(n, v)| n == name && !v.trim().is_empty()).map(|(_, value)| value.clone())
}

fn server(command: &Command, env: &[(String, String)]) -> Result<String> {
    let given = command.server.clone().or_else(|| variable(env, "VITRINA_SERVER"));
    given.ok_or_else(|| Error::invalid("server", "is missing: say --server or set VITRINA_SERVER"))
}

fn token(command: &Command, env: &[(String, String)]) -> Result<Secret> {
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path);
        text.map_err(|e| Error::invalid("token_file", format!("{}: {e}", path.display())))
    };
    let given = match (&command.token, &command.token_file) {
        (Some(token), _) => Some(token.clone()),
        (None, Some(path)) => Some(read(path)?),
        (None, None) => variable(env, "VITRINA_TOKEN"),
    };
    let token = given.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    token.map(Secret::new).ok_or_else(|| {
        Error::invalid("token", "is missing: set VITRINA_TOKEN, or say --token-file or --token")
    })
}

/// What is said about every file.
fn said(command: &Command) -> Vec<(&'static str, String)> {
    let tags = (!command.tags.is_empty()).then(|| command.tags.join(","));
    let said = [("album", &command.album), ("tags", &tags), ("visibility", &command.visibility)];
    said.into_iter().filter_map(|(key, value)| Some((key, value.clone()?))).collect()
}
