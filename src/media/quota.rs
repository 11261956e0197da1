//! What one person may keep on a site: the site's own rule, beside what its plan allows all of them
//! together. Admins have no bound.

use super::sql::quota;
use crate::{
    accounts::{Actor, Role},
    base::{Error, Result, ids::UserId},
    db::Read,
    site::{Settings, settings},
    tenancy::{Site, Tenant},
};

/// What somebody has, and what they may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Items, those in the trash included.
    pub files: u64,
    /// Of all their files.
    pub bytes: u64,
    pub max_files: Option<u64>,
    pub max_bytes: Option<u64>,
}

impl Quota {
    /// That of a person with this role.
    pub(crate) fn of(
        db: &Read<Site>,
        settings: &Settings,
        user: UserId,
        role: Role,
    ) -> Result<Self> {
        let (files, bytes) = quota::used(db, user)?;
        let bound = |most: u64| (most > 0 && role < Role::Admin).then_some(most);
        let max_files = bound(settings.max_files_per_user);
        Ok(Self { files, bytes, max_files, max_bytes: bound(settings.max_bytes_per_user) })
    }

    /// Whether there may be so much more.
    ///
    /// # Errors
    /// `QuotaReached` where there may not.
    pub(crate) fn check(&self, files: u64, bytes: u64) -> Result<()> {
        for (limit, allowed, now) in [
            ("max_files_per_user", self.max_files, self.files.saturating_add(files)),
            ("max_bytes_per_user", self.max_bytes, self.bytes.saturating_add(bytes)),
        ] {
            if let Some(allowed) = allowed.filter(|allowed| now > *allowed) {
                return Err(Error::QuotaReached { limit, allowed });
            }
        }
        Ok(())
    }
}

/// The caller's own.
///
/// # Errors
/// `Unauthenticated` for guests.
pub async fn own(tenant: &Tenant, actor: &Actor) -> Result<Quota> {
    let user = actor.user().ok_or(Error::Unauthenticated)?;
    let (id, role) = (user.id, user.role);
    tenant.read(move |db| Quota::of(db, &settings::load(db)?, id, role)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_just_fits_is_taken() {
        let quota = Quota { files: 2, bytes: 70, max_files: Some(3), max_bytes: Some(100) };
        assert!(quota.check(1, 30).is_ok());
        let refused = |files, bytes| match quota.check(files, bytes) {
            Err(Error::QuotaReached { limit, allowed }) => (limit, allowed),
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(2, 0), ("max_files_per_user", 3));
        assert_eq!(refused(1, 31), ("max_bytes_per_user", 100));
        assert_eq!(refused(0, u64::MAX), ("max_bytes_per_user", 100));
        let free = Quota { max_files: None, max_bytes: None, ..quota };
        assert!(free.check(u64::MAX, u64::MAX).is_ok());
    }
}
