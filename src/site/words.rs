//! Settings that are one of a few words, or a list of them.

use crate::{
    accounts::Role,
    av,
    base::{Error, Result},
    imaging::{self, Output, Place},
};
use serde::{Serialize, Serializer};
use serde_json::Value;

/// Which uploads are kept as they came, beside what is made of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeepUploads {
    Never,
    /// Those that got a watermark.
    Marked,
    /// All that differ from the public file.
    Always,
}

/// Whose uploads get a watermark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles(Vec<Role>);

impl Roles {
    pub fn all() -> Self {
        Self(vec![Role::User, Role::Manager, Role::Admin])
    }

    pub fn contains(&self, role: Role) -> bool {
        self.0.contains(&role)
    }
}

impl Serialize for Roles {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|role| role.as_str()))
    }
}

/// Which other encodings of films are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Renditions {
    Off,
    /// One file.
    Mp4,
    /// Several qualities for players to choose among.
    Hls,
}

/// What an upload comes to that its uploader has here already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Duplicates {
    /// The item there is.
    Existing,
    /// A refusal.
    Reject,
}

pub(super) fn duplicates(key: &'static str, value: &Value) -> Result<Duplicates> {
    match value.as_str() {
        Some("existing") => Ok(Duplicates::Existing),
        Some("reject") => Ok(Duplicates::Reject),
        _ => Err(Error::invalid(key, "must be existing or reject")),
    }
}

pub(super) fn renditions(key: &'static str, value: &Value) -> Result<Renditions> {
    match value.as_str() {
        Some("off") => Ok(Renditions::Off),
        Some("mp4") => Ok(Renditions::Mp4),
        Some("hls") => Ok(Renditions::Hls),
        _ => Err(Error::invalid(key, "must be off, mp4 or hls")),
    }
}

/// What a site takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kinds {
    pub image: bool,
    pub video: bool,
    pub audio: bool,
}

impl Kinds {
    pub fn all() -> Self {
        Self { image: true, video: true, audio: true }
    }

    fn each(self) -> [(&'static str, bool); 3] {
        [("image", self.image), ("video", self.video), ("audio", self.audio)]
    }

    /// The media types that a site takes which takes these.
    pub fn media_types(self) -> Vec<String> {
        let pictures = imaging::Format::accepted().filter(|_| self.image).map(|f| f.mime());
        let others = [(self.video, av::Kind::Video), (self.audio, av::Kind::Audio)];
        let others = others.into_iter().filter(|(is_taken, _)| *is_taken);
        let others = others.flat_map(|(_, kind)| av::accepted(kind));
        pictures.chain(others).map(str::to_owned).collect()
    }
}

impl Serialize for Kinds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let taken = self.each().into_iter().filter(|(_, is_taken)| *is_taken);
        serializer.collect_seq(taken.map(|(word, _)| word))
    }
}

pub(super) fn kinds(key: &'static str, value: &Value) -> Result<Kinds> {
    let wrong = || Error::invalid(key, "must be a list of image, video and audio");
    let words = value.as_array().ok_or_else(wrong)?;
    let mut kinds = Kinds { image: false, video: false, audio: false };
    for word in words {
        match word.as_str() {
            Some("image") => kinds.image = true,
            Some("video") => kinds.video = true,
            Some("audio") => kinds.audio = true,
            _ => return Err(wrong()),
        }
    }
    Ok(kinds)
}

pub(super) fn roles(key: &'static str, value: &Value) -> Result<Roles> {
    let words = || Some(value.as_array()?.iter().map(|word| word.as_str().unwrap_or_default()));
    let words = words().ok_or_else(|| Error::invalid(key, "must be a list of roles"))?;
    let role = |word| {
        Role::parse(word).map_err(|_| Error::invalid(key, "must name user, manager and admin only"))
    };
    let mut roles: Vec<Role> = words.map(role).collect::<Result<_>>()?;
    roles.sort_unstable();
    roles.dedup();
    Ok(Roles(roles))
}

pub(super) fn keep(key: &'static str, value: &Value) -> Result<KeepUploads> {
    match value.as_str() {
        Some("never") => Ok(KeepUploads::Never),
        Some("marked") => Ok(KeepUploads::Marked),
        Some("always") => Ok(KeepUploads::Always),
        _ => Err(Error::invalid(key, "must be never, marked or always")),
    }
}

pub(super) fn place(key: &'static str, value: &Value) -> Result<Place> {
    let found = value.as_str().and_then(Place::find);
    found.ok_or_else(|| {
        let all = Place::ALL.map(Place::as_str).join(", ");
        Error::invalid(key, format!("must be one of {all}"))
    })
}

pub(super) fn output(key: &'static str, value: &Value) -> Result<Output> {
    Output::parse(value.as_str().unwrap_or_default()).map_err(|why| Error::invalid(key, why))
}
