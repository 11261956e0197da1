//! `/tenants/{id}/hostnames` over HTTP: added, made canonical, taken away.

use super::{Tag, tenant_id, views::HostnameView};
use crate::{
    base::Error,
    http::{Problem, json::JsonBody},
    operator::caller::{Operator, TenantsRead, TenantsWrite},
    tenancy::{Record, hostname::Hostname},
};
use poem_openapi::{ApiResponse, Object, OpenApi, param::Path, payload::Json, types::Example};

pub(super) struct HostnamesApi;

#[OpenApi(tag = "Tag::Hostnames")]
impl HostnamesApi {
    /// List a tenant's hostnames
    #[oai(path = "/tenants/:id/hostnames", method = "get", operation_id = "list_hostnames")]
    async fn list_hostnames(
        &self,
        operator: Operator<TenantsRead>,
        /// The tenant's id.
        id: Path<String>,
    ) -> Result<Json<HostnameList>, Problem> {
        let record = operator.tenants.record(&tenant_id(&id)?).await?;
        let items = record.hostnames.iter().map(HostnameView::from).collect();
        Ok(Json(HostnameList { items }))
    }

    /// Add a hostname
    ///
    /// A tenant's first one is canonical.
    #[oai(path = "/tenants/:id/hostnames", method = "post", operation_id = "create_hostname")]
    async fn create_hostname(
        &self,
        operator: Operator<TenantsWrite>,
        /// The tenant's id.
        id: Path<String>,
        body: JsonBody<HostnameRequest>,
    ) -> Result<HostnameCreated, Problem> {
        let HostnameRequest { host, is_canonical } = body.0;
        let (by, id) = (&operator.by, tenant_id(&id)?);
        let is_canonical = is_canonical.unwrap_or(false);
        let record = operator.tenants.add_hostname(by, &id, &host, is_canonical).await?;
        Ok(HostnameCreated::Created(Json(find(&record, &host)?)))
    }

    /// Make a hostname canonical
    ///
    /// Links start with it from now on.
    #[oai(
        path = "/tenants/:id/hostnames/:host",
        method = "patch",
        operation_id = "update_hostname"
    )]
    async fn update_hostname(
        &self,
        operator: Operator<TenantsWrite>,
        /// The tenant's id.
        id: Path<String>,
        /// The hostname.
        host: Path<String>,
        body: JsonBody<HostnamePatch>,
    ) -> Result<Json<HostnameView>, Problem> {
        if !body.0.is_canonical {
            let reason = "can only be set: make another hostname canonical instead";
            return Err(Error::invalid("is_canonical", reason).into());
        }
        let (by, id) = (&operator.by, tenant_id(&id)?);
        let record = operator.tenants.set_canonical(by, &id, &host).await?;
        Ok(Json(find(&record, &host)?))
    }

    /// Remove a hostname
    #[oai(
        path = "/tenants/:id/hostnames/:host",
        method = "delete",
        operation_id = "delete_hostname"
    )]
    async fn delete_hostname(
        &self,
        operator: Operator<TenantsWrite>,
        /// The tenant's id.
        id: Path<String>,
        /// The hostname.
        host: Path<String>,
    ) -> Result<HostnameDeleted, Problem> {
        operator.tenants.remove_hostname(&operator.by, &tenant_id(&id)?, &host).await?;
        Ok(HostnameDeleted::Done)
    }
}

/// The hostname as the tenant has it now.
fn find(record: &Record, host: &str) -> Result<HostnameView, Error> {
    let host = Hostname::parse("host", host)?;
    let named = record.hostnames.iter().find(|named| named.host == host.as_str());
    named.map(HostnameView::from).ok_or(Error::NotFound("hostname"))
}

#[derive(Object)]
#[oai(example = true)]
struct HostnameList {
    items: Vec<HostnameView>,
}

impl Example for HostnameList {
    fn example() -> Self {
        Self { items: vec![HostnameView::example()] }
    }
}

#[derive(Object)]
#[oai(example = true)]
struct HostnameRequest {
    /// A hostname without a port; internationalised ones are kept as punycode.
    host: String,
    /// Whether links are to start with it.
    is_canonical: Option<bool>,
}

impl Example for HostnameRequest {
    fn example() -> Self {
        Self { host: "bücher.example".to_owned(), is_canonical: None }
    }
}

#[derive(Object)]
#[oai(example = true)]
struct HostnamePatch {
    /// `true`: a tenant always has one canonical hostname.
    is_canonical: bool,
}

impl Example for HostnamePatch {
    fn example() -> Self {
        Self { is_canonical: true }
    }
}

#[derive(ApiResponse)]
enum HostnameCreated {
    /// The hostname leads to the tenant.
    #[oai(status = 201)]
    Created(Json<HostnameView>),
}

#[derive(ApiResponse)]
enum HostnameDeleted {
    /// The hostname leads nowhere any more.
    #[oai(status = 204)]
    Done,
}
