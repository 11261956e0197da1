//! What an upload comes to that its uploader has here already: the site decides.

use super::upload::{Details, Outcome};
use crate::{
    base::{Error, Result},
    site::Duplicates,
};

/// The code of the refusal.
pub const CODE: &str = "duplicate";

impl Duplicates {
    /// What the uploader may ask for: no second copies, where duplicates are refused.
    pub(super) fn bound(self, details: Details) -> Details {
        let allow_duplicate = details.allow_duplicate && self == Self::Existing;
        Details { allow_duplicate, ..details }
    }

    /// # Errors
    /// `Conflict` for a duplicate, where these are refused.
    pub(super) fn judge(self, outcome: Outcome) -> Result<Outcome> {
        match outcome {
            Outcome::Duplicate(_) if self == Self::Reject => {
                Err(Error::Conflict { code: CODE, reason: "you have this file here already" })
            }
            outcome => Ok(outcome),
        }
    }
}
