//! Every setting of the process: its default, what it is for, and where its value came from.
//!
//! Flags go before the environment, the environment before `vitrina.toml`, that before the
//! default. What a site's admin sets is another thing and lives in `site/settings.rs`.

mod value;

pub use value::{Folders, LogFormat, Networks, Origin};

use crate::base::secret::Secret;
use std::{net::SocketAddr, path::PathBuf};
use value::Value;

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

impl Setting {
    /// Whether naming it on the command line is enough to turn it on.
    pub fn is_switch(&self) -> bool {
        matches!(self.default, "true" | "false")
    }
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
    /// Where health checks, metrics, the operator API and its console are served. Keep it private.
    operator_listen: SocketAddr = "127.0.0.1:8081";
    /// How the site is reached from outside, as in `https://media.example`. Links start with it;
    /// without it they start with whatever address the visitor used.
    public_url: Option<Origin> = "";
    /// Proxies whose `X-Forwarded-*` headers are believed, as networks parted by commas.
    trusted_proxies: Networks = "";
    /// Private networks that uploads by URL may fetch from all the same, parted by commas.
    fetch_allow: Networks = "";
    /// Private networks that storages may be in, such as your own S3 server, parted by commas.
    storage_allow: Networks = "";
    /// Folders that sites may use as storages, such as mounted network drives, parted by commas.
    /// Each site gets a folder of its own in them.
    storage_folders: Folders = "";
    /// The site that answers to hostnames which no site has. Empty: nobody does, and they are
    /// answered with 404.
    default_tenant: String = "main";
    /// How many sites are open at once. Each costs a few files and a megabyte or so.
    open_tenants: u64 = "256";
    /// How long a site that is deleted may be taken back, in days.
    delete_grace_days: u64 = "30";
    /// Limits and features that count for every site, whatever its plan says, parted by commas, as
    /// in `max_upload_bytes=100000000, url_upload=off`.
    enforce: String = "";
    /// Let several processes serve the data directory at once, as for an upgrade without a pause.
    shared: bool = "false";
    /// Redis for what several processes share, as in `redis://user:password@host:6379/0`, with
    /// `rediss://` for TLS.
    redis_url: Option<Secret> = "", secret;
    /// What the keys in Redis start with.
    redis_prefix: String = "vitrina:";
    /// Whether requests to the operator API must be signed.
    require_signature: bool = "false";
    /// What bodies of the inherited tenants API (`/_/api/4`) must be signed with. Empty: nothing.
    request_secret: Option<Secret> = "", secret;
    /// Networks that may read the operator's configuration for proxies without a key, parted by
    /// commas.
    operator_networks: Networks = "127.0.0.0/8,::1/128";
    /// The entry point that Traefik's routers are told to use.
    traefik_entry_point: String = "websecure";
    /// The certificate resolver that Traefik's routers are told to use. Empty: none.
    traefik_resolver: String = "";
    /// Where Traefik finds this server.
    traefik_service: String = "http://127.0.0.1:8080";
    /// Networks that Traefik lets in, parted by commas. Empty: everybody.
    traefik_allow: Networks = "";
    /// The key that secrets are derived from, as 64 hexadecimal digits, in place of the file
    /// `secret.key` in the data directory.
    secret_key: Option<Secret> = "", secret;
    /// Memory that pictures may take while they are worked on, in MiB.
    image_memory_mb: u64 = "256";
    /// Pictures that are worked on at once; 0 means one per processor.
    image_parallel: u64 = "0";
    /// How long one picture may be worked on, in seconds. The process that decodes it is killed
    /// then.
    decode_seconds: u64 = "30";
    /// Memory that the process which decodes one picture may take at most, in MiB. Most need far
    /// less, and get less.
    decode_memory_mb: u64 = "2048";
    /// The program whose command `worker` decodes pictures, as for a wrapper that confines it.
    /// Empty: this program itself.
    decode_program: String = "";
    /// `ffmpeg`, which makes posters, previews and smaller copies of films: its path, `auto` for the
    /// one that is installed, or `off`. Without it films are taken all the same, and handed out as
    /// they are.
    ffmpeg: String = "auto";
    /// How many films `ffmpeg` works on at once.
    ffmpeg_parallel: u64 = "1";
    /// Threads that it may use for one film.
    ffmpeg_threads: u64 = "2";
    /// How long it may work on one film, in minutes. It is killed then.
    ffmpeg_minutes: u64 = "240";
    /// Memory that it may take at most, in MiB.
    ffmpeg_memory_mb: u64 = "2048";
    /// The largest file that it may write, in MiB.
    ffmpeg_output_mb: u64 = "20000";
    /// Jobs that are done at once, besides those that are heavy. While others wait, one site does
    /// two at most. 0: none; they wait for another process.
    jobs_light: u64 = "4";
    /// Heavy jobs, such as those about video, that are done at once. While others wait, one site
    /// does one. 0: none; they wait for another process.
    jobs_heavy: u64 = "1";
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

    /// How many light and how many heavy jobs are done at once. Each keeps a site open, and most
    /// places are for those that have visitors.
    pub fn jobs_at_once(&self) -> (usize, usize) {
        let share = usize::try_from(self.open_tenants / 4).unwrap_or(usize::MAX).max(1);
        let places = |n| usize::try_from(n).unwrap_or(usize::MAX).min(share);
        (places(self.jobs_light), places(self.jobs_heavy))
    }
}

const PREFIX: &str = "VITRINA_";
/// Names the file, and is therefore not in it.
const CONFIG_VARIABLE: &str = "VITRINA_CONFIG";
/// What `vitrina upload` is told: no settings of a server, though the same shell may start one.
const CLIENT_VARIABLES: [&str; 2] = ["VITRINA_SERVER", "VITRINA_TOKEN"];

impl Given {
    fn refuse_unknown(&self) -> Result<(), ConfigError> {
        let known = |key: &str| SETTINGS.iter().any(|s| s.key == key);
        for (name, _) in &self.env {
            let Some(rest) = name.strip_prefix(PREFIX) else { continue };
            // Kubernetes gives a pod variables for each service; one called `vitrina` gives these.
            let is_link =
                rest == "PORT" || rest.starts_with("PORT_") || rest.starts_with("SERVICE_");
            let key = rest.to_ascii_lowercase();
            let is_other = name == CONFIG_VARIABLE || CLIENT_VARIABLES.contains(&&**name);
            if !known(&key) && !is_other && !is_link {
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
        let is_bare = setting.is_switch() || setting.default.parse::<u64>().is_ok();
        let value = match is_bare {
            true => setting.default.to_owned(),
            false => format!("{:?}", setting.default),
        };
        text += &format!("{doc}\n{off}{} = {value}\n", setting.key);
    }
    text
}

#[cfg(test)]
mod tests;
