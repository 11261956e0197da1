//! What a setting may be: how each kind of value is read from text and shown as text.

use crate::base::secret::Secret;
use ipnet::IpNet;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// What a setting may be: read from text, shown as text.
pub(super) trait Value: Sized {
    fn parse(text: &str) -> Result<Self, String>;
    fn show(&self) -> String;
}

impl Value for PathBuf {
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err("must name a directory".to_owned()) } else { Ok(text.into()) }
    }
    fn show(&self) -> String {
        self.display().to_string()
    }
}

impl Value for SocketAddr {
    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "must be an address with a port, as in 127.0.0.1:8080".to_owned())
    }
    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for bool {
    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "must be true or false".to_owned())
    }
    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for u64 {
    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "must be a whole number".to_owned())
    }
    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for String {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
    fn show(&self) -> String {
        self.clone()
    }
}

impl Value for Option<Secret> {
    fn parse(text: &str) -> Result<Self, String> {
        Ok((!text.is_empty()).then(|| Secret::new(text)))
    }
    fn show(&self) -> String {
        if self.is_some() { "•••".to_owned() } else { String::new() }
    }
}

/// A scheme, a host and maybe a port, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(pub String);

impl Value for Option<Origin> {
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(None);
        }
        let wrong = || "must be an address like https://media.example, without a path".to_owned();
        let url = url::Url::parse(text).map_err(|_| wrong())?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let anonymous = url.username().is_empty() && url.password().is_none();
        if !matches!(url.scheme(), "http" | "https") || !bare || !anonymous {
            return Err(wrong());
        }
        Ok(Some(Origin(url.origin().ascii_serialization())))
    }
    fn show(&self) -> String {
        self.as_ref().map(|o| o.0.clone()).unwrap_or_default()
    }
}

/// Networks in CIDR notation; a single address stands for itself.
#[derive(Debug, Clone, Default)]
pub struct Networks(pub Vec<IpNet>);

impl Value for Networks {
    fn parse(text: &str) -> Result<Self, String> {
        let one = |item: &str| {
            let network =
                item.parse().or_else(|_| item.parse().map(|ip: std::net::IpAddr| ip.into()));
            network.map_err(|_| format!("has `{item}`, which is no network like 10.0.0.0/8"))
        };
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        Ok(Self(items.map(one).collect::<Result<_, _>>()?))
    }
    fn show(&self) -> String {
        self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    }
}

/// Folders by their absolute paths.
#[derive(Debug, Clone, Default)]
pub struct Folders(pub Vec<PathBuf>);

impl Value for Folders {
    fn parse(text: &str) -> Result<Self, String> {
        let one = |item: &str| match Path::new(item) {
            path if path.is_absolute() => Ok(path.to_owned()),
            _ => Err(format!("has `{item}`, which does not begin with `/`")),
        };
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        Ok(Self(items.map(one).collect::<Result<_, _>>()?))
    }
    fn show(&self) -> String {
        self.0.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(",")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Auto,
    Human,
    Json,
}

impl Value for LogFormat {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "human" => Ok(Self::Human),
            "json" => Ok(Self::Json),
            _ => Err("must be auto, human or json".to_owned()),
        }
    }
    fn show(&self) -> String {
        format!("{self:?}").to_lowercase()
    }
}
