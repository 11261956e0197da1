//! The appliance's own file, `control.sqlite`: which sites there are and under which terms. What
//! a site holds lies in its own file.

use crate::db::{Schema, Step};

/// The schema of the appliance's own file.
pub enum Control {}

impl Schema for Control {
    const STEPS: &[Step] = &[
        Step { name: "0001_tenants", sql: include_str!("../../schema/control/0001_tenants.sql") },
        Step { name: "0002_hosting", sql: include_str!("../../schema/control/0002_hosting.sql") },
        Step { name: "0003_jobs", sql: include_str!("../../schema/control/0003_jobs.sql") },
        Step {
            name: "0004_leftovers",
            sql: include_str!("../../schema/control/0004_leftovers.sql"),
        },
    ];
}
