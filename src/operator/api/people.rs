//! Helping the people of a tenant in: its first admin, a new password, links that open the door.

use super::{Tag, tenant_id};
use crate::{
    accounts::{User, link, setup, users},
    base::{Error, secret::Secret},
    http::{Problem, json::JsonBody},
    operator::caller::{Operator, Support, TenantsWrite},
    site,
    tenancy::{Tenant, Tenants},
};
use poem_openapi::{ApiResponse, Object, OpenApi, param::Path, payload::Json, types::Example};
use serde_json::json;

/// How long a password is that is made up here: 16 of 58 characters, 93 bits.
const MADE_UP: usize = 16;

pub(super) struct PeopleApi;

#[OpenApi(tag = "Tag::People")]
impl PeopleApi {
    /// Create the first admin
    #[oai(path = "/tenants/:id/install", method = "post", operation_id = "create_first_admin")]
    async fn create_first_admin(
        &self,
        operator: Operator<TenantsWrite>,
        /// The tenant's id.
        id: Path<String>,
        body: JsonBody<InstallRequest>,
    ) -> Result<Installed, Problem> {
        let InstallRequest { username, email, password, site_name } = body.0;
        let tenant = operator.tenants.get(&tenant_id(&id)?).await?;
        let password = Secret::new(password);
        let admin = setup::FirstAdmin::by_operator(&tenant, &username, &email, password).await?;
        let user = site::setup::complete(&tenant, admin, site_name).await?;
        note(&operator, "tenant.install", &tenant, &user.username).await?;
        Ok(Installed::Created(Json(user.into())))
    }

    /// Make a setup link
    ///
    /// Whoever opens it becomes the first admin. It replaces the one before.
    #[oai(path = "/tenants/:id/setup-link", method = "post", operation_id = "create_setup_link")]
    async fn create_setup_link(
        &self,
        operator: Operator<Support>,
        /// The tenant's id.
        id: Path<String>,
    ) -> Result<SetupLinkMade, Problem> {
        let tenants = &operator.tenants;
        let tenant = tenants.get(&tenant_id(&id)?).await?;
        let url = setup_link(tenants, &tenant).await?.ok_or(Error::Conflict {
            code: "already_set_up",
            reason: "this site has its admin already: make a login link instead",
        })?;
        let id = Some(tenant.id.as_str());
        tenants.note(&operator.by, "tenant.setup_link", id, json!({})).await?;
        Ok(SetupLinkMade::Created(Json(SetupLink { url })))
    }

    /// Give somebody a new password
    ///
    /// Ends all their sessions. Without a `password` one is made up, and told this once.
    #[oai(path = "/tenants/:id/password-reset", method = "post", operation_id = "reset_password")]
    async fn reset_password(
        &self,
        operator: Operator<Support>,
        /// The tenant's id.
        id: Path<String>,
        body: JsonBody<PasswordRequest>,
    ) -> Result<Json<PasswordView>, Problem> {
        let PasswordRequest { username, password } = body.0;
        let tenant = operator.tenants.get(&tenant_id(&id)?).await?;
        let (secret, made_up) = match password {
            Some(password) => (password, None),
            None => {
                let text: String = Secret::random("")?.expose().chars().take(MADE_UP).collect();
                (text.clone(), Some(text))
            }
        };
        let user = users::reset_password(&tenant, &username, Secret::new(secret)).await?;
        note(&operator, "tenant.password_reset", &tenant, &user.username).await?;
        Ok(Json(PasswordView { username: user.username.to_string(), password: made_up }))
    }

    /// Make a login link
    ///
    /// Signs in whoever opens it, once and for a few minutes: the first admin, where nobody is
    /// named.
    #[oai(path = "/tenants/:id/login-link", method = "post", operation_id = "create_login_link")]
    async fn create_login_link(
        &self,
        operator: Operator<Support>,
        /// The tenant's id.
        id: Path<String>,
        body: JsonBody<LinkRequest>,
    ) -> Result<LoginLinkMade, Problem> {
        let tenants = &operator.tenants;
        let tenant = tenants.get(&tenant_id(&id)?).await?;
        let origin = origin(tenants, &tenant)?;
        let made = link::issue(&tenant, body.0.username.as_deref()).await?;
        note(&operator, "tenant.login_link", &tenant, &made.user.username).await?;
        Ok(LoginLinkMade::Created(Json(LoginLink {
            url: format!("{origin}/sign-in/link?token={}", made.secret.expose()),
            username: made.user.username.to_string(),
            expires_at: made.expires_at.to_rfc3339(),
        })))
    }
}

