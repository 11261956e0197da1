//! People: who they are, how they prove it, and who may do what.

pub mod api;
pub mod basic;
pub mod caller;
pub mod limits;
pub mod link;
pub mod password;
pub mod session;
pub mod setup;
pub mod signed_in;
mod sql;
pub mod token;
pub mod users;

pub use caller::{Caller, Visitor};

use crate::base::{
    Error, Result,
    clock::Millis,
    ids::{PublicId, SessionId, UserId},
};

/// A person with an account.
#[derive(Debug, Clone)]
pub struct User {
    pub id: UserId,
    pub username: String,
    pub email: String,
    pub role: Role,
    pub created_at: Millis,
}

/// What a person may do on the whole site. Each role may do all that the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    User,
    /// Looks after everybody's media.
    Manager,
    /// Looks after everything.
    Admin,
}

impl Role {
    pub fn parse(text: &str) -> Result<Self> {
        match text {
            "user" => Ok(Self::User),
            "manager" => Ok(Self::Manager),
            "admin" => Ok(Self::Admin),
            _ => Err(Error::invalid("role", "must be user, manager or admin")),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Manager => "manager",
            Self::Admin => "admin",
        }
    }
}

/// What a token may be used for. A session may do all that its person may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    MediaRead,
    MediaWrite,
    AccountRead,
    AccountWrite,
    /// Whatever an admin's role allows beyond the other scopes.
    Admin,
}

impl Scope {
    pub const ALL: [Self; 5] =
        [Self::MediaRead, Self::MediaWrite, Self::AccountRead, Self::AccountWrite, Self::Admin];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::MediaRead => "media:read",
            Self::MediaWrite => "media:write",
            Self::AccountRead => "account:read",
            Self::AccountWrite => "account:write",
            Self::Admin => "admin",
        }
    }

    pub fn parse(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or_else(|| {
            let all = Self::ALL.map(Self::as_str).join(", ");
            Error::invalid("scopes", format!("has the unknown scope `{text}`; there are {all}"))
        })
    }
}

/// What is known of a token after it was shown.
#[derive(Debug, Clone)]
pub struct Token {
    pub id: PublicId,
    pub name: String,
    pub scopes: Vec<Scope>,
    pub created_at: Millis,
    pub last_used_at: Option<Millis>,
    pub expires_at: Option<Millis>,
}

/// How the caller proved who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    Session(SessionId),
    Token(Vec<Scope>),
}

/// Who does something. Rules ask it; nothing is allowed that it does not grant.
#[derive(Debug, Clone)]
pub enum Actor {
    /// Nobody in particular.
    Guest,
    Member(User, Proof),
}

impl Actor {
    pub fn user(&self) -> Option<&User> {
        match self {
            Self::Guest => None,
            Self::Member(user, _) => Some(user),
        }
    }

    pub fn is(&self, id: UserId) -> bool {
        self.user().is_some_and(|user| user.id == id)
    }

    /// Whether the actor has at least this role.
    pub fn has_role(&self, role: Role) -> bool {
        self.user().is_some_and(|user| user.role >= role)
    }

    /// # Errors
    /// `MissingScope` where the actor came with a token that was not made for this.
    pub fn need_scope(&self, scope: Scope) -> Result<()> {
        match self {
            Self::Member(_, Proof::Token(scopes)) if !scopes.contains(&scope) => {
                Err(Error::MissingScope(scope.as_str()))
            }
            _ => Ok(()),
        }
    }
}
