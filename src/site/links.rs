//! Absolute addresses of what a site shows. They start at the tenant's canonical origin; only
//! where none is settled, at the address under which the client sees the site.

use crate::{http::Client, tenancy::Tenant};

#[derive(Debug, Clone)]
pub struct Links {
    origin: String,
}

impl Links {
    pub fn of(tenant: &Tenant, client: &Client) -> Self {
        Self { origin: tenant.origin().unwrap_or_else(|| client.origin()) }
    }

    /// For a site at this origin.
    pub fn at(origin: &str) -> Self {
        Self { origin: origin.to_owned() }
    }

    /// The absolute address of a path, which starts with `/`.
    pub fn to(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }
}
