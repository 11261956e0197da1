//! Personal API tokens: `vk_` and 256 random bits, shown once, stored as a hash.

use super::{Actor, Proof, Scope, Token, User, sql};
use crate::{
    base::{
        Clock, Error, Result,
        ids::{PublicId, UserId},
        secret::Secret,
        text::Label,
    },
    tenancy::Tenant,
};

/// `last_used_at` is kept to the minute, so that most requests write nothing.
const TOUCH_AFTER_MS: i64 = 60_000;

/// Makes a token for the actor.
///
/// # Errors
/// `Forbidden` where a token asks for a token that may do more than it may itself.
pub async fn create(
    tenant: &Tenant,
    actor: &Actor,
    name: Label,
    scopes: Vec<Scope>,
    expires_in_ms: Option<i64>,
) -> Result<(Token, Secret)> {
    let Actor::Member(user, proof) = actor else { return Err(Error::Unauthenticated) };
    if let Proof::Token(own) = proof
        && !scopes.iter().all(|scope| own.contains(scope))
    {
        return Err(Error::Forbidden("a token cannot make a token with scopes it lacks"));
    }
    issue(tenant, user.id, name, scopes, expires_in_ms).await
}

/// Makes a token for somebody: for the operator, who needs nobody's leave.
pub async fn issue(
    tenant: &Tenant,
    user: UserId,
    name: Label,
    scopes: Vec<Scope>,
    expires_in_ms: Option<i64>,
) -> Result<(Token, Secret)> {
    if scopes.is_empty() {
        return Err(Error::invalid("scopes", "must have at least one scope"));
    }
    if expires_in_ms.is_some_and(|ms| ms <= 0) {
        return Err(Error::invalid("expires_in", "must be more than nothing"));
    }
    let secret = Secret::random("vk_")?;
    let new = sql::NewToken {
        public_id: PublicId::random()?,
        user,
        name,
        secret: secret.hash(),
        scopes,
        expires_at: expires_in_ms.map(|ms| Clock::now().plus_ms(ms)),
    };
    Ok((tenant.write(move |db| sql::insert_token(db, &new)).await?, secret))
}

/// Who is behind a token, if anybody is.
pub async fn present(tenant: &Tenant, secret: &Secret) -> Result<Option<(User, Vec<Scope>)>> {
    let hash = secret.hash();
    let Some(token) = tenant.read(move |db| sql::token(db, &hash)).await? else {
        return Ok(None);
    };
    if token.last_used_at.is_none_or(|at| at.plus_ms(TOUCH_AFTER_MS) < Clock::now()) {
        tenant.write(move |db| sql::touch_token(db, token.id)).await?;
    }
    Ok(Some((token.user, token.scopes)))
}

/// The actor's own tokens, newest first.
pub async fn list(tenant: &Tenant, actor: &Actor) -> Result<Vec<Token>> {
    let user = actor.user().ok_or(Error::Unauthenticated)?.id;
    tenant.read(move |db| sql::tokens_of(db, user)).await
}

/// Revokes one of the actor's own tokens.
pub async fn revoke(tenant: &Tenant, actor: &Actor, id: &str) -> Result<()> {
    let user = actor.user().ok_or(Error::Unauthenticated)?.id;
    let id = PublicId::parse(id).ok_or(Error::NotFound("token"))?;
    let removed = tenant.write(move |db| sql::delete_token(db, user, &id)).await?;
    if removed { Ok(()) } else { Err(Error::NotFound("token")) }
}
