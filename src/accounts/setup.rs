//! The first admin of a site: made once, by whoever holds the setup link.

use super::{Role, User, sql, users};
use crate::{
    base::{
        Error, Result,
        secret::{Secret, SecretHash},
    },
    db::{Read, Write},
    tenancy::{Allowance, Site, Tenant},
};

/// Whether the site still has no admin.
pub async fn is_needed(tenant: &Tenant) -> Result<bool> {
    tenant.read(|db| Ok(!sql::has_admin(db)?)).await
}

/// A new secret for the setup link, which replaces the one before; `None` once there is an admin.
pub async fn issue_link(tenant: &Tenant) -> Result<Option<Secret>> {
    let secret = Secret::random("")?;
    let hash = secret.hash();
    let issued = tenant.write(move |db| {
        let needed = !sql::has_admin(db)?;
        if needed {
            sql::set_setup(db, &hash)?;
        }
        Ok(needed)
    });
    Ok(issued.await?.then_some(secret))
}

/// The first admin to be, checked, and the secret that they came with.
pub struct FirstAdmin {
    new: users::NewUser,
    /// What came with them; the operator needs none.
    claimed: Option<SecretHash>,
    allowance: Allowance,
}

impl FirstAdmin {
    /// Checks who asks, and what they say of themselves.
    ///
    /// # Errors
    /// Those of [`insert`](Self::insert), asked before the password is hashed.
    pub async fn parse(
        tenant: &Tenant,
        token: &Secret,
        username: &str,
        email: &str,
        password: Secret,
    ) -> Result<Self> {
        let claimed = token.hash();
        tenant.read(move |db| check(db, &claimed)).await?;
        let new = users::NewUser::parse(username, email, password, Role::Admin).await?;
        Ok(Self { new, claimed: Some(token.hash()), allowance: tenant.allowance() })
    }

    /// The first admin as the operator makes them, who needs no setup link.
    ///
    /// # Errors
    /// `Conflict` where there is an admin already.
    pub async fn by_operator(
        tenant: &Tenant,
        username: &str,
        email: &str,
        password: Secret,
    ) -> Result<Self> {
        tenant.read(check_needed).await?;
        let new = users::NewUser::parse(username, email, password, Role::Admin).await?;
        Ok(Self { new, claimed: None, allowance: tenant.allowance() })
    }

    /// Makes the admin. Of any number of calls, one succeeds.
    ///
    /// # Errors
    /// `Conflict` once there is an admin, whatever the token; `Forbidden` for a wrong token.
    pub fn insert(&self, db: &Write<Site>) -> Result<User> {
        match &self.claimed {
            Some(claimed) => check(db, claimed)?,
            None => check_needed(db)?,
        }
        users::insert(db, &self.new, &self.allowance)
    }
}

fn check_needed(db: &Read<Site>) -> Result<()> {
    if sql::has_admin(db)? {
        return Err(Error::Conflict {
            code: "already_set_up",
            reason: "this site has its admin already: sign in instead",
        });
    }
    Ok(())
}

fn check(db: &Read<Site>, claimed: &SecretHash) -> Result<()> {
    check_needed(db)?;
    match sql::setup(db)? {
        Some(hash) if hash == *claimed => Ok(()),
        _ => Err(Error::Forbidden("this setup link is not valid: use the one printed at start")),
    }
}
