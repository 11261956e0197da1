//! Storages over HTTP: parse, call, shape. No rule lives here.

use super::{
    api_view::{StorageListView, StoragePatch, StorageRequest, StorageView},
    edit,
};
use crate::{
    accounts::{Caller, caller::ManageSite},
    http::{Problem, json::JsonBody},
};
use poem_openapi::{ApiResponse, OpenApi, Tags, param::Path, payload::Json};

pub struct StoragesApi;

#[derive(Tags)]
enum Tag {
    /// Where the bytes of the site lie.
    Storages,
}

#[OpenApi(tag = "Tag::Storages")]
impl StoragesApi {
    /// List storages
    ///
    /// In the order in which they are tried. The first of them all, `local`, is the site's own
    /// folder.
    #[oai(path = "/storages", method = "get", operation_id = "list_storages")]
    async fn list(&self, caller: Caller<ManageSite>) -> Result<Json<StorageListView>, Problem> {
        let all = edit::list(&caller.tenant, &caller.actor).await?;
        Ok(Json(StorageListView { items: all.into_iter().map(StorageView::new).collect() }))
    }

    /// Add a storage
    ///
    /// A small object is written to it, read and removed again before it is kept. New items go to
    /// the storage with the lowest `priority` that takes them; to the next one while it fails.
    #[oai(path = "/storages", method = "post", operation_id = "create_storage")]
    async fn create(
        &self,
        caller: Caller<ManageSite>,
        body: JsonBody<StorageRequest>,
    ) -> Result<Added, Problem> {
        let kind = body.0.kind.clone();
        let storage = edit::create(&caller.tenant, &caller.actor, &kind, body.0.read()).await?;
        Ok(Added::Storage(Json(StorageView::new(storage))))
    }

    /// Get a storage
    #[oai(path = "/storages/:id", method = "get", operation_id = "get_storage")]
    async fn get(
        &self,
        caller: Caller<ManageSite>,
        /// The storage's id.
        id: Path<String>,
    ) -> Result<Json<StorageView>, Problem> {
        let storage = edit::get(&caller.tenant, &caller.actor, &id).await?;
        Ok(Json(StorageView::new(storage)))
    }

    /// Change a storage
    ///
    /// A new place and new secrets are tried before they are kept. While items lie there, only the
    /// way to them can change, and not the bucket, the folder or the prefix.
    #[oai(path = "/storages/:id", method = "patch", operation_id = "update_storage")]
    async fn update(
        &self,
        caller: Caller<ManageSite>,
        /// The storage's id.
        id: Path<String>,
        body: JsonBody<StoragePatch>,
    ) -> Result<Json<StorageView>, Problem> {
        let storage = edit::update(&caller.tenant, &caller.actor, &id, body.0.read()).await?;
        Ok(Json(StorageView::new(storage)))
    }

    /// Remove a storage
    ///
    /// Only one that nothing lies in.
    #[oai(path = "/storages/:id", method = "delete", operation_id = "delete_storage")]
    async fn delete(
        &self,
        caller: Caller<ManageSite>,
        /// The storage's id.
        id: Path<String>,
    ) -> Result<Removed, Problem> {
        edit::delete(&caller.tenant, &caller.actor, &id).await?;
        Ok(Removed::Done)
    }

    /// Try a storage
    ///
    /// Writes a small object, reads it and removes it. How that went stands in the answer.
    #[oai(path = "/storages/:id/check", method = "post", operation_id = "create_storage_check")]
    async fn check(
        &self,
        caller: Caller<ManageSite>,
        /// The storage's id.
        id: Path<String>,
    ) -> Result<Json<StorageView>, Problem> {
        let storage = edit::check(&caller.tenant, &caller.actor, &id).await?;
        Ok(Json(StorageView::new(storage)))
    }
}

#[derive(ApiResponse)]
enum Added {
    /// It was tried and is kept.
    #[oai(status = 201)]
    Storage(Json<StorageView>),
}

#[derive(ApiResponse)]
enum Removed {
    /// Done.
    #[oai(status = 204)]
    Done,
}
