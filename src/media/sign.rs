//! Signed addresses: whoever has one may fetch this one file until it expires, whoever they are.

use super::{Media, listing};
use crate::{
    accounts::Actor,
    base::{Clock, Error, Result, clock::Millis},
    tenancy::Tenant,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq;

/// An hour, where nothing else is asked for.
pub const DEFAULT_MS: i64 = 60 * 60 * 1000;
const LONGEST_MS: i64 = 366 * 86_400_000;

/// A path with its signature, and until when it is good.
pub struct Signed {
    pub path: String,
    pub expires_at: Millis,
}

/// Signs the address of one file of an item; `variant` is `original` or a variant's name.
///
/// # Errors
/// `Forbidden` for whoever does not look after the item.
pub async fn sign(
    tenant: &Tenant,
    actor: &Actor,
    id: &str,
    variant: &str,
    expires_in_ms: i64,
) -> Result<Signed> {
    if !(1_000..=LONGEST_MS).contains(&expires_in_ms) {
        return Err(Error::invalid("expires_in", "must be from a second to 366 days, in ms"));
    }
    let media = listing::find(tenant, actor, id).await?;
    media.facts().check_edit(actor)?;
    let file = file_of(&media, variant)?;
    // Whole seconds, so that the address says exactly what was signed.
    let expires_s = Clock::now().plus_ms(expires_in_ms).0 / 1000;
    let expires_at = Millis(expires_s * 1000);
    let query = query(tenant, media.public_id.as_str(), file, expires_at);
    Ok(Signed { path: format!("{}?{query}", media.file_path(file)), expires_at })
}

/// What makes the address of a file a signed one.
pub(super) fn query(tenant: &Tenant, id: &str, file: &str, until: Millis) -> String {
    let expires_s = until.0 / 1000;
    let signature = URL_SAFE_NO_PAD.encode(mac(tenant, id, file, expires_s));
    format!("expires={expires_s}&signature={signature}")
}

fn file_of<'a>(media: &'a Media, variant: &str) -> Result<&'a str> {
    match variant {
        "original" => Ok(&media.file),
        name => media
            .variant(name)
            .map(|v| &*v.file)
            .ok_or_else(|| Error::invalid("variant", format!("`{name}` does not exist"))),
    }
}

/// Whether a signature that came with an address is good.
///
/// # Errors
/// `BadSignature` where it is not, or not any more.
pub fn verify(
    tenant: &Tenant,
    id: &str,
    file: &str,
    expires: Option<&str>,
    signature: &str,
) -> Result<Millis> {
    let expires_s = expires.and_then(|e| e.parse::<i64>().ok()).ok_or(Error::BadSignature)?;
    let claimed = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Error::BadSignature)?;
    let genuine: bool = mac(tenant, id, file, expires_s).as_slice().ct_eq(&claimed).into();
    let until = Millis(expires_s.saturating_mul(1000));
    if genuine && until > Clock::now() { Ok(until) } else { Err(Error::BadSignature) }
}

const PURPOSE: &str = "signed-url";

/// What is signed: which file of which item, until when.
fn mac(tenant: &Tenant, id: &str, file: &str, expires_s: i64) -> [u8; 32] {
    tenant.key(PURPOSE).mac(&[id.as_bytes(), file.as_bytes(), &expires_s.to_be_bytes()])
}
