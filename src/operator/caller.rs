//! Which key a request came with, and what it needs to be made for: a handler states it in its
//! signature, and the same type writes the security entry of the API document.

use super::{
    Appliance,
    keys::{self, Key, Scope},
    signature,
};
use crate::{
    base::{Error, secret::Secret},
    http::{Client, Problem},
    tenancy::{Tenants, audit::By},
};
use poem::{Endpoint, Request, RequestBody, Response, http::header};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaSecurityScheme, Registry},
};
use std::{marker::PhantomData, sync::Arc};

/// What a handler needs of a key.
pub trait Need: Send + Sync + 'static {
    const SCOPE: Scope;
}

macro_rules! needs {
    ($($name:ident)*) => {
        $(
            #[doc = concat!("The scope [`Scope::", stringify!($name), "`].")]
            pub struct $name;
            impl Need for $name {
                const SCOPE: Scope = Scope::$name;
            }
        )*
    };
}

needs! { TenantsRead TenantsWrite PlansWrite Support Keys AuditRead }

/// Somebody with an operator key that may do `N`.
pub struct Operator<N> {
    pub tenants: Arc<Tenants>,
    pub key: Arc<Key>,
    /// Who the audit trail says it was.
    pub by: By,
    need: PhantomData<N>,
}

/// Finds out which key a request came with, before anything else is looked at.
pub(super) async fn authenticate<E: Endpoint<Output = Response>>(
    endpoint: Arc<E>,
    mut req: Request,
    appliance: Arc<Appliance>,
) -> poem::Result<Response> {
    match identify(&mut req, &appliance).await {
        Ok(key) => {
            req.set_data(Arc::new(key));
            req.set_data(appliance);
            Ok(endpoint.get_response(req).await)
        }
        Err(error) => Err(Problem::from(error).into()),
    }
}

async fn identify(req: &mut Request, appliance: &Appliance) -> Result<Key, Error> {
    let secret = presented(req).ok_or(Error::Unauthenticated)?;
    let address = req.data::<Client>().and_then(|client| client.address);
    let key = keys::present(&appliance.tenants, &secret, address).await?;
    let is_required = appliance.require_signature;
    signature::check(&appliance.tenants, req, &key, &secret, is_required).await?;
    Ok(key)
}

fn presented(req: &Request) -> Option<Secret> {
    let bearer = req.header(header::AUTHORIZATION).and_then(|value| {
        let (scheme, key) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    });
    bearer.or_else(|| req.header("x-api-key")).map(Secret::new)
}

impl<'a, N: Need> ApiExtractor<'a> for Operator<N> {
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
        let (Some(key), Some(appliance)) = (req.data::<Arc<Key>>(), req.data::<Arc<Appliance>>())
        else {
            return Err(Problem::from(Error::Unauthenticated).into());
        };
        key.need(N::SCOPE).map_err(Problem::from)?;
        let address = req.data::<Client>().and_then(|client| client.address);
        let by = By {
            actor: format!("key {}", key.name),
            address: address.map(|address| address.to_string()),
        };
        let (tenants, key) = (appliance.tenants.clone(), key.clone());
        Ok(Self { tenants, key, by, need: PhantomData })
    }
}

const SCHEMES: [&str; 2] = ["token", "api_key"];

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
    let token = scheme("http", "An operator key, as `Authorization: Bearer vk_op_…`.");
    registry.create_security_scheme(
        SCHEMES[0],
        MetaSecurityScheme { scheme: Some("bearer"), bearer_format: Some("vk_op_…"), ..token },
    );
    let key = scheme("apiKey", "The same key, for clients that cannot set `Authorization`.");
    registry.create_security_scheme(
        SCHEMES[1],
        MetaSecurityScheme { name: Some("X-API-Key"), key_in: Some("header"), ..key },
    );
}
