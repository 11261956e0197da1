//! The beginning of an upload: the place for it is found before the first byte comes.

use super::{LIFETIME_MS, MOST_OPEN, Upload, blocking, metadata, sql};
use crate::{
    accounts::Actor,
    base::{
        Clock, Error, Result,
        ids::{PublicId, UserId},
    },
    db::Write,
    media::{self, spool::most_bytes},
    tenancy::{
        Allowance, Site, Tenant,
        limits::{Feature, Limit},
    },
};

/// What an upload is to be.
pub(super) enum Kind {
    Whole,
    /// A part of one that is joined later.
    Part,
    /// Joined from these.
    Joined(Vec<PublicId>),
}

impl Kind {
    /// Reads the header `Upload-Concat`: `partial`, or `final;` and the addresses of the parts.
    ///
    /// # Errors
    /// `Malformed` for anything else.
    pub(super) fn parse(header: Option<&str>) -> Result<Self> {
        let Some(text) = header.map(str::trim) else { return Ok(Self::Whole) };
        if text == "partial" {
            return Ok(Self::Part);
        }
        let malformed = || Error::Malformed("the header Upload-Concat cannot be read".to_owned());
        let addresses = text.strip_prefix("final;").ok_or_else(malformed)?.split_whitespace();
        let id = |address: &str| PublicId::parse(address.rsplit('/').next()?);
        let parts: Option<Vec<PublicId>> = addresses.map(id).collect();
        let parts = parts.filter(|parts| (1..=100).contains(&parts.len()));
        parts.map(Self::Joined).ok_or_else(malformed)
    }
}

/// Begins an upload.
///
/// # Errors
/// `TooLarge`, `LimitReached` and `FeatureOff` where the site would not take the file; `Invalid`
/// for what it would not take to be said about it; `Conflict` where too many have begun.
pub(super) async fn begin(
    tenant: &Tenant,
    actor: &Actor,
    kind: Kind,
    length: Option<u64>,
    metadata: String,
) -> Result<Upload> {
    let owner = actor.user().ok_or(Error::Unauthenticated)?.id;
    let is_part = matches!(kind, Kind::Part);
    // What is said about a part is said again about the whole.
    if !is_part {
        metadata::parse(&metadata)?;
    }
    let (length, parts) = match kind {
        Kind::Joined(parts) => (whole_length(tenant, owner, &parts).await?, Some(parts)),
        _ => (length.ok_or_else(|| Error::invalid("Upload-Length", "is missing"))?, None),
    };
    media::quota::own(tenant, actor).await?.check(u64::from(!is_part), length)?;
    let allowed = most_bytes(tenant).await?;
    if length > allowed {
        return Err(Error::TooLarge { field: "Upload-Length", allowed });
    }
    let words = parts.map(|parts| parts.iter().map(PublicId::as_str).collect::<Vec<_>>().join(" "));
    let upload = Upload {
        id: PublicId::random()?,
        owner,
        length,
        metadata,
        is_part,
        parts: words,
        media: None,
        expires_at: Clock::now().plus_ms(LIFETIME_MS),
    };
    let (store, id) = (tenant.disk().clone(), upload.id.clone());
    blocking(move || store.begin_partial(&id)).await?;
    let (new, allowance) = (upload.clone(), tenant.allowance());
    let stored = tenant.write(move |db| insert(db, &new, &allowance)).await;
    if stored.is_err() {
        let (store, id) = (tenant.disk().clone(), upload.id.clone());
        blocking(move || store.remove_partial(&id)).await?;
    }
    stored.map(|()| upload)
}

fn insert(db: &Write<Site>, new: &Upload, allowance: &Allowance) -> Result<()> {
    allowance.need(Feature::LocalStorage)?;
    if sql::open(db, new.owner)? >= MOST_OPEN {
        let reason = "you have begun too many uploads: go on with them, or end them";
        return Err(Error::Conflict { code: "too_many_uploads", reason });
    }
    if !new.is_part {
        allowance.check_in(db, Limit::MaxFiles, 1)?;
    }
    // The bytes of the parts are counted already.
    let more = if new.parts.is_some() { 0 } else { new.length };
    allowance.check_in(db, Limit::MaxBytesStored, sql::open_bytes(db)?.saturating_add(more))?;
    sql::insert(db, new)
}

/// The length of what is joined from parts, each of them complete and of this person.
async fn whole_length(tenant: &Tenant, owner: UserId, parts: &[PublicId]) -> Result<u64> {
    let mut whole = 0u64;
    for part in parts {
        let (of, store, id) = (part.clone(), tenant.disk().clone(), part.clone());
        let found = tenant.read(move |db| sql::get(db, &of)).await?;
        let found = found.filter(|found| found.owner == owner && found.is_part);
        let found =
            found.ok_or_else(|| Error::invalid("Upload-Concat", "names no part of yours"))?;
        let here = blocking(move || store.hold_partial(&id)?.length()).await?;
        if here != found.length {
            return Err(Error::invalid("Upload-Concat", "names a part that is not complete"));
        }
        whole = whole.saturating_add(found.length);
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_named_by_their_addresses() {
        let text =
            "final;/api/v2/uploads/8fKq2ZtP9x https://media.example/api/v2/uploads/4hTr7WqM2k";
        let Kind::Joined(parts) = Kind::parse(Some(text)).unwrap() else { panic!() };
        assert_eq!(
            parts.iter().map(PublicId::as_str).collect::<Vec<_>>(),
            ["8fKq2ZtP9x", "4hTr7WqM2k"]
        );
        assert!(matches!(Kind::parse(Some("partial")), Ok(Kind::Part)));
        assert!(matches!(Kind::parse(None), Ok(Kind::Whole)));
        for text in ["", "final", "final;", "final;/api/v2/uploads/..", "other"] {
            assert!(Kind::parse(Some(text)).is_err(), "{text}");
        }
        let many = format!("final;{}", "/8fKq2ZtP9x ".repeat(101));
        assert!(Kind::parse(Some(&many)).is_err());
    }
}
