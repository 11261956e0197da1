//! Removing what removed sites have in storages elsewhere. One of several processes does it at a
//! time; where two do, the second finds nothing.

use super::{LEASE_MS, PROLONG, RETRY_MS};
use crate::{
    base::{Clock, Result},
    media::clear,
    tenancy::{
        Tenants,
        leftovers::{Left, Leftover},
    },
};
use tokio::time::sleep;

/// Tries every one whose time has come, if it is this process's turn. Returns how many are done
/// with.
pub async fn clear_due(tenants: &Tenants) -> Result<usize> {
    let due = tenants.due_leftovers().await?;
    if due.is_empty() || !tenants.lease("clearing", LEASE_MS).await? {
        return Ok(0);
    }
    let prolonging = async {
        loop {
            sleep(PROLONG).await;
            if let Err(error) = tenants.lease("clearing", LEASE_MS).await {
                tracing::warn!(error = %error.in_full(), "another process may clear as well");
            }
        }
    };
    let clearing = async {
        let mut done = 0;
        for leftover in due {
            done += usize::from(try_one(tenants, &leftover).await?);
        }
        Ok(done)
    };
    tokio::select! {
        done = clearing => done,
        () = prolonging => Ok(0),
    }
}

/// Whether nothing is left of it.
async fn try_one(tenants: &Tenants, leftover: &Leftover) -> Result<bool> {
    let tried = async {
        match tenants.open_leftover(leftover).await? {
            Some(tenant) => clear::run(&tenant).await,
            None => Ok(None),
        }
    };
    let left = match tried.await {
        Ok(None) => {
            tenants.end_leftover(leftover).await?;
            return Ok(true);
        }
        Ok(Some(left)) => left,
        Err(error) => {
            let (problem, id) = (error.in_full(), &leftover.tenant);
            tracing::error!(tenant = id, problem, "what it left behind cannot be removed");
            let next_at = Clock::now().plus_ms(RETRY_MS);
            Left { problem: Some(problem), next_at, ..leftover.left.clone() }
        }
    };
    tenants.keep_leftover(&leftover.id, left).await?;
    Ok(false)
}
