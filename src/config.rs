//! Every setting of the process: its default, what it is for, and where its value came from.
//!
//! Flags go before the environment, the environment before `vitrina.toml`, that before the
//! default. What a site's admin sets is another thing and lives in `site/settings.rs`.

use crate::base::secret::Secret;
use ipnet::IpNet;
use std::{net::SocketAddr, path::PathBuf};

/// A setting that cannot be used. Names the setting and where it came from.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{origin}: there is no setting `{key}`{hint}")]
    Unknown { key: String, origin: String, hint: String },
    #[error("{origin}: `{key}` {reason}")]
    Value { key: &'static str, origin: String, reason: String },
    #[error("{0}")]
    File(String),
}

/// One setting, as the command line and the documents show it.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// As in `vitrina.toml`. The flag is `--` and the same with hyphens, the variable `VITRINA_`
    /// and the same in capitals.
    pub key: &'static str,
    /// As it would be written; empty where there is none.
    pub default: &'static str,
    pub doc: &'static str,
    /// Not shown, and not taken from the command line, which everybody on the machine can read.
    pub is_secret: bool,
}

/// A setting's value and where it came from.
#[derive(Debug, Clone)]
pub struct Shown {
    pub key: &'static str,
    pub value: String,
    pub origin: String,
}

macro_rules! config {
    ($($(#[doc = $doc:literal])* $key:ident: $type:ty = $default:literal $(, $secret:ident)?;)*) => {
        /// The settings of the process.
        #[derive(Debug, Clone)]
        pub struct Config {
            $($(#[doc = $doc])* pub $key: $type,)*
        }

        /// Every setting there is.
        pub const SETTINGS: &[Setting] = &[$(Setting {
            key: stringify!($key),
            default: $default,
            doc: concat!($($doc),*).trim_ascii(),
            is_secret: config!(@secret $($secret)?),
        }),*];

        impl Config {
            fn collect(given: &Given) -> Result<(Self, Vec<Shown>), ConfigError> {
                let mut shown = Vec::new();
                let config = Self {
                    $($key: given.value(stringify!($key), $default, &mut shown)?,)*
                };
                Ok((config, shown))
            }
        }
    };
    (@secret secret) => { true };
    (@secret) => { false };
}

config! {
    /// Where everything that must be kept is kept. Back this up.
    data: PathBuf = "./data";
    /// Where the site is served. Port 0 picks a free one.
    listen: SocketAddr = "0.0.0.0:8080";
    /// Where health checks are served. Keep it private.
    operator_listen: SocketAddr = "127.0.0.1:8081";
    /// How the site is reached from outside, as in `https://media.example`. Links start with it;
    /// without it they start with whatever address the visitor used.
    public_url: Option<Origin> = "";
    /// Proxies whose `X-Forwarded-*` headers are believed, as networks parted by commas.
    trusted_proxies: Networks = "";
    /// Private networks that uploads by URL may fetch from all the same, parted by commas.
    fetch_allow: Networks = "";
    /// The key that secrets are derived from, as 64 hexadecimal digits, in place of the file
    /// `secret.key` in the data directory.
    secret_key: Option<Secret> = "", secret;
    /// Memory that pictures may take while they are worked on, in MiB.
    image_memory_mb: u64 = "256";
    /// Pictures that are worked on at once; 0 means one per processor.
    image_parallel: u64 = "0";
    /// How long a stopping server waits for requests to finish, in seconds.
    shutdown_grace_s: u64 = "30";
    /// How the log is written: `human`, `json`, or `auto`, which is `human` on a terminal.
    log_format: LogFormat = "auto";
    /// What is logged: `error`, `warn`, `info`, `debug`, `trace`, or a filter such as
    /// `warn,vitrina=debug`.
    log_level: String = "info";
}

/// Values as they were given, by source.
#[derive(Default)]
pub struct Given {
    /// From the command line, by key.
    pub flags: Vec<(String, String)>,
    /// The whole environment.
    pub env: Vec<(String, String)>,
    /// The configuration file: its name, and its text.
    pub file: Option<(PathBuf, String)>,
}

impl Config {
    /// Reads the settings, and says of each where it came from.
    pub fn load(given: &Given) -> Result<(Self, Vec<Shown>), ConfigError> {
        given.refuse_unknown()?;
        Self::collect(given)
    }

    /// How many pictures are worked on at once.
    pub fn image_threads(&self) -> usize {
        match usize::try_from(self.image_parallel) {
            Ok(n) if n > 0 => n,
            _ => std::thread::available_parallelism().map_or(2, usize::from),
        }
    }
}

const PREFIX: &str = "VITRINA_";
/// Names the file, and is therefore not in it.
const CONFIG_VARIABLE: &str = "VITRINA_CONFIG";

impl Given {
    fn refuse_unknown(&self) -> Result<(), ConfigError> {
        let known = |key: &str| SETTINGS.iter().any(|s| s.key == key);
        for (name, _) in &self.env {
            let Some(rest) = name.strip_prefix(PREFIX) else { continue };
            // Kubernetes gives a pod variables for each service; one called `vitrina` gives these.
            let is_link =
                rest == "PORT" || rest.starts_with("PORT_") || rest.starts_with("SERVICE_");
            let key = rest.to_ascii_lowercase();
            if !known(&key) && name != CONFIG_VARIABLE && !is_link {
                return Err(unknown(name, "the environment", &key));
            }
        }
        for key in self.table()?.keys() {
            if !known(key) {
                return Err(unknown(key, &self.file_name(), key));
            }
        }
        Ok(())
    }

    fn value<T: Value>(
        &self,
        key: &'static str,
        default: &str,
        shown: &mut Vec<Shown>,
    ) -> Result<T, ConfigError> {
        let (text, origin) = self.find(key)?.unwrap_or((default.to_owned(), "default".to_owned()));
        let value = T::parse(text.trim());
        let value =
            value.map_err(|reason| ConfigError::Value { key, origin: origin.clone(), reason })?;
        shown.push(Shown { key, value: value.show(), origin });
        Ok(value)
    }

    /// The text of a setting and where it stands, if it was given at all.
    fn find(&self, key: &'static str) -> Result<Option<(String, String)>, ConfigError> {
        if let Some((_, text)) = self.flags.iter().find(|(k, _)| k == key) {
            return Ok(Some((text.clone(), format!("flag --{}", key.replace('_', "-")))));
        }
        let variable = format!("{PREFIX}{}", key.to_ascii_uppercase());
        if let Some((_, text)) = self.env.iter().find(|(name, _)| *name == variable) {
            return Ok(Some((text.clone(), format!("environment {variable}"))));
        }
        let Some(value) = self.table()?.remove(key) else { return Ok(None) };
        let origin = self.file_name();
        match plain_text(value) {
            Some(text) => Ok(Some((text, origin))),
            None => {
                let reason = "must be text, a number, or a list of texts".to_owned();
                Err(ConfigError::Value { key, origin, reason })
            }
        }
    }

    fn table(&self) -> Result<toml::Table, ConfigError> {
        let Some((path, text)) = &self.file else { return Ok(toml::Table::new()) };
        text.parse().map_err(|e| ConfigError::File(format!("{}: {e}", path.display())))
    }

    fn file_name(&self) -> String {
        self.file.as_ref().map_or_else(String::new, |(path, _)| format!("file {}", path.display()))
    }
}

fn unknown(name: &str, origin: &str, key: &str) -> ConfigError {
    let nearest = SETTINGS.iter().map(|s| s.key).find(|k| k.starts_with(key) || key.starts_with(k));
    let hint = nearest.map(|k| format!("; did you mean `{k}`?")).unwrap_or_default();
    ConfigError::Unknown { key: name.to_owned(), origin: origin.to_owned(), hint }
}

/// A value of the file as it would be written in a variable.
fn plain_text(value: toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text),
        toml::Value::Integer(n) => Some(n.to_string()),
        toml::Value::Boolean(b) => Some(b.to_string()),
        toml::Value::Array(items) => {
            let items: Option<Vec<_>> = items.into_iter().map(plain_text).collect();
            items.map(|items| items.join(","))
        }
        _ => None,
    }
}

/// What a setting may be: read from text, shown as text.
trait Value: Sized {
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

/// Every setting at its default, as a file to start from.
pub fn example() -> String {
    let mut text = String::from("# Every setting of Vitrina at its default.\n");
    for setting in SETTINGS {
        let doc = setting.doc.split(' ').fold(String::from("\n#"), |mut doc, word| {
            let line = doc.rsplit('\n').next().map_or(0, str::len);
            if line + word.len() > 98 {
                doc.push_str("\n#");
            }
            doc + " " + word
        });
        let off = if setting.default.is_empty() { "# " } else { "" };
        let value = match setting.default.parse::<u64>() {
            Ok(n) => n.to_string(),
            Err(_) => format!("{:?}", setting.default),
        };
        text += &format!("{doc}\n{off}{} = {value}\n", setting.key);
    }
    text
}

#[cfg(test)]
mod tests;
