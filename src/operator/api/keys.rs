//! `/keys` over HTTP: the keys of this API, made, listed, removed.

use super::{Tag, moment};
use crate::{
    base::{Error, Result},
    http::{Problem, json::JsonBody},
    operator::{
        caller::{self, Operator},
        keys::{self, Key, NewKey, Scope},
    },
};
use poem_openapi::{ApiResponse, Object, OpenApi, param::Path, payload::Json, types::Example};

pub(super) struct KeysApi;

#[OpenApi(tag = "Tag::Keys")]
impl KeysApi {
    /// List operator keys
    #[oai(path = "/keys", method = "get", operation_id = "list_keys")]
    async fn list_keys(&self, operator: Operator<caller::Keys>) -> Result<Json<KeyList>, Problem> {
        let keys = keys::list(&operator.tenants).await?;
        Ok(Json(KeyList { items: keys.into_iter().map(KeyView::from).collect() }))
    }

    /// Create an operator key
    ///
    /// The answer holds the key itself, this once. Without scopes it may do what its maker may.
    #[oai(path = "/keys", method = "post", operation_id = "create_key")]
    async fn create_key(
        &self,
        operator: Operator<caller::Keys>,
        body: JsonBody<KeyRequest>,
    ) -> Result<KeyCreated, Problem> {
        let KeyRequest { name, scopes, networks, expires_at } = body.0;
        let scopes: Vec<Scope> = match scopes {
            Some(words) => words.iter().map(|word| Scope::parse(word)).collect::<Result<_>>()?,
            None => operator.key.scopes.clone(),
        };
        if !scopes.iter().all(|scope| operator.key.scopes.contains(scope)) {
            let reason = "a key cannot make a key with scopes that it lacks";
            return Err(Error::Forbidden(reason).into());
        }
        let expires_at = expires_at.as_deref().map(|at| moment("expires_at", at)).transpose()?;
        let new = NewKey { name, scopes, networks: networks.unwrap_or_default(), expires_at };
        let (key, secret) = keys::create(&operator.tenants, &operator.by, new).await?;
        let key = KeyView { key: Some(secret.expose().to_owned()), ..key.into() };
        Ok(KeyCreated::Created(Json(key)))
    }

    /// Delete an operator key
    #[oai(path = "/keys/:id", method = "delete", operation_id = "delete_key")]
    async fn delete_key(
        &self,
        operator: Operator<caller::Keys>,
        /// The key's id.
        id: Path<String>,
    ) -> Result<KeyDeleted, Problem> {
        keys::delete(&operator.tenants, &operator.by, &id).await?;
        Ok(KeyDeleted::Done)
    }
}

/// What an operator's program signs in with.
#[derive(Object)]
#[oai(rename = "Key", skip_serializing_if_is_none, example = true)]
struct KeyView {
    id: String,
    name: String,
    scopes: Vec<String>,
    /// From where it is taken; none means from everywhere.
    networks: Vec<String>,
    created_at: String,
    /// To the minute.
    last_used_at: Option<String>,
    expires_at: Option<String>,
    /// The key itself. Only in the answer that creates it.
    #[oai(read_only)]
    key: Option<String>,
}

impl From<Key> for KeyView {
    fn from(key: Key) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name,
            scopes: key.scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
            networks: key.networks.iter().map(ToString::to_string).collect(),
            created_at: key.created_at.to_rfc3339(),
            last_used_at: key.last_used_at.map(|at| at.to_rfc3339()),
            expires_at: key.expires_at.map(|at| at.to_rfc3339()),
            key: None,
        }
    }
}

impl Example for KeyView {
    fn example() -> Self {
        Self {
            id: "8fKq2ZtP9x".to_owned(),
            name: "billing".to_owned(),
            scopes: vec!["tenants:read".to_owned(), "tenants:write".to_owned()],
            networks: vec!["10.0.0.0/8".to_owned()],
            created_at: "2026-01-31T09:30:00.000Z".to_owned(),
            last_used_at: None,
            expires_at: None,
            key: None,
        }
    }
}

#[derive(Object)]
#[oai(example = true)]
struct KeyList {
    items: Vec<KeyView>,
}

impl Example for KeyList {
    fn example() -> Self {
        Self { items: vec![KeyView::example()] }
    }
}

#[derive(Object)]
#[oai(example = true)]
struct KeyRequest {
    /// What the key is for, in up to 100 characters.
    name: String,
    /// `tenants:read`, `tenants:write`, `plans:write`, `support`, `keys`, `audit:read`.
    scopes: Option<Vec<String>>,
    /// From where it is taken, as in `10.0.0.0/8`; from everywhere without them.
    networks: Option<Vec<String>>,
    /// RFC 3339. Without it the key does not expire.
    expires_at: Option<String>,
}

impl Example for KeyRequest {
    fn example() -> Self {
        Self {
            name: "billing".to_owned(),
            scopes: Some(vec!["tenants:read".to_owned(), "tenants:write".to_owned()]),
            networks: None,
            expires_at: None,
        }
    }
}

#[derive(ApiResponse)]
enum KeyCreated {
    /// The key is made.
    #[oai(status = 201)]
    Created(Json<KeyView>),
}

#[derive(ApiResponse)]
enum KeyDeleted {
    /// The key is no longer good for anything.
    #[oai(status = 204)]
    Done,
}
