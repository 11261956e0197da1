//! Further sites on a test's server: each has a host, and people who speak to it under that host.

use super::{
    Answer, Client, TestServer,
    server::{add_person, files_under, new_token},
};
use reqwest::StatusCode;
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};
use vitrina::{
    accounts::{Role, users},
    base::ids::TenantId,
    tenancy::{
        Record, Tenant, Tenants, audit::By, lifecycle::TenantEdit, limits::Overrides,
        plan::PlanEdit, provision::NewTenant, usage,
    },
};

pub(crate) struct TestTenant {
    pub id: TenantId,
    pub host: String,
    pub tenants: Arc<Tenants>,
    folder: PathBuf,
    base: String,
}

/// Words such as `max_files=10`, `api=off`, as the two JSON objects that they stand for.
fn words(words: &str) -> [Map<String, Value>; 2] {
    Overrides::words(words.split(' '))
}

impl TestServer {
    /// A new site that answers to `host`.
    pub(crate) async fn tenant(&self, id: &str, host: &str) -> TestTenant {
        self.tenant_with(NewTenant {
            id: id.to_owned(),
            hostnames: vec![host.to_owned()],
            ..NewTenant::default()
        })
        .await
    }

    pub(crate) async fn tenant_with(&self, new: NewTenant) -> TestTenant {
        let record = self.running.tenants.create(&By::command_line(), new).await.unwrap();
        self.existing(&record.id, record.canonical().unwrap_or_default())
    }

    /// A site that is there already, under one of its hosts.
    pub(crate) fn existing(&self, id: &str, host: &str) -> TestTenant {
        TestTenant {
            id: TenantId::parse(id).unwrap(),
            host: host.to_owned(),
            tenants: self.running.tenants.clone(),
            folder: self.data().join("tenants").join(id),
            base: self.running.public_url.clone(),
        }
    }

    /// A new plan, from words such as `max_files=10`.
    pub(crate) async fn plan(&self, id: &str, overrides: &str) {
        let [limits, features] = words(overrides);
        let upgrade_url = Some(Some("https://host.example/more".to_owned()));
        let edit = PlanEdit { upgrade_url, limits, features, ..PlanEdit::default() };
        self.running.tenants.create_plan(&By::command_line(), id, edit).await.unwrap();
    }
}

impl TestTenant {
    pub(crate) fn guest(&self) -> Client {
        Client::new(&self.base).with_header("host", &self.host)
    }

    /// A new person with a token for everything that their role may do.
    pub(crate) async fn person(&self, name: &str, role: Role) -> Client {
        self.guest().with_token(&add_person(&*self.open().await, name, role).await)
    }

    pub(crate) async fn admin(&self) -> Client {
        self.person("ana", Role::Admin).await
    }

    /// The admin that [`admin`](Self::admin) made, with another token.
    pub(crate) async fn admin_again(&self) -> Client {
        let tenant = self.open().await;
        let id = users::find(&tenant, "ana").await.unwrap().id;
        self.guest().with_token(&new_token(&tenant, id).await)
    }

    /// Signs in with the password that everybody has; the client sends the cookie and no token.
    pub(crate) async fn sign_in(&self, name: &str) -> Client {
        let body = json!({ "login": name, "password": "correct horse" });
        let answer = self.guest().post("/api/v2/session", body).await.expect(StatusCode::CREATED);
        self.guest()
            .with_header("cookie", &cookie(&answer))
            .with_header("sec-fetch-site", "same-origin")
    }

    pub(crate) async fn open(&self) -> Arc<Tenant> {
        self.tenants.get(&self.id).await.unwrap()
    }

    /// Changes what the site may have, by words such as `max_files=10`, `api=off`.
    pub(crate) async fn allow(&self, overrides: &str) -> Record {
        let [limits, features] = words(overrides);
        self.edit(TenantEdit { limits, features, ..TenantEdit::default() }).await
    }

    pub(crate) async fn edit(&self, edit: TenantEdit) -> Record {
        self.tenants.edit(&By::command_line(), &self.id, edit).await.unwrap()
    }

    pub(crate) async fn usage(&self) -> BTreeMap<String, u64> {
        self.open().await.read(usage::stats).await.unwrap().amounts
    }

    /// Every file of the site's bytes, those on their way in included.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut files = files_under(&self.folder.join("media"));
        files.extend(files_under(&self.folder.join("incoming")));
        files.sort();
        files
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        &self.folder
    }
}

/// The cookie that an answer sets.
fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

/// The path of an absolute address, with its query: the host of a test is in no DNS.
pub(crate) fn path_of(url: &Value) -> String {
    let url = url.as_str().unwrap_or_else(|| panic!("no address: {url}"));
    let after = url.find("://").map_or(0, |at| at + 3);
    url[url[after..].find('/').map_or(url.len(), |at| at + after)..].to_owned()
}
