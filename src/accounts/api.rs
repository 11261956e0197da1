//! `/session` and `/tokens` over HTTP: parse, call, shape. No rule lives here.

use super::{
    Actor, Caller, Proof, Scope, Token, Visitor,
    caller::{ReadAccount, WriteAccount},
    link,
    session::{self, Device},
    signed_in::{SessionView, SignedIn, cookie},
    token,
};
use crate::{
    base::{Error, secret::Secret, text::Label},
    http::{Problem, json::JsonBody},
};
use poem::Request;
use poem_openapi::{
    ApiResponse, Object, OpenApi, Tags, param::Path, payload::Json, types::Example,
};

pub struct AccountsApi;

#[derive(Tags)]
enum Tag {
    /// Signing in, and the tokens that programs sign in with.
    Accounts,
}

#[OpenApi(tag = "Tag::Accounts")]
impl AccountsApi {
    /// Sign in
    ///
    /// Opens a session and sets its cookie. Programs use a token instead.
    #[oai(path = "/session", method = "post", operation_id = "create_session")]
    async fn sign_in(
        &self,
        req: &Request,
        visitor: Visitor<ReadAccount>,
        body: JsonBody<SignInRequest>,
    ) -> Result<SignedIn, Problem> {
        let JsonBody(SignInRequest { login, password }) = body;
        let device = Device::of(req, &visitor.client);
        let password = Secret::new(password);
        let (user, secret) = session::sign_in(&visitor.tenant, &login, password, device).await?;
        Ok(SignedIn::new(&visitor.tenant, &visitor.client, user, &secret))
    }

    /// Sign in with a link
    ///
    /// Opens a session for whoever the link was made for. It works once, and for a few minutes.
    #[oai(path = "/session/link", method = "post", operation_id = "create_session_with_link")]
    async fn sign_in_with_link(
        &self,
        req: &Request,
        visitor: Visitor<ReadAccount>,
        body: JsonBody<LinkRequest>,
    ) -> Result<SignedIn, Problem> {
        let device = Device::of(req, &visitor.client);
        let token = Secret::new(body.0.token);
        let (user, secret) = link::redeem(&visitor.tenant, &token, device).await?;
        Ok(SignedIn::new(&visitor.tenant, &visitor.client, user, &secret))
    }

    /// Get the signed-in user
    #[oai(path = "/session", method = "get", operation_id = "get_session")]
    async fn get_session(&self, caller: Caller<ReadAccount>) -> Result<Json<SessionView>, Problem> {
        Ok(Json(caller.user.into()))
    }

    /// Sign out
    ///
    /// Ends the session and clears its cookie. A token is not a session: revoke it instead.
    #[oai(path = "/session", method = "delete", operation_id = "delete_session")]
    async fn sign_out(&self, caller: Caller<WriteAccount>) -> Result<SignedOut, Problem> {
        let Actor::Member(_, Proof::Session(id)) = caller.actor else {
            return Err(Error::Forbidden("a token has no session to end").into());
        };
        session::sign_out(&caller.tenant, id).await?;
        Ok(SignedOut::Done(cookie(&caller.tenant, &caller.client, "", 0)))
    }

    /// List your API tokens
    #[oai(path = "/tokens", method = "get", operation_id = "list_tokens")]
    async fn list_tokens(&self, caller: Caller<ReadAccount>) -> Result<Json<TokenList>, Problem> {
        let tokens = token::list(&caller.tenant, &caller.actor).await?;
        Ok(Json(TokenList { items: tokens.into_iter().map(TokenView::from).collect() }))
    }

    /// Create an API token
    ///
    /// The answer holds the token itself, this once.
    #[oai(path = "/tokens", method = "post", operation_id = "create_token")]
    async fn create_token(
        &self,
        caller: Caller<WriteAccount>,
        body: JsonBody<TokenRequest>,
    ) -> Result<TokenCreated, Problem> {
        let name = Label::parse("name", &body.0.name)?;
        let scopes = body.0.scopes.iter().map(|s| Scope::parse(s)).collect::<Result<_, _>>()?;
        let made = token::create(&caller.tenant, &caller.actor, name, scopes, body.0.expires_in);
        let (token, secret) = made.await?;
        let secret = Some(secret.expose().to_owned());
        Ok(TokenCreated::Created(Json(TokenView { token: secret, ..token.into() })))
    }

