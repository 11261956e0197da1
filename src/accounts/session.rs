//! Signing in, staying signed in, and signing out.

use super::{User, limits::Guess, password, sql};
use crate::{
    base::{
        Clock, Error, Result,
        clock::Millis,
        ids::{SessionId, UserId},
        secret::Secret,
    },
    http::Client,
    tenancy::Tenant,
};
use poem::{Request, http::header};

/// A session ends this long after it was last used.
pub const DAYS: i64 = 30;
/// How much of the time must have passed before a session is renewed: not every request writes.
const RENEW_AFTER_MS: i64 = 6 * 60 * 60 * 1000;

/// Where a session was opened, for its owner to recognise it by.
pub struct Device {
    pub user_agent: Option<String>,
    pub address: Option<String>,
}

impl Device {
    pub fn of(req: &Request, client: &Client) -> Self {
        Self {
            user_agent: req.header(header::USER_AGENT).map(str::to_owned),
            address: client.address.map(|a| a.to_string()),
        }
    }
}

/// Signs in with a username or an e-mail address, and returns the cookie's secret.
///
/// # Errors
/// `WrongCredentials`, the same for an unknown name and a wrong password; `TooMany` after too
/// many of them.
pub async fn sign_in(
    tenant: &Tenant,
    login: &str,
    password: Secret,
    device: Device,
) -> Result<(User, Secret)> {
    let id = prove(tenant, login, password, device.address.as_deref()).await?;
    open(tenant, id, device).await
}

/// Whose name and password these are. Opens no session.
///
/// # Errors
/// Those of [`sign_in`].
pub async fn prove(
    tenant: &Tenant,
    login: &str,
    password: Secret,
    address: Option<&str>,
) -> Result<UserId> {
    let name = login.trim().to_lowercase();
    let guess = Guess::new(&name, address);
    guess.check(tenant).await?;
    let account = tenant.read(move |db| sql::login(db, &name)).await?;
    let (id, hash) = account.map_or((None, None), |(id, hash)| (Some(id), Some(hash)));
    let right = password::verify(password, hash).await?;
    match id {
        Some(id) if right => {
            guess.was_right(tenant).await;
            Ok(id)
        }
        _ => {
            guess.was_wrong(tenant).await;
            Err(Error::WrongCredentials)
        }
    }
}

/// Opens a session for somebody who has proven who they are.
pub async fn open(tenant: &Tenant, id: UserId, device: Device) -> Result<(User, Secret)> {
    let secret = Secret::random("")?;
    let new = sql::NewSession {
        user: id,
        secret: secret.hash(),
        user_agent: device.user_agent.map(|text| text.chars().take(300).collect()),
        address: device.address,
        expires_at: Clock::now().plus_days(DAYS),
    };
    let opened = tenant.write(move |db| {
        sql::insert_session(db, &new)?;
        sql::user(db, id)?.ok_or(Error::NotFound("user"))
    });
    Ok((opened.await?, secret))
}

/// Who is behind a cookie's secret, if anybody still is.
pub async fn resume(tenant: &Tenant, secret: &Secret) -> Result<Option<(SessionId, User)>> {
    let hash = secret.hash();
    let Some((id, last_seen, user)) = tenant.read(move |db| sql::session(db, &hash)).await? else {
        return Ok(None);
    };
    if is_due(last_seen) {
        let until = Clock::now().plus_days(DAYS);
        tenant.write(move |db| sql::renew_session(db, id, until)).await?;
    }
    Ok(Some((id, user)))
}

fn is_due(last_seen: Millis) -> bool {
    last_seen.plus_ms(RENEW_AFTER_MS) < Clock::now()
}

pub async fn sign_out(tenant: &Tenant, id: SessionId) -> Result<()> {
    tenant.write(move |db| sql::delete_session(db, id)).await
}

/// Forgets the sessions and tokens whose time is over.
pub async fn sweep(tenant: &Tenant) -> Result<()> {
    tenant.tidy(sql::sweep).await
}

/// When the next session or token is over.
pub async fn next(tenant: &Tenant) -> Result<Option<Millis>> {
    tenant.read(sql::next_expiry).await
}
