//! Calling a job off: one that waits ends here, one that runs is asked to.

use super::{Job, State, check_manage, listing, sql};
use crate::{
    accounts::Actor,
    base::{Error, Result, ids::PublicId},
    tenancy::Tenant,
};

/// Calls a job off. One that runs ends within seconds, and what it did until then stays.
///
/// # Errors
/// `Forbidden` for anybody but an admin; `Conflict` with code `job_over` where it has ended.
pub async fn cancel(tenant: &Tenant, actor: &Actor, id: &str) -> Result<Job> {
    check_manage(actor)?;
    let id = PublicId::parse(id).ok_or(Error::NotFound("job"))?;
    let write = tenant.write(move |db| {
        let job = listing::get(db, &id)?.ok_or(Error::NotFound("job"))?;
        match job.state {
            State::Waiting => sql::finish(db, job.id, State::Cancelled, None)?,
            State::Running => sql::ask_to_end(db, job.id)?,
            _ => {
                let reason = "this job has ended already";
                return Err(Error::Conflict { code: "job_over", reason });
            }
        }
        listing::get(db, &id)?.ok_or(Error::NotFound("job"))
    });
    write.await
}
