//! Empty files. Some programs write one first and fill it in the next request; as there are no
//! empty pictures, it is only remembered for a while that there is one.

use super::path::Way;
use crate::{
    accounts::Actor,
    base::{Clock, clock::Millis},
    tenancy::Tenant,
};
use mini_moka::sync::Cache;
use std::time::Duration;

const MOST: u64 = 10_000;
const KEPT: Duration = Duration::from_secs(600);

/// Whose it is, and where: the opening of a site, a person and a way.
type Key = (u64, i64, Way);

#[derive(Clone)]
pub(super) struct Blanks(Cache<Key, Millis>);

impl Default for Blanks {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MOST).time_to_live(KEPT).build())
    }
}

impl Blanks {
    pub(super) fn put(&self, tenant: &Tenant, actor: &Actor, way: &[String]) {
        if let Some(key) = key(tenant, actor, way) {
            self.0.insert(key, Clock::now());
        }
    }

    /// Since when there is an empty file, if there is one.
    pub(super) fn find(&self, tenant: &Tenant, actor: &Actor, way: &[String]) -> Option<Millis> {
        self.0.get(&key(tenant, actor, way)?)
    }

    pub(super) fn take(&self, tenant: &Tenant, actor: &Actor, way: &[String]) -> Option<Millis> {
        let key = key(tenant, actor, way)?;
        let found = self.0.get(&key)?;
        self.0.invalidate(&key);
        Some(found)
    }
}

fn key(tenant: &Tenant, actor: &Actor, way: &[String]) -> Option<Key> {
    Some((tenant.opening, actor.user()?.id.0, way.to_vec()))
}
