//! `manifest.json`: what an archive says about itself before anything else.

use super::{
    MANIFEST, bad_archive,
    list::Listed,
    reader::{Head, Reader},
};
use crate::base::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::Path;

const FORMAT: &str = "vitrina-tenant";
const VERSION: u64 = 1;
const MAX_MANIFEST: u64 = 1 << 20;

#[derive(Serialize)]
struct Written<'a> {
    format: &'a str,
    version: u64,
    tenant: &'a Value,
}

/// The parts come apart, so that each can be refused in its own words.
#[derive(Deserialize)]
struct Read {
    format: Value,
    version: Value,
    tenant: Value,
}

/// What the packer of an archive said about the site. Reads no more than that, so the rest of the
/// archive may be broken. Blocks.
///
/// # Errors
/// `Rejected` with the code `bad_archive` where this is no archive that this version reads.
pub fn manifest(from: &Path) -> Result<Value> {
    let mut reader = Reader::open(from)?;
    let head = reader.expect(MANIFEST)?;
    Ok(read(&mut reader, head)?.0)
}

/// The text of a manifest.
pub(super) fn write(tenant: &Value) -> Result<Vec<u8>> {
    let text = serde_json::to_vec(&Written { format: FORMAT, version: VERSION, tenant })?;
    if text.len() as u64 > MAX_MANIFEST {
        return Err(Error::TooLarge { field: "manifest", allowed: MAX_MANIFEST });
    }
    Ok(text)
}

/// Reads the body of a manifest.
pub(super) fn read(reader: &mut Reader, head: Head) -> Result<(Value, Listed)> {
    if head.bytes > MAX_MANIFEST {
        return Err(bad_archive(format!("`{MANIFEST}` is longer than {MAX_MANIFEST} bytes")));
    }
    let mut text = Vec::new();
    reader.body(&head, |bytes| {
        text.extend_from_slice(bytes);
        Ok(())
    })?;
    let tenant = parse(&text)?;
    let sha256 = Sha256::digest(&text).into();
    Ok((tenant, Listed { path: head.path, bytes: head.bytes, sha256 }))
}

fn parse(text: &[u8]) -> Result<Value> {
    let read: Read = serde_json::from_slice(text)
        .map_err(|e| bad_archive(format!("`{MANIFEST}` cannot be read: {e}")))?;
    if read.format != FORMAT {
        return Err(bad_archive(format!("`{MANIFEST}` names another format")));
    }
    if read.version != VERSION {
        return Err(bad_archive(format!(
            "`{MANIFEST}` names a version of the format other than {VERSION}"
        )));
    }
    Ok(read.tenant)
}
