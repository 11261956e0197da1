//! Adding people, and finding them.

use super::{Role, User, password, sql};
use crate::{
    base::{
        Error, Result,
        secret::Secret,
        text::{Email, Username},
    },
    db::{Read, Write},
    tenancy::{Allowance, Site, Tenant, limits::Limit},
};

/// A person to be added, every part of it checked.
pub struct NewUser {
    pub username: Username,
    pub email: Email,
    pub password_hash: String,
    pub role: Role,
}

impl NewUser {
    /// Checks the parts and hashes the password.
    pub async fn parse(username: &str, email: &str, secret: Secret, role: Role) -> Result<Self> {
        let (username, email) = (Username::parse(username)?, Email::parse(email)?);
        password::check(&secret)?;
        Ok(Self { username, email, password_hash: password::hash(secret).await?, role })
    }
}

/// Adds a person. For the operator, who needs nobody's leave; the first admin closes the setup.
///
/// # Errors
/// `Conflict` where the name or the address is taken; `LimitReached`.
pub async fn create(tenant: &Tenant, new: NewUser) -> Result<User> {
    let allowance = tenant.allowance();
    tenant.write(move |db| insert(db, &new, &allowance)).await
}

pub(super) fn insert(db: &Write<Site>, new: &NewUser, allowance: &Allowance) -> Result<User> {
    allowance.check_in(db, Limit::MaxUsers, 1)?;
    match new.role {
        Role::Admin => allowance.check_in(db, Limit::MaxAdmins, 1)?,
        Role::Manager => allowance.check_in(db, Limit::MaxManagers, 1)?,
        Role::User => {}
    }
    if sql::username_taken(db, &new.username)? {
        return Err(Error::Conflict { code: "username_taken", reason: "the username is taken" });
    }
    if sql::email_taken(db, &new.email)? {
        return Err(Error::Conflict { code: "email_taken", reason: "the e-mail address is taken" });
    }
    let id = sql::insert_user(db, &new.username, &new.email, &new.password_hash, new.role)?;
    if new.role == Role::Admin {
        sql::clear_setup(db)?;
    }
    sql::user(db, id)?.ok_or(Error::NotFound("user"))
}

/// # Errors
/// `NotFound` where nobody has this name.
pub async fn find(tenant: &Tenant, username: &str) -> Result<User> {
    let name = username.trim().to_lowercase();
    tenant.read(move |db| find_in(db, &name)).await
}

pub fn find_in(db: &Read<Site>, username: &str) -> Result<User> {
    sql::user_named(db, username)?.ok_or(Error::NotFound("user"))
}

/// Gives somebody a new password and ends all their sessions. For the operator.
///
/// # Errors
/// `NotFound` where nobody has this name; `Invalid` for a password that is none.
pub async fn reset_password(tenant: &Tenant, username: &str, secret: Secret) -> Result<User> {
    let user = find(tenant, username).await?;
    password::check(&secret)?;
    let (id, hash) = (user.id, password::hash(secret).await?);
    tenant.write(move |db| sql::set_password(db, id, &hash)).await?;
    Ok(user)
}
