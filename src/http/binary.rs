//! Files as the whole body of a request, of whatever media type their sender gives them: what they
//! are is found out from their bytes.

use super::{Problem, layers::read_body};
use crate::base::Error;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use poem::{Body, Request, RequestBody, Result, http::header};
use poem_openapi::{
    impl_apirequest_for_payload,
    payload::{ParsePayload, Payload},
    registry::{MetaSchema, MetaSchemaRef},
};

/// A body of up to a megabyte.
pub struct SmallFile(pub Vec<u8>);

const MOST: u64 = 1024 * 1024;

impl Payload for SmallFile {
    const CONTENT_TYPE: &'static str = "application/octet-stream";

    fn check_content_type(content_type: &str) -> bool {
        let kind = content_type.trim_start().to_ascii_lowercase();
        kind.starts_with(Self::CONTENT_TYPE) || kind.starts_with("image/")
    }

    fn schema_ref() -> MetaSchemaRef {
        any_bytes()
    }
}

impl ParsePayload for SmallFile {
    const IS_REQUIRED: bool = true;

    async fn from_request(req: &Request, body: &mut RequestBody) -> Result<Self> {
        let declared = req.header(header::CONTENT_LENGTH);
        let bytes = read_body(body.take()?, declared, MOST).await.map_err(Problem::from)?;
        Ok(Self(bytes.into()))
    }
}

impl_apirequest_for_payload!(SmallFile);

/// A file of any size, which is read as it comes.
pub struct LargeFile(Body);

impl LargeFile {
    /// The pieces of the file, as they come. A body that breaks off ends with `Malformed`.
    pub fn pieces(self) -> impl Stream<Item = Result<Bytes, Error>> + Send {
        let broken = |cause| Error::Malformed(format!("the body broke off: {cause}"));
        self.0.into_bytes_stream().map(move |piece| piece.map_err(broken))
    }
}

impl Payload for LargeFile {
    const CONTENT_TYPE: &'static str = "application/octet-stream";

    fn check_content_type(content_type: &str) -> bool {
        let kind = content_type.trim_start().to_ascii_lowercase();
        let media = ["image/", "video/", "audio/", Self::CONTENT_TYPE];
        media.iter().any(|media| kind.starts_with(media))
    }

    fn schema_ref() -> MetaSchemaRef {
        any_bytes()
    }
}

impl ParsePayload for LargeFile {
    const IS_REQUIRED: bool = true;

    async fn from_request(_: &Request, body: &mut RequestBody) -> Result<Self> {
        Ok(Self(body.take()?))
    }
}

impl_apirequest_for_payload!(LargeFile);

fn any_bytes() -> MetaSchemaRef {
    let schema = MetaSchema { format: Some("binary"), ..MetaSchema::new("string") };
    MetaSchemaRef::Inline(Box::new(schema))
}
