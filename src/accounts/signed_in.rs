//! The answer that signs somebody in: who they are, and the cookie that proves it from then on.

use super::{
    User,
    caller::{cookie_name, is_secure},
    session,
};
use crate::{base::secret::Secret, http::Client, tenancy::Tenant};
use poem_openapi::{ApiResponse, Object, payload::Json, types::Example};

/// A person, as they see themselves.
#[derive(Object)]
#[oai(rename = "User", example = true)]
pub(crate) struct UserView {
    username: String,
    email: String,
    /// `user`, `manager` or `admin`.
    role: String,
    created_at: String,
}

impl Example for UserView {
    fn example() -> Self {
        Self {
            username: "ana".to_owned(),
            email: "ana@example.org".to_owned(),
            role: "admin".to_owned(),
            created_at: "2026-01-31T09:30:00.000Z".to_owned(),
        }
    }
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            username: user.username,
            email: user.email,
            role: user.role.as_str().to_owned(),
            created_at: user.created_at.to_rfc3339(),
        }
    }
}

#[derive(Object)]
#[oai(rename = "Session", example = true)]
pub(crate) struct SessionView {
    user: UserView,
}

impl Example for SessionView {
    fn example() -> Self {
        Self { user: UserView::example() }
    }
}

#[derive(ApiResponse)]
pub(crate) enum SignedIn {
    /// Signed in; the cookie proves it from now on.
    #[oai(status = 201)]
    Created(
        Json<SessionView>,
        /// The session cookie.
        #[oai(header = "Set-Cookie")]
        String,
    ),
}

impl SignedIn {
    pub(crate) fn new(tenant: &Tenant, client: &Client, user: User, secret: &Secret) -> Self {
        let cookie = cookie(tenant, client, secret.expose(), session::DAYS * 86_400);
        Self::Created(Json(SessionView { user: user.into() }), cookie)
    }
}

impl From<User> for SessionView {
    fn from(user: User) -> Self {
        Self { user: user.into() }
    }
}

/// The session cookie, good for so many seconds; 0 clears it.
pub(super) fn cookie(tenant: &Tenant, client: &Client, value: &str, max_age_s: i64) -> String {
    let secure = is_secure(tenant, client);
    let flag = if secure { "; Secure" } else { "" };
    let name = cookie_name(secure);
    format!("{name}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{flag}")
}
