//! Taking in what lies elsewhere: at a URL, or inside the request as base64.

use super::upload::{Details, Outcome, Receiving, Uploads};
use crate::{
    accounts::Actor,
    base::{Error, Result, text::Filename},
    tenancy::{Tenant, limits::Feature},
};
use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use std::sync::Arc;

/// Standard and lenient about the padding, which many clients leave out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Fetches the URL and stores what it gives.
pub async fn from_url(
    uploads: &Arc<Uploads>,
    tenant: &Arc<Tenant>,
    actor: &Actor,
    url: &str,
    details: Details,
) -> Result<Outcome> {
    tenant.allowance().need(Feature::UrlUpload)?;
    let mut receiving = Receiving::begin(tenant, actor).await?;
    let limit = receiving.limit();
    let fetched = uploads.fetcher.get(url, limit, &mut receiving.file).await?;
    let name = Filename::from_client(fetched.filename.as_deref().unwrap_or_default());
    receiving.finish(uploads, name, details).await
}

/// Stores base64 text, with or without a `data:` prefix (RFC 2397) and line breaks.
pub async fn from_base64(
    uploads: &Arc<Uploads>,
    tenant: &Arc<Tenant>,
    actor: &Actor,
    text: String,
    filename: &str,
    details: Details,
) -> Result<Outcome> {
    let mut receiving = Receiving::begin(tenant, actor).await?;
    let bytes = tokio::task::spawn_blocking(move || decode(&text)).await??;
    receiving.write(&bytes).await?;
    drop(bytes);
    receiving.finish(uploads, Filename::from_client(filename), details).await
}

fn decode(text: &str) -> Result<Vec<u8>> {
    let data = match text.strip_prefix("data:") {
        Some(rest) => rest.split_once(',').map_or("", |(_, data)| data),
        None => text,
    };
    let dense: Vec<u8> = data.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let invalid = || Error::invalid("base64", "is not base64");
    let bytes = BASE64.decode(dense).map_err(|_| invalid())?;
    if bytes.is_empty() { Err(invalid()) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_as_clients_write_it() {
        for text in ["aGVsbG8=", "aGVsbG8", "aGVs\r\nbG8=\n", "data:image/png;base64,aGVsbG8="] {
            assert_eq!(decode(text).unwrap(), b"hello", "{text}");
        }
        for bad in ["", "data:", "data:image/png;base64,", "!!!!", "a"] {
            assert!(decode(bad).is_err(), "{bad}");
        }
    }
}
