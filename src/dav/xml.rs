//! What clients say in XML, judged before it is parsed: the parser goes down into elements as deep
//! as they lie in one another, and must not be led on until its stack is full.

use crate::base::{Error, Result};
use poem::Body;

/// Programs ask for some twenty properties at once, in two kilobytes.
const LONGEST: usize = 64 * 1024;
/// Every element begins with one of these, so no element lies deeper than this.
const MOST_BRACKETS: usize = 200;

/// Reads a body that may hold XML.
///
/// # Errors
/// `Malformed` for what no program has reason to send.
pub(super) async fn read(body: Body) -> Result<Vec<u8>> {
    let bytes = body.into_bytes_limit(LONGEST).await;
    let bytes = bytes.map_err(|cause| Error::Malformed(cause.to_string()))?;
    check(&bytes)?;
    Ok(bytes.into())
}

fn check(bytes: &[u8]) -> Result<()> {
    let refused = |reason: &str| Err(Error::Malformed(format!("the XML {reason}")));
    let Ok(text) = std::str::from_utf8(bytes) else { return refused("is no UTF-8") };
    // Neither has a place here. In an encoding with zeros brackets would look different, and
    // entities would multiply what they stand for.
    if text.contains('\0') || text.contains("<!DOCTYPE") {
        return refused("has a part that is not understood here");
    }
    if bytes.iter().filter(|byte| **byte == b'<').count() > MOST_BRACKETS {
        return refused("has too many elements");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bodies_are_small_and_shallow() {
        let usual = "<?xml version=\"1.0\"?><D:propfind xmlns:D=\"DAV:\"><D:allprop/></D:propfind>";
        for fine in ["", usual, &"<a/>".repeat(MOST_BRACKETS)] {
            assert_eq!(read(Body::from(fine.to_owned())).await.unwrap(), fine.as_bytes());
        }
        let utf16: Vec<u8> = usual.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for odd in [
            "<a>".repeat(MOST_BRACKETS + 1).into_bytes(),
            b"<!DOCTYPE a [<!ENTITY b \"<c>\">]><a>&b;</a>".to_vec(),
            vec![b' '; LONGEST + 1],
            vec![b'<', 0xff],
            utf16,
        ] {
            assert!(matches!(read(Body::from(odd)).await, Err(Error::Malformed(_))));
        }
    }
}
