//! Another chance for a job that was given up or called off.

use super::{Job, Kind, State, check_manage, listing, sql, wake};
use crate::{
    accounts::Actor,
    base::{Error, Result, ids::PublicId},
    tenancy::Tenant,
};

/// Has a job tried again as if it were new.
///
/// # Errors
/// `Forbidden` for anybody but an admin; `Conflict` with code `job_not_over` where it has not
/// failed, and with code `job_waiting` where another one took its place.
pub async fn retry(tenant: &Tenant, actor: &Actor, id: &str) -> Result<Job> {
    check_manage(actor)?;
    let id = PublicId::parse(id).ok_or(Error::NotFound("job"))?;
    let write = tenant.write(move |db| {
        let job = listing::get(db, &id)?.ok_or(Error::NotFound("job"))?;
        if !matches!(job.state, State::Failed | State::Cancelled) {
            let reason = "only a job that failed or was cancelled can be tried again";
            return Err(Error::Conflict { code: "job_not_over", reason });
        }
        if sql::has_twin(db, job.id)? {
            let reason = "another job of its kind waits already";
            return Err(Error::Conflict { code: "job_waiting", reason });
        }
        sql::revive(db, job.id)?;
        listing::get(db, &id)?.ok_or(Error::NotFound("job"))
    });
    let job = write.await?;
    if let Some(kind) = Kind::parse(&job.kind) {
        wake(tenant, kind).await?;
    }
    Ok(job)
}
