//! `/jobs` over HTTP: parse, call, shape. No rule lives here.

use super::{Filter, Job, Kind, State, cancel, find, list, recount, retry};
use crate::{
    accounts::{
        Caller,
        caller::{ManageSite, ReadMedia},
    },
    base::{
        Error, Result,
        page::{Ask, Page},
    },
    http::{Problem, paging::link_header},
};
use poem_openapi::{
    ApiResponse, Object, OpenApi, Tags,
    param::{Path, Query},
    payload::Json,
    types::Example,
};

pub struct JobsApi;

#[derive(Tags)]
enum Tag {
    /// What goes on behind: work that outlives the request that asked for it.
    Jobs,
}

#[OpenApi(tag = "Tag::Jobs")]
impl JobsApi {
    /// List jobs
    ///
    /// Newest first. Admins see all of the site; everybody else those that are about their own
    /// things.
    #[oai(path = "/jobs", method = "get", operation_id = "list_jobs")]
    async fn list(
        &self,
        caller: Caller<ReadMedia>,
        /// `waiting`, `running`, `done`, `failed` or `cancelled`.
        state: Query<Option<String>>,
        /// As in the `kind` of a job.
        kind: Query<Option<String>>,
        /// How many jobs, 1 to 100; 24 without it.
        limit: Query<Option<u32>>,
        /// The cursor `next` of the page before.
        after: Query<Option<String>>,
        /// The cursor `prev` of the page after.
        before: Query<Option<String>>,
    ) -> Result<Listed, Problem> {
        let ask = Ask::parse(limit.0, after.as_deref(), before.as_deref())?;
        let filter = filter(state.as_deref(), kind.as_deref())?;
        let page = list(&caller.tenant, &caller.actor, filter, ask).await?;
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let limit = limit.map(|n| n.to_string());
        for (name, value) in [("state", state.0), ("kind", kind.0), ("limit", limit)] {
            if let Some(value) = value {
                query.append_pair(name, &value);
            }
        }
        let origin = caller.tenant.origin().unwrap_or_else(|| caller.client.origin());
        let link = link_header(&page, &format!("{origin}/api/v2/jobs"), &query.finish());
        Ok(Listed::Page(Json(page.into()), link))
    }

    /// Get a job
    #[oai(path = "/jobs/:id", method = "get", operation_id = "get_job")]
    async fn get(
        &self,
        caller: Caller<ReadMedia>,
        /// The job's id.
        id: Path<String>,
    ) -> Result<Json<JobView>, Problem> {
        Ok(Json(find(&caller.tenant, &caller.actor, &id).await?.into()))
    }

    /// Cancel a job
    ///
    /// One that waits ends at once, one that runs within seconds. What it did until then stays.
    #[oai(
        path = "/jobs/:id/cancellation",
        method = "post",
        operation_id = "create_job_cancellation"
    )]
    async fn cancel(
        &self,
        caller: Caller<ManageSite>,
        /// The job's id.
        id: Path<String>,
    ) -> Result<Changed, Problem> {
        let job = cancel(&caller.tenant, &caller.actor, &id).await?;
        Ok(Changed::Accepted(Json(job.into())))
    }

    /// Count anew what the site uses
    ///
    /// Counters that are wrong are mended; the job's `message` names them.
    #[oai(path = "/usage/recount", method = "post", operation_id = "create_usage_recount")]
    async fn recount(&self, caller: Caller<ManageSite>) -> Result<Changed, Problem> {
        let job = recount::start(&caller.tenant, &caller.actor).await?;
        Ok(Changed::Accepted(Json(job.into())))
    }

    /// Try a job again
    ///
    /// For one that failed or was cancelled: it gets all its attempts anew.
    #[oai(path = "/jobs/:id/retry", method = "post", operation_id = "create_job_retry")]
    async fn retry(
        &self,
        caller: Caller<ManageSite>,
        /// The job's id.
        id: Path<String>,
    ) -> Result<Changed, Problem> {
        let job = retry(&caller.tenant, &caller.actor, &id).await?;
        Ok(Changed::Accepted(Json(job.into())))
    }
}

