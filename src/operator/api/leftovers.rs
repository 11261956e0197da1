//! `/leftovers` over HTTP: what removed tenants still have in storages elsewhere.

use super::Tag;
use crate::{
    http::Problem,
    operator::caller::{Operator, TenantsRead, TenantsWrite},
    tenancy::leftovers::Leftover,
};
use poem_openapi::{
    ApiResponse, Object, OpenApi,
    param::Path,
    payload::Json,
    types::{Any, Example},
};
use serde_json::{Value, json};

pub(super) struct LeftoversApi;

#[OpenApi(tag = "Tag::Tenants")]
impl LeftoversApi {
    /// List what removed tenants left behind
    ///
    /// Files that a tenant had in storages elsewhere are removed after it, and tried again while a
    /// storage does not answer. The oldest first.
    #[oai(path = "/leftovers", method = "get", operation_id = "list_leftovers")]
    async fn list_leftovers(
        &self,
        operator: Operator<TenantsRead>,
    ) -> Result<Json<LeftoverList>, Problem> {
        let all = operator.tenants.leftovers().await?;
        Ok(Json(LeftoverList { items: all.into_iter().map(LeftoverView::from).collect() }))
    }

    /// Give up what a removed tenant left behind
    ///
    /// The files stay where they are. The audit trail says where.
    #[oai(path = "/leftovers/:id", method = "delete", operation_id = "delete_leftovers")]
    async fn delete_leftovers(
        &self,
        operator: Operator<TenantsWrite>,
        /// As it is listed.
        id: Path<String>,
    ) -> Result<LeftoversDeleted, Problem> {
        operator.tenants.forget_leftover(&operator.by, &id).await?;
        Ok(LeftoversDeleted::Done)
    }
}

/// What a removed tenant still has in storages elsewhere.
#[derive(Object)]
#[oai(rename = "Leftovers", skip_serializing_if_is_none, example = true)]
struct LeftoverView {
    id: String,
    /// Whose they were: another tenant may have the id by now.
    tenant: String,
    removed_at: String,
    /// How many files are left, as of the last time that it was tried.
    files: u64,
    /// The storages that have them: `name`, `kind`, `place` and `files` of each.
    places: Any<Value>,
    /// What a storage said when it was last tried.
    problem: Option<String>,
    /// When it is tried again.
    next_at: String,
}

impl From<Leftover> for LeftoverView {
    fn from(leftover: Leftover) -> Self {
        Self {
            id: leftover.id.to_string(),
            tenant: leftover.tenant,
            removed_at: leftover.removed_at.to_rfc3339(),
            files: leftover.left.files,
            places: Any(leftover.left.places),
            problem: leftover.left.problem,
            next_at: leftover.left.next_at.to_rfc3339(),
        }
    }
}

impl Example for LeftoverView {
    fn example() -> Self {
        Self {
            id: "8fKq2ZtP9x".to_owned(),
            tenant: "alice".to_owned(),
            removed_at: "2026-01-31T09:30:00.000Z".to_owned(),
            files: 3,
            places: Any(json!([{ "name": "Bucket", "kind": "s3", "files": 3,
                "place": { "endpoint": "https://s3.example", "bucket": "pictures" } }])),
            problem: Some("the storage does not answer".to_owned()),
            next_at: "2026-01-31T09:31:00.000Z".to_owned(),
        }
    }
}

#[derive(Object)]
#[oai(example = true)]
struct LeftoverList {
    items: Vec<LeftoverView>,
}

impl Example for LeftoverList {
    fn example() -> Self {
        Self { items: vec![LeftoverView::example()] }
    }
}

#[derive(ApiResponse)]
enum LeftoversDeleted {
    /// It is not tried any more.
    #[oai(status = 204)]
    Done,
}
