//! `application/x-www-form-urlencoded` as a stream (WHATWG URL, section 5.1): a value may be a
//! whole file in base64, and is never whole in memory.

use crate::base::{Error, Result};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream::BoxStream};
use percent_encoding::percent_decode;

/// The longest name of a field, in bytes as it is sent.
const LONGEST_NAME: usize = 1024;

/// Names and values, in the order they arrive.
pub struct Pairs {
    body: BoxStream<'static, std::io::Result<Bytes>>,
    /// What has arrived and was not looked at.
    raw: Bytes,
    is_in_value: bool,
    /// The start of an escape that the end of a chunk has torn.
    torn: Vec<u8>,
}

impl Pairs {
    pub fn new(body: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static) -> Self {
        Self { body: body.boxed(), raw: Bytes::new(), is_in_value: false, torn: Vec::new() }
    }

    /// The name of the next field, or `None` after the last. What was not read of the value before
    /// is skipped.
    pub async fn next(&mut self) -> Result<Option<String>> {
        while self.is_in_value {
            self.chunk().await?;
        }
        let mut name = Vec::new();
        while self.fill().await? {
            let end = self.raw.iter().position(|b| matches!(b, b'=' | b'&'));
            name.extend_from_slice(&self.raw.split_to(end.unwrap_or(self.raw.len())));
            if name.len() > LONGEST_NAME {
                return Err(Error::Malformed("the form has a name that does not end".to_owned()));
            }
            if end.is_some() {
                self.is_in_value = self.raw.split_to(1).starts_with(b"=");
                if self.is_in_value || !name.is_empty() {
                    return Ok(Some(text(decode(name))));
                }
            }
        }
        Ok((!name.is_empty()).then(|| text(decode(name))))
    }

    /// The next bytes of the value, or `None` after its last.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        while self.is_in_value {
            let has_more = self.fill().await?;
            let end = self.raw.iter().position(|b| *b == b'&');
            let piece = self.raw.split_to(end.unwrap_or(self.raw.len()));
            if end.is_some() {
                self.raw = self.raw.slice(1..);
            }
            self.is_in_value = end.is_none() && has_more;
            let decoded = self.decode(&piece);
            if !decoded.is_empty() {
                return Ok(Some(decoded.into()));
            }
        }
        Ok(None)
    }

    /// Whether there is more to look at.
    async fn fill(&mut self) -> Result<bool> {
        while self.raw.is_empty() {
            match self.body.next().await {
                Some(chunk) => {
                    self.raw = chunk
                        .map_err(|e| Error::Malformed(format!("the form cannot be read: {e}")))?;
                }
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    fn decode(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut whole = std::mem::take(&mut self.torn);
        whole.extend_from_slice(piece);
        if self.is_in_value {
            let tail = whole.len().saturating_sub(2);
            if let Some(at) = whole.iter().skip(tail).position(|b| *b == b'%') {
                self.torn = whole.split_off(tail + at);
            }
        }
        decode(whole)
    }
}

fn decode(mut raw: Vec<u8>) -> Vec<u8> {
    raw.iter_mut().filter(|b| **b == b'+').for_each(|b| *b = b' ');
    percent_decode(&raw).collect()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    /// All fields, of a body that comes in pieces of this size.
    async fn read(body: &str, size: usize) -> Vec<(String, Vec<u8>)> {
        let chunks: Vec<_> =
            body.as_bytes().chunks(size).map(|c| Ok(Bytes::copy_from_slice(c))).collect();
        let mut pairs = Pairs::new(stream::iter(chunks));
        let mut fields = Vec::new();
        while let Some(name) = pairs.next().await.unwrap() {
            let mut value = Vec::new();
            while let Some(chunk) = pairs.chunk().await.unwrap() {
                value.extend_from_slice(&chunk);
            }
            fields.push((name, value));
        }
        fields
    }

    #[tokio::test]
    async fn it_reads_what_the_url_crate_reads_wherever_the_pieces_end() {
        for body in [
            "key=a&source=aGVs%2Bbg%3D%3D",
            "a=1&&b=&c&=d&e=%",
            "x=%zz+%4&y=%e2%82%ac",
            "",
            "&",
            "a",
            "a=b=c",
        ] {
            let expected: Vec<(String, Vec<u8>)> = url::form_urlencoded::parse(body.as_bytes())
                .map(|(name, value)| (name.into_owned(), value.into_owned().into_bytes()))
                .collect();
            for size in 1..8 {
                assert_eq!(read(body, size).await, expected, "{body} in pieces of {size}");
            }
        }
    }

    #[tokio::test]
    async fn a_value_can_be_skipped_and_a_name_must_end() {
        let mut pairs = Pairs::new(stream::iter([Ok(Bytes::from_static(b"a=long+value&b=2"))]));
        assert_eq!(pairs.next().await.unwrap().unwrap(), "a");
        assert_eq!(pairs.next().await.unwrap().unwrap(), "b");
        assert!(pairs.next().await.unwrap().is_none());
        let endless = vec![b'x'; 5000];
        assert!(Pairs::new(stream::iter([Ok(endless.into())])).next().await.is_err());
    }
}
