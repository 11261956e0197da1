//! The site's watermark: the picture itself, and which uploads get it. How it is drawn is known in
//! `imaging`.

use super::{
    sql::watermark as rows,
    upload::{Uploads, blocking},
};
use crate::{
    accounts::{Actor, Role},
    base::{Error, Result, clock::Millis, ids::PublicId},
    db::Read,
    imaging::{self, Fit, Limits, Metadata, Output, Probe, VariantSpec, Watermark},
    site::Settings,
    tenancy::{Site, Tenant},
};

/// The largest file that may become a watermark, in bytes.
pub const MOST_BYTES: u64 = 1024 * 1024;

/// A larger picture is made smaller: it is to be a part of others.
const MOST_PIXELS: u64 = 40_000_000;
const LONGER_SIDE: u32 = 1_500;

/// The watermark as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub png: Vec<u8>,
    pub width: u32,
    pub height: u32,
    pub updated_at: Millis,
}

/// Takes a picture for the site's watermark, in place of the one before.
///
/// # Errors
/// `Forbidden` for anybody but an admin; those of a picture that cannot be taken in.
pub async fn put(
    tenant: &Tenant,
    actor: &Actor,
    uploads: &Uploads,
    bytes: Vec<u8>,
) -> Result<Mark> {
    check(actor)?;
    let store = tenant.disk().clone();
    let (incoming, probe) = blocking(move || {
        let incoming = store.receive(&PublicId::random()?)?;
        incoming.write(FILE, &bytes)?;
        let limits = Limits { max_pixels: MOST_PIXELS, ..Limits::default() };
        let probe = imaging::probe(&incoming.path(FILE), &limits)?;
        Ok((incoming, probe))
    })
    .await?;
    let spec = VariantSpec {
        name: FILE.to_owned(),
        fit: Fit::Contain { longer_side: LONGER_SIDE },
        quality: 100,
        output: Output::Png,
        animate: false,
    };
    let rendered = uploads.engine.render(incoming.path(FILE), probe, vec![spec]).await?;
    let png = rendered.renditions.into_iter().next();
    let png = png.ok_or_else(|| Error::internal("nothing was rendered"))?;
    tenant.write(move |db| rows::put(db, &png.bytes, png.width, png.height)).await?;
    get(tenant, actor).await
}

const FILE: &str = "watermark";

/// The watermark.
///
/// # Errors
/// `Forbidden` for anybody but an admin; `NotFound` where there is none.
pub async fn get(tenant: &Tenant, actor: &Actor) -> Result<Mark> {
    check(actor)?;
    tenant.read(rows::get).await?.ok_or(Error::NotFound("watermark"))
}

/// Takes the watermark away; what has it keeps it.
///
/// # Errors
/// Those of [`get`].
pub async fn remove(tenant: &Tenant, actor: &Actor) -> Result<()> {
    check(actor)?;
    let was_there = tenant.write(rows::delete).await?;
    if was_there { Ok(()) } else { Err(Error::NotFound("watermark")) }
}

fn check(actor: &Actor) -> Result<()> {
    if actor.has_role(Role::Admin) {
        return Ok(());
    }
    Err(Error::Forbidden("only an admin looks after the watermark"))
}

/// What is drawn over the uploads of somebody with this role, if anything is.
pub(super) fn of(db: &Read<Site>, settings: &Settings, role: Role) -> Result<Option<Watermark>> {
    if !settings.watermark_enabled || !settings.watermark_roles.contains(role) {
        return Ok(None);
    }
    let percent = |n: u64| u8::try_from(n).unwrap_or(100);
    Ok(rows::get(db)?.map(|mark| Watermark {
        place: settings.watermark_place,
        scale: percent(settings.watermark_scale),
        margin: percent(settings.watermark_margin),
        opacity: percent(settings.watermark_opacity),
        png: mark.png,
    }))
}

/// Whether this picture is one that gets a mark. One of all around is never touched: viewers bend
/// it, and what makes it one would be lost. Nor is a drawing, which is made of no pixels.
pub(super) fn suits(settings: &Settings, probe: &Probe, metadata: &Metadata) -> bool {
    let (width, height) = probe.upright();
    u64::from(width) >= settings.watermark_min_width
        && u64::from(height) >= settings.watermark_min_height
        && !metadata.is_360()
        && !probe.format.is_document()
        && (!probe.is_animated || settings.watermark_animated)
}
