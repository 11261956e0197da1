//! Every statement about sites, their names and their plans.

pub(super) mod audit;
pub(super) mod due;
pub(super) mod hosts;
pub(super) mod leftovers;
pub(super) mod plans;
pub(super) mod tenants;
pub(super) mod usage;
pub(super) mod work;
