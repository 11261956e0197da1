//! The way to storages that an admin names. It is judged like every other address that a user
//! gave: each connection, and each name by what it resolves to.

use super::{fetch, guard::Policy, resolver::GuardedResolver};
use crate::base::{Error, Result};
use async_trait::async_trait;
use object_store::{
    ClientOptions,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
    },
};
use reqwest::{Client, redirect};
use std::{net::IpAddr, sync::Arc, time::Duration};

const CONNECT: Duration = Duration::from_secs(10);
/// Between two pieces of an answer.
const IDLE: Duration = Duration::from_secs(60);

/// Connects to storages under one [`Policy`]. All share its connections.
#[derive(Debug, Clone)]
pub struct StorageConnector {
    client: Client,
    policy: Arc<Policy>,
}

impl StorageConnector {
    /// # Errors
    /// `Internal` where TLS cannot be set up.
    pub fn new(policy: Policy, user_agent: &str) -> Result<Self> {
        let policy = Arc::new(policy);
        let client = Client::builder()
            .user_agent(user_agent)
            .tls_backend_preconfigured(fetch::tls()?)
            .dns_resolver(GuardedResolver::new(Arc::clone(&policy)))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT)
            .read_timeout(IDLE)
            .build()
            .map_err(Error::internal)?;
        Ok(Self { client, policy })
    }
}

impl HttpConnector for StorageConnector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for StorageConnector {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        // An address that is written out is never resolved, and so never judged there.
        let host = request.uri().host().unwrap_or_default().trim_matches(['[', ']']);
        if let Ok(addr) = host.parse::<IpAddr>()
            && !self.policy.permits(addr)
        {
            return Err(HttpError::new(HttpErrorKind::Unknown, NotPermitted));
        }
        HttpService::call(&self.client, request).await
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the address is not public: the operator can permit private networks with `storage_allow`")]
struct NotPermitted;
