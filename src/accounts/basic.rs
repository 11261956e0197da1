//! Who is calling, for programs that know nothing but a name and a password (RFC 7617).
//!
//! These are file managers and the like. The password is an API token, and never that of the account, which such
//! programs would keep and send with every request.

use super::{Actor, Proof, limits::Guess, token};
use crate::{
    base::{Error, Result, secret::Secret},
    http::Client,
    tenancy::Tenant,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use poem::http::{HeaderMap, header};

/// Longer ones are not looked at.
const LONGEST: usize = 1024;

/// The caller, by name and token. A cookie is no proof here: a page of somebody else's could use
/// it.
///
/// # Errors
/// `Unauthenticated` without a name and a token; `WrongCredentials` where they do not belong
/// together; `TooMany` after too many of those.
pub async fn identify(tenant: &Tenant, client: &Client, headers: &HeaderMap) -> Result<Actor> {
    let (name, secret) = presented(headers).ok_or(Error::Unauthenticated)?;
    let address = client.address.map(|address| address.to_string());
    // Counted apart from passwords: a program with an old token keeps nobody from signing in.
    let guess = Guess::new(&format!("token of {name}"), address.as_deref());
    let found = token::present(tenant, &secret).await?;
    let named = found.filter(|(user, _)| [&user.username, &user.email].contains(&&name));
    // Tokens cannot be guessed, so whoever has one never waits for those who have none.
    let Some((user, scopes)) = named else {
        guess.check(tenant).await?;
        guess.was_wrong(tenant).await;
        return Err(Error::WrongCredentials);
    };
    tenant.count_api_request().await?;
    Ok(Actor::Member(user, Proof::Token(scopes)))
}

fn presented(headers: &HeaderMap) -> Option<(String, Secret)> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok().filter(|t| t.len() <= LONGEST)?;
    let (scheme, pair) = text.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(pair.trim()).ok()?).ok()?;
    let (name, token) = pair.split_once(':')?;
    Some((name.trim().to_lowercase(), Secret::new(token)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Option<(String, String)> {
        let headers = [(header::AUTHORIZATION, value.parse().unwrap())].into_iter().collect();
        presented(&headers).map(|(name, token)| (name, token.expose().to_owned()))
    }

    #[test]
    fn a_name_and_a_token_are_read_and_nothing_else() {
        let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        let ana = Some(("ana".to_owned(), "vk_a:b".to_owned()));
        assert_eq!(read(&basic("Ana:vk_a:b")), ana);
        assert_eq!(read(&basic("ana:vk_a:b").replace("Basic", "bASIC")), ana);
        for odd in ["Basic", "Basic ", "Basic ???", "Bearer vk_a", &basic("ana"), &basic("")] {
            assert_eq!(read(odd), None, "{odd}");
        }
        assert_eq!(read(&basic(&format!("ana:{}", "x".repeat(2_000)))), None);
        assert_eq!(presented(&HeaderMap::new()).map(|(name, _)| name), None);
    }
}
