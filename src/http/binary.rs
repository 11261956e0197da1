//! Small files as the whole body of a request, of whatever media type their sender gives them:
//! what they are is found out from their bytes.

use super::{Problem, layers::read_body};
use poem::{Request, RequestBody, Result, http::header};
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
        let schema = MetaSchema { format: Some("binary"), ..MetaSchema::new("string") };
        MetaSchemaRef::Inline(Box::new(schema))
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
