//! What the API shows of somebody's quota.

use super::quota::Quota;
use poem_openapi::{Object, types::Example};

/// What you keep here, and what you may keep.
#[derive(Object)]
#[oai(rename = "Quota", skip_serializing_if_is_none, example = true)]
pub(super) struct QuotaView {
    /// Items, those in the trash included.
    files: u64,
    /// Of all their files, variants included.
    bytes: u64,
    /// Absent where there is no bound.
    max_files: Option<u64>,
    /// Absent where there is no bound.
    max_bytes: Option<u64>,
}

impl From<Quota> for QuotaView {
    fn from(quota: Quota) -> Self {
        let Quota { files, bytes, max_files, max_bytes } = quota;
        Self { files, bytes, max_files, max_bytes }
    }
}

impl Example for QuotaView {
    fn example() -> Self {
        let bytes = 73_400_320;
        Self { files: 21, bytes, max_files: None, max_bytes: Some(1_000_000_000) }
    }
}
