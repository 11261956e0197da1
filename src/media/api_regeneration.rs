//! Making variants anew over HTTP: parse, call, shape. No rule lives here.

use super::{
    api::Tag,
    regenerate::{self, Regeneration},
};
use crate::{
    accounts::{Caller, caller::ManageSite},
    http::Problem,
};
use poem_openapi::{ApiResponse, Object, OpenApi, payload::Json, types::Example};

pub struct RegenerationApi;

#[OpenApi(tag = "Tag::Media")]
impl RegenerationApi {
    /// Make all variants anew
    ///
    /// For what was uploaded before the settings of variants changed. Goes on in the background;
    /// asked for again, it begins from the start. Addresses of the old files lead to the new ones.
    #[oai(
        path = "/variants/regeneration",
        method = "post",
        operation_id = "create_variant_regeneration"
    )]
    async fn start(&self, caller: Caller<ManageSite>) -> Result<Started, Problem> {
        let state = regenerate::start(&caller.tenant, &caller.actor).await?;
        Ok(Started::Accepted(Json(RegenerationView::new(Some(state)))))
    }

    /// See how far making variants anew has come
    #[oai(
        path = "/variants/regeneration",
        method = "get",
        operation_id = "get_variant_regeneration"
    )]
    async fn state(&self, caller: Caller<ManageSite>) -> Result<Json<RegenerationView>, Problem> {
        let state = regenerate::state(&caller.tenant, &caller.actor).await?;
        Ok(Json(RegenerationView::new(state)))
    }

    /// Stop making variants anew
    ///
    /// What is made stays.
    #[oai(
        path = "/variants/regeneration",
        method = "delete",
        operation_id = "delete_variant_regeneration"
    )]
    async fn cancel(&self, caller: Caller<ManageSite>) -> Result<Cancelled, Problem> {
        regenerate::cancel(&caller.tenant, &caller.actor).await?;
        Ok(Cancelled::Done)
    }
}

#[derive(ApiResponse)]
enum Started {
    /// It has begun.
    #[oai(status = 202)]
    Accepted(Json<RegenerationView>),
}

#[derive(ApiResponse)]
enum Cancelled {
    /// Nothing more will be made.
    #[oai(status = 204)]
    Done,
}

/// How far making variants anew has come.
#[derive(Object)]
#[oai(rename = "VariantRegeneration", skip_serializing_if_is_none, example = true)]
struct RegenerationView {
    /// `never`, `running`, `finished`, `cancelled` or `limit_reached`.
    status: String,
    started_at: Option<String>,
    finished_at: Option<String>,
    /// How many items there were at the start.
    total: u64,
    /// How many had their turn.
    done: u64,
    /// How many of these kept their variants as they were.
    failed: u64,
}

impl RegenerationView {
    fn new(state: Option<Regeneration>) -> Self {
        let status = match &state {
            None => "never",
            Some(state) if state.finished_at.is_none() => "running",
            Some(state) => state.problem.as_deref().unwrap_or("finished"),
        };
        let count = |of: fn(&Regeneration) -> u64| state.as_ref().map_or(0, of);
        Self {
            status: status.to_owned(),
            started_at: state.as_ref().map(|s| s.started_at.to_rfc3339()),
            finished_at: state.as_ref().and_then(|s| Some(s.finished_at?.to_rfc3339())),
            total: count(|s| s.total),
            done: count(|s| s.done),
            failed: count(|s| s.failed),
        }
    }
}

impl Example for RegenerationView {
    fn example() -> Self {
        Self {
            status: "running".to_owned(),
            started_at: Some("2026-01-31T09:30:00.000Z".to_owned()),
            finished_at: None,
            total: 1200,
            done: 340,
            failed: 0,
        }
    }
}
