//! The real appliance on a temporary directory and a free port; each test has its own.

use super::Client;
use std::path::{Path, PathBuf};
use vitrina::{
    accounts::{Role, Scope, token, users},
    base::{
        ids::{PublicId, TenantId, UserId},
        secret::Secret,
        text::Label,
    },
    config::{Config, Given},
    operator::keys,
    server::Running,
    tenancy::{Tenant, audit::By},
};

pub(crate) struct TestServer {
    pub running: Running,
    pub config: Config,
    dir: tempfile::TempDir,
}

/// Settings for a test: free ports, and a data directory of its own.
pub(crate) fn config(data: &Path, more: &[(&str, &str)]) -> Config {
    let data = data.display().to_string();
    let given = [
        ("data", &*data),
        ("listen", "127.0.0.1:0"),
        ("operator_listen", "127.0.0.1:0"),
        ("shutdown_grace_s", "1"),
        ("decode_program", env!("CARGO_BIN_EXE_vitrina")),
    ];
    let flags = more.iter().chain(&given).map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    Config::load(&Given { flags: flags.collect(), ..Given::default() }).unwrap().0
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// A server with some settings of the process changed.
    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = config(&dir.path().join("data"), settings);
        Self { running: Running::start(&config).await.unwrap(), config, dir }
    }

    /// A server with a setting that is no flag.
    pub(crate) async fn with_secret(key: &str, value: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = config(&dir.path().join("data"), &[]);
        match key {
            "redis_url" => config.redis_url = Some(Secret::new(value)),
            "request_secret" => config.request_secret = Some(Secret::new(value)),
            _ => panic!("{key} is no secret setting"),
        }
        Self { running: Running::start(&config).await.unwrap(), config, dir }
    }

    /// Stops the server and starts it again on the same data.
    pub(crate) async fn restart(self) -> Self {
        self.restart_after(|_| ()).await
    }

    /// Does something to the data directory while the server is stopped.
    pub(crate) async fn restart_after(self, meanwhile: impl FnOnce(&Path)) -> Self {
        let Self { running, config, dir } = self;
        running.stop().await.unwrap();
        meanwhile(&dir.path().join("data"));
        Self { running: Running::start(&config).await.unwrap(), config, dir }
    }

    pub(crate) fn guest(&self) -> Client {
        Client::new(&self.running.public_url)
    }

    pub(crate) fn operator(&self) -> Client {
        Client::new(&self.running.operator_url)
    }

    /// A new person with a token for everything that their role may do.
    pub(crate) async fn person(&self, name: &str, role: Role) -> Client {
        let tenant = self.running.tenants.get(&TenantId::main()).await.unwrap();
        self.guest().with_token(&add_person(&tenant, name, role).await)
    }

    /// Somebody with a new operator key for these scopes; for all of them, where none is named.
    pub(crate) async fn operator_key(&self, scopes: &[&str]) -> Client {
        let scopes = match scopes {
            [] => keys::Scope::ALL.to_vec(),
            words => words.iter().map(|word| keys::Scope::parse(word).unwrap()).collect(),
        };
        let name = PublicId::random().unwrap().to_string();
        let new = keys::NewKey { name, scopes, ..keys::NewKey::default() };
        let made = keys::create(&self.running.tenants, &By::command_line(), new).await;
        self.operator().with_token(made.unwrap().1.expose())
    }

    /// Somebody who asks for the site of this name.
    pub(crate) fn visitor(&self, host: &str) -> Client {
        self.guest().with_header("host", host)
    }

    pub(crate) async fn admin(&self) -> Client {
        self.person("ana", Role::Admin).await
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// How many files lie about that are not (yet) an item's.
    pub(crate) fn leftovers(&self) -> usize {
        files_under(&self.data().join("tenants/main/incoming")).len()
    }

    /// Has housekeeping come by the main site at once.
    pub(crate) async fn look_after_now(&self) {
        let running = &self.running;
        running.tenants.visit_soon(&TenantId::main()).await.unwrap();
        vitrina::worker::visit_due(&running.tenants).await.unwrap();
    }

    /// What could not be removed is to be tried again at once.
    pub(crate) fn make_removals_due(&self) {
        let file = self.data().join("tenants/main/site.sqlite");
        database(&file).execute("UPDATE removals SET next_at = 0", []).unwrap();
    }

    /// How many originals with this ending lie in the site's own folder.
    pub(crate) fn stored_originals(&self, ending: &str) -> usize {
        let files = files_under(&self.data().join("tenants/main/media"));
        let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
        let is_original = |name: &String| name.matches('.').count() == 1 && name.ends_with(ending);
        files.iter().map(name).filter(is_original).count()
    }

    /// How many files the items have.
    pub(crate) fn stored_files(&self) -> usize {
        files_under(&self.data().join("tenants/main/media")).len()
    }
}

/// Adds a person with a password, and a token for everything that their role may do.
pub(super) async fn add_person(tenant: &Tenant, name: &str, role: Role) -> String {
    let email = format!("{name}@example.org");
    let new = users::NewUser::parse(name, &email, Secret::new("correct horse"), role);
    let user = users::create(tenant, new.await.unwrap()).await.unwrap();
    new_token(tenant, user.id).await
}

pub(super) async fn new_token(tenant: &Tenant, user: UserId) -> String {
    let label = Label::parse("name", "test").unwrap();
    let issued = token::issue(tenant, user, label, Scope::ALL.to_vec(), None).await;
    issued.unwrap().1.expose().to_owned()
}

/// A database file as it lies there, past everything that the product does with it.
#[expect(clippy::disallowed_methods, reason = "a test may look behind the product's back")]
pub(crate) fn database(file: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(file).unwrap()
}

pub(crate) fn files_under(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(path) else { return Vec::new() };
    let paths = entries.filter_map(|e| Some(e.ok()?.path()));
    paths.flat_map(|p| if p.is_dir() { files_under(&p) } else { vec![p] }).collect()
}