    /// Revoke an API token
    #[oai(path = "/tokens/:id", method = "delete", operation_id = "delete_token")]
    async fn delete_token(
        &self,
        caller: Caller<WriteAccount>,
        /// The token's id.
        id: Path<String>,
    ) -> Result<TokenDeleted, Problem> {
        token::revoke(&caller.tenant, &caller.actor, &id).await?;
        Ok(TokenDeleted::Done)
    }
}

#[derive(Object)]
#[oai(example = true)]
struct SignInRequest {
    /// The username or the e-mail address.
    login: String,
    password: String,
}

impl Example for SignInRequest {
    fn example() -> Self {
        Self { login: "ana".to_owned(), password: "correct horse battery".to_owned() }
    }
}

#[derive(Object)]
#[oai(example = true)]
struct LinkRequest {
    /// The secret in the link.
    token: String,
}

impl Example for LinkRequest {
    fn example() -> Self {
        Self { token: "4Zk…".to_owned() }
    }
}

#[derive(ApiResponse)]
enum SignedOut {
    /// Signed out.
    #[oai(status = 204)]
    Done(
        /// Clears the session cookie.
        #[oai(header = "Set-Cookie")]
        String,
    ),
}

/// What a program signs in with.
#[derive(Object)]
#[oai(rename = "Token", skip_serializing_if_is_none, example = true)]
struct TokenView {
    id: String,
    name: String,
    scopes: Vec<String>,
    created_at: String,
    /// To the minute.
    last_used_at: Option<String>,
    expires_at: Option<String>,
    /// The token itself. Only in the answer that creates it.
    #[oai(read_only)]
    token: Option<String>,
}

impl Example for TokenView {
    fn example() -> Self {
        Self {
            id: "8fKq2ZtP9x".to_owned(),
            name: "laptop".to_owned(),
            scopes: vec!["media:read".to_owned(), "media:write".to_owned()],
            created_at: "2026-01-31T09:30:00.000Z".to_owned(),
            last_used_at: None,
            expires_at: None,
            token: None,
        }
    }
}

impl From<Token> for TokenView {
    fn from(token: Token) -> Self {
        Self {
            id: token.id.to_string(),
            name: token.name,
            scopes: token.scopes.iter().map(|s| s.as_str().to_owned()).collect(),
            created_at: token.created_at.to_rfc3339(),
            last_used_at: token.last_used_at.map(|at| at.to_rfc3339()),
            expires_at: token.expires_at.map(|at| at.to_rfc3339()),
            token: None,
        }
    }
}

#[derive(Object)]
#[oai(example = true)]
struct TokenList {
    items: Vec<TokenView>,
}

impl Example for TokenList {
    fn example() -> Self {
        Self { items: vec![TokenView::example()] }
    }
}

#[derive(Object)]
#[oai(example = true)]
struct TokenRequest {
    /// What the token is for, in up to 100 characters.
    name: String,
    /// `media:read`, `media:write`, `account:read`, `account:write`, `admin`.
    scopes: Vec<String>,
    /// How long it is good for, in milliseconds. Without it the token does not expire.
    expires_in: Option<i64>,
}

impl Example for TokenRequest {
    fn example() -> Self {
        Self {
            name: "laptop".to_owned(),
            scopes: vec!["media:read".to_owned(), "media:write".to_owned()],
            expires_in: None,
        }
    }
}

#[derive(ApiResponse)]
enum TokenCreated {
    /// The token is made.
    #[oai(status = 201)]
    Created(Json<TokenView>),
}

#[derive(ApiResponse)]
enum TokenDeleted {
    /// The token is no longer good for anything.
    #[oai(status = 204)]
    Done,
}
