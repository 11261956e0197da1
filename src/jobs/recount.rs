//! Counting anew what the site uses: asked for by an admin who does not trust a counter.

use super::{Job, Kind, NewJob, Run, Step, add, check_manage};
use crate::{
    accounts::Actor,
    base::Result,
    tenancy::{Tenant, usage},
};

/// Has everything counted anew, and counters mended that are wrong.
///
/// # Errors
/// `Forbidden` for anybody but an admin.
pub async fn start(tenant: &Tenant, actor: &Actor) -> Result<Job> {
    check_manage(actor)?;
    add(tenant, NewJob::new(Kind::Recount).once("all")).await
}

/// Does it, in one transaction.
pub async fn run(run: &Run) -> Result<Step> {
    let mended = run.tenant.write(usage::recount).await?;
    run.say(&usage::told(&mended));
    Ok(Step::Done)
}
