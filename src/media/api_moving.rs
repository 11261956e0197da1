//! Moving items between storages over HTTP: parse, call, shape. No rule lives here.

use super::moving;
use crate::{
    accounts::{Caller, caller::ManageSite},
    http::{Problem, json::JsonBody},
    jobs::JobView,
};
use poem_openapi::{
    ApiResponse, Object, OpenApi, Tags, param::Path, payload::Json, types::Example,
};

pub struct MovingApi;

#[derive(Tags)]
enum Tag {
    /// Where the bytes of the site lie.
    Storages,
}

#[OpenApi(tag = "Tag::Storages")]
impl MovingApi {
    /// Move all items of a storage
    ///
    /// To another storage, one by one and by a job. Every file is read back from its new place
    /// before the old one goes; addresses stay as they are. What is uploaded meanwhile may still
    /// go to the old storage: make it read-only before.
    #[oai(
        path = "/storages/:id/migration",
        method = "post",
        operation_id = "create_storage_migration"
    )]
    async fn start(
        &self,
        caller: Caller<ManageSite>,
        /// The id of the storage to be emptied.
        id: Path<String>,
        body: JsonBody<MigrationRequest>,
    ) -> Result<Started, Problem> {
        let job = moving::start(&caller.tenant, &caller.actor, &id, &body.0.to).await?;
        Ok(Started::Accepted(Json(job.into())))
    }
}

#[derive(ApiResponse)]
enum Started {
    /// A job does it.
    #[oai(status = 202)]
    Accepted(Json<JobView>),
}

/// Where items are to go.
#[derive(Object)]
#[oai(deny_unknown_fields, example = true)]
struct MigrationRequest {
    /// The id of the other storage.
    to: String,
}

impl Example for MigrationRequest {
    fn example() -> Self {
        Self { to: "8fKq2ZtP12".to_owned() }
    }
}