fn filter(state: Option<&str>, kind: Option<&str>) -> Result<Filter> {
    let known = || Kind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ");
    let kind = kind.map(|word| {
        Kind::parse(word)
            .ok_or_else(|| Error::invalid("kind", format!("must be one of {}", known())))
    });
    let state = state.map(State::parse).transpose()?;
    Ok(Filter { state, kind: kind.transpose()?, ..Filter::default() })
}

#[derive(ApiResponse)]
enum Listed {
    /// A page.
    #[oai(status = 200)]
    Page(
        Json<JobPageView>,
        /// The neighbouring pages, as RFC 8288 has it.
        #[oai(header = "Link")]
        Option<String>,
    ),
}

#[derive(ApiResponse)]
enum Changed {
    /// It will be so.
    #[oai(status = 202)]
    Accepted(Json<JobView>),
}

/// Work that goes on behind.
#[derive(Object)]
#[oai(rename = "Job", skip_serializing_if_is_none, example = true)]
pub struct JobView {
    id: String,
    /// What it does.
    kind: String,
    /// `waiting`, `running`, `done`, `failed` or `cancelled`.
    state: String,
    /// The item that it is about.
    media_id: Option<String>,
    /// How often it was begun.
    attempts: u32,
    /// How often it is begun at most.
    max_attempts: u32,
    /// How far it has come, in whatever unit.
    done: u64,
    /// What `done` will be in the end, where that is known.
    total: Option<u64>,
    message: Option<String>,
    /// Why the last attempt failed.
    last_error: Option<String>,
    created_at: String,
    /// When it is tried again, where it waits for a moment.
    retry_at: Option<String>,
    /// When it was begun last.
    started_at: Option<String>,
    finished_at: Option<String>,
}

impl From<Job> for JobView {
    fn from(job: Job) -> Self {
        let is_put_off = job.state == State::Waiting && job.run_at.0 > 1;
        Self {
            id: job.public_id.to_string(),
            kind: job.kind,
            state: job.state.as_str().to_owned(),
            media_id: job.media.map(|id| id.to_string()),
            attempts: job.attempts,
            max_attempts: job.max_attempts,
            done: job.done,
            total: job.total,
            message: job.message,
            last_error: job.last_error,
            created_at: job.created_at.to_rfc3339(),
            retry_at: is_put_off.then(|| job.run_at.to_rfc3339()),
            started_at: job.started_at.map(|at| at.to_rfc3339()),
            finished_at: job.finished_at.map(|at| at.to_rfc3339()),
        }
    }
}

impl Example for JobView {
    fn example() -> Self {
        Self {
            id: "8fKq2ZtP9x".to_owned(),
            kind: Kind::Regenerate.as_str().to_owned(),
            state: State::Running.as_str().to_owned(),
            media_id: None,
            attempts: 1,
            max_attempts: 5,
            done: 340,
            total: Some(1200),
            message: None,
            last_error: None,
            created_at: "2026-01-31T09:30:00.000Z".to_owned(),
            retry_at: None,
            started_at: Some("2026-01-31T09:30:00.250Z".to_owned()),
            finished_at: None,
        }
    }
}

/// A page of jobs, newest first.
#[derive(Object)]
#[oai(rename = "JobPage", skip_serializing_if_is_none, example = true)]
struct JobPageView {
    items: Vec<JobView>,
    /// For `after`: the cursor of the next page; absent on the last.
    next: Option<String>,
    /// For `before`: the cursor of the previous page; absent on the first.
    prev: Option<String>,
}

impl From<Page<Job>> for JobPageView {
    fn from(page: Page<Job>) -> Self {
        Self {
            next: page.next.map(|cursor| cursor.encode()),
            prev: page.prev.map(|cursor| cursor.encode()),
            items: page.items.into_iter().map(JobView::from).collect(),
        }
    }
}

impl Example for JobPageView {
    fn example() -> Self {
        Self { items: vec![JobView::example()], next: Some("AAAAAAAAAAk".to_owned()), prev: None }
    }
}
