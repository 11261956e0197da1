//! Who is calling, and what they need to be: a handler states it in its signature, and the same
//! type writes the security entry of the API document.

use super::{Actor, Proof, Role, Scope, User, session, token};
use crate::{
    base::{Error, secret::Secret},
    http::{Client, Problem},
    tenancy::Tenant,
};
use poem::{
    Request, RequestBody,
    http::{HeaderMap, Method, header},
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaSecurityScheme, Registry},
};
use std::{marker::PhantomData, sync::Arc};

/// What a handler needs of its caller: at least this role, and of a token this scope.
pub trait Need: Send + Sync + 'static {
    const ROLE: Role;
    const SCOPE: Scope;
}

macro_rules! needs {
    ($($(#[$doc:meta])* $name:ident = $role:ident, $scope:ident;)*) => {
        $($(#[$doc])* pub struct $name;
        impl Need for $name {
            const ROLE: Role = Role::$role;
            const SCOPE: Scope = Scope::$scope;
        })*
    };
}

needs! {
    /// Looks at media.
    ReadMedia = User, MediaRead;
    /// Adds, changes or removes media.
    WriteMedia = User, MediaWrite;
    /// Looks after everybody's media.
    ManageMedia = Manager, MediaWrite;
    /// Looks at their own account.
    ReadAccount = User, AccountRead;
    /// Changes their own account.
    WriteAccount = User, AccountWrite;
    /// Looks after the site.
    ManageSite = Admin, Admin;
}

/// Somebody who is signed in to the site that the request was addressed to, and may do `N`.
pub struct Caller<N> {
    pub tenant: Arc<Tenant>,
    pub user: User,
    pub actor: Actor,
    pub client: Client,
    need: PhantomData<N>,
}

/// Anybody at all; whoever shows a token needs `N` of it all the same.
pub struct Visitor<N> {
    pub tenant: Arc<Tenant>,
    pub actor: Actor,
    pub client: Client,
    need: PhantomData<N>,
}

/// What the layers around the API found out about a request.
struct Context {
    tenant: Arc<Tenant>,
    client: Client,
}

/// # Errors
/// `NotFound` where the request was addressed to no site.
fn context(req: &Request) -> Result<Context, Error> {
    let tenant = req.data::<Arc<Tenant>>().cloned().ok_or(Error::NotFound("site"))?;
    let client = req.data::<Client>().cloned().ok_or(Error::NotFound("site"))?;
    Ok(Context { tenant, client })
}

/// The name of the session cookie. With TLS the `__Host-` prefix keeps other hosts of the same
/// domain from setting it (RFC 6265bis, 4.1.3.2).
pub fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-vitrina_session" } else { "vitrina_session" }
}

/// Whether cookies to this client travel over TLS.
pub fn is_secure(tenant: &Tenant, client: &Client) -> bool {
    client.scheme == "https" || tenant.origin().is_some_and(|o| o.starts_with("https:"))
}

/// Who sent the request. A token that is wrong is refused; a cookie that is stale is a guest's.
pub async fn identify(
    tenant: &Tenant,
    client: &Client,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Actor, Error> {
    if let Some(secret) = presented_token(headers) {
        return holder(tenant, &secret).await;
    }
    let Some(secret) = presented_cookie(headers, cookie_name(is_secure(tenant, client))) else {
        return Ok(Actor::Guest);
    };
    let Some((id, user)) = session::resume(tenant, &secret).await? else {
        return Ok(Actor::Guest);
    };
    if !method.is_safe() && !is_same_site(headers, client) {
        return Err(Error::CrossSite);
    }
    Ok(Actor::Member(user, Proof::Session(id)))
}

/// Who holds this token.
///
/// # Errors
/// `Unauthenticated` where nobody does; `FeatureOff` and `LimitReached` where the site may not be
/// used with tokens, or not now.
pub async fn holder(tenant: &Tenant, secret: &Secret) -> Result<Actor, Error> {
    let (user, scopes) = token::present(tenant, secret).await?.ok_or(Error::Unauthenticated)?;
    tenant.count_api_request().await?;
    Ok(Actor::Member(user, Proof::Token(scopes)))
}

/// The token in the headers, as `Authorization: Bearer` or as `X-API-Key`.
pub fn presented_token(headers: &HeaderMap) -> Option<Secret> {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    let bearer = authorization.and_then(|v| {
        let (scheme, token) = v.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let key = || headers.get("x-api-key").and_then(|v| v.to_str().ok());
    bearer.or_else(key).map(Secret::new)
}

fn presented_cookie(headers: &HeaderMap, name: &str) -> Option<Secret> {
    let jars = headers.get_all(header::COOKIE).into_iter().filter_map(|v| v.to_str().ok());
    let mut cookies = jars.flat_map(|jar| jar.split(';')).filter_map(|c| c.trim().split_once('='));
    cookies.find(|(n, _)| *n == name).map(|(_, value)| Secret::new(value))
}

/// Whether a browser says that the request comes from a page of this very site. Every browser
/// sends one of the two headers with a write, and no page can forge them.
fn is_same_site(headers: &HeaderMap, client: &Client) -> bool {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    match (text("sec-fetch-site"), text("origin")) {
        (Some("same-origin"), _) => true,
        (Some(_), _) => false,
        (None, Some(origin)) => origin
            .split_once("://")
            .is_some_and(|(_, host)| host.eq_ignore_ascii_case(&client.host)),
        (None, None) => false,
    }
}

/// Whether a person wants this, and no other site's page: for what is read, but has an effect.
pub fn is_asked_for_here(headers: &HeaderMap, client: &Client) -> bool {
    let typed = headers.get("sec-fetch-site").is_some_and(|site| site == "none");
    typed || is_same_site(headers, client)
}

impl<'a, N: Need> ApiExtractor<'a> for Caller<N> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        register_schemes(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        SCHEMES.to_vec()
    }

    async fn from_request(
        req: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let Visitor::<N> { tenant, actor, client, need } = visitor(req).await?;
        let Some(user) = actor.user().cloned() else {
            return Err(Problem::from(Error::Unauthenticated).into());
        };
        if !actor.has_role(N::ROLE) {
            return Err(Problem::from(Error::Forbidden("this needs a higher role")).into());
        }
        Ok(Self { tenant, user, actor, client, need })
    }
}

impl<'a, N: Need> ApiExtractor<'a> for Visitor<N> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        register_schemes(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        SCHEMES.to_vec()
    }

    fn has_security_fallback() -> bool {
        true
    }

    async fn from_request(
        req: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        Ok(visitor(req).await?)
    }
}

/// Reads who is calling out of a request that the tenant layer has seen.
pub async fn visitor<N: Need>(req: &Request) -> Result<Visitor<N>, Problem> {
    let Context { tenant, client } = context(req)?;
    let actor = identify(&tenant, &client, req.method(), req.headers()).await?;
    actor.need_scope(N::SCOPE)?;
    Ok(Visitor { tenant, actor, client, need: PhantomData })
}

const SCHEMES: [&str; 3] = ["token", "api_key", "session"];

fn register_schemes(registry: &mut Registry) {
    let scheme = |ty, description| MetaSecurityScheme {
        ty,
        description: Some(description),
        name: None,
        key_in: None,
        scheme: None,
        bearer_format: None,
        flows: None,
        openid_connect_url: None,
    };
    let token = scheme("http", "A personal API token, as `Authorization: Bearer vk_…`.");
    registry.create_security_scheme(
        SCHEMES[0],
        MetaSecurityScheme { scheme: Some("bearer"), bearer_format: Some("vk_…"), ..token },
    );
    let key = scheme("apiKey", "The same token, for clients that cannot set `Authorization`.");
    registry.create_security_scheme(
        SCHEMES[1],
        MetaSecurityScheme { name: Some("X-API-Key"), key_in: Some("header"), ..key },
    );
    let session = scheme(
        "apiKey",
        "The cookie of a signed-in browser (`__Host-vitrina_session` over TLS). Writes need an \
         `Origin` or `Sec-Fetch-Site` header that names this site.",
    );
    registry.create_security_scheme(
        SCHEMES[2],
        MetaSecurityScheme { name: Some(cookie_name(false)), key_in: Some("cookie"), ..session },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same_site(headers: &[(&'static str, &str)]) -> bool {
        let headers = headers.iter().map(|(name, value)| {
            (poem::http::HeaderName::from_static(name), value.parse().unwrap())
        });
        let client = Client { address: None, scheme: "http", host: "media.example:8080".into() };
        is_same_site(&headers.collect(), &client)
    }

    #[test]
    fn a_write_with_a_cookie_must_say_where_it_comes_from() {
        assert!(same_site(&[("sec-fetch-site", "same-origin")]));
        assert!(same_site(&[("origin", "http://media.example:8080")]));
        assert!(!same_site(&[]));
        assert!(!same_site(&[("sec-fetch-site", "same-site")]));
        assert!(!same_site(&[
            ("sec-fetch-site", "cross-site"),
            ("origin", "http://media.example:8080")
        ]));
        assert!(!same_site(&[("origin", "http://evil.example")]));
        assert!(!same_site(&[("origin", "null")]));
    }
}
