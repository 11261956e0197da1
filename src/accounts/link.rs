//! Links that sign somebody in, once and for a short while: made by the operator, to help.

use super::{
    User,
    session::{self, Device},
    sql, users,
};
use crate::{
    base::{Clock, Error, Result, clock::Millis, secret::Secret},
    tenancy::Tenant,
};

/// Long enough to hand it over, short enough to be forgotten.
const GOOD_FOR_MS: i64 = 5 * 60_000;

/// A new link's secret: whom it signs in, and until when.
pub struct LoginLink {
    pub secret: Secret,
    pub user: User,
    pub expires_at: Millis,
}

/// Makes a link for somebody: for the first admin, where nobody is named.
///
/// # Errors
/// `NotFound` where there is no such person.
pub async fn issue(tenant: &Tenant, username: Option<&str>) -> Result<LoginLink> {
    let user = match username {
        Some(name) => users::find(tenant, name).await?,
        None => tenant.read(sql::first_admin).await?.ok_or(Error::NotFound("user"))?,
    };
    let secret = Secret::random("")?;
    let expires_at = Clock::now().plus_ms(GOOD_FOR_MS);
    let (id, hash) = (user.id, secret.hash());
    tenant.write(move |db| sql::insert_link(db, id, &hash, expires_at)).await?;
    Ok(LoginLink { secret, user, expires_at })
}

/// Signs in whoever the link is for, and returns the cookie's secret.
///
/// # Errors
/// `Forbidden` for a link that was used, is over, or never was.
pub async fn redeem(tenant: &Tenant, secret: &Secret, device: Device) -> Result<(User, Secret)> {
    let hash = secret.hash();
    let taken = tenant.write(move |db| sql::take_link(db, &hash)).await?;
    let id = taken.ok_or(Error::Forbidden("this link is not good any more: ask for a new one"))?;
    session::open(tenant, id, device).await
}