async fn note<N>(
    operator: &Operator<N>,
    action: &'static str,
    tenant: &Tenant,
    username: impl std::fmt::Display,
) -> Result<(), Error> {
    let detail = json!({ "username": username.to_string() });
    operator.tenants.note(&operator.by, action, Some(tenant.id.as_str()), detail).await
}

/// Where the tenant is found by people.
fn origin(tenants: &Tenants, tenant: &Tenant) -> Result<String, Error> {
    let is_default = tenants.default_tenant() == Some(&tenant.id);
    let local = || is_default.then(|| format!("http://localhost:{}", tenants.port()));
    tenant.origin().or_else(local).ok_or(Error::Conflict {
        code: "no_hostname",
        reason: "no hostname leads to this tenant: add one first",
    })
}

/// A new setup link, which replaces the one before; `None` once there is an admin.
pub(super) async fn setup_link(
    tenants: &Tenants,
    tenant: &Tenant,
) -> Result<Option<String>, Error> {
    let origin = origin(tenants, tenant)?;
    let secret = setup::issue_link(tenant).await?;
    Ok(secret.map(|secret| format!("{origin}/setup?token={}", secret.expose())))
}

#[derive(Object)]
#[oai(example = true)]
struct InstallRequest {
    username: String,
    email: String,
    password: String,
    site_name: Option<String>,
}

impl Example for InstallRequest {
    fn example() -> Self {
        Self {
            username: "alice".to_owned(),
            email: "alice@example.org".to_owned(),
            password: "correct horse battery".to_owned(),
            site_name: Some("Alice’s pictures".to_owned()),
        }
    }
}

/// Somebody with an account.
#[derive(Object)]
#[oai(example = true)]
struct Person {
    username: String,
    email: String,
    role: String,
    created_at: String,
}

impl From<User> for Person {
    fn from(user: User) -> Self {
        Self {
            username: user.username.to_string(),
            email: user.email.to_string(),
            role: user.role.as_str().to_owned(),
            created_at: user.created_at.to_rfc3339(),
        }
    }
}

impl Example for Person {
    fn example() -> Self {
        Self {
            username: "alice".to_owned(),
            email: "alice@example.org".to_owned(),
            role: "admin".to_owned(),
            created_at: "2026-01-31T09:30:00.000Z".to_owned(),
        }
    }
}

#[derive(ApiResponse)]
enum Installed {
    /// The site has its first admin.
    #[oai(status = 201)]
    Created(Json<Person>),
}

#[derive(Object)]
#[oai(example = true)]
struct PasswordRequest {
    username: String,
    /// Made up where it is absent.
    password: Option<String>,
}

impl Example for PasswordRequest {
    fn example() -> Self {
        Self { username: "alice".to_owned(), password: None }
    }
}

#[derive(Object)]
#[oai(skip_serializing_if_is_none, example = true)]
struct PasswordView {
    username: String,
    /// Only where it was made up.
    password: Option<String>,
}

impl Example for PasswordView {
    fn example() -> Self {
        Self { username: "alice".to_owned(), password: Some("8fKq2ZtP9xBs8YsM".to_owned()) }
    }
}

#[derive(Object)]
#[oai(example = true)]
struct LinkRequest {
    /// The first admin, without it.
    username: Option<String>,
}

impl Example for LinkRequest {
    fn example() -> Self {
        Self { username: Some("alice".to_owned()) }
    }
}

/// A link that signs somebody in, once.
#[derive(Object)]
#[oai(example = true)]
struct LoginLink {
    url: String,
    username: String,
    expires_at: String,
}

impl Example for LoginLink {
    fn example() -> Self {
        Self {
            url: "https://alice.example/sign-in/link?token=4Zk…".to_owned(),
            username: "alice".to_owned(),
            expires_at: "2026-01-31T09:35:00.000Z".to_owned(),
        }
    }
}

#[derive(ApiResponse)]
enum LoginLinkMade {
    /// The link is made.
    #[oai(status = 201)]
    Created(Json<LoginLink>),
}

/// A link that makes whoever opens it the first admin.
#[derive(Object)]
#[oai(example = true)]
struct SetupLink {
    url: String,
}

impl Example for SetupLink {
    fn example() -> Self {
        Self { url: "https://alice.example/setup?token=4Zk…".to_owned() }
    }
}

#[derive(ApiResponse)]
enum SetupLinkMade {
    /// The link is made.
    #[oai(status = 201)]
    Created(Json<SetupLink>),
}
